"""One alert that several bastions took in while they were apart: an entry in each journal, one row in the timeline.

Two alerts are the same when source, key, start and status are. The first in the order of the fold stands for all; one
that belongs to an incident comes before one that only happened meanwhile. A purged one stands for itself: what another
journal still has of it is not to be hidden behind it. Pure; `state.Fold` calls it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from incident_tui.incident.entry import Entry, Kind, Ref

_SAME: Final = ("from", "key", "episode", "status")


class Twins:
    """Of all alerts applied so far. `get` gives an entry as it is now."""

    def __init__(self, get: Callable[[Ref], Entry | None]) -> None:
        self._get = get
        self._groups: dict[tuple[str, ...], list[Ref]] = {}

    def note(self, entry: Entry) -> Sequence[Ref]:
        """An alert that was applied, or is about to be purged, with its data. What may now be hidden, or not any
        more."""
        told = _told(entry)
        if not told:
            return ()
        group = self._groups.setdefault(told, [])
        if entry.id not in group:
            group.append(entry.id)
        return group if len(group) > 1 else ()

    def hides(self, entry: Entry) -> bool:
        """Whether another alert stands for this one."""
        group = self._groups.get(_told(entry), ())
        if entry.kind is not Kind.ALERT or len(group) < 2:
            return False
        alive = [one for ref in group if (one := self._get(ref)) is not None and not one.purged]
        first = min(alive, key=lambda one: (not one.incident, one.order), default=entry)
        return first.journal != entry.journal and entry.incident in ("", first.incident)


def _told(entry: Entry) -> tuple[str, ...]:
    """Empty when it cannot be told which alert it is."""
    found = tuple(str(entry.data.get(name, "")) for name in _SAME)
    return found if all(found) else ()
