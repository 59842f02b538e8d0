"""What each answer of GlusterFS says by itself, for `explain`. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from incident_tui.hosts import gluster, gluster_state, gluster_tasks, gluster_text
from incident_tui.hosts.errors import garbled
from incident_tui.hosts.explain_words import Read, Said, count, judged, reading
from incident_tui.hosts.readings import Gluster, Heals, Volume
from incident_tui.incident.finding import Level, worst


def _either(xml: Callable[[str], Any], plain: Callable[[str], Any], body: str) -> Any:
    return (xml if gluster.has_xml(body) else plain)(body)


def peers(body: str, now: datetime) -> Read:
    rows = _either(gluster.peers_xml, gluster_text.peers_text, body)
    others = tuple(row for row in rows if row.hostname != "localhost")  # pool list has the asked peer, too
    said = judged(reading(now, gluster=Gluster(at=now, glusterd_alive=True, peers=others)), now, "gluster.peer")
    connected = sum(row.connected for row in rows)
    return rows, [*said, Said(level=Level.OK, sentence=f"{connected} of the {len(rows)} peers listed connected")]


def volumes(body: str, now: datetime) -> Read:
    rows: tuple[Volume, ...] = _either(gluster.volumes_xml, gluster_text.volumes_text, body)
    said = []
    for row in rows:
        level = {"started": Level.OK, "created": Level.OK, "stopped": Level.CRIT}.get(row.status, Level.UNKNOWN)
        sets = len(row.bricks) // row.set_size
        made = f"{row.kind or 'volume'}, {count(len(row.bricks), 'brick')} in {count(sets, 'subvolume')}"
        said.append(Said(level=level, sentence=f"{row.name}: {row.status}; {made}"))
    return rows, said or [Said(level=Level.OK, sentence="no volumes")]


def names(body: str, now: datetime) -> Read:
    """`volume list`, `snapshot list`. As text these are names and nothing else: who calls must know the command."""
    xml = gluster.has_xml(body)
    lines = [line.strip() for line in body.splitlines() if line.strip()]
    if xml:
        rows = gluster.volume_names_xml(body)
    elif re.search(r"^No (volumes|snapshots) present", body, re.M):
        rows = ()
    elif lines and all(re.fullmatch(r"[A-Za-z0-9_.-]{1,255}", line) for line in lines):
        rows = tuple(lines)
    else:
        raise gluster.classify(body, "list")
    return rows, [Said(level=Level.OK, sentence=f"{len(rows)} listed: {', '.join(rows) or 'none'}")]


def status(body: str, now: datetime) -> Read:
    rows: tuple[gluster.Rows, ...] = _either(gluster.status_xml, gluster_text.status_text, body)
    said = []
    if not rows:
        said.append(Said(level=Level.UNKNOWN, sentence="no volume is listed; one that is not started is left out"))
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
                level=Level.WARN if "failed" in task.status or task.status == "unknown" else Level.OK,
                sentence=f"{row.volume}: {task.kind} {task.status}",
            )
            for task in row.tasks
        ]
        if not row.bricks:
            continue
        up = sum(brick.online is True for brick in row.bricks)
        listed = f"{row.volume}: {up} of the {len(row.bricks)} bricks listed online"
        said.append(Said(level=Level.OK, sentence=f"{listed}; bricks of a lost peer are not listed"))
    # every version but 3.3 ends a volume's rows with its tasks, though not its details
    whole = len(re.findall(r"(?m)^(?:Task Status of Volume|Brick +: Brick )", body)) >= len(rows)
    if not gluster.has_xml(body) and not whole:
        said.append(Said(level=Level.UNKNOWN, sentence="it ends without a volume's tasks: is it whole?"))
    return rows, said


STATUS_ROW = r"^[ \t]*(?:Brick \S+:/.*|(?:NFS Server|\S+ Daemon) on \S.*)\s[YN]\s+(?:-?\d{1,10}|N/A)[ \t]*$"
"""A row of `volume status` that stands alone: grep took the volume's name and the heading."""


def status_rows(body: str, now: datetime) -> Read:
    """Rows of `volume status` alone. Of which volume each is does not stand there."""
    return status(f"Status of volume: a volume\n{body}", now)


POOL_ROW = r"^[ \t]*[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\s+\S+\s+(?:Connected|Disconnected)[ \t]*$"


def pool_rows(body: str, now: datetime) -> Read:
    """Rows of `pool list` without their heading."""
    return peers(f"UUID\tHostname\tState\n{body}", now)


def peer_blocks(body: str, now: datetime) -> Read:
    """`peer status` without its first line: how many there are is what stands there."""
    return peers(f"Number of Peers: {len(re.findall(r'(?m)^Hostname:', body))}\n\n{body}", now)


def entry_counts(body: str, now: datetime) -> Read:
    """`heal V info | grep entries`: a count for each brick, without its name."""
    counts = [int(word) if word.isdecimal() else None for word in re.findall(r"entries: (\S{1,15})", body)]
    said = [
        Said(level=Level.UNKNOWN, sentence=f"of brick {n} the entries could not be counted")
        for n, number in enumerate(counts, 1)
        if number is None
    ]
    most = max((number for number in counts if number is not None), default=0)
    if most:
        said.append(Said(level=Level.WARN, sentence=f"{most} entries to heal on the brick with the most"))
        said.append(Said(level=Level.UNKNOWN, sentence="whether any of them is in split-brain does not stand here"))
    return [{"entries": number} for number in counts], said or [
        Said(level=Level.OK, sentence=f"nothing to heal on {count(len(counts), 'brick')}")
    ]


def heals(body: str, now: datetime) -> Read:
    return _heals(body, now, only=_ONLY.search(body) is not None and "heal pending" not in body)


def split_brain(body: str, now: datetime) -> Read:
    """`heal V info split-brain`, where the command is known: in XML nothing else tells it from `heal V info`."""
    return _heals(body, now, only=True)


_ONLY = re.compile(r"entries in split-brain|list of split brain entries")


def _heals(body: str, now: datetime, *, only: bool) -> Read:
    xml = gluster.has_xml(body)
    parse = gluster.heals_xml if xml else gluster_text.heals_text
    rows = parse(body, split_brain_only=only)
    found = Heals(at=now, volume="", bricks=rows)
    said = []
    for row in rows:
        if row.connected is False:
            said.append(Said(level=Level.UNKNOWN, sentence=f"{row.name}: {row.status or 'not connected'}; not counted"))
        elif row.pending is None and row.split_brain is None:
            said.append(Said(level=Level.UNKNOWN, sentence=f"{row.name}: its entries could not be counted"))
    if found.split_brain:
        files = dict.fromkeys(entry for row in rows for entry in row.split_entries)
        named = f": {', '.join(list(files)[:5])}" if files else ""
        said.append(Said(level=Level.CRIT, sentence=f"split-brain, {found.split_brain} on one brick{named}"))
    if found.pending and found.split_brain is None:
        what = "whether any of them is in split-brain is not said here: ask heal VOLUME info split-brain"
        said.append(Said(level=Level.UNKNOWN, sentence=what))
    if found.pending:
        said.append(Said(level=Level.WARN, sentence=f"{found.pending} entries to heal on the brick with the most"))
    if not said:
        said.append(Said(level=Level.OK, sentence=f"nothing to heal on {count(len(rows), 'brick')}"))
    return rows, said


def heal_counts(body: str, now: datetime) -> Read:
    counts = gluster_text.heal_counts_text(body)
    if not counts:
        raise garbled("heal count")
    said = [
        Said(level=Level.UNKNOWN, sentence=f"{name}: could not be counted")
        if count is None
        else Said(level=Level.WARN if count else Level.OK, sentence=f"{name}: {count} entries to heal")
        for name, count in counts.items()
    ]
    return [{"brick": name, "entries": count} for name, count in counts.items()], said


def rebalance(body: str, now: datetime) -> Read:
    found = gluster_tasks.rebalance(body, "", now)
    failures = sum(node.failures for node in found.nodes)
    level = Level.CRIT if "failed" in found.status else Level.UNKNOWN if found.status == "unknown" else Level.OK
    said = [Said(level=level, sentence=f"rebalance {found.status}")]
    if failures:
        said.append(Said(level=Level.WARN, sentence=f"{count(failures, 'file')} could not be moved"))
    return found.nodes, said


def quota(body: str, now: datetime) -> Read:
    rows = gluster_tasks.quota(body)
    said = []
    for row in rows:
        if row.hard_exceeded or row.soft_exceeded:
            level, which = (Level.CRIT, "hard") if row.hard_exceeded else (Level.WARN, "soft")
            said.append(Said(level=level, sentence=f"{row.path}: {which} limit exceeded"))
        elif row.used is None:
            said.append(Said(level=Level.UNKNOWN, sentence=f"{row.path}: its use is not said"))
    return rows, said or [Said(level=Level.OK, sentence=f"{count(len(rows), 'limit')}, none exceeded")]


def geo(body: str, now: datetime) -> Read:
    rows = gluster_tasks.geo_replication(body)
    said = []
    for row in rows:
        level = worst([gluster_tasks.geo_level(row.status), Level.WARN if row.failures else Level.OK])
        what = f"{row.primary_node} to {row.secondary}: {row.status}{gluster_tasks.not_copied(row)}"
        said.append(Said(level=level, sentence=what))
    return rows, said or [Said(level=Level.OK, sentence="no geo-replication session")]


def snapshots(body: str, now: datetime) -> Read:
    rows = gluster_state.snapshots(body)
    said = [
        Said(
            level=Level.OK,
            sentence=f"{row.name}{f' of {row.volume}' if row.volume else ''}: {row.status or 'state not said'}",
        )
        for row in rows
    ]
    return rows, said or [Said(level=Level.OK, sentence="no snapshots")]


_FULL = 90.0
"""Percent of a snapshot's thin volume: past 100 the snapshot is lost."""


def snapshot_bricks(body: str, now: datetime) -> Read:
    rows = gluster_state.snapshot_bricks(body)
    said = [
        Said(level=Level.WARN, sentence=f"{row.name}: {row.brick} is {row.percent:.0f}% full")
        for row in rows
        if row.percent is not None and row.percent >= _FULL
    ]
    running = sum(row.running for row in rows)
    said.append(Said(level=Level.OK, sentence=f"{running} of {count(len(rows), 'brick')} of snapshots running"))
    return rows, said


def state(body: str, now: datetime) -> Read:
    found = gluster_state.state(body)
    seen = Gluster(at=now, glusterd_alive=True, peers=found.peers)
    said = judged(reading(now, gluster=seen), now, "gluster.peer")
    for volume in found.volumes:
        level = {"started": Level.OK, "created": Level.OK, "stopped": Level.CRIT}.get(volume.status, Level.UNKNOWN)
        said.append(Said(level=level, sentence=f"{volume.name}: {volume.status}"))
        if volume.quorum not in ("", "meets", "not_applicable"):
            level = Level.CRIT if volume.quorum == "does_not_meet" else Level.UNKNOWN
            said.append(Said(level=level, sentence=f"{volume.name}: server quorum {volume.quorum.replace('_', ' ')}"))
        for brick in volume.bricks if volume.status == "started" else ():
            if brick.online is False:
                what = f"{volume.name}: {brick.name} is stopped; of other peers' bricks this file knows nothing"
                said.append(Said(level=Level.UNKNOWN, sentence=what))
    for service in found.services:
        if service.kind == "glustershd" and service.online is not True and any(v.bricks[1:] for v in found.volumes):
            said.append(Said(level=Level.WARN, sentence="the self-heal daemon does not run"))
    connected = sum(peer.connected for peer in found.peers)
    said.append(Said(level=Level.OK, sentence=f"{connected} of the {len(found.peers)} peers listed connected"))
    return [found], said
