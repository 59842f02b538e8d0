"""A copy of a journal as one file, and a journal from such a copy. Neither ever loses an entry.

A copy is made in one reading transaction of SQLite's backup while others write, is checked by the chain, and only then
gets its name. Restoring only adds: into a directory without a journal it puts the copy; a journal whose entries are all
in the copy gets those it lacks; any other is refused, with what it has that the copy has not. The file is never
exchanged under programs that have it open: SQLite's own log is found by its name.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable
from datetime import datetime
from typing import Final
from urllib.parse import quote

import msgspec

from incident_tui.journal import notify
from incident_tui.journal.chain import Head, Verdict
from incident_tui.journal.connection import Guard, has_content
from incident_tui.journal.errors import JournalError, ReadOnly, from_os
from incident_tui.journal.extend import extend
from incident_tui.journal.place import FILE_MODE, Place, StrPath, open_place, sync_directory
from incident_tui.journal.purge import clean
from incident_tui.journal.schema import backup as copy_database
from incident_tui.journal.schema import check_schema
from incident_tui.journal.store import Store, system_clock

_PRIVATE: Final = 0o600


class Copied(msgspec.Struct, frozen=True):
    """What a backup is: its file, and what the check of it said."""

    path: str
    verdict: Verdict


class Restored(msgspec.Struct, frozen=True):
    """What restoring did: `added` of the entries of the copy were not there before."""

    directory: str
    head: Head
    added: int


def back_up(store: Store, target: StrPath) -> Copied:
    """Copy the journal to the file `target`, or into the directory `target` under a name of its own. 0600.

    A file of that name is replaced when it is an earlier backup of the same journal. Raises JournalError; then nothing
    was replaced. A copy that does not pass the check is kept as `target`.damaged: it may be the best there is.
    """
    path = os.path.abspath(os.path.expanduser(os.fspath(target)))
    if os.path.isdir(path):
        path = os.path.join(path, f"incident-tui-{store.journal}-{store.clock():%Y%m%dT%H%M%SZ}.journal")
    if os.path.lexists(path):
        _replaceable(path, store)
    fresh = f"{path}.{os.getpid()}-{os.urandom(4).hex()}.new"
    head = store.head()
    try:
        if not os.path.isdir(os.path.dirname(path)):
            raise JournalError(f"there is no directory {os.path.dirname(path)}.")
        try:
            os.close(os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _PRIVATE))
        except OSError as error:
            raise from_os(error, os.path.dirname(path)) from None
        with Guard(fresh):
            copy_database(store.connection, fresh)
            _sync(fresh)
        with open_copy(fresh, store.clock) as copy:
            verdict = copy.verify([head])
        path = path if verdict.ok else f"{path}.damaged"
        with Guard(path):
            os.replace(fresh, path)
        sync_directory(os.path.dirname(path))
    finally:
        with contextlib.suppress(OSError):
            os.unlink(fresh)
    return Copied(path, verdict)


def restore(source: StrPath, directory: StrPath, clock: Callable[[], datetime] = system_clock) -> Restored:
    """Bring the entries of the backup `source` into the journal at `directory`, which is made when there is none.

    Raises JournalError, with what to do, when the backup does not pass its check, or the journal has entries that the
    backup lacks; then nothing was changed.
    """
    with open_copy(source, clock) as copy:
        verdict = copy.verify()
        if not verdict.ok:
            problem = verdict.problems[0]
            raise JournalError(
                f"{copy.path} does not pass its check, so nothing was restored: {problem.sentence} Use another backup; "
                "`incident-tui verify` can name all that is wrong once this one is the journal.db of a directory."
            )
        place = open_place(directory)
        if not os.path.exists(place.journal):
            _place_whole(copy, place)
            return Restored(place.directory, verdict.head, verdict.entries)
        with Store.open(place.directory, clock=clock, create=False) as store:
            return Restored(place.directory, verdict.head, _add(store, copy))


def open_copy(path: StrPath, clock: Callable[[], datetime] = system_clock) -> Store:
    """A backup, opened for reading alone. Raises JournalError when it is none."""
    path = os.path.abspath(os.path.expanduser(os.fspath(path)))
    if not os.path.isfile(path):
        raise JournalError(f"there is no file {path}. Name a file that `incident-tui backup` made.")
    if has_content(f"{path}-wal"):
        raise JournalError(f"{path} is a journal in use, not a backup: its {path}-wal is part of it. Use backup there.")
    with Guard(path):
        db = sqlite3.connect(f"file:{quote(path)}?mode=ro&immutable=1", uri=True, isolation_level=None)
        try:
            check_schema(db, path, clock, migrate=False)
            store = Store(Place(os.path.dirname(path)), db, clock, ReadOnly(f"{path} is a backup and only read."))
        except BaseException:
            db.close()
            raise
    store.path, store.guard = path, Guard(path)
    return store


def _replaceable(path: str, store: Store) -> None:
    try:
        with open_copy(path, store.clock) as old:
            head = old.head()
            earlier = head.journal == store.journal and (head.seq == 0 or store.head_at(head.seq) == head)
    except JournalError:
        earlier = False
    if not earlier:
        raise JournalError(f"{path} is there and is no earlier backup of this journal. Name another file.")


def _place_whole(copy: Store, place: Place) -> None:
    """The copy becomes the journal of a directory that has none; nobody sees half of it."""
    fresh = f"{place.journal}.{os.getpid()}-{os.urandom(4).hex()}.new"
    with Guard(place.journal):
        try:
            copy_database(copy.connection, fresh)
            os.chmod(fresh, FILE_MODE)
            _sync(fresh)
            for cache in (f"{place.directory}/in-force.json", place.snapshot, place.search):  # of what was there once
                for name in (cache, f"{cache}-wal", f"{cache}-shm"):
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(name)
            for left in ("-wal", "-shm"):
                if os.path.exists(place.journal + left):
                    raise JournalError(
                        f"{place.journal} is gone, but its {left[1:]} is there and may hold entries. Keep it: move it "
                        "away, then restore again."
                    )
            try:
                os.link(fresh, place.journal)
            except FileExistsError:
                raise JournalError(f"a journal was made in {place.directory} just now. Restore again.") from None
        finally:
            with contextlib.suppress(OSError):
                os.unlink(fresh)
    sync_directory(place.directory)


def _add(store: Store, copy: Store) -> int:
    """Add what `store` lacks, in one transaction that no append can come into; the number of entries."""
    store.check_writable()
    db, other = store.connection, copy.connection
    with store.guard:
        db.execute("BEGIN IMMEDIATE")
        try:
            here = store.head()
            _refuse_what_is_only_here(store, here, copy)
            erased = extend(
                store,
                here.seq,
                other.execute("SELECT seq, commitment, link, salt, body FROM entries WHERE seq > ?", (here.seq,)),
                other.execute("SELECT key, seq, count FROM keys WHERE seq > ?", (here.seq,)),
                other.execute("SELECT seq, by_seq, kept FROM tombstones"),
                copy.epoch(),
            )
            db.execute("COMMIT")
        except BaseException:
            store.rollback()
            raise
    added = copy.head().seq - here.seq
    if added:
        notify.ring(store.place.directory)
    for seq in erased:
        clean(store, seq)
    return added


def _refuse_what_is_only_here(store: Store, here: Head, copy: Store) -> None:
    where = store.place.directory
    instead = "Restore into another directory with --journal, or move that journal away first (stop its watch)."
    if store.journal != copy.journal:
        raise JournalError(
            f"{where} has another journal, {store.journal} with {here.seq} entries; the backup is of {copy.journal}. "
            f"Nothing was changed. {instead}"
        )
    same, upper = 0, min(here.seq, copy.head().seq)
    while same < upper:  # the last number up to which both are one journal
        middle = (same + upper + 1) // 2
        same, upper = (middle, upper) if store.head_at(middle) == copy.head_at(middle) else (same, middle - 1)
    if same < here.seq:
        first, last = store.letter + str(same + 1), store.letter + str(here.seq)
        which = f"entry {last}" if first == last else f"entries {first} to {last}"
        raise JournalError(
            f"the journal in {where} has what the backup lacks: {which}, recorded until "
            f"{store.read(here.seq - 1)[0].recorded_at:%Y-%m-%d %H:%M:%SZ}. Nothing was changed. {instead}"
        )


def _sync(path: str) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
