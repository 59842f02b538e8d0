"""DIR/search.db: the words of all entries, so that a search in a long journal needs not read it.

    words(text, kind, by, host, incident)   FTS5 without contents; rowid is the number of the entry
    about(target, seq, moves)               which entries correct which, and whether that may change the time
    stamps(seq, at)                         when it happened, or what it amends; seconds since 1970
    meta(value)                             what it is an index of, as `_Of`

A cache: it may be deleted at any time and is made anew when it is not of this very chain. It holds words of entries:
`purge` removes it, one made before a purge is not believed, and whoever fills one looks afterwards whether something
was purged meanwhile. Where it cannot be written, one is made in memory.
"""

from __future__ import annotations

import contextlib
import glob
import os
import sqlite3
from collections.abc import Iterator
from typing import Final

import msgspec

from incident_tui.incident.entry import MACHINE_KINDS, Entry, Kind
from incident_tui.incident.words import word
from incident_tui.journal.chain import Head
from incident_tui.journal.connection import connect, set_wal
from incident_tui.journal.errors import JournalError
from incident_tui.journal.place import precreate
from incident_tui.journal.store import Store

VERSION: Final = 1
CORRECTING: Final = frozenset({Kind.AMEND, Kind.STRIKE, Kind.PIN, Kind.PURGE})
_CHUNK: Final = 5_000
_TABLES: Final = (
    "CREATE VIRTUAL TABLE words USING fts5(text, kind, by, host, incident, content='', tokenize='unicode61')",
    "CREATE TABLE about(target INTEGER NOT NULL, seq INTEGER NOT NULL, moves INTEGER NOT NULL)",
    "CREATE INDEX about_target ON about(target)",
    "CREATE TABLE stamps(seq INTEGER PRIMARY KEY, at REAL NOT NULL)",
    "CREATE TABLE meta(value BLOB NOT NULL)",
)
_NO_WORDS: Final = frozenset({"step", "level", "was", "finding", "sha256", "tombstone", "run", "state", "risk", "how"})
"""Fields of `data` that hold no words of people or machines."""


class _Of(msgspec.Struct, frozen=True):
    """Of which journal up to which link, and how many of its entries were purged."""

    version: int
    head: Head
    purged: int


@contextlib.contextmanager
def index(store: Store) -> Iterator[sqlite3.Connection]:
    """The index over all entries that the journal has now. Raises JournalError when the journal cannot be read."""
    db = _open(store)
    try:
        yield db
    finally:
        db.close()


def _open(store: Store) -> sqlite3.Connection:
    path = store.place.search
    for _ in range(3):  # a damaged or outdated one is made anew; a purge meanwhile asks for another try
        try:
            precreate(path)
            db = connect(path, synchronous="NORMAL")
            try:
                set_wal(db, path)
                if _fill(db, store):
                    return db
            except BaseException:
                db.close()
                raise
            db.close()
        except (sqlite3.OperationalError, JournalError):
            break  # a full disk, no right to write, somebody else fills it for long
        except sqlite3.DatabaseError:
            pass
        forget(path)
    with store.guard:
        db = sqlite3.connect(":memory:", isolation_level=None)
    _fill(db, store)
    return db


def forget(path: str) -> None:
    """Remove an index with what SQLite keeps beside it; nothing when there is none."""
    for name in glob.glob(glob.escape(path) + "*"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)


def _fill(db: sqlite3.Connection, store: Store) -> bool:
    """Bring it up to date. False when it is of something else or something was purged meanwhile."""
    purged = _purged(store)
    db.execute("BEGIN IMMEDIATE")
    try:
        if not db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
            for statement in _TABLES:
                db.execute(statement)
        known = db.execute("SELECT value FROM meta").fetchone()
        of = msgspec.json.decode(known[0], type=_Of) if known else _Of(VERSION, Head(store.journal, 0, ""), purged)
        right = of.version == VERSION and of.head.journal == store.journal and of.purged == purged
        if not right or (of.head.seq and store.head_at(of.head.seq) != of.head):
            db.execute("ROLLBACK")
            return False
        seq = of.head.seq
        while entries := store.read(seq, _CHUNK):
            _add(db, store, entries)
            seq = entries[-1].seq
        head = store.head_at(seq)
        if seq > of.head.seq and head is not None:
            db.execute("DELETE FROM meta")
            db.execute("INSERT INTO meta(value) VALUES (?)", (msgspec.json.encode(_Of(VERSION, head, purged)),))
        db.execute("COMMIT")
    except (msgspec.DecodeError, sqlite3.DatabaseError):
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return _purged(store) == purged


def _purged(store: Store) -> int:
    with store.guard:
        return int(store.connection.execute("SELECT count(*) FROM tombstones").fetchone()[0])


def _add(db: sqlite3.Connection, store: Store, entries: list[Entry]) -> None:
    words: list[tuple[int | str, ...]] = []
    about: list[tuple[int, int, bool]] = []
    stamps: list[tuple[int, float]] = []
    for entry in entries:
        corrects = entry.kind in CORRECTING and entry.ref is not None and entry.ref.journal == store.journal
        if corrects and entry.ref is not None:
            about.append((entry.ref.seq, entry.seq, bool(entry.data.get("at"))))
        stamps.append((entry.seq, entry.at.timestamp()))
        if entry.purged or entry.kind is Kind.SIGNATURE:
            continue
        target = store.get(entry.ref) if corrects and entry.kind is Kind.AMEND and entry.ref is not None else None
        if target is not None and not target.purged and isinstance(said := entry.data.get("text"), str):
            words.append((entry.seq, *_fields(target, said)))
            stamps[-1] = (entry.seq, target.at.timestamp())
        elif not corrects or entry.kind is Kind.PURGE:
            words.append((entry.seq, *_fields(entry, entry.text)))
    db.executemany("INSERT INTO words(rowid, text, kind, by, host, incident) VALUES (?, ?, ?, ?, ?, ?)", words)
    db.executemany("INSERT INTO about(target, seq, moves) VALUES (?, ?, ?)", about)
    db.executemany("INSERT INTO stamps(seq, at) VALUES (?, ?)", stamps)


def _fields(entry: Entry, said: str) -> tuple[str, ...]:
    """What of an entry that says `said` is indexed: text, kind, by, host, incident."""
    data = entry.data
    told = [str(value) for name, value in data.items() if isinstance(value, str) and name not in _NO_WORDS]
    side = "machine" if entry.kind in MACHINE_KINDS else "people"
    kinds = f"{entry.kind} {word(entry)} {data.get('level', '')} {side}"
    hosts = " ".join(str(data.get(name, "")) for name in ("host", "subject", "target"))
    return (" ".join([said, *told]), kinds, entry.author.name, hosts, entry.incident)
