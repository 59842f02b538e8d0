"""The tables people read: `docker ps`, `docker stats`, and their JSON forms, of docker 1.6 to 29 and podman. Pure.

The probe itself never parses tables; what is pasted or saved is read with these (`explain`). Columns are found by the
heading's offsets in characters: cells may be empty, hold blanks, or be cut.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from incident_tui import text
from incident_tui.hosts.docker import STATES, Event, parse_time
from incident_tui.hosts.errors import Unreadable, garbled
from incident_tui.hosts.readings_docker import Container
from incident_tui.hosts.table import cells, header

_DURATION = (
    r"(?:Less than a second|(?:About )?an? (?:second|minute|hour|day|week|month|year)|\d+(?:\.\d+)? (?:second|minute"
    r"|hour|day|week|month|year)s?|\d[\dhms.]*)"
)
# podman says the health that was read last of an ended one, too
_AGO = rf"(?: {_DURATION} ago)?(?: \([a-z: ]+\))?\Z"
_STATUS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(rf"Up(?: {_DURATION})?(?: ago)?(?: \((Paused|[a-z: ]+)\))?\Z", re.I), "running"),
    (re.compile(rf"Restarting \((-?\d{{1,6}})\){_AGO}"), "restarting"),
    (re.compile(rf"(?:Exited|Exit|Stopped) ?\(?(-?\d{{1,6}})\)?{_AGO}"), "exited"),
    (re.compile(rf"Created{_AGO}"), "created"),
    (re.compile(r"Initialized\Z"), "initialized"),
    (re.compile(r"Configured\Z"), "configured"),
    (re.compile(r"Paused\Z"), "paused"),
    (re.compile(r"Stopping\Z"), "stopping"),
    (re.compile(r"Removal In Progress\Z|Removing\Z", re.I), "removing"),
    (re.compile(r"Dead\Z"), "dead"),
)


class Status(msgspec.Struct, frozen=True):
    """What the STATUS column says. `exit_code` is None unless it says one; `state` "unknown" when it cannot be read."""

    state: str
    health: str = ""
    exit_code: int | None = None


def parse_status(said: str) -> Status:
    """ "Up 2 hours (healthy)", "Exited (137) 3 minutes ago"; empty, as 1.6 prints it, is "created"."""
    said = said.strip()
    if not said:
        return Status("created")
    for pattern, state in _STATUS:
        match = pattern.match(said)
        if match is None:
            continue
        word = match.group(1) if match.lastindex else None
        if state != "running":
            return Status(state, exit_code=int(word) if word is not None else None)
        if word is None:
            return Status("running")
        if word.lower() == "paused":
            return Status("paused")
        health = word.lower().removeprefix("health:").strip()
        return Status("running", health=health) if health in ("healthy", "unhealthy", "starting") else Status("unknown")
    return Status("unknown")


_ID = re.compile(r"[0-9a-f]{4,64}\Z")
PS_HEAD = r"(?:CONTAINER ID|NAMES? .*STATUS|STATUS .*NAMES?|IMAGE .*STATUS.*NAMES?)"
"""How the heading begins: the command's own, of `--format 'table …'` with columns of choice, of `docker compose ps`."""
_HEADS = frozenset(
    {
        *("CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "CREATED AT", "RUNNING FOR", "STATUS", "STATE", "PORTS"),
        *("NAMES", "NAME", "SIZE", "SERVICE", "NETWORKS", "MOUNTS", "LABELS", "LOCAL VOLUMES", "POD ID", "PODNAME"),
        *("POD", "IMAGE ID", "PID", "RESTARTS", "EXITED AT", "NAMESPACE", "ID", "PLATFORM", "HEALTH"),
    }
)
"""Of docker, docker compose and podman; another word is damage, and what stands under it may be half a cell."""
_ROW = re.compile(
    r"(?P<id>[0-9a-f]{12,64})\s{2,}(?P<image>\S+)\s{2,}\".*?\s{2,}\S[^\"]{0,60}? ago\s{2,}(?P<rest>\S.*)\Z"
)


_BESIDE = re.compile(r"(?:\S+/(?:tcp|udp|sctp),? ?)+|[\d.]+ ?[kKMGT]?i?B(?: \(virtual [\d.]+ ?[kKMGT]?i?B\))?")
_NAME = re.compile(r"[A-Za-z0-9][\w.,/-]*")


def parse_ps_rows(body: str) -> tuple[Container, ...]:
    """Rows of `docker ps` without their heading, as `docker ps | grep web` prints them. The third column is in quotes,
    the fourth ends with "ago"; a status that does not stand where it should is "unknown". Raises Unreadable."""
    out = []
    for line in body.splitlines():
        if not line.strip():
            continue
        match = _ROW.match(line.strip())
        rest = re.split(r"\s{2,}", match["rest"]) if match is not None else []
        if match is None or len(rest) < 2:
            raise garbled("docker ps")
        # with ports between them, or a size behind them; another cell is a piece of a status that fell apart
        status = parse_status(rest[0])
        named = [word for word in rest[1:] if not _BESIDE.fullmatch(word)]
        if len(named) != 1 or not _NAME.fullmatch(named[0]) or rest[0] == "Up":
            raise garbled("docker ps")
        (name,) = named
        out.append(
            Container(
                id=match["id"],
                name=_own_name(name),
                image=text.sanitise(match["image"], limit=300),
                state=status.state,
                health=status.health,
                exit_code=status.exit_code or 0,
            )
        )
    if not out:
        raise garbled("docker ps")
    return tuple(out)


def parse_ps_table(body: str) -> tuple[Container, ...]:
    """`docker ps [-a] [--no-trunc]`. An empty table has no containers; a line that does not fit raises Unreadable."""
    columns, lines = header(body, PS_HEAD)
    names = {name for _, name in columns}
    called = "NAMES" if "NAMES" in names else "NAME"
    if not {"STATUS", called} <= names or not names <= _HEADS:
        raise garbled("docker ps")
    out: list[Container] = []
    for line in lines:
        if not line.strip():
            continue
        row = cells(line, columns)
        identity = row.get("CONTAINER ID", "").removesuffix("...")
        if "CONTAINER ID" in names and not _ID.match(identity):
            if out or re.match(r"\S*[#$>] ?", line.strip()):
                break  # the shell's next prompt
            raise garbled("docker ps")
        # every version names a container: a row without is cut, and so may its status be
        status = parse_status(row["STATUS"]) if row[called] else Status("unknown")
        if not identity and status.state == "created" and not row["STATUS"]:
            status = Status("unknown")  # 1.6, which leaves it empty, has no columns to choose from
        out.append(
            Container(
                id=identity or text.sanitise(row[called], limit=200),
                name=_own_name(row[called]),
                image=text.sanitise(row.get("IMAGE", ""), limit=300),
                state=status.state,
                health=status.health,
                exit_code=status.exit_code or 0,
                ports=_ports(row.get("PORTS", "")),
            )
        )
    return tuple(out)


def _own_name(said: str) -> str:
    """The name without a slash: the others are links ("redis,webapp/db")."""
    every = [name.strip().removeprefix("/") for name in said.split(",") if name.strip()]
    own = next((name for name in every if "/" not in name), every[0] if every else "")
    return text.sanitise(own, limit=200)


def _ports(said: str) -> tuple[str, ...]:
    return tuple(text.sanitise(part.strip(), limit=80) for part in said.split(",") if part.strip())[:20]


def _listed_ports(said: Any) -> tuple[str, ...]:
    """ "80->80/tcp" as `docker ps` has it, or of the lists of the API and of podman, which have words of their own."""
    if isinstance(said, str):
        return _ports(said)
    out = []
    for one in said if isinstance(said, list) else ():
        if isinstance(one, Mapping):
            inside = f"{_said(one, 'PrivatePort', 'container_port')}/{_said(one, 'Type', 'protocol') or 'tcp'}"
            outside = _said(one, "PublicPort", "host_port")
            out.append(text.sanitise(f"{outside}->{inside}" if outside else inside, limit=80))
    return tuple(dict.fromkeys(out))[:20]


def _objects(body: str, what: str) -> list[Mapping[str, Any]]:
    """One array, or an object on each line."""
    body = body.strip()
    try:
        if body.startswith("["):
            found = json.loads(body)
        else:
            found = [json.loads(line) for line in body.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        raise garbled(what) from None
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise garbled(what)
    return found


def _said(item: Mapping[str, Any], *keys: str) -> Any:
    return next((item[key] for key in keys if item.get(key) not in (None, "")), "")


def parse_ps_json(body: str) -> tuple[Container, ...]:
    """`docker ps --format '{{json .}}'`, `podman ps --format json`, or the API's list: each a container."""
    out = []
    for item in _objects(body, "docker ps"):
        identity, state = str(_said(item, "ID", "Id")), _said(item, "State")
        if not _ID.match(identity):
            raise garbled("docker ps")
        names = _said(item, "Names", "Name")
        name = ",".join(map(str, names)) if isinstance(names, list) else str(names)
        status = parse_status(str(_said(item, "Status"))) if _said(item, "Status") else Status("unknown")
        if not isinstance(state, str):
            state = ""
        state = state.lower() if state.lower() in STATES else status.state
        code = item.get("ExitCode")
        if not isinstance(code, int) or isinstance(code, bool):
            code = status.exit_code
        if state == "exited" and code is None:
            state = "unknown"  # an ended container that has not said how it ended
        word = str(_said(item, "Status")).lower()
        if isinstance(checked := item.get("Health"), Mapping):  # of the API from 1.52
            word = str(checked.get("Status", "")).lower()
        out.append(
            Container(
                id=identity,
                name=_own_name(name),
                image=text.sanitise(str(_said(item, "Image")), limit=300),
                state=state,
                health=status.health or (word if word in ("healthy", "unhealthy", "starting") else ""),
                exit_code=code or 0,
                pid=item["Pid"] if isinstance(item.get("Pid"), int) and item["Pid"] > 0 else 0,
                restart_count=item["Restarts"] if isinstance(item.get("Restarts"), int) else 0,
                created_at=parse_time(_said(item, "Created", "CreatedAt")),
                started_at=parse_time(item.get("StartedAt")),
                finished_at=parse_time(item.get("ExitedAt")),
                ports=_listed_ports(_said(item, "Ports")),
            )
        )
    return tuple(out)


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """One row of `docker stats`. Bytes; `usage` holds the page cache too in versions before 17. None: "--"."""

    name: str
    cpu_percent: float | None
    usage: int | None
    limit: int | None
    memory_percent: float | None


_UNITS = {"B": 1, "": 1}
_UNITS |= {f"{unit}iB": 1024**power for power, unit in enumerate("KMGTP", 1)}
_UNITS |= {f"{unit}B": 1000**power for power, unit in enumerate("kMGTP", 1)} | {"KB": 1000, "kiB": 1024}


def parse_size(word: str) -> int | None:
    """ "796 KiB", "1.9GiB", "12.3MB"; None for "--"."""
    match = re.fullmatch(r"(\d{1,15}(?:\.\d{1,9})?) ?([kKMGTP]?i?B|)", word.strip())
    return int(float(match.group(1)) * _UNITS[match.group(2)]) if match and match.group(2) in _UNITS else None


def _percent(word: str) -> float | None:
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?) ?%", word.strip())
    return float(match.group(1)) if match else None


_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def parse_stats_table(body: str) -> tuple[Stats, ...]:
    """`docker stats`: the last whole frame of however many (1.6 clears the screen twice a second, its first frames are
    all 0). Raises Unreadable."""
    columns, lines = header(_ANSI.sub("\n", body), r"CONTAINER(?: ID)?|NAME|ID\s+NAME")
    out = []
    for line in lines:
        if not line.strip():
            continue
        if re.match(r"\S*[#$>]( |$)", line.strip()):
            break
        row = cells(line, columns)
        memory = next((value for name, value in row.items() if name.startswith("MEM USAGE")), None)
        cpu = row.get("CPU %")
        if memory is None or cpu is None:
            raise garbled("docker stats")
        out.append(_stats(row.get("NAME") or row.get("CONTAINER") or next(iter(row.values())), cpu, memory, row))
    return tuple(out)


def _stats(name: str, cpu: str, memory: str, row: Mapping[str, str]) -> Stats:
    usage, slash, limit = memory.partition("/")
    if not slash or (parse_size(usage) is None and usage.strip() != "--"):
        raise garbled("docker stats")
    percent = row.get("MEM %", row.get("MemPerc", row.get("mem_percent", "")))
    return Stats(
        name=text.sanitise(name, limit=200),
        cpu_percent=_percent(cpu),
        usage=parse_size(usage),
        limit=parse_size(limit),
        memory_percent=_percent(percent),
    )


def parse_stats_json(body: str) -> tuple[Stats, ...]:
    """`docker stats --no-stream --format '{{json .}}'`, `podman stats --no-stream --format json`."""
    out = []
    for item in _objects(body, "docker stats"):
        memory, cpu = _said(item, "MemUsage", "mem_usage"), _said(item, "CPUPerc", "cpu_percent", "CPU")
        name = _said(item, "Name", "name", "Container", "ID", "id")
        if not isinstance(memory, str) or not isinstance(cpu, str) or not isinstance(name, str) or not name:
            raise garbled("docker stats")
        out.append(_stats(name, cpu, memory, {key: value for key, value in item.items() if isinstance(value, str)}))
    return tuple(out)


def parse_event_json(line: str) -> Event | None:
    """A container's event of `docker events --format '{{json .}}'` or `podman events --format json`; None for another's
    and for what is no event."""
    try:
        (item,) = _objects(line, "docker events")
    except (ValueError, Unreadable):
        return None
    told = item.get("Actor")
    actor: Mapping[str, Any] = told if isinstance(told, Mapping) else {}
    said = actor.get("Attributes", item.get("Attributes"))
    attributes: Mapping[str, Any] = said if isinstance(said, Mapping) else {}
    action, identity = _said(item, "Action", "status", "Status"), _said(actor, "ID") or _said(item, "id", "ID")
    if item.get("Type") != "container" or not isinstance(action, str) or not _ID.match(str(identity)):
        return None
    action, _, health = action.partition(": ")
    code = str(item.get("ContainerExitCode", attributes.get("exitCode")))
    return Event(
        at=parse_time(_said(item, "time", "Time")),
        action={"died": "die"}.get(action, text.sanitise(action, limit=40)),
        id=str(identity),
        name=text.sanitise(str(attributes.get("name") or _said(item, "Name")), limit=200),
        exit_code=int(code) if re.fullmatch(r"-?\d{1,6}", code) else None,
        health=text.sanitise(health or str(_said(item, "HealthStatus", "health_status")), limit=40),
    )
