"""Bringing back what other bastions hold of this journal after it was restored from an older copy.

Only what follows the last entry here without a hole, and closes its chain, is added. What cannot come back are the
keys of appends. Alerts, messages of chat, imports and reminders are known by what their entries say, without a key. A
`/inc` line that a chat delivers for the second time would be carried out for the second time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from incident_tui.incident.entry import Entry, Kind
from incident_tui.journal import chain, notify
from incident_tui.journal.errors import JournalError
from incident_tui.journal.extend import extend
from incident_tui.journal.record import Record
from incident_tui.journal.taking import problem_of

if TYPE_CHECKING:
    from incident_tui.journal.store import Store


def recover(store: Store, records: Sequence[Record]) -> int:
    """Add these records, in order; returns how many were not here. Raises JournalError when they are not of this
    journal, do not follow what is here, or cannot be saved; then nothing was added."""
    store.check_writable()
    db = store.connection
    with store.guard:
        db.execute("BEGIN IMMEDIATE")
        try:
            head = store.head()
            records = [one for one in records if one.seq > head.seq]
            previous, epoch = bytes.fromhex(head.hash), store.epoch()
            for number, record in enumerate(records, start=head.seq + 1):
                entry = _checked(store, record, number, previous)
                previous = record.link
                if entry.kind is Kind.LEASE and isinstance(said := entry.data.get("epoch"), int):
                    epoch = max(epoch, min(said, 1 << 53))
            extend(store, head.seq, map(_row, records), (), _tombstones(records), epoch)
            db.execute("COMMIT")
        except BaseException:
            store.rollback()
            raise
    if records:
        notify.ring(store.place.directory)
    return len(records)


def _checked(store: Store, record: Record, number: int, previous: bytes) -> Entry:
    found = problem_of(record, previous) if record.seq == number else "one before it is missing."
    if record.journal == store.journal and isinstance(found, Entry):
        return found
    why = found if isinstance(found, str) else f"it is of journal {record.journal[:40]}."
    raise JournalError(
        f"entry {store.letter}{record.seq} does not follow what is here, so nothing was recovered from there: {why} "
        "If this journal was written to since it was restored, it cannot become one with the other again."
    )


def _row(record: Record) -> tuple[int, bytes, bytes, bytes, bytes]:
    salt, body = (bytes(chain.SALT_BYTES), bytes(record.length)) if record.purged else (record.salt, record.body)
    return record.seq, record.commitment, record.link, salt, body


def _tombstones(records: Sequence[Record]) -> list[tuple[int, int, bytes]]:
    return [(one.seq, one.by, one.kept) for one in records if one.purged]
