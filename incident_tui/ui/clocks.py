"""What the clocks of an incident say at one moment, for the header and the line below: a commander who is gone, the age
to call out, updates that are due, who is tired, companies that promised to be back. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from incident_tui.incident.said import same
from incident_tui.incident.updates import updates_due
from incident_tui.incident.views import Incident
from incident_tui.ui.lines import Piece, cut
from incident_tui.ui.times import short, stepped
from incident_tui.ui.view import View

GONE_AFTER: Final = 60.0
"""Seconds without a screen after which a commander who had one is called gone; a reconnect is quicker."""
CALLED_OUT: Final = timedelta(minutes=1)
"""For so long the age is called out."""


def commands(incident: Incident | None, name: str) -> bool:
    """Whether this person commands a response that goes on."""
    going_on = incident is not None and incident.open and incident.stood_down_at is None
    return going_on and incident is not None and same(incident.commander, name)


def gone(view: View) -> float | None:
    """Seconds since the commander's last screen closed; None while she has one, or never had."""
    incident = view.incident
    if incident is None or not incident.open or incident.stood_down_at is not None or not incident.commander:
        return None
    screens = [one for one in view.people if same(one.name, incident.commander)]
    if not screens or any(one.alive for one in screens) or same(view.me.name, incident.commander):
        return None
    since = min(one.since for one in screens)
    return since if since >= GONE_AFTER else None


def takes_over(view: View) -> str:
    """Who takes command from a commander who is gone, and how."""
    deputy = view.incident.roles.get("deputy") if view.incident is not None else None
    if deputy is None or same(deputy.who, view.me.name):
        return "/ic take"
    return f"{view.look.text(deputy.who)}, the deputy, takes command with /ic take"


def take_over(view: View) -> str:
    """What whoever looks at this does about a commander who is gone; empty when nobody is."""
    since, incident = gone(view), view.incident
    if since is None or incident is None:
        return ""
    return f"{view.look.text(incident.commander)} is gone {short(since)}: {takes_over(view)}"


def updates(view: View) -> list[tuple[datetime, str]]:
    """When updates are due, and to whom, the earliest first."""
    return updates_due(view.incident, view.command, view.severities) if view.incident is not None else []


def running(view: View) -> Iterator[Piece]:
    """Pieces for the line of running things, with the numbers that tick."""
    incident, now, look = view.incident, view.now, view.look
    if not _runs(view) or incident is None:
        return
    yield from ((text, "strong") for text in _age(view))
    for one in incident.engagements:
        if one.due is not None and one.ended_at is None:
            left = one.due - now
            over = left < timedelta(0)
            words = f"{cut(look.text(one.vendor), 16, look)} back {stepped(left)} {'LATE' if over else 'left'}"
            yield (words, "warn" * over)
    for role, who, since in _tired(view):
        yield (f"{cut(look.text(who), 10, look)} {role} {short(now - since)}: hand over?", "warn")


def called(view: View) -> Iterator[str]:
    """What is said once when it becomes so: sentences without a number that ticks."""
    if not _runs(view) or view.incident is None:
        return
    yield from _age(view)
    for one in view.incident.engagements:
        if one.state(view.now) == "overdue":
            yield f"{one.vendor} is not back as promised: escalate"
    for role, who, _ in _tired(view):
        yield f"{who} has been {role} for long: hand over?"


def _runs(view: View) -> bool:
    incident = view.incident
    return incident is not None and incident.open and incident.stood_down_at is None


def _age(view: View) -> Iterator[str]:
    """The age to call out, for a minute."""
    declared, minutes = view.incident.declared_at if view.incident else None, view.command.callout_minutes
    if declared is None or not minutes:
        return
    every = timedelta(minutes=minutes)
    count = (view.now - declared) // every
    if count > 0 and view.now - declared - count * every < CALLED_OUT:
        yield f"call out: {count * minutes} min"


def _tired(view: View) -> Iterator[tuple[str, str, datetime]]:
    """Role, who and since when, of those who have held it for too long."""
    incident, hours = view.incident, view.command.fatigue_hours
    if incident is None or not hours:
        return
    held = [("IC", incident.commander, incident.commander_since)]
    held += [(one.role, one.who, one.since) for one in incident.roles.values()]
    for role, who, since in held:
        if who and since is not None and view.now - since >= timedelta(hours=hours):
            yield role, who, since
