"""What can go wrong with a journal, each as one sentence: what, where, how to mend. No other error leaves this room."""

from __future__ import annotations

import os
import sqlite3
from typing import Final


class JournalError(Exception):
    """Something is wrong with the journal.

    `sentence` is complete and fit for the screen. `transient` means that the same request may succeed later without
    anybody changing the request: the writer keeps the drafts and tries again.
    """

    transient: bool = False

    def __init__(self, sentence: str, *, transient: bool | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        if transient is not None:
            self.transient = transient


class Locked(JournalError):
    """Another process holds the write lock. `pid` is 0 when the kernel does not tell."""

    transient = True

    def __init__(self, sentence: str, *, pid: int = 0, name: str = "") -> None:
        super().__init__(sentence)
        self.pid = pid
        self.name = name


class Full(JournalError):
    """No room on the disk, or a quota is used up."""

    transient = True


class ReadOnly(JournalError):
    """The journal can be read but not written: rights, or a file system mounted read-only."""

    transient = True


class NotThere(JournalError):
    """The directory or the file is missing, was replaced, or cannot be reached."""

    transient = True


class Corrupt(JournalError):
    """The file is damaged, or no journal at all."""


class FromTheFuture(JournalError):
    """A newer version of the program wrote this journal."""


class NetworkFilesystem(JournalError):
    """The directory is on a file system whose locks cannot be trusted."""


class StaleEpoch(JournalError):
    """The lease has moved to another process since `epoch` was taken."""


_BUSY: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_READONLY: Final = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}
_DBMOVED: Final = 1032  # SQLITE_READONLY_DBMOVED


def from_sqlite(error: sqlite3.Error, path: str) -> JournalError:
    """The journal's own error for one of SQLite's about the database at `path`."""
    code: int = getattr(error, "sqlite_errorcode", None) or 0
    primary = code & 0xFF
    if primary in _BUSY:
        return locked(path)
    if code == _DBMOVED or (code and not os.path.exists(path)):
        return not_there(path)
    if primary == sqlite3.SQLITE_FULL or (primary == sqlite3.SQLITE_IOERR and _no_room(path)):
        return full(path)
    if primary in _READONLY or (primary == sqlite3.SQLITE_CANTOPEN and not _writable(path)):
        return read_only(path)
    if primary == sqlite3.SQLITE_NOTADB:
        return Corrupt(f"{path} is not a journal: it is no SQLite database. Move it away, or name another directory.")
    if primary == sqlite3.SQLITE_CORRUPT:
        return Corrupt(
            f"{path} is damaged ({error}). Copy the directory, then recover what can be read with "
            f"`sqlite3 {path} .recover`."
        )
    if primary == sqlite3.SQLITE_CANTOPEN and _no_room(path):
        return full(path)
    if primary in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOMEM):
        return JournalError(
            f"{path} cannot be read or written: {error}. See the kernel log of this machine.", transient=True
        )
    if isinstance(error, sqlite3.ProgrammingError) and "closed" in str(error):
        return JournalError(f"{path} was closed by this program before the request.")
    return Corrupt(
        f"{path} is not as a journal should be ({error}). Copy the directory, then run `incident-tui verify`."
    )


def from_os(error: OSError, path: str) -> JournalError:
    """The journal's own error for a failed system call about `path`."""
    import errno

    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return full(path)
    if error.errno == errno.EROFS:
        return read_only(path)
    if error.errno in (errno.EACCES, errno.EPERM):
        return ReadOnly(
            f"{path} cannot be written by this account. Ask its owner to add you to the group of the directory."
        )
    if error.errno in (errno.ENOENT, errno.ESTALE):
        return not_there(path)
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return NotThere(f"{path} is not a directory. Name another one with --journal.", transient=False)
    return JournalError(f"{path}: {error.strerror or error}.", transient=True)


def full(path: str) -> Full:
    return Full(f"no room left on the disk of {path}. Free some space; what waits is saved as soon as there is room.")


def read_only(path: str) -> ReadOnly:
    directory = os.path.dirname(path)
    if _mounted_read_only(directory):
        return ReadOnly(
            f"the file system is mounted read-only: {directory}. Remount it for writing, or name another --journal."
        )
    return ReadOnly(f"{path} cannot be written by this account. Ask its owner to add you to the group of {directory}.")


def not_there(path: str) -> NotThere:
    return NotThere(
        f"the journal {path} is missing or was replaced while in use. Put it back, or restart with another --journal."
    )


def locked(path: str) -> Locked:
    """The journal is locked; names the holder where /proc/locks shows it."""
    pid, name = lock_holder(path)
    who = f"pid {pid} ({name})" if pid else "another process"
    return Locked(
        f"journal locked by {who}: {path}. If that process is stopped or hangs, continue or end it.", pid=pid, name=name
    )


_WAL_WRITE_BYTE: Final = 120  # sqlite3 walformat: locking protocol, WAL_WRITE_LOCK on the -shm file
_PENDING_BYTE: Final = 0x40000000  # and the rollback locks on the database itself


def lock_holder(path: str, locks: str = "/proc/locks") -> tuple[int, str]:
    """(pid, name) of the process that holds SQLite's write lock on the database `path`, or (0, "").

    Read from /proc/locks. Never by opening the files: closing them would drop this process's own POSIX locks.
    """
    wanted: dict[int, int] = {}
    for suffix, byte in (("-shm", _WAL_WRITE_BYTE), ("", _PENDING_BYTE)):
        try:
            wanted[os.stat(path + suffix).st_ino] = byte
        except OSError:
            continue
    found = 0
    try:
        with open(locks, encoding="ascii", errors="replace") as file:
            for line in file:
                words = line.split()
                if len(words) < 8 or words[1] != "POSIX" or words[3] != "WRITE":
                    continue
                inode = int(words[5].rsplit(":", 1)[-1])
                if inode not in wanted:
                    continue
                first, last = int(words[6]), (1 << 62 if words[7] == "EOF" else int(words[7]))
                # A recovering or closing process locks other bytes of the same file: second best.
                if first <= wanted[inode] <= last:
                    found = int(words[4])
                    break
                found = found or int(words[4])
    except (OSError, ValueError):
        return 0, ""
    if found <= 0 or found == os.getpid():
        return (found, "this program") if found > 0 else (0, "")
    try:
        with open(f"/proc/{found}/comm", encoding="utf-8", errors="replace") as file:
            name = file.read().strip()
    except OSError:
        name = "name unknown"
    return found, "".join(c for c in name if c.isprintable()) or "name unknown"


def _no_room(path: str) -> bool:
    try:
        room = os.statvfs(os.path.dirname(path))
    except OSError:
        return False
    return room.f_bavail * room.f_frsize < 65536 or (room.f_files > 0 and room.f_favail == 0)


def _mounted_read_only(directory: str) -> bool:
    try:
        return bool(os.statvfs(directory).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def _writable(path: str) -> bool:
    directory = os.path.dirname(path)
    return (
        not _mounted_read_only(directory)
        and os.access(directory, os.W_OK | os.X_OK)
        and (not os.path.exists(path) or os.access(path, os.W_OK))
    )
