"""Numbers with their formulas, never invented; names typed and names proven."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from incident_tui.incident import people
from incident_tui.incident.entry import Entry, Kind
from incident_tui.incident.metrics import Metric, impact, metrics
from incident_tui.incident.settings import Person
from incident_tui.incident.state import Fold

PEOPLE = (Person(name="ana", account="ana1", time_zone="Europe/Madrid"), Person(name="Bob"), Person(name="bea"))


def numbers(entries: list[Entry], now: datetime) -> dict[str, Metric]:
    fold = Fold()
    for entry in entries:
        fold.apply(entry)
    return {metric.name: metric for metric in metrics(fold.incident("I"), now)}


def test_a_missing_milestone_makes_unknown_and_says_which(make: Any, start: datetime) -> None:
    found = numbers([make(Kind.DECLARE, 0, title="t", severity=1)], start)
    assert found["time to detect"].value is None
    assert "started was not said" in found["time to detect"].why_unknown
    assert all(metric.formula for metric in found.values())
    assert all((metric.value is None) == bool(metric.why_unknown) for metric in found.values())


def test_spans_impact_and_time_in_each_severity(make: Any, start: datetime) -> None:
    entries = [
        make(Kind.DECLARE, 10, title="t", severity=2),
        make(Kind.MILESTONE, 0, recorded=11, name="started"),
        make(Kind.MILESTONE, 4, recorded=11, name="detected"),
        make(Kind.SEVERITY, 20, "worse", level=1),
        make(Kind.UPDATE, 25, "news", step="posted", audience="public"),
        make(Kind.SEVERITY, 30, "better", level=2),
    ]
    now = start + timedelta(minutes=40)
    running = numbers(entries, now)
    assert running["time to detect"].value == timedelta(minutes=4)
    assert running["length of the impact"].running and running["length of the impact"].value == timedelta(minutes=40)
    entries.append(make(Kind.STATUS, 60, status="resolved"))
    found = numbers(entries, now + timedelta(days=3))
    assert found["time in SEV1"].value == timedelta(minutes=10)
    assert found["time in SEV2"].value == timedelta(minutes=40)
    assert found["length of the impact"].value == timedelta(hours=1)
    assert found["time to the first public update"].value == timedelta(minutes=15)


def test_a_span_over_a_day_is_not_cut_and_a_backward_one_is_unknown(make: Any, start: datetime) -> None:
    entries = [
        make(Kind.DECLARE, 0, title="t"),
        make(Kind.MILESTONE, -10, name="started"),
        make(Kind.MILESTONE, 3000, name="resolved"),
        make(Kind.MILESTONE, -20, recorded=1, name="detected"),
    ]
    found = numbers(entries, start)
    assert found["time to resolve"].value == timedelta(minutes=3010)
    assert found["time to detect"].value is None and "before" in found["time to detect"].why_unknown


def test_an_unknowable_start_gives_no_impact(make: Any, start: datetime) -> None:
    fold = Fold()
    for entry in (make(Kind.DECLARE, 0, title="t"), make(Kind.MILESTONE, 1, name="started", unknown=True)):
        fold.apply(entry)
    incident = fold.incident("I")
    assert impact(incident) == (None, None)
    found = {metric.name: metric for metric in metrics(incident, start)}
    assert "unknowable" in found["length of the impact"].why_unknown


def test_a_name_is_resolved_by_case_and_unique_prefix() -> None:
    assert people.resolve("@ANA", PEOPLE) == "ana"
    assert people.resolve("bo", PEOPLE) == "Bob"
    assert people.resolve("dan", PEOPLE) == "dan"
    ambiguous = people.resolve("b", PEOPLE)
    assert isinstance(ambiguous, people.Ambiguous) and "Bob or bea" in ambiguous.sentence


def test_a_name_is_proven_only_by_an_account_of_its_own() -> None:
    assert people.author("ANA", PEOPLE, account="ana1").proven
    assert people.author("", PEOPLE, account="ana1").name == "ana"
    assert not people.author("bea", PEOPLE, account="ana1").proven
    assert not people.author("ana", PEOPLE, account="root").proven
    assert not people.author("ana", PEOPLE, account="ana1", shared=("ana1",)).proven
    two = (*PEOPLE, Person(name="carl", account="ana1"))
    assert not people.author("ana", two, account="ana1").proven
    assert people.author("", two, account="ana1").name == "ana1"
    assert people.zone_of("ana", PEOPLE) == "Europe/Madrid" and people.zone_of("dan", PEOPLE) == "UTC"
