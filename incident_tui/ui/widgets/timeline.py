"""The timeline: the window's lines below a title with the date, the place and what is new below."""

from __future__ import annotations

from incident_tui.ui.lines import Line, Look, fit, sides
from incident_tui.ui.timeline import Window
from incident_tui.ui.widgets.rows import Rows


class Timeline(Rows):
    """Draws only what is visible; see `ui.timeline.Window`."""

    DEFAULT_CSS = "Timeline { height: 1fr; width: 1fr; }"

    def __init__(self, *, id: str, colours: bool = True) -> None:
        super().__init__(id=id, colours=colours)
        self.window = Window()

    def draw(self, width: int, height: int, *, active: bool, look: Look, empty: str) -> None:
        """`height` includes the title; `empty` is said when there is no entry."""
        window = self.window
        lines = window.lines(height - 1)
        if active and window.selected is not None:
            chosen = window.chosen()
            lines = [
                tuple((text, "chosen") for text, _ in line) if chosen is not None and window.shows(y, chosen) else line
                for y, line in enumerate(lines)
            ]
        count = window.position[1]
        if not count and lines:
            lines[0] = fit([(f" {empty}", "")], width, look)
        right = ""
        if not window.follow:
            new = f"{window.below} new below  " if window.below else ""
            right = f"{new}{window.position[0]}/{count} "
        left = f" {window.top_date}"
        title: Line = sides([(left, "strong" if active else "")], [(right, "mark")], width, look)
        self.show([title, *lines])
