"""The journal file: SQLite in WAL mode with synchronous=FULL. One durable transaction for each append.

The stored form is final (schema 1):

    meta(key, value)                               schema, journal, letter, created, epoch
    entries(seq, commitment, link, salt, body)     numbered from 1 without a hole; `chain` says what is hashed
    tombstones(seq, by_seq, kept)                  for a purged entry: which entry ordered it, and what was kept
    keys(key, seq, count)                          idempotency: which entries an append with this key stored

`body` is the JSON of `Entry`. Purging overwrites salt and body in place with zeros of the same length, so that no
page is rebalanced and no copy of an older row stays behind; the tombstone is the JSON of what was kept, and its
SHA-256 is in `data` of the purge entry, so that the chain covers it. A store is for one thread at a time.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec

from incident_tui.incident.entry import Author, Draft, Entry, Ref, utc
from incident_tui.journal import chain, notify
from incident_tui.journal.chain import Head, Verdict
from incident_tui.journal.connection import Guard, connect, has_content, identity, open_for_reading, set_wal
from incident_tui.journal.errors import (
    Corrupt,
    JournalError,
    Locked,
    NotThere,
    StaleEpoch,
    not_there,
)
from incident_tui.journal.place import Place, StrPath, open_place, precreate
from incident_tui.journal.schema import SCHEMA, check_schema, create_schema

if TYPE_CHECKING:
    from incident_tui.journal.everything import Cursor
    from incident_tui.journal.others import Others

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    return datetime.now(UTC)


_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(Entry)


class Store:
    """One journal, opened. Use `Store.open`."""

    def __init__(
        self, place: Place, connection: sqlite3.Connection, clock: Clock, read_only: JournalError | None
    ) -> None:
        self.place = place
        self.path = place.journal
        self.read_only = read_only
        """Why nothing can be appended; None when it can."""
        self.connection = connection
        self.clock = clock
        self.guard = Guard(self.path)
        with self.guard:
            meta = dict(connection.execute("SELECT key, value FROM meta").fetchall())
            self._file = identity(self.path)
        self.journal: str = meta.get("journal", "")
        self.letter: str = meta.get("letter", "a")
        self._others: Others | None = None
        self.others_problem = ""
        """Why the copies of other bastions' journals cannot be read, as a sentence: what is shown lacks them."""

    @classmethod
    def open(cls, directory: StrPath, *, letter: str = "a", clock: Clock = system_clock, create: bool = True) -> Store:
        """The journal in `directory`. `letter` (one of a-z) counts only when the journal is made now.

        A journal that cannot be written is opened for reading; `append` then raises the reason. Raises JournalError:
        NotThere when it is missing and `create` is false, NetworkFilesystem, Corrupt, FromTheFuture, Locked, Full.
        """
        if len(letter) != 1 or not "a" <= letter <= "z":
            raise JournalError(f"the letter of a journal is one of a to z, not {letter!r}. Set `letter` in [journal].")
        place = open_place(directory, create=create)
        path = place.journal
        if not os.path.exists(path) and not create:
            raise NotThere(
                f"there is no journal at {place.directory}. Name its directory with --journal.", transient=False
            )
        read_only: JournalError | None = None
        connection: sqlite3.Connection | None = None
        try:
            precreate(path)
            connection = connect(path)
            with Guard(path):
                set_wal(connection, path)
                create_schema(connection, letter, clock)
                check_schema(connection, path, clock)
        except JournalError as error:
            if connection is not None:
                connection.close()
            if isinstance(error, Locked) or not error.transient or not has_content(path):
                raise
            read_only = error
            connection = open_for_reading(path, error)
            with Guard(path):
                check_schema(connection, path, clock, migrate=False)
        return cls(place, connection, clock, read_only)

    def append(self, drafts: Sequence[Draft], *, key: str, epoch: int | None = None) -> list[Entry]:
        """Store `drafts` in one durable transaction and return them as entries, numbered without a hole.

        `key` makes it idempotent: when an append with this key was stored before, its entries are returned and
        nothing is written. It must not be made from the text, which may be purged. With `epoch`, raises StaleEpoch
        when the lease has moved since. Raises JournalError; then nothing was stored, or the key will show it.
        """
        if not key:
            raise JournalError("an append needs a key, so that it can be repeated safely.")
        if not drafts:
            return []
        self.check_writable()
        db = self.connection
        with self.guard:
            db.execute("BEGIN IMMEDIATE")
            try:
                known = db.execute("SELECT seq, count FROM keys WHERE key = ?", (key,)).fetchone()
                if known is None:
                    self._fence(epoch)
                    entries = self.insert(drafts, key)
                    db.execute("COMMIT")
                else:
                    db.execute("ROLLBACK")
            except BaseException:
                self.rollback()
                raise
        if known is not None:
            return self._between(known[0], known[0] + known[1] - 1)
        self._same_file()
        notify.ring(self.place.directory)
        return entries

    def append_each(self, pairs: Sequence[tuple[Draft, str]], *, epoch: int | None = None) -> list[Entry]:
        """Store each draft under its own key, all in one durable transaction, and return the entry of each, in order.

        Where much comes at once, each with a key by which it may come again: what a key stored before is returned and
        not stored again. Keys, `epoch` and errors are as in `append`; after an error nothing was stored.
        """
        if not all(key for _, key in pairs):
            raise JournalError("an append needs a key, so that it can be repeated safely.")
        if not pairs:
            return []
        self.check_writable()
        db = self.connection
        found: list[Entry | int] = []
        with self.guard:
            db.execute("BEGIN IMMEDIATE")
            try:
                self._fence(epoch)
                for draft, key in pairs:
                    known = db.execute("SELECT seq FROM keys WHERE key = ?", (key,)).fetchone()
                    found.append(self.insert([draft], key)[0] if known is None else int(known[0]))
                db.execute("COMMIT")
            except BaseException:
                self.rollback()
                raise
        self._same_file()
        notify.ring(self.place.directory)
        return [one if isinstance(one, Entry) else self._between(one, one)[0] for one in found]

    def _fence(self, epoch: int | None) -> None:
        meta = dict(self.connection.execute("SELECT key, value FROM meta WHERE key IN ('epoch', 'schema')").fetchall())
        if meta.get("schema") != str(SCHEMA):
            check_schema(self.connection, self.path, self.clock, migrate=False)
        if epoch is not None and meta.get("epoch") != str(epoch):
            raise StaleEpoch(
                f"the lease of {self.place.directory} has moved on: epoch {epoch} ended, now {meta.get('epoch')}. "
                "This process must stop writing for the watch."
            )

    def insert(self, drafts: Sequence[Draft], key: str) -> list[Entry]:
        """Number, chain and insert inside the transaction the caller holds. For this room only."""
        db = self.connection
        last = db.execute("SELECT seq, link FROM entries ORDER BY seq DESC LIMIT 1").fetchone()
        seq, previous = last if last is not None else (0, chain.GENESIS)
        now = utc(self.clock())
        entries: list[Entry] = []
        rows: list[tuple[int, bytes, bytes, bytes, bytes]] = []
        for draft in drafts:
            seq += 1
            entry = Entry(
                journal=self.journal,
                seq=seq,
                kind=draft.kind,
                at=utc(draft.at),
                recorded_at=now,
                author=draft.author,
                text=draft.text,
                incident=draft.incident,
                source=draft.source,
                data=draft.data,
                ref=draft.ref,
                seen=draft.seen,
            )
            body = _encoder.encode(entry)
            salt = os.urandom(chain.SALT_BYTES)
            committed = chain.commitment(salt, body)
            previous = chain.link(previous, self.journal, seq, committed)
            entries.append(entry)
            rows.append((seq, committed, previous, salt, body))
        db.executemany("INSERT INTO entries(seq, commitment, link, salt, body) VALUES (?, ?, ?, ?, ?)", rows)
        db.execute("INSERT INTO keys(key, seq, count) VALUES (?, ?, ?)", (key, entries[0].seq, len(entries)))
        return entries

    def read(self, after: int = 0, limit: int | None = None) -> list[Entry]:
        """Entries with a number above `after`, in order, at most `limit`. No transaction stays open."""
        if limit is not None and limit <= 0:
            return []
        with self.guard:
            rows = self.connection.execute(
                _READ + "e.seq > ? ORDER BY e.seq LIMIT ?", (after, -1 if limit is None else limit)
            ).fetchall()
        return [self._entry(seq, body) for seq, body in rows]

    def _between(self, first: int, last: int) -> list[Entry]:
        with self.guard:
            rows = self.connection.execute(_READ + "e.seq BETWEEN ? AND ? ORDER BY e.seq", (first, last)).fetchall()
        return [self._entry(seq, body) for seq, body in rows]

    def get(self, ref: Ref) -> Entry | None:
        """The entry `ref`, of this journal or of a copy of another's; None when it is not here."""
        if ref.journal != self.journal:
            return None if self.others is None else self.others.get(ref)
        found = self._between(ref.seq, ref.seq)
        return found[0] if found else None

    def handle(self, entry: Entry | Ref) -> str:
        """The short name of an entry, as "a17". See `everything.handle`."""
        if entry.journal == self.journal:
            return f"{self.letter}{entry.seq}"
        from incident_tui.journal import everything

        return everything.handle(everything.letters(self), entry)

    def find(self, handle: str) -> Entry | None:
        """The entry with this handle (any case, as a17 or #a17), or None."""
        from incident_tui.journal import everything

        ref = everything.find(self, handle)
        return None if ref is None else self.get(ref)

    @property
    def others(self) -> Others | None:
        """The copies of other bastions' journals, or None: nothing ever came, or `others_problem`. Never raises, since
        an entry must be saved whatever became of the copies."""
        if os.path.exists(self.place.others):
            try:
                return self.make_others()
            except JournalError as error:
                self.others_problem = error.sentence
        return None

    def make_others(self) -> Others:
        """As `others`, made when there are none yet, and anew when the file was replaced. Raises JournalError."""
        if self._others is not None and self._others.gone:
            self._others.close()
            self._others = None
        if self._others is None:
            from incident_tui.journal.others import Others

            self._others = Others(self.place, self.journal)
            self.others_problem = ""
        return self._others

    def read_all(self, after: Cursor | None = None, limit: int | None = None) -> tuple[list[Entry], Cursor]:
        """Entries of this journal and of others' after `after` (None: all), and where to go on: `everything.read`."""
        from incident_tui.journal import everything

        return everything.read(self, after or everything.START, limit)

    def letters(self) -> dict[str, str]:
        """How the handles of each journal begin, by its id. See `everything.letters`."""
        from incident_tui.journal import everything

        return everything.letters(self)

    def head(self) -> Head:
        """The last number and its link; of an empty journal, 0 and zeros."""
        with self.guard:
            row = self.connection.execute("SELECT seq, link FROM entries ORDER BY seq DESC LIMIT 1").fetchone()
        return Head(self.journal, row[0], row[1].hex()) if row else Head(self.journal, 0, chain.GENESIS.hex())

    def head_at(self, seq: int) -> Head | None:
        """As `head` was when `seq` was the last number; None when there is no such entry."""
        with self.guard:
            row = self.connection.execute("SELECT link FROM entries WHERE seq = ?", (seq,)).fetchone()
        return Head(self.journal, seq, row[0].hex()) if row else None

    def data_version(self) -> int:
        """A number that changes when another connection has committed, here or to the copies; costs microseconds."""
        others = self.others
        with self.guard:
            own = int(self.connection.execute("PRAGMA data_version").fetchone()[0])
        return own if others is None else own + (others.data_version() << 32)

    def epoch(self) -> int:
        """The epoch of the lease that the journal honours; 0 when there never was one."""
        with self.guard:
            row = self.connection.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()
        return int(row[0]) if row else 0

    def bump_epoch(self, decide: Callable[[int], Draft | None]) -> int | None:
        """Move the lease: under the write lock, `decide(current epoch)` returns the LEASE entry, or None to leave it.

        Returns the new epoch (current + 1), durably stored together with the entry, or None.
        """
        self.check_writable()
        db = self.connection
        with self.guard:
            db.execute("BEGIN IMMEDIATE")
            try:
                self._fence(None)
                current = self.epoch()
                draft = decide(current)
                if draft is None:
                    db.execute("ROLLBACK")
                    return None
                db.execute("INSERT OR REPLACE INTO meta(key, value) VALUES ('epoch', ?)", (str(current + 1),))
                self.insert([draft], f"lease-{current + 1}")
                db.execute("COMMIT")
            except BaseException:
                self.rollback()
                raise
        self._same_file()
        notify.ring(self.place.directory)
        return current + 1

    def purge(self, ref: Ref, *, author: Author, reason: str) -> Entry:
        """Destroy text, data and what was seen of entry `ref`, and its salt; returns the PURGE entry.

        Overwritten: the row, the write-ahead log, backups made by migrations. Kept: number, kind, times, author,
        incident, ref. Purging again repeats the cleaning and returns the first order. Raises JournalError; when it
        says that the log could not be emptied, the text is gone from the journal but not yet from the log.
        """
        from incident_tui.journal.purge import purge

        return purge(self, ref, author, reason)

    def verify(self, heads: Iterable[Head] = ()) -> Verdict:
        """Check every entry against the chain, and the chain against `heads` that were recorded elsewhere."""
        from incident_tui.journal.verify import verify

        return verify(self, heads)

    def close(self) -> None:
        """Close the files. Never raises; closing twice is fine."""
        if self._others is not None:
            self._others.close()
        try:
            self.connection.close()
        except sqlite3.Error:
            return

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _entry(self, seq: int, body: bytes) -> Entry:
        try:
            return _decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Corrupt(
                f"entry {self.letter}{seq} of {self.path} is damaged ({error}). See `incident-tui verify`."
            ) from None

    def check_writable(self) -> None:
        """Raise why nothing can be appended, where that is known beforehand."""
        if self.read_only is not None:
            raise self.read_only
        self._same_file()

    def rollback(self) -> None:
        try:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
        except sqlite3.Error:
            return  # SQLite has rolled back by itself, or will at the next open

    def _same_file(self) -> None:
        """Refuse to write into a file that was deleted or replaced: SQLite would succeed and the entry be lost."""
        if identity(self.path) != self._file:
            raise not_there(self.path)


_READ: Final = "SELECT e.seq, coalesce(t.kept, e.body) FROM entries e LEFT JOIN tombstones t ON t.seq = e.seq WHERE "
