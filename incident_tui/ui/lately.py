"""What changed lately about one row of the left pane: restarts, containers, and what the journal says of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from incident_tui.hosts.blind import volume_of
from incident_tui.hosts.readings import Container
from incident_tui.incident.entry import Kind
from incident_tui.incident.views import TimelineRow
from incident_tui.ui.view import View

DAY: Final = timedelta(hours=24)
SHOWN: Final = 10
"""Entries of the journal, the newest, and as many events of the machines."""
LOOKED_AT: Final = 5_000
"""Entries that are looked through, from the newest back."""
_ACTS: Final = frozenset({Kind.CHANGE, Kind.ACTION, Kind.RESULT, Kind.DECISION, Kind.COMMAND, Kind.HOLD, Kind.EVIDENCE})


class Event(msgspec.Struct, frozen=True):
    """Something that happened. `handle` is the entry's; empty for what a machine says of itself."""

    at: datetime
    text: str
    handle: str = ""


def lately(key: str, view: View) -> list[Event]:
    """Of the row `key` ("host/web2", "container/web2/ID", "volume/gv0", "site/…"), newest first."""
    sort, _, name = key.partition("/")
    host, _, ident = name.partition("/")
    if sort == "container":
        found = [one for one in _containers_of(view, host) if one.id == ident]
        shown = found[0].name or ident[:12] if found else ident[:12]
        events = [event for one in found for event in _container(one, "", view.now)]
        subject = f"{host} {shown}"
        return _together([*events, *_boot(view, host)], _entries(view, (shown,), lambda of, on: of == subject))
    if sort in ("host", "docker", "gluster", "peer"):
        events = list(_boot(view, host))
        if sort in ("host", "docker"):
            events += [e for one in _containers_of(view, host) for e in _container(one, f"{one.name} ", view.now)]
        about = {host, f"peer {host}"}
        return _together(events, _entries(view, (host,), lambda of, on: on == host or of in about))
    if sort == "volume":
        homes = {brick.host for each in view.cluster.volumes if each.name == name for brick in each.bricks}
        events = [event for home in sorted(homes) for event in _boot(view, home)]
        return _together(events, _entries(view, (name,), lambda of, on: _is_volume(name, of, on)))
    return _together([], _entries(view, (name,), lambda of, on: of == name))


def _together(events: Iterable[Event], entries: Iterable[Event]) -> list[Event]:
    newest = sorted(events, key=lambda event: event.at, reverse=True)[:SHOWN]
    return sorted([*newest, *entries], key=lambda event: event.at, reverse=True)


def _containers_of(view: View, host: str) -> Sequence[Container]:
    reading = view.hosts.get(host)
    return reading.docker.containers if reading is not None and reading.docker is not None else ()


def _boot(view: View, host: str) -> Iterator[Event]:
    reading = view.hosts.get(host)
    load = reading.load if reading is not None else None
    if load is not None and view.now - load.at + timedelta(seconds=load.uptime_seconds) < DAY:
        yield Event(load.at - timedelta(seconds=load.uptime_seconds), f"{host} was started (uptime)")


def _container(one: Container, name: str, now: datetime) -> Iterator[Event]:
    ended = f"ended, exit {one.exit_code}" + (", out of memory" if one.oom_killed else "")
    for at, what in ((one.created_at, "created"), (one.started_at, "started"), (one.finished_at, ended)):
        if at is not None and timedelta(0) <= now - at < DAY:
            yield Event(at, f"container {name}{what}")


def _is_volume(name: str, of: str, on: str) -> bool:
    return volume_of(of) == name or bool(on and of == f"{on} {name}")


def _entries(view: View, words: tuple[str, ...], about: Callable[[str, str], bool]) -> list[Event]:
    """The newest entries that say what was done and have one of the words, or were observed `about` (subject, host)."""
    named = re.compile("|".join(rf"(?<![\w.-]){re.escape(word)}(?![\w-])" for word in words), re.IGNORECASE)
    out: list[Event] = []
    for row in _newest(view.rows):
        entry = row.entry
        if row.struck or row.purged:
            continue
        if entry.kind is Kind.OBSERVATION:
            mine = about(str(entry.data.get("subject", "")), str(entry.data.get("host", "")))
        else:
            mine = entry.kind in _ACTS and named.search(_said(row)) is not None
        if mine:
            said = row.text.partition("\n")[0] if entry.kind is Kind.EVIDENCE else row.text
            out.append(Event(row.at, f"{row.word} {said}", view.handle(row.ref)))
            if len(out) == SHOWN:
                break
    return out


def _said(row: TimelineRow) -> str:
    """What may name something: the text, of evidence its first line, and where it was done."""
    data = row.entry.data
    text = row.text.partition("\n")[0] if row.entry.kind is Kind.EVIDENCE else row.text
    return f"{text} {data.get('target', '')} {data.get('host', '')}"


def _newest(rows: Sequence[TimelineRow]) -> Iterator[TimelineRow]:
    for index in range(len(rows) - 1, max(-1, len(rows) - 1 - LOOKED_AT), -1):
        yield rows[index]
