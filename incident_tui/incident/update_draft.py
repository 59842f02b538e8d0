"""A first version of an update, from what happened since the last one to the same audience. Pure.

Facts only, in the words that were entered; whoever sends it changes them. The public gets no names of people, hosts or
products, which stand in titles, decisions and actions: only what the status and the milestones say. The management gets
what it may have to act on; the team gets what was done.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from incident_tui.incident import when
from incident_tui.incident.entry import Kind
from incident_tui.incident.views import Incident, TimelineRow

MOST: Final = 600
"""Characters; somebody reads it on a telephone."""
_PUBLIC: Final = {
    "declared": "We are looking into a problem with our services.",
    "investigating": "We are looking into a problem with our services.",
    "mitigating": "We are working on a problem with our services.",
    "monitoring": "A repair is in place, and we are watching whether it holds.",
    "resolved": "The problem with our services is over.",
    "stood down": "We have ended our work on the problem with our services.",
}
_REACHED: Final = ("mitigated", "recovered", "resolved")
_TOLD: Final = {
    "internal": (
        *(Kind.SEVERITY, Kind.STATUS, Kind.ROLE, Kind.DECISION, Kind.ACTION, Kind.RESULT, Kind.HYPOTHESIS),
        *(Kind.ENGAGEMENT, Kind.CHANGE),
    ),
    "exec": (Kind.SEVERITY, Kind.STATUS, Kind.ROLE, Kind.DECISION, Kind.ENGAGEMENT),
}


def draft(incident: Incident, audience: str, now: datetime) -> str:
    """One line, at most MOST characters. Never empty."""
    since = max((one.at for one in incident.updates if one.audience == audience and one.at <= now), default=None)
    reached = [
        f"{name.capitalize()} at {milestone.at:%H:%MZ}."
        for name, milestone in incident.milestones.items()
        if name in _REACHED and milestone.at is not None and not milestone.implied and _new(milestone.at, since, now)
    ]
    if audience == "public":
        said = _PUBLIC.get(incident.status, f"Status: {incident.status}.")
        changed = any(_new(span.since, since, now) for span in incident.statuses)
        no_news = since is not None and not changed and not reached
        return _line([f"No change since {when.clock(since, now)}." if no_news and since else "", said, *reached])
    rows = [row for row in incident.rows if _tells(row, audience) and _new(row.at, since, now)]
    head = [_standing(incident, now)] if since is None or audience == "exec" else []
    if since is not None and not rows and not reached:
        head = [f"No change since {when.clock(since, now)}.", _standing(incident, now)]
    elif since is not None:
        head.append(f"Since {when.clock(since, now)}:")
    open_tasks = [f"{task.who}: {task.text}" for task in incident.tasks if task.done_at is None]
    tail = [f"Open: {'; '.join(open_tasks)}."] if open_tasks and audience == "internal" else []
    return _line([*head, *reached], [f"{_words(row)}." for row in rows], tail)


def _new(at: datetime, since: datetime | None, now: datetime) -> bool:
    return at <= now and (since is None or at > since)


def _tells(row: TimelineRow, audience: str) -> bool:
    if row.struck or row.purged or row.entry.kind not in _TOLD.get(audience, _TOLD["internal"]):
        return False
    data = row.entry.data
    if row.entry.kind is Kind.HYPOTHESIS:
        return data.get("state") in ("confirmed", "eliminated")
    if row.entry.kind is Kind.ROLE:
        return data.get("role", "commander") == "commander" and data.get("step") in ("take", "claim")
    return True


def _words(row: TimelineRow) -> str:
    said = " ".join(row.text.split()).rstrip(".")
    kind = row.entry.kind
    return said if kind in (Kind.SEVERITY, Kind.ACTION, Kind.RESULT) else f"{row.word.lower()} {said}"


def _standing(incident: Incident, now: datetime) -> str:
    severity = f"SEV{incident.severity} " if incident.severity is not None else ""
    age = f", open for {when.span(now - incident.declared_at)}" if incident.declared_at is not None else ""
    commander = f", incident commander {incident.commander}" if incident.commander else ""
    return f"{severity}{incident.title}: {incident.status}{age}{commander}."


def _line(head: Iterable[str], news: Iterable[str] = (), tail: Iterable[str] = ()) -> str:
    """The newest news that fit; what is left out is counted."""
    first, last, kept = [one for one in head if one], list(tail), list(news)
    left_out = 0
    while True:
        more = [f"And {left_out} more before." if left_out else ""]
        text = " ".join(one for one in (*first, *more, *kept, *last) if one)
        if len(text) <= MOST:
            return text
        if kept:
            kept, left_out = kept[1:], left_out + 1
        elif last:
            last = []
        else:
            return text[: MOST - 1] + "…"
