"""How far each room has been read and saved: SQLite in the journal's directory, `rooms.db`.

A cursor is written after what it stands for is in the journal, never before; an old one does no harm, since what is
read again is the same entry again. It may be deleted: reading then begins anew, with what is said from then on.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from incident_tui.watch.shared_db import open_shared

_SCHEMA: Final = "CREATE TABLE IF NOT EXISTS cursors(room TEXT, journal TEXT, body BLOB, PRIMARY KEY(room, journal))"


def _prepare(db: sqlite3.Connection) -> None:
    db.execute(_SCHEMA)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A place in what a platform tells."""

    at: datetime
    """What was said until then is saved, as far as it can be told by time."""
    token: str = ""
    """The platform's own word for the place."""
    last: str = ""
    """Id of the newest message."""
    of: str = ""
    """What was read: a cursor of other channels or another server is none."""


class Cursors:
    """All rooms' cursors. For one thread. Methods raise sqlite3.Error while the file cannot be used."""

    def __init__(self, path: Path, journal: str) -> None:
        self._path = path
        self._journal = journal
        self._opened: sqlite3.Connection | None = None

    @property
    def _db(self) -> sqlite3.Connection:
        if self._opened is None:
            self._opened = open_shared(self._path, "NORMAL", _prepare)
        return self._opened

    def get(self, room: str) -> Place | None:
        """None when the room was never read, or the file says nothing that can be understood."""
        row = self._db.execute("SELECT body FROM cursors WHERE room=? AND journal=?", (room, self._journal)).fetchone()
        try:
            return None if row is None else msgspec.json.decode(row[0], type=Place)
        except (msgspec.DecodeError, TypeError):
            return None

    def put(self, room: str, place: Place) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO cursors(room, journal, body) VALUES(?,?,?)",
            (room, self._journal, msgspec.json.encode(place)),
        )

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
