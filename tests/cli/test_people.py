"""`contacts` and `oncall`: what people and scripts read of them, without a network and without a journal."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import icalendar
import msgspec
import pytest

Program = Any

CONFIG = """
[[people]]
name = "ana"
full_name = "Ana Ruiz"
organisation = "own team"
time_zone = "Europe/Madrid"
contact = "+34 600"
[[people]]
name = "bob"
organisation = "consultants"
time_zone = "Africa/Nairobi"
[[rosters]]
name = "ops"
time_zone = "Europe/Madrid"
first = "2026-01-05"
people = ["ana", "bob"]
escalation = ["bob"]
[[rosters.overrides]]
who = "bob"
since = "2026-01-07 09:00"
until = "2026-01-08 09:00"
why = "swap"
"""


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "config.toml"
    path.write_text(CONFIG)
    return str(path)


def test_contacts_are_listed_by_organisation(program: Program, config: str) -> None:
    said = program("contacts", "--config", config).stdout.splitlines()
    assert said[0] == "own team" and "+34 600" in said[1] and "Ana Ruiz" in said[1]
    assert said[2] == "consultants" and "no contact said" in said[3]
    rows = msgspec.json.decode(program("contacts", "--config", config, "--json").stdout)
    assert [row["name"] for row in rows] == ["ana", "bob"] and rows[1]["time_zone"] == "Africa/Nairobi"


def test_who_is_on_call_at_a_time(program: Program, config: str) -> None:
    said = program("oncall", "--config", config, "--at", "2026-01-06T12:00Z").stdout
    assert "now   ana +34 600, 13:00 Tue there, until 2026-01-07 08:00Z" in said
    assert "next  bob (no contact said), 15:00 Tue there, from 2026-01-07 08:00Z" in said
    said = program("oncall", "--config", config, "--at", "2026-01-07T10:00+01:00").stdout
    assert "now   bob" in said and "instead of ana (swap)" in said


def test_the_fields_for_scripts(program: Program, config: str) -> None:
    (one,) = msgspec.json.decode(program("oncall", "--config", config, "--at", "2026-01-07 10:00", "--json").stdout)
    assert one["roster"] == "ops" and one["now"]["who"] == "bob" and one["now"]["instead_of"] == "ana"
    assert one["next"]["since"] == "2026-01-08T08:00:00Z" and one["escalation"] == []


def test_nobody_on_call_is_a_problem(program: Program, config: str) -> None:
    done = program("oncall", "--config", config, "--at", "2026-01-01T00:00Z", check=1)
    assert "nobody: the rotation has not begun" in done.stdout


def test_wrong_use_says_what_is_wanted(program: Program, config: str, tmp_path: Path) -> None:
    assert "write a time in UTC" in program("oncall", "--config", config, "--at", "noon", check=2).stderr
    assert "1 to 520" in program("oncall", "--config", config, "--ics", "--weeks", "0", check=2).stderr
    empty = tmp_path / "empty.toml"
    empty.write_text("")
    assert "[[rosters]]" in program("oncall", "--config", str(empty), check=2).stderr
    assert "[[people]]" in program("contacts", "--config", str(empty), check=2).stderr


def test_the_calendar_is_one_that_calendars_read(program: Program, config: str) -> None:
    text = program("oncall", "--config", config, "--ics", "--at", "2026-01-05T08:00Z", "--weeks", "2").stdout
    book = icalendar.Calendar.from_ical(text)
    events = [event for event in book.walk("VEVENT")]
    assert [str(event["summary"]) for event in events] == [
        "on call: Ana Ruiz (ops)",
        "on call: bob (ops)",
        "on call: Ana Ruiz (ops)",
        "on call: bob (ops)",
    ]
    assert str(events[1]["description"]) == "instead of ana, swap"
    assert len({str(event["uid"]) for event in events}) == 4
    assert all(one.decoded("dtend") == other.decoded("dtstart") for one, other in pairwise(events))
