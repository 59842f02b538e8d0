"""What GlusterFS says. `readings` states what holds for all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec


class Peer(msgspec.Struct, frozen=True, kw_only=True):
    """Another peer as this glusterd sees it. `state` 3 is "Peer in Cluster"; -1 unknown."""

    uuid: str
    hostname: str
    names: tuple[str, ...] = ()
    connected: bool
    state: int = -1
    state_text: str = ""


class Brick(msgspec.Struct, frozen=True, kw_only=True):
    """One brick of a volume's definition."""

    host: str
    path: str
    uuid: str = ""
    """The peer's uuid; empty when this version does not say."""
    arbiter: bool = False

    @property
    def name(self) -> str:
        return f"{self.host}:{self.path}"


class Volume(msgspec.Struct, frozen=True, kw_only=True):
    """A volume's definition. `bricks` keep the order that makes the subvolumes."""

    name: str
    id: str = ""
    status: str
    """created, started, stopped, or "unknown"."""
    kind: str = ""
    replica: int = 1
    disperse: int = 0
    redundancy: int = 0
    arbiters: int = 0
    bricks: tuple[Brick, ...] = ()
    options: Mapping[str, str] = {}
    snapshots: int = 0

    @property
    def set_size(self) -> int:
        """Bricks in one subvolume."""
        return self.disperse if self.disperse > 0 else max(1, self.replica)


class LocalBrick(msgspec.Struct, frozen=True, kw_only=True):
    """A brick of this host, checked without any lock: its pid file against /proc, its pending heals by counting."""

    volume: str
    path: str
    name: str = ""
    """As the volume's definition has it, host:/path."""
    pid: int = 0
    alive: bool | None = None
    """None when we were not allowed to look."""
    process_state: str = ""
    """The kernel's letter: T is stopped, D waits for a disk."""
    looked_at: datetime | None = None
    """When its process was looked for after the rest was read; None: with the rest."""
    pending: int | None = None
    """Entries of the xattrop index, an upper bound of pending heals; None when it could not be counted."""
    pending_capped: bool = False
    size: int = 0
    """Of the file system the brick lies on, by df; 0 when it is not known."""
    free: int = 0
    inodes: int = 0
    inodes_free: int = 0
    growing: float | None = None
    """Bytes a second by which it has filled over the last minutes; None when that is not known."""


class Gluster(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one peer says about itself and the cluster without taking any lock."""

    at: datetime
    uuid: str = ""
    version: str = ""
    op_version: int = 0
    glusterd_alive: bool | None = None
    """None when it gives no answer."""
    defined_since: datetime | None = None
    """Since when it has said the same of its volumes, as far as we have read it."""
    peers: tuple[Peer, ...] = ()
    volumes: tuple[Volume, ...] = ()
    bricks: tuple[LocalBrick, ...] = ()


class BrickStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One brick's row of `volume status`."""

    host: str
    path: str
    uuid: str = ""
    online: bool | None
    port: int = 0
    pid: int = 0
    size: int = 0
    free: int = 0
    inodes: int = 0
    inodes_free: int = 0
    device: str = ""
    file_system: str = ""

    @property
    def name(self) -> str:
        return f"{self.host}:{self.path}"


class ServiceStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A daemon's row of `volume status`, e.g. "Self-heal Daemon"; `host` "localhost" is the peer that was asked."""

    kind: str
    host: str
    uuid: str = ""
    online: bool | None
    pid: int = 0


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A task of a volume as `volume status` lists it: "Rebalance", "Remove brick", …"""

    kind: str
    id: str = ""
    status: str
    """not started, in progress, stopped, completed, failed, fix-layout …, or "unknown"."""


class VolumeStatus(msgspec.Struct, frozen=True, kw_only=True):
    """`gluster volume status V`: a lock was taken; a brick without a row belongs to a peer that did not answer."""

    at: datetime
    volume: str
    bricks: tuple[BrickStatus, ...]
    services: tuple[ServiceStatus, ...] = ()
    tasks: tuple[Task, ...] = ()


class BrickHeal(msgspec.Struct, frozen=True, kw_only=True):
    """One brick's block of `heal info`. None means that it was not said: never zero."""

    name: str
    connected: bool | None
    status: str = ""
    pending: int | None = None
    split_brain: int | None = None
    healing: int | None = None
    entries: tuple[str, ...] = ()
    split_entries: tuple[str, ...] = ()


class Heals(msgspec.Struct, frozen=True, kw_only=True):
    """`heal V info` (and split-brain or summary) of one volume."""

    at: datetime
    volume: str
    bricks: tuple[BrickHeal, ...]
    backlog_since: datetime | None = None
    """Since when every reading found entries to heal; filled in by the assembler."""
    rising: bool = False
    healed_seconds: float | None = None
    """Seconds until the backlog is gone at the pace of the last readings; None when it does not shrink."""

    @property
    def pending(self) -> int | None:
        """The largest count of one brick (a file is listed on each good copy); None when no brick could say."""
        return max((brick.pending for brick in self.bricks if brick.pending is not None), default=None)

    @property
    def split_brain(self) -> int | None:
        return max((brick.split_brain for brick in self.bricks if brick.split_brain is not None), default=None)


class RebalanceNode(msgspec.Struct, frozen=True, kw_only=True):
    """One peer's part of a rebalance. Sizes in bytes; None where this version does not say."""

    host: str
    files: int
    size: int
    lookups: int = 0
    failures: int
    skipped: int | None = None
    status: str
    seconds: float | None = None


class Rebalance(msgspec.Struct, frozen=True, kw_only=True):
    """`rebalance V status`. `status` is the worst of the nodes'; "not started" when there is none."""

    at: datetime
    volume: str
    status: str
    task: str = ""
    nodes: tuple[RebalanceNode, ...] = ()


class QuotaLimit(msgspec.Struct, frozen=True, kw_only=True):
    """One directory's limit; None for what it says "N/A" to. Bytes."""

    path: str
    hard: int | None = None
    soft_percent: float | None = None
    used: int | None = None
    available: int | None = None
    soft_exceeded: bool | None = None
    hard_exceeded: bool | None = None


class Quotas(msgspec.Struct, frozen=True, kw_only=True):
    at: datetime
    volume: str
    limits: tuple[QuotaLimit, ...] = ()


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot; `volume` is what it was taken of, `status` Started or Stopped, as far as it was said."""

    name: str
    volume: str = ""
    status: str = ""
    created: str = ""


class Snapshots(msgspec.Struct, frozen=True, kw_only=True):
    """Of one volume, in the order of the answer; at most as many as a volume may have."""

    at: datetime
    volume: str
    rows: tuple[Snapshot, ...] = ()


class GeoPair(msgspec.Struct, frozen=True, kw_only=True):
    """One worker of a geo-replication session. The words master/slave of versions before 10 are read as these."""

    volume: str
    primary_node: str
    primary_brick: str
    secondary: str
    secondary_node: str = ""
    status: str
    """Active, Passive, Faulty, Stopped, Created, Paused, Initializing…, as it was said."""
    crawl: str = ""
    last_synced: str = ""
    failures: int | None = None
    """Files that could not be copied; None where it is not said (before 3.7, and as text but for `status detail`)."""


class GeoReplication(msgspec.Struct, frozen=True, kw_only=True):
    at: datetime
    pairs: tuple[GeoPair, ...] = ()
