"""Schema versions of the journal file: make a new one, refuse a newer one, migrate an older one after a backup."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from datetime import datetime
from typing import Final

from incident_tui.journal.errors import Corrupt, FromTheFuture, JournalError
from incident_tui.journal.place import precreate

SCHEMA: Final = 1
APPLICATION_ID: Final = 0x69747569  # "itui"

_TABLES: Final = (
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE entries(seq INTEGER PRIMARY KEY, commitment BLOB NOT NULL, link BLOB NOT NULL,"
    " salt BLOB NOT NULL, body BLOB NOT NULL)",
    "CREATE TABLE tombstones(seq INTEGER PRIMARY KEY, by_seq INTEGER NOT NULL, kept BLOB NOT NULL)",
    "CREATE TABLE keys(key TEXT PRIMARY KEY, seq INTEGER NOT NULL, count INTEGER NOT NULL) WITHOUT ROWID",
)

Migration = Callable[[sqlite3.Connection], None]

MIGRATIONS: dict[int, Migration] = {}
"""From version n to n + 1, run inside one transaction. `entries(seq, salt, body)` keep their names for ever: purge
reaches into backups by them."""


def create_schema(db: sqlite3.Connection, letter: str, clock: Callable[[], datetime]) -> None:
    """Make the tables in an empty file; leaves any other file alone. Safe when two processes do it at once."""
    if db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        if not db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
            for statement in _TABLES:
                db.execute(statement)
            meta = {
                "schema": str(SCHEMA),
                "journal": os.urandom(8).hex(),
                "letter": letter,
                "created": clock().isoformat(),
                "epoch": "0",
            }
            db.executemany("INSERT INTO meta(key, value) VALUES (?, ?)", list(meta.items()))
            db.execute(f"PRAGMA application_id={APPLICATION_ID}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def check_schema(db: sqlite3.Connection, path: str, clock: Callable[[], datetime], *, migrate: bool = True) -> None:
    """Raise FromTheFuture or Corrupt, or bring an older schema to SCHEMA after a backup beside the journal."""
    version = _version(db, path)
    if version == SCHEMA:
        return
    if version > SCHEMA:
        raise FromTheFuture(
            f"{path} has schema {version}, written by a newer incident-tui; this one knows up to {SCHEMA}. "
            "Upgrade this program; nothing was changed."
        )
    if not migrate:
        raise JournalError(
            f"{path} has schema {version} and must be migrated to {SCHEMA}, but cannot be written now.", transient=True
        )
    while version < SCHEMA:
        step = MIGRATIONS.get(version)
        if step is None:
            raise Corrupt(f"{path} has schema {version}, which no incident-tui migrates from. Restore it from a copy.")
        backup(db, f"{path}.schema{version}-{clock().strftime('%Y%m%dT%H%M%SZ')}.backup")
        db.execute("BEGIN IMMEDIATE")
        try:
            if _version(db, path) == version:
                step(db)
                db.execute("UPDATE meta SET value = ? WHERE key = 'schema'", (str(version + 1),))
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        version = _version(db, path)


def _version(db: sqlite3.Connection, path: str) -> int:
    try:
        row = db.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
    except sqlite3.OperationalError as error:
        if (error.sqlite_errorcode & 0xFF) != sqlite3.SQLITE_ERROR:
            raise
        row = None
    if row is None or not str(row[0]).isdigit():
        raise Corrupt(f"{path} is a database but not a journal of incident-tui. Name another directory with --journal.")
    return int(row[0])


def backup(db: sqlite3.Connection, target: str) -> None:
    """A consistent copy of the journal, 0660, as one file."""
    precreate(target)
    copy = sqlite3.connect(target, isolation_level=None)
    try:
        db.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE").fetchone()
    finally:
        copy.close()
