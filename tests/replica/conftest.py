"""Shared by the tests between bastions: journals of several bastions, filled by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from incident_tui.incident.entry import Author, Draft, Entry, Kind
from incident_tui.journal.store import Store

NOW = datetime(2026, 11, 23, 3, 10, tzinfo=UTC)
Bastion = Callable[..., Store]


def write(store: Store, *texts: str) -> list[Entry]:
    """Append these lines to the journal, each at a second of its own."""
    after = store.head().seq
    drafts = [
        Draft(Kind.NOTE, text, NOW + timedelta(seconds=after + number), Author("ana"))
        for number, text in enumerate(texts)
    ]
    return store.append(drafts, key=f"{after}-{len(texts)}")


@pytest.fixture
def bastion(tmp_path: Path) -> Iterator[Bastion]:
    """`bastion("b", 7)` is the journal with that letter, of seven entries; a directory of the same name."""
    opened: list[Store] = []

    def make(letter: str, entries: int = 0, name: str = "") -> Store:
        store = Store.open(tmp_path / (name or letter), letter=letter)
        opened.append(store)
        if entries:
            write(store, *(f"{letter} says {number}" for number in range(1, entries + 1)))
        return store

    yield make
    for store in opened:
        store.close()
