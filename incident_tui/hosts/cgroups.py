"""Memory and processor time of containers by their cgroups, v1 and v2 (reference: formats, section 1.5). Pure.

Section `cgroup`: lines `DIRECTORY/FILE:VALUE`, and of memory.stat, memory.events and cpu.stat
`DIRECTORY/FILE:WORD VALUE`.
"""

from __future__ import annotations

import re
from datetime import datetime

from incident_tui.hosts.readings_docker import ContainerMemory

NO_LIMIT = 1 << 60
"""A cgroup limit from here on means none (v1 says 2^63 rounded to pages)."""
_LINE = re.compile(r"(.*)/((?:memory|cpu|cpuacct)\.\w+):(\S+)(?: (\d{1,20}))?\s*\Z")
_CONTAINER_ID = re.compile(r"[0-9a-f]{64}")


def container_id(cgroup: str) -> str:
    """The container's id in a cgroup path: the last 64 hex digits (a nested one is inside the other); else empty."""
    found = _CONTAINER_ID.findall(cgroup)
    return found[-1] if found else ""


def _values(body: str) -> dict[str, dict[str, int]]:
    """Container id -> file, or file and word -> number."""
    out: dict[str, dict[str, int]] = {}
    for line in body.splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        directory, file, word, value = match.groups()
        identity = container_id(directory)
        if not identity:
            continue
        into = out.setdefault(identity, {})
        if value is not None:
            into[f"{file} {word}"] = int(value)
        elif word == "max":
            into[file] = NO_LIMIT
        elif word.isdecimal() and len(word) <= 20:
            into[file] = int(word)
    return out


def parse_memory(body: str, total: int, at: datetime) -> dict[str, ContainerMemory]:
    """Container id -> memory; `total` is the host's, 0 when not known. A cgroup without its usage is left out."""
    out: dict[str, ContainerMemory] = {}
    for identity, values in _values(body).items():
        usage = values.get("memory.current", values.get("memory.usage_in_bytes"))
        if usage is None:
            continue
        inactive = values.get("memory.stat total_inactive_file", values.get("memory.stat inactive_file", 0))
        limit = values.get("memory.max", values.get("memory.limit_in_bytes", 0))
        oom = values.get("memory.events oom_kill", values.get("memory.oom_control oom_kill"))
        out[identity] = ContainerMemory(
            at=at,
            usage=usage,
            working_set=max(0, usage - inactive),
            limit=0 if limit >= NO_LIMIT or (total and limit > total) else limit,
            failures=values.get("memory.failcnt", values.get("memory.events max", 0)),
            oom_kills=oom,
        )
    return out


def parse_cpu(body: str) -> dict[str, float]:
    """Container id -> seconds of processor time since its cgroup was made."""
    out: dict[str, float] = {}
    for identity, values in _values(body).items():
        if (micro := values.get("cpu.stat usage_usec")) is not None:
            out[identity] = micro / 1e6
        elif (nano := values.get("cpuacct.usage")) is not None:
            out[identity] = nano / 1e9
    return out
