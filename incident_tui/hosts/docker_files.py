"""Containers while the daemon hangs: by its own files, and by the kernel, which knows what runs in which container.

Section `docker-files`: chosen keys of each containers/ID/config.json (1.6 to 1.9) or config.v2.json (1.10 and later) as
`path:"Key":value`, then the cgroups of the processes they name. Pure.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

import msgspec

from incident_tui import text
from incident_tui.hosts.docker import parse_time
from incident_tui.hosts.readings_docker import Container, Docker

_KEY = re.compile(r'\S*/containers/([0-9a-f]{64})/config(?:\.v2)?\.json:"(\w+)":(\S.*)\Z')
_CGROUP = re.compile(r"\S*/proc/(\d{1,10})/cgroup:.*?([0-9a-f]{64})")


def parse_files(body: str) -> tuple[Container, ...]:
    """A container whose file says that it runs is running only if the kernel has its process in it; else it is not
    known. What has ended is as it was written when it did."""
    said: dict[str, dict[str, Any]] = {}
    inside: set[tuple[int, str]] = set()
    for line in body.splitlines():
        if match := _KEY.match(line):
            try:
                value = json.loads(match.group(3))
            except ValueError:
                continue
            said.setdefault(match.group(1), {}).setdefault(match.group(2), value)  # the first: later ones are nested
        elif match := _CGROUP.match(line):
            inside.add((int(match.group(1)), match.group(2)))
    return tuple(_container(identity, keys, inside) for identity, keys in said.items())


def _container(identity: str, keys: dict[str, Any], inside: set[tuple[int, str]]) -> Container:
    pid, code, name = keys.get("Pid"), keys.get("ExitCode"), keys.get("Name")
    pid = pid if isinstance(pid, int) and not isinstance(pid, bool) and pid > 0 else 0
    started = parse_time(keys.get("StartedAt"))
    if keys.get("Running") is True:
        alive = (pid, identity) in inside
        state = ("paused" if keys.get("Paused") is True else "running") if alive else "unknown"
    elif keys.get("Running") is not False:
        state = "unknown"
    elif keys.get("Dead") is True:
        state = "dead"
    elif started is None:
        state = "created" if "StartedAt" in keys else "unknown"
    else:
        state = "exited" if isinstance(code, int) else "unknown"
    return Container(
        id=identity,
        name=text.sanitise(name.removeprefix("/"), limit=200) if isinstance(name, str) else "",
        state=state,
        exit_code=code if isinstance(code, int) and not isinstance(code, bool) else 0,
        oom_killed=keys.get("OOMKilled") is True,
        pid=pid if state in ("running", "paused") else 0,
        started_at=started,
        finished_at=parse_time(keys.get("FinishedAt")),
    )


def renewed(known: Docker | None, found: tuple[Container, ...], version: str, at: datetime) -> Docker:
    """What was known of each container with the state the files give; what they do not name is not known any more."""
    by_id = {container.id: container for container in found}
    fields = ("state", "exit_code", "oom_killed", "pid", "started_at", "finished_at")
    out = []
    for before in known.containers if known else ():
        now = by_id.pop(before.id, None)
        changes = {name: getattr(now, name) for name in fields} if now is not None else {"state": "unknown"}
        out.append(msgspec.structs.replace(before, **changes))
    polled = known is not None and known.polled
    return Docker(at=at, version=version, containers=(*out, *by_id.values()), source="files", polled=polled)
