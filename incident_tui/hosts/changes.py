"""What changed on a host lately: packages, containers, images, configuration files, reboots, logins of root. Pure.

Times are the bastion's: the host's zone and clock skew are taken out. What names no time that can be read is left out
and counted, never dated by guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, timezone

import msgspec

from incident_tui import text
from incident_tui.hosts.errors import Unreadable
from incident_tui.hosts.kernel import LogClock, when
from incident_tui.hosts.readings import Clock, Docker
from incident_tui.hosts.sections import Section
from incident_tui.hosts.table import cells, header

WINDOW = timedelta(hours=24)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that changed. `exact` False: the host only said how long ago."""

    at: datetime
    host: str
    what: str
    exact: bool = True


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first. `unread` says which sources could not be read: what they hold is not known."""

    host: str
    rows: tuple[Change, ...]
    unread: tuple[str, ...] = ()


def changes(
    host: str, sections: Iterable[Section], docker: Docker | None, clock: Clock | None, now: datetime
) -> Changes:
    """Of the last day, from the sections of `asked:changes` and the containers' own times."""
    skew = timedelta(seconds=clock.skew_seconds) if clock else timedelta(0)
    offset = clock.utc_offset_seconds if clock else 0
    log = LogClock(now=now, skew=skew, utc_offset=offset)
    rows: list[Change] = []
    unread: list[str] = []
    for section in sections:
        kind = section.name.removeprefix("asked:").partition(":")[0]
        if kind not in _READERS or section.name.partition(":")[0] != "asked":
            continue
        if section.timed_out or section.cut or "not found" in section.body[:200]:
            unread.append(section.name.removeprefix("asked:"))
            continue
        try:
            for at, what, exact in _READERS[kind](section.body, log):
                rows.append(Change(at=at, host=host, what=text.sanitise(what, limit=200), exact=exact))
        except Unreadable:
            unread.append(section.name.removeprefix("asked:"))
    for container in docker.containers if docker else ():
        if container.created_at is not None:
            what = f"container {container.name} created, {container.image}"
            rows.append(Change(at=container.created_at - skew, host=host, what=what))
    lately = [row for row in dict.fromkeys(rows) if now - WINDOW <= row.at <= now + timedelta(minutes=5)]
    return Changes(host=host, rows=tuple(sorted(lately, key=lambda row: row.at, reverse=True)), unread=tuple(unread))


_Found = Iterator[tuple[datetime, str, bool]]
_DPKG = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) (install|upgrade|remove|purge) (\S+) (\S+) (\S+)")
_RPM = re.compile(r"(.*?)(?: [A-Z]+)?:? ?\b(Installed|Updated|Upgraded?|Erased|Removed|Downgraded): (\S+)")


def _packages(body: str, log: LogClock) -> _Found:
    """dpkg.log ("DATE TIME install NAME OLD NEW"), yum.log ("Nov 23 10:00:01 Installed: NAME"), dnf.rpm.log (ISO)."""
    for line in body.splitlines():
        match = _DPKG.match(line)
        if match:
            day, clock, verb, name, old, new = match.groups()
            at = when(f"{day}T{clock} ", log)
            versions = {"install": new, "upgrade": f"{old} to {new}"}.get(verb, old)
            if at is not None:
                yield at, f"package {name.partition(':')[0]} {verb}: {versions}", True
            continue
        match = _RPM.match(line)
        at = when(line, log) if match else None
        if match and at is not None:
            yield at, f"package {match.group(3)} {match.group(2).lower()}", True


_AGO = re.compile(r"(?:About )?(an?|\d+|Less than a) (second|minute|hour)s?(?: ago)?\Z")


def _images(body: str, log: LogClock) -> _Found:
    """`docker images`: how long ago, to the hour."""
    if not body.strip():
        return
    columns, lines = header(body, "REPOSITORY|IMAGE")
    for line in lines:
        if not line.strip():
            continue
        row = cells(line, columns)
        match = _AGO.match(row.get("CREATED", ""))
        if match:
            number = int(match.group(1)) if match.group(1).isdecimal() else 1
            seconds = number * {"second": 1, "minute": 60, "hour": 3600}[match.group(2)]
            yield (
                log.now - timedelta(seconds=seconds),
                f"image {row.get('REPOSITORY')}:{row.get('TAG', '')} made",
                False,
            )


def _touched(body: str, log: LogClock) -> _Found:
    """ "SECONDS PATH" of `stat`."""
    for line in body.splitlines():
        match = re.match(r"(\d{9,11}) (/.*)\Z", line)
        if match:
            yield datetime.fromtimestamp(int(match.group(1)), UTC) - log.skew, f"file {match.group(2)} written", True


_LOGIN = re.compile(
    r"(root|reboot)\s+(.+?)\s+(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([A-Z][a-z]{2}) +(\d{1,2}) (\d\d:\d\d:\d\d) (\d{4})"
)


def _logins(body: str, log: LogClock) -> _Found:
    """`last -F`: with the year, in the host's zone."""
    zone = timezone(timedelta(seconds=log.utc_offset))
    for line in body.splitlines():
        match = _LOGIN.match(line)
        if match is None:
            continue
        who, where, month, day, clock, year = match.groups()
        try:
            said = datetime.strptime(f"{year} {month} {day} {clock}", "%Y %b %d %H:%M:%S").replace(tzinfo=zone)
        except ValueError:
            continue
        words = where.split()
        what = f"rebooted, kernel {words[-1]}" if who == "reboot" else f"root logged in, {' from '.join(words[:2])}"
        yield said.astimezone(UTC) - log.skew, what, True


_READERS = {"packages": _packages, "images": _images, "touched": _touched, "logins": _logins}
