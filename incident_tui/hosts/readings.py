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

from incident_tui.hosts.readings_docker import Container as Container
from incident_tui.hosts.readings_docker import ContainerMemory as ContainerMemory
from incident_tui.hosts.readings_docker import Docker as Docker
from incident_tui.hosts.readings_gluster import Brick as Brick
from incident_tui.hosts.readings_gluster import BrickHeal as BrickHeal
from incident_tui.hosts.readings_gluster import BrickStatus as BrickStatus
from incident_tui.hosts.readings_gluster import GeoPair as GeoPair
from incident_tui.hosts.readings_gluster import GeoReplication as GeoReplication
from incident_tui.hosts.readings_gluster import Gluster as Gluster
from incident_tui.hosts.readings_gluster import Heals as Heals
from incident_tui.hosts.readings_gluster import LocalBrick as LocalBrick
from incident_tui.hosts.readings_gluster import Peer as Peer
from incident_tui.hosts.readings_gluster import QuotaLimit as QuotaLimit
from incident_tui.hosts.readings_gluster import Quotas as Quotas
from incident_tui.hosts.readings_gluster import Rebalance as Rebalance
from incident_tui.hosts.readings_gluster import RebalanceNode as RebalanceNode
from incident_tui.hosts.readings_gluster import ServiceStatus as ServiceStatus
from incident_tui.hosts.readings_gluster import Snapshot as Snapshot
from incident_tui.hosts.readings_gluster import Snapshots as Snapshots
from incident_tui.hosts.readings_gluster import Task as Task
from incident_tui.hosts.readings_gluster import Volume as Volume
from incident_tui.hosts.readings_gluster import VolumeStatus as VolumeStatus
from incident_tui.hosts.readings_machine import Clock as Clock
from incident_tui.hosts.readings_machine import Disks as Disks
from incident_tui.hosts.readings_machine import Filesystem as Filesystem
from incident_tui.hosts.readings_machine import GlusterMount as GlusterMount
from incident_tui.hosts.readings_machine import KernelEvent as KernelEvent
from incident_tui.hosts.readings_machine import KernelEvents as KernelEvents
from incident_tui.hosts.readings_machine import Load as Load
from incident_tui.hosts.readings_machine import Memory as Memory
from incident_tui.hosts.readings_machine import Mounts as Mounts
from incident_tui.hosts.readings_machine import OomKill as OomKill
from incident_tui.hosts.readings_machine import OomKills as OomKills
from incident_tui.hosts.readings_machine import Pressure as Pressure
from incident_tui.hosts.readings_machine import Swapping as Swapping
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
    installed: str = ""
    """Version of the probe installed on the host behind a forced command; empty when it was sent."""
    terminal: bool = False
    """sudo there wants a terminal: every reading goes through a PTY, one shot at a time."""
    chatter: str = ""
    """What the login printed before the probe was ready; shown by `check`."""


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
    rebalances: Mapping[str, Rebalance] = {}
    quotas: Mapping[str, Quotas] = {}
    snapshots: Mapping[str, Snapshots] = {}
    geo_replication: GeoReplication | None = None
    mounts: Mounts | None = None
    kernel: KernelEvents | None = None
    stuck: StuckChild | None = None
    gaps: Mapping[str, Gap] = {}
    via: str = ""
    """The letter of the bastion that read it; empty: this one."""


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
    if kind in ("quotas", "geo_replication", "snapshots"):
        return 2 * thresholds.heal_max_age
    return 2 * thresholds.slow_max_age if kind in ("volume_status", "rebalances") else thresholds.slow_max_age


def is_stale(field: str, at: datetime, now: datetime, thresholds: Thresholds) -> bool:
    """Whether a reading of this field taken at `at` is too old to be believed. One from the future is, too: our clock
    was set back, and nothing says how old it is."""
    return not _TOLERANCE <= (now - at).total_seconds() <= max_age(field, thresholds)
