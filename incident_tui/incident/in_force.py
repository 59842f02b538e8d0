"""Which incident is in force: the one a line belongs to that names none. Pure.

That is `Fold.newest_open()`. But a fold needs the whole journal, and most entries cannot change the answer; so who has
folded keeps `InForce`, and the next one asks `keeps` about the entries since. A test compares the two ways on any
sequence of entries.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec

from incident_tui.incident.entry import Entry, Kind, Ref

if TYPE_CHECKING:
    from incident_tui.incident.state import Fold

REOPENING: Final = frozenset({Kind.ACTION, Kind.SEVERITY, Kind.STATUS, Kind.ROLE, Kind.TASK, Kind.UPDATE})
"""Work on the incident after its close reopens it; paperwork (notes, lessons, follow-ups, milestones) does not."""

_CORRECTING: Final = frozenset({Kind.AMEND, Kind.STRIKE, Kind.PURGE})


class InForce(msgspec.Struct, frozen=True):
    """What a fold found. It holds no text of any entry, so that nothing is left of it after a purge."""

    incident: str = ""
    """Its id; empty when none is open."""
    never_closed: bool = True
    """It was not closed and reopened, so that no work on it can matter, backdated or not."""


def reopens(entry: Entry) -> bool:
    if entry.kind is Kind.STATUS:
        return entry.data.get("status") not in ("resolved", "stood down")
    if entry.kind is Kind.TASK:
        return entry.data.get("step") == "assigned"
    return entry.kind in REOPENING


def keeps(found: InForce, entry: Entry, get: Callable[[Ref], Entry | None]) -> bool:
    """Whether `found` certainly still holds after `entry` of the same journal, the next one; when not, fold.

    `get` gives an earlier entry, purged or not: a correction matters when what it corrects does.
    """
    if entry.kind not in _CORRECTING:
        return _without_effect(found, entry)
    about = get(entry.ref) if entry.ref is not None else None
    return about is not None and about.kind not in _CORRECTING and _without_effect(found, about)


def _without_effect(found: InForce, entry: Entry) -> bool:
    if entry.kind is Kind.DECLARE:
        return False
    if entry.kind is Kind.MILESTONE:
        return not entry.purged and entry.data.get("name") != "closed"
    if entry.incident and entry.kind in REOPENING:
        return entry.incident == found.incident and found.never_closed
    return True


def find(fold: Fold) -> InForce:
    """By the fold."""
    incident = fold.newest_open()
    if incident is None:
        return InForce()
    closings = (
        row.entry.data.get("name") for row in incident.rows if row.entry.kind is Kind.MILESTONE and not row.origin
    )
    return InForce(incident.id, "closed" not in closings)
