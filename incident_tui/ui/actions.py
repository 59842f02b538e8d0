"""What keys and verbs do on the screen: each key of `commands.COMMANDS` names a `do_…` of this class, each verb of
`incident.verbs` with `screen` has a `verb_…` that takes its argument."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from incident_tui.desk import outcome as o
from incident_tui.incident.views import TimelineRow
from incident_tui.ui import sheets, yank
from incident_tui.ui.clocks import commands
from incident_tui.ui.closer import Closer
from incident_tui.ui.driver import driver_of
from incident_tui.ui.effects import Effects
from incident_tui.ui.folded import Run
from incident_tui.ui.looking import Looking
from incident_tui.ui.painter import Pane, Zoom
from incident_tui.ui.running import Running
from incident_tui.ui.searching import Searching
from incident_tui.ui.status_row import StatusRow

if TYPE_CHECKING:
    from incident_tui.ui.app import IncidentApp

LEAVE_WITHIN: Final = 5.0
_WIDE: Final = 200
"""Columns at which what is open is copied."""


class Actions:
    """The actions of one screen. `ask` puts a question to the watch, as `watch.asks.ask` does."""

    def __init__(self, app: IncidentApp, ask: Callable[[str, str], None]) -> None:
        self.app = app
        self._leave_at = -LEAVE_WITHIN
        self.looking = Looking(app.painter, app.session)
        self.searching = Searching(app, self.looking, self.open_over, self.close_sheet)
        self.closer = Closer(app, ask, self.open_over)
        self.running = Running(
            app.session, app.talk, open_sheet=self.open_sheet, close_sheet=self.close_sheet, changed=app.later
        )
        self.effects = Effects(self, ask)
        self._beneath: list[tuple[sheets.Opened | None, Pane, Zoom]] = []
        """What comes back after what is open: what was open before, and which pane was active."""
        self._from_left = False
        """What is open was opened from the zoomed left pane, which comes back after it."""

    def do(self, action: str) -> None:
        """Carry out an action by its name."""
        if not self.running.takes(action, self.app.pane):
            getattr(self, f"do_{action}")()

    def do_enter(self) -> None:
        if self.app.pane == "status":
            row = self.app.status.row()
            if row is not None and row.key.startswith("group/"):
                self.open_over(self._of_row(row))
            elif row is not None:
                self.open_sheet(self._of_row(row))
        elif self.app.pane == "timeline":
            chosen = self.app.window.chosen()
            if isinstance(chosen, Run):
                self.app.painter.open_run(chosen)
            elif chosen is not None:
                handle = self.app.session.store.handle(chosen.ref)
                self.open_sheet(sheets.of_entry(chosen, self.app.session, handle))
        elif self.app.pane == "sheet" and self.app.sheet.chooses:
            if (choice := self.app.sheet.choice()) is not None:
                choice.take()
        else:
            self.app.pane = "prompt"
            asked = self.app.talk.ask
            outcome = self.app.talk.submit()
            if asked is not None and asked.paste and self.app.talk.ask is None:
                self.close_sheet()
            if outcome is not None and outcome.effect is not None:
                self.effects.take(outcome.effect)

    def do_tab(self) -> None:
        if self.app.pane == "prompt" and self.app.prompt.editor.text:
            view = self.app.painter.view or self.app.session.view()
            self.app.talk.complete(self.app.session.words(view))
        else:
            self._next_pane(1)

    def do_pane_back(self) -> None:
        self._next_pane(-1)

    def do_filter(self) -> None:
        self._begin(lambda: self.looking.begin("filter"))

    def do_older(self) -> None:
        self._begin(lambda: self.looking.step(-1))

    def do_newer(self) -> None:
        self._begin(lambda: self.looking.step(1))

    def do_unread(self) -> None:
        self._begin(lambda: self.looking.go("unread"))

    def _begin(self, act: Callable[[], None]) -> None:
        """What is open over the timeline is closed: one looks at the timeline."""
        if self.app.talk.ask is None:
            if not self.app.painter.docked:
                self.close_sheet()
            if self.app.painter.zoom == "left":
                self.app.painter.zoom = "right"
            if self.app.pane == "status":
                self.app.pane = "prompt"
            act()

    def verb_filter(self, argument: str) -> None:
        self._begin(lambda: self.looking.filter(argument))

    def verb_find(self, argument: str) -> None:
        self._begin(lambda: self.looking.find(argument))

    def verb_search(self, argument: str) -> None:
        self.searching.search(argument)

    def verb_go(self, place: str) -> None:
        self._begin(lambda: self.looking.go(place))

    def do_zoom(self) -> None:
        self.verb_zoom("")

    def verb_zoom(self, pane: str) -> None:
        wanted: dict[str, Zoom] = {"hosts": "left", "timeline": "right", "": ""}
        if pane.lower() not in wanted:
            self.app.prompt.editor.set(f"/zoom {pane}")
            self.app.talk.said = (f"There is no pane {pane}: hosts or timeline.", "crit")
            return
        side = wanted[pane.lower()] or ("left" if self.app.pane == "status" else "right")
        if side == "left":
            self.close_sheet()
        self.app.painter.zoom = "" if self.app.painter.zoom and (not pane or side == self.app.painter.zoom) else side

    def do_yank(self) -> None:
        self.verb_yank("")

    def verb_yank(self, handle: str) -> None:
        text = self._to_yank(handle)
        if not text:
            what = f"There is no entry {handle}." if handle else "Nothing is chosen: Tab to a pane, or /yank a17."
            self.app.talk.said = (what, "warn")
            return
        self.app.talk.said = (yank.copy(text, self.app.session.directory, os.environ, self.app.send), "")

    def _to_yank(self, handle: str) -> str:
        app = self.app
        if handle:
            entry = app.session.store.find(handle)
            row = app.session.fold.row(entry.id) if entry is not None else None
            return yank.row_text(row, app.session.store.handle(row.ref)) if row is not None else ""
        view = app.painter.view or app.session.view()
        if app.sheet.display and app.sheet.opened is not None:
            return yank.lines_text(app.sheet.opened.content(view, _WIDE))
        chosen = app.window.chosen()
        if chosen is not None:
            rows = chosen.rows if isinstance(chosen, Run) else (chosen,)
            return "\n".join(yank.row_text(row, app.session.store.handle(row.ref)) for row in rows)
        status = app.status.row() if app.pane == "status" else None
        if status is not None:
            return yank.lines_text(self._of_row(status).content(view, _WIDE))
        return ""

    def _quiet(self) -> None:
        """An answer that was read gives way to the keys of another place; a warning or a refusal stays."""
        if self.app.talk.said[1] in ("", "ok"):
            self.app.talk.said = ("", "")

    def _next_pane(self, step: int) -> None:
        self._quiet()
        panes: list[Pane] = ["prompt", "status", *self.app.painter.right_panes]
        if self.app.sheet.display and (self.app.sheet.wide or self.app.painter.zoom):
            panes.remove("status")
        at = panes.index(self.app.pane) if self.app.pane in panes else 0
        self.app.pane = panes[(at + step) % len(panes)]
        if self.app.painter.zoom and self.app.pane != "prompt":
            self.app.painter.zoom = "left" if self.app.pane == "status" else "right"
        if self.app.pane == "status":
            self.app.status.chosen = ""
        if self.app.pane == "timeline":
            self.app.window.select(0)
        else:
            self.app.window.unchoose()

    def do_back(self) -> None:
        idle = self.app.pane == "prompt" and self.app.talk.ask is None and not self.app.sheet.display
        if self.app.talk.ask is None and not (self.app.sheet.display and self.app.pane == "sheet"):
            if self.looking.end():
                self.app.pane = "prompt"
                return
            if idle and self.looking.unfilter():
                return
        if self.app.talk.ask is not None:
            paste = self.app.talk.ask.paste
            self.app.talk.cancel()
            if paste:
                self.close_sheet()
        elif self.app.sheet.display and self._beneath:
            self._to_beneath()
            return
        elif self.app.sheet.display:
            within = self.app.pane == "sheet"
            self.close_sheet()
            if within and self.app.pane == "prompt" and self.app.window.chosen() is not None:
                self.app.pane = "timeline"
            if within and self.app.pane != "prompt":
                return
        self.app.pane = "prompt"
        self.app.window.unchoose()

    def do_up(self) -> None:
        self._vertical(-1)

    def do_down(self) -> None:
        self._vertical(1)

    def _vertical(self, step: int) -> None:
        editor = self.app.prompt.editor
        if self.app.pane == "status":
            self.app.status.move(step)
        elif self.app.pane == "timeline":
            self.app.window.select(step)
        elif self.app.pane == "sheet" and self.app.sheet.choice() is not None:
            self.app.sheet.scroll_lines(step)
        elif self._in_history() and (editor.older() if step < 0 else editor.newer()):
            self.app.talk.changed()
        else:
            self.app.painter.scroll(step)

    def _in_history(self) -> bool:
        """Whether up and down are for older lines. While something is open and nothing is typed they scroll it: a line
        of the history that nobody wanted would be one Enter from being logged again."""
        reads = self.app.sheet.display and not self.app.prompt.editor.text and self.app.talk.host is None
        return self.app.pane == "prompt" and self.app.talk.ask is None and not reads

    def do_page_up(self) -> None:
        self._paged(-1)

    def do_page_down(self) -> None:
        self._paged(1)

    def _paged(self, step: int) -> None:
        lines = step * max(1, self.app.size.height - 8)
        if self.app.pane == "status":
            self.app.status.move(lines)
        else:
            self.app.painter.scroll(lines)

    def do_to_start(self) -> None:
        self.app.painter.to_start()

    def do_to_end(self) -> None:
        self.app.painter.to_end()

    def do_help(self) -> None:
        self._quiet()
        if self.app.sheet.display and self.app.sheet.title.startswith("help"):
            self.close_sheet()
        else:
            self.effects.take(o.ShowHelp())

    def do_state(self) -> None:
        self._quiet()
        if self.app.sheet.display and self.app.sheet.title == sheets.STATE:
            self.close_sheet()
        else:
            self.verb_state("")

    def verb_state(self, _: str) -> None:
        self.open_sheet(sheets.of_state(self.app.session.settings))

    def verb_oncall(self, _: str) -> None:
        self.open_sheet(sheets.of_oncall(self.app.session.settings))

    def do_read(self) -> None:
        self.effects.take(o.ReadFresh())

    def do_resend(self) -> None:
        """Of the entry that is open or chosen; else of all."""
        app = self.app
        found = app.session.store.find(app.sheet.title) if app.sheet.display else None
        chosen = app.window.chosen() if app.pane == "timeline" else None
        ref = found.id if found is not None else chosen.ref if isinstance(chosen, TimelineRow) else None
        self.effects.take(o.Resend(ref))

    def do_repaint(self) -> None:
        self.app.refresh(repaint=True, layout=True)
        if driver := driver_of(self.app):
            driver.resync(clear=True)

    def do_edit(self) -> None:
        self.app.pane = "prompt"
        self.app.writing.start()

    def verb_edit(self, _: str) -> None:
        self.do_edit()

    def do_suspend(self) -> None:
        self.app.away.suspend()

    def verb_suspend(self, _: str) -> None:
        self.do_suspend()

    def do_leave(self) -> None:
        now = time.monotonic()
        if now - self._leave_at < LEAVE_WITHIN:
            self.app.exit(0)
            return
        self._leave_at = now
        again = "Ctrl+C again leaves. Watching goes on; your line is kept."
        if commands(self.app.session.incident, self.app.session.author.name):
            again = f"You command: /handoff NAME first? {again}"
        self.app.talk.said = (again, "warn")

    def open_over(self, opened: sheets.Opened) -> None:
        """Open it over what is open, which Esc brings back."""
        app = self.app
        if not (app.sheet.display and app.sheet.title == opened.title):
            self._beneath.append((app.sheet.opened, app.pane, app.painter.zoom))
        if app.painter.zoom == "left":
            app.painter.zoom = "right"
        app.sheet.open(opened)
        app.pane = "sheet"

    def _of_row(self, row: StatusRow) -> sheets.Opened:
        rows = self.app.painter.status_rows
        if row.key.startswith("group/"):
            return sheets.of_group(row, rows, lambda member: self.open_over(self._of_row(member)))
        return sheets.of_row(row, self.app.session, rows)

    def _to_beneath(self) -> None:
        opened, pane, zoom = self._beneath.pop()
        if opened is not None:
            self.app.sheet.open(opened)
        else:
            self.app.sheet.shut()
        self.app.pane, self.app.painter.zoom = pane, zoom

    def open_sheet(self, opened: sheets.Opened) -> None:
        self._beneath.clear()
        self.app.sheet.open(opened)
        self._from_left = self.app.painter.zoom == "left"
        if self._from_left:
            self.app.painter.zoom, self.app.pane = "right", "sheet"
        if self.app.pane == "timeline":
            self.app.pane = "sheet"

    def begin_line(self, line: str) -> None:
        """Put the beginning of a line into the prompt, unless somebody is writing one."""
        if self.app.prompt.editor.text:
            self.app.talk.said = ("There is a line in the prompt: finish it first.", "warn")
            return
        self.app.prompt.editor.set(line)
        self.app.pane = "prompt"

    def close_sheet(self) -> None:
        self._beneath.clear()
        if self.app.sheet.display and self._from_left and self.app.painter.zoom:
            self.app.painter.zoom, self.app.pane = "left", "status"
        self.app.sheet.shut()
        if self.app.pane == "sheet":
            self.app.pane = "prompt"

    def do_logs(self) -> None:
        self.closer.logs()

    def verb_logs(self, argument: str) -> None:
        self.closer.logs(argument)

    def do_performance(self) -> None:
        self.closer.performance()

    def verb_performance(self, argument: str) -> None:
        self.closer.performance(argument)

    def do_changes(self) -> None:
        self.closer.changes()

    def verb_changes(self, argument: str) -> None:
        self.closer.changes(argument)

    def verb_run(self, argument: str) -> None:
        self.running.open(argument)

    def verb_redraw(self, _: str) -> None:
        self.do_repaint()
