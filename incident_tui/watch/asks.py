"""How a screen asks the watch for a fresh reading: an empty file in DIR/asks, and a ring of the bell."""

from __future__ import annotations

import os

from incident_tui.journal import notify
from incident_tui.journal.errors import from_os
from incident_tui.journal.place import FILE_MODE, StrPath, make_directory

_EVERYTHING = "all"
_PREFIX = "host-"


def ask(directory: StrPath, host: str = "") -> None:
    """Ask for a reading of `host` (a configured name), or of everything. Raises JournalError."""
    folder = os.path.join(os.fspath(directory), "asks")
    path = os.path.join(folder, _PREFIX + host if host else _EVERYTHING)
    try:
        make_directory(folder)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW, FILE_MODE))
    except OSError as error:
        raise from_os(error, path) from None
    notify.ring(directory)


def take(directory: StrPath) -> list[str]:
    """The hosts asked for since the last call; "" for everything. Never raises."""
    folder = os.path.join(os.fspath(directory), "asks")
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    found = []
    for name in names:
        try:
            os.unlink(os.path.join(folder, name))
        except OSError:
            continue
        if name == _EVERYTHING:
            found.append("")
        elif name.startswith(_PREFIX):
            found.append(name.removeprefix(_PREFIX))
    return found
