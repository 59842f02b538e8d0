"""/search: entries of all incidents in a sheet; Enter goes to one, also into another incident. What is told is pure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from incident_tui.incident.filter import read_filter
from incident_tui.incident.views import TimelineRow
from incident_tui.journal.errors import JournalError
from incident_tui.journal.search import Found, Search, words_of
from incident_tui.ui.aside import from_thread
from incident_tui.ui.lines import Line, fit
from incident_tui.ui.looking import Looking
from incident_tui.ui.sheets import Choice, Opened
from incident_tui.ui.view import View

if TYPE_CHECKING:
    from incident_tui.ui.app import IncidentApp


class Searching:
    """Of one screen."""

    def __init__(
        self, app: IncidentApp, looking: Looking, open_over: Callable[[Opened], None], close: Callable[[], None]
    ) -> None:
        self.app = app
        self._looking = looking
        self._open = open_over
        self._close = close

    def search(self, argument: str) -> None:
        asked = to_ask(argument)
        if isinstance(asked, str):
            self.app.prompt.editor.set(f"/search {argument}".rstrip())
            self.app.talk.said = (asked, "crit")
            return
        self.app.talk.said = ("Searching.", "")
        loop = asyncio.get_running_loop()
        found = self.app.session.search(asked)
        found.add_done_callback(lambda done: from_thread(loop, lambda: self._found(str(asked.wanted), done.result())))

    def _found(self, wanted: str, found: Found | JournalError) -> None:
        if isinstance(found, JournalError):
            self.app.talk.said = (found.sentence, "crit")
        elif not found.rows:
            self.app.talk.said = (headline(found), "warn")
        else:
            self.app.talk.said = (f"{headline(found)} Enter goes to the chosen one.", "")
            self._open(self._opened(wanted, found))
        self.app.paint()

    def _opened(self, wanted: str, found: Found) -> Opened:
        def content(view: View, width: int) -> Sequence[Line]:
            return [fit([(f" {view.look.text(told(row, view))}", "")], width, view.look) for row in found.rows]

        def choices() -> Mapping[int, Choice]:
            return {at: Choice(str(row.ref), partial(self._go, row)) for at, row in enumerate(found.rows)}

        return Opened(f"search {wanted}", content, wide=True, choices=choices)

    def _go(self, row: TimelineRow) -> None:
        """To the entry, in its own incident when it is not in the timeline that is shown."""
        session, painter = self.app.session, self.app.painter
        self._close()
        here = session.incident
        shown = here is not None and any(one.ref == row.ref for one in here.rows)
        if row.entry.incident and not shown:
            session.desk.choose(row.entry.incident)
            painter.switched()
            self.app.call_later(self.app.fold_on)
        painter.catch_up()
        self._looking.go(session.store.handle(row.ref))
        if row.entry.incident and not shown:
            self.app.talk.said = (f"Working in {row.entry.incident}. /incident lists them all.", "warn")


def to_ask(argument: str) -> Search | str:
    """What was typed after /search, or the sentence why it cannot be looked for."""
    wanted = read_filter(argument)
    if isinstance(wanted, str):
        return wanted
    if not (wanted.kinds or wanted.by or wanted.hosts or words_of(" ".join(wanted.words))):
        return "What is to be looked for? /search kind:action glusterd"
    return Search(wanted=wanted)


def headline(found: Found) -> str:
    if not found.rows:
        return "Nothing was found, in no incident."
    return f"{len(found.rows)} found{', the newest; there are more' if found.more else ''}."


def told(row: TimelineRow, view: View) -> str:
    """One line: handle, when, in which incident, by whom, what."""
    where = row.entry.incident.rpartition("-")[2] or "-"
    said = f"{row.word} {row.text}" if row.word != "NOTE" else row.text
    struck = " (struck)" if row.struck else ""
    return f"{view.handle(row.ref):>5} {row.at:%m-%d %H:%M} {where:<4} {row.entry.author.name} {said}{struck}"
