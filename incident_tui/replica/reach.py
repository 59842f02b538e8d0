"""Whether the others are reached, since when, and which spans of not reaching them belong in the journal. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from incident_tui.incident.entry import Author, Draft, Kind
from incident_tui.text import sanitise

SOURCE: Final = "replica"

CUT_AFTER: Final = timedelta(seconds=8)
"""So long nothing may be heard: longer than a leader's heartbeats, about as long as choosing a new one."""
WORTH: Final = timedelta(seconds=30)
"""A span that is shorter is not worth an entry."""


class Span(msgspec.Struct, frozen=True):
    """Nobody was reached from `since` to `until`."""

    since: datetime
    until: datetime

    def __str__(self) -> str:
        return f"{self.since:%Y-%m-%d %H:%MZ} to {self.until:%H:%MZ}"


def gap(way: str, text: str, span: Span, author: Author, incident: str, data: Mapping[str, Any]) -> tuple[Draft, str]:
    """The entry for a span, and its key: one for each way and span. `data` says at least who was not reached, or who
    did not reach the others, as `replica`."""
    times = {"since": span.since, "from": span.since, "until": span.until}
    draft = Draft(
        kind=Kind.GAP,
        text=sanitise(text, limit=400),
        at=span.until,
        author=author,
        incident=incident,
        source=SOURCE,
        data={"what": SOURCE, **{name: at.isoformat() for name, at in times.items()}, **data},
    )
    return draft, f"replica-gap:{way}:{span.since.isoformat()}"


class Reach:
    """Times are of the wall clock, which may be set back; then what is not known counts as not reached."""

    def __init__(self, now: datetime) -> None:
        self.since = now
        """Since when it is as it is."""
        self.heard_at: datetime | None = None
        self.reached = False
        self._ended: Span | None = None

    def heard(self, now: datetime) -> None:
        """The other side answered."""
        if not self.reached:
            if now - self.since >= WORTH:
                self._ended = Span(self.since, now)
            self.reached, self.since = True, now
        self.heard_at = now

    def look(self, now: datetime) -> None:
        """To be called about every second."""
        if self.reached and self.heard_at is not None and not timedelta(0) <= now - self.heard_at <= CUT_AFTER:
            self.reached, self.since = False, min(self.heard_at, now)

    def ended(self) -> Span | None:
        """A span that has ended and is worth an entry, once."""
        ended, self._ended = self._ended, None
        return ended
