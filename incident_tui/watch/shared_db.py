"""Opens an SQLite file of the watch's own in the journal's directory."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

from incident_tui.journal.errors import JournalError
from incident_tui.journal.place import precreate

PATIENCE: Final = 0.25
"""Seconds to wait for the file's lock: the watch must not stand still for it."""


def open_shared(
    path: Path, synchronous: Literal["FULL", "NORMAL"], prepare: Callable[[sqlite3.Connection], None]
) -> sqlite3.Connection:
    """A connection in autocommit mode, with WAL, after `prepare` has made what is missing. Raises sqlite3.Error."""
    try:
        # The next holder of the lease may be another account of the group: SQLite alone would make 0644.
        precreate(os.fspath(path))
    except JournalError as error:
        raise sqlite3.OperationalError(error.sentence) from error
    db = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute(f"PRAGMA synchronous={synchronous}")
        prepare(db)
    except sqlite3.Error:
        db.close()
        raise
    return db
