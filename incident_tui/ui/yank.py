"""Copying out of the screen: OSC 52 for the terminal's clipboard, and a private file, as no terminal answers."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC
from typing import Final

from incident_tui.incident.entry import MACHINE_KINDS
from incident_tui.incident.views import TimelineRow
from incident_tui.journal.errors import JournalError
from incident_tui.journal.place import Place, StrPath, make_folder
from incident_tui.text import sanitise
from incident_tui.ui.lines import Line, plain
from incident_tui.ui.words import refusal

MOST: Final = 74_994
"""Bytes of text that are sent: 100,000 with the encoding, what common terminals take in one sequence."""
_SCREEN_PART: Final = 252
"""Bytes that GNU screen passes through in one DCS string."""
_FOLDER_MODE: Final = 0o3770


def row_text(row: TimelineRow, handle: str) -> str:
    """One entry in plain text: "a17 14:06:00Z ana ACTION text"."""
    author = "" if row.entry.kind in MACHINE_KINDS else f"{row.entry.author.name} "
    text = f"{handle} {row.at.astimezone(UTC):%H:%M:%S}Z {author}{row.word} {row.text}"
    return sanitise(text, lines=True, limit=max(1, len(text)))


def copy(text: str, directory: StrPath, environ: Mapping[str, str], send: Callable[[str], None]) -> str:
    """Send it to the terminal's clipboard, keep it in the file, and return the sentence that says so."""
    sequence, cut = osc52(text, environ)
    send(sequence)
    said = f"Sent to the terminal's clipboard{f', the first {MOST} bytes' if cut else ''}"
    said += " (tmux: set -s set-clipboard on)" if environ.get("TMUX") else ""
    try:
        return f"{said}, and in {keep_text(directory, text)}."
    except (OSError, JournalError) as error:
        return f"{said}; no file: {refusal(error)}."


def lines_text(lines: Iterable[Line]) -> str:
    """What is drawn, as text without the padding."""
    return "\n".join(line.strip() for line in plain(lines).split("\n")).strip()


def osc52(text: str, environ: Mapping[str, str]) -> tuple[str, bool]:
    """The sequence that puts `text` on the terminal's clipboard, and whether it had to be cut to MOST.

    tmux reads it itself (`set -s set-clipboard on`); screen has to be told to pass it through, in parts.
    """
    raw = text.encode("utf-8", "replace")
    cut = raw[:MOST].decode("utf-8", "ignore").encode() if len(raw) > MOST else raw
    sequence = f"\x1b]52;c;{base64.b64encode(cut).decode()}\x07"
    if environ.get("STY") and not environ.get("TMUX"):
        parts = [sequence[at : at + _SCREEN_PART] for at in range(0, len(sequence), _SCREEN_PART)]
        sequence = "".join(f"\x1bP{part}\x1b\\" for part in parts)
    return sequence, len(raw) > MOST


def keep_text(directory: StrPath, text: str) -> str:
    """Write it to this account's own file beside the journal and return the path. Raises OSError, JournalError."""
    folder = Place(os.path.abspath(os.fspath(directory))).yank
    make_folder(folder, _FOLDER_MODE)
    path = f"{folder}/{os.getuid()}.txt"
    part = f"{path}.{os.getpid()}"
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8", errors="replace") as file:
        os.fchmod(fd, 0o600)
        file.write(f"{text}\n")
    os.replace(part, path)
    return path
