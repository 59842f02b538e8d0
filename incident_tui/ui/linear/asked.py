"""/logs, /performance and /changes where there are no panes: what was asked is told when it comes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from incident_tui.desk.investigation import investigation
from incident_tui.ui.asked_lines import Asked, change_lines, log_lines
from incident_tui.ui.asking import Asking
from incident_tui.ui.lines import plain
from incident_tui.ui.session import Session
from incident_tui.ui.subject import Subject, named, of_row
from incident_tui.ui.view import View
from incident_tui.watch.answers import CHANGES, LOG, PERFORMANCE, Answer


class AskedInLines:
    """`ask(host, word)` puts a question to the watch; it raises OSError or JournalError."""

    def __init__(self, session: Session, ask: Callable[[str, str], None]) -> None:
        self._session = session
        self._asking = Asking(session, ask)

    def begin(self, verb: str, argument: str, view: View) -> str:
        """Ask; the sentence to say now. Raises as `ask`."""
        if verb == "changes":
            if argument and argument not in view.host_names:
                return f"There is no host {argument}; /changes alone asks all of them."
            if argument:
                self._asking.ask(argument, CHANGES)
            else:
                self._asking.ask_all(view.host_names, CHANGES)
            return f"Reading what changed on {argument or 'all hosts'} …"
        subject = named(argument, view) if argument else f"Of what? As in /{verb} web2 drupal-a."
        if isinstance(subject, str):
            return subject
        if verb == "performance":
            ident = subject.container.id if subject.container is not None else ""
            self._asking.ask(subject.host, PERFORMANCE, keep=ident)
            return f"Performance of {subject.name} is being read and becomes an evidence entry."
        if subject.container is None:
            return f"{subject.host} is a host: write the container, as in /logs {subject.host} NAME."
        self._asking.ask(subject.host, LOG + subject.container.id)
        return f"Reading the log of {subject.name} …"

    def came(self, view: View, columns: int) -> list[str]:
        """What was answered since the last call; evidence is handed to the journal."""
        said: list[str] = []
        for answer, question in self._asking.came():
            if answer.word == PERFORMANCE:
                for ident in sorted(question.keep):
                    said += self._kept(answer, ident, view)
            elif answer.word == CHANGES:
                lines, _ = change_lines({answer.host: Asked(answer)}, view, columns)
                said += [f"Changed in 24 hours on {answer.host}:", *plain(lines).split("\n")[1:]]
            else:
                subject = of_row(f"container/{answer.host}/{answer.word.removeprefix(LOG)}", view)
                subject = subject or Subject(answer.host)
                said += [
                    f"Log of {subject.name}:",
                    *plain(log_lines(subject, Asked(answer), view, columns)).split("\n"),
                ]
        return said

    def _kept(self, answer: Answer, ident: str, view: View) -> Sequence[str]:
        subject = of_row(f"container/{answer.host}/{ident}", view) if ident else Subject(answer.host)
        if answer.problem or subject is None:
            why = answer.problem or f"{answer.host}: the container is not there any more"
            return [f"Performance was not saved: {why}"]
        text = investigation(answer.host, answer.sections, answer.at, subject.container)
        outcome = self._session.paste(text, backfill=False)
        return [f"Performance was not saved: {outcome.refusal}"] if outcome.refusal else text.split("\n")
