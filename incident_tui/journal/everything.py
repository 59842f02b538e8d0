"""The own journal and the copies of others as one: entries of all, handles of all. For `Store`, which delegates here.

Fold order is by time, whatever the order of arrival; a reader goes on from a `Cursor`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from incident_tui.incident.entry import Entry, Ref
from incident_tui.journal.chain import Head
from incident_tui.journal.errors import JournalError

if TYPE_CHECKING:
    from incident_tui.journal.others import Copy
    from incident_tui.journal.store import Store

PREFIX: Final = 6
"""Digits of a journal's id in a handle where its letter does not say which it is (9f3c2e:17)."""


class Cursor(msgspec.Struct, frozen=True, array_like=True, order=True):
    """How far somebody has read: the number of the own journal, and of what arrived from others."""

    own: int = 0
    others: int = 0


START: Final = Cursor()
LATE: Final = timedelta(minutes=2)
"""An entry that took longer from another bastion is said to have come late."""


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """A cursor that can be kept on disk: `cursor` believes it only when it is of these very files."""

    head: Head
    others: int = 0
    edition: int = 0
    """Of the copies: they are other ones when it is another number."""


def read(store: Store, after: Cursor, limit: int | None = None) -> tuple[list[Entry], Cursor]:
    """Entries after `after`, own ones first, at most `limit`, and where to go on. Copies that cannot be read leave the
    own journal readable; `Store.others_problem` then says why they are missing."""
    entries = store.read(after.own, limit)
    own = entries[-1].seq if entries else after.own
    others, left = store.others, None if limit is None else limit - len(entries)
    if others is None or left == 0:
        return entries, Cursor(own, after.others)
    try:
        more, arrived = others.read(after.others, left)
    except JournalError as error:
        store.others_problem = error.sentence
        return entries, Cursor(own, after.others)
    store.others_problem = ""
    return entries + more, Cursor(own, arrived)


def came_late(store: Store, entries: Sequence[Entry], after: Cursor, until: Cursor) -> dict[Ref, datetime]:
    """When those of `entries`, read from `after` to `until`, arrived here that others could read long before."""
    if store.others is None or after.others == until.others:
        return {}
    came = dict(store.others.came(after.others, until.others))
    return {one.id: came[one.id] for one in entries if one.id in came and came[one.id] - one.recorded_at > LATE}


def mark(store: Store, at: Cursor) -> Mark | None:
    """`at`, to be kept; None when nothing was read."""
    head = store.head_at(at.own)
    others = store.others
    if head is None:
        return None
    return Mark(head) if others is None else Mark(head, at.others, others.edition)


def cursor(store: Store, kept: Mark) -> Cursor | None:
    """Where to go on from a mark; None when it is of another chain, or of other copies."""
    others = store.others
    here = (0, 0) if others is None else (others.edition, others.arrivals())
    if kept.head != store.head_at(kept.head.seq) or kept.edition != here[0] or kept.others > here[1]:
        return None
    return Cursor(kept.head.seq, kept.others)


def end(store: Store) -> tuple[Cursor, int]:
    """Where all that is here now ends, and how many entries that is: journals have no holes."""
    others = store.others
    arrived = 0 if others is None else others.arrivals()
    own = store.head().seq
    return Cursor(own, arrived), own + sum(copy.seq for copy in copies_of(store))


def copies_of(store: Store) -> list[Copy]:
    """How far each copy is; none while they cannot be read."""
    try:
        return store.others.copies() if store.others is not None else []
    except JournalError as error:
        store.others_problem = error.sentence
        return []


class Part(msgspec.Struct, frozen=True):
    """One of the journals of which everything here is made."""

    name: str
    """How its handles begin, without the colon."""
    head: Head
    missing: int = 0
    """Entries known to exist that have not arrived."""
    problem: str = ""
    """Why nothing more is taken from it, or what was refused last; a sentence."""


def parts(store: Store) -> tuple[Part, ...]:
    """The own journal and those of others, in the same order on every bastion."""
    names = {journal: name.rstrip(":") for journal, name in letters(store).items()}
    found = [Part(names[one.journal], one.head, one.behind, one.problem) for one in copies_of(store)]
    return tuple(sorted([Part(store.letter, store.head()), *found], key=lambda one: (one.name, one.head.journal)))


def letters(store: Store) -> dict[str, str]:
    """Journal id -> how its handles begin. A letter is the own journal's, or of the only other one that has it."""
    found = {store.journal: store.letter}
    if store.others is None:
        return found
    pairs = store.others.letters()
    for journal, letter in pairs:
        alone = letter != store.letter and sum(one == letter for _, one in pairs) == 1
        found[journal] = letter if alone else f"{journal[:PREFIX]}:"
    return found


def handle(known: Mapping[str, str], ref: Entry | Ref) -> str:
    """The short name of an entry: "a17", "b3", or with digits of the journal's id where letters collide. `known`: as
    `letters` gives it."""
    return f"{known.get(ref.journal) or f'{ref.journal[:PREFIX]}:'}{ref.seq}"


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
