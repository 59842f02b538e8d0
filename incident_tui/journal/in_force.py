"""DIR/in-force.json: which incident is in force after which entry, so that logging one line needs no fold.

    {"mark": [[journal, seq, hash], arrival, edition], "found": {"incident": id, "never_closed": bool}}

A cache, written by whoever has folded all entries; it may vanish or be behind at any time. It is believed only when its
mark is of this very chain and of these copies and no entry after it can change the answer, and only for the incident
that a line belongs to which names none.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec

from incident_tui.incident.in_force import InForce, find, keeps
from incident_tui.journal import everything
from incident_tui.journal.errors import JournalError
from incident_tui.journal.everything import Cursor, Mark
from incident_tui.journal.place import FILE_MODE

if TYPE_CHECKING:
    from incident_tui.incident.state import Fold
    from incident_tui.journal.store import Store

_FAR: Final = 100
"""From so many entries after its head on, the cache is brought forward: reading them costs each line a little."""


class _Cached(msgspec.Struct, frozen=True):
    mark: Mark
    found: InForce


def in_force(store: Store, fold: Callable[[], Fold]) -> str:
    """The id of the incident in force, or "". Calls `fold`, for a fold over all of the journal, only when it must.

    Raises JournalError when the journal cannot be read.
    """
    cached = _load(store)
    after = None if cached is None else everything.cursor(store, cached.mark)
    if cached is not None and after is not None:
        entries, here = everything.read(store, after)
        if all(keeps(cached.found, entry, store.get) for entry in entries):
            if len(entries) >= _FAR:
                _save(store, here, cached.found)
            return cached.found.incident
    return find(fold()).incident


def remember(store: Store, at: Cursor, fold: Fold) -> None:
    """Keep what `fold` found, which holds the entries up to `at` and no other. Never raises."""
    _save(store, at, find(fold))


def _path(store: Store) -> str:
    return store.place.directory + "/in-force.json"


def _load(store: Store) -> _Cached | None:
    try:
        with open(_path(store), "rb") as file:
            return msgspec.json.decode(file.read(4096), type=_Cached)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _save(store: Store, at: Cursor, found: InForce) -> None:
    path = _path(store)
    fresh = f"{path}.{os.getpid()}"
    try:
        mark = everything.mark(store, at)
        if mark is None or store.others_problem:
            return
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, FILE_MODE)
        try:
            os.fchmod(fd, FILE_MODE)
            os.write(fd, msgspec.json.encode(_Cached(mark, found)))
            os.replace(fresh, path)
        except OSError:
            os.unlink(fresh)
        finally:
            os.close(fd)
    except (OSError, JournalError):
        return  # a full disk, no right to write: the next one folds
