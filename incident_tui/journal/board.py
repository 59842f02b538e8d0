"""The board: the latest readings, for every screen. A cache: it may vanish, and is never waited for.

A second SQLite file with synchronous=OFF, one transaction for each `put`. When it cannot be written (full disk,
read-only directory, damage) the rows of this process are kept in memory and `problem` says so; the next `put` that
succeeds writes them all. A board of an earlier boot is emptied, so `Row.boot` always compares with the boot clock.

Beside the rows, which every screen reads at each change, there are details, read one by one when somebody looks. They
are compressed, and are not kept in memory: what cannot be written is written with its next change.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import zlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

import msgspec

from incident_tui.journal import notify
from incident_tui.journal.connection import Guard, connect, identity, set_wal
from incident_tui.journal.errors import Corrupt, JournalError, StaleEpoch, not_there
from incident_tui.journal.lease import BootClock, boot_clock, boot_id
from incident_tui.journal.place import Place, StrPath, open_place, precreate
from incident_tui.journal.store import Clock, system_clock

VERSION: Final = 2
DETAIL_LIMIT: Final = 4 * 1024 * 1024
"""Bytes of one detail, uncompressed; a longer one is not read."""
_BUSY_MS: Final = 200
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

T = TypeVar("T")


class Row(msgspec.Struct, frozen=True):
    """One row of the board: JSON, and when it was put, by both clocks."""

    body: bytes
    at: datetime
    boot: float
    """Seconds of CLOCK_BOOTTIME."""

    def age(self, boot_now: float) -> float:
        """Seconds since it was put; right across a change of the wall clock and a suspended machine."""
        return max(0.0, boot_now - self.boot)


class Board:
    """The board of one journal. For one thread. Use `Board.open`."""

    def __init__(self, place: Place, clock: Clock, boot_clock: BootClock, boot: str) -> None:
        self.place = place
        self.path = place.board
        self.problem = ""
        """Why the board is only in the memory of this process; empty when it is in its file."""
        self._clock = clock
        self._boot_clock = boot_clock
        self._boot = boot
        self._guard = Guard(self.path)
        self._db: sqlite3.Connection | None = None
        self._file = (0, 0)
        self._opened = 0
        self._puts = 0
        self._mine: dict[str, Row] = {}
        self._dropped: set[str] = set()
        self._epoch = 0
        self._dirty = False  # rows of ours are not in the file

    @classmethod
    def open(
        cls,
        directory: StrPath,
        *,
        clock: Clock = system_clock,
        boot_clock: BootClock = boot_clock,
        boot: str | None = None,
    ) -> Board:
        """The board in `directory`. Raises only NetworkFilesystem or NotThere about the directory itself; a file that
        cannot be used is a `problem`.
        """
        try:
            place = open_place(directory)
        except JournalError as error:
            if not error.transient:
                raise
            place = Place(os.path.abspath(os.fspath(directory)))
        board = cls(place, clock, boot_clock, boot_id() if boot is None else boot)
        try:
            board._connection()
        except JournalError as error:
            board._failed(error)
        return board

    def put(
        self,
        rows: Mapping[str, msgspec.Struct],
        *,
        epoch: int,
        drop: Iterable[str] = (),
        details: Mapping[str, msgspec.Struct] = {},
    ) -> None:
        """Replace `rows` and `details` by key and remove `drop` from both, in one transaction, and ring the screens.

        Raises StaleEpoch when a newer holder of the lease has written; no other error: see `problem`.
        """
        if epoch < self._epoch:
            raise self._stale(epoch, self._epoch)
        now, boot = self._clock(), self._boot_clock()
        fresh = {key: Row(msgspec.json.encode(row), now, boot) for key, row in rows.items()}
        gone = set(drop)
        for key in gone:
            self._mine.pop(key, None)
        self._mine.update(fresh)
        self._dropped = (self._dropped | gone) - self._mine.keys()
        self._puts += 1
        everything = self._dirty
        try:
            packed = {key: Row(zlib.compress(msgspec.json.encode(row), 1), now, boot) for key, row in details.items()}
            self._write(self._mine if everything else fresh, self._dropped if everything else gone, epoch, packed)
        except StaleEpoch:
            self._mine.clear()  # the newer holder's readings are the truth now
            self._dropped.clear()
            self._dirty = False
            raise
        except JournalError as error:
            self._failed(error)
            self._dirty = True
        else:
            self.problem = ""
            self._dirty = False
            self._dropped.clear()
        self._epoch = epoch
        notify.ring(self.place.directory)

    def read(self) -> dict[str, Row]:
        """All rows by key. Never raises: what cannot be read is missing, and `problem` says why."""
        rows: dict[str, Row] = {}
        try:
            db = self._connection()
            with self._guard:
                for key, body, at, boot in db.execute("SELECT key, body, at, boot FROM rows").fetchall():
                    rows[key] = Row(body, _EPOCH + at * _MICROSECOND, boot)
        except JournalError as error:
            self._failed(error)
        else:
            if not self._dirty:
                self.problem = ""
        if self._dirty:
            for key in self._dropped:
                rows.pop(key, None)
            rows.update(self._mine)
        return rows

    def get(self, key: str, type: type[T]) -> T | None:
        """The row `key` as `type`; None when it is missing or was written by a version that shaped it otherwise."""
        row = self.read().get(key)
        if row is None:
            return None
        try:
            return msgspec.json.decode(row.body, type=type)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None

    def detail(self, key: str, type: type[T]) -> T | None:
        """The detail `key`; None when it is missing or cannot be read. Never raises."""
        return next(iter(self._details("key = ?", key, type).values()), None)

    def details(self, prefix: str, type: type[T]) -> dict[str, T]:
        """All details whose key begins with `prefix` and that can be read as `type`. Never raises."""
        return self._details("substr(key, 1, length(?1)) = ?1", prefix, type)

    def detail_times(self, prefix: str) -> dict[str, float]:
        """When each detail whose key begins with `prefix` was put, in seconds of CLOCK_BOOTTIME. Never raises."""
        try:
            db = self._connection()
            with self._guard:
                return dict(
                    db.execute("SELECT key, boot FROM details WHERE substr(key, 1, length(?1)) = ?1", (prefix,))
                )
        except JournalError as error:
            self._failed(error)
            return {}

    def _details(self, where: str, value: str, kind: type[T]) -> dict[str, T]:
        found: dict[str, T] = {}
        try:
            db = self._connection()
            with self._guard:
                rows = db.execute(f"SELECT key, body FROM details WHERE {where}", (value,)).fetchall()
        except JournalError as error:
            self._failed(error)
            return {}
        for key, body in rows:
            with contextlib.suppress(zlib.error, msgspec.DecodeError, UnicodeDecodeError):
                found[key] = msgspec.json.decode(zlib.decompressobj().decompress(body, DETAIL_LIMIT), type=kind)
        return found

    def data_version(self) -> int:
        """A number that changes when the board may have changed, by this process or another."""
        version = 0
        try:
            db = self._connection()
            with self._guard:
                version = int(db.execute("PRAGMA data_version").fetchone()[0])
        except JournalError as error:
            self._failed(error)
        return (self._opened << 40) + version + self._puts

    def close(self) -> None:
        self._disconnect()

    def _write(self, rows: Mapping[str, Row], drop: Iterable[str], epoch: int, details: Mapping[str, Row]) -> None:
        db = self._connection()
        with self._guard:
            db.execute("BEGIN IMMEDIATE")
            try:
                found = db.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()
                if found is not None and int(found[0]) > epoch:
                    raise self._stale(epoch, int(found[0]))
                db.execute("INSERT OR REPLACE INTO meta(key, value) VALUES ('epoch', ?)", (str(epoch),))
                for table, fresh in (("rows", rows), ("details", details)):
                    db.executemany(f"DELETE FROM {table} WHERE key = ?", [(key,) for key in drop])
                    db.executemany(
                        f"INSERT OR REPLACE INTO {table}(key, body, at, boot) VALUES (?, ?, ?, ?)",
                        [(key, row.body, (row.at - _EPOCH) // _MICROSECOND, row.boot) for key, row in fresh.items()],
                    )
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    def _stale(self, epoch: int, current: int) -> StaleEpoch:
        return StaleEpoch(
            f"the board of {self.place.directory} belongs to epoch {current} of the lease, not to {epoch}."
        )

    def _connection(self) -> sqlite3.Connection:
        if self._db is not None:
            if identity(self.path) == self._file:
                return self._db
            self._disconnect()  # it was deleted or made anew
        try:
            return self._connect()
        except Corrupt:
            self._remove_file()
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        if not os.path.isdir(self.place.directory):
            raise not_there(self.path)
        precreate(self.path)
        db = connect(self.path, synchronous="OFF")
        try:
            with self._guard:
                db.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
                set_wal(db, self.path, _BUSY_MS / 1000)
                self._prepare(db)
                self._file = identity(self.path)
        except BaseException:
            db.close()
            raise
        self._db = db
        self._opened += 1
        return db

    def _prepare(self, db: sqlite3.Connection) -> None:
        """Make the tables; empty a board of another version or another boot."""
        if db.execute("PRAGMA user_version").fetchone()[0] == VERSION:
            found = db.execute("SELECT value FROM meta WHERE key = 'boot'").fetchone()
            if found is not None and found[0] == self._boot:
                return
        db.execute("BEGIN IMMEDIATE")
        try:
            db.execute("CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
            for table in ("rows", "details"):
                db.execute(f"DROP TABLE IF EXISTS {table}")
                columns = "key TEXT PRIMARY KEY, body BLOB NOT NULL, at INTEGER NOT NULL, boot REAL NOT NULL"
                db.execute(f"CREATE TABLE {table}({columns})")
            db.execute("INSERT OR REPLACE INTO meta(key, value) VALUES ('boot', ?)", (self._boot,))
            db.execute(f"PRAGMA user_version={VERSION}")
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise

    def _disconnect(self) -> None:
        if self._db is not None:
            with contextlib.suppress(sqlite3.Error):
                self._db.close()
            self._db = None

    def _remove_file(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                os.unlink(self.path + suffix)

    def _failed(self, error: JournalError) -> None:
        """Let go of the file, and of a damaged one for good: the next round fills a new one."""
        self._disconnect()
        if isinstance(error, Corrupt):
            self._remove_file()
        self.problem = f"readings are kept in this process only: {error.sentence}"
