"""When the next updates are due: what was promised, and the first public one, which nobody has to promise. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from incident_tui.incident.settings import Command, Severity, is_public
from incident_tui.incident.views import Incident

FIRST: Final = "first public"
"""In place of an audience, while nothing was said to the public nor promised."""


def updates_due(incident: Incident, command: Command, severities: Sequence[Severity]) -> list[tuple[datetime, str]]:
    """When, and to whom, the earliest first."""
    found = [(at, audience) for audience, at in incident.next_update.items()]
    first = first_update(incident, command, severities)
    return sorted(found if first is None else [*found, (first, FIRST)])


def first_update(incident: Incident, command: Command, severities: Sequence[Severity]) -> datetime | None:
    """By when the public has to hear something; None where it has, was promised something, or need not."""
    minutes = command.first_update_minutes
    if incident.declared_at is None or not minutes or incident.drill:
        return None
    if not incident.open or incident.stood_down_at is not None or not is_public(incident.severity, severities):
        return None
    told = {one.audience for one in incident.updates} | {one.audience for one in incident.promises}
    return None if "public" in told else incident.declared_at + timedelta(minutes=minutes)
