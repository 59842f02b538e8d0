"""Silence as data: what is overdue becomes an entry, with a key that never comes twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incident_tui.incident.entry import Author, Entry, Kind, Ref
from incident_tui.incident.settings import Command
from incident_tui.incident.state import Fold
from incident_tui.watch.reminders import Clocks, Turns, due

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CLOCKS = Clocks(author=Author("watch"), silence=timedelta(days=9))


class Story:
    """An incident declared at noon; times are minutes after it."""

    def __init__(self) -> None:
        self.fold = Fold()
        self.seq = 0
        self.say(Kind.DECLARE, 0, title="gv0", severity=1)

    def say(self, kind: Kind, minute: float, *, by: str = "ana", ref: Ref | None = None, **data: Any) -> Ref:
        self.seq += 1
        at = NOON + timedelta(minutes=minute)
        text = data.pop("text", "")
        self.fold.apply(Entry("a", self.seq, kind, at, at, Author(by), text=text, incident="INC-1", data=data, ref=ref))
        return Ref("a", self.seq)

    def due(self, minute: float, unseen: dict[str, datetime] | None = None, **command: Any) -> list[tuple[str, float]]:
        """What is said at that minute, and from which minute it counts. What is not asked about is switched off."""
        off = {"first_update_minutes": 0, "ack_minutes": 0, "fatigue_hours": 0, "host_silent_minutes": 0}
        clocks = Clocks(author=CLOCKS.author, silence=CLOCKS.silence, command=Command(**{**off, **command}))
        found = due(self.fold.incident("INC-1"), NOON + timedelta(minutes=minute), clocks, unseen or {})
        self.keys = [one.key for one in found]
        return [(one.draft.text, (one.draft.at - NOON).total_seconds() / 60) for one in found]


@pytest.fixture
def story() -> Story:
    return Story()


def test_nobody_writes_for_long(story: Story) -> None:
    clocks = Clocks(author=CLOCKS.author, silence=timedelta(minutes=15))
    incident = story.fold.incident("INC-1")
    assert [one.draft.text for one in due(incident, NOON + timedelta(minutes=15), clocks)][:1] == [
        "no entry for 15 min"
    ]
    story.say(Kind.NOTE, 14)
    early = due(story.fold.incident("INC-1"), NOON + timedelta(minutes=15), clocks)
    assert all("no entry" not in one.draft.text for one in early)


def test_a_first_public_update_is_due_after_the_declare(story: Story) -> None:
    assert story.due(5, first_update_minutes=5) == []
    assert story.due(5.1, first_update_minutes=5) == [("no public update within 5 min of the declare", 5)]
    story.say(Kind.UPDATE, 5.2, step="posted", audience="internal")
    assert story.due(6, first_update_minutes=5)
    story.say(Kind.UPDATE, 5.3, step="elsewhere", audience="public", where="status page")
    assert story.due(6, first_update_minutes=5) == [], "given by hand elsewhere counts"


def test_an_incident_that_the_public_does_not_feel_needs_no_public_update(story: Story) -> None:
    story.say(Kind.SEVERITY, 1, level=3, text="only the intranet")
    assert story.due(9, first_update_minutes=5) == []


def test_a_promise_to_each_audience_is_kept_or_missed(story: Story) -> None:
    for audience, minute in (("public", 20), ("exec", 30)):
        promised = (NOON + timedelta(minutes=minute)).isoformat()
        story.say(Kind.UPDATE, 1, step="promised", audience=audience, next=promised)
    assert story.due(25) == [("public update promised for 12:20Z was not given", 20)]
    story.say(Kind.UPDATE, 26, step="posted", audience="public")
    assert story.due(31) == [("exec update promised for 12:30Z was not given", 30)]


def test_a_task_that_nobody_acknowledged_is_said_once_for_each_who_had_it(story: Story) -> None:
    task = story.say(Kind.TASK, 1, text="compare copies", step="assigned", who="bob", minutes=10)
    assert story.due(4, ack_minutes=3) == []
    assert story.due(4.1, ack_minutes=3) == [("bob has not acknowledged: compare copies", 4)]
    first = story.keys
    story.say(Kind.TASK, 5, step="passed", who="dan", minutes=10, ref=task)
    assert story.due(9, ack_minutes=3) == [("dan has not acknowledged: compare copies", 8)]
    assert story.keys != first
    story.say(Kind.TASK, 9, step="acked", who="dan", ref=task)
    assert story.due(14, ack_minutes=3) == []
    assert story.due(15.1, ack_minutes=3) == [("time box of 10 min is over", 15)]


def test_a_company_that_is_late_is_escalated_and_a_new_promise_starts_anew(story: Story) -> None:
    called = story.say(Kind.ENGAGEMENT, 1, vendor="hosting company", ticket="48213", minutes=30)
    assert story.due(31) == []
    assert story.due(31.1) == [("not back by 12:31Z, ticket 48213: escalate", 31)]
    story.say(Kind.ENGAGEMENT, 31, vendor="hosting company", step="overdue", ref=called)
    assert story.due(40) == []
    story.say(Kind.ENGAGEMENT, 41, vendor="hosting company", step="answered", minutes=10, ref=called)
    assert story.due(52) == [("not back by 12:51Z, ticket 48213: escalate", 51)]
    story.say(Kind.ENGAGEMENT, 53, vendor="hosting company", step="ended", ref=called)
    assert story.due(99) == []


def test_who_holds_a_role_for_hours_is_asked_to_hand_over(story: Story) -> None:
    story.say(Kind.ROLE, 60, role="scribe", step="take", who="bob")
    assert story.due(239, fatigue_hours=4) == []
    assert story.due(241, fatigue_hours=4) == [("ana has been commander for 4 h: hand over?", 240)]
    assert story.due(301, fatigue_hours=4)[1] == ("bob has been scribe for 4 h: hand over?", 300)
    assert story.due(481, fatigue_hours=4)[0] == ("ana has been commander for 8 h: hand over?", 480)
    story.say(Kind.ROLE, 482, role="commander", step="take", who="dan", by="dan")
    assert all("ana" not in text for text, _ in story.due(483, fatigue_hours=4))


def test_a_host_that_is_not_seen_is_a_gap_once(story: Story) -> None:
    unseen = {"web3": NOON + timedelta(minutes=2)}
    assert story.due(11, unseen, host_silent_minutes=10) == []
    assert story.due(13, unseen, host_silent_minutes=10) == [("web3 has not been seen for 10 min", 12)]
    first = story.keys
    assert story.due(30, unseen, host_silent_minutes=10) and story.keys == first, "the same silence has the same key"
    long_ago = {"web3": NOON - timedelta(minutes=60)}
    assert story.due(11, long_ago, host_silent_minutes=10) == [("web3 has not been seen for 70 min", 10)]


def test_after_the_stand_down_nothing_is_due(story: Story) -> None:
    story.say(Kind.TASK, 1, step="assigned", who="bob", minutes=1)
    story.say(Kind.STATUS, 2, status="stood down")
    assert story.due(9999, {"web3": NOON}, first_update_minutes=5, ack_minutes=3, fatigue_hours=1) == []


def test_of_several_bastions_the_one_that_declared_says_it_and_another_what_is_not_there_later(story: Story) -> None:
    clocks = Clocks(author=CLOCKS.author, silence=timedelta(minutes=15))

    def said(journal: str, minute: float) -> list[str]:
        now = NOON + timedelta(minutes=minute)
        incident = story.fold.incident("INC-1")
        return [one.draft.text for one in Turns(journal).take(due(incident, now, clocks), incident, now)]

    assert "no entry for 15 min" in said("a", 15) and "no entry for 15 min" not in said("b", 15)
    assert "no entry for 15 min" in said("b", 18), "the bastion that declared may be lost"
    at = NOON + timedelta(minutes=15)
    data = {"what": "silence", "since": NOON.isoformat()}
    story.fold.apply(Entry("a", 9, Kind.GAP, at, at, CLOCKS.author, "no entry for 15 min", "INC-1", data=data))
    assert "no entry for 15 min" not in said("b", 18), "it came from there"
    assert "no entry for 15 min" not in said("a", 18), "it is here, be it without its key: the journal was recovered"


def test_each_is_written_once(story: Story) -> None:
    turns, clocks = Turns("a"), Clocks(author=CLOCKS.author, silence=timedelta(minutes=15))
    for minute, count in ((15, 1), (16, 0), (99, 0)):
        now, incident = NOON + timedelta(minutes=minute), story.fold.incident("INC-1")
        found = turns.take(due(incident, now, clocks), incident, now)
        assert sum(one.draft.text == "no entry for 15 min" for one in found) == count
