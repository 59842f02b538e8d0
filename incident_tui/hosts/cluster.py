"""What all peers together say about GlusterFS: peers joined by uuid, each brick with its evidence. Judges nothing but
whether a brick is up; `health_gluster` and the screen both read this.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

import msgspec

from incident_tui.hosts.readings import (
    Brick,
    BrickStatus,
    GeoPair,
    Gluster,
    Heals,
    HostReading,
    LinkState,
    LocalBrick,
    Peer,
    Quotas,
    Rebalance,
    Snapshots,
    Task,
    Volume,
    VolumeStatus,
    is_stale,
)
from incident_tui.hosts.settings import Thresholds


class BrickView(msgspec.Struct, frozen=True, kw_only=True):
    """One brick. `up` None: nothing fresh says. `why` is a short phrase for a brick that is not up."""

    name: str
    """As the volume's definition has it, host:/path."""
    host: str
    """Our name of the host where it lives, or the definition's."""
    up: bool | None
    why: str = ""
    at: datetime | None = None
    arbiter: bool = False
    pending: int | None = None
    """Entries waiting to be healed from this brick, by its own index (upper bound); None when not counted."""
    size: int = 0
    """Bytes of the file system it lies on; 0 when nothing fresh says."""
    free: int = 0
    inodes: int = 0
    inodes_free: int = 0
    growing: float | None = None
    """Bytes a second, where it fills steadily."""
    space_at: datetime | None = None


class VolumeView(msgspec.Struct, frozen=True, kw_only=True):
    """One volume. `sets` are the subvolumes: bricks in the definition's order. `heals` is None when none is fresh."""

    name: str
    status: str
    kind: str
    definition: Volume
    at: datetime
    seen_by: str
    sets: tuple[tuple[BrickView, ...], ...]
    stale: bool = False
    """No peer says anything fresh: the definition is the last one known, every brick is unknown."""
    heals: Heals | None = None
    stale_heals: Heals | None = None
    self_heal_down: tuple[str, ...] = ()
    """Hosts whose self-heal daemon does not run."""
    differs: tuple[str, ...] = ()
    """In which way peers that answer define it differently."""
    tasks: tuple[Task, ...] = ()
    rebalance: Rebalance | None = None
    quotas: Quotas | None = None
    snapshots: Snapshots | None = None
    geo_pairs: tuple[GeoPair, ...] = ()
    geo_at: datetime | None = None

    @property
    def bricks(self) -> tuple[BrickView, ...]:
        return tuple(brick for group in self.sets for brick in group)

    @property
    def up(self) -> int:
        return sum(brick.up is True for brick in self.bricks)


class PeerView(msgspec.Struct, frozen=True, kw_only=True):
    """One peer of a cluster. `connected` None: nobody fresh says, or who said last that it is lost cannot be asked.

    `lost_by`: our hosts that do not reach it. `doubted_by`: those that did not when they could last be asked.
    """

    uuid: str
    name: str
    connected: bool | None
    state: int
    state_text: str
    lost_by: tuple[str, ...]
    seen_by: tuple[str, ...]
    at: datetime
    doubted_by: tuple[str, ...] = ()


class ClusterView(msgspec.Struct, frozen=True, kw_only=True):
    peers: tuple[PeerView, ...]
    volumes: tuple[VolumeView, ...]


class _Hosts:
    """The hosts that said anything of GlusterFS, found by what others call them. First come, first named."""

    def __init__(self, readings: Iterable[HostReading], thresholds: Thresholds, now: datetime) -> None:
        self.all: list[tuple[HostReading, Gluster]] = [(r, r.gluster) for r in readings if r.gluster is not None]
        self.fresh = {r.host for r, g in self.all if not is_stale("gluster", g.at, now, thresholds)}
        self.by_uuid: dict[str, HostReading] = {}
        self.by_name: dict[str, HostReading] = {}
        self.by_volume: dict[tuple[str, str], list[HostReading]] = {}
        for reading, gluster in self.all:
            if gluster.uuid:
                self.by_uuid.setdefault(gluster.uuid, reading)
            for name in {reading.host, reading.system.hostname if reading.system else reading.host}:
                self.by_name.setdefault(name, reading)
            for key in {(volume.id, volume.name) for volume in gluster.volumes}:
                self.by_volume.setdefault(key, []).append(reading)


def view(readings: Iterable[HostReading], thresholds: Thresholds, now: datetime) -> ClusterView:
    """All peers and volumes of every cluster among the hosts. A volume that only old readings know stays, marked."""
    hosts = _Hosts(readings, thresholds, now)
    return ClusterView(
        peers=_peers(hosts),
        volumes=tuple(_volume(v, r, hosts, thresholds, now) for v, r in _definitions(hosts)),
    )


def _peers(hosts: _Hosts) -> tuple[PeerView, ...]:
    """Each peer as all others see it; one that we ask ourselves and that answers is connected to somebody.

    Who cannot be asked any more has not taken back that a peer was lost, unless the others say of itself that it is.
    """
    names = {g.uuid: r.host for r, g in hosts.all if g.uuid}
    seen: dict[str, list[tuple[HostReading, Peer]]] = {}
    before: dict[str, list[tuple[HostReading, Peer]]] = {}
    for reading, gluster in hosts.all:
        speaks = gluster.glusterd_alive is True and reading.host in hosts.fresh
        for peer in gluster.peers:
            (seen if speaks else before).setdefault(peer.uuid or peer.hostname, []).append((reading, peer))
    apart = {names.get(key, "") for key, views in seen.items() if any(not peer.connected for _, peer in views)}
    out = []
    for key in [*seen, *(key for key in before if key not in seen)]:
        views = seen.get(key) or before[key]
        lost = tuple(reading.host for reading, peer in seen.get(key, ()) if not peer.connected)
        doubted = tuple(r.host for r, peer in before.get(key, ()) if not peer.connected and r.host not in apart)
        if key not in seen and not doubted:
            continue  # nobody fresh says, and it was well: the volumes and hosts say what is not known
        worst = next((p for _, p in views if p.state == 6), next((p for _, p in views if p.state != 3), views[0][1]))
        out.append(
            PeerView(
                uuid=views[0][1].uuid,
                name=names.get(key, views[0][1].hostname),
                connected=False if lost else None if doubted else True,
                state=worst.state,
                state_text=worst.state_text,
                lost_by=lost,
                seen_by=tuple(reading.host for reading, _ in views),
                at=max(reading.gluster.at for reading, _ in views if reading.gluster),
                doubted_by=() if lost else doubted,
            )
        )
    return tuple(sorted(out, key=lambda peer: peer.name))


def _definitions(hosts: _Hosts) -> list[tuple[Volume, HostReading]]:
    """Every volume once, by its id, from the newest reading of a glusterd that runs."""
    best: dict[str, tuple[Volume, HostReading]] = {}

    def worth(said: tuple[HostReading, Gluster]) -> tuple[bool, bool, float]:
        reading, gluster = said
        return reading.host in hosts.fresh, bool(gluster.glusterd_alive), gluster.at.timestamp()

    for reading, gluster in sorted(hosts.all, key=worth):
        for volume in gluster.volumes:
            best[volume.id or volume.name] = (volume, reading)
    return sorted(best.values(), key=lambda pair: pair[0].name)


def _volume(volume: Volume, seen_by: HostReading, hosts: _Hosts, thresholds: Thresholds, now: datetime) -> VolumeView:
    kin = hosts.by_volume.get((volume.id, volume.name)) or [seen_by]
    statuses = [r.volume_status[volume.name] for r in kin if volume.name in r.volume_status]
    status = max(statuses, key=lambda s: s.at, default=None)
    if status is not None and is_stale("volume_status", status.at, now, thresholds):
        status = None
    heals = max((r.heals[volume.name] for r in kin if volume.name in r.heals), key=lambda h: h.at, default=None)
    old = heals is not None and is_stale("heals", heals.at, now, thresholds)
    bricks = [_brick(brick, volume, status, hosts, thresholds, now) for brick in volume.bricks]
    size = volume.set_size
    at = seen_by.gluster.at if seen_by.gluster else now
    stale = is_stale("gluster", at, now, thresholds) and status is None
    services = status.services if status else ()
    rebalance = _newest(r.rebalances.get(volume.name) for r in kin)
    quotas = _newest(r.quotas.get(volume.name) for r in kin)
    geo = _newest(r.geo_replication for r in kin)
    return VolumeView(
        name=volume.name,
        status=volume.status,
        kind=volume.kind,
        definition=volume,
        at=status.at if status else at,
        seen_by=seen_by.host,
        sets=tuple(tuple(bricks[start : start + size]) for start in range(0, len(bricks), size)),
        stale=stale,
        heals=None if old else heals,
        stale_heals=heals if old else None,
        self_heal_down=tuple(
            _our_name(service.uuid, service.host, hosts)
            for service in services
            if service.kind == "Self-heal Daemon" and service.online is False
        ),
        differs=_differs(volume, seen_by, hosts, now),
        tasks=status.tasks if status else (),
        rebalance=rebalance,
        quotas=quotas,
        snapshots=_newest(r.snapshots.get(volume.name) for r in kin),
        geo_pairs=tuple(pair for pair in geo.pairs if pair.volume == volume.name) if geo else (),
        geo_at=geo.at if geo else None,
    )


class _Dated(Protocol):
    @property
    def at(self) -> datetime: ...


D = TypeVar("D", bound=_Dated)


def _newest(readings: Iterable[D | None]) -> D | None:
    """The newest of what several peers said, however old: what was bad and cannot be asked has not become well."""
    return max((each for each in readings if each is not None), key=lambda each: each.at, default=None)


SETTLED = timedelta(seconds=60)
"""Peers are not read in the same second: a change that is being made is no disagreement before this."""


def _differs(volume: Volume, seen_by: HostReading, hosts: _Hosts, now: datetime) -> tuple[str, ...]:
    """What peers of the same cluster that answer say otherwise of this volume, and have said for a while."""

    def settled(gluster: Gluster) -> bool:
        return gluster.defined_since is not None and now - gluster.defined_since >= SETTLED

    mine = seen_by.gluster
    if mine is None or not mine.uuid or not settled(mine):
        return ()
    out = []
    for reading, gluster in hosts.all:
        if reading.host == seen_by.host or reading.host not in hosts.fresh or not gluster.glusterd_alive:
            continue
        if not settled(gluster):
            continue
        if mine.uuid not in {peer.uuid for peer in gluster.peers if peer.connected}:
            continue  # of another cluster, or cut off: that is a finding of its own
        other = next((v for v in gluster.volumes if (v.id, v.name) == (volume.id, volume.name)), None)
        if other is None:
            out.append(f"{reading.host} does not know it")
            continue
        if other.status != volume.status:
            out.append(f"{reading.host} says {other.status}, {seen_by.host} {volume.status}")
        if [(b.uuid, b.path) for b in other.bricks] != [(b.uuid, b.path) for b in volume.bricks]:
            out.append(f"{reading.host} lists other bricks")
        names = sorted(
            key for key in {*other.options, *volume.options} if other.options.get(key) != volume.options.get(key)
        )
        if names:
            out.append(f"{reading.host} has another {', '.join(names[:3])}")
    return tuple(out)


def _our_name(uuid: str, otherwise: str, hosts: _Hosts) -> str:
    reading = hosts.by_uuid.get(uuid) if uuid else None
    return reading.host if reading is not None else otherwise


def _home(brick: Brick, hosts: _Hosts) -> HostReading | None:
    """The host of ours where this brick lives: by uuid, else by name."""
    return (hosts.by_uuid.get(brick.uuid) if brick.uuid else None) or hosts.by_name.get(brick.host)


def _row(brick: Brick, status: VolumeStatus) -> BrickStatus | None:
    for row in status.bricks:
        if row.path == brick.path and (row.host == brick.host or (row.uuid and row.uuid == brick.uuid)):
            return row
    return None


def _brick(
    brick: Brick,
    volume: Volume,
    status: VolumeStatus | None,
    hosts: _Hosts,
    thresholds: Thresholds,
    now: datetime,
) -> BrickView:
    home = _home(brick, hosts)
    local: LocalBrick | None = None
    at: datetime | None = None
    if home is not None and home.gluster is not None:
        local = next((b for b in home.gluster.bricks if (b.volume, b.path) == (volume.name, brick.path)), None)
        # Its process is looked at in every fast round, also while a glusterd that hangs keeps the rest waiting.
        at = (local.looked_at if local is not None else None) or home.gluster.at
        if is_stale("gluster", at, now, thresholds):
            local = at = None
    read = local if home is not None and home.host in hosts.fresh else None
    space_at = home.gluster.at if read is not None and home is not None and home.gluster is not None else None
    cut = _cut_off(brick, home, hosts)
    up, why, at = (False, "its peer does not answer", cut) if cut else _evidence(brick, status, local, at)
    return BrickView(
        name=brick.name,
        host=home.host if home else brick.host,
        up=up,
        why=why,
        at=at,
        arbiter=brick.arbiter,
        pending=read.pending if read else None,
        size=read.size if read else 0,
        free=read.free if read else 0,
        inodes=read.inodes if read else 0,
        inodes_free=read.inodes_free if read else 0,
        growing=read.growing if read else None,
        space_at=space_at,
    )


def _cut_off(brick: Brick, home: HostReading | None, hosts: _Hosts) -> datetime | None:
    """When the peer of this brick was last said to be lost: we do not reach it, and no other peer does. That needs no
    command that locks. One whose glusterd was not running or hung before has another reason to be disconnected."""
    if home is not None and (
        home.link.state is LinkState.UP
        or home.gluster is None
        or (home.host in hosts.fresh and not home.gluster.glusterd_alive)
    ):
        return None
    uuid = brick.uuid or (home.gluster.uuid if home is not None and home.gluster is not None else "")
    seen = [
        (peer, gluster.at)
        for reading, gluster in hosts.all
        if reading is not home and reading.host in hosts.fresh and gluster.glusterd_alive
        for peer in gluster.peers
        if uuid and peer.uuid == uuid
    ]
    lost = bool(seen) and not any(peer.connected for peer, _ in seen)
    return max(at for _, at in seen) if lost else None


def _evidence(
    brick: Brick, status: VolumeStatus | None, local: LocalBrick | None, local_at: datetime | None
) -> tuple[bool | None, str, datetime | None]:
    """Status row and process together.

    A process that is gone is down at once. A process that lives is up, even if its glusterd is not reached (no row),
    unless glusterd says of that very pid that it is offline. No evidence is None, never up.
    """
    row = _row(brick, status) if status else None
    if local is not None and local.alive is not None:
        if local.alive and local.process_state == "T":
            return False, "its process is stopped", local_at
        newer = status is None or local_at is None or local_at >= status.at
        if not local.alive and (newer or row is None or not row.online):
            return False, "its process is gone", local_at
        if local.alive and (row is None or row.online is not False or (newer and row.pid != local.pid)):
            return True, "", local_at
    if status is None:
        return None, "nothing says", None
    if row is None:
        return False, "its peer does not answer", status.at
    return row.online, "" if row.online else "offline" if row.online is False else "not said", status.at
