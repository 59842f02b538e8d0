"""One alert in the journals of several bastions is one row, in whatever order the entries come."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from incident_tui.incident.entry import Author, Entry, Kind, Ref
from incident_tui.incident.state import Fold

NOW = datetime(2026, 11, 28, 3, 10, tzinfo=UTC)


def entry(journal: str, seq: int, kind: Kind, incident: str = "I", minute: int = 0, **data: Any) -> Entry:
    at = NOW + timedelta(minutes=minute)
    return Entry(
        journal=journal,
        seq=seq,
        kind=kind,
        at=at,
        recorded_at=at,
        author=Author("x"),
        incident=incident,
        text="web1 down",
        data=data,
    )


def alert(journal: str, seq: int, incident: str = "I", minute: int = 2, status: str = "firing", **more: Any) -> Entry:
    told = {"from": "am", "key": "f00d", "episode": "2026-11-28T03:09:00Z", "status": status, **more}
    return entry(journal, seq, Kind.ALERT, incident, minute, **told)


DECLARED = entry("a", 1, Kind.DECLARE, title="web1", severity=2)


def shown(entries: Iterable[Entry], incident: str = "I") -> list[Ref]:
    """Of alerts, read after each entry: what is shown at last must not depend on what was shown before."""
    fold = Fold()
    for one in entries:
        fold.apply(one)
        fold.incident(incident)
    return [row.ref for row in fold.incident(incident).rows if row.entry.kind is Kind.ALERT]


def test_the_first_of_them_stands_for_all_whatever_comes_first() -> None:
    told = [DECLARED, alert("a", 2), alert("b", 1), alert("c", 7, minute=3)]
    for order in itertools.permutations(told):
        assert shown(order) == [Ref("a", 2)]


def test_another_start_another_alert_or_the_end_of_it_is_another_row() -> None:
    told = [
        DECLARED,
        alert("a", 2),
        alert("b", 1, episode="2026-11-28T04:00:00Z"),
        alert("b", 2, key="beef"),
        alert("b", 3, status="resolved"),
        msgspec.structs.replace(alert("b", 4), data={"from": "am", "status": "storm"}),
    ]
    assert len(shown(told)) == 5


def test_one_that_only_happened_meanwhile_gives_way_to_one_that_belongs_to_the_incident() -> None:
    told = [DECLARED, alert("a", 2, incident="", minute=1), alert("b", 1)]
    for order in itertools.permutations(told):
        assert shown(order) == [Ref("b", 1)]


def test_in_another_incident_it_is_a_row_of_its_own() -> None:
    told = [DECLARED, alert("a", 2), entry("b", 1, Kind.DECLARE, "J", title="x", severity=2), alert("b", 2, "J")]
    assert shown(told) == [Ref("a", 2)] and shown(told, "J") == [Ref("b", 2)]


def test_what_is_purged_hides_nothing() -> None:
    purge = msgspec.structs.replace(entry("a", 3, Kind.PURGE, minute=9), ref=Ref("a", 2))
    told = [DECLARED, alert("a", 2), alert("b", 1), purge]
    for order in itertools.permutations(told):
        assert shown(order) == [Ref("a", 2), Ref("b", 1)]


def test_an_entry_that_is_hidden_is_there_for_who_names_it() -> None:
    fold = Fold()
    for one in (DECLARED, alert("a", 2), alert("b", 1)):
        fold.apply(one)
    row = fold.row(Ref("b", 1))
    assert row is not None and row.entry.data["key"] == "f00d" and len(fold) == 3
