"""Duplicates that were merged into an incident, seen in it. Pure; `state.Fold` calls it, so that every view agrees.

Their rows stand in its timeline, marked with where they came from, and the work in them (tasks, hypotheses, companies,
holds, commands, updates promised, …) is its own. Who commands, how bad it is and when it was declared and closed is
said by its own entries alone. When the merge is taken back, nothing of this is left.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Final

import msgspec

from incident_tui.incident.chronicle import STATEFUL, derive
from incident_tui.incident.entry import Kind
from incident_tui.incident.growing import Growing
from incident_tui.incident.progress import KINDS
from incident_tui.incident.said import Line
from incident_tui.incident.views import Incident

CARRIED: Final = (KINDS - {Kind.HANDOFF, Kind.LINK}) | {Kind.UPDATE, Kind.DECISION, Kind.LESSON, Kind.CHANGE}
"""Kinds whose entries in a duplicate count in the incident that it became part of."""


class Merges:
    """`alone` gives an incident without what was merged into it, the same object as long as nothing changed."""

    def __init__(self, alone: Callable[[str], Incident]) -> None:
        self._alone = alone
        self._linked: set[str] = set()
        self._made: dict[str, _Joined] = {}

    def note(self, incident: str) -> None:
        """An entry of this incident links it to another: it may be a duplicate."""
        self._linked.add(incident)

    def read(self, incident: str) -> Incident:
        """With all that was merged into it, also by way of others."""
        alone = self._alone(incident)
        duplicates = self._duplicates_of(incident) if self._linked else []
        if not duplicates:
            self._made.pop(incident, None)
            return alone
        made = self._made.get(incident)
        if made is None or list(map(id, made.duplicates)) != list(map(id, duplicates)) or not made.grow(alone):
            self._made[incident] = made = _Joined(alone, duplicates)
        return made.incident

    def _duplicates_of(self, incident: str) -> list[Incident]:
        into: dict[str, list[str]] = {}
        for name in sorted(self._linked):
            for link in self._alone(name).links:
                if link.how == "duplicate":
                    into.setdefault(link.other, []).append(name)
        found: list[str] = []
        waiting = [incident]
        while waiting:
            for name in into.get(waiting.pop(), ()):
                if name != incident and name not in found:
                    found.append(name)
                    waiting.append(name)
        return [self._alone(name) for name in sorted(found)]


class _Joined:
    """An incident with its duplicates."""

    def __init__(self, alone: Incident, duplicates: list[Incident]) -> None:
        self.alone = alone
        self.duplicates = duplicates
        seen = {row.ref for row in alone.rows}
        self.rows = list(alone.rows)
        for one in duplicates:  # each entry once: what belongs to the incident anyway did not come from another
            came = [msgspec.structs.replace(row, origin=one.id) for row in one.rows if row.ref not in seen]
            seen.update(row.ref for row in came)
            self.rows += came
        self.rows.sort(key=attrgetter("order"))
        self.incident = self._derived()

    def _derived(self) -> Incident:
        counting = [row for row in self.rows if not row.struck and row.entry.kind in STATEFUL]
        lines = [Line(row.entry, row.at, row.said) for row in counting if not row.origin or row.entry.kind in CARRIED]
        own = [line for line in lines if line.entry.incident == self.alone.id]
        return msgspec.structs.replace(
            derive(self.alone.id, lines, own),
            rows=Growing(self.rows),
            corrections=self.alone.corrections + sum(one.corrections for one in self.duplicates),
            absorbed=tuple(one.id for one in self.duplicates),
        )

    def grow(self, alone: Incident) -> bool:
        """Take what came since at the end. False when more has changed than that."""
        if alone is self.alone:
            return True
        before = self.alone.rows
        if not isinstance(alone.rows, Growing) or not alone.rows.grew_from(before):
            return False
        new = alone.rows[len(before) :]
        if new and new[0].order <= self.rows[-1].order:
            return False
        self.alone = alone
        self.rows.extend(new)
        stateful = any(row.entry.kind in STATEFUL for row in new)
        rows = Growing(self.rows)
        self.incident = self._derived() if stateful else msgspec.structs.replace(self.incident, rows=rows)
        return True
