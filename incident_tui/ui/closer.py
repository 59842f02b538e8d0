"""Looking closer at a machine from the screen: a container's log, performance as evidence, what changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from incident_tui.desk.investigation import investigation
from incident_tui.hosts.changes import Change
from incident_tui.ui.asked_lines import Asked, Made, change_lines, log_lines, performance_lines, started
from incident_tui.ui.asking import Asking
from incident_tui.ui.lines import Line
from incident_tui.ui.sheets import Choice, Opened
from incident_tui.ui.subject import Subject, named, of_row
from incident_tui.ui.view import View
from incident_tui.watch.answers import CHANGES, LOG, PERFORMANCE

if TYPE_CHECKING:
    from incident_tui.ui.app import IncidentApp


class Closer:
    """`ask(host, word)` puts a question to the watch."""

    def __init__(self, app: IncidentApp, ask: Callable[[str, str], None], open_sheet: Callable[[Opened], None]) -> None:
        self.app = app
        self.asking = Asking(app.session, ask)
        self._open = open_sheet

    def row(self) -> str:
        """Key of the row that is chosen or open; empty when none is."""
        if self.app.pane == "status":
            row = self.app.status.row()
            return row.key if row is not None else ""
        return self.app.sheet.row if self.app.sheet.display else ""

    def logs(self, argument: str = "") -> None:
        subject = self._subject(
            argument, "F6 shows the log of a container: choose it with Tab, or /logs web2 drupal-a."
        )
        if subject is None:
            return
        if subject.container is None:
            self._say(f"{subject.host} is a host: F6 shows the log of a container, as in /logs {subject.host} NAME.")
            return
        word = LOG + subject.container.id
        if self._ask(subject.host, word):
            self._show(f"log of {subject.name}", subject, word, log_lines, last=True)

    def performance(self, argument: str = "") -> None:
        subject = self._subject(
            argument, "F7 looks at a host or a container: choose it with Tab, or /performance web2."
        )
        if subject is None:
            return
        ident = subject.container.id if subject.container is not None else ""
        if self._ask(subject.host, PERFORMANCE, keep=ident):
            self.app.talk.said = (f"Performance of {subject.name} is being read and becomes an evidence entry.", "")
            self._show(f"performance of {subject.name}", subject, PERFORMANCE, performance_lines)

    def changes(self, argument: str = "") -> None:
        """Of the host that is named, or whose row is chosen; else of all."""
        view = self._view()
        if argument and argument not in view.host_names:
            self._refuse(f"/changes {argument}", f"There is no host {argument}; /changes alone asks all of them.")
            return
        subject = of_row(self.row(), view)
        host = argument or (subject.host if subject is not None else "")
        if not view.host_names:
            self._say("No host is configured.")
        elif self._ask(host, CHANGES):
            self._open(self._changed([host] if host else view.host_names))

    def settle(self) -> None:
        """Answers came to what this screen had asked: what is to be kept is saved."""
        for answer, question in self.asking.came():
            for ident in sorted(question.keep):
                self._keep(answer.host, ident, answer.problem, answer.at)

    def _keep(self, host: str, ident: str, problem: str, at: datetime) -> None:
        subject = of_row(f"container/{host}/{ident}", self._view()) if ident else Subject(host)
        answer = self.app.session.answers(PERFORMANCE).get(host)
        if problem or answer is None or subject is None:
            why = problem or f"{host}: the container is not there any more"
            self.app.talk.said = (f"Performance was not saved: {why}", "crit")
            return
        text = investigation(host, answer.sections, at, subject.container)
        outcome = self.app.session.paste(text, backfill=False)
        self.app.talk.said = (
            (f"Performance was not saved: {outcome.refusal}", "crit")
            if outcome.refusal
            else (f"Performance of {subject.name}.", "")
        )

    def take(self, change: Change) -> None:
        """Make a change entry of it, unless there is one."""
        made = Made(self._view().rows).of(change)
        if made is not None:
            self._say(f"{self.app.session.store.handle(made.ref)} says that already.")
            return
        self.app.session.keep_change(change)
        self.app.talk.said = (f"{change.host}: {change.what}.", "")

    def _subject(self, argument: str, otherwise: str) -> Subject | None:
        view = self._view()
        found = named(argument, view) if argument else of_row(self.row(), view) or otherwise
        if isinstance(found, Subject):
            return found
        self._say(found)
        return None

    def _ask(self, host: str, word: str, keep: str | None = None) -> bool:
        def put() -> None:
            if host:
                self.asking.ask(host, word, keep)
            else:
                self.asking.ask_all(self._view().host_names, word)

        return self.app.attempt(put, "the watch could not be asked")

    def _asked(self, host: str, word: str) -> Asked:
        answer = self.app.session.answers(word).get(host)
        return Asked(answer, self.asking.question(host, word), self.asking.unanswered(host, word))

    def _show(
        self,
        title: str,
        subject: Subject,
        word: str,
        lines: Callable[[Subject, Asked, View, int], list[Line]],
        *,
        last: bool = False,
    ) -> None:
        ident = f"container/{subject.host}/{subject.container.id}" if subject.container is not None else ""

        def content(view: View, width: int) -> Sequence[Line]:
            return lines(of_row(ident, view) or subject, self._asked(subject.host, word), view, width)

        def begin(made: Sequence[Line]) -> int:
            return len(made) if last else 0

        self._open(Opened(title, content, wide=True, begin=begin, row=ident or f"host/{subject.host}"))

    def _changed(self, hosts: Sequence[str]) -> Opened:
        places: dict[int, Change] = {}
        lines: list[Line] = []
        made_of: object = None

        def content(view: View, width: int) -> Sequence[Line]:
            nonlocal places, lines, made_of
            answers = self.app.session.answers(CHANGES)
            asked = {
                host: Asked(
                    answers.get(host), self.asking.question(host, CHANGES), self.asking.unanswered(host, CHANGES)
                )
                for host in hosts
            }
            states = [
                (one.answer.at if one.answer else None, one.question is None, one.unanswered) for one in asked.values()
            ]
            of = (states, id(view.rows), started(view.incident), width)
            if made_of != of:  # of hundreds of hosts it is long: made anew only when it says something else
                made_of = of
                lines, places = change_lines(asked, view, width)
            return lines

        def choices() -> dict[int, Choice]:
            return {at: self._choice(change) for at, change in places.items()}

        name = hosts[0] if len(hosts) == 1 else "all hosts"
        row = f"host/{hosts[0]}" if len(hosts) == 1 else ""
        return Opened(f"changed in 24 h on {name}", content, wide=True, choices=choices, row=row)

    def _choice(self, change: Change) -> Choice:
        return Choice(f"{change.host} {change.at.isoformat()} {change.what}", lambda: self.take(change))

    def _view(self) -> View:
        return self.app.painter.view or self.app.session.view()

    def _say(self, sentence: str) -> None:
        self.app.talk.said = (sentence, "warn")

    def _refuse(self, line: str, sentence: str) -> None:
        self.app.prompt.editor.set(line)
        self.app.talk.said = (sentence, "crit")
