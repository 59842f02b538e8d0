"""The line being typed, at the end of the output. Pure: what to write so that the terminal shows it.

Only carriage return, backspace and blanks move about, as on a teletype, so that it works on every terminal and a
screen reader speaks what changed and nothing else.
"""

from __future__ import annotations

from typing import Final

from incident_tui.ui.editor import Editor
from incident_tui.ui.lines import Look, cells

MARK: Final = "> "


class PromptLine:
    """What the terminal's last line shows, and where its cursor is."""

    def __init__(self) -> None:
        self._shown = ""
        self._at = 0

    def draw(self, editor: Editor, width: int, look: Look, mark: str = MARK) -> str:
        """What turns the line that is shown into the one to be shown; `mark` stands before it."""
        view = editor.view(max(8, width - len(mark) - 1), look, active=True)
        before = mark + "".join(text for text, _ in view[:2])
        line = (mark + "".join(text for text, _ in view)).rstrip()
        line = line if len(line) >= len(before) else before
        return self._turn(line, before)

    def _turn(self, line: str, before: str) -> str:
        shown, at = self._shown, self._at
        self._shown, self._at = line, len(before)
        if (line, len(before)) == (shown, at):
            return ""
        if not (line + shown).isascii():
            return f"\r{line}{' ' * max(0, cells(shown) - cells(line))}\r{before}"
        same = next((i for i, (one, two) in enumerate(zip(line, shown, strict=False)) if one != two), None)
        same = min(len(line), len(shown)) if same is None else same
        if line == shown:
            same = len(before)
            return _move(line, at, same)
        tail = line[same:] + " " * max(0, len(shown) - len(line))
        return _move(shown, at, same) + tail + "\b" * (same + len(tail) - len(before))

    def erase(self) -> str:
        """Take the line away, for what is announced in its place."""
        size, self._shown, self._at = cells(self._shown), "", 0
        return f"\r{' ' * size}\r" if size else ""

    def end(self) -> str:
        """Leave the line as it stands and begin a new one."""
        self._shown, self._at = "", 0
        return "\r\n"


def _move(text: str, at: int, to: int) -> str:
    """The cursor from one column to another: back by backspaces, on by writing what is there."""
    return "\b" * (at - to) if to <= at else text[at:to]
