"""The widgets of the main screen, and how a view is put into them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Final, Literal

from incident_tui.hosts.judge import together
from incident_tui.incident.entry import Entry
from incident_tui.incident.filter import Filter
from incident_tui.incident.views import TimelineRow
from incident_tui.ui.above import Above
from incident_tui.ui.commands import footer
from incident_tui.ui.conversation import Conversation
from incident_tui.ui.folded import Order, Run
from incident_tui.ui.lines import Line, Look, cells, fit, wrap
from incident_tui.ui.listing import Listing
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
from incident_tui.ui.widgets.timeline import Place, Timeline

Pane = Literal["prompt", "status", "timeline", "sheet"]
Zoom = Literal["", "left", "right"]
"""Which side has the whole width; the left one only while nothing is open over the timeline."""
_FAR = 1_000_000
_WIDEST_OF: Final = 40
"""Rows at the end of the timeline by whose handles its column of handles is as wide as it is."""
_DOCKED: Final = 100
"""Columns right of the left pane that are enough for the timeline and a playbook beside it."""
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
        self.listing = Listing()
        self.above = Above()
        self.window = self.timeline.window
        self.zoom: Zoom = ""
        self.seeking = False
        """A search is being typed or stands: its match is shown, whatever pane is active."""
        self.unread: tuple[Order, str] | None = None
        """The entry above which the line "since you left" stands, and its words."""
        self.view: View | None = None
        self.rows = StatusRows()
        self._width = 0

    @property
    def look(self) -> Look:
        return Look(self.session.settings.screen.plain)

    def paint(self, width: int, height: int) -> None:
        """Make the view of now and show it on a screen of this size."""
        if width < 10 or height < 3 or not self.hint.is_attached:
            return
        self._width = width
        view = self.view = self.session.view()
        look = view.look
        head = header(view, width)[: max(2 if height > 5 else 0, height - 6)]
        self.head.show(head)
        hint = self._hint_lines()
        body = max(1, height - len(head) - 2 - len(hint))
        left = self._left_width()
        self.status.display = bool(left)
        if left:
            rows = self.rows.of(view, left - 1)
            self.status.draw(rows, left, body, active=self.pane == "status", look=look)
        right = width - left
        docked = self._docked(right)
        self.timeline.display = right > 0 and (not self.sheet.display or docked > 0)
        self._feed(view, right - docked)
        if self.sheet.display:
            if self.sheet.styles.width is None or self.sheet.styles.width.value != (docked or 1):
                self.sheet.styles.width = docked or "1fr"
            self.sheet.draw(view, docked or right, body, look, active=self.pane == "sheet")
        if self.timeline.display:
            self._draw_timeline(view, right - docked, body)
        self._show_line(hint)

    @property
    def docked(self) -> bool:
        """Whether what is open stands beside the timeline."""
        return self._docked(self._width - self._left_width()) > 0

    @property
    def right_panes(self) -> list[Pane]:
        """What is seen right of the left pane, in the order of Tab."""
        if not self.sheet.display:
            return ["timeline"]
        return ["timeline", "sheet"] if self.docked else ["sheet"]

    def _docked(self, right: int) -> int:
        """Columns of what stands beside the timeline, of those right of the left pane; 0: it takes them all."""
        opened = self.sheet.opened
        return right // 2 if opened is not None and opened.docked and right >= _DOCKED else 0

    def paint_line(self, height: int) -> None:
        """The line changed: only the prompt and the hint are drawn, unless the hint needs more or less room."""
        hint = self._hint_lines()
        if self.hint.styles.height is not None and self.hint.styles.height.value != len(hint):
            self.paint(self._width, height)
        else:
            self._show_line(hint)

    def scroll(self, lines: int) -> None:
        """What is open, else the timeline; up when negative."""
        if self._scrolls_sheet():
            self.sheet.scroll_lines(lines)
        else:
            self.window.scroll(lines)

    def to_last(self) -> None:
        """To the end of the timeline, where runs fold again."""
        self.window.unchoose()
        self.listing.folds.close()
        self.window.to_end()
        self.refeed()

    def _scrolls_sheet(self) -> bool:
        return self.sheet.display and self.pane != "timeline"

    def to_start(self) -> None:
        if self._scrolls_sheet():
            self.sheet.scroll_lines(-_FAR)
        else:
            self.window.to_start()

    def to_end(self) -> None:
        if self._scrolls_sheet():
            self.sheet.scroll_lines(_FAR)
        else:
            self.to_last()

    def status_rows(self, view: View) -> list[StatusRow]:
        """All rows of the left pane, one by one."""
        return self.rows.every(view, left_width(self._width) - 1)

    def show_row(self, row: TimelineRow) -> str:
        """Choose an entry and bring it into view. Returns what that took: "", "unfolded" or
        "unfiltered"."""
        done = ""
        if not self.listing.fits(row):
            self.listing.set(Filter())
            done = "unfiltered"
        run = self.listing.run_of(row)
        if run is not None:
            self.listing.folds.open(run)
            done = done or "unfolded"
        self.refeed()
        self.window.choose(row)
        return done

    def hides(self, entries: Sequence[Entry]) -> bool:
        """Whether the filter does not show one of these, which were just saved."""
        rows = (self.session.fold.row(entry.id) for entry in entries)
        return any(row is not None and not self.listing.fits(row) for row in rows)

    def open_run(self, run: Run) -> None:
        """Show its entries one by one, the first of them chosen."""
        self.listing.folds.open(run)
        self.refeed()
        self.window.choose(run.rows[0])

    def switched(self) -> None:
        """Another incident is shown."""
        self.view = self.session.view()
        self.above.switch()
        self.to_last()
        self.listing.rebase()

    def catch_up(self) -> None:
        """Whoever looks for something looks in all that is saved, also since the last paint."""
        if self.session.loaded:
            while self.session.read_journal():
                pass
            self.view = self.session.view()
            self.refeed()

    def refeed(self) -> None:
        """The listing was changed: the window has to know before it is asked to move."""
        if self.view is not None:
            right = self._width - self._left_width()
            self._feed(self.view, right - self._docked(right))

    def _left_width(self) -> int:
        if self.zoom == "left":
            return self._width
        wide = self.zoom == "right" or (self.sheet.display and self.sheet.wide)
        return 0 if wide else left_width(self._width)

    def _draw_timeline(self, view: View, width: int, height: int) -> None:
        """`height` includes the title."""
        lines = self.window.lines(height - 1)
        self.above.feed(view.rows, view.me, view.now)
        self.above.seen(self.window.visible())
        active = self.pane == "timeline"
        chosen = self.window.chosen() if active or self.seeking else None
        if lines and not self.listing.items and not view.pending:
            nothing = view.loading or "Nothing yet. Type, and Enter saves it."
            words = "Nothing fits the filter." if self.listing.filter else nothing
            lines[0] = fit([(f" {words}", "")], width, view.look)
        self.timeline.draw(lines, self._place(), width, active=active, chosen=chosen)

    def _place(self) -> Place:
        listing, window = self.listing, self.window
        top = window.top
        first = top.rows[0] if isinstance(top, Run) else top
        position = 0
        if first is not None and not window.follow:
            position = 1 + (listing.found_at(first) if listing.filter else listing.index(first))
        return Place(
            date=f"{first.at.astimezone(UTC):%Y-%m-%d} UTC" if first is not None else "",
            position=position,
            listed=len(listing.items),
            total=len(listing.rows),
            below=window.below,
            hidden=listing.newly_hidden,
            filtered=bool(listing.filter),
            zoomed=self.zoom == "right",
            above=self.above.words(self.session.store.handle, self.look),
        )

    def _feed(self, view: View, width: int) -> None:
        self.listing.feed(view.rows, still=not self.window.follow or self.window.chosen() is not None)
        widest = max((len(view.handle(row.ref)) for row in view.rows[-_WIDEST_OF:]), default=1)
        context = Context(width, view.look, view.letters, max(3, widest))
        extra = [line for one in view.pending for line in pending_lines(one.at, one.text, context)]
        self.window.feed(self.listing.items, marks(view), context, extra, self.unread)

    def _notice(self, view: View, chosen: StatusRow | None, width: int) -> Line:
        """The chosen row's sentence while the left pane is active, else what is running; or the form of a verb."""
        form, _ = self._split_hint()
        if form:
            return fit([(f" {form}", "strong")], width, view.look)
        if chosen is None:
            return notices(view, width)
        if not chosen.findings:
            return fit([(" Enter: more of this row", "")], width, view.look)
        return fit([(f" {view.look.text(together(chosen.findings)[0].sentence)}", "strong")], width, view.look)

    def _hint_lines(self) -> list[Line]:
        width, look = self._width, self.look
        text, style = self.talk.hint()
        if not text:
            return [footer(self._footing(), width, look)]
        form, words = self._split_hint()
        if form:
            return [fit([(f" {words}", "")], width, look)]
        most = _HINT_LINES if self.talk.ask is not None or style else _SAID_LINES if self.talk.said[0] else 1
        parts = wrap(look.text(text), width - 2, width - 2)
        lines = [fit([(f" {part}", style)], width, look) for part in parts[:most]]
        if len(parts) > most:
            lines[-1] = fit([(f" {parts[most - 1]} {look.cut}", style)], width, look)
        return lines

    def _footing(self) -> str:
        """Which keys the footer names."""
        if self.pane == "status":
            return "status"
        if self.talk.host is not None:
            return "host"
        if self.sheet.display:
            return "choices" if self.pane == "sheet" and self.sheet.chooses else "row" if self.sheet.row else "sheet"
        return "line" if self.pane == "prompt" and self.prompt.editor.text else self.pane

    def _split_hint(self) -> tuple[str, str]:
        """Form and help of the verb that is being typed, where they do not fit into one line: the form then stands
        above the prompt in place of what is running, so that nothing moves."""
        form, words = self.talk.teaching()
        long = self.pane == "prompt" and words and cells(form) + cells(words) + 3 > self._width
        return (form, words) if long else ("", "")

    def _show_line(self, hint: list[Line]) -> None:
        if self.view is not None:
            chosen = self.status.row() if self.pane == "status" else None
            self.notices.show([self._notice(self.view, chosen, self._width)])
        active = self.pane == "prompt"
        self.prompt.draw(self.talk.label(), self._width, active=active, look=self.look, mark=self.talk.mark)
        if self.hint.styles.height is None or self.hint.styles.height.value != len(hint):
            self.hint.styles.height = len(hint)
        self.hint.show(hint)
