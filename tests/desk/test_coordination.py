"""Roles of the team's own, reports, exit criteria, tasks passed on, follow-ups' fields, outside companies, handoffs and
links between incidents: from the line that is typed to the state it comes to."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from incident_tui.desk import outcome as o
from incident_tui.incident.entry import Kind
from incident_tui.incident.sweep import sweep


@pytest.fixture
def open_bench(bench: Any) -> Any:
    bench.saved("/declare /sev 1 gv0 split-brain")
    return bench


def handle(bench: Any, line: str, by: str = "ana") -> str:
    (entry,) = bench.saved(line, by)
    return str(bench.desk.handles.handle(entry))


def test_a_task_is_passed_on_and_has_to_be_acknowledged_again(open_bench: Any) -> None:
    task = handle(open_bench, "/assign bob 5m compare copies")
    open_bench.saved("/ack", by="bob")
    open_bench.clock.forward(minutes=4)
    open_bench.saved(f"/pass {task} bea 10m bob sleeps")
    (one,) = open_bench.incident.tasks
    assert (one.who, one.before, one.acked_at, one.minutes) == ("bea", ("bob",), None, 10)
    assert one.due == open_bench.clock.now + timedelta(minutes=10), "the time box runs anew"
    assert "bea's already" in open_bench.refused(f"/pass {task} bea")
    assert "No task of bob" in open_bench.refused("/ack", by="bob")
    open_bench.saved("/ack", by="bea")
    assert open_bench.incident.tasks[0].state(open_bench.clock.now) == "acked"
    open_bench.saved(f"/done {task}", by="bea")
    assert "was done at" in open_bench.refused(f"/pass {task} ana")


def test_a_follow_up_has_owner_due_date_and_kind_and_each_can_change(open_bench: Any) -> None:
    item = handle(open_bench, "todo: put web3 on feed A @bob p1 due:+7d #prevent")
    (one,) = open_bench.incident.follow_ups
    assert (one.text, one.owner, one.priority, one.sort) == ("put web3 on feed A", "bob", "p1", "prevent")
    assert one.due == date(2026, 11, 30)
    open_bench.saved(f"/todo {item} @bea due:2026-12-24 #process")
    (one,) = open_bench.incident.follow_ups
    assert (one.owner, one.priority, one.sort, one.due) == ("bea", "p1", "process", date(2026, 12, 24))
    assert "say what changes" in open_bench.refused(f"/todo {item}")
    assert "not a follow-up" in open_bench.refused("/todo m1 p2")


def test_a_due_date_is_known_however_it_is_written(open_bench: Any) -> None:
    for said in ("by 2026-12-10", "due 2026-12-10", "due: 2026-12-10", "by:2026-12-10"):
        dated = handle(open_bench, f"todo: fix the heal daemon {said}")
        found = open_bench.incident.follow_ups[-1]
        assert dated and (found.text, found.due) == ("fix the heal daemon", date(2026, 12, 10))
    open_bench.saved("todo: drive by the data centre, due when asked")
    assert open_bench.incident.follow_ups[-1].due is None


def test_what_only_looks_like_a_field_stays_in_the_text(open_bench: Any) -> None:
    open_bench.saved("todo: read due:soon and #1234 p1 p2 @ana @bob")
    (one,) = open_bench.incident.follow_ups
    assert (one.text, one.owner, one.priority, one.due) == ("read due:soon and #1234 p2 @bob", "ana", "p1", None)


def test_the_last_report_of_each_person_counts(open_bench: Any) -> None:
    open_bench.saved("/can c: gv0 read-only a: comparing n: a second pair of eyes", by="bob")
    open_bench.saved("/can bob conditions: gv0 writable again")
    open_bench.saved("/can n: coffee")
    cans = open_bench.incident.cans
    assert (cans["bob"].conditions, cans["bob"].actions, cans["bob"].by.name) == ("gv0 writable again", "", "ana")
    assert cans["ana"].needs == "coffee"
    assert [row.text for row in open_bench.incident.rows if row.entry.kind is Kind.CAN] == [
        "conditions gv0 read-only; actions comparing; needs a second pair of eyes",
        "bob: conditions gv0 writable again",
        "needs coffee",
    ]
    assert "say c: conditions" in open_bench.refused("/can all is well")


def test_resolved_with_unmet_criteria_is_said_and_never_refused(open_bench: Any) -> None:
    exit_when = handle(open_bench, "/criterion no entry in split-brain on gv0")
    handle(open_bench, "/criterion both sites answer 200")
    outcome = open_bench.say("/status resolved")
    assert outcome.saving is not None and "no entry in split-brain" in outcome.notice
    assert any("exit criterion not met" in one.sentence for one in sweep(open_bench.incident, open_bench.clock.now))
    outcome = open_bench.say(f"/met {exit_when} heal info shows 0")
    assert "both sites answer 200" in outcome.notice
    first = open_bench.incident.criteria[0]
    assert (first.met_by, first.how) == ("ana", "heal info shows 0")
    assert "say why" in open_bench.refused(f"/met {exit_when}")
    outcome = open_bench.say(f"/met {exit_when} two new entries")
    assert "no entry in split-brain" in outcome.notice
    assert open_bench.incident.criteria[0].met_at is None
    assert "not an exit criterion" in open_bench.refused("/met m1")


def test_a_company_is_engaged_answers_and_is_late(open_bench: Any) -> None:
    called = handle(open_bench, "/engage hosting company #48213 30m power at rack 4?")
    (one,) = open_bench.incident.engagements
    assert (one.vendor, one.ticket, one.text) == ("hosting company", "48213", "power at rack 4?")
    assert one.state(open_bench.clock.now) == "waiting"
    open_bench.clock.forward(minutes=31)
    assert one.state(open_bench.clock.now) == "overdue"
    open_bench.saved(f"/answered {called} 1h technician on the way")
    (one,) = open_bench.incident.engagements
    assert (one.state(open_bench.clock.now), one.last, one.answers) == ("waiting", "technician on the way", 1)
    open_bench.saved(f"/answered {called} feed B is back")
    assert open_bench.incident.engagements[0].state(open_bench.clock.now) == "answered"
    open_bench.saved(f"/disengage {called}")
    assert open_bench.incident.engagements[0].state(open_bench.clock.now) == "ended"
    assert "was released at" in open_bench.refused(f"/answered {called} hello?")
    assert "promised no time" in open_bench.say("/engage redhat").notice
    assert open_bench.incident.engagements[1].vendor == "redhat"


def test_a_handoff_is_offered_with_a_briefing_and_accepted_by_name(open_bench: Any) -> None:
    outcome = open_bench.say("/handoff bob")
    assert outcome.effect == o.WriteHandoff(open_bench.incident.id, "bob")
    assert open_bench.incident.commander == "ana" and open_bench.incident.offered.who == "bob"
    assert "is for bob" in open_bench.refused("/handoff accept", by="bea")
    open_bench.saved("/handoff accept", by="bob")
    span = open_bench.incident.commands[-1]
    assert (span.who, span.how, span.offered_by) == ("bob", "taken", "ana")
    (one,) = open_bench.incident.handoffs
    assert one.accepted_by == "bob" and open_bench.incident.offered is None
    assert "is commander already" in open_bench.refused("/handoff bob")
    assert "/ic take" in open_bench.refused("/handoff accept", by="bea")


def test_incidents_are_linked_and_a_duplicate_goes_on_in_the_other(open_bench: Any) -> None:
    first = open_bench.incident.id
    open_bench.saved("/declare the same again", confirmed=True)
    second = open_bench.incident.id
    assert "That is this incident" in open_bench.refused(f"/link {second}")
    assert "no incident" in open_bench.refused("/link zzzz")
    open_bench.saved(f"/link {first[-4:]} same rack")
    assert [(one.other, one.how, one.why) for one in open_bench.incident.links] == [(first, "related", "same rack")]
    open_bench.saved(f"/link {first}")
    assert not open_bench.incident.links, "said again, it takes the link back"
    asked = open_bench.say(f"/merge {first}")
    assert asked.question is not None and "becomes part of" in asked.question.sentence
    open_bench.desk.answer(asked.question.token, "yes")
    assert open_bench.incident.id == first, "work goes on in the other"
    merged = open_bench.desk.fold.incident(second)
    assert not merged.open and merged.links[0].how == "duplicate"


def test_the_next_update_without_a_time_is_the_usual_one(open_bench: Any) -> None:
    for audience, minutes in (("public", 20), ("exec", 30), ("internal", 30)):
        (entry,) = open_bench.saved(f"/next {audience}")
        assert open_bench.incident.next_update[audience] == entry.at + timedelta(minutes=minutes)


def test_roles_are_those_of_the_team(open_bench: Any) -> None:
    open_bench.saved("/role liaison bob")
    assert open_bench.incident.roles["liaison"].who == "bob"
    assert "liaison" in open_bench.refused("/role pilot bob")


def test_a_declare_names_what_has_to_do_with_the_same_machine(open_bench: Any) -> None:
    first = open_bench.incident.id
    open_bench.saved("/hold web3 10m repairing")
    outcome = open_bench.say("/declare sites slow, web3 too", confirmed=True)
    assert f"{first} (" in outcome.notice and "names web3, too: /link or /merge it?" in outcome.notice
    assert "/merge" not in open_bench.say("/declare mail is late", confirmed=True).notice


def test_a_merge_that_is_taken_back_says_that_the_incident_is_closed(open_bench: Any) -> None:
    first = open_bench.incident.id
    open_bench.saved("/declare the same again", confirmed=True)
    second = open_bench.incident.id
    open_bench.saved("502 on two sites")
    open_bench.saved(f"/merge {first}", confirmed=True)
    assert [row.said for row in open_bench.incident.rows if row.origin == second][1:2] == ["502 on two sites"]
    open_bench.say(f"/incident {second}")
    assert "/status investigating opens it again" in open_bench.say(f"/merge {first}").notice
    open_bench.say(f"/incident {first}")
    assert not [row for row in open_bench.incident.rows if row.origin]
