"""DIR/search.db: the words of all entries, so that a search in a long journal needs not read it.

    words(text, kind, by, host, incident)   FTS5 without contents; rowid is `stamps.id`
    about(journal, seq, id, moves, done)    which entries correct which one, whether that may change the time, and
                                            whether what an amendment says is among the words
    stamps(id, at, journal, seq)            when it happened, or what it amends (seconds since 1970), and which it is
    meta(value)                             what it is an index of, as `_Of`

An `id` is the millisecond at which the entry was recorded, and a number within it: the order of writing, over journals.

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

from incident_tui.incident.entry import MACHINE_KINDS, Entry, Kind, Ref
from incident_tui.incident.words import word
from incident_tui.journal import everything
from incident_tui.journal.connection import connect, set_wal
from incident_tui.journal.errors import JournalError
from incident_tui.journal.everything import START, Mark
from incident_tui.journal.place import precreate
from incident_tui.journal.store import Store

VERSION: Final = 2
CORRECTING: Final = frozenset({Kind.AMEND, Kind.STRIKE, Kind.PIN, Kind.PURGE})
_CHUNK: Final = 5_000
_WITHIN: Final = 22
"""Bits of an id for the number within its millisecond."""
_TABLES: Final = (
    "CREATE VIRTUAL TABLE words USING fts5(text, kind, by, host, incident, content='', tokenize='unicode61')",
    "CREATE TABLE about(journal TEXT NOT NULL, seq INTEGER NOT NULL, id INTEGER NOT NULL, moves INTEGER NOT NULL,"
    " done INTEGER NOT NULL)",
    "CREATE INDEX about_target ON about(journal, seq)",
    "CREATE TABLE stamps(id INTEGER PRIMARY KEY, at REAL NOT NULL, journal TEXT NOT NULL, seq INTEGER NOT NULL)",
    "CREATE TABLE meta(value BLOB NOT NULL)",
)
_INSERT_WORDS: Final = "INSERT INTO words(rowid, text, kind, by, host, incident) VALUES (?, ?, ?, ?, ?, ?)"
_WAITING: Final = (
    "SELECT s.id, s.journal, s.seq FROM about a JOIN stamps s ON s.id = a.id"
    " WHERE a.journal = ? AND a.seq = ? AND NOT a.done"
)
_NO_WORDS: Final = frozenset({"step", "level", "was", "finding", "sha256", "tombstone", "run", "state", "risk", "how"})
"""Fields of `data` that hold no words of people or machines."""


class _Of(msgspec.Struct, frozen=True):
    """Of which journals up to where, and how many of their entries were purged."""

    version: int
    mark: Mark
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
        of = msgspec.json.decode(known[0], type=_Of) if known else None
        right = of is None or (of.version == VERSION and of.purged == purged)
        begin = START if of is None else everything.cursor(store, of.mark)
        if not right or begin is None:
            db.execute("ROLLBACK")
            return False
        here = begin
        while True:
            entries, here = everything.read(store, here, _CHUNK)
            if not entries:
                break
            _add(db, store, entries)
        mark = everything.mark(store, here)
        if here != begin and mark is not None:
            db.execute("DELETE FROM meta")
            db.execute("INSERT INTO meta(value) VALUES (?)", (msgspec.json.encode(_Of(VERSION, mark, purged)),))
        db.execute("COMMIT")
    except (msgspec.DecodeError, sqlite3.DatabaseError):
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return _purged(store) == purged


def _purged(store: Store) -> int:
    with store.guard:
        own = int(store.connection.execute("SELECT count(*) FROM tombstones").fetchone()[0])
    return own + (store.others.purged() if store.others is not None else 0)


def _add(db: sqlite3.Connection, store: Store, entries: list[Entry]) -> None:
    words: list[tuple[int | str, ...]] = []
    about: list[tuple[str, int, int, bool, bool]] = []
    stamps: list[tuple[int, float, str, int]] = []
    for number, entry in _numbered(db, entries):
        corrects = entry.kind in CORRECTING and entry.ref is not None
        at = entry.at
        if corrects and entry.ref is not None:
            target = store.get(entry.ref) if entry.kind is Kind.AMEND and not entry.purged else None
            if target is not None:
                words += _amended(number, entry, target)
                at = target.at
            about.append((entry.ref.journal, entry.ref.seq, number, bool(entry.data.get("at")), target is not None))
        stamps.append((number, at.timestamp(), entry.journal, entry.seq))
        silent = entry.purged or entry.kind is Kind.SIGNATURE
        if not silent and (not corrects or entry.kind is Kind.PURGE):
            words.append((number, *_fields(entry, entry.text)))
    db.executemany(_INSERT_WORDS, words)
    db.executemany("INSERT INTO about(journal, seq, id, moves, done) VALUES (?, ?, ?, ?, ?)", about)
    db.executemany("INSERT INTO stamps(id, at, journal, seq) VALUES (?, ?, ?, ?)", stamps)
    _late(db, store, entries)


def _numbered(db: sqlite3.Connection, entries: list[Entry]) -> list[tuple[int, Entry]]:
    """Each with its id, in the order of ids: FTS5 takes them fast only so."""
    last: dict[int, int] = {}
    found = []
    for entry in sorted(entries, key=lambda one: (one.recorded_at, one.journal, one.seq)):
        first = int(entry.recorded_at.timestamp() * 1000) << _WITHIN
        if first not in last:
            query = "SELECT max(id) FROM stamps WHERE id BETWEEN ? AND ?"
            known = db.execute(query, (first, first + (1 << _WITHIN) - 1)).fetchone()[0]
            last[first] = first - 1 if known is None else int(known)
        last[first] += 1
        found.append((last[first], entry))
    return found


def _late(db: sqlite3.Connection, store: Store, entries: list[Entry]) -> None:
    """Index the amendments of these entries that came from other journals before them."""
    for entry in entries:
        if entry.journal == store.journal or entry.purged:
            continue
        for number, journal, seq in db.execute(_WAITING, (entry.journal, entry.seq)).fetchall():
            one = store.get(Ref(journal, seq))
            if one is not None and one.kind is Kind.AMEND and not one.purged:
                db.executemany(_INSERT_WORDS, _amended(number, one, entry))
                db.execute("UPDATE stamps SET at = ? WHERE id = ?", (entry.at.timestamp(), number))
            db.execute("UPDATE about SET done = 1 WHERE id = ?", (number,))


def _amended(number: int, entry: Entry, target: Entry) -> list[tuple[int | str, ...]]:
    """What `entry` makes of `target`."""
    said = entry.data.get("text")
    return [(number, *_fields(target, said))] if isinstance(said, str) and not target.purged else []


def _fields(entry: Entry, said: str) -> tuple[str, ...]:
    """What of an entry that says `said` is indexed: text, kind, by, host, incident."""
    data = entry.data
    told = [str(value) for name, value in data.items() if isinstance(value, str) and name not in _NO_WORDS]
    side = "machine" if entry.kind in MACHINE_KINDS else "people"
    kinds = f"{entry.kind} {word(entry)} {data.get('level', '')} {side}"
    hosts = " ".join(str(data.get(name, "")) for name in ("host", "subject", "target"))
    return (" ".join([said, *told]), kinds, entry.author.name, hosts, entry.incident)
