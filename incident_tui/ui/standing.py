"""What a briefing is made from, as this screen knows it."""

from __future__ import annotations

from incident_tui.incident.roster import on_call_now
from incident_tui.incident.views import Incident
from incident_tui.journal.errors import JournalError
from incident_tui.journal.store import Store
from incident_tui.report.standing import Standing
from incident_tui.ui.times import short
from incident_tui.ui.view import Parts, View


def standing(view: View, parts: Parts, incident: Incident, store: Store) -> Standing:
    """`incident` at the moment of `view`."""
    try:
        head = store.head()
    except JournalError:
        head = None  # a briefing without it is better than none
    age = view.watch.age
    words = "nobody is watching" if age is None else f"watched {short(age)} ago"
    return Standing(
        incident=incident,
        now=view.now,
        handle=view.handle,
        findings=view.findings if age is not None else (),
        board=words if age is None or view.watch.fresh else f"NOT WATCHED for {short(age)}: old",
        watched=view.watch.fresh,
        people=parts.people,
        on_call=on_call_now(parts.rosters, view.now),
        command=parts.command,
        severities=view.severities,
        head=head,
        demo=view.demo,
    )
