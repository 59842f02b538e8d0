"""The header: two lines or more."""

from __future__ import annotations

from collections.abc import Sequence

from incident_tui.ui.lines import Line
from incident_tui.ui.widgets.rows import Rows


class Header(Rows):
    """As tall as its lines. Only its second line changes with the clock."""

    DEFAULT_CSS = "Header { height: 2; width: 1fr; }"

    def show(self, lines: Sequence[Line]) -> None:
        if self.styles.height is None or self.styles.height.value != len(lines):
            self.styles.height = len(lines)
        super().show(lines)
