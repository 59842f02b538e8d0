"""The left pane."""

from __future__ import annotations

from collections.abc import Sequence

from incident_tui.ui.lines import Line, Look, fit
from incident_tui.ui.status_row import StatusRow, fitted
from incident_tui.ui.widgets.rows import Rows


class StatusPane(Rows):
    """Sites, hosts, containers, GlusterFS. Active, it scrolls and has a chosen row; else it shows what fits."""

    DEFAULT_CSS = "StatusPane { height: 1fr; width: 32; }"

    def __init__(self, *, id: str, colours: bool = True) -> None:
        super().__init__(id=id, colours=colours)
        self.chosen = ""
        """Key of the chosen row; empty: the worst one, which then stays chosen."""
        self._rows: list[StatusRow] = []
        self._shown: list[StatusRow] = []
        self._top = 0

    def draw(self, rows: Sequence[StatusRow], width: int, height: int, *, active: bool, look: Look) -> None:
        """`width` includes the bar at the right."""
        self._rows = list(rows)
        if self.styles.width is None or self.styles.width.value != width:
            self.styles.width = width
        shown = list(rows) if active else fitted(rows, height)
        at, mark = -1, ""
        if active:
            count, room = len(shown), height if len(shown) <= height else max(1, height - 1)
            at = self._index()
            self._top = max(0, min(self._top, count - room, at), at - room + 1)
            at -= self._top
            shown = shown[self._top : self._top + room]
            mark = f"   {self._top + 1} to {self._top + len(shown)} of {count}" if room < count else ""
        lines, self._shown = [], shown
        for y in range(height):
            line: Line = shown[y].line if y < len(shown) else ((mark, ""),) if mark and y == height - 1 else ()
            if y == at:
                line = tuple((text, "chosen") for text, _ in fit(line, width - 1, look))
            lines.append((*fit(line, width - 1, look), (look.bar, "")))
        self.show(lines)

    def move(self, step: int) -> None:
        """Choose another row."""
        if self._rows:
            self.chosen = self._rows[max(0, min(len(self._rows) - 1, self._index() + step))].key

    def key_at(self, y: int) -> str:
        """Key of the row on line `y` of the last picture; empty where none is that could be chosen."""
        key = self._shown[y].key if 0 <= y < len(self._shown) else ""
        return key if any(row.key == key for row in self._rows) else ""

    def choose(self, key: str, y: int) -> None:
        """Choose the row with this key, and show it on line `y` if the list allows."""
        self.chosen = key
        self._top = self._index() - y

    def row(self) -> StatusRow | None:
        """The chosen row."""
        return self._rows[self._index()] if self._rows else None

    def _index(self) -> int:
        for index, row in enumerate(self._rows):
            if row.key == self.chosen:
                return index
        ranks = [-1 if row.level is None else row.level.rank for row in self._rows]
        worst = ranks.index(max(ranks, default=-1)) if ranks else 0
        self.chosen = self._rows[worst].key if ranks else ""
        return worst
