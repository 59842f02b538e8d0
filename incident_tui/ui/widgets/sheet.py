"""What is opened over the timeline: help, the detail of a row, a playbook, a paste. It scrolls and holds no state."""

from __future__ import annotations

from collections.abc import Mapping

from incident_tui.ui.lines import Look, fit
from incident_tui.ui.page import titled
from incident_tui.ui.sheets import Choice, Opened
from incident_tui.ui.view import View
from incident_tui.ui.widgets.rows import Rows


class Sheet(Rows):
    """Shows `content` until it is closed."""

    DEFAULT_CSS = "Sheet { height: 1fr; width: 1fr; display: none; }"

    def __init__(self, *, id: str, colours: bool = True) -> None:
        super().__init__(id=id, colours=colours)
        self.opened: Opened | None = None
        self._choices: Mapping[int, Choice] = {}
        self._chosen = ""
        self._begun = 0
        self._top = 0
        self._count = 0
        self._height = 1

    def open(self, opened: Opened) -> None:
        self.opened, self._top, self._begun = opened, 0, 0
        self._choices, self._chosen = {}, ""
        self.display = True

    def shut(self) -> None:
        self.opened = None
        self.display = False

    @property
    def title(self) -> str:
        return self.opened.title if self.opened is not None else ""

    @property
    def wide(self) -> bool:
        """It takes the place of the left pane, too."""
        return self.opened is not None and self.opened.wide

    @property
    def row(self) -> str:
        """Key of the left pane's row that it is about; empty when it is about none."""
        return self.opened.row if self.opened is not None else ""

    @property
    def chooses(self) -> bool:
        """Its lines are there to be chosen among."""
        return self.opened is not None and self.opened.choices is not None

    def choice(self) -> Choice | None:
        """The chosen line, where lines can be chosen."""
        return next((one for one in self._choices.values() if one.key == self._chosen), None)

    def scroll_lines(self, lines: int) -> None:
        """Up when negative. Where lines can be chosen, the choice moves as far."""
        if not self._choices:
            self._top = max(0, min(self._top + lines, self._count - self._height))
            return
        places = sorted(self._choices)
        at = self._place()
        later = [place for place in places if (place > at if lines > 0 else place < at)]
        if later:
            wanted = at + lines
            near = min(later, key=lambda place: (abs(place - wanted), place))
            self._chosen = self._choices[near].key

    def _place(self) -> int:
        """Line of the choice; the first one where the chosen line has gone."""
        found = [at for at, one in self._choices.items() if one.key == self._chosen]
        if not found and self._choices:
            found = [min(self._choices)]
            self._chosen = self._choices[found[0]].key
        return found[0] if found else -1

    def _keep_in_view(self, at: int) -> None:
        """The chosen line, and what stands before the first and behind the last one."""
        if at == min(self._choices):
            self._top = 0
        elif at == max(self._choices):
            self._top = self._count
        self._top = max(0, min(self._top, self._count - self._height, at), at - self._height + 1)

    def draw(self, view: View, width: int, height: int, look: Look, *, active: bool = False) -> None:
        """`height` includes the title."""
        if self.opened is None:
            return
        lines = list(self.opened.content(view, width))
        self._choices = self.opened.choices() if self.opened.choices is not None else {}
        self._count, self._height = len(lines), max(1, height - 1)
        begin = self.opened.begin(lines)
        if begin != self._begun:
            self._top = self._begun = begin
        self._top = max(0, min(self._top, self._count - self._height))
        at = self._place()
        if self._choices:
            self._keep_in_view(at)
            if active:
                lines[at] = tuple((text, "chosen") for text, _ in fit(lines[at], width, look))
        end = min(self._count, self._top + self._height)
        more = f"  {end}/{self._count} PgDn" if self._count > self._height else ""
        shown = [fit(line, width, look) for line in lines[self._top : end]]
        blank = [fit([], width)] * (self._height - len(shown))
        self.show([titled(self.title, f"Esc closes{more}", width, look), *shown, *blank])
