"""Whom to call, on the screen: who is on call now and next, who after them, and what time it is for each."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from incident_tui.incident.roster import on_call_now
from incident_tui.incident.settings import Override, Person, Roster
from incident_tui.ui.lines import Look, plain
from incident_tui.ui.oncall_page import oncall_lines
from incident_tui.ui.state_page import state_lines

PEOPLE = (
    Person(name="ana", full_name="Ana Ruiz", organisation="own team", role="operations", time_zone="Europe/Madrid"),
    Person(name="bob", organisation="consultants", contact="+254 700", time_zone="Africa/Nairobi"),
)
ROSTER = Roster(name="ops", first="2026-01-05", people=("ana", "bob"), escalation=("bob", "dan"))
AT = datetime(2026, 11, 17, 3, 10, tzinfo=UTC)


def shown(roster: Roster = ROSTER, width: int = 80) -> list[str]:
    return plain(oncall_lines([roster], PEOPLE, AT, width, Look())).split("\n")


def test_who_now_who_next_and_whom_after_them_with_the_time_it_is_there() -> None:
    lines = [line.strip() for line in shown()]
    assert lines[0] == "on call: ops"
    assert lines[1:5] == [
        "now         bob +254 700, 06:10 Tue there, until 2026-11-23 09:00Z",
        "next        ana (no contact said), 04:10 Tue there, from 2026-11-23 09:00Z",
        "then 1      dan",
        "",
    ]
    assert "ana         no contact said, 04:10 Tue there (Ana Ruiz, operations)" in lines
    assert lines.index("own team") < lines.index("consultants")


def test_an_override_says_whom_it_relieves_and_a_rotation_to_come_has_nobody() -> None:
    swapped = Override(who="ana", since="2026-11-17 00:00", until="2026-11-18 00:00", why="swapped")
    said = "\n".join(shown(msgspec.structs.replace(ROSTER, overrides=(swapped,)), 110))
    assert "ana (no contact said), 04:10 Tue there, until 2026-11-18 00:00Z, instead of bob (swapped)" in said
    assert "nobody: the rotation has not begun" in "\n".join(shown(msgspec.structs.replace(ROSTER, first="2027-01-04")))


def test_without_roster_or_people_it_says_what_to_add() -> None:
    said = plain(oncall_lines((), (), AT, 80, Look()))
    assert "[[rosters]]" in said and "[[people]]" in said


def test_the_state_of_the_incident_names_who_is_on_call_also_before_one_is_open(kit: Any) -> None:
    view = kit.view(kit.healthy(), kit.story())
    on_call = on_call_now([ROSTER], AT)
    with_one = plain(state_lines(view, 80, on_call, PEOPLE))
    without = plain(state_lines(msgspec.structs.replace(view, incident=None), 80, on_call, PEOPLE))
    for said in (with_one, without):
        assert "on call     ops: bob +254 700, 06:10 Tue there; then dan" in said


async def test_it_is_a_verb_away_without_an_incident(world: Any, screen: Any) -> None:
    world.team = msgspec.structs.replace(world.team, rosters=(ROSTER,))
    async with screen() as driver:
        await driver.type("/oncall", "enter")
        assert "on call: ops" in driver.text and "then 1" in driver.text
