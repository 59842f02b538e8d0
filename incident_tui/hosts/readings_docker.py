"""What Docker or podman says. `readings` states what holds for all."""

from __future__ import annotations

from datetime import datetime

import msgspec


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
    cpu_percent: float | None = None
    """Share of one processor between the last two readings of its cgroup; None when it was not read twice."""
    ports: tuple[str, ...] = ()
    mounts: tuple[str, ...] = ()
    """Host directories it has mounted."""
    names: tuple[str, ...] = ()
    """Public host names it says it serves (VIRTUAL_HOST and the like); nothing else of its environment is kept."""


class Docker(msgspec.Struct, frozen=True, kw_only=True):
    """The containers of one host. An empty tuple means that the daemon said there are none."""

    at: datetime
    version: str
    containers: tuple[Container, ...]
    source: str = ""
    """Empty: the engine itself. "files": it hangs, and these are its files and cgroups (state and memory only)."""
    polled: bool = False
    """Its events cannot be followed (sudo wants a terminal, no session is left, they end at once): a death is seen at
    the next reading."""
