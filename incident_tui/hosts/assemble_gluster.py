"""GlusterFS' sections of one host in: what the peer says of itself, volume status, heals with their trend. Pure.

Every function raises Unreadable for what is no answer.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from incident_tui.hosts import gluster, gluster_state, gluster_tasks, gluster_text, local
from incident_tui.hosts.errors import Unreadable, garbled
from incident_tui.hosts.readings import (
    BrickHeal,
    GapKind,
    GeoReplication,
    Gluster,
    Heals,
    LocalBrick,
    Peer,
    Quotas,
    Rebalance,
    Snapshots,
    System,
    Volume,
    VolumeStatus,
)
from incident_tui.hosts.sections import Section
from incident_tui.hosts.trend import Trends

_REMEMBERED_PIDS = 500


class BrickPids:
    """Which process served which bricks, also of processes that ended since: a pid file outlives its process, and the
    next one has another pid."""

    def __init__(self) -> None:
        self.served: dict[int, tuple[str, ...]] = {}
        """pid -> "gv0 web2:/b/gv0", …"""
        self.here: tuple[str, ...] = ()
        """All bricks of this host."""

    def learn(self, gluster: Gluster) -> None:
        now: dict[int, tuple[str, ...]] = {}
        for brick in gluster.bricks:
            if brick.pid:
                now[brick.pid] = (*now.get(brick.pid, ()), f"{brick.volume} {brick.name}")
        self.served |= now
        self.here = tuple(f"{brick.volume} {brick.name}" for brick in gluster.bricks)
        while len(self.served) > _REMEMBERED_PIDS:
            del self.served[next(iter(self.served))]


def of_peer(
    by: dict[str, Section], system: System | None, before: Gluster | None, trends: Trends, at: datetime
) -> tuple[Gluster, Unreadable | None]:
    """The lock-free sections. With the Unreadable when glusterd is down or hangs: its bricks may still serve, and what
    it said last is all that is known."""
    files = local.parse_files(by["gluster-files"].body)
    version = system.gluster if system else ""
    peers: tuple[Peer, ...] = ()
    volumes: tuple[Volume, ...] = ()
    problem: Unreadable | None = None
    for name in ("gluster-peers", "gluster-volumes"):
        try:
            section = by.get(name)
            if section is None:
                raise Unreadable(GapKind.ABSENT, "GlusterFS is not installed")
            if section.timed_out:
                raise Unreadable(GapKind.HUNG, f"glusterd gave no answer within {section.limit:.0f} s")
            if (trouble := gluster.trouble(section, name[8:])) is not None:
                raise trouble
            if name == "gluster-peers":
                peers = (gluster.peers_xml if gluster.has_xml(section.body) else gluster_text.peers_text)(section.body)
            else:
                parse = gluster.volumes_xml if gluster.has_xml(section.body) else gluster_text.volumes_text
                volumes = parse(section.body)
        except Unreadable as trouble:
            problem = problem or trouble
    if problem is not None and problem.kind not in (GapKind.DOWN, GapKind.HUNG):
        raise problem
    if problem is not None:
        peers, volumes = (before.peers, before.volumes) if before else ((), ())
    root = system is not None and system.uid == 0
    processes, pending = by.get("gluster-bricks"), by.get("gluster-pending")
    bricks = local.bricks(
        files,
        processes.body if processes else "",
        pending.body if pending else "",
        volumes,
        may_look=root,
        space=by["gluster-space"].body if "gluster-space" in by else "",
    )
    bricks = tuple(_growing(brick, trends, at) for brick in bricks)
    found = Gluster(
        at=at,
        uuid=files.uuid or (before.uuid if before else ""),
        version=version,
        op_version=files.op_version,
        glusterd_alive=None if problem is not None and problem.kind is GapKind.HUNG else problem is None,
        defined_since=before.defined_since if before and before.volumes == volumes else at,
        peers=peers,
        volumes=volumes,
        bricks=bricks,
    )
    return found, problem


def looked_at(gluster: Gluster, section: Section, at: datetime) -> Gluster:
    """Section `bricks`, read at the fast pace: which of the brick processes that ran still do."""
    states = local.parse_states(section.body)
    bricks = (
        msgspec.structs.replace(brick, alive=bool(states[brick.pid]), process_state=states[brick.pid], looked_at=at)
        if brick.alive and brick.pid in states
        else brick
        for brick in gluster.bricks
    )
    return msgspec.structs.replace(gluster, bricks=tuple(bricks))


def _growing(brick: LocalBrick, trends: Trends, at: datetime) -> LocalBrick:
    if not brick.size:
        return brick
    trends.add(f"brick {brick.path}", at, brick.size - brick.free)
    rate = trends.rate(f"brick {brick.path}", timedelta(minutes=5))
    return msgspec.structs.replace(brick, growing=rate if rate is not None and rate > 0 else None)


def _answer(section: Section, what: str) -> str:
    if (trouble := gluster.trouble(section, what)) is not None:
        raise trouble
    return section.body


def rebalance_of(section: Section, volume: str, at: datetime) -> Rebalance:
    """Section `rebalance:VOLUME`."""
    return gluster_tasks.rebalance(_answer(section, "rebalance status"), volume, at)


def quotas_of(section: Section, volume: str, at: datetime) -> Quotas:
    """Section `quota:VOLUME`."""
    return Quotas(at=at, volume=volume, limits=gluster_tasks.quota(_answer(section, "quota list")))


def snapshots_of(section: Section, volume: str, at: datetime) -> Snapshots:
    """Section `snaps:VOLUME`."""
    return Snapshots(at=at, volume=volume, rows=gluster_state.snapshots(_answer(section, "snapshot info")))


def geo_of(by: dict[str, Section], at: datetime) -> GeoReplication:
    """Sections `geo:VOLUME`, all of one round."""
    pairs = [
        pair
        for name, section in by.items()
        if name.startswith("geo:")
        for pair in gluster_tasks.geo_replication(_answer(section, "geo-replication status"))
    ]
    return GeoReplication(at=at, pairs=tuple(pairs))


def status_of(section: Section, volume: str, at: datetime) -> VolumeStatus:
    """Section `status:VOLUME`."""
    if (trouble := gluster.trouble(section, "volume status")) is not None:
        raise trouble
    parse = gluster.status_xml if gluster.has_xml(section.body) else gluster_text.status_text
    rows = next((rows for rows in parse(section.body) if rows.volume == volume), None)
    if rows is None:  # "status all" leaves a volume out silently; ours asks for one, and it must be there
        raise garbled("volume status")
    return VolumeStatus(at=at, volume=volume, bricks=rows.bricks, services=rows.services, tasks=rows.tasks)


def heals_of(by: dict[str, Section], volume: str, before: Heals | None, trends: Trends, at: datetime) -> Heals:
    """Sections `heal:`, `split:` and `summary:` of one volume, as far as they came."""
    bricks: dict[str, BrickHeal] = {}
    problem: Unreadable | None = None
    for kind in ("summary", "heal", "split"):
        try:
            for brick in _heal_section(by.get(f"{kind}:{volume}"), split_brain_only=kind == "split"):
                bricks[brick.name] = _merged(bricks.get(brick.name), brick)
        except Unreadable as trouble:
            problem = trouble
    if not bricks:
        raise problem or garbled("heal info")
    heals = _trend(Heals(at=at, volume=volume, bricks=tuple(bricks.values())), before)
    name = f"heals {volume}"
    if not heals.pending:
        trends.forget(name)
        return heals
    trends.add(name, at, heals.pending)
    rate = trends.rate(name, timedelta(0), points=3)
    return msgspec.structs.replace(
        heals, healed_seconds=heals.pending / -rate if rate is not None and rate < 0 and not heals.rising else None
    )


def _heal_section(section: Section | None, *, split_brain_only: bool) -> tuple[BrickHeal, ...]:
    if section is None:
        return ()
    if (trouble := gluster.trouble(section, "heal info")) is not None:
        raise trouble
    parse = gluster.heals_xml if gluster.has_xml(section.body) else gluster_text.heals_text
    return parse(section.body, split_brain_only=split_brain_only)


def _trend(heals: Heals, before: Heals | None) -> Heals:
    pending = heals.pending
    if pending is None:  # not said: the backlog that stood is still believed to stand
        return msgspec.structs.replace(heals, backlog_since=before.backlog_since if before else None)
    if pending == 0:
        return heals
    since = before.backlog_since if before and before.backlog_since else heals.at
    rising = bool(before and before.pending is not None and before.backlog_since and pending > before.pending)
    return msgspec.structs.replace(heals, backlog_since=since, rising=rising)


def _merged(one: BrickHeal | None, other: BrickHeal) -> BrickHeal:
    """What two forms of heal info say of one brick; the later form fills what the earlier left open."""
    if one is None:
        return other
    return msgspec.structs.replace(
        other,
        connected=other.connected if one.connected is not False else False,
        status=one.status if one.connected is False else other.status or one.status,
        pending=one.pending if one.pending is not None else other.pending,
        split_brain=other.split_brain if other.split_brain is not None else one.split_brain,
        healing=one.healing if one.healing is not None else other.healing,
        entries=one.entries or other.entries,
        split_entries=other.split_entries or one.split_entries,
    )
