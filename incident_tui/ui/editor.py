"""The line being typed: text, cursor, history. Pure. Whatever comes in is kept printable; nothing typed is dropped."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Final

from incident_tui.text import sanitise
from incident_tui.ui.lines import Line, Look, Piece, cells, fit, take, width_of

HISTORY: Final = 500


class Editor:
    """One line with a cursor. `text` and `cursor` may be read at any time; change them by the methods."""

    def __init__(self) -> None:
        self.text = ""
        self.cursor = 0
        """In characters, 0 to len(text)."""
        self._history: list[str] = []
        self._at: int | None = None
        self._before = ""

    @property
    def browsing(self) -> bool:
        """The line is empty, or one of the history that was not changed: up and down belong to the history."""
        return not self.text or (self._at is not None and self.text == self._history[self._at])

    def set(self, text: str, cursor: int | None = None) -> None:
        self.text = text
        self.cursor = len(text) if cursor is None else max(0, min(cursor, len(text)))
        self._at = None

    def insert(self, text: str) -> None:
        """Put text at the cursor; line breaks become spaces, controls go."""
        clean = sanitise(text, limit=max(1, len(text)))
        self.text = self.text[: self.cursor] + clean + self.text[self.cursor :]
        self.cursor += len(clean)
        self._at = None

    def take(self) -> str:
        """The line, which is then empty."""
        text, self.text, self.cursor, self._at = self.text, "", 0, None
        return text

    def remember(self, line: str) -> None:
        """Into the history, unless it is the last one there."""
        if line.strip() and (not self._history or self._history[-1] != line):
            self._history.append(line)
            del self._history[:-HISTORY]

    def exchange_history(self, other: list[str]) -> list[str]:
        """Put another history in place of this one, which is returned."""
        mine, self._history, self._at = self._history, other, None
        return mine

    def key(self, key: str) -> bool:
        """An editing key. False when it is none, or does nothing here."""
        action = _KEYS.get(key)
        if action is None:
            return False
        before = (self.text, self.cursor)
        action(self)
        if self.text != before[0]:
            self._at = None
        return True

    def older(self) -> bool:
        """The line before in the history. False when there is none, or the line was changed."""
        if not self.browsing or not self._history:
            return False
        at = len(self._history) - 1 if self._at is None else self._at - 1
        if at < 0:
            return False
        return self._show(at)

    def newer(self) -> bool:
        """The line after; after the last one, the empty line."""
        if self._at is None or not self.browsing:
            return False
        if self._at + 1 >= len(self._history):
            self.set("")
            return True
        return self._show(self._at + 1)

    def _show(self, at: int) -> bool:
        self._at = at
        self.text = self._history[at]
        self.cursor = len(self.text)
        return True

    def view(self, columns: int, look: Look, *, active: bool) -> Line:
        """The line in `columns`, scrolled so that the cursor is seen, which is drawn by a style."""
        columns = max(4, columns)
        # Only what can be seen is looked at: a line may be a pasted megabyte. Room for the cursor and both marks.
        before = look.text(self.text[max(0, self.cursor - 2 * columns) : self.cursor])
        after = look.text(self.text[self.cursor : self.cursor + 2 * columns])
        hidden = self.cursor > 2 * columns
        while cells(before) > columns - 3 or (hidden and cells(before) > columns - 4):
            before, hidden = before[1:], True
        mark = look.cut if hidden else ""
        under, after = after[:1] or " ", after[1:]
        while after and unicodedata.combining(after[0]):
            under, after = under + after[0], after[1:]
        line: list[Piece] = [(mark, "unknown"), (before, ""), (under, "cursor" if active else "")]
        room = columns - width_of(line)
        if cells(after) > room:
            return fit([*line, (take(after, room - 1), ""), (look.cut, "unknown")], columns, look)
        return fit([*line, (after, "")], columns, look)

    def _move(self, step: int) -> None:
        self.cursor = max(0, min(len(self.text), self.cursor + step))
        while 0 < self.cursor < len(self.text) and unicodedata.combining(self.text[self.cursor]):
            self.cursor += 1 if step > 0 else -1

    def _word_left(self) -> int:
        return len(re.sub(r"\S+\s*$", "", self.text[: self.cursor]))

    def _word_right(self) -> int:
        match = re.match(r"\s*\S+", self.text[self.cursor :])
        return self.cursor + (match.end() if match else len(self.text) - self.cursor)

    def _delete(self, start: int, end: int) -> None:
        self.text = self.text[:start] + self.text[end:]
        self.cursor = start

    def _backspace(self) -> None:
        end = self.cursor
        self._move(-1)
        self._delete(self.cursor, end)

    def _delete_right(self) -> None:
        start = self.cursor
        self._move(1)
        self._delete(start, self.cursor)

    def _home(self) -> None:
        self.cursor = 0

    def _end(self) -> None:
        self.cursor = len(self.text)


_KEYS: Final[dict[str, Callable[[Editor], None]]] = {
    "left": lambda editor: editor._move(-1),
    "right": lambda editor: editor._move(1),
    "ctrl+left": lambda editor: setattr(editor, "cursor", editor._word_left()),
    "ctrl+right": lambda editor: setattr(editor, "cursor", editor._word_right()),
    "home": Editor._home,
    "ctrl+a": Editor._home,
    "end": Editor._end,
    "backspace": Editor._backspace,
    "ctrl+h": Editor._backspace,
    "delete": Editor._delete_right,
    "ctrl+d": Editor._delete_right,
    "ctrl+w": lambda editor: editor._delete(editor._word_left(), editor.cursor),
    "ctrl+u": lambda editor: editor._delete(0, editor.cursor),
    "ctrl+k": lambda editor: editor._delete(editor.cursor, len(editor.text)),
}
EDITING: Final = frozenset(_KEYS)
"""Keys that edit the line."""
