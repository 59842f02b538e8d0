"""What came from another bastion, by whatever way: the one function that every transport calls.

A purge reaches everywhere: an order of another bastion about an entry of the own journal is carried out here, under an
order of the own journal, since only that is covered by its chain; an order written here reaches the copies. What a
crash or a reader in the way left is done by the next call.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec

from incident_tui.incident.entry import Entry, Ref
from incident_tui.journal import notify
from incident_tui.journal.errors import JournalError
from incident_tui.journal.purge import KEY, clean_caches, purge
from incident_tui.journal.record import Record

if TYPE_CHECKING:
    from incident_tui.journal.others import Taken
    from incident_tui.journal.store import Store

_ORDERED: Final = "SELECT key, seq FROM keys WHERE key > ? AND key < ? AND length(key) > ?"
_JOURNAL: Final = 16


def take_in(store: Store, records: Sequence[Record], now: datetime) -> Taken:
    """Take in records of other journals, in any order, any of them for the second time; idempotent.

    Readers are woken when something became visible. What was refused is in `Taken.refused`, a purge that could not be
    done yet in `Taken.problems`, each a sentence; neither stops the rest. Raises JournalError when the copies cannot be
    written; then nothing was taken.
    """
    taken = store.make_others().take(records, now)
    problems = settle(store)
    if taken.purged:
        try:
            clean_caches(store)
        except JournalError as error:
            problems.append(error.sentence)
    if taken.entries or taken.purged:
        notify.ring(store.place.directory)
    return msgspec.structs.replace(taken, problems=tuple(problems))


def settle(store: Store) -> list[str]:
    """Carry out the orders that were not carried out yet: of others about own entries, and of the own journal about
    copies. Returns a sentence for each that has to wait; never raises JournalError."""
    others = store.others
    if others is None:
        return []
    problems: list[str] = []
    try:
        for order in others.orders_of_own():
            problems += _carry_out(store, order)
        for ref, by in _orders_of_copies(store):
            if not others.ordered(ref, by):
                others.order(ref, by)
                clean_caches(store)
    except JournalError as error:
        problems.append(error.sentence)
    return problems


def _carry_out(store: Store, order: Entry) -> list[str]:
    """Purge the own entry that `order` names. What this journal does not have (any more) waits until it has it."""
    if order.ref is None or store.get(order.ref) is None:
        return []
    try:
        purge(store, order.ref, order.author, order.text, order.id)
        store.make_others().carried_out(order)
    except JournalError as error:
        return [error.sentence]
    return []


def _orders_of_copies(store: Store) -> list[tuple[Ref, Ref]]:
    """(what should be destroyed, by which entry of the own journal)."""
    with store.guard:
        rows = store.connection.execute(_ORDERED, (KEY, KEY[:-1] + ".", len(KEY) + _JOURNAL)).fetchall()
    parts = [(key[len(KEY) :].split("-"), seq) for key, seq in rows]
    return [(Ref(words[0], int(words[1])), Ref(store.journal, seq)) for words, seq in parts if len(words) == 2]
