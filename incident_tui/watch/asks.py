"""How a screen asks the watch: an empty file in DIR/asks, whose name says what, and a ring of the bell."""

from __future__ import annotations

import os

import msgspec

from incident_tui.journal import notify
from incident_tui.journal.errors import from_os
from incident_tui.journal.place import FILE_MODE, StrPath, make_directory

_EVERYTHING = "all"
_READING = "host-"
_WORD = "asked-"


class Ask(msgspec.Struct, frozen=True):
    """`word` empty: a fresh reading of `host`, of everything when that is empty too. Else a word of `answers`, of all
    hosts when `host` is empty."""

    host: str
    word: str = ""


def ask(directory: StrPath, host: str = "", word: str = "") -> None:
    """Ask for a reading of `host` (a configured name), or of everything; with a word, for that. Raises JournalError."""
    folder = os.path.join(os.fspath(directory), "asks")
    name = f"{_WORD}{word}@{host}" if word else _READING + host if host else _EVERYTHING
    path = os.path.join(folder, name)
    try:
        make_directory(folder)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW, FILE_MODE))
    except OSError as error:
        raise from_os(error, path) from None
    notify.ring(directory)


def take(directory: StrPath) -> list[Ask]:
    """What was asked since the last call. Never raises."""
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
            found.append(Ask(""))
        elif name.startswith(_READING):
            found.append(Ask(name.removeprefix(_READING)))
        elif name.startswith(_WORD):
            word, _, host = name.removeprefix(_WORD).partition("@")
            found.append(Ask(host, word))
    return found
