"""A conflict is told to the two it is about, for a while after it became known, and to nobody else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from incident_tui.incident.entry import Ref
from incident_tui.incident.views import Incident
from incident_tui.incident.work import Contested
from incident_tui.ui.conflicts import TOLD_FOR, Conflicts

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


def contested(number: int, first: str, second: str) -> Contested:
    at = NOW - timedelta(hours=2)
    return Contested("command", Ref("a", number), first, "claimed", at, Ref("b", number), second, "claim", at)


def test_it_is_told_to_both_for_a_while_after_it_became_known() -> None:
    one, other = contested(1, "ana", "ben"), contested(2, "cyn", "Ana")
    incident = Incident(id="I1", contested=(one, contested(3, "cyn", "eve")))
    told = Conflicts()
    assert list(told.of(incident, "ana", NOW)) == [one] == list(Conflicts().of(incident, "BEN", NOW))
    assert not Conflicts().of(incident, "dan", NOW) and not told.of(None, "ana", NOW)
    later = NOW + TOLD_FOR - timedelta(seconds=1)
    both = Incident(id="I1", contested=(one, other))
    assert list(told.of(both, "ana", later)) == [other, one], "the newest first"
    assert list(told.of(both, "ana", NOW + TOLD_FOR)) == [other]
