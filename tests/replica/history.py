"""Checks any transport between bastions by history: random appends, purges, cuts and kills, and what must be then.

`play` drives a `Transport` with a schedule made of one seed and ends when all is mended and everybody has everything,
or fails with the seed. Each bastion is a directory with a journal; appends are acknowledged by the local journal alone,
as those of people are. In the end every acknowledged entry is on every bastion exactly once, in the same order of the
fold; every chain closes; a purged text is nowhere.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Final, Protocol

from incident_tui.incident.entry import Author, Draft, Entry, Kind, Ref
from incident_tui.journal import chain
from incident_tui.journal.errors import JournalError
from incident_tui.journal.everything import START
from incident_tui.journal.store import Store

PATIENCE: Final = 400
"""Steps after all is mended until everybody must have everything."""
_MOST: Final = 40
"""Entries of one append."""


class Transport(Protocol):
    """What carries entries between the bastions, by number. Nothing may raise because of a cut or a kill."""

    def cut(self, one: int, other: int) -> None:
        """These two cannot reach each other from now on."""

    def heal(self, one: int, other: int) -> None: ...

    def kill(self, one: int) -> None:
        """What carries for this bastion dies at once (SIGKILL), perhaps in the middle of something."""

    def revive(self, one: int) -> None: ...

    def step(self) -> None:
        """Let it go on for a moment. What exchanges only when it is told does so now, between those that can."""


class History:
    """What was acknowledged where, and whether it is everywhere."""

    def __init__(self, stores: Sequence[Store], dice: random.Random) -> None:
        self._dice = dice
        self.stores = list(stores)
        self.acknowledged: dict[Ref, str] = {}
        self.purged: dict[Ref, str] = {}
        self._count = 0

    def append(self, one: int, most: int) -> int:
        """Up to `most` entries at once, at times that are not those of the appends."""
        number = self._dice.randint(1, min(most, _MOST))
        drafts = []
        for _ in range(number):
            self._count += 1
            at = datetime(2026, 11, 23, tzinfo=UTC) + timedelta(seconds=self._dice.randint(0, 3600))
            drafts.append(Draft(Kind.NOTE, f"«{self._count:06d} of {one}»", at, Author("ana")))
        for entry in self.stores[one].append(drafts, key=f"{one}-{self._count}"):
            self.acknowledged[entry.id] = entry.text
        return number

    def purge(self, one: int) -> None:
        """The order to destroy one entry, of the own journal or of a copy."""
        store = self.stores[one]
        refs = list(self.acknowledged)
        ref = self._dice.choice(refs) if refs else None
        found = None if ref is None else store.get(ref)
        if ref is not None and found is not None and found.kind is Kind.NOTE and not found.purged:
            order = _purged(store, ref)
            self.acknowledged[order.id] = order.text
            self.purged[ref] = self.acknowledged.pop(ref)

    def missing(self) -> str:
        """What is not everywhere yet, in a few words; empty when nothing is."""
        for store in self.stores:
            head = store.head()
            for other in self.stores:
                if other is store:
                    continue
                copies = {} if other.others is None else {one.journal: one for one in other.others.copies()}
                found = copies.get(head.journal)
                if found is not None and (found.problem or found.forked_at):
                    return f"{other.letter} refuses {store.letter}: {found.problem} (forked at {found.forked_at})"
                have = 0 if found is None else found.seq
                if have != head.seq:
                    return f"{other.letter} has {have} of {head.seq} of {store.letter}"
        return ""

    def check(self) -> None:
        """Raises AssertionError. Everybody must have everything by now."""
        everywhere = self._everywhere()
        for store, entries in zip(self.stores, everywhere, strict=True):
            refs = [one.id for one in entries]
            assert len(refs) == len(set(refs)), f"an entry is twice on {store.letter}"
            assert entries == everywhere[0], f"{store.letter} has another history than {self.stores[0].letter}"
            texts = {one.id: one.text for one in entries}
            lost = [ref for ref, text in self.acknowledged.items() if texts.get(ref) != text]
            assert not lost, f"acknowledged and not on {store.letter}: {lost[:5]}"
            assert not any(texts[ref] for ref in self.purged), f"{store.letter} shows what was purged"
            assert store.verify().ok
            _check_copies(store)

    def _everywhere(self) -> list[list[Entry]]:
        """All entries of each, in order, of a moment in which nobody wrote: a watch that lives still has purges to
        carry out and gaps to tell of."""
        for _ in range(400):
            heads = [store.head() for store in self.stores]
            if not self.missing():
                found = [sorted(_all_of(store), key=lambda one: one.order) for store in self.stores]
                if heads == [store.head() for store in self.stores] and not self.missing():
                    return found
            time.sleep(0.05)
        raise AssertionError(f"it does not come to rest: {self.missing()}")

    def close(self) -> None:
        for store in self.stores:
            store.close()

    def traces(self, directories: Sequence[Path]) -> list[str]:
        """Files that still hold a purged text. Ask after `close` and when nobody else has the files open."""
        texts = [text.encode() for text in self.purged.values()]
        found = []
        for directory in directories:
            for path in directory.rglob("*.db*"):
                raw = path.read_bytes()
                found += [f"{path}: {text.decode()}" for text in texts if text in raw]
        return found


def _purged(store: Store, ref: Ref) -> Entry:
    """As a person does it: where a reader stood in the way of emptying the log, the same again."""
    for _ in range(200):
        try:
            return store.purge(ref, author=Author("ana"), reason="a password")
        except JournalError as error:
            assert error.transient, error.sentence
            time.sleep(0.05)
    raise AssertionError(f"{store.handle(ref)} cannot be purged")


def _all_of(store: Store) -> list[Entry]:
    """By the cursor, in pieces, as a screen reads."""
    found: list[Entry] = []
    cursor = START
    while True:
        entries, cursor = store.read_all(cursor, 500)
        if not entries:
            return found
        found += entries


def _check_copies(store: Store) -> None:
    assert store.others is not None
    for copy in store.others.copies():
        previous = chain.GENESIS
        for number, record in enumerate(store.others.records(copy.journal, 1, copy.seq), start=1):
            assert record.seq == number
            assert record.link == chain.link(previous, record.journal, record.seq, record.commitment)
            assert record.purged or chain.commitment(record.salt, record.body) == record.commitment
            previous = record.link
        assert previous.hex() == copy.link and not copy.waiting


def play(
    seed: int,
    directories: Sequence[Path],
    transport: Transport,
    *,
    entries: int,
    dark: Callable[[], None] = lambda: None,
) -> History:
    """Play one schedule until `entries` were acknowledged in all, mend everything, and check. `dark` ends what still
    has the files open, before they are searched for purged texts."""
    dice = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz"
    stores = [Store.open(one, letter=letter) for one, letter in zip(directories, letters, strict=False)]
    history = History(stores, dice)
    count = len(directories)
    dead: set[int] = set()
    cut: set[tuple[int, int]] = set()
    pairs = list(combinations(range(count), 2))
    left = entries
    while left > 0:
        roll = dice.random()
        one = dice.randrange(count)
        if roll < 0.55:
            left -= history.append(one, left)
        elif roll < 0.65 and (pair := dice.choice(pairs)) not in cut:
            cut.add(pair)
            transport.cut(*pair)
        elif roll < 0.73 and cut:
            pair = dice.choice(sorted(cut))
            cut.remove(pair)
            transport.heal(*pair)
        elif roll < 0.78 and one not in dead:
            dead.add(one)
            transport.kill(one)
        elif roll < 0.85 and dead:
            one = dice.choice(sorted(dead))
            dead.remove(one)
            transport.revive(one)
        elif roll < 0.88:
            history.purge(one)
        else:
            transport.step()
    for pair in sorted(cut):
        transport.heal(*pair)
    for one in sorted(dead):
        transport.revive(one)
    for _ in range(PATIENCE):
        if not history.missing():
            break
        transport.step()
    assert not history.missing(), f"not everywhere in the end: {history.missing()}; play it again with SEED={seed}"
    history.check()
    history.close()
    dark()
    assert not history.traces(directories), history.traces(directories)
    return history
