"""Connections to SQLite with our settings, and its errors in our words. For this room only."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Final

from incident_tui.journal.errors import JournalError, from_os, from_sqlite
from incident_tui.journal.umask import umask

BUSY_SECONDS: Final = 1.0
"""How long an append waits for another one before it says who holds the lock."""


class Guard:
    """Turns SQLite's and the system's errors inside a `with` into JournalError about `path`."""

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, sqlite3.Error):
            raise from_sqlite(error, self.path) from None
        if isinstance(error, OSError):
            raise from_os(error, self.path) from None


@contextlib.contextmanager
def shared_rights() -> Iterator[None]:
    """SQLite makes its -wal and -shm with what the umask leaves, and gives them the rights of the database a moment
    later. Another account that opens them in that moment could only read, for as long as its connection lives."""
    with umask(0o007):
        yield


def _make_files(db: sqlite3.Connection) -> None:
    """Have SQLite make them now. What is wrong with the file is told by whoever reads it next."""
    with contextlib.suppress(sqlite3.Error):
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()


def connect(path: str, *, synchronous: str = "FULL") -> sqlite3.Connection:
    """A connection in autocommit mode with our settings."""
    with Guard(path), shared_rights():
        db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            db.execute(f"PRAGMA synchronous={synchronous}")
            db.execute("PRAGMA secure_delete=ON")
            db.execute("PRAGMA journal_size_limit=4194304")
            db.execute("PRAGMA trusted_schema=OFF")
            _make_files(db)
        except BaseException:
            db.close()
            raise
        return db


def set_wal(db: sqlite3.Connection, path: str, seconds: float = BUSY_SECONDS) -> None:
    """WAL mode. SQLite does not wait here when several processes open a new file at once, so we do."""
    end = time.monotonic() + seconds
    while True:
        try:
            with shared_rights():
                mode = db.execute("PRAGMA journal_mode=WAL").fetchone()[0]
                _make_files(db)
            if mode != "wal":
                raise JournalError(f"{path} cannot be set to WAL mode. Use a local directory with --journal.")
            return
        except sqlite3.OperationalError as error:
            if (error.sqlite_errorcode & 0xFF) != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(0.005)


def identity(path: str) -> tuple[int, int]:
    """Device and inode of a file; zeros when it is not there."""
    try:
        found = os.stat(path)
    except OSError:
        return (0, 0)
    return (found.st_dev, found.st_ino)


def has_content(path: str) -> bool:
    try:
        return os.stat(path).st_size > 0
    except OSError:
        return False


def open_for_reading(path: str, reason: JournalError, table: str = "meta") -> sqlite3.Connection:
    """A connection that only reads, for a full disk or a directory without write permission. `table`: one it has."""
    from urllib.parse import quote

    wal_empty = not has_content(path + "-wal")
    for options in ("mode=ro", "mode=ro&immutable=1") if wal_empty else ("mode=ro",):
        try:
            db = sqlite3.connect(
                f"file:{quote(path)}?{options}",
                uri=True,
                timeout=BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
        except sqlite3.Error:
            continue
        try:
            db.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone()
            return db
        except sqlite3.Error:
            db.close()
    raise reason
