"""The prompt: what the line means, then the line. It has the focus always, so no key is ever lost to a pane."""

from __future__ import annotations

from typing import Final

from textual import events
from textual.message import Message

from incident_tui.incident.echo import ASKS
from incident_tui.ui.editor import Editor
from incident_tui.ui.lines import Look, cells, cut
from incident_tui.ui.widgets.rows import Rows

LINE_AT_80: Final = 40
LINE_AT_60: Final = 24


def line_columns(width: int) -> int:
    """Columns that the line itself keeps, however much its label has to say."""
    if width >= 80:
        return LINE_AT_80
    return max(width // 3, LINE_AT_60 - (60 - width) * 4 // 5)


def shortened(label: str, columns: int, look: Look) -> str:
    """Kind and time, and as much of the rest as fits: what stands behind a comma goes first."""
    said, asks, _ = label.partition(ASKS)
    parts = said.split(", ")
    while len(parts) > 1 and cells(", ".join(parts) + asks) > columns:
        parts.pop()
    return cut(", ".join(parts), columns - cells(asks), look) + asks


class Prompt(Rows, can_focus=True):
    """One line. Says `KeyPressed` for each key and `Pasted` for a bracketed paste; the app decides."""

    DEFAULT_CSS = "Prompt { height: 1; width: 1fr; }"

    class KeyPressed(Message):
        """A key was pressed. `at` is the monotonic time of it."""

        def __init__(self, key: str, character: str, at: float) -> None:
            super().__init__()
            self.key = key
            self.character = character
            self.at = at

    class Pasted(Message):
        """Text was pasted, of one line or several."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, *, id: str, colours: bool = True) -> None:
        super().__init__(id=id, colours=colours)
        self.editor = Editor()

    def draw(self, label: str, width: int, *, active: bool, look: Look, mark: str = " >") -> None:
        """`label` is what the line means, e.g. "ACTION 14:10Z"; `mark` stands between it and the line."""
        label = shortened(look.text(label), max(4, width - line_columns(width) - 4), look)
        head = f" {label}{mark} " if label else " > "
        line = self.editor.view(width - cells(head), look, active=active)
        self.show([((head, "strong"), *line)])

    async def _on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        character = event.character if event.is_printable and event.character else ""
        # What was typed before the terminal was ours went through its line discipline, which turns CR into LF.
        key = "enter" if event.key == "ctrl+j" else event.key
        self.post_message(self.KeyPressed(key, character, event.time))

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self.post_message(self.Pasted(event.text))
