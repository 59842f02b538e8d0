"""The file of the copies of other bastions' journals, DIR/others.db:

    journals(journal, letter, told, heard_at, forked_at, problem)   one row a journal; `told`: numbers known to exist
    rows(arrival, journal, seq, commitment, link, salt, body, came)   numbered from 1 without a hole, for each journal;
                                                                      `came`: when, in seconds since 1970
    waiting(journal, seq, record)                                   came before what they follow; not shown yet
    tombstones(journal, seq, by_seq, kept)                          as in the journal
    orders(of_journal, of_seq, journal, seq)                        who ordered to purge what, here or not here yet

`PRAGMA user_version` is the edition: another number when something that was here is not here any more.
"""

from __future__ import annotations

import random
import sqlite3
from typing import Final

from incident_tui.journal.connection import Guard, connect, set_wal

_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS journals(journal TEXT PRIMARY KEY, letter TEXT NOT NULL, told INTEGER NOT NULL,"
    " heard_at TEXT NOT NULL, forked_at INTEGER NOT NULL, problem TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS rows(arrival INTEGER PRIMARY KEY AUTOINCREMENT, journal TEXT NOT NULL,"
    " seq INTEGER NOT NULL, commitment BLOB NOT NULL, link BLOB NOT NULL, salt BLOB NOT NULL, body BLOB NOT NULL,"
    " came REAL NOT NULL, UNIQUE(journal, seq))",
    "CREATE TABLE IF NOT EXISTS waiting(journal TEXT NOT NULL, seq INTEGER NOT NULL, record BLOB NOT NULL,"
    " PRIMARY KEY(journal, seq)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS tombstones(journal TEXT NOT NULL, seq INTEGER NOT NULL, by_seq INTEGER NOT NULL,"
    " kept BLOB NOT NULL, PRIMARY KEY(journal, seq)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS orders(of_journal TEXT NOT NULL, of_seq INTEGER NOT NULL, journal TEXT NOT NULL,"
    " seq INTEGER NOT NULL, PRIMARY KEY(of_journal, of_seq, journal, seq)) WITHOUT ROWID",
)


def opened(path: str) -> sqlite3.Connection:
    """A connection to the file, with its tables. Raises JournalError."""
    db = connect(path)
    try:
        with Guard(path):
            set_wal(db, path)
            make(db)
    except BaseException:
        db.close()
        raise
    return db


def make(db: sqlite3.Connection) -> None:
    """The tables, where there are none."""
    if not edition(db):
        db.execute("BEGIN IMMEDIATE")
        for statement in _TABLES:
            db.execute(statement)
        new_edition(db)
        db.execute("COMMIT")


def edition(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def new_edition(db: sqlite3.Connection) -> None:
    """Inside a transaction."""
    db.execute(f"PRAGMA user_version = {random.getrandbits(30) + 1}")
