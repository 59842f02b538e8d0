"""What of a closed incident can leave the journal for an archive file, and which incidents are due for it. Pure.

What stays is what lists, numbers and work over all incidents are made of: declare, severities, statuses, milestones,
roles, tasks, updates, follow-ups, lessons, links, and what was struck, pinned, moved in time or purged. All else leaves
a tombstone with its kind, times, author and incident, so that it is still counted; of an observation also what is
counted as flapping.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from incident_tui.incident.age import days_of
from incident_tui.incident.entry import Entry, Kind
from incident_tui.incident.views import Incident

LEAVING: Final = frozenset(
    {
        *(Kind.NOTE, Kind.ACTION, Kind.RESULT, Kind.DECISION, Kind.HYPOTHESIS, Kind.CHANGE, Kind.OBSERVATION),
        *(Kind.ALERT, Kind.CHAT, Kind.COMMAND, Kind.ENGAGEMENT, Kind.PLAYBOOK, Kind.HANDOFF, Kind.HOLD, Kind.CAN),
        *(Kind.CRITERION, Kind.EVIDENCE, Kind.GAP, Kind.AMEND),
    }
)
_COUNTED: Final = ("finding", "level", "subject", "host", "flaps")


def leaves(entry: Entry) -> bool:
    """Whether this entry of a closed incident is put away with it."""
    return entry.kind in LEAVING and not entry.purged and not (entry.kind is Kind.AMEND and entry.data.get("at"))


def counted(entry: Entry) -> dict[str, Any]:
    """What of its data stays."""
    if entry.kind is not Kind.OBSERVATION:
        return {}
    return {name: entry.data[name] for name in _COUNTED if name in entry.data}


def reviewed(incident: Incident) -> bool:
    """It was closed with nothing missing that a review needs."""
    closing = [row for row in incident.rows if row.entry.kind is Kind.MILESTONE and not row.struck]
    closing = [row for row in closing if row.entry.data.get("name") == "closed" and not row.entry.data.get("unknown")]
    return not incident.open and bool(closing) and not closing[-1].entry.data.get("without")


def due(incidents: Iterable[Incident], now: datetime, days: int) -> list[Incident]:
    """Those closed longer ago than so many days that still have what could leave, the oldest first."""
    limit = now - timedelta(days=days)
    found = [
        one
        for one in incidents
        if one.closed_at is not None
        and one.closed_at < limit
        and any(leaves(row.entry) and row.entry.incident == one.id for row in one.rows)
    ]
    return sorted(found, key=lambda one: (one.closed_at or limit, one.id))


def hint(incidents: Iterable[Incident], now: datetime, keep: str) -> str:
    """The sentence for whoever reads `check` or the digest; empty where none is due or `keep` says nothing."""
    days = days_of(keep)
    count = 0 if days is None else len(due(incidents, now, days))
    if not count:
        return ""
    what = "1 incident was" if count == 1 else f"{count} incidents were"
    return f"{what} closed more than {keep} ago: incident-tui archive FILE --closed-before {keep}"
