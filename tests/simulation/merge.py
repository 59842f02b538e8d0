"""Many bastions in one process that exchange entries, through a random schedule made of one seed.

The exchange, the taking in and the purging are the real code; the journals are SQLite in memory, so that thousands of
schedules are played in a minute. Networks fall into parts and come together, exchanges are cut at any byte, programs
end and begin anew, bastions join late, entries are purged by anybody. In the end everything is mended and everybody
exchanges along a random tree; `History.check` says what must be then.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

from incident_tui.journal.connection import Guard
from incident_tui.journal.others import Others
from incident_tui.journal.others_file import make
from incident_tui.journal.place import Place
from incident_tui.journal.schema import create_schema
from incident_tui.journal.store import Store
from incident_tui.replica.shelf import StoreShelf
from tests.replica.history import History
from tests.replica.two_sides import Cut, Pair

NOWHERE: Final = Place("/nonexistent/incident-tui-simulation")
_BEGAN: Final = datetime(2026, 11, 23, tzinfo=UTC)


def _memory() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA secure_delete=ON")
    return db


class _Copies(Others):
    """As the real ones, in memory."""

    def __init__(self, own: str) -> None:
        self.path, self.own, self.place = NOWHERE.others, own, NOWHERE
        self.guard = Guard(self.path)
        self.read_only = None
        self._named = None
        self.connection = _memory()
        make(self.connection)

    @property
    def gone(self) -> bool:
        return False


class _Journal(Store):
    """As the real one, in memory."""

    def __init__(self, db: sqlite3.Connection, clock: Callable[[], datetime]) -> None:
        super().__init__(NOWHERE, db, clock, None)
        self._copies = _Copies(self.journal)

    @property
    def others(self) -> Others:
        return self._copies

    def make_others(self) -> Others:
        return self._copies


class World:
    """Bastions, who reaches whom, and the sessions that are open between them."""

    def __init__(self, seed: int, bastions: int, steps: int) -> None:
        self.seed = seed
        self.dice = random.Random(seed)
        self.now = _BEGAN
        self.steps = steps
        self.part: list[int] = []
        """Of each bastion, the part of the network in which it is."""
        self.open: dict[tuple[int, int], Pair] = {}
        self.history = History([], self.dice)
        self.most = bastions
        for _ in range(max(2, bastions - self.dice.randint(0, bastions // 3))):
            self._join()

    def play(self) -> History:
        """The whole schedule. Raises AssertionError with the seed."""
        try:
            for _ in range(self.steps):
                self.now += timedelta(seconds=self.dice.random() * 20)
                self._step()
            self._mend()
            self.history.check()
            self._nothing_left()
        except AssertionError as error:
            raise AssertionError(f"{error}; play it again: make simulate SEED={self.seed}") from error
        for store in self.history.stores:
            store.close()
        return self.history

    def _join(self) -> None:
        db = _memory()
        create_schema(db, chr(ord("a") + len(self.part) % 26), self._clock)
        db.execute("UPDATE meta SET value = ? WHERE key = 'journal'", (f"{self.dice.getrandbits(64):016x}",))
        self.history.stores.append(_Journal(db, self._clock))
        self.part.append(0)

    def _clock(self) -> datetime:
        return self.now

    def _step(self) -> None:
        roll, count = self.dice.random(), len(self.part)
        one, other = self.dice.sample(range(count), 2)
        if roll < 0.35:
            self.history.append(one, 4)
        elif roll < 0.70:
            self._exchange(one, other)
        elif roll < 0.80:
            self._news()
        elif roll < 0.87:
            self._fall_apart()
        elif roll < 0.92:
            self._end(one)
        elif roll < 0.96:
            self.history.purge(one)
        elif count < self.most:
            self._join()

    def _exchange(self, one: int, other: int) -> None:
        """A session begins; it is cut in the middle, ends when both have all, or stays."""
        if self.part[one] != self.part[other]:
            return
        roll = self.dice.random()
        pair = self._pair(one, other, stays=roll > 0.7)
        cut = self.dice.randint(0, 4000) if roll < 0.3 else None
        with suppress(Cut):
            pair.run(cut=cut, step=self.dice.choice((100, 65536)))
        if roll > 0.7:
            self.open[min(one, other), max(one, other)] = pair
        assert not pair.ours.done.problems and not pair.theirs.done.problems, pair.ours.done.problems

    def _pair(self, one: int, other: int, *, stays: bool = False) -> Pair:
        ours, theirs = (StoreShelf(self.history.stores[at], self._clock) for at in (one, other))
        return Pair(ours, theirs, stays=stays)

    def _news(self) -> None:
        """What is new goes on the sessions that are open."""
        for pair in list(self.open.values()):
            pair.news()

    def _fall_apart(self) -> None:
        """The network falls into parts, or comes together; sessions between parts are cut, with what was on its way."""
        parts = self.dice.randint(1, 4)
        self.part = [self.dice.randrange(parts) for _ in self.part]
        self.open = {ends: pair for ends, pair in self.open.items() if self.part[ends[0]] == self.part[ends[1]]}

    def _end(self, one: int) -> None:
        """The program of this bastion ends and begins anew: its sessions are gone."""
        self.open = {ends: pair for ends, pair in self.open.items() if one not in ends}

    def _mend(self) -> None:
        """All can reach each other again, and exchange along a tree until nothing changes."""
        self.open.clear()
        count = len(self.part)
        tree = [(at, self.dice.randrange(at)) for at in range(1, count)]
        for _ in range(2 * count):
            if not self.history.missing():
                return
            self.dice.shuffle(tree)
            for one, other in tree:
                self._pair(one, other).run()
        assert not self.history.missing(), self.history.missing()

    def _nothing_left(self) -> None:
        """A purged text is in no page of any file."""
        for store in self.history.stores:
            assert store.others is not None
            raw = store.connection.serialize() + store.others.connection.serialize()
            left = [text for text in self.history.purged.values() if text.encode() in raw]
            assert not left, f"{store.letter} still holds what was purged: {left[:3]}"
