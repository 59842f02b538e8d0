"""What a briefing is made from: an incident, the board and the people at one moment. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from incident_tui.incident.entry import Kind, Ref
from incident_tui.incident.finding import Finding, Level
from incident_tui.incident.people import find
from incident_tui.incident.roster import OnCall, local_time
from incident_tui.incident.settings import DEFAULT_SEVERITIES, Command, Person, Severity
from incident_tui.incident.updates import updates_due
from incident_tui.incident.views import Incident, TimelineRow
from incident_tui.journal.chain import Head

TOLD: Final = frozenset(
    {
        *(Kind.DECLARE, Kind.SEVERITY, Kind.STATUS, Kind.MILESTONE, Kind.ROLE, Kind.HANDOFF, Kind.DECISION),
        *(Kind.ACTION, Kind.RESULT, Kind.UPDATE, Kind.COMMAND, Kind.ENGAGEMENT, Kind.CHANGE, Kind.CAN),
    }
)
"""Kinds of entries that somebody who comes in has to know of."""
SYMBOL: Final = {Level.OK: "+", Level.UNKNOWN: "?", Level.WARN: "!", Level.CRIT: "X"}


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One moment. `board` is one sentence about how old the findings are; `since`: the reader knows what was recorded
    until then."""

    incident: Incident
    now: datetime
    handle: Callable[[Ref], str]
    findings: Sequence[Finding] = ()
    board: str = ""
    watched: bool = True
    """Whether the findings are of now; if not, that nothing is wrong is not known."""
    people: Sequence[Person] = ()
    on_call: Sequence[OnCall] = ()
    command: Command = Command()
    severities: Sequence[Severity] = DEFAULT_SEVERITIES
    since: datetime | None = None
    head: Head | None = None
    demo: bool = False

    @property
    def key_events(self) -> list[TimelineRow]:
        """What people did and said, oldest first; of machines what is critical. Nothing struck or purged."""
        return [row for row in self.incident.rows if not row.struck and not row.purged and _tells(row)]

    @property
    def news(self) -> list[TimelineRow]:
        """The key events that were recorded since the reader looked last; all of them, when that is not known."""
        since = self.since
        return [row for row in self.key_events if since is None or row.entry.recorded_at > since]

    @property
    def updates(self) -> list[tuple[datetime, str]]:
        """When updates are due, and to whom, the earliest first."""
        return updates_due(self.incident, self.command, self.severities)

    def contacts(self) -> Iterator[tuple[str, str]]:
        """(who and why, how to reach them) of those who matter now: commander, other roles, on call, escalation."""
        named: dict[str, str] = {}
        if self.incident.commander:
            named[self.incident.commander] = "IC"
        for role, held in self.incident.roles.items():
            named.setdefault(held.who, role)
        for one in self.on_call:
            if one.now is not None:
                named.setdefault(one.now.who, f"on call {one.roster}")
            for name in one.escalation:
                named.setdefault(name, f"then {one.roster}")
        for name, why in named.items():
            person = find(name, self.people)
            contact = (
                f"{person.contact or 'no contact said'}, {local_time(person, self.now)}"
                if person
                else "not in the list"
            )
            yield f"{name} ({why})", contact


def _tells(row: TimelineRow) -> bool:
    if row.entry.kind is Kind.OBSERVATION:
        return row.entry.data.get("level") == Level.CRIT.value
    return row.entry.kind in TOLD and row.entry.data.get("step") != "promised"


def short(length: timedelta) -> str:
    """A length of time in few letters: "41m", "3h05m", "2d04h"."""
    minutes = int(abs(length).total_seconds() // 60)
    if minutes < 60:
        return f"{minutes}m"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02d}m" if hours < 48 else f"{hours // 24}d{hours % 24:02d}h"


def due_words(at: datetime, now: datetime) -> str:
    """ "14:47Z, in 4m", or "14:47Z, OVERDUE 6m"."""
    late = at < now
    return f"{at:%H:%MZ}, {'OVERDUE ' if late else 'in '}{short(at - now)}"
