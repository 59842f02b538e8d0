"""Who has a screen open on this journal: one locked file for each, so that a lost session shows by itself.

DIR/screens/<uid>-<pid>-<random>.json holds the name; its flock says whether the screen lives, its modification time
when it last did. A screen that ends in order removes its file; what a lost one leaves, and that of somebody who is
needed, is shown as gone for an hour.
"""

from __future__ import annotations

import fcntl
import os
import time
from typing import Final

import msgspec

from incident_tui.journal.errors import from_os
from incident_tui.journal.place import FILE_MODE, StrPath, make_folder
from incident_tui.text import sanitise

SHOWN_SECONDS: Final = 3600.0
"""How long somebody who dropped is still shown."""


class Present(msgspec.Struct, frozen=True):
    """Somebody's screen. `since` is seconds since it opened, or, when not `alive`, since it was last seen."""

    name: str
    alive: bool
    since: float


class _Card(msgspec.Struct, frozen=True):
    name: str
    opened: float


class Presence:
    """The screen's own sign, and the view of all. Not inherited by children."""

    def __init__(self, directory: StrPath) -> None:
        self._folder = os.path.join(os.path.abspath(os.fspath(directory)), "screens")
        self._fd = -1
        self._path = ""
        self.needed = False
        """The others have to know that this person went: the screen ends as a lost one does."""

    def enter(self, name: str) -> None:
        """Show that a screen of `name` is open. Raises JournalError when the directory cannot be written."""
        path = f"{self._folder}/{os.getuid()}-{os.getpid()}-{os.urandom(4).hex()}.json"
        try:
            make_folder(self._folder)
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
            os.fchmod(fd, FILE_MODE)
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.pwrite(fd, msgspec.json.encode(_Card(sanitise(name, limit=80), time.time())), 0)
        except OSError as error:
            raise from_os(error, path) from None
        self._fd, self._path = fd, path

    def beat(self) -> None:
        """About twice a minute: the file's time is when this screen was last alive."""
        if self._fd >= 0:
            try:
                os.utime(self._fd)
            except OSError:
                return

    def leave(self) -> None:
        """The screen ends in order."""
        if self._fd >= 0:
            if self.needed:
                self.beat()
            else:
                _unlink(self._path)
            os.close(self._fd)
            self._fd = -1

    def people(self) -> list[Present]:
        """One row a name: those who are here first, longest first. Never raises; clears away what is too old."""
        now = time.time()
        here: dict[str, float] = {}
        gone: dict[str, float] = {}
        for path in self._files():
            seen = _look(path)
            if seen is None:
                continue
            card, alive, touched = seen
            if alive:
                here[card.name] = max(here.get(card.name, 0.0), now - card.opened)
            elif now - touched > SHOWN_SECONDS:
                _unlink(path)
            else:
                gone[card.name] = min(gone.get(card.name, SHOWN_SECONDS), now - touched)
        found = [Present(name, True, max(0.0, since)) for name, since in here.items()]
        found.sort(key=lambda one: -one.since)
        lost = [Present(name, False, max(0.0, since)) for name, since in gone.items() if name not in here]
        return found + sorted(lost, key=lambda one: one.since)

    def screens(self) -> int:
        """How many screens are open now."""
        return sum(1 for path in self._files() if (seen := _look(path)) is not None and seen[1])

    def _files(self) -> list[str]:
        try:
            return [f"{self._folder}/{name}" for name in os.listdir(self._folder) if name.endswith(".json")]
        except OSError:
            return []


def _look(path: str) -> tuple[_Card, bool, float] | None:
    """The card, whether its screen lives, and when it last did; None when it is no card."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        touched = os.fstat(fd).st_mtime
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
            alive = False
        except BlockingIOError:
            alive = True
        card = msgspec.json.decode(os.pread(fd, 4096, 0), type=_Card)
        return _Card(sanitise(card.name, limit=80), card.opened), alive, touched
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    finally:
        os.close(fd)


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return
