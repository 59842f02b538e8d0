"""What is known of each source of alerts: when it was heard, and why it is not. For the board."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from incident_tui.watch.alerts.rows import SourceRow
from incident_tui.watch.alerts.settings import AlertSource

FORGOTTEN: Final = timedelta(hours=24)
"""At least so long a posted alert is shown whose end nobody told."""


class Sources:
    """By name, also of those that are in no configuration: whoever may write to the journal may notify."""

    def __init__(self, sources: Sequence[AlertSource], clock: Callable[[], datetime]) -> None:
        self._rows = {source.name: SourceRow(name=source.name, polled=bool(source.url)) for source in sources}
        self._configured = {source.name: source for source in sources}
        self._clock = clock
        self.listener = ""
        """Why the listener does not work."""
        self.changed = True

    def kept(self, name: str) -> timedelta | None:
        """So long a firing alert of this source that nobody speaks of is kept; None: until a poll says that it is
        over."""
        source = self._configured.get(name)
        if source is not None and source.url:
            return None
        return max(FORGOTTEN, 4 * timedelta(minutes=source.stale_minutes)) if source is not None else FORGOTTEN

    def heard(self, name: str) -> None:
        """It answered, or posted something well-formed."""
        known = self._rows.get(name, SourceRow(name=name))
        self.changed = self.changed or bool(known.problem) or known.heard_at is None
        self._rows[name] = msgspec.structs.replace(known, heard_at=self._clock(), problem="", since=None)

    def failed(self, name: str, problem: str) -> None:
        """`problem` is one sentence without any secret."""
        known = self._rows.get(name, SourceRow(name=name))
        if known.problem != problem:
            since = known.since or self._clock()
            self._rows[name] = msgspec.structs.replace(known, problem=problem, since=since)
            self.changed = True

    def listening(self, problem: str) -> None:
        """`problem` is empty when it does."""
        self.changed = self.changed or problem != self.listener
        self.listener = problem

    def rows(self) -> tuple[SourceRow, ...]:
        return tuple(self._rows.values())
