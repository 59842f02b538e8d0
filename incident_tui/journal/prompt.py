"""The unsent line of each screen, kept at every key so that a crash, a kill or a hang-up costs nothing.

One private file (0600) for each screen, locked while the screen lives. A save is one small write without fsync: the
page cache survives the process, and a power cut may cost the last seconds. Two slots are written in turn, each with a
length and a checksum, so that a kill in the middle of a write leaves the line before it.
"""

from __future__ import annotations

import fcntl
import os
import re
import struct
import time
import zlib
from datetime import UTC, datetime
from typing import Final

import msgspec

from incident_tui.journal.errors import JournalError
from incident_tui.journal.place import StrPath, make_folder

_HEAD: Final = struct.Struct("<4sQII")  # magic, turn, length, CRC-32 of turn and text
_MAGIC: Final = b"line"
_EMPTY_SECONDS: Final = 60.0
_SLOT: Final = 1 << 22
LINES_MODE: Final = 0o3770  # setgid as the journal, and sticky: nobody removes another account's lines


class Line(msgspec.Struct, frozen=True):
    """A line that a screen left behind."""

    text: str
    at: datetime
    """When it was last changed."""
    path: str


class LineKeeper:
    """Keeps the unsent line of one screen. `owner` is the person, so that the same person gets it back."""

    def __init__(self, directory: StrPath, owner: str) -> None:
        self._folder = lines_folder(directory)
        self._owner = owner
        self._fd = -1
        self._turn = 0
        self._filled = [0, 0]
        self.path = ""

    def save(self, text: str) -> bool:
        """Keep `text`; empty removes what was kept. False when it could not be written, or is over 4 MB."""
        try:
            if not text:
                if self._fd >= 0:
                    os.ftruncate(self._fd, 0)
                    self._filled = [0, 0]
                return True
            raw = text.encode("utf-8", "surrogatepass")
            if len(raw) > _SLOT - _HEAD.size:
                return False
            if self._fd < 0:
                self._open()
            self._turn += 1
            slot = self._turn % 2
            turn = self._turn.to_bytes(8, "little")
            record = _HEAD.pack(_MAGIC, self._turn, len(raw), zlib.crc32(raw, zlib.crc32(turn))) + raw
            # Padded to what the slot held, so that no end of an older, longer line stays in the file.
            padded = record.ljust(self._filled[slot], b"\0")
            self._filled[slot] = max(self._filled[slot], len(record))
            return os.pwrite(self._fd, padded, slot * _SLOT) == len(padded)
        except (OSError, JournalError):
            return False

    def close(self, *, keep: bool = False) -> None:
        """Forget the line, or `keep` it for the next screen of this owner."""
        if self._fd < 0:
            return
        if not keep:
            _unlink(self.path)
        os.close(self._fd)
        self._fd = -1

    def _open(self) -> None:
        make_folder(self._folder, LINES_MODE)
        self.path = f"{self._folder}/{owner_prefix(self._owner)}{os.getpid()}-{os.urandom(4).hex()}.line"
        self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        os.fchmod(self._fd, 0o600)
        fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


_keepers: dict[tuple[str, str], LineKeeper] = {}


def save_line(directory: StrPath, owner: str, text: str) -> bool:
    """Keep the unsent line of this process's screen; see `LineKeeper.save`. For one screen in a process."""
    name = (os.fspath(directory), owner)
    keeper = _keepers.get(name)
    if keeper is None:
        keeper = _keepers[name] = LineKeeper(directory, owner)
    return keeper.save(text)


def load_lines(directory: StrPath, owner: str) -> list[Line]:
    """The lines that ended screens of `owner` under this account left behind, newest first. Never raises.

    They stay on disk until `forget_line`: call it once the text is kept elsewhere (saved, or in the new prompt).
    """
    folder = lines_folder(directory)
    prefix = owner_prefix(owner)
    try:
        names = [name for name in os.listdir(folder) if name.startswith(prefix) and name.endswith(".line")]
    except OSError:
        return []
    found: list[Line] = []
    for name in names:
        line = _load(f"{folder}/{name}")
        if line is not None:
            found.append(line)
    return sorted(found, key=lambda line: line.at, reverse=True)


def forget_line(line: Line) -> None:
    """Remove a line that `load_lines` returned."""
    _unlink(line.path)


def lines_folder(directory: StrPath) -> str:
    """Where a journal's unsent lines are."""
    return os.path.join(os.path.abspath(os.fspath(directory)), "lines")


def _load(path: str) -> Line | None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        status = os.fstat(fd)
        if status.st_uid != os.getuid():
            return None
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)  # a living screen holds it exclusively
        best: tuple[int, bytes] | None = None
        for slot in (0, 1):
            head = os.pread(fd, _HEAD.size, slot * _SLOT)
            if len(head) < _HEAD.size:
                continue
            magic, turn, length, crc = _HEAD.unpack(head)
            raw = os.pread(fd, min(length, _SLOT), slot * _SLOT + _HEAD.size)
            whole = (
                magic == _MAGIC
                and len(raw) == length
                and zlib.crc32(raw, zlib.crc32(turn.to_bytes(8, "little"))) == crc
            )
            if whole and (best is None or turn > best[0]):
                best = (turn, raw)
        if best is None:
            if time.time() - status.st_mtime > _EMPTY_SECONDS:  # younger may be one that is being made
                _unlink(path)
            return None
        text = best[1].decode("utf-8", "surrogatepass")
        return Line(text, datetime.fromtimestamp(status.st_mtime, UTC), path)
    except (OSError, UnicodeDecodeError):
        return None
    finally:
        os.close(fd)


def owner_prefix(owner: str) -> str:
    """A file name for this account and person: readable, and different for different names."""
    slug = re.sub(r"[^a-z0-9]+", "_", owner.lower())[:24]
    return f"{os.getuid()}-{slug}-{zlib.crc32(owner.encode('utf-8', 'surrogatepass')):08x}-"


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return
