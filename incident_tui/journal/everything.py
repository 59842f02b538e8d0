"""The own journal and the copies of others as one: entries of all, handles of all. For `Store`, which delegates here.

Fold order is by time, whatever the order of arrival; a reader goes on from a `Cursor`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from incident_tui.incident.entry import Entry, Ref

if TYPE_CHECKING:
    from incident_tui.journal.store import Store

PREFIX: Final = 6
"""Digits of a journal's id in a handle where its letter does not say which it is (9f3c2e:17)."""


class Cursor(msgspec.Struct, frozen=True, array_like=True, order=True):
    """How far somebody has read: the number of the own journal, and of what arrived from others."""

    own: int = 0
    others: int = 0


START: Final = Cursor()


def read(store: Store, after: Cursor, limit: int | None = None) -> tuple[list[Entry], Cursor]:
    """Entries after `after`, own ones first, at most `limit`, and where to go on."""
    entries = store.read(after.own, limit)
    own = entries[-1].seq if entries else after.own
    others, left = store.others, None if limit is None else limit - len(entries)
    if others is None or left == 0:
        return entries, Cursor(own, after.others)
    more, arrived = others.read(after.others, left)
    return entries + more, Cursor(own, arrived)


def letters(store: Store) -> dict[str, str]:
    """Journal id -> how its handles begin. A letter is the own journal's, or of the only other one that has it."""
    found = {store.journal: store.letter}
    if store.others is None:
        return found
    copies = store.others.copies()
    for copy in copies:
        alone = copy.letter != store.letter and sum(one.letter == copy.letter for one in copies) == 1
        found[copy.journal] = copy.letter if alone else f"{copy.journal[:PREFIX]}:"
    return found


def handle(store: Store, ref: Entry | Ref) -> str:
    """The short name of an entry: "a17", "b3", or with digits of the journal's id where letters collide."""
    if ref.journal == store.journal:
        return f"{store.letter}{ref.seq}"
    return f"{letters(store).get(ref.journal, f'{ref.journal[:PREFIX]}:')}{ref.seq}"


def find(store: Store, text: str) -> Ref | None:
    """What a handle refers to (any case; a17, #a17, 9f3c2e:17), whether or not there is such an entry."""
    text = text.strip().lstrip("#").lower()
    prefix, colon, number = text.partition(":") if ":" in text else (text[:1], "", text[1:])
    if not (number.isascii() and number.isdigit()) or len(number) > 15:
        return None
    if not colon and prefix == store.letter:
        return Ref(store.journal, int(number))
    known = letters(store)
    fitting = [one for one in known if one.startswith(prefix)] if colon and len(prefix) >= PREFIX else []
    if not colon:
        fitting = [one for one, letter in known.items() if letter == prefix]
    return Ref(fitting[0], int(number)) if len(fitting) == 1 else None
