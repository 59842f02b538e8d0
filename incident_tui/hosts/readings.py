"""What one host last said, as frozen structures. Nothing here judges; `health` does.

Every reading carries `at`: aware UTC, the bastion's clock, when the answer arrived. Sizes are bytes, percentages are of
what is used, 0 to 100. All text has passed `text.sanitise`. A reading that never came is None and has a `Gap` in
`HostReading.gaps` under the same field name; a reading that came once and cannot be renewed keeps its last value, and
the newer gap says why. So a value is only as good as its age: `HostReading.fresh`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from incident_tui.hosts.settings import Thresholds


class GapKind(StrEnum):
    """Why a reading is missing or was not renewed."""

    ABSENT = "absent"
    """The host has no such thing (no docker, no PSI): not available, and no trouble."""
    BUSY = "busy"
    """It said "another transaction is in progress": the last value stays and grows old."""
    DENIED = "denied"
    """Our account may not ask."""
    DOWN = "down"
    """The daemon behind it is not running; that is an answer, and health judges it."""
    HUNG = "hung"
    """No answer within its limit."""
    FAILED = "failed"
    """Anything else that is not an answer: garbage, half a section, an unknown error."""


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """A reading that could not be had, with one sentence for people."""

    at: datetime
    kind: GapKind
    sentence: str
    since: datetime | None = None
    """When this kind of gap began without a good answer in between."""


class LinkState(StrEnum):
    """The connection to one host. Everything but UP means: unknown."""

    NEVER = "not tried yet"
    CONNECTING = "connecting"
    UP = "connected"
    DNS = "name not found"
    UNREACHABLE = "unreachable"
    REFUSED = "connection refused"
    TIMEOUT = "no answer"
    HOST_KEY_UNKNOWN = "host key unknown"
    HOST_KEY_CHANGED = "host key changed"
    KEY_REFUSED = "key refused"
    AGENT_DEAD = "agent dead"
    ALGORITHMS = "no common algorithms"
    SHELL = "wrong shell"
    SUDO = "sudo refused"
    CONFIG = "ssh configuration"
    LOST = "connection lost"


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """State of the connection since `since`; `sentence` says what, where and how to mend, or is empty when UP."""

    state: LinkState
    sentence: str
    since: datetime
    at: datetime
    next_try: datetime | None = None


class System(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the host is; read once a connection."""

    at: datetime
    hostname: str = ""
    kernel: str = ""
    os: str = ""
    cpus: int = 0
    uid: int = -1
    """The account the probe runs under; 0 sees everything, others may be denied brick and log readings."""
    docker: str = ""
    """Client version, e.g. "1.6.2"; "podman 4.9.3" for podman; empty when there is none."""
    gluster: str = ""
    has_timeout: bool = True
    chatter: str = ""
    """What the login printed before the probe was ready; shown by `check`."""


class Clock(msgspec.Struct, frozen=True, kw_only=True):
    """Host clock minus bastion clock, and how far off this measurement itself may be (half the round trip, plus half
    a second where `date` has no fractions)."""

    at: datetime
    skew_seconds: float
    error_seconds: float
    utc_offset_seconds: int = 0


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """/proc/loadavg and uptime. `cpus` is 0 when it is not known."""

    at: datetime
    one: float
    five: float
    fifteen: float
    cpus: int
    uptime_seconds: float
    cpu_percent: float | None = None
    """Busy share between the last two rounds."""


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """/proc/meminfo. `estimated`: the kernel has no MemAvailable (before 3.14) and it was computed."""

    at: datetime
    total: int
    available: int
    estimated: bool
    swap_total: int = 0
    swap_free: int = 0

    @property
    def used_percent(self) -> float:
        return 100.0 * (self.total - self.available) / self.total if self.total else 0.0

    @property
    def swap_used_percent(self) -> float:
        return 100.0 * (self.swap_total - self.swap_free) / self.swap_total if self.swap_total else 0.0


class Swapping(msgspec.Struct, frozen=True, kw_only=True):
    """Pages swapped a second between the last two rounds."""

    at: datetime
    pages_in: float
    pages_out: float


class Pressure(msgspec.Struct, frozen=True, kw_only=True):
    """PSI avg10 in percent; None where the kernel does not say."""

    at: datetime
    memory_some: float | None = None
    memory_full: float | None = None
    io_some: float | None = None
    io_full: float | None = None
    cpu_some: float | None = None


class Filesystem(msgspec.Struct, frozen=True, kw_only=True):
    """One local file system. `used_percent` is df's own (root's reserve counts as used)."""

    mount: str
    device: str
    kind: str = ""
    size: int
    free: int
    used_percent: float
    inodes_percent: float | None = None
    """None where the file system has no fixed number of inodes."""
    read_only: bool = False


class Disks(msgspec.Struct, frozen=True, kw_only=True):
    at: datetime
    filesystems: tuple[Filesystem, ...]


class OomKill(msgspec.Struct, frozen=True, kw_only=True):
    """The kernel killed a process. `at` is the bastion's clock, estimated from the kernel's, None when it gave none."""

    at: datetime | None
    pid: int
    name: str
    scope: str
    """"cgroup" (a limit was reached), "global" (the host ran out), or "unknown"."""
    cgroup: str = ""
    container_id: str = ""
    """From the cgroup in the log, or joined by pid or time; empty when it was no container or is not known."""
    joined_by: str = ""
    """"cgroup", "pid" or "time": how container_id was found."""
    rss: int = 0
    line: str = ""


class OomKills(msgspec.Struct, frozen=True, kw_only=True):
    """OOM kills found in the tail of the kernel's log, oldest first."""

    at: datetime
    source: str
    kills: tuple[OomKill, ...]


class ContainerMemory(msgspec.Struct, frozen=True, kw_only=True):
    """A container's memory cgroup. `working_set` is usage less inactive file pages; `limit` 0 means none."""

    at: datetime
    usage: int
    working_set: int
    limit: int
    failures: int = 0
    """v1 failcnt, or v2 memory.events max."""
    oom_kills: int | None = None


class Container(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One container by `docker inspect`."""

    id: str
    name: str
    image: str = ""
    state: str
    """created, running, paused, restarting, removing, exited, dead; podman's others as it says them; "unknown"."""
    health: str = ""
    """healthy, unhealthy, starting; empty when it has no check."""
    exit_code: int = 0
    oom_killed: bool = False
    error: str = ""
    pid: int = 0
    restart_count: int = 0
    restart_policy: str = ""
    restarts_recent: int = 0
    """Restarts seen in the last ten minutes; filled in by the assembler."""
    stopped_on_purpose: bool = False
    """A kill or stop by the API was seen in the events shortly before it ended."""
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    state_since: datetime | None = None
    """When the assembler first saw this state (bastion clock)."""
    memory_limit: int = 0
    memory: ContainerMemory | None = None
    ports: tuple[str, ...] = ()


class Docker(msgspec.Struct, frozen=True, kw_only=True):
    """The containers of one host. An empty tuple means that the daemon said there are none."""

    at: datetime
    version: str
    containers: tuple[Container, ...]


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

    @property
    def set_size(self) -> int:
        """Bricks in one subvolume."""
        return self.disperse if self.disperse > 0 else max(1, self.replica)


class LocalBrick(msgspec.Struct, frozen=True, kw_only=True):
    """A brick of this host, checked without any lock: its pid file against /proc, its pending heals by counting."""

    volume: str
    path: str
    pid: int = 0
    alive: bool | None = None
    """None when we were not allowed to look."""
    process_state: str = ""
    """The kernel's letter: T is stopped, D waits for a disk."""
    pending: int | None = None
    """Entries of the xattrop index, an upper bound of pending heals; None when it could not be counted."""
    pending_capped: bool = False


class Gluster(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one peer says about itself and the cluster without taking any lock."""

    at: datetime
    uuid: str = ""
    version: str = ""
    op_version: int = 0
    glusterd_alive: bool | None = None
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


class VolumeStatus(msgspec.Struct, frozen=True, kw_only=True):
    """`gluster volume status V`: a lock was taken; a brick without a row belongs to a peer that did not answer."""

    at: datetime
    volume: str
    bricks: tuple[BrickStatus, ...]
    services: tuple[ServiceStatus, ...] = ()


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

    @property
    def pending(self) -> int | None:
        """The largest count of one brick (a file is listed on each good copy); None when no brick could say."""
        return max((brick.pending for brick in self.bricks if brick.pending is not None), default=None)

    @property
    def split_brain(self) -> int | None:
        return max((brick.split_brain for brick in self.bricks if brick.split_brain is not None), default=None)


class StuckChild(msgspec.Struct, frozen=True, kw_only=True):
    """A command of ours that outlived its limit, e.g. in state D; it is not started again while it lives."""

    at: datetime
    section: str
    pid: int
    state: str


class HostReading(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The latest of everything from one host. `gaps` has the field's name as key ("volume_status:gv0" for maps)."""

    host: str
    at: datetime
    """When anything at all was last heard, or the reading was made when nothing ever was."""
    link: Link
    roles: tuple[str, ...] = ()
    system: System | None = None
    clock: Clock | None = None
    load: Load | None = None
    memory: Memory | None = None
    swapping: Swapping | None = None
    pressure: Pressure | None = None
    disks: Disks | None = None
    ooms: OomKills | None = None
    docker: Docker | None = None
    gluster: Gluster | None = None
    volume_status: Mapping[str, VolumeStatus] = {}
    heals: Mapping[str, Heals] = {}
    stuck: StuckChild | None = None
    gaps: Mapping[str, Gap] = {}


CLOCK_TOLERANCE = timedelta(seconds=5)
"""So far into the future a reading may lie: a clock that is being corrected, not one that was set back."""
_TOLERANCE = -CLOCK_TOLERANCE.total_seconds()
FAST = frozenset({"clock", "load", "memory", "swapping", "pressure"})
"""Fields renewed by every fast round."""


def max_age(field: str, thresholds: Thresholds) -> float:
    """How many seconds old this field of a HostReading may be before it is stale."""
    if field in FAST:
        return thresholds.fast_max_age
    kind = field.partition(":")[0]
    if kind == "heals":
        return thresholds.heal_max_age
    return 2 * thresholds.slow_max_age if kind == "volume_status" else thresholds.slow_max_age


def is_stale(field: str, at: datetime, now: datetime, thresholds: Thresholds) -> bool:
    """Whether a reading of this field taken at `at` is too old to be believed. One from the future is, too: our clock
    was set back, and nothing says how old it is."""
    return not _TOLERANCE <= (now - at).total_seconds() <= max_age(field, thresholds)
