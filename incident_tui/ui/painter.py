"""The widgets of the main screen, and how a view is put into them."""

from __future__ import annotations

from typing import Final, Literal

from incident_tui.ui.commands import footer
from incident_tui.ui.conversation import Conversation
from incident_tui.ui.lines import Line, Look, fit, wrap
from incident_tui.ui.marks import marks
from incident_tui.ui.present import header, notices
from incident_tui.ui.session import Session
from incident_tui.ui.status import StatusRows
from incident_tui.ui.status_row import StatusRow
from incident_tui.ui.timeline import Context, pending_lines
from incident_tui.ui.view import View
from incident_tui.ui.widgets.header import Header
from incident_tui.ui.widgets.prompt import Prompt
from incident_tui.ui.widgets.rows import Rows
from incident_tui.ui.widgets.sheet import Sheet
from incident_tui.ui.widgets.status import StatusPane
from incident_tui.ui.widgets.timeline import Timeline

Pane = Literal["prompt", "status", "timeline", "sheet"]
_FAR = 1_000_000
_HINT_LINES: Final = 4
"""Lines that a question or a refusal may take."""
_SAID_LINES: Final = 3
"""Lines that any other answer may take, such as what is still open when the response ends."""


def left_width(width: int) -> int:
    """Columns of the left pane with its bar."""
    if width < 70:
        return max(20, width * 2 // 5)
    return 32 if width < 110 else 44 if width < 160 else 60


class Painter:
    """Each widget redraws only the cells that differ; `paint` may be called as often as something may have changed."""

    def __init__(self, session: Session, *, colours: bool) -> None:
        self.session = session
        self.head = Header(id="header", colours=colours)
        self.status = StatusPane(id="status", colours=colours)
        self.timeline = Timeline(id="timeline", colours=colours)
        self.sheet = Sheet(id="sheet", colours=colours)
        self.notices = Rows(id="notices", colours=colours)
        self.prompt = Prompt(id="prompt", colours=colours)
        self.hint = Rows(id="hint", colours=colours)
        self.talk = Conversation(session, self.prompt.editor)
        self.pane: Pane = "prompt"
        """Which pane answers to arrows, PgUp, PgDn and Enter."""
        self.view: View | None = None
        self.rows = StatusRows()
        self._width = 0

    @property
    def look(self) -> Look:
        return Look(self.session.settings.screen.plain)

    def paint(self, width: int, height: int) -> None:
        """Make the view of now and show it on a screen of this size."""
        if width < 10 or height < 6 or not self.hint.is_attached:
            return
        self._width = width
        view = self.view = self.session.view()
        look = view.look
        head = header(view, width)[: max(2, height - 6)]
        self.head.show(head)
        hint = self._hint_lines()
        body = max(1, height - len(head) - 2 - len(hint))
        wide = self.sheet.display and self.sheet.wide
        left = 0 if wide else left_width(width)
        self.status.display = not wide
        if left:
            rows = self.rows.of(view, left - 1)
            self.status.draw(rows, left, body, active=self.pane == "status", look=look)
        self.timeline.display = not self.sheet.display
        right = width - left
        self._feed(view, right)
        if self.sheet.display:
            self.sheet.draw(view, right, body, look)
        else:
            empty = view.loading or "Nothing yet. Type, and Enter saves it."
            self.timeline.draw(right, body, active=self.pane == "timeline", look=look, empty=empty)
        chosen = self.status.row() if self.pane == "status" else None
        self.notices.show([self._notice(view, chosen, width)])
        self._show_line(hint)

    def paint_line(self, height: int) -> None:
        """The line changed: only the prompt and the hint are drawn, unless the hint needs more or less room."""
        hint = self._hint_lines()
        if self.hint.styles.height is not None and self.hint.styles.height.value != len(hint):
            self.paint(self._width, height)
        else:
            self._show_line(hint)

    def scroll(self, lines: int) -> None:
        """What is open, else the timeline; up when negative."""
        if self.sheet.display:
            self.sheet.scroll_lines(lines)
        else:
            self.timeline.window.scroll(lines)

    def to_start(self) -> None:
        if self.sheet.display:
            self.sheet.scroll_lines(-_FAR)
        else:
            self.timeline.window.to_start()

    def to_end(self) -> None:
        if self.sheet.display:
            self.sheet.scroll_lines(_FAR)
        else:
            self.timeline.window.to_end()

    def left(self) -> int:
        """Columns of the left pane without its bar."""
        return left_width(self._width) - 1

    def _feed(self, view: View, width: int) -> None:
        last = max((row.entry.seq for row in view.rows[-1:]), default=1)
        context = Context(width, view.look, view.letter, view.journal, max(3, len(str(last)) + 1))
        extra = [line for one in view.pending for line in pending_lines(one.at, one.text, context)]
        self.timeline.window.feed(view.rows, marks(view), context, extra)

    def _notice(self, view: View, chosen: StatusRow | None, width: int) -> Line:
        """The chosen row's sentence while the left pane is active, else what is running."""
        if chosen is None:
            return notices(view, width)
        if not chosen.findings:
            return fit([(" Enter: more of this row", "")], width, view.look)
        return fit([(f" {view.look.text(chosen.findings[0].sentence)}", "strong")], width, view.look)

    def _hint_lines(self) -> list[Line]:
        width, look = self._width, self.look
        text, style = self.talk.hint()
        if not text:
            return [footer(width, look)]
        most = _HINT_LINES if self.talk.ask is not None or style else _SAID_LINES if self.talk.said[0] else 1
        parts = wrap(look.text(text), width - 2, width - 2)
        lines = [fit([(f" {part}", style)], width, look) for part in parts[:most]]
        if len(parts) > most:
            lines[-1] = fit([(f" {parts[most - 1]} {look.cut}", style)], width, look)
        return lines

    def _show_line(self, hint: list[Line]) -> None:
        self.prompt.draw(self.talk.label(), self._width, active=self.pane == "prompt", look=self.look)
        if self.hint.styles.height is None or self.hint.styles.height.value != len(hint):
            self.hint.styles.height = len(hint)
        self.hint.show(hint)
