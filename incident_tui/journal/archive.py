"""A whole journal as one JSON document, and an identical journal made of it elsewhere. The format is published.

`entries` hold each body as the exact text that was stored, with its salt, commitment and link, so that whoever reads
the document can check the chain (`journal.chain`) without this program. Of a purged entry there is no body and no salt,
only how long it was; `tombstones` have what was kept of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import msgspec

from incident_tui.journal import notify
from incident_tui.journal.chain import Head
from incident_tui.journal.errors import JournalError
from incident_tui.journal.extend import extend
from incident_tui.journal.purge import clean
from incident_tui.journal.store import Store
from incident_tui.journal.verify import verify_rows

FORMAT: Final = "incident-tui journal 1"
START: Final = f'{{"format":"{FORMAT}"'
"""How each such document begins."""

FIELDS: Final = {
    "format": f'always "{FORMAT}"',
    "generated_at": "when this was made",
    "journal": "its id: 16 hex digits",
    "letter": "of its handles",
    "created": "when it was made",
    "epoch": "of the lease of its watch",
    "head": "as `incident-tui verify` takes it: JOURNAL:NUMBER:HASH",
    "entries": "by number: `seq`, `commitment`, `link`, `salt` (hex), `body` (the text that was stored, itself JSON of "
    "incident.entry.Entry), or `length` without salt and body for one that was purged",
    "tombstones": "of purged entries: `seq`, `by_seq` (the entry that ordered it), `kept` (what was kept, as JSON)",
    "keys": "idempotency keys: `key`, `seq`, `count`",
}
"""The top-level fields, in order."""


class _Row(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    seq: int
    commitment: str
    link: str
    salt: str = ""
    body: str = ""
    length: int = 0

    def stored(self) -> tuple[int, bytes, bytes, bytes, bytes]:
        """As the table has it. Raises ValueError."""
        committed, link = bytes.fromhex(self.commitment), bytes.fromhex(self.link)
        if not self.length:
            return self.seq, committed, link, bytes.fromhex(self.salt), self.body.encode()
        if not 0 < self.length < 1 << 26:
            raise ValueError("its length is no length")
        return self.seq, committed, link, bytes(16), bytes(self.length)


class _Tombstone(msgspec.Struct, frozen=True, gc=False):
    seq: int
    by_seq: int
    kept: str


class _Key(msgspec.Struct, frozen=True, gc=False):
    key: str
    seq: int
    count: int


class Archive(msgspec.Struct, frozen=True):
    """The document, read."""

    format: str
    journal: str
    letter: str
    created: str
    epoch: int
    head: str
    entries: list[_Row]
    tombstones: list[_Tombstone]
    keys: list[_Key]


def write(store: Store, now: datetime) -> Iterator[str]:
    """The document in pieces, as the journal is at this moment: a line an entry. Raises JournalError."""
    db = store.connection
    with store.guard:
        db.execute("BEGIN")
        try:
            meta = dict(db.execute("SELECT key, value FROM meta").fetchall())
            head = {"format": FORMAT, "generated_at": now, "journal": store.journal, "letter": store.letter}
            head |= {"created": meta["created"], "epoch": int(meta["epoch"]), "head": str(store.head())}
            yield _json(head)[:-1] + ',"entries":['
            entries = (
                "SELECT e.seq, commitment, link, salt, body, t.seq FROM entries e LEFT JOIN tombstones t USING (seq)"
            )
            yield from _listed(_row(*row) for row in db.execute(f"{entries} ORDER BY e.seq"))
            yield '],\n"tombstones":['
            tombstones = db.execute("SELECT seq, by_seq, kept FROM tombstones ORDER BY seq")
            yield from _listed(_Tombstone(seq, by, kept.decode()) for seq, by, kept in tombstones)
            yield '],\n"keys":['
            yield from _listed(_Key(*row) for row in db.execute("SELECT key, seq, count FROM keys ORDER BY seq, key"))
            yield "]}\n"
        finally:
            store.rollback()


def _row(seq: int, committed: bytes, link: bytes, salt: bytes, body: bytes, purged: int | None) -> _Row:
    if purged is not None:
        return _Row(seq, committed.hex(), link.hex(), length=len(body))
    return _Row(seq, committed.hex(), link.hex(), salt.hex(), body.decode())


def _listed(rows: Iterator[Any]) -> Iterator[str]:
    for number, row in enumerate(rows):
        yield ("\n" if number == 0 else ",\n") + _json(row)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def read(text: str | bytes, heads: tuple[Head, ...] = ()) -> Archive:
    """The document, after its chain was checked, also against `heads` recorded elsewhere. Raises JournalError naming
    what does not fit."""
    try:
        archive = msgspec.json.decode(text, type=Archive)
        if archive.format != FORMAT:
            raise JournalError(f"it is of the format {archive.format[:60]!r}; this program reads {FORMAT!r}.")
        if len(archive.letter) != 1 or not "a" <= archive.letter <= "z":
            raise JournalError("its letter is none of a to z: it was altered.")
        head = Head.parse(archive.head)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise JournalError(f"it is no whole journal ({error}): it was cut or altered.") from None
    except ValueError as error:
        raise JournalError(f"it was altered: {error}.") from None
    kept = {one.seq: (one.by_seq, one.kept.encode()) for one in archive.tombstones}
    for row in archive.entries:
        if (row.seq in kept) != bool(row.length):
            raise JournalError(f"it was altered: entry {row.seq} is purged in one place and not in another.")
    rows = [(*_stored(row), *kept.get(row.seq, (None, None))) for row in archive.entries]
    last = max((one.seq + one.count - 1 for one in archive.keys), default=0)
    verdict = verify_rows(archive.journal, rows, (head, *heads), last)
    if not verdict.ok:
        more = f" (and {len(verdict.problems) - 1} more)" if len(verdict.problems) > 1 else ""
        raise JournalError(f"it was altered or damaged: {verdict.problems[0].sentence}{more} Nothing was imported.")
    return archive


def _stored(row: _Row) -> tuple[int, bytes, bytes, bytes, bytes]:
    try:
        return row.stored()
    except (ValueError, UnicodeError) as error:
        raise JournalError(f"it was altered: entry {row.seq} cannot be read ({error}).") from None


def restore(store: Store, archive: Archive) -> int:
    """Make the journal identical: all of it into an empty one, into the same journal what that does not have yet.

    Returns how many entries were added. One durable transaction. Raises JournalError when this is another journal, or
    when both were written to and have gone different ways; then nothing was changed.
    """
    store.check_writable()
    db = store.connection
    with store.guard:
        db.execute("BEGIN IMMEDIATE")
        try:
            last = store.head().seq
            if last and store.journal != archive.journal:
                raise JournalError(
                    f"{store.place.directory} holds another journal ({store.journal}), and this is {archive.journal}. "
                    "Name an empty directory with --journal."
                )
            _same_so_far(store, archive, last)
            if not last:
                meta = {"journal": archive.journal, "letter": archive.letter, "created": archive.created}
                meta["epoch"] = str(archive.epoch)
                db.executemany("INSERT OR REPLACE INTO meta(key, value) VALUES (?, ?)", list(meta.items()))
            new = [_stored(row) for row in archive.entries if row.seq > last]
            keys = [(one.key, one.seq, one.count) for one in archive.keys if one.seq > last]
            tombstones = [(one.seq, one.by_seq, one.kept.encode()) for one in archive.tombstones]
            purged = extend(store, last, new, keys, tombstones, archive.epoch) if new else []
            db.execute("COMMIT")
        except BaseException:
            store.rollback()
            raise
    for seq in purged:
        clean(store, seq)
    notify.ring(store.place.directory)
    return len(new)


def _same_so_far(store: Store, archive: Archive, last: int) -> None:
    """Raise JournalError where the two differ in what both have."""
    links = store.connection.execute(
        "SELECT seq, link FROM entries WHERE seq <= ? ORDER BY seq", (len(archive.entries),)
    )
    for seq, link in links:
        if archive.entries[seq - 1].link != link.hex():
            raise JournalError(
                f"entry {store.letter}{seq} is another one here: both copies of this journal were written to. "
                "Nothing was imported. Name an empty directory with --journal to keep both."
            )
