"""A line in a file of its own, while an editor has it: private, and found again when its screen was killed.

A directory of mode 0700 for each, among the unsent lines, so that what an editor puts beside the file (swap, backup)
is as private and goes with it. It is locked while the screen or its editor lives: the editor inherits the lock.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from datetime import UTC, datetime
from typing import Final

from incident_tui.journal.place import StrPath, make_folder
from incident_tui.journal.prompt import LINES_MODE, Line, lines_folder, owner_prefix

_SUFFIX: Final = ".edit"
_NAME: Final = "line.txt"
_MOST: Final = 1 << 24
"""Bytes of a file that are read back."""


class LineFile:
    """Raises OSError or JournalError when it cannot be made."""

    def __init__(self, directory: StrPath, owner: str, text: str) -> None:
        folder = lines_folder(directory)
        make_folder(folder, LINES_MODE)
        self._place = f"{folder}/{owner_prefix(owner)}{os.getpid()}-{os.urandom(4).hex()}{_SUFFIX}"
        os.mkdir(self._place, 0o700)
        self.lock = os.open(self._place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        """Hand it to the editor as well (`pass_fds`)."""
        fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.path = f"{self._place}/{_NAME}"
        fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8", errors="replace") as file:
            file.write(f"{text}\n" if text else "")

    def read(self) -> str | None:
        """What is in it now without the last line end; None when it is gone or cannot be read."""
        return _read(self.path)

    def close(self) -> None:
        """Remove it. Whoever still has it open keeps what is open, no more."""
        shutil.rmtree(self._place, ignore_errors=True)
        os.close(self.lock)


def left_files(directory: StrPath, owner: str) -> list[Line]:
    """What ended screens of `owner` under this account left in files whose editor has ended too, newest first. Never
    raises. They stay until `forget_file`."""
    folder, prefix = lines_folder(directory), owner_prefix(owner)
    try:
        names = [name for name in os.listdir(folder) if name.startswith(prefix) and name.endswith(_SUFFIX)]
    except OSError:
        return []
    found = [line for name in names if (line := _left(f"{folder}/{name}")) is not None]
    return sorted(found, key=lambda line: line.at, reverse=True)


def forget_file(line: Line) -> None:
    """Remove what `left_files` returned."""
    shutil.rmtree(line.path, ignore_errors=True)


def _left(place: str) -> Line | None:
    try:
        fd = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        if os.fstat(fd).st_uid != os.getuid():
            return None
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        text = _read(f"{place}/{_NAME}")
        if text is None:
            return None
        changed = os.stat(f"{place}/{_NAME}").st_mtime
        return Line(text, datetime.fromtimestamp(changed, UTC), place)
    except OSError:
        return None
    finally:
        os.close(fd)


def _read(path: str) -> str | None:
    try:
        with open(path, "rb") as file:
            raw = file.read(_MOST)
    except OSError:
        return None
    return raw.decode("utf-8", "replace").replace("\r\n", "\n").removesuffix("\n")
