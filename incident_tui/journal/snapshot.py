"""DIR/snapshot.msgpack: the incident in force and the end of its timeline, so that a long journal opens at once.

A cache, only of long journals, believed only when its mark is of this very chain and nothing was purged since.
It is shown while the journal is being read, as what was known then, and never used for anything else. It holds text of
entries: `purge` removes it, and whoever writes one looks afterwards whether something was purged meanwhile.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from incident_tui import __version__
from incident_tui.incident.entry import Kind
from incident_tui.incident.views import Incident, TimelineRow
from incident_tui.journal import everything
from incident_tui.journal.errors import JournalError
from incident_tui.journal.everything import Cursor, Mark
from incident_tui.journal.place import FILE_MODE
from incident_tui.journal.store import Store

LONG: Final = 5_000
"""Entries from which reading the journal takes long enough to be seen."""
ROWS: Final = 300
"""Rows kept: more than the tallest screen shows."""
_LARGEST: Final = 8_000_000


class Snapshot(msgspec.Struct, frozen=True):
    """What was known at `mark`. `rows` are the last of the timeline, `count` how many it had."""

    version: str
    mark: Mark
    incident: Incident | None
    rows: tuple[TimelineRow, ...]
    count: int
    made_at: datetime


def save(store: Store, at: Cursor, incident: Incident | None, rows: Sequence[TimelineRow]) -> bool:
    """Keep what a fold over the entries up to `at` says. False when it was not kept: a short journal, a full disk, a
    purge meanwhile."""
    path = _path(store)
    fresh = f"{path}.{os.getpid()}"
    try:
        mark = everything.mark(store, at) if at.own + at.others >= LONG else None
        if mark is None:
            return False
        brief = None if incident is None else msgspec.structs.replace(incident, rows=())
        made = Snapshot(__version__, mark, brief, tuple(rows[-ROWS:]), len(rows), store.clock())
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, FILE_MODE)
        try:
            os.fchmod(fd, FILE_MODE)
            with os.fdopen(fd, "wb") as file:
                file.write(msgspec.msgpack.encode(made))
            os.replace(fresh, path)
        except OSError:
            forget(fresh)
            return False
        if _purged_after(store, at):
            forget(path)
            return False
    except (OSError, JournalError):
        return False
    return True


def load(store: Store) -> Snapshot | None:
    """The one that was kept, when it is of this journal, of this version, and nothing was purged since."""
    try:
        with open(_path(store), "rb") as file:
            found = msgspec.msgpack.decode(file.read(_LARGEST), type=Snapshot)
        at = everything.cursor(store, found.mark) if found.version == __version__ else None
        return found if at is not None and not _purged_after(store, at) else None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, JournalError):
        return None


def forget(path: str) -> None:
    """Remove a snapshot by its path; nothing when there is none."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def _path(store: Store) -> str:
    return store.place.snapshot


def _purged_after(store: Store, at: Cursor) -> bool:
    return any(entry.kind is Kind.PURGE for entry in everything.read(store, at)[0])
