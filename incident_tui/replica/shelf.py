"""The journal of this bastion and its copies of others', as an exchange sees them. See `exchange.Shelf`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from incident_tui.journal.record import Record, own_records
from incident_tui.journal.recover import recover
from incident_tui.journal.store import Store
from incident_tui.journal.take_in import take_in
from incident_tui.replica.exchange import Took
from incident_tui.replica.frames import Held


class StoreShelf:
    """For one thread at a time, as the store is."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def held(self) -> list[Held]:
        store = self._store
        head = store.head()
        own = Held(store.journal, store.letter, head.seq, bytes.fromhex(head.hash), head.seq)
        copies = [] if store.others is None else store.others.copies()
        return [
            own,
            *(
                Held(one.journal, one.letter, one.seq, bytes.fromhex(one.link), max(one.told, one.seq), one.forked_at)
                for one in copies
            ),
        ]

    def link_at(self, journal: str, seq: int) -> bytes | None:
        store = self._store
        if journal == store.journal:
            head = store.head_at(seq)
        else:
            head = None if store.others is None else store.others.head_at(journal, seq)
        return None if head is None else bytes.fromhex(head.hash)

    def records(self, journal: str, first: int, last: int, limit: int) -> list[Record]:
        if journal == self._store.journal:
            return own_records(self._store, first, last, limit)
        return [] if self._store.others is None else self._store.others.records(journal, first, last, limit)

    def take(self, records: Sequence[Record]) -> Took:
        taken = take_in(self._store, records, self._clock())
        journal = records[0].journal
        seq = next((one.seq for one in self._store.make_others().copies() if one.journal == journal), 0)
        return Took(seq, taken.refused)

    def recover(self, records: Sequence[Record]) -> Took:
        recover(self._store, records)
        return Took(self._store.head().seq)

    def tell(self, held: Sequence[Held]) -> None:
        """What is known already is not written again."""
        others = self._store.make_others()
        known = {one.journal: one.told for one in others.copies()}
        for one in held:
            if known.get(one.journal, -1) < max(one.told, one.seq):
                others.tell(one.journal, one.letter, max(one.told, one.seq), self._clock())
