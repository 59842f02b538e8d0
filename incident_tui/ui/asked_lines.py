"""What was read because somebody asked: a log, a look at performance, what changed. As lines. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from incident_tui.desk import investigation
from incident_tui.hosts.changes import Change
from incident_tui.incident.entry import Kind
from incident_tui.incident.views import Incident, TimelineRow
from incident_tui.ui.asking import PATIENCE, Question
from incident_tui.ui.lines import Line, Piece, cells, fit, wrap
from incident_tui.ui.page import Page
from incident_tui.ui.subject import Subject, shown_name
from incident_tui.ui.times import clock, short
from incident_tui.ui.view import View
from incident_tui.watch.answers import Answer

BEFORE_START: Final = timedelta(hours=2)
"""What changed so long before the start may have caused it."""
_SHOWN: Final = 1_000
"""Changes, the newest."""
_LOOKED_AT: Final = 2_000
"""Entries, from the newest back, in which an earlier one about the same is looked for."""


class Asked(msgspec.Struct, frozen=True):
    """What is known of one question: the last answer, the question that is open, or that nobody answered."""

    answer: Answer | None = None
    question: Question | None = None
    unanswered: bool = False


def log_lines(subject: Subject, asked: Asked, view: View, width: int) -> list[Line]:
    """The end of a container's log, oldest first, with the times that its host said."""
    page = Page(width, view.look)
    _state(page, asked, view, "F6")
    if asked.answer is not None and not asked.answer.problem:
        for section in asked.answer.sections:
            _log(page, section.text)
    return page.lines


def performance_lines(subject: Subject, asked: Asked, view: View, width: int) -> list[Line]:
    """How a host, or a container on it, did at one moment, and the entry that keeps it."""
    page = Page(width, view.look)
    _state(page, asked, view, "F7")
    answer = asked.answer
    if answer is None or answer.problem:
        return page.lines
    handle = saved_as(subject, answer, view)
    if handle:
        page.text(f"+ saved as {handle}", "ok")
    for line in investigation.investigation(subject.host, answer.sections, answer.at, subject.container).split("\n"):
        page.text(line, "strong" if line.startswith("== ") else "", hang=2)
    return page.lines


def saved_as(subject: Subject, answer: Answer, view: View) -> str:
    """The handle of the evidence entry that keeps this answer; empty when there is none."""
    name = shown_name(subject.container) if subject.container is not None else ""
    first = investigation.head(subject.host, name, answer.at)
    for row in _newest(view.rows):
        if row.entry.kind is Kind.EVIDENCE and not row.struck and row.text.partition("\n")[0] == first:
            return view.handle(row.ref)
    return ""


def started(incident: Incident | None) -> datetime | None:
    """The earliest time that is known of an incident's beginning."""
    if incident is None:
        return None
    said = [
        one.at for name, one in incident.milestones.items() if name in ("started", "detected") and one.at is not None
    ]
    return min([*said, *([incident.declared_at] if incident.declared_at is not None else [])], default=None)


class Made:
    """The entries that were made of changes, to be asked of many."""

    def __init__(self, rows: Sequence[TimelineRow]) -> None:
        self._rows: dict[tuple[object, object], list[TimelineRow]] = {}
        for row in _newest(rows):
            if row.entry.kind is Kind.CHANGE and not row.struck and not row.purged:
                data = row.entry.data
                self._rows.setdefault((data.get("host"), data.get("what")), []).append(row)

    def of(self, change: Change) -> TimelineRow | None:
        """The newest entry of this very change."""
        found = self._rows.get((change.host, change.what), ())
        return next((row for row in found if row.entry.at == change.at or not change.exact), None)


def change_lines(asked: dict[str, Asked], view: View, width: int) -> tuple[list[Line], dict[int, Change]]:
    """What changed on these hosts, newest first; and the change of each line that has one."""
    page = Page(width, view.look)
    begin = started(view.incident)
    near = begin - BEFORE_START if begin is not None else None
    waiting = [host for host, one in asked.items() if one.question is not None]
    if waiting:
        page.text(f"reading {_some(waiting)} …", "strong")
    elif near is not None:
        page.text(f"* since {_when(near, view.now)}Z, 2 h before the start. Enter makes a row a change entry.")
    else:
        page.text("Enter makes a row a change entry.")
    found = [row for one in asked.values() if one.answer and one.answer.changes for row in one.answer.changes.rows]
    places: dict[int, Change] = {}
    entries = Made(view.rows)
    for change in sorted(found, key=lambda row: (row.at, row.host, row.what), reverse=True)[:_SHOWN]:
        places[len(page.lines)] = change
        page.lines.extend(_change(change, entries.of(change), near, view, width))
    if len(found) > _SHOWN:
        page.text(f"and {len(found) - _SHOWN} older ones: /changes HOST shows those of one host")
    if not found and not waiting:
        page.text("Nothing is known that changed in 24 hours.")
    _not_read(page, asked)
    return page.lines, places


def _change(change: Change, made: TimelineRow | None, near: datetime | None, view: View, width: int) -> list[Line]:
    marked = near is not None and near <= change.at
    about = "" if change.exact else "~"
    handle = f"  = {view.handle(made.ref)}" if made is not None else ""
    left = f" {'*' if marked else ' '} {about}{_when(change.at, view.now)} {change.host} "
    room = max(8, width - cells(left) - 1)
    parts = wrap(view.look.text(change.what + handle), room, room)
    first: list[Piece] = [(left, "strong" if marked else ""), (parts[0], "")]
    return [
        fit(first, width, view.look),
        *(fit([(" " * cells(left), ""), (part, "")], width, view.look) for part in parts[1:]),
    ]


def _not_read(page: Page, asked: dict[str, Asked]) -> None:
    """What may hold more, and could not be read."""
    for one in asked.values():
        if one.answer is not None and one.answer.changes is not None and one.answer.changes.unread:
            page.text(f"? not read on {one.answer.host}: {', '.join(one.answer.changes.unread)}", "unknown", hang=2)
    for host, one in asked.items():
        if one.unanswered:
            page.text(f"? not read: {host}: no watch has answered", "unknown", hang=2)
        elif one.answer is not None and one.answer.problem:
            page.text(f"? not read: {one.answer.problem}", "unknown", hang=2)


def _state(page: Page, asked: Asked, view: View, key: str) -> None:
    """How old what follows is, or why nothing does."""
    answer = asked.answer
    if asked.question is not None:
        page.text(f"reading … asked {short(view.now - asked.question.at)} ago", "strong")
        if not view.watch.fresh:
            page.text("? No watch is running: the question waits for one.", "unknown")
    elif asked.unanswered:
        page.text(f"? No watch has answered within {PATIENCE.total_seconds():.0f} s; {key} asks again.", "unknown")
    if answer is None:
        return
    if answer.problem:
        page.text(f"? {answer.problem} ({short(view.now - answer.at)} ago; {key} asks again)", "unknown", hang=2)
    else:
        page.text(f"read {clock(answer.at)}Z, {short(view.now - answer.at)} ago; {key} reads it again")


def _log(page: Page, text: str) -> None:
    if not text:
        page.text("(its log is empty)")
        return
    day = ""
    for line in text.split("\n"):
        stamp, _, rest = line.partition(" ")
        at = _stamp(stamp)
        if at is None:
            page.text(line, hang=9)
            continue
        if f"{at:%Y-%m-%d}" != day:
            day = f"{at:%Y-%m-%d}"
            page.text(f"{day} UTC", "strong")
        page.text(f"{at:%H:%M:%S} {rest}", hang=9)


def _stamp(word: str) -> datetime | None:
    """What `docker logs -t` puts in front of a line: RFC 3339 with nanoseconds, of which Python reads six digits."""
    head, dot, tail = word.partition(".")
    digits = len(tail) - len(tail.lstrip("0123456789"))
    try:
        at = datetime.fromisoformat(f"{head}{dot}{tail[: min(digits, 6)]}{tail[digits:]}")
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo is not None else None


def _when(at: datetime, now: datetime) -> str:
    same = at.astimezone(UTC).date() == now.astimezone(UTC).date()
    return clock(at) if same else f"{at.astimezone(UTC):%m-%d %H:%M}"


def _some(hosts: Sequence[str]) -> str:
    return ", ".join(hosts[:4]) + (f" and {len(hosts) - 4} more" if len(hosts) > 4 else "")


def _newest(rows: Sequence[TimelineRow]) -> Iterable[TimelineRow]:
    return (rows[index] for index in range(len(rows) - 1, max(-1, len(rows) - 1 - _LOOKED_AT), -1))
