"""What is opened over the timeline: help, the detail of a row, a playbook, a paste. It scrolls and holds no state."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from incident_tui.ui.lines import Line, Look, fit
from incident_tui.ui.page import titled
from incident_tui.ui.sheets import Content, Opened
from incident_tui.ui.view import View
from incident_tui.ui.widgets.rows import Rows


class Sheet(Rows):
    """Shows `content` until it is closed."""

    DEFAULT_CSS = "Sheet { height: 1fr; width: 1fr; display: none; }"

    def __init__(self, *, id: str, colours: bool = True) -> None:
        super().__init__(id=id, colours=colours)
        self.content: Content | None = None
        self.title = ""
        self.wide = False
        """It takes the place of the left pane, too."""
        self._begin: Callable[[Sequence[Line]], int] = lambda lines: 0
        self._begun = 0
        self._top = 0
        self._count = 0
        self._height = 1

    def open(self, opened: Opened) -> None:
        self.title, self.content, self.wide, self._top = opened.title, opened.content, opened.wide, 0
        self._begin, self._begun = opened.begin, 0
        self.display = True

    def shut(self) -> None:
        self.content = None
        self.display = False

    def scroll_lines(self, lines: int) -> None:
        self._top = max(0, min(self._top + lines, self._count - self._height))

    def draw(self, view: View, width: int, height: int, look: Look) -> None:
        """`height` includes the title."""
        if self.content is None:
            return
        lines = list(self.content(view, width))
        self._count, self._height = len(lines), max(1, height - 1)
        begin = self._begin(lines)
        if begin != self._begun:
            self._top = self._begun = begin
        self._top = max(0, min(self._top, self._count - self._height))
        end = min(self._count, self._top + self._height)
        more = f"  {end}/{self._count} PgDn" if self._count > self._height else ""
        shown = [fit(line, width, look) for line in lines[self._top : end]]
        blank = [fit([], width)] * (self._height - len(shown))
        self.show([titled(self.title, f"Esc closes{more}", width, look), *shown, *blank])
