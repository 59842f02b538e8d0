"""Entries of this journal and of the copies of others in one file, to be carried to a bastion that cannot be reached.

A line of JSON (`Head`), then the records as `record.encode` makes them, in an array. The first line has the SHA-256 of
what follows, so that a file that was cut or damaged is refused as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec

from incident_tui.incident.entry import Entry, Ref
from incident_tui.journal.chain import sha256
from incident_tui.journal.errors import JournalError
from incident_tui.journal.record import Record, decode_many, encoder, own_records
from incident_tui.journal.store import Store

FORMAT: Final = "incident-tui records 1"
START: Final = f'{{"format":"{FORMAT[:-1]}'
"""How each such file begins, whatever its version."""


class Told(msgspec.Struct, frozen=True, array_like=True):
    """Up to which number a journal is known to go: what is not in the file is missing, and known to be."""

    journal: str
    letter: str
    seq: int


class Head(msgspec.Struct, frozen=True):
    """The first line."""

    format: str
    generated_at: datetime
    by: str
    """The journal of the bastion that wrote it."""
    count: int
    told: tuple[Told, ...]
    sha256: str


def write(store: Store, since: datetime | Ref | None, now: datetime) -> tuple[Head, bytes]:
    """The file: of each journal what was recorded from `since` on, without a hole, purged entries as what was kept of
    them. A handle stands for its entry's time, and in its own journal for itself. Raises JournalError."""
    others = store.others
    told = [Told(store.journal, store.letter, store.head().seq)]
    told += [Told(one.journal, one.letter, max(one.seq, one.told)) for one in (others.copies() if others else ())]
    first = _firsts(store, since)
    records = own_records(store, first.get(store.journal, 1 << 60), 1 << 60)
    for one in told[1:]:
        if others is not None and one.journal in first:
            records += others.records(one.journal, first[one.journal], 1 << 60)
    body = encoder.encode(records)
    head = Head(FORMAT, now, store.journal, len(records), tuple(told), sha256(body).hexdigest())
    return head, msgspec.json.encode(head) + b"\n" + body


def _firsts(store: Store, since: datetime | Ref | None) -> dict[str, int]:
    """Of each journal the number from which on it is taken; none of a journal of which nothing is."""
    entries, _ = store.read_all()
    first: dict[str, int] = {}
    about = None
    if isinstance(since, Ref):
        about = store.get(since)
        if about is None:
            raise JournalError(f"there is no entry {store.handle(since)} here.")
    begin = about.recorded_at if about is not None else since
    for entry in _from(entries, begin if isinstance(begin, datetime) else None):
        first[entry.journal] = min(first.get(entry.journal, entry.seq), entry.seq)
    if about is not None:
        first[about.journal] = about.seq
    return first


def _from(entries: Iterable[Entry], since: datetime | None) -> Iterable[Entry]:
    return (entry for entry in entries if since is None or entry.recorded_at >= since)


def read(data: bytes) -> tuple[Head, list[Record]]:
    """Raises JournalError when it is not whole, was altered, or is of another version."""
    line, _, body = data.partition(b"\n")
    try:
        head = msgspec.json.decode(line, type=Head)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise JournalError("its first line is damaged: copy the file again.") from None
    if head.format != FORMAT:
        raise JournalError(f"it is of the format {head.format[:60]!r}; this program reads {FORMAT!r}.")
    if sha256(body).hexdigest() != head.sha256:
        raise JournalError("it was cut or altered: copy the file again. Nothing of it was taken.")
    records = decode_many(body)
    if len(records) != head.count:
        raise JournalError(f"it says {head.count} entries and has {len(records)}: it was altered.")
    return head, records
