"""How a screen asks the watch: an empty file in DIR/asks, whose name says what, and a ring of the bell."""

from __future__ import annotations

import os
from typing import Literal

import msgspec

from incident_tui.incident.entry import Ref
from incident_tui.journal import notify
from incident_tui.journal.errors import from_os
from incident_tui.journal.place import FILE_MODE, StrPath, make_folder

_EVERYTHING = "all"
_READING = "host-"
_WORD = "asked-"
_CHAT = "chat-"


class Ask(msgspec.Struct, frozen=True):
    """`word` empty: a fresh reading of `host`, of everything when that is empty too. Else a word of `answers`, of all
    hosts when `host` is empty."""

    host: str
    word: str = ""


class ChatAsk(msgspec.Struct, frozen=True, kw_only=True):
    """`verb` is retry or test; `sink` empty: all of them. Retry: the entry `journal`, `number`, or all that was refused
    when `journal` is empty. Test: `number` names the message."""

    verb: Literal["retry", "test"]
    sink: str = ""
    journal: str = ""
    number: int = 0


def ask_chat(directory: StrPath, wanted: ChatAsk) -> None:
    """Raises JournalError."""
    _leave(directory, f"{_CHAT}{wanted.verb}@{wanted.sink}@{wanted.journal}@{wanted.number}")


def resend(directory: StrPath, ref: Ref | None) -> None:
    """A person wants an entry's messages sent again, or all that were refused. Raises JournalError."""
    journal, number = (ref.journal, ref.seq) if ref is not None else ("", 0)
    ask_chat(directory, ChatAsk(verb="retry", journal=journal, number=number))


def ask(directory: StrPath, host: str = "", word: str = "") -> None:
    """Ask for a reading of `host` (a configured name), or of everything; with a word, for that. Raises JournalError."""
    _leave(directory, f"{_WORD}{word}@{host}" if word else _READING + host if host else _EVERYTHING)


def _leave(directory: StrPath, name: str) -> None:
    folder = os.path.join(os.fspath(directory), "asks")
    path = os.path.join(folder, name)
    try:
        make_folder(folder)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW, FILE_MODE))
    except OSError as error:
        raise from_os(error, path) from None
    notify.ring(directory)


def take(directory: StrPath) -> list[Ask | ChatAsk]:
    """What was asked since the last call. Never raises."""
    folder = os.path.join(os.fspath(directory), "asks")
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    found: list[Ask | ChatAsk] = []
    for name in sorted(names):
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
        elif name.startswith(_CHAT):
            found += _chat(name.removeprefix(_CHAT))
    return found


def _chat(name: str) -> list[ChatAsk]:
    """What the name says; nothing when it is not of ours."""
    verb, sink, journal, number, *more = [*name.split("@"), "", "", ""]
    if more != ["", "", ""] or not number.isdecimal() or len(number) > 18 or verb not in ("retry", "test"):
        return []
    return [ChatAsk(verb="retry" if verb == "retry" else "test", sink=sink, journal=journal, number=int(number))]
