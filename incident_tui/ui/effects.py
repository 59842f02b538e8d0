"""What a line comes to on the screen: what the desk orders beside entries."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING

from incident_tui.desk import outcome as o
from incident_tui.ui import sheets
from incident_tui.ui.aside import from_thread
from incident_tui.ui.marks import asked_to_resend
from incident_tui.watch.asks import resend

if TYPE_CHECKING:
    from incident_tui.ui.actions import Actions


class Effects:
    """Of one screen. `ask` puts a question to the watch."""

    def __init__(self, actions: Actions, ask: Callable[[str, str], None]) -> None:
        self._actions = actions
        self._app = actions.app
        self._ask = ask

    def take(self, effect: o.Effect) -> None:
        opened = sheets.of_effect(effect, self._app.session)
        if opened is not None:
            self._actions.open_sheet(opened)
            return
        match effect:
            case o.ReadFresh(host=host):
                if self._app.attempt(lambda: self._ask(host, ""), "no reading could be asked for"):
                    self._app.talk.said = (f"A fresh reading of {host or 'all hosts'} is asked for.", "")
            case o.OfferLines(lines=lines):
                self._app.talk.propose(lines)
            case o.Resend(ref=ref):
                directory = self._app.session.directory
                if self._app.attempt(lambda: resend(directory, ref), "the watch could not be asked"):
                    self._app.talk.said = (asked_to_resend(self._app.session.view(), ref), "")
            case o.WriteReport(incident=incident, file=file):
                self._app.talk.said = ("Writing the report.", "")
                loop = asyncio.get_running_loop()
                writing = self._app.session.export(incident, file)
                writing.add_done_callback(lambda done: from_thread(loop, lambda: self._told(done)))
            case o.WriteHandoff(incident=incident, who=who):
                loop = asyncio.get_running_loop()
                handing = self._app.session.hand_over(incident, who)
                handing.add_done_callback(lambda done: from_thread(loop, lambda: self._told(done)))
            case o.Sweep(incident=incident):
                self._actions.open_sheet(sheets.of_sweep(incident, self._app.session, self._actions.begin_line))
                self._app.pane = "sheet"
            case o.Leave():
                self._app.exit(0)
            case o.Switched():
                self._app.painter.switched()
                self._app.call_later(self._app.fold_on)
            case o.OnScreen(verb=verb, argument=argument):
                self._app.painter.catch_up()
                getattr(self._actions, f"verb_{verb}")(argument)
            case _:
                pass

    def _told(self, done: Future[tuple[str, str]]) -> None:
        self._app.talk.said = done.result()
        self._app.paint()
