"""Chat taken into a real journal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from incident_tui.incident.entry import Author, Draft, Entry, Kind
from incident_tui.incident.settings import DEFAULT_SEVERITIES, Command, Person, Severity
from incident_tui.incident.state import Fold
from incident_tui.incident.views import TimelineRow
from incident_tui.journal.store import Store
from incident_tui.watch.inbound.messages import Memory
from incident_tui.watch.inbound.said import Rules, Said, Taken
from incident_tui.watch.inbound.taking import Inbound

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
INCIDENT = "INC-20261123-ab12"


class Settings:
    people: Sequence[Person] = (Person(name="ana"), Person(name="bob"))
    severities: Sequence[Severity] = DEFAULT_SEVERITIES
    command: Command = Command()


class OnStore:
    """Saves at once."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def each(self, pairs: Sequence[tuple[Draft, str]]) -> Future[list[Entry]]:
        return _done(self._store.append_each(pairs))

    def together(self, drafts: Sequence[Draft], key: str) -> Future[list[Entry]]:
        return _done(self._store.append(drafts, key=key))


def _done(entries: list[Entry]) -> Future[list[Entry]]:
    future: Future[list[Entry]] = Future()
    future.set_result(entries)
    return future


class Room:
    """One journal with an incident, and chat that comes into it. `again` is a watch started anew on it."""

    def __init__(self, store: Store, rules: Rules) -> None:
        self.store = store
        self.rules = rules
        self.now = NOW + timedelta(minutes=30)
        self.again()

    def again(self, memory: Memory | None = None) -> None:
        self.fold = Fold()
        entries = self.store.read()
        for entry in entries:
            self.fold.apply(entry)
        self.inbound = Inbound(
            OnStore(self.store),
            self.fold,
            self.store,
            Settings(),
            clock=lambda: self.now,
            new_id=lambda: "0123456789abcdef",
            memory=memory,
        )
        self.inbound.remember(entries)

    def take(self, *batch: Said) -> Taken:
        return asyncio.run(self.inbound.take(self.rules, batch))

    def rows(self, kind: Kind = Kind.CHAT) -> list[TimelineRow]:
        fold = Fold()
        for entry in self.store.read():
            fold.apply(entry)
        return [row for entry in self.store.read() if entry.kind is kind and (row := fold.row(entry.id)) is not None]


def said(text: str | None = None, **fields: Any) -> Said:
    given = {"source": "ops", "room": "r1", "id": "m1", "author_id": "u-ana", "author_name": "Ana P", "at": NOW}
    return Said(text=text, **{**given, **fields})


@pytest.fixture
def make_room(tmp_path: Path) -> Iterator[Callable[..., Room]]:
    stores: list[Store] = []

    def make(**rules: Any) -> Room:
        store = Store.open(tmp_path / f"journal{len(stores)}")
        stores.append(store)
        declare = Draft(
            kind=Kind.DECLARE,
            text="sites 502",
            at=NOW - timedelta(minutes=5),
            author=Author("ana"),
            incident=INCIDENT,
            data={"title": "sites 502", "severity": 2},
        )
        store.append([declare], key="declare")
        given = {"take": ("prefix",), "people": {"u-ana": "ana"}, "allow": ("u-ana",), **rules}
        return Room(store, Rules(**given))

    yield make
    for store in stores:
        store.close()
