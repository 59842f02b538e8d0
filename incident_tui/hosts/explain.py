"""What a saved or pasted output says: `docker ps`, `gluster volume status`, heal info, the kernel's log, … Pure.

People who may not log in get outputs in a mail or a chat. This recognises which command printed one, reads it with the
same parsers as the probe's answers, and judges it with the same rules where a rule needs no more than this output.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from incident_tui import text
from incident_tui.hosts import (
    docker,
    docker_compose,
    docker_tables,
    explain_gluster,
    explain_machine,
    gluster,
    kernel,
    kernel_events,
)
from incident_tui.hosts.errors import Unreadable
from incident_tui.hosts.explain_hosts import Printed, by_host, by_prefix
from incident_tui.hosts.explain_words import Read, Said, count, judged, reading
from incident_tui.hosts.readings import Container, Docker, GapKind
from incident_tui.incident.finding import Level, worst

LIMIT = 8 * 1024 * 1024
"""Characters read of one output."""


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """`what` printed it, e.g. "docker ps"; `rows` are the readings; `said` the worst first. Nothing found wrong in an
    output is not "all is well": it is what this output says, and its age is not known."""

    what: str
    rows: tuple[Any, ...]
    said: tuple[Said, ...]

    @property
    def level(self) -> Level:
        return worst([one.level for one in self.said])


_WORST_FIRST = (Level.CRIT, Level.WARN, Level.UNKNOWN, Level.OK)


class _Strange(Unreadable):
    """Nothing that this knows."""

    def __init__(self) -> None:
        super().__init__(
            GapKind.FAILED,
            "not recognised; it takes what docker ps, stats, inspect or events, gluster peer status, volume info,"
            " volume status, heal info, rebalance, quota, geo-replication, snapshot info or get-state, df, free, top,"
            " vmstat or the kernel's log printed",
        )


def explain(output: str, now: datetime) -> Explained:
    """Of a terminal's text with several commands all that are known, as one.

    Raises Unreadable when it is not recognised, is damaged, or is a command's own error (then with its meaning).
    """
    if len(output) > LIMIT:
        raise Unreadable(GapKind.FAILED, f"longer than {LIMIT >> 20} MiB: keep the part that matters")
    found: list[Explained] = []
    failed: list[tuple[str, Unreadable]] = []
    for command, body in [(command, body) for command, body in _parts(output) if body.strip()]:
        try:
            if hosts := by_host(body) or by_prefix(body):
                _each(command, hosts, now, found, failed)
            else:
                found.append(_one(command, body, now))
        except Unreadable as problem:
            failed.append((command, problem))
    known = [(command, why) for command, why in failed if not isinstance(why, _Strange)]
    if not found and len(known) < 2:
        raise known[0][1] if known else _Strange()
    said = [said for one in found for said in one.said]
    # what stands before the first command is a greeting, unless it is recognised and damaged
    for command, why in failed:
        if command or not isinstance(why, _Strange):
            what = f"{text.sanitise(command, limit=60)}: {why.sentence}"
            level = Level.CRIT if why.kind is GapKind.DOWN else Level.UNKNOWN
            said.append(Said(level=level, sentence=what.removeprefix(": ")))
    return Explained(
        what=", ".join(dict.fromkeys(one.what for one in found)) or "commands that failed",
        rows=tuple(row for one in found for row in one.rows),
        said=tuple(sorted(said, key=lambda one: _WORST_FIRST.index(one.level))),
    )


def _each(
    command: str,
    hosts: Sequence[Printed],
    now: datetime,
    found: list[Explained],
    failed: list[tuple[str, Unreadable]],
) -> None:
    """Of what several hosts printed each by itself: its sentences begin with its name."""
    for printed in hosts:
        try:
            if printed.problem:
                raise Unreadable(GapKind.FAILED, printed.problem)
            one = _one(command, textwrap.dedent(printed.output), now)
            said = [msgspec.structs.replace(said, sentence=f"{printed.host}: {said.sentence}") for said in one.said]
            found.append(msgspec.structs.replace(one, said=tuple(said)))
        except Unreadable as problem:
            failed.append((printed.host, problem))


def _one(command: str, body: str, now: datetime) -> Explained:
    for what, typed, read in _TYPED:
        if re.search(typed, command):
            rows, said = read(body, now)
            return Explained(what=what, rows=tuple(rows), said=tuple(said))
    for what, sign, read in _KINDS:
        if re.search(sign, body, re.M):
            rows, said = read(body, now)
            return Explained(what=what, rows=tuple(rows), said=tuple(said))
    engines = (gluster, docker) if "gluster" in f"{command} {body}" else (docker, gluster)
    known = next((error for engine in engines if (error := engine.known_error(body)) is not None), None)
    if known is None and (refused := re.search(r"^(?:\w+: )?Error response from daemon: (.+)", body, re.M)):
        known = Unreadable(GapKind.FAILED, f"the Docker daemon refused: {text.sanitise(refused[1], limit=160)}")
    if known is None and gluster.has_xml(body):
        gluster.good(body, "the command")  # raises what gluster itself says of it
    raise known or _Strange()


# "[root@web1 ~]# …", "root@web1:~# …" whatever was typed; another prompt only where one of these commands follows.
_PROMPT = re.compile(
    r"\s*(?:(?:\[[^\]@\n]{1,80}@[^\]\n]{1,200}\]|[\w.-]{1,80}@[\w.-]{1,200}:[^\s#$]{0,200}) ?[#$](?: +(?P<any>.*)|\s*)"
    r"|(?:gluster|[\w.@:~/-]{0,80} ?)[#$>] +(?P<ours>(?:sudo +)?(?:docker|podman|gluster|volume|peer|pool|snapshot"
    r"|dmesg|grep|journalctl)\b.*))\Z"
)
_OURS = re.compile(
    r"(?:sudo +)?(?:\S{0,80}/)?(?:docker|podman|gluster|dmesg|grep|journalctl|cat|tail|less|zgrep|df|free|ssh|ansible"
    r"|ansible-playbook|salt|clush|pdsh|dsh|pssh|parallel-ssh|fab)\b"
)


def _parts(output: str) -> list[tuple[str, str]]:
    """(what was typed, what it printed) for each prompt in the text; one part without a command where there is none.
    What commands of other kinds printed is left out."""
    output = re.sub("\x1b\\[[0-9;]*m", "", output.replace("\r\n", "\n").replace("\ufeff", "").replace("\xa0", " "))
    lines = output.split("\n")
    if all(line.startswith(">") for line in lines if line.strip()):  # quoted in a mail
        lines = [re.sub(r"\A> ?", "", line) for line in lines]
    parts: list[tuple[str, list[str]]] = [("", [])]
    for line in lines:
        match = _PROMPT.match(line) if len(line) < 2000 else None
        if match is None:
            parts[-1][1].append(line)
        elif match["any"] is None and match["ours"] is None:
            parts.append(("exit", []))  # a prompt at which nothing was typed prints nothing
        else:
            parts.append(((match["any"] or match["ours"] or "").strip(), []))
    return [
        (command, textwrap.dedent("\n".join(printed)))
        for command, printed in parts
        if not command or _OURS.match(command) or re.match(r"(?:volume|peer|pool|snapshot)\b", command)
    ]


def _containers(parse: Callable[[str], Sequence[Container]]) -> Callable[[str, datetime], Read]:
    def read(body: str, now: datetime) -> Read:
        rows = parse(body)
        engine = Docker(at=now, version="", containers=tuple(rows))
        said = judged(reading(now, docker=engine, roles=("docker",)), now, "docker.container-")
        running = sum(row.state == "running" for row in rows)
        return rows, [*said, Said(level=Level.OK, sentence=f"{running} of {len(rows)} containers running")]

    return read


def _stats(parse: Callable[[str], Sequence[docker_tables.Stats]]) -> Callable[[str, datetime], Read]:
    def read(body: str, now: datetime) -> Read:
        rows = parse(body)
        said = [
            Said(level=Level.WARN, sentence=f"{row.name}: memory {row.memory_percent:.0f}% of its limit")
            for row in rows
            if row.memory_percent is not None and row.memory_percent >= 90
        ]
        return rows, [*said, Said(level=Level.OK, sentence=f"{count(len(rows), 'container')} measured")]

    return read


def _events(body: str, now: datetime) -> Read:
    parse: Callable[[str], docker.Event | None] = (
        docker_tables.parse_event_json if body.lstrip().startswith("{") else docker.parse_event
    )
    rows = [event for line in body.splitlines() if (event := parse(line.strip())) is not None]
    said = []
    for row in rows:
        what = {"oom": "out of memory", "die": "ended"}.get(row.action, "")
        if row.health == "unhealthy":
            what = "its health check fails"
        if what and not (row.action == "die" and row.exit_code == 0):
            code = f" {row.exit_code}" if row.exit_code is not None else ""
            said.append(Said(level=Level.WARN, sentence=f"{row.name or row.id[:12]}: {what}{code}"))
    return rows, [*said, Said(level=Level.OK, sentence=count(len(rows), "event"))]


def _kernel(body: str, now: datetime) -> Read:
    clock = kernel.LogClock(now=now)
    kills, events = kernel.parse_ooms(body, clock), kernel_events.parse_events(body, clock)
    said = [
        Said(
            level=Level.CRIT,
            sentence=(f"{kill.name} ({kill.pid})" if kill.pid else kill.name or "a process")
            + f" killed, out of memory, {kill.scope}"
            + (f", container {kill.container_id[:12]}" if kill.container_id else ""),
        )
        for kill in kills
    ]
    for kind, device in dict.fromkeys((event.kind, event.device) for event in events):
        level = Level.WARN if kind == "hung-task" else Level.CRIT
        times = sum((event.kind, event.device) == (kind, device) for event in events)
        said.append(Said(level=level, sentence=f"{kind}{f' on {device}' if device else ''}, {count(times, 'line')}"))
    if not kills and not events and not re.search(_OOM, body):
        said.append(Said(level=Level.OK, sentence="nothing of disks or memory that matters"))
    if not kills and re.search(_OOM, body):
        said.append(Said(level=Level.UNKNOWN, sentence="memory ran out; which process was killed does not stand here"))
    return [*kills, *events], said


_OOM = r"oom-killer|Killed process|oom-kill:|Tasks? in .* killed|[Oo]ut of [Mm]emory|systemd-oomd\[|by the OOM killer"
_TYPED: tuple[tuple[str, str, Callable[[str, datetime], Read]], ...] = (
    ("gluster volume list", r"\bvolume +list\b", explain_gluster.names),
    ("gluster snapshot list", r"\bsnapshot +list\b(?!.*--xml)", explain_gluster.names),
    ("gluster heal info", r"\bheal +\S+ +info +split-brain\b", explain_gluster.split_brain),
)
"""(what printed it, the command that was typed, how it is read), where the output alone does not tell."""
_KINDS: tuple[tuple[str, str, Callable[[str, datetime], Read]], ...] = (
    (
        "gluster peer status",
        r"<peerStatus|^Number of Peers:|^UUID\s+Hostname\s+State|^peer status: No peers",
        explain_gluster.peers,
    ),
    ("gluster volume info", r"<volInfo\b|^Volume Name:", explain_gluster.volumes),
    ("gluster volume list", r"<volList\b", explain_gluster.names),
    ("gluster volume status", r"<volStatus\b|^Status of volume:|^Task Status of Volume", explain_gluster.status),
    ("gluster heal statistics", r"^Gathering count of entries", explain_gluster.heal_counts),
    (
        "gluster heal info",
        r"<healInfo\b|\A(?s:(?=.*^Brick \S+:/)(?=.*umber of entries))|^Gathering (?:Heal info|list of)",
        explain_gluster.heals,
    ),
    (
        "gluster rebalance status",
        r"<vol(?:Rebalance|RemoveBrick)\b|Rebalanced-files|[Rr]ebalance not started|^[ \t]*Node +status +run time",
        explain_gluster.rebalance,
    ),
    (
        "gluster quota list",
        r"<volQuota\b|^[ \t]*Path[ \t]+Hard-limit|^[ \t]*path[ \t]+limit_set|Quota is disabled|^quota command failed",
        explain_gluster.quota,
    ),
    (
        "gluster geo-replication status",
        r"<geoRep\b|^(?:MASTER|PRIMARY|NODE)\b.*\b(?:STATUS|HEALTH)\b|^No active geo-rep|^geo-replication command",
        explain_gluster.geo,
    ),
    ("gluster snapshot status", r"<snapStatus\b|^[ \t]*Snap Name +:", explain_gluster.snapshot_bricks),
    (
        "gluster snapshot info",
        r"<snap(?:Info|List)\b|^[ \t]*Snapshot +:|^No snapshots present|^Snap UUID +:",
        explain_gluster.snapshots,
    ),
    ("gluster get-state", r"^\[Global\]|^Peer1\.\w|^Volume1\.\w", explain_gluster.state),
    (
        "docker stats",
        r"^(?:\x1b\[[0-9;?]*[A-Za-z]|[ \t])*(?:CONTAINER|NAME|ID +NAME).*CPU %",
        _stats(docker_tables.parse_stats_table),
    ),
    ("docker ps", rf"^[ \t]*{docker_tables.PS_HEAD}\b", _containers(docker_tables.parse_ps_table)),
    ("docker-compose ps", docker_compose.HEAD, _containers(docker_compose.parse_ps)),
    ("docker inspect", r'"State": ?\{', _containers(docker.parse_inspect)),
    ("docker inspect", r'\A\s*\{\s*"(?:(?!").)*":(?s:.*)"OOMKilled"', _containers(docker.parse_state)),
    ("docker events", r'^[ \t]*\{.*"Type": ?"(?:container|image|network|volume|pod|daemon)"', _events),
    ("docker stats", r'"(?:MemUsage|mem_usage)"', _stats(docker_tables.parse_stats_json)),
    ("docker ps", r'"(?:Names|Image)"', _containers(docker_tables.parse_ps_json)),
    (
        "docker events",
        r"^\d\S{1,80} .{0,400}(?:container [a-z]\S{0,80} [0-9a-f]{12}|[0-9a-f]{12,64}: )",
        _events,
    ),
    ("df", r"^[ \t]*Filesystem\b.*(?:Use%|Capacity)", explain_machine.disks),
    ("free", r"^[ \t]+total[ \t]+used[ \t]+free\b", explain_machine.free),
    ("top", r"^top - \d\d:\d\d:\d\d up ", explain_machine.top),
    ("/proc/meminfo", r"^(?:\S*:)?MemTotal: +\d+ kB", explain_machine.meminfo),
    ("vmstat", r"^[ \t]*r +b +swpd +free ", explain_machine.vmstat),
    # without their headings, as grep leaves them
    ("docker ps", r'^[ \t]*[0-9a-f]{12,64}\s{2,}\S+\s{2,}".*\bago\b', _containers(docker_tables.parse_ps_rows)),
    ("gluster volume status", explain_gluster.STATUS_ROW, explain_gluster.status_rows),
    ("gluster pool list", explain_gluster.POOL_ROW, explain_gluster.pool_rows),
    ("gluster peer status", r"\A\s*Hostname: \S+\s+Uuid: \S+\s+State: ", explain_gluster.peer_blocks),
    ("gluster heal info", r"\A(?:\s*Number of entries: \S+\s*)+\Z", explain_gluster.entry_counts),
    (
        "the kernel's log",
        _OOM + r"|I/O [Ee]rror|[Mm]edium [Ee]rror|[Rr]emounting filesystem read-only|blocked for more than \d+ sec",
        _kernel,
    ),
)
"""(what printed it, how that is recognised, how it is read), the first that fits."""
