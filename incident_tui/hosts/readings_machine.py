"""What the machine itself says: clock, load, memory, disks, the kernel's log. `readings` states what holds for all."""

from __future__ import annotations

from datetime import datetime

import msgspec


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
    booted_at: datetime | None = None
    """When the machine started, on the bastion's clock."""
    rebooted: bool = False
    """It was restarted while we watched: its uptime had been longer."""


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """/proc/meminfo. `estimated`: the kernel has no MemAvailable (before 3.14) and it was computed."""

    at: datetime
    total: int
    available: int
    estimated: bool
    swap_total: int = 0
    swap_free: int = 0
    exhausted_seconds: float | None = None
    """Seconds until it is used up if it goes on as in the last minutes; None unless the trend supports it."""

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
    """"cgroup", "pid" or "time": how container_id was found; "pid" or "name": how bricks were."""
    bricks: tuple[str, ...] = ()
    """What the killed process served, as "gv0 web2:/b/gv0"; more than one with brick multiplexing."""
    rss: int = 0
    line: str = ""


class OomKills(msgspec.Struct, frozen=True, kw_only=True):
    """OOM kills found in the tail of the kernel's log, oldest first."""

    at: datetime
    source: str
    kills: tuple[OomKill, ...]


class KernelEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the kernel's log that means trouble with a device or a file system."""

    at: datetime | None
    kind: str
    """"io-error", "read-only" (remounted so after errors), "file-system" (corruption), "hung-task"."""
    device: str = ""
    line: str = ""


class KernelEvents(msgspec.Struct, frozen=True, kw_only=True):
    """Found in the tail of the kernel's log, oldest first."""

    at: datetime
    source: str
    events: tuple[KernelEvent, ...]


class GlusterMount(msgspec.Struct, frozen=True, kw_only=True):
    """A GlusterFS volume mounted on this host, from /proc/mounts (the mount itself is never touched)."""

    server: str
    volume: str
    mount: str
    read_only: bool = False


class Mounts(msgspec.Struct, frozen=True, kw_only=True):
    at: datetime
    gluster: tuple[GlusterMount, ...] = ()
