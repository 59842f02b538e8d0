"""What /filter, /find, /go and /zoom tell where there is nothing to scroll. Pure but for looking up a handle."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from incident_tui.incident import when
from incident_tui.incident.filter import matcher, read_filter
from incident_tui.incident.views import TimelineRow
from incident_tui.ui import sheets
from incident_tui.ui.entry_detail import entry_detail
from incident_tui.ui.linear.spoken import overview, timeline
from incident_tui.ui.lines import plain
from incident_tui.ui.session import Session
from incident_tui.ui.since import since_rows
from incident_tui.ui.status import status_rows
from incident_tui.ui.times import clock
from incident_tui.ui.view import View
from incident_tui.ui.yank import row_text

MOST: Final = 20
"""Entries that are told at once."""


def find(argument: str, view: View, session: Session) -> list[str]:
    """The entries that fit; /find and /filter are the same where nothing is hidden."""
    if not argument.strip():
        return ["In lines nothing is hidden: /filter and /find tell the entries that fit, as in /find by:bob gluster."]
    wanted = read_filter(argument, lambda: {row.entry.author.name for row in view.rows})
    if isinstance(wanted, str):
        return [wanted]
    fits = matcher(wanted)
    rows = [row for row in view.rows if fits(row)]
    return [f"{len(rows)} of {len(view.rows)} entries fit.", *timeline(rows, view, MOST)]


def go(place: str, view: View, session: Session, columns: int, left: datetime | None = None) -> list[str]:
    """An entry in full by its handle; the entries from a time on, the first ones, the last ones, or those that came
    after this person left."""
    rows = view.rows
    word = place.casefold()
    if word == "unread":
        new = since_rows(rows, left, view.came) if left is not None else []
        return timeline(new[:MOST], view, MOST) + _more(new) or ["Nothing came while you were away."]
    if word in ("", "last"):
        return timeline(rows, view, MOST) or ["There is no entry yet."]
    if word == "first":
        return timeline(rows[:MOST], view, MOST)
    at = when.read_clock(place.removeprefix("@"), view.now) if ":" in place else when.read_time(place, view.now)
    if at is not None:
        return _from(at.at, view)
    return detail(place, view, session, columns)


def _more(rows: Sequence[TimelineRow]) -> list[str]:
    """Where it goes on, when not all of these are told."""
    return [f"{len(rows) - MOST} newer ones: /go {clock(rows[MOST].at)}"] if len(rows) > MOST else []


def yank(handle: str, view: View, session: Session) -> tuple[str, str]:
    """What is copied of an entry, the last one without a handle; and the sentence when there is none."""
    entry = session.store.find(handle) if handle else view.rows[-1].entry if view.rows else None
    row = session.fold.row(entry.id) if entry is not None else None
    if row is None:
        return "", f"There is no entry {handle}." if handle else "There is no entry yet."
    return row_text(row, session.store.handle(row.ref)), ""


def _from(at: datetime, view: View) -> list[str]:
    rows = [row for row in view.rows if row.at >= at]
    return timeline(rows[:MOST], view, MOST) if rows else ["Nothing is newer than that."]


def detail(handle: str, view: View, session: Session, columns: int) -> list[str]:
    """All of one entry; the last one without a handle."""
    entry = session.store.find(handle) if handle else view.rows[-1].entry if view.rows else None
    row = session.fold.row(entry.id) if entry is not None else None
    if row is None:
        return [f"There is no entry {handle}. A handle such as a17, a time, first or last?"]
    return plain(entry_detail(row, view, columns)).split("\n")


def of_zoom(name: str, view: View, session: Session, columns: int) -> list[str]:
    """A row of the left pane in full by (part of) its name; without a name, how things are."""
    word = name.casefold()
    if word in ("", "hosts"):
        return overview(view)
    if word == "timeline":
        return timeline(view.rows, view, MOST)
    rows = [row for row in status_rows(view, columns) if word in row.name.casefold()]
    exact = [row for row in rows if row.name.casefold() == word] or rows
    if not exact:
        return [f"Nothing here is called {name}."]
    if len(exact) > 1 and exact is rows:
        return ["Which? " + ", ".join(dict.fromkeys(row.name for row in rows))]
    lines: list[str] = []
    for row in exact:
        opened = sheets.of_row(row, session, lambda view: status_rows(view, columns))
        lines += plain(opened.content(view, columns)).split("\n")
    return lines
