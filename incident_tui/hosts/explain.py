"""What a saved or pasted output says: `docker ps`, `gluster volume status`, heal info, the kernel's log, … Pure.

People who may not log in get outputs in a mail or a chat. This recognises which command printed one, reads it with the
same parsers as the probe's answers, and judges it with the same rules where a rule needs no more than this output.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from incident_tui.hosts import docker, docker_tables, gluster, gluster_tasks, gluster_text, health, kernel
from incident_tui.hosts.errors import Unreadable
from incident_tui.hosts.readings import (
    Container,
    Docker,
    GapKind,
    Gluster,
    Heals,
    HostReading,
    Link,
    LinkState,
    OomKills,
    Volume,
)
from incident_tui.hosts.settings import Thresholds
from incident_tui.incident.finding import Level, worst

LIMIT = 8 * 1024 * 1024
"""Characters read of one output."""
_HOST = "this output"


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong, or only worth knowing (ok), in one sentence."""

    level: Level
    sentence: str


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """`what` printed it, e.g. "docker ps"; `rows` are the readings; `said` the worst first. Nothing found wrong in an
    output is not "all is well": it is what this output says, and its age is not known."""

    what: str
    rows: tuple[Any, ...]
    said: tuple[Said, ...]

    @property
    def level(self) -> Level:
        return worst([one.level for one in self.said])


def explain(output: str, now: datetime) -> Explained:
    """Raises Unreadable when it is not recognised, is damaged, or is a command's own error (then with its meaning)."""
    body = _clean(output[:LIMIT])
    for what, sign, read in _KINDS:
        if re.search(sign, body, re.M):
            rows, said = read(body, now)
            order = (Level.CRIT, Level.WARN, Level.UNKNOWN, Level.OK)
            return Explained(what=what, rows=tuple(rows), said=tuple(sorted(said, key=lambda s: order.index(s.level))))
    known = docker.known_error(body) or gluster.known_error(body)
    if known is not None:
        raise known
    raise Unreadable(
        GapKind.FAILED,
        "not recognised; it takes what docker ps, stats, inspect or events, gluster peer status, volume info, volume"
        " status, heal info, rebalance, quota or geo-replication, or the kernel's log printed",
    )


def _clean(output: str) -> str:
    """Without the prompt and the command that was typed before the output, and without carriage returns."""
    lines = output.replace("\r\n", "\n").replace("\ufeff", "").split("\n")
    typed = re.compile(r"(?:\[[^\]]*\]|[\w.@:~/-]*)?[#$>] (?:sudo )?(?:docker|podman|gluster|dmesg|grep|journalctl)\b")
    return textwrap.dedent("\n".join(line for line in lines if not typed.match(line.strip())))


_Read = tuple[Iterable[Any], list[Said]]


def _judged(reading: HostReading, now: datetime, rules: str) -> list[Said]:
    found = health.findings([reading], Thresholds(), now)
    return [
        Said(level=one.level, sentence=one.sentence.removeprefix(f"{_HOST}: ").removeprefix(f"{_HOST} "))
        for one in found
        if one.rule.startswith(rules)
    ]


def _reading(now: datetime, **fields: Any) -> HostReading:
    link = Link(state=LinkState.UP, sentence="", since=now, at=now)
    return HostReading(host=_HOST, at=now, link=link, **fields)


def _containers(parse: Callable[[str], Sequence[Container]]) -> Callable[[str, datetime], _Read]:
    def read(body: str, now: datetime) -> _Read:
        rows = parse(body)
        engine = Docker(at=now, version="", containers=tuple(rows))
        said = _judged(_reading(now, docker=engine, roles=("docker",)), now, "docker.container-")
        running = sum(row.state == "running" for row in rows)
        return rows, [*said, Said(level=Level.OK, sentence=f"{running} of {len(rows)} containers running")]

    return read


def _inspect(body: str) -> tuple[Container, ...]:
    """Also from the middle of a saved file: what stands before the first bracket is left out."""
    return docker.parse_inspect(body)


def _stats(parse: Callable[[str], Sequence[docker_tables.Stats]]) -> Callable[[str, datetime], _Read]:
    def read(body: str, now: datetime) -> _Read:
        rows = parse(body)
        said = [
            Said(level=Level.WARN, sentence=f"{row.name}: memory {row.memory_percent:.0f}% of its limit")
            for row in rows
            if row.memory_percent is not None and row.memory_percent >= 90
        ]
        return rows, [*said, Said(level=Level.OK, sentence=f"{_count(len(rows), 'container')} measured")]

    return read


def _events(body: str, now: datetime) -> _Read:
    rows = [event for line in body.splitlines() if (event := docker.parse_event(line.strip())) is not None]
    said = [
        Said(
            level=Level.WARN,
            sentence=f"{row.name or row.id[:12]}: {'out of memory' if row.action == 'oom' else 'ended'}"
            + (f" {row.exit_code}" if row.exit_code is not None else ""),
        )
        for row in rows
        if row.action == "oom" or (row.action == "die" and row.exit_code != 0)
    ]
    return rows, [*said, Said(level=Level.OK, sentence=_count(len(rows), "event"))]


def _either(xml: Callable[[str], Any], plain: Callable[[str], Any], body: str) -> Any:
    return (xml if gluster.has_xml(body) else plain)(body)


def _peers(body: str, now: datetime) -> _Read:
    rows = _either(gluster.peers_xml, gluster_text.peers_text, body)
    said = _judged(_reading(now, gluster=Gluster(at=now, glusterd_alive=True, peers=rows)), now, "gluster.peer")
    connected = sum(row.connected for row in rows)
    return rows, [*said, Said(level=Level.OK, sentence=f"{connected} of the {len(rows)} peers listed connected")]


def _volumes(body: str, now: datetime) -> _Read:
    rows: tuple[Volume, ...] = _either(gluster.volumes_xml, gluster_text.volumes_text, body)
    said = []
    for row in rows:
        level = {"started": Level.OK, "created": Level.OK, "stopped": Level.CRIT}.get(row.status, Level.UNKNOWN)
        sets = len(row.bricks) // row.set_size
        made = f"{row.kind or 'volume'}, {_count(len(row.bricks), 'brick')} in {_count(sets, 'subvolume')}"
        said.append(Said(level=level, sentence=f"{row.name}: {row.status}; {made}"))
    return rows, said


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _volume_list(body: str, now: datetime) -> _Read:
    names = gluster.volume_names_xml(body)
    return names, [Said(level=Level.OK, sentence=f"{_count(len(names), 'volume')}: {', '.join(names) or 'none'}")]


def _status(body: str, now: datetime) -> _Read:
    rows: tuple[gluster.Rows, ...] = _either(gluster.status_xml, gluster_text.status_text, body)
    said = []
    for row in rows:
        for brick in row.bricks:
            if brick.online is not True:
                level = Level.UNKNOWN if brick.online is None else Level.CRIT
                said.append(Said(level=level, sentence=f"{row.volume}: {brick.name} is not online"))
            for free, total, what in ((brick.free, brick.size, "space"), (brick.inodes_free, brick.inodes, "inodes")):
                if total and 100 * (total - free) >= 80 * total:
                    used = 100 * (total - free) / total
                    level = Level.CRIT if used >= 90 else Level.WARN
                    said.append(Said(level=level, sentence=f"{row.volume}: {brick.name} {what} {used:.0f}% used"))
        for service in row.services:
            if service.online is not True and service.kind != "NFS Server":
                said.append(
                    Said(level=Level.WARN, sentence=f"{row.volume}: {service.kind} on {service.host} is not online")
                )
        said += [
            Said(
                level=Level.WARN if task.status in ("failed", "unknown") else Level.OK, sentence=_task(row.volume, task)
            )
            for task in row.tasks
        ]
        up = sum(brick.online is True for brick in row.bricks)
        listed = f"{row.volume}: {up} of the {len(row.bricks)} bricks listed online"
        said.append(Said(level=Level.OK, sentence=f"{listed}; bricks of a lost peer are not listed"))
    return rows, said


def _task(volume: str, task: Any) -> str:
    return f"{volume}: {task.kind} {task.status}"


def _heals(body: str, now: datetime) -> _Read:
    only = re.search(r"entries in split-brain|info split-brain", body) is not None and "heal pending" not in body
    xml = gluster.has_xml(body)
    parse = gluster.heals_xml if xml else gluster_text.heals_text
    rows = parse(body, split_brain_only=only)
    heals = Heals(at=now, volume="", bricks=rows)
    said = []
    for row in rows:
        if row.connected is False:
            said.append(Said(level=Level.UNKNOWN, sentence=f"{row.name}: {row.status or 'not connected'}; not counted"))
        elif row.pending is None and row.split_brain is None:
            said.append(Said(level=Level.UNKNOWN, sentence=f"{row.name}: its entries could not be counted"))
    if heals.split_brain:
        files = dict.fromkeys(entry for row in rows for entry in row.split_entries)
        named = f": {', '.join(list(files)[:5])}" if files else ""
        said.append(Said(level=Level.CRIT, sentence=f"split-brain, {heals.split_brain} on one brick{named}"))
    if heals.pending and heals.split_brain is None:
        what = "whether any of them is in split-brain is not said here: ask heal VOLUME info split-brain"
        said.append(Said(level=Level.UNKNOWN, sentence=what))
    if heals.pending:
        said.append(Said(level=Level.WARN, sentence=f"{heals.pending} entries to heal on the brick with the most"))
    if not said:
        said.append(Said(level=Level.OK, sentence=f"nothing to heal on {_count(len(rows), 'brick')}"))
    return rows, said


def _heal_counts(body: str, now: datetime) -> _Read:
    counts = gluster_text.heal_counts_text(body)
    said = [
        Said(level=Level.UNKNOWN, sentence=f"{name}: could not be counted")
        if count is None
        else Said(level=Level.WARN if count else Level.OK, sentence=f"{name}: {count} entries to heal")
        for name, count in counts.items()
    ]
    return [{"brick": name, "entries": count} for name, count in counts.items()], said


def _rebalance(body: str, now: datetime) -> _Read:
    found = gluster_tasks.rebalance(body, "", now)
    failures = sum(node.failures for node in found.nodes)
    level = Level.CRIT if "failed" in found.status else Level.UNKNOWN if found.status == "unknown" else Level.OK
    said = [Said(level=level, sentence=f"rebalance {found.status}")]
    if failures:
        said.append(Said(level=Level.WARN, sentence=f"{failures} files could not be moved"))
    return found.nodes, said


def _quota(body: str, now: datetime) -> _Read:
    rows = gluster_tasks.quota(body)
    said = []
    for row in rows:
        if row.hard_exceeded or row.soft_exceeded:
            level, which = (Level.CRIT, "hard") if row.hard_exceeded else (Level.WARN, "soft")
            said.append(Said(level=level, sentence=f"{row.path}: {which} limit exceeded"))
        elif row.used is None:
            said.append(Said(level=Level.UNKNOWN, sentence=f"{row.path}: its use is not said"))
    return rows, said or [Said(level=Level.OK, sentence=f"{_count(len(rows), 'limit')}, none exceeded")]


def _geo(body: str, now: datetime) -> _Read:
    rows = gluster_tasks.geo_replication(body)
    said = [
        Said(level=gluster_tasks.geo_level(row.status), sentence=f"{row.primary_node} to {row.secondary}: {row.status}")
        for row in rows
    ]
    return rows, said or [Said(level=Level.OK, sentence="no geo-replication session")]


def _kernel(body: str, now: datetime) -> _Read:
    kills = kernel.parse_ooms(body, kernel.LogClock(now=now))
    found = OomKills(at=now, source=_HOST, kills=kills)
    said = [
        Said(
            level=Level.CRIT,
            sentence=(f"{kill.name} ({kill.pid})" if kill.pid else "a process")
            + f" killed, out of memory, {kill.scope}"
            + (f", container {kill.container_id[:12]}" if kill.container_id else ""),
        )
        for kill in found.kills
    ]
    return found.kills, said or [Said(level=Level.OK, sentence="no process was killed for memory")]


_KINDS: tuple[tuple[str, str, Callable[[str, datetime], _Read]], ...] = (
    ("gluster peer status", r"<peerStatus|^Number of Peers:|^UUID\s+Hostname\s+State|^peer status: No peers", _peers),
    ("gluster volume info", r"<volInfo\b|^Volume Name:", _volumes),
    ("gluster volume list", r"<volList\b", _volume_list),
    ("gluster volume status", r"<volStatus\b|^Status of volume:", _status),
    ("gluster heal statistics", r"^Gathering count of entries", _heal_counts),
    ("gluster heal info", r"<healInfo\b|^Brick \S*:/.*\n(?:.*\n)*?.*umber of entries", _heals),
    ("gluster rebalance status", r"<volRebalance\b|Rebalanced-files|[Rr]ebalance not started", _rebalance),
    ("gluster quota list", r"<volQuota\b|^\s*Path\s+Hard-limit", _quota),
    ("gluster geo-replication status", r"<geoRep\b|^(?:MASTER|PRIMARY|NODE).*\b(?:STATUS|HEALTH)\b", _geo),
    ("docker ps", r"^\s*CONTAINER ID +IMAGE", _containers(docker_tables.parse_ps_table)),
    (
        "docker stats",
        r"^\W*(?:\[2J|\[H)*\s*(?:CONTAINER|NAME|ID +NAME).*CPU %",
        _stats(docker_tables.parse_stats_table),
    ),
    ("docker inspect", r'"State": ?\{', _containers(_inspect)),
    ("docker stats", r'"(?:MemUsage|mem_usage)"', _stats(docker_tables.parse_stats_json)),
    ("docker ps", r'"(?:Names|Image)"[^\n]*', _containers(docker_tables.parse_ps_json)),
    ("docker events", r"^\d\S+.* (?:container [a-z]\S* [0-9a-f]{12}|[0-9a-f]{12,64}: )", _events),
    ("the kernel's log", r"oom-killer|Killed process|oom-kill:|Task in .* killed as", _kernel),
)
"""(what printed it, how that is recognised, how it is read), the first that fits."""
