"""Docker 1.6 to today's, and podman: `ps -aq`, one `inspect`, `events`, errors. Pure.

Only the JSON of inspect is trusted for state. Environment variables, which hold passwords, are not copied but for the
host names in them (`served_names`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from incident_tui import text
from incident_tui.hosts import served_names
from incident_tui.hosts.errors import Unreadable, garbled
from incident_tui.hosts.readings import Container, GapKind
from incident_tui.hosts.sections import Section

STATES = frozenset(
    [
        *("created", "running", "paused", "restarting", "removing", "exited", "dead"),
        *("configured", "initialized", "stopping", "stopped"),
    ]
)
_ID = re.compile(r"[0-9a-f]{12,64}\Z")

_ERRORS: tuple[tuple[str, GapKind, str], ...] = (
    (r"permission denied", GapKind.DENIED, "our account may not use Docker; use root, sudo or the docker group"),
    (
        r"don't have same version|is too old|is too new|client is newer than server",
        GapKind.FAILED,
        "Docker's client and daemon disagree on version",
    ),
    (r"[Cc]annot connect to the Docker daemon", GapKind.DOWN, "the Docker daemon does not run"),
    (r"[Cc]annot connect to Podman|unable to connect to Podman", GapKind.DOWN, "podman's service does not run"),
    (
        r"Is the docker daemon running|failed to connect to the docker API",
        GapKind.DOWN,
        "the Docker daemon does not run",
    ),
    (r"dial unix.*(no such file|connection refused)", GapKind.DOWN, "the Docker daemon does not run"),
    (r"command not found|not found$|No such file", GapKind.ABSENT, "Docker is not installed"),
    (r"flag provided but not defined|unknown flag", GapKind.ABSENT, "this Docker version cannot say"),
)


def trouble(section: Section) -> Unreadable | None:
    """Why this docker command did not answer, or None when it did (rc 0). Exit code and text both count."""
    if section.timed_out:
        return Unreadable(GapKind.HUNG, f"the Docker daemon gave no answer within {section.limit:.0f} s")
    if section.cut:
        return garbled("docker")
    if section.rc == 0:
        return None
    if (known := known_error(section.body)) is not None:
        return known
    first = text.sanitise(next((line for line in section.body.splitlines() if line.strip()), ""), limit=120)
    return Unreadable(
        GapKind.FAILED, f"docker failed ({section.rc}): {first}" if first else f"docker ended {section.rc}"
    )


def known_error(message: str) -> Unreadable | None:
    """What an error message of docker or podman means; None for one nobody knows."""
    for pattern, kind, sentence in _ERRORS:
        if re.search(pattern, message):
            return Unreadable(kind, sentence)
    return None


def parse_ids(section: Section) -> tuple[str, ...]:
    """`docker ps -aq --no-trunc`. Warnings between the ids are skipped."""
    problem = trouble(section)
    if problem is not None:
        raise problem
    return tuple(line.strip() for line in section.body.splitlines() if _ID.match(line.strip()))


def parse_inspect(body: str) -> tuple[Container, ...]:
    """`docker inspect ID…`: one JSON array (or objects in a row), with what went to stderr before, between or after.

    An entry without "State" is an image of the same name and is left out. Raises Unreadable on damaged JSON.
    """
    out = []
    for item in objects(body):
        state = item.get("State")
        if isinstance(state, Mapping) and isinstance(item.get("Id", item.get("ID")), str):
            out.append(_container(item, state))
    return tuple(out)


def parse_state(body: str) -> tuple[Container, ...]:
    """`docker inspect -f '{{json .State}}'`: of which container does not stand there. Raises Unreadable."""
    out = [_container({"Id": "", "Name": "the container", "State": state}, state) for state in objects(body)]
    return tuple(one for one in out if one.state != "unknown") or _nothing()


def _nothing() -> tuple[Container, ...]:
    raise garbled("docker inspect")


_GONE = re.compile(r"(?i)no such [a-z ]+:? \"?([0-9a-f]{12,64})|no container with name or id \"?([0-9a-f]{12,64})")
"""Docker says `No such object: ID`; podman puts it in quotes, and in its older versions says it twice."""


def with_missing(found: Sequence[Container], ids: Iterable[str], body: str) -> tuple[Container, ...]:
    """`found`, and as "unknown" each listed one that inspect neither showed nor said to be gone ("No such …: ID")."""
    out = list(found)
    gone = {each for pair in _GONE.findall(body) for each in pair if each}
    for identity in ids:
        if identity not in gone and not any(each.id.startswith(identity) for each in found):
            out.append(Container(id=identity, name="", state="unknown"))
    return tuple(out)


# Not "[sudo] …" or "[WARN] …", which stderr may hold.
_OPENING = re.compile(r"^\s*(?:\[(?=\s*(?:[\[{\]]|\Z))|\{(?=\s*(?:[\"}]|\Z)))", re.M)


def objects(body: str) -> Iterator[Mapping[str, Any]]:
    """The objects of inspect's output. Raises Unreadable on damaged JSON."""
    decoder = json.JSONDecoder()
    position, found = 0, False
    while (match := _OPENING.search(body, position)) is not None:
        start = match.end() - 1
        try:
            value, position = decoder.raw_decode(body, start)
        except (ValueError, RecursionError):
            raise garbled("docker inspect") from None
        found = True
        for item in value if isinstance(value, list) else [value]:
            if not isinstance(item, dict):
                raise garbled("docker inspect")
            yield item
    if not found:
        raise garbled("docker inspect")


def _container(item: Mapping[str, Any], state: Mapping[str, Any]) -> Container:
    config, host = _map(item.get("Config")), _map(item.get("HostConfig"))
    health = _map(state.get("Health")) or _map(state.get("Healthcheck"))
    policy = _map(host.get("RestartPolicy"))
    memory = _int(host.get("Memory")) or _int(config.get("Memory"))
    exit_code = state.get("ExitCode")
    word = _state(state)
    image = _str(config.get("Image")) or _str(item.get("ImageName")) or _str(item.get("Image"))
    return Container(
        id=text.sanitise(str(item.get("Id", item.get("ID"))), limit=64),
        name=text.sanitise(_str(item.get("Name")).removeprefix("/"), limit=200),
        image=text.sanitise(image, limit=300),
        # An ended container without its exit code has not said how it ended: not "exited 0".
        state=word if word != "exited" or isinstance(exit_code, int) else "unknown",
        health="" if (said := _str(health.get("Status")).lower()) == "none" else text.sanitise(said, limit=40),
        exit_code=_int(exit_code),
        oom_killed=state.get("OOMKilled") is True,
        error=text.sanitise(_str(state.get("Error")), limit=300),
        pid=max(0, _int(state.get("Pid"))),
        restart_count=max(0, _int(item.get("RestartCount"))),
        restart_policy="" if _str(policy.get("Name")) == "no" else text.sanitise(_str(policy.get("Name")), limit=40),
        created_at=parse_time(item.get("Created")),
        started_at=parse_time(state.get("StartedAt")),
        finished_at=parse_time(state.get("FinishedAt")),
        memory_limit=max(0, memory),
        ports=_ports(_map(item.get("NetworkSettings"))),
        mounts=_mounts(item),
        names=served_names.names(config.get("Env"), config.get("Labels")),
    )


def _state(state: Mapping[str, Any]) -> str:
    """Status where the version has it (1.9), or derived; "unknown" where neither says."""
    status = state.get("Status")
    if isinstance(status, str) and status:
        return status.lower() if status.lower() in STATES else "unknown"
    running = state.get("Running")
    if not isinstance(running, bool):
        return "unknown"
    if running:
        return (
            "paused" if state.get("Paused") is True else "restarting" if state.get("Restarting") is True else "running"
        )
    if state.get("Dead") is True:
        return "dead"
    if state.get("Restarting") is True:
        return "restarting"
    return "created" if parse_time(state.get("StartedAt")) is None and "StartedAt" in state else "exited"


# Go's own form ends with the zone's name, which is a number where the zone has none.
_TIME = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(\.\d{1,9})? ?(Z|[+-]\d\d:?\d\d)?(?: (?:[A-Z]+|[+-]\d{2,4}))?")


def parse_time(value: object) -> datetime | None:
    """RFC 3339 with up to nine fractional digits, or unix seconds; None for the zero time and for damage."""
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC) if value > 0 else None
        if not isinstance(value, str) or value.startswith("0001-01-01"):
            return None
        match = _TIME.fullmatch(value)
        if match is None:
            return None
        moment, fraction, zone = match.groups()
        zone = "+00:00" if zone in (None, "Z") else zone
        fraction = fraction[:7].ljust(7, "0") if fraction else ""
        return datetime.fromisoformat(moment + fraction + zone).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _ports(network: Mapping[str, Any]) -> tuple[str, ...]:
    """ "8080->80/tcp" for what is published on the host."""
    out = []
    for inside, bound in sorted(_map(network.get("Ports")).items()):
        for place in bound if isinstance(bound, list) else ():
            outside = _str(_map(place).get("HostPort"))
            out.append(text.sanitise(f"{outside}->{inside}", limit=60))
    return tuple(dict.fromkeys(out))[:20]


def _mounts(item: Mapping[str, Any]) -> tuple[str, ...]:
    """The host's directories, of Mounts (from 1.8) or of Volumes, destination -> source (to 1.7)."""
    said = item.get("Mounts")
    mounts = [_map(mount).get("Source") for mount in said] if isinstance(said, list) else []
    sources = mounts or _map(item.get("Volumes")).values()
    kept = [text.sanitise(source, limit=400) for source in sources if isinstance(source, str) and source[:1] == "/"]
    return tuple(dict.fromkeys(kept))[:20]


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _str(value: object) -> str:
    return value if isinstance(value, str) else ""


def _int(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 62 else 0


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One line of `docker events`. `action` is start, die, oom, stop, kill, destroy, …; `id` may be empty."""

    at: datetime | None
    action: str
    id: str
    name: str = ""
    exit_code: int | None = None
    health: str = ""
    """What the health check has found, of a `health_status`: healthy, unhealthy, …"""


# 1.6: "2015-05-11T10:00:00.000000000+02:00 ID: (from image:tag) die"
_OLD_EVENT = re.compile(r"(\S+) ([0-9a-f]{12,64}): (?:\(from (.*)\) )?([a-z_: -]+?)\s*\Z")
# from 1.10: "TIME container die ID (exitCode=137, image=x, name=y)"; podman: "… container died ID (…)"
_NEW_EVENT = re.compile(
    r"(\d\S+(?: \d\S+ [+-]\d{4} \S+(?: m=\S+)?)?) container ([a-z_]+)(?:: (.*?))? ([0-9a-f]{12,64})(?: \((.*)\))?\s*\Z"
)


_ATTRIBUTE = re.compile(r"(\w[\w.-]*)=([^,]*)")


def parse_event(line: str) -> Event | None:
    """A container's event in either text form, or None for anything else."""
    match = _NEW_EVENT.match(line)
    if match:
        stamp, action, more, identity, attributes = match.groups()
        found = _ATTRIBUTE.findall(attributes or "")
        pairs = dict(found)
        codes = {value for key, value in found if key in ("exitCode", "containerExitCode")}
        code = codes.pop() if len(codes) == 1 else ""  # a label may say one, too
        return Event(
            at=parse_time(stamp.partition(" m=")[0]),
            action={"died": "die"}.get(action, action),
            id=identity,
            name=text.sanitise(pairs.get("name", ""), limit=200),
            exit_code=int(code) if re.fullmatch(r"-?\d{1,6}", code) else None,
            health=text.sanitise(more or pairs.get("health_status", ""), limit=40) if action == "health_status" else "",
        )
    match = _OLD_EVENT.match(line)
    if match and parse_time(match.group(1)):
        action = match.group(4).partition(":")[0].strip()
        return Event(at=parse_time(match.group(1)), action=action, id=match.group(2))
    return None
