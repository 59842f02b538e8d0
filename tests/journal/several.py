"""Several bastions in one test: journals that write apart and take in each other's entries in any order."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from incident_tui.incident.entry import Author, Draft, Entry, Kind, Ref
from incident_tui.incident.state import Fold
from incident_tui.journal.record import Record, own_records
from incident_tui.journal.store import Store
from incident_tui.journal.take_in import take_in

START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
ALL = 1 << 40


class Bastions:
    """`stores` by letter. The clock is the test's: `now` moves on with each entry."""

    def __init__(self, directory: Path, letters: str = "ab") -> None:
        self.now = START
        self.stores = {
            letter: Store.open(directory / letter, letter=letter, clock=lambda: self.now) for letter in letters
        }
        self._keys = 0

    def __getitem__(self, letter: str) -> Store:
        return self.stores[letter]

    def write(
        self, letter: str, kind: Kind, text: str = "", by: str = "ana", ref: Entry | Ref | None = None, /, **data: Any
    ) -> Entry:
        """An entry of the incident I1, a second after the one before."""
        self.now += timedelta(seconds=1)
        self._keys += 1
        about = ref.id if isinstance(ref, Entry) else ref
        draft = Draft(kind, text, self.now, Author(by, proven=True), "I1", "test", data, about)
        return self[letter].append([draft], key=f"key {self._keys}")[0]

    def records(self, letter: str) -> list[Record]:
        return own_records(self[letter], 1, ALL)

    def send(self, giver: str, taker: str) -> None:
        """All that one journal has, in order."""
        take_in(self[taker], self.records(giver), self.now)

    def join(self) -> None:
        """Everybody gets everything, and what that leads to (purges that are carried out)."""
        for _ in range(2):
            for giver in self.stores:
                for taker in self.stores:
                    if giver != taker:
                        self.send(giver, taker)

    def shuffle(self, taker: str, dice: random.Random) -> None:
        """As `join` for one of them, in any order, in pieces, some twice."""
        pieces = [one for letter in self.stores if letter != taker for one in self.records(letter)]
        pieces += dice.sample(pieces, len(pieces) // 3)
        dice.shuffle(pieces)
        while pieces:
            count = dice.randint(1, 5)
            take_in(self[taker], pieces[:count], self.now)
            del pieces[:count]

    def close(self) -> None:
        for store in self.stores.values():
            store.close()


def fold_of(store: Store) -> Fold:
    """As everything that is shown is made: all entries in the order in which they are read."""
    fold = Fold()
    for entry in store.read_all()[0]:
        fold.apply(entry)
    return fold


def spoken(fold: Fold) -> Sequence[object]:
    """All that can be shown of the incident, to be compared."""
    incident = fold.incident("I1")
    return [incident, list(incident.rows)]
