"""What this person and another both did, on two sides of a network that was split: told to both when it becomes known.
Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from incident_tui.incident.entry import Ref
from incident_tui.incident.views import Incident
from incident_tui.incident.work import Contested

TOLD_FOR: Final = timedelta(minutes=15)
"""So long it stands among the notices; the mark in the timeline stays."""


class Conflicts:
    """Of one screen: when each became known to it."""

    def __init__(self) -> None:
        self._known: dict[Ref, datetime] = {}

    def of(self, incident: Incident | None, me: str, now: datetime) -> Sequence[Contested]:
        """Those to be told now, the newest first."""
        if incident is None or not incident.contested:
            return ()
        mine = [one for one in incident.contested if one.about(me)]
        for one in mine:
            self._known.setdefault(one.second, now)
        return [one for one in reversed(mine) if now - self._known[one.second] < TOLD_FOR]
