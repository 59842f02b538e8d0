"""A widget that shows lines made elsewhere and redraws only the cells that changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from incident_tui.text import sanitise
from incident_tui.ui.lines import Line, changed

_PLAIN: Final = Style()
COLOURS: Final = {
    "warn": Style(color="magenta", bold=True),
    "crit": Style(color="red", bold=True),
    "unknown": Style(bold=True, underline=True),
    "strong": Style(bold=True),
    "mark": Style(bold=True),
    "struck": Style(strike=True),
    "cursor": Style(reverse=True),
    "chosen": Style(reverse=True),
}
"""Of the sixteen colours only red and magenta can be read on black and on white in the palettes of common terminals:
yellow, green and cyan are lost on white, blue on black. None is the sole sign of a state; what is well has none."""
NO_COLOURS: Final = {
    "warn": Style(bold=True),
    "crit": Style(bold=True, reverse=True),
    "unknown": Style(bold=True, underline=True),
    "strong": Style(bold=True),
    "mark": Style(bold=True),
    "struck": Style(strike=True),
    "cursor": Style(reverse=True),
    "chosen": Style(reverse=True),
}


class Rows(Widget):
    """Lines, each as wide as the widget. `show` is called with all of them, and repaints what differs."""

    DEFAULT_CSS = "Rows { height: 1fr; width: 1fr; }"
    can_focus = False

    class Clicked(Message):
        """The first button was pressed and let go on line `y` of the widget with this id."""

        def __init__(self, id: str, y: int) -> None:
            super().__init__()
            self.id = id
            self.y = y

    class Wheeled(Message):
        """The wheel was turned by one notch over the widget with this id; `step` is 1 down, -1 up."""

        def __init__(self, id: str, step: int) -> None:
            super().__init__()
            self.id = id
            self.step = step

    def __init__(self, *, id: str, colours: bool = True) -> None:
        super().__init__(id=id)
        self._lines: list[Line] = []
        self._styles_of = COLOURS if colours else NO_COLOURS

    def show(self, lines: Sequence[Line]) -> None:
        """Replace what is shown."""
        before, self._lines = self._lines, list(lines)
        regions: list[Region] = []
        for y in range(max(len(before), len(self._lines))):
            if y >= len(before) or y >= len(self._lines):
                regions.append(Region(0, y, self.size.width, 1))
                continue
            span = changed(before[y], self._lines[y])
            if span is not None:
                regions.append(Region(span[0], y, span[1], 1))
        if regions:
            self.refresh(*regions)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y >= len(self._lines):
            return Strip.blank(width)
        segments = [Segment(sanitise(text), self._styles_of.get(style, _PLAIN)) for text, style in self._lines[y]]
        return Strip(segments).adjust_cell_length(width)

    def on_click(self, event: events.Click) -> None:
        event.stop()
        if event.button == 1:
            self.post_message(self.Clicked(self.id or "", event.y))

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheeled(event, 1)

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheeled(event, -1)

    def _wheeled(self, event: events.MouseEvent, step: int) -> None:
        event.stop()
        event.prevent_default()
        self.post_message(self.Wheeled(self.id or "", step))
