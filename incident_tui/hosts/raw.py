"""What the probe's commands printed last on a host, for people who want to see the evidence itself. Pure.

Bounded, sanitised, without secrets. Of `docker inspect` each container has a piece of its own, in which environment
variables are names only and whatever looks like a secret is replaced: an incident's screen is shared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import msgspec

from incident_tui import text
from incident_tui.hosts import docker
from incident_tui.hosts.errors import Unreadable
from incident_tui.hosts.sections import Section

PIECE: Final = 8_000
"""Characters kept of one section, or of one container's piece."""
WHOLE: Final = 160_000
"""Characters kept of one host."""
_REMEMBERED: Final = 64
_NOT_KEPT: Final = frozenset({"watch"})

_TITLES: Final = {
    "hello": "uname, os-release",
    "docker-version": "docker --version",
    "gluster-version": "gluster --version",
    "clock": "date",
    "proc": "/proc/loadavg /proc/meminfo /proc/vmstat /proc/pressure",
    "mounts": "/proc/mounts",
    "df": "df -P",
    "df-inodes": "df -P -i",
    "oom-dmesg": "dmesg (kernel log, memory)",
    "oom-log": "kernel log file (memory)",
    "cgroup": "memory cgroup",
    "docker-ps": "docker ps -aq",
    "docker-inspect": "docker inspect",
    "docker-files": "/var/lib/docker/containers, state only",
    "gluster-files": "/var/lib/glusterd, pid files, processes",
    "gluster-bricks": "brick processes",
    "gluster-space": "space on the bricks",
    "gluster-pending": "pending heals, counted on the bricks",
    "gluster-peers": "gluster peer status",
    "gluster-volumes": "gluster volume info",
    "status": "gluster volume status {}",
    "heal": "gluster volume heal {} info",
    "split": "gluster volume heal {} info split-brain",
    "summary": "gluster volume heal {} info summary",
    "rebalance": "gluster volume rebalance {} status",
    "quota": "gluster volume quota {} list",
    "snaps": "gluster snapshot info volume {}",
    "geo": "gluster volume geo-replication {} status",
}


class RawSection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one command printed. `name` is the probe's ("proc", "status:gv0"), or "docker-inspect:ID" for one container;
    `at` when it arrived, by our clock."""

    name: str
    at: datetime
    text: str
    rc: int = 0
    timed_out: bool = False

    @property
    def title(self) -> str:
        """The command, as findings name it in their evidence; with the volume where it is about one."""
        kind, _, about = self.name.partition(":")
        return _TITLES.get(kind, kind).format(about)


class RawText(msgspec.Struct, frozen=True, kw_only=True):
    """All that is kept of one host, in the order in which it was first read."""

    host: str
    sections: tuple[RawSection, ...] = ()

    def of(self, *names: str) -> list[RawSection]:
        """The sections of these names, in this order."""
        by = {section.name: section for section in self.sections}
        return [by[name] for name in names if name in by]


class RawKeeper:
    """Remembers the last sections of one host; the work is done when somebody asks for the text."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._last: dict[str, tuple[Section, datetime]] = {}

    def take(self, sections: Iterable[Section], at: datetime) -> None:
        for section in sections:
            if section.name not in _NOT_KEPT:
                self._last[section.name] = (section, at)
        while len(self._last) > _REMEMBERED:
            del self._last[min(self._last, key=lambda name: self._last[name][1])]

    def text(self) -> RawText:
        """What is remembered, cut and without secrets."""
        out: list[RawSection] = []
        left = WHOLE
        for section, at in self._last.values():
            for name, piece in _pieces(section):
                if len(piece) > left:
                    piece = f"[not kept: {len(piece)} characters, the host's texts are too long]"
                left -= len(piece)
                out.append(RawSection(name=name, at=at, text=piece, rc=section.rc, timed_out=section.timed_out))
        return RawText(host=self._host, sections=tuple(out))


def _pieces(section: Section) -> Iterator[tuple[str, str]]:
    if section.name != "docker-inspect":
        yield section.name, cleaned(section.body, section.cut)
        return
    try:
        found = list(docker.objects(section.body))
    except Unreadable:
        # Where JSON is damaged nothing tells a secret from the rest.
        yield section.name, f"[not kept: {len(section.body)} characters that are no whole JSON]"
        return
    found.sort(key=_runs)
    for one in found:
        ident = one.get("Id", one.get("ID"))
        if isinstance(ident, str):
            yield f"{section.name}:{text.sanitise(ident)}", cleaned(_printed(_without_secrets(one)), False)


def _printed(value: Any) -> str:
    try:
        return msgspec.json.format(msgspec.json.encode(value), indent=1).decode()
    except (ValueError, OverflowError):  # numbers and half characters that only Python's own JSON knows
        return json.dumps(value, indent=1, ensure_ascii=False)


def _runs(one: Any) -> bool:
    """Containers that do not run come first: what is kept of a host is bounded."""
    state = one.get("State")
    return isinstance(state, dict) and state.get("Running") is True


def cleaned(body: str, was_cut: bool) -> str:
    """Without secrets, at most PIECE characters; of what is longer the beginning and the last lines, with a mark
    between. The end begins with a whole line, so that no secret loses the word by which it is known."""
    if len(body) > PIECE:
        tail = body[-PIECE // 2 :].partition("\n")[2]
        head = body[: PIECE // 2]
        body = f"{head}\n[cut: {len(body) - len(head) - len(tail)} of {len(body)} characters]\n{tail}"
    elif was_cut:
        body += "\n[cut: it was longer than the probe takes]"
    clean = text.sanitise(body, lines=True, limit=2 * PIECE)
    return text.redact(clean)[0].strip("\n")


_SECRET_NAME: Final = re.compile(
    r"(?i)pass(?:wor[dt]|wd|phrase)?$|pass(?:wor[dt]|wd|phrase)|pwd|secret|token|credential|api.?key|access.?key"
    r"|private.?key|(?:^|[._-])auth"
)
_SECRET_OPTION: Final = re.compile(r"(?i)(?P<keep>(?:^|\s)--?[\w-]*(?:pass|pwd|secret|token|key|auth)[\w-]*[= ]\s*)\S+")
_SHORT_PASSWORD: Final = re.compile(r"(?P<keep>(?:^|\s)-[pa])(?=[^\s\d:-])\S+")


_MARKS: Final = "=: -"


@lru_cache(maxsize=4096)
def _sounds_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def _without_secrets(value: Any, name: str = "", depth: int = 0) -> Any:
    """A decoded JSON value as it may be shown. Environments become their names; values under a name that sounds like a
    secret, options that take one, and whatever `text.redact` knows are replaced."""
    if depth > 40:
        return text.REDACTED
    if name.casefold() in ("env", "environment"):
        return _names_only(value)
    if isinstance(value, dict):
        return {str(key): _without_secrets(one, str(key), depth + 1) for key, one in value.items()}
    if isinstance(value, list):
        return _words(value, depth)
    if isinstance(value, str):
        return text.REDACTED if value and _sounds_secret(name) else _words([value], depth)[0]
    return value


def _names_only(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): text.REDACTED for key in value}
    if isinstance(value, list):
        return [f"{str(one).partition('=')[0]}={text.REDACTED}" for one in value]
    return None if value is None else text.REDACTED


def _words(values: list[Any], depth: int) -> list[Any]:
    """Arguments of a command, or any list: a word after an option that takes a secret is one."""
    out: list[Any] = []
    expected = False
    for one in values:
        if not isinstance(one, str):
            out.append(_without_secrets(one, "", depth + 1))
            continue
        clean = one
        if any(mark in one for mark in _MARKS):  # most strings are plain words, and there are thousands
            clean = _SHORT_PASSWORD.sub(rf"\g<keep>{text.REDACTED}", text.redact(one)[0])
            clean = _SECRET_OPTION.sub(rf"\g<keep>{text.REDACTED}", clean)
        out.append(text.REDACTED if expected and one else clean)
        option = one.startswith("-") and "=" not in one and " " not in one
        expected = (option and _sounds_secret(one.lstrip("-"))) or one in ("-p", "-a", "-P")
    return out
