"""Which entries the timeline shows: those of the incident, else those that belong to none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from incident_tui.incident.entry import Entry, Kind, Ref
from incident_tui.incident.growing import Growing
from incident_tui.incident.state import Fold
from incident_tui.incident.views import Incident, TimelineRow

LOOSE: Final = 1_000
"""Entries outside any incident that are shown, the newest."""
_HIDDEN: Final = frozenset({Kind.AMEND, Kind.STRIKE, Kind.PIN, Kind.SIGNATURE})


class ShownRows:
    """Told of each entry after `fold` has taken it. What grew is not gone through again."""

    def __init__(self, fold: Fold) -> None:
        self._fold = fold
        self._loose: list[Ref] = []
        self._loose_rows: list[TimelineRow] = []
        self._loose_changed = True
        self._all_rows: Sequence[TimelineRow] = ()
        self._told: list[TimelineRow] = []
        self._told_rows: Sequence[TimelineRow] = ()

    def note(self, entry: Entry) -> None:
        if entry.ref is not None:
            self._loose_changed = True
        if not entry.incident:
            self._loose_changed = True
            if entry.kind not in _HIDDEN:
                self._loose.append(entry.id)
                del self._loose[:-LOOSE]

    def of(self, incident: Incident | None) -> Sequence[TimelineRow]:
        """Oldest first. Who took the watch is in the journal and the full report; here only while there is nothing
        else."""
        rows = incident.rows if incident is not None else self._loose_timeline()
        if rows is not self._all_rows:
            new: Iterable[TimelineRow] = rows
            if isinstance(rows, Growing) and rows.grew_from(self._all_rows):
                new = rows[len(self._all_rows) :]
            else:
                self._told = []
            self._all_rows = rows
            self._told.extend(row for row in new if row.entry.kind is not Kind.LEASE)
            self._told_rows = Growing(self._told) if self._told else rows
        return self._told_rows

    def _loose_timeline(self) -> list[TimelineRow]:
        if self._loose_changed:
            rows = [row for ref in self._loose if (row := self._fold.row(ref)) is not None]
            rows.sort(key=lambda row: (row.at, row.entry.recorded_at, row.entry.journal, row.entry.seq))
            self._loose_rows, self._loose_changed = rows, False
        return self._loose_rows
