"""When a person last had a screen open on this journal: one private file for each, its modification time.

It is touched while a screen lives and when it ends, by whichever screen of that person comes last.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime

from incident_tui.journal.errors import JournalError
from incident_tui.journal.place import StrPath, make_folder
from incident_tui.journal.prompt import LINES_MODE, lines_folder, owner_prefix


class LastSeen:
    """Nothing here raises: who cannot write here is told nothing at the next opening."""

    def __init__(self, directory: StrPath, owner: str) -> None:
        self._folder = lines_folder(directory)
        self._path = f"{self._folder}/{owner_prefix(owner)}seen"

    def read(self) -> datetime | None:
        """When the last screen was last there; None when there was none."""
        try:
            status = os.lstat(self._path)
        except OSError:
            return None
        return datetime.fromtimestamp(status.st_mtime, UTC) if status.st_uid == os.getuid() else None

    def mark(self, now: datetime) -> None:
        """This screen is here now."""
        try:
            make_folder(self._folder, LINES_MODE)
            fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                os.utime(fd, (now.timestamp(), now.timestamp()))
            finally:
                os.close(fd)
        except (OSError, JournalError):
            return
