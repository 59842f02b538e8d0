"""The clocks of an incident on the screen: a commander who is gone, the age, the first update, who is late or tired."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from incident_tui.incident.entry import Author, Kind
from incident_tui.incident.settings import Command
from incident_tui.journal.presence import Present
from incident_tui.ui.linear.spoken import Announcer
from incident_tui.ui.lines import plain
from incident_tui.ui.present import header, notices
from incident_tui.ui.view import View

QUIET = Command(first_update_minutes=0, callout_minutes=0, fatigue_hours=0)


@pytest.fixture
def seen(kit: Any) -> Any:
    """(drafts besides the declare, who looks, who is there, the clocks) -> the header and the line of running things at
    120 columns, 41 minutes after the declare by ana."""

    def look(*more: Any, me: str = "bob", people: tuple[Present, ...] = (), command: Command = QUIET) -> str:
        view: View = kit.view(kit.healthy(), [kit.story()[0], *more], people=people or (Present(me, True, 9.0),))
        view = msgspec.structs.replace(view, me=Author(me, proven=True), command=command)
        return plain(header(view, 120)) + "\n" + plain([notices(view, 120)])

    return look


def draft(kit: Any, kind: Kind, minutes_ago: float, **data: Any) -> Any:
    first = kit.story()[0]
    at = kit.now - timedelta(minutes=minutes_ago)
    return msgspec.structs.replace(first, kind=kind, text="", at=at, data=data)


def test_a_commander_whose_screen_is_gone_is_said_and_the_deputy_is_offered_the_take(kit: Any, seen: Any) -> None:
    deputy = draft(kit, Kind.ROLE, 30, role="deputy", step="take", who="bob")
    people = (Present("bob", True, 900.0), Present("ana", False, 240.0))
    said = seen(deputy, people=people)
    assert "IC ana GONE 4m" in said and "ana is gone 4m: /ic take" in said
    said = seen(deputy, me="dan", people=people)
    assert "bob, the deputy, takes command with /ic take" in said
    assert "ana is gone 4m: /ic take" in seen(people=people), "without a deputy whoever looks"


@pytest.mark.parametrize(
    "people",
    [
        (Present("bob", True, 900.0), Present("ana", False, 30.0)),
        (Present("bob", True, 900.0), Present("ana", False, 240.0), Present("ana", True, 5.0)),
        (Present("bob", True, 900.0),),
    ],
    ids=["a reconnect", "another screen of hers", "she never had one"],
)
def test_a_commander_who_may_be_there_is_not_called_gone(seen: Any, people: tuple[Present, ...]) -> None:
    assert "GONE" not in seen(people=people)


def test_she_is_not_told_that_she_is_gone_herself(seen: Any) -> None:
    assert "GONE" not in seen(me="ana", people=(Present("ana", False, 240.0),))


def test_the_age_is_called_out_for_a_minute(kit: Any, seen: Any) -> None:
    assert "call out: 40 min" not in seen(command=msgspec.structs.replace(QUIET, callout_minutes=10)), "41 min by now"
    assert "call out: 41 min" in seen(command=msgspec.structs.replace(QUIET, callout_minutes=41))


def test_the_first_public_update_has_a_clock_until_one_was_given_or_promised(kit: Any, seen: Any) -> None:
    clocks = Command(first_update_minutes=45, callout_minutes=0, fatigue_hours=0)
    assert "update due in 04:00 (first public)" in seen(command=clocks)
    given = draft(kit, Kind.UPDATE, 5, step="elsewhere", audience="public", where="status page")
    assert "first public" not in seen(given, command=clocks)
    assert "first public" not in seen(draft(kit, Kind.SEVERITY, 5, level=3), command=clocks)


def test_a_company_that_promised_to_be_back_has_a_clock(kit: Any, seen: Any) -> None:
    called = draft(kit, Kind.ENGAGEMENT, 20, vendor="hosting company", minutes=30)
    assert "hosting company back 10:00 left" in seen(called)
    late = draft(kit, Kind.ENGAGEMENT, 20, vendor="hosting company", minutes=10)
    assert "hosting company back 10:00 LATE" in seen(late)


def test_who_is_tired_is_said(kit: Any, seen: Any) -> None:
    assert "hand over?" not in seen(command=Command(fatigue_hours=1))
    first = draft(kit, Kind.ROLE, 41, role="scribe", step="take", who="dan")
    old = msgspec.structs.replace(first, at=kit.now - timedelta(hours=5))
    assert "dan scribe 5h" in seen(old, command=Command(fatigue_hours=4, callout_minutes=0))


def test_in_lines_what_the_clocks_say_is_told_once(kit: Any) -> None:
    def view(minutes: float, *people: Present) -> View:
        drafts = [kit.story()[0], draft(kit, Kind.ENGAGEMENT, 20, vendor="hosting company", minutes=30)]
        made: View = kit.view(kit.healthy(), drafts, people=(Present("bob", True, 900.0), *people))
        now = kit.now + timedelta(minutes=minutes)
        return msgspec.structs.replace(
            made, now=now, me=Author("bob"), command=Command(first_update_minutes=45, fatigue_hours=1)
        )

    gone = Present("ana", False, 240.0)
    announcer = Announcer()
    assert announcer.states(view(0, Present("ana", True, 9.0))) == []
    told = "\n".join(announcer.states(view(3, gone)))
    assert "the commander, ana, is gone: /ic take" in told and "update due in 2 min (first public)" in told
    assert announcer.states(view(3.1, gone)) == [], "told once"
    told = "\n".join(announcer.states(view(9.5, gone)))
    assert "call out: 50 min" in told and "OVERDUE (first public)" in told
    told = "\n".join(announcer.states(view(20, gone)))
    assert "hosting company is not back as promised: escalate" in told and "ana has been IC for long" in told
