"""The fold: the same entries give the same incident in any order; nothing is lost, nothing invented."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_tui.incident.entry import Author, Entry, Kind, Ref
from incident_tui.incident.state import Fold
from incident_tui.incident.sweep import sweep
from incident_tui.incident.views import Incident


def folded(entries: Iterable[Entry], incident: str = "I") -> Incident:
    fold = Fold()
    for entry in entries:
        fold.apply(entry)
    return fold.incident(incident)


def minutes(count: float, start: datetime) -> datetime:
    return start + timedelta(minutes=count)


def declared(make: Any, at: float = 0, **data: Any) -> Entry:
    entry: Entry = make(Kind.DECLARE, at, "gv0 split", title="gv0 split", **({"severity": 2} | data))
    return entry


def test_the_declarer_commands_until_command_is_taken(make: Any, start: datetime) -> None:
    entries = [
        declared(make),
        make(Kind.ROLE, 5, role="commander", step="offer", who="bob"),
        make(Kind.ROLE, 6, by="bob", role="commander", step="take", who="bob"),
    ]
    assert folded(entries[:1]).commander == "ana"
    offered = folded(entries[:2])
    assert offered.commander == "ana" and offered.offered is not None and offered.offered.who == "bob"
    taken = folded(entries)
    assert (taken.commander, taken.commander_since, taken.offered) == ("bob", minutes(6, start), None)
    assert [(span.who, span.how, span.until) for span in taken.commands] == [
        ("ana", "declared", minutes(6, start)),
        ("bob", "taken", None),
    ]


def test_a_take_that_was_never_offered_is_a_claim(make: Any) -> None:
    entries = [
        declared(make),
        make(Kind.ROLE, 1, role="commander", step="offer", who="bob"),
        make(Kind.ROLE, 2, by="dan", role="commander", step="take", who="dan"),
    ]
    incident = folded(entries)
    assert incident.commander == "dan" and incident.commands[-1].how == "claimed" and incident.offered is None
    assert incident.rows[-1].claimed


def test_loose_entries_belong_from_an_hour_before_the_declare_to_the_close(make: Any) -> None:
    loose = {at: make(Kind.OBSERVATION, at, f"at {at}", incident="") for at in (-61, -59, 5, 29, 31)}
    entries = [*loose.values(), declared(make), make(Kind.MILESTONE, 30, name="closed")]
    assert [row.text for row in folded(entries).rows if not row.entry.incident] == ["at -59", "at 5", "at 29"]
    reopened = folded([*entries, make(Kind.ACTION, 30.5, "again")])
    assert [row.text for row in reopened.rows if not row.entry.incident][-1] == "at 31"


def test_a_line_typed_shortly_before_the_declare_belongs_however_far_back_it_is_dated(make: Any) -> None:
    typed_then = make(Kind.NOTE, -90, "saw the alarm", incident="", recorded=-5)
    typed_long_before = make(Kind.NOTE, -90, "another day", incident="", recorded=-80)
    texts = [row.text for row in folded([typed_then, typed_long_before, declared(make)]).rows]
    assert "saw the alarm" in texts and "another day" not in texts


def test_work_after_the_close_reopens_and_paperwork_does_not(make: Any, start: datetime) -> None:
    entries = [declared(make), make(Kind.MILESTONE, 30, name="closed")]
    assert folded(entries).closed_at == minutes(30, start)
    paper = [make(Kind.LESSON, 40, "x", sort="well"), make(Kind.NOTE, 41, "x"), make(Kind.FOLLOWUP, 42, "x")]
    assert not folded([*entries, *paper]).open
    again = folded([*entries, *paper, make(Kind.STATUS, 50, status="investigating")])
    assert again.open and again.reopened == (minutes(50, start),) and "closed" not in again.milestones


def test_milestones_the_last_said_wins_and_none_is_invented(make: Any, start: datetime) -> None:
    entries = [
        declared(make),
        make(Kind.MILESTONE, -5, recorded=1, name="detected"),
        make(Kind.MILESTONE, -12, recorded=2, name="detected"),
        make(Kind.MILESTONE, 3, name="started", unknown=True),
        make(Kind.STATUS, 20, status="resolved"),
    ]
    found = folded(entries).milestones
    assert list(found) == ["started", "detected", "declared", "resolved"]
    assert found["detected"].at == minutes(-12, start) and found["detected"].changes == 1
    assert found["started"].unknown and found["resolved"].implied and found["declared"].implied


def test_a_severity_keeps_its_peak_and_its_stretches(make: Any, start: datetime) -> None:
    incident = folded([declared(make), make(Kind.SEVERITY, 5, "why", level=1), make(Kind.SEVERITY, 9, "ok", level=3)])
    assert (incident.severity, incident.peak_severity, incident.peak_since) == (3, 1, minutes(5, start))
    assert [span.until for span in incident.severities] == [minutes(5, start), minutes(9, start), None]


def test_a_task_is_assigned_acknowledged_by_voice_overdue_and_done(make: Any, start: datetime) -> None:
    task = make(Kind.TASK, 1, "look", step="assigned", who="bob", minutes=5)
    entries = [declared(make), task, make(Kind.TASK, 2, ref=task, step="acked", who="bob", voice=True)]
    (acked,) = folded(entries).tasks
    assert acked.acked_voice and acked.state(minutes(3, start)) == "acked"
    assert acked.state(minutes(6.1, start)) == "overdue" and acked.due == minutes(6, start)
    (done,) = folded([*entries, make(Kind.TASK, 9, "found", ref=task, step="done", who="bob")]).tasks
    assert (done.state(minutes(20, start)), done.done_text) == ("done", "found")


def test_promises_are_kept_late_moved_or_missed(make: Any, start: datetime) -> None:
    def promise(at: float, due: float, audience: str = "public") -> Entry:
        entry: Entry = make(Kind.UPDATE, at, step="promised", audience=audience, next=minutes(due, start).isoformat())
        return entry

    def post(at: float, audience: str = "public") -> Entry:
        entry: Entry = make(Kind.UPDATE, at, "news", step="posted", audience=audience)
        return entry

    entries = [declared(make), promise(0, 20), post(19), promise(19, 30), post(31), promise(31, 40), promise(35, 60)]
    incident = folded([*entries, promise(36, 50, "exec")])
    states = [one.state(minutes(55, start)) for one in incident.promises]
    assert states == ["kept", "late", "moved", "open", "missed"]
    assert incident.next_update == {"public": minutes(60, start), "exec": minutes(50, start)}
    assert folded([*entries, post(59)]).next_update == {}


def test_a_hypothesis_a_follow_up_and_a_hold_end(make: Any, start: datetime) -> None:
    guess, todo = make(Kind.HYPOTHESIS, 1, "net", state="raised"), make(Kind.FOLLOWUP, 2, "disk", owner="ana")
    hold = make(Kind.HOLD, 3, target="web3", step="hold", minutes=10)
    entries = [declared(make), guess, todo, hold]
    incident = folded(entries)
    assert incident.holds[0].active(minutes(12, start)) and not incident.holds[0].active(minutes(13, start))
    ended = folded(
        [
            *entries,
            make(Kind.HYPOTHESIS, 4, "no", ref=guess, state="eliminated"),
            make(Kind.FOLLOWUP, 5, ref=todo, step="done"),
            make(Kind.HOLD, 6, target="WEB3", step="release"),
        ]
    )
    assert (ended.hypotheses[0].state, ended.hypotheses[0].why) == ("eliminated", "no")
    assert ended.follow_ups[0].done_at == minutes(5, start)
    assert ended.holds[0].released_at == minutes(6, start) and not ended.holds[0].active(minutes(7, start))


def test_an_amendment_changes_text_and_place_and_keeps_the_first_version(make: Any, start: datetime) -> None:
    first, second = make(Kind.NOTE, 1, "frist"), make(Kind.NOTE, 2, "second")
    moved = make(Kind.AMEND, 5, ref=first, text="x")
    moved = msgspec.structs.replace(moved, data={"text": "first", "at": minutes(3, start).isoformat()}, text="")
    incident = folded([declared(make), first, second, moved])
    assert [row.text for row in incident.rows[1:]] == ["second", "first"]
    row = incident.rows[-1]
    assert row.entry.text == "frist" and row.at == minutes(3, start)
    assert [(one.text, one.moved_to) for one in row.amended] == [("first", minutes(3, start))]
    undone = folded([declared(make), first, second, moved, make(Kind.STRIKE, 6, ref=moved, step="strike")])
    assert [row.text for row in undone.rows[1:]] == ["frist", "second"] and not undone.rows[1].amended


def test_a_struck_entry_stays_visible_and_counts_for_nothing(make: Any) -> None:
    entries = [declared(make), make(Kind.SEVERITY, 5, level=1)]
    struck = [*entries, make(Kind.STRIKE, 6, ref=entries[1], step="strike")]
    incident = folded(struck)
    assert incident.severity == 2 and incident.rows[1].struck and incident.corrections == 1
    assert folded([*struck, make(Kind.STRIKE, 7, ref=entries[1], step="restore")]).severity == 1


def test_pins_purges_and_entries_about_unknown_ones(make: Any) -> None:
    note = make(Kind.NOTE, 1, "hunter2")
    pin, purge = make(Kind.PIN, 2, ref=note, step="pin"), make(Kind.PURGE, 3, "password", ref=note, kind="note")
    lost = make(Kind.AMEND, 4, ref=Ref("other", 9), text="about what")
    first = declared(make)
    incident = folded([first, note, pin, purge, lost])
    assert [row.word for row in incident.rows] == ["DECLARED", "NOTE", "PURGE", "AMEND"]
    assert [row.text for row in incident.pins] == ["[purged]"]
    assert incident.rows[-1].unmatched
    assert b"hunter2" not in msgspec.json.encode(incident.rows[1])
    emptied = msgspec.structs.replace(note, text="", data={}, purged=True)
    assert folded([first, emptied, pin, purge, lost]).rows == incident.rows


def test_marks_for_late_skewed_and_unproven(make: Any) -> None:
    late = make(Kind.NOTE, 0, "x", recorded=11)
    early = make(Kind.NOTE, 2, "y", recorded=1)
    incident = folded([declared(make, -1), late, early])
    assert incident.rows[1].late == timedelta(minutes=11) and incident.rows[2].late is None
    assert incident.rows[2].skew == timedelta(minutes=1) and incident.rows[1].claimed
    proven = msgspec.structs.replace(late, author=Author("ana", proven=True))
    assert not folded([proven]).rows[0].claimed


def test_standing_down_and_closing_list_what_is_open(make: Any, start: datetime) -> None:
    incident = folded(
        [
            declared(make),
            make(Kind.TASK, 1, "look", step="assigned", who="bob", minutes=5),
            make(Kind.FOLLOWUP, 2, "disk"),
            make(Kind.STATUS, 9, status="stood down"),
        ]
    )
    assert incident.stood_down_at == minutes(9, start) and incident.open
    listed = "\n".join(one.sentence for one in sweep(incident, minutes(9, start)))
    assert "bob" in listed and "disk" in listed and "detected" in listed


def test_an_incident_whose_declare_is_not_here_shows_what_is(make: Any) -> None:
    incident = folded([make(Kind.STATUS, 1, status="mitigating")])
    assert (incident.declared_at, incident.status, incident.commander) == (None, "mitigating", "")
    assert folded([]) == Incident(id="I")


def test_late_arrivals_read_one_by_one_give_what_reading_once_gives(make: Any) -> None:
    entries = [
        make(Kind.NOTE, 2, "loose", incident=""),
        make(Kind.NOTE, -30, "before", incident=""),
        declared(make),
        make(Kind.ROLE, 1, by="bob", role="commander", step="claim", who="bob"),
        make(Kind.MILESTONE, 3, name="closed"),
    ]
    entries.append(make(Kind.STRIKE, 4, ref=entries[4], step="strike"))
    for order in itertools.permutations(entries):
        fold = Fold()
        for entry in order:
            fold.apply(entry)
            fold.incident("I")
        assert fold.incident("I") == folded(entries)


def test_the_newest_open_incident(make: Any) -> None:
    fold = Fold()
    for entry in (
        make(Kind.DECLARE, 0, "old", incident="A", title="old"),
        make(Kind.DECLARE, 9, "new", incident="B", title="new"),
    ):
        fold.apply(entry)
    assert [one.id for one in fold.incidents()] == ["B", "A"]
    fold.apply(make(Kind.MILESTONE, 10, incident="B", name="closed"))
    newest = fold.newest_open()
    assert newest is not None and newest.id == "A"


_DATA: dict[Kind, list[dict[str, Any]]] = {
    Kind.NOTE: [{}],
    Kind.ACTION: [{}],
    Kind.DECLARE: [{"title": "t", "severity": 2}, {"title": "u", "attach_minutes": 1}],
    Kind.SEVERITY: [{"level": 1}, {"level": 3}, {"level": "x"}],
    Kind.STATUS: [{"status": "resolved"}, {"status": "mitigating"}, {"status": "stood down"}],
    Kind.MILESTONE: [{"name": "closed"}, {"name": "detected"}, {"name": "started", "unknown": True}],
    Kind.ROLE: [{"role": "commander", "step": step, "who": who} for step in ("offer", "take", "claim") for who in "ab"]
    + [{"role": "scribe", "step": "take", "who": "a"}, {"role": "scribe", "step": "release", "who": "a"}],
    Kind.TASK: [{"step": "assigned", "who": "a", "minutes": 2}, {"step": "acked", "who": "a"}, {"step": "done"}],
    Kind.UPDATE: [
        {"step": "promised", "audience": "public", "next": "2026-11-23T14:05:00+00:00"},
        {"step": "posted", "audience": "public"},
        {"step": "posted", "audience": "exec", "next": "nonsense"},
    ],
    Kind.HYPOTHESIS: [{"state": "raised"}, {"state": "confirmed"}],
    Kind.FOLLOWUP: [{}, {"step": "done"}],
    Kind.HOLD: [{"target": "w", "step": "hold", "minutes": 3}, {"target": "w", "step": "release"}],
    Kind.PLAYBOOK: [{"name": "p", "run": "r", "step": step, "number": 1} for step in ("started", "done", "finished")],
    Kind.PRESENCE: [{"step": "joined"}, {"step": "left"}],
    Kind.OBSERVATION: [{"finding": "gluster.brick-down", "level": "crit"}],
    Kind.AMEND: [{"text": "z"}, {"at": "2026-11-23T14:03:00+00:00"}],
    Kind.STRIKE: [{"step": "strike"}, {"step": "restore"}],
    Kind.PIN: [{"step": "pin"}, {"step": "unpin"}],
    Kind.PURGE: [{"kind": "note"}],
}


@st.composite
def histories(draw: st.DrawFn) -> list[Entry]:
    start = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
    count = draw(st.integers(1, 14))
    entries = []
    for seq in range(1, count + 1):
        kind = draw(st.sampled_from(sorted(_DATA)))
        entries.append(
            Entry(
                journal=draw(st.sampled_from("jk")),
                seq=seq,
                kind=kind,
                at=start + timedelta(minutes=draw(st.integers(-3, 9))),
                recorded_at=start + timedelta(minutes=draw(st.integers(0, 9))),
                author=Author(draw(st.sampled_from("ab"))),
                text=draw(st.sampled_from(["", "x"])),
                incident=draw(st.sampled_from(["I", "I", ""])),
                data=draw(st.sampled_from(_DATA[kind])),
                ref=draw(st.none() | st.builds(Ref, st.sampled_from("jk"), st.integers(1, count + 1))),
            )
        )
    return entries


@settings(max_examples=300)
@given(histories(), st.randoms(use_true_random=False), st.data())
def test_any_order_of_arrival_gives_the_same_incident(entries: list[Entry], random: Any, data: st.DataObject) -> None:
    whole = folded(entries)
    shuffled = list(entries)
    random.shuffle(shuffled)
    fold = Fold()
    for entry in shuffled:
        fold.apply(entry)
        if data.draw(st.booleans()):
            fold.incident("I")  # what was read on the way must not show
        if data.draw(st.booleans()):
            fold.apply(entry)
    assert fold.incident("I") == whole
    assert [row.ref for row in whole.rows] == [
        row.ref for row in sorted(whole.rows, key=lambda row: (row.at, row.entry.recorded_at, row.ref))
    ]
    commanders = [span for span in whole.commands if span.until is None]
    assert len(commanders) <= 1 and bool(whole.commander) == bool(commanders)


@settings(max_examples=200)
@given(histories())
def test_every_entry_of_the_incident_is_shown_or_is_a_mark(entries: list[Entry]) -> None:
    incident = folded(entries)
    shown = {row.ref for row in incident.rows}
    here = {entry.id for entry in entries}
    for entry in entries:
        if entry.incident != "I":
            continue
        marks = entry.kind in (Kind.AMEND, Kind.STRIKE, Kind.PIN) and entry.ref in here
        assert (entry.id in shown) != marks


def test_striking_an_amendment_shows_at_once_in_its_row_and_in_those_that_quote_it(make: Any) -> None:
    task = make(Kind.TASK, 1, "lok", step="assigned", who="bob", minutes=5)
    ack = make(Kind.TASK, 2, ref=task, step="acked", who="bob")
    amend = msgspec.structs.replace(make(Kind.AMEND, 3, ref=task), data={"text": "look"})
    fold = Fold()
    for entry in (declared(make), task, ack, amend):
        fold.apply(entry)
    assert [row.text for row in fold.incident("I").rows[1:]] == ["bob 5m: look", "bob acked: look"]
    fold.apply(make(Kind.STRIKE, 4, ref=amend, step="strike"))
    assert [row.text for row in fold.incident("I").rows[1:]] == ["bob 5m: lok", "bob acked: lok"]
    assert fold.incident("I").tasks[0].text == "lok"
