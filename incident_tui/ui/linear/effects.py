"""What a line comes to on the linear screen: what the desk orders beside entries, told in lines."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from incident_tui.desk import outcome as o
from incident_tui.incident.sweep import sweep
from incident_tui.journal.errors import JournalError
from incident_tui.journal.search import Found
from incident_tui.ui import sheets
from incident_tui.ui.aside import from_thread
from incident_tui.ui.linear.spoken import overview
from incident_tui.ui.linear.verbs import MOST, find, go, of_zoom, yank
from incident_tui.ui.lines import plain
from incident_tui.ui.marks import asked_to_resend
from incident_tui.ui.searching import headline, to_ask, told
from incident_tui.ui.yank import copy
from incident_tui.watch.asks import resend

if TYPE_CHECKING:
    from incident_tui.ui.linear.screen import LinearScreen


class Effects:
    """Of one screen."""

    def __init__(self, screen: LinearScreen) -> None:
        self.screen = screen

    def take(self, effect: o.Effect) -> None:
        view = self.screen.session.view()
        opened = sheets.of_effect(effect, self.screen.session)
        if opened is not None:
            self.screen.tell(plain(opened.content(view, self.screen.tty.columns - 1)).split("\n"))
            return
        match effect:
            case o.ReadFresh(host=host):
                if self.screen.attempt(lambda: self.screen.ask(host, ""), "no reading could be asked for"):
                    self.screen.tell([f"A fresh reading of {host or 'all hosts'} is asked for."])
            case o.OfferLines(lines=proposed):
                self.screen.talk.propose(proposed)
            case o.Resend(ref=ref):
                if self.screen.attempt(
                    lambda: resend(self.screen.session.directory, ref), "the watch could not be asked"
                ):
                    self.screen.tell([asked_to_resend(view, ref)])
            case o.WriteReport(incident=incident, file=file):
                loop = asyncio.get_running_loop()
                writing = self.screen.session.export(incident, file)
                writing.add_done_callback(lambda done: from_thread(loop, lambda: self.screen.tell([done.result()[0]])))
            case o.WriteHandoff(incident=incident, who=who):
                loop = asyncio.get_running_loop()
                handing = self.screen.session.hand_over(incident, who)
                handing.add_done_callback(lambda done: from_thread(loop, lambda: self.screen.tell([done.result()[0]])))
            case o.Sweep(incident=incident):
                left = sweep(self.screen.session.fold.incident(incident), view.now)
                lines = [f"{one.sentence}: {one.line(view.handle(one.ref) if one.ref else '')}" for one in left]
                self.screen.tell(lines or ["Nothing is open."])
            case o.Leave():
                self.screen.exit(0)
            case o.Switched():
                self.screen.tell(overview(view))
            case o.OnScreen(verb=verb, argument=argument):
                self.on_screen(verb, argument)
            case _:
                pass

    def _search(self, argument: str) -> None:
        asked = to_ask(argument)
        if isinstance(asked, str):
            self.screen.tell([asked])
            return
        loop, session = asyncio.get_running_loop(), self.screen.session

        def tell(found: Found | JournalError) -> None:
            if isinstance(found, JournalError):
                self.screen.tell([found.sentence])
                return
            view = session.view()
            self.screen.tell([headline(found), *(told(row, view) for row in found.rows[:MOST])])

        session.search(asked).add_done_callback(lambda done: from_thread(loop, lambda: tell(done.result())))

    def on_screen(self, verb: str, argument: str) -> None:
        view, columns = self.screen.session.view(), self.screen.tty.columns - 1
        match verb:
            case "filter" | "find":
                self.screen.tell(find(argument, view, self.screen.session))
            case "state" | "oncall":
                parts = self.screen.session.settings
                opened = sheets.of_state(parts) if verb == "state" else sheets.of_oncall(parts)
                self.screen.tell(plain(opened.content(view, columns)).split("\n"))
            case "search":
                self._search(argument)
            case "go":
                self.screen.tell(go(argument, view, self.screen.session, columns, self.screen.left))
            case "zoom":
                self.screen.tell(of_zoom(argument, view, self.screen.session, columns))
            case "yank":
                text, none = yank(argument, view, self.screen.session)
                self.screen.tell(
                    [copy(text, self.screen.session.directory, os.environ, self.screen.tty.send) if text else none]
                )
            case "logs" | "performance" | "changes":
                said = self.screen.asked.begin
                self.screen.attempt(
                    lambda: self.screen.tell([said(verb, argument, view)]), "the watch could not be asked"
                )
            case "run":
                self.screen.running.open(argument)
            case "edit":
                self.screen.lend(self.screen.writing.start)
            case "suspend":
                self.screen.lend(self.screen.away.suspend)
            case "redraw":
                self.screen.tell(overview(view))
            case _:
                self.screen.tell([f"/{verb} has no meaning where there are no panes."])
