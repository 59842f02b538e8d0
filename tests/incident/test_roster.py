"""The on-call roster: rotation in local time over daylight-saving changes in three zones, overrides, escalation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_tui.incident.roster import handover, local, on_call, shifts
from incident_tui.incident.settings import Override, Roster


def roster(zone: str = "UTC", *overrides: Override, people: tuple[str, ...] = ("ana", "bob", "dan")) -> Roster:
    return Roster(
        name="ops",
        time_zone=zone,
        handover="monday 09:00",
        first="2026-01-05",
        people=people,
        escalation=("ana", "eva"),
        overrides=overrides,
    )


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("zone", "before", "change"),
    [
        ("Europe/Madrid", "2026-03-23 09:00", timedelta(hours=-1)),  # summer time begins on 29 March
        ("Europe/Madrid", "2026-10-19 09:00", timedelta(hours=1)),  # and ends on 25 October
        ("America/New_York", "2026-03-02 09:00", timedelta(hours=-1)),
        ("America/New_York", "2026-10-26 09:00", timedelta(hours=1)),
        ("Australia/Lord_Howe", "2026-03-30 09:00", timedelta(minutes=30)),  # a change of half an hour
        ("Africa/Nairobi", "2026-03-23 09:00", timedelta(0)),
    ],
)
def test_the_handover_stays_at_the_same_time_of_the_clock(zone: str, before: str, change: timedelta) -> None:
    begin = at(before).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    (shift,) = shifts(roster(zone), begin, begin + timedelta(minutes=1))
    assert shift.since == begin
    assert shift.until - shift.since == timedelta(days=7) + change
    assert f"{shift.until.astimezone(ZoneInfo(zone)):%a %H:%M}" == "Mon 09:00"


def test_a_handover_at_a_time_that_the_clock_skips_or_shows_twice() -> None:
    night = Roster(
        name="n", time_zone="Europe/Madrid", handover="sunday 02:30", first="2026-03-22", people=("ana", "bob")
    )
    found = list(shifts(night, at("2026-03-22T00:00Z"), at("2026-04-01T00:00Z")))
    assert [one.since for one in found][1:] == [at("2026-03-22T01:30Z"), at("2026-03-29T01:30Z")][1:]
    twice = list(shifts(night, at("2026-10-25T00:00Z"), at("2026-10-26T00:00Z")))
    assert twice[-1].since == at("2026-10-25T00:30Z")


def test_who_is_on_call_now_and_next() -> None:
    said = on_call(roster(), at("2026-01-07T12:00Z"))
    assert said.now is not None and said.next is not None
    assert (said.now.who, said.now.until) == ("ana", at("2026-01-12T09:00Z"))
    assert (said.next.who, said.next.since) == ("bob", at("2026-01-12T09:00Z"))
    assert said.escalation == ("eva",), "who is on call already is not called again"


def test_before_the_first_day_nobody_is_on_call() -> None:
    said = on_call(roster(), at("2026-01-04T12:00Z"))
    assert said.now is None
    assert said.next is not None and said.next.who == "ana"
    assert said.escalation == ("ana", "eva")


def test_an_override_relieves_for_its_time_and_the_later_one_wins() -> None:
    christmas = Override(who="eva", since="2026-12-24 12:00", until="2026-12-26 12:00", why="swap")
    again = Override(who="dan", since="2026-12-25 00:00", until="2026-12-25 06:00")
    zone = "Europe/Madrid"
    made = roster(zone, christmas, again)
    found = list(shifts(made, at("2026-12-24T00:00Z"), at("2026-12-27T00:00Z")))
    assert [(one.who, f"{one.since.astimezone(ZoneInfo(zone)):%d %H:%M}") for one in found] == [
        ("dan", "21 09:00"),
        ("eva", "24 12:00"),
        ("dan", "25 00:00"),
        ("eva", "25 06:00"),
        ("dan", "26 12:00"),
    ]
    assert (found[1].instead_of, found[1].why) == ("dan", "swap")
    said = on_call(made, at("2026-12-24T12:00Z"))
    assert said.now is not None and said.now.who == "eva" and said.next is not None and said.next.who == "dan"


def test_one_person_alone_has_no_next() -> None:
    said = on_call(roster(people=("ana",)), at("2026-02-01T00:00Z"))
    assert said.now is not None and said.now.who == "ana" and said.next is None


@given(
    st.sampled_from(["Europe/Madrid", "America/New_York", "Pacific/Apia", "Asia/Kathmandu", "Australia/Lord_Howe"]),
    st.integers(0, 5 * 366 * 24),
    st.lists(st.tuples(st.integers(0, 50), st.integers(1, 40), st.sampled_from(["ana", "bob", "eva"])), max_size=4),
)
def test_there_is_always_exactly_one(zone: str, hours: int, changes: list[tuple[int, int, str]]) -> None:
    """Shifts follow each other without a hole or an overlap, whatever the overrides."""
    since = at("2026-01-07T00:00Z") + timedelta(hours=hours)
    overrides = [
        Override(
            who=who,
            since=(since + timedelta(hours=6 * start)).isoformat(),
            until=(since + timedelta(hours=6 * (start + length))).isoformat(),
        )
        for start, length, who in changes
    ]
    until = since + timedelta(days=21)
    found = list(shifts(roster(zone, *overrides), since, until))
    assert found[0].since <= since and found[-1].until >= until
    assert all(one.until == other.since for one, other in pairwise(found))
    assert all(one.since < one.until for one in found)


def test_texts() -> None:
    assert handover("Mon 9:00") is None, "ISO wants two digits"
    assert handover("Mon 09:00") == handover("monday 09:00") is not None
    assert handover("t 09:00") is None and handover("noday 09:00") is None
    assert local("2026-07-01 09:00", "Europe/Madrid") == at("2026-07-01T07:00Z")
    assert local("2026-07-01T09:00+02:00", "UTC") == at("2026-07-01T07:00Z")
    assert local("soon", "UTC") is None
