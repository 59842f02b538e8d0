"""The desk: what a line comes to, over an appender in memory and over the real store."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incident_tui.desk import outcome as o
from incident_tui.desk.identity import IdentityError, author
from incident_tui.incident.entry import DATA, Kind
from incident_tui.incident.settings import Person
from incident_tui.incident.verbs import VERBS


def test_a_note_outside_any_incident_is_loose_and_declare_takes_it_in(bench: Any) -> None:
    (note,) = bench.saved("saw the alarm")
    assert (note.incident, note.kind, note.source, note.seen.digest) == ("", Kind.NOTE, "tui", "X gv0 bricks 2/3")
    (declared,) = bench.saved("/declare /sev 1 gv0 split")
    assert re.fullmatch(r"INC-20261123-[0-9a-f]{4}", declared.incident)
    assert [row.text for row in bench.incident.rows] == ["saw the alarm", "SEV1 gv0 split"]
    assert bench.incident.commander == "ana"
    assert bench.saved("! restarted")[0].incident == declared.incident


@pytest.mark.parametrize("line", ["/sev 1 x", "/status monitoring", "/ic take", "/update x", "/close", "/ms detected"])
def test_what_needs_an_incident_says_so(bench: Any, line: str) -> None:
    assert "/declare" in bench.refused(line)


def test_a_second_declare_asks_and_nothing_was_saved_until_the_answer(bench: Any) -> None:
    bench.saved("/declare one")
    first = bench.incident.id
    asked = bench.say("/declare two")
    assert asked.saving is None and asked.question is not None and first in asked.question.sentence
    assert asked.line == "/declare two"
    said_no = bench.desk.answer(asked.question.token, "no")
    assert said_no.refusal and said_no.line == "/declare two" and bench.incident.id == first
    asked = bench.say("/declare two")
    assert bench.desk.answer(asked.question.token, "Yes").saving is not None
    assert bench.incident.title == "two"
    assert bench.desk.answer(asked.question.token, "yes").refusal


def test_a_doubtful_time_keeps_the_time_that_was_asked_about(bench: Any) -> None:
    asked = bench.say("-2h ! rebooted")
    at = bench.clock.now
    bench.clock.forward(minutes=5)
    (entry,) = bench.desk.answer(asked.question.token, "y").saving.result()
    assert (at - entry.at).total_seconds() == 7200


def test_a_public_update_wants_its_name(bench: Any) -> None:
    bench.saved("/declare x")
    asked = bench.say("/update public +20m sites are slow")
    assert bench.desk.answer(asked.question.token, "yes").refusal
    asked = bench.say("/update public +20m sites are slow")
    bench.desk.answer(asked.question.token, "public")
    assert list(bench.incident.next_update) == ["public"]
    assert bench.incident.updates[0].text == "sites are slow"


def test_command_is_offered_and_taken(bench: Any) -> None:
    bench.saved("/declare x")
    assert "already" in bench.refused("/ic take")
    bench.saved("/ic offer bob")
    assert bench.incident.commander == "ana" and bench.incident.offered.who == "bob"
    (taken,) = bench.saved("/ic take", by="bob")
    assert taken.data["step"] == "take"
    assert bench.incident.commander == "bob" and bench.incident.commands[-1].how == "taken"


def test_a_take_that_was_not_offered_is_saved_as_a_claim(bench: Any) -> None:
    bench.saved("/declare x")
    outcome = bench.say("/ic take", by="bob")
    assert outcome.drafts[0].data["step"] == "claim" and "claim" in outcome.notice
    assert bench.incident.commands[-1].how == "claimed"


def test_a_name_offers_when_i_command_and_takes_by_voice_when_offered(bench: Any) -> None:
    bench.saved("/declare x")
    assert bench.saved("/ic dan")[0].data == {"role": "commander", "step": "offer", "who": "dan"}
    assert bench.saved("/ic dan")[0].data["step"] == "take"
    assert bench.incident.commander == "dan" and bench.incident.commands[-1].voice


def test_a_task_acknowledged_by_voice_and_done(bench: Any) -> None:
    bench.saved("/declare x")
    (task,) = bench.saved("/assign dan 5m compare the copies")
    (ack,) = bench.saved("/ack dan voice")
    assert ack.ref == task.id and ack.data == {"step": "acked", "who": "dan", "voice": True}
    assert "acknowledged at" in bench.refused(f"/ack m{task.seq}")
    bench.saved(f"/done m{task.seq} web1 is good")
    assert bench.incident.tasks[0].done_text == "web1 is good"
    assert "done at" in bench.refused(f"/done m{task.seq}")
    assert "no open task" in bench.refused("/done")


def test_hypotheses_and_follow_ups_end_by_handle(bench: Any) -> None:
    bench.saved("/declare x")
    (guess,) = bench.saved("? the network")
    (todo,) = bench.saved("todo: buy disks @bob p2")
    assert "not a hypothesis" in bench.refused(f"/confirm m{todo.seq}")
    bench.saved(f"/eliminate m{guess.seq} ping is fine")
    bench.saved(f"/done m{todo.seq}")
    assert bench.incident.hypotheses[0].state == "eliminated"
    assert bench.incident.follow_ups[0].done_at is not None and bench.incident.follow_ups[0].owner == "bob"
    assert "no entry" in bench.refused("/confirm m999")


def test_undo_takes_back_mine_one_after_the_other_and_says_what(bench: Any) -> None:
    bench.saved("/declare x")
    bench.saved("! first")
    bench.saved("! second")
    bench.saved("! of bob", by="bob")
    assert "second" in bench.say("/undo").notice
    assert "first" in bench.say("/undo").notice
    struck = {row.said for row in bench.incident.rows if row.struck}
    assert struck == {"first", "second"}
    assert "bob" in bench.refused("/undo m4")


def test_amend_strike_and_pin_turn_back(bench: Any) -> None:
    bench.saved("/declare x")
    (entry,) = bench.saved("! restarted wbe2")
    assert "wbe2" in bench.say("/amend restarted web2").notice
    bench.saved(f"/pin m{entry.seq}")
    row = bench.desk.fold.row(entry.id)
    assert (row.said, row.pinned, len(row.amended)) == ("restarted web2", True, 1)
    bench.saved(f"/pin m{entry.seq}")
    bench.say("/undo")
    assert bench.desk.fold.row(entry.id).pinned
    bench.saved(f"/strike m{entry.seq}")
    assert bench.desk.fold.row(entry.id).struck
    bench.saved(f"/strike m{entry.seq}")
    assert not bench.desk.fold.row(entry.id).struck


def test_a_hold_of_somebody_else_asks(bench: Any) -> None:
    bench.saved("/declare x")
    bench.saved("/hold web3 10m disk swap", by="bob")
    asked = bench.say("/hold web3 5m")
    assert "bob" in asked.question.sentence and "disk swap" in asked.question.sentence
    bench.clock.forward(minutes=11)
    bench.saved("/hold web3 5m")
    bench.saved("/release web3")
    assert "not held" in bench.refused("/release web3")


def test_a_playbook_is_opened_ticked_skipped_and_finished(bench: Any) -> None:
    assert bench.say("/play").effect == o.ListPlaybooks(("gluster-split-brain",))
    assert bench.say("/play split").saving is None
    bench.saved("/declare x")
    assert "no playbook is open" in bench.refused("/tick").lower()
    assert "gluster-split-brain" in bench.refused("/play nonsense")
    started = bench.say("/play split")
    assert started.effect.name == "gluster-split-brain" and started.effect.run
    assert bench.say("/play split").saving is None
    bench.saved("/tick")
    bench.saved("/skip 3 no need")
    assert "3 steps" in bench.refused("/tick 4")
    drafts = bench.say("/tick").drafts
    assert [draft.data["step"] for draft in drafts] == ["done"]
    (run,) = bench.incident.runs
    assert [(one.number, one.step) for one in run.steps] == [(1, "done"), (2, "done"), (3, "skipped")]
    assert run.finished_at is not None


def test_standing_down_is_never_blocked_and_the_review_is_what_is_gated(bench: Any) -> None:
    bench.saved("/declare x")
    bench.saved("/assign bob 5m look")
    bench.saved("todo: write it up")
    assert "bob: look" in bench.say("/standdown").notice
    assert bench.incident.stood_down_at is not None
    refused = bench.refused("/close")
    for missing in ("started: when?", "without an owner: write it up", "/close anyway WHY"):
        assert missing in refused
    for line in ("/ms started -1m", "/ms detected -1m", "/ms mitigated unknown", "/status resolved"):
        bench.saved(line, confirmed=True)
    assert "nobody owns the review" in bench.refused("/close")
    bench.saved("/review bea")
    assert bench.incident.review_owner == "bea"
    item = bench.desk.handles.handle(bench.incident.follow_ups[0].ref)
    bench.saved(f"/todo {item} @ana")
    incident = bench.incident.id
    assert "closed" in bench.say("/close reviewed").notice, "an open task does not hold up the review"
    assert not bench.desk.fold.incident(incident).open


def test_a_review_that_is_not_complete_is_closed_only_with_a_reason_that_stays(bench: Any) -> None:
    bench.saved("/declare x")
    assert "say why" in bench.refused("/close anyway")
    (entry,) = bench.saved("/close anyway a duplicate of yesterday's")
    assert entry.text == "a duplicate of yesterday's" and entry.data["without"] == 5


def test_the_sweep_walks_what_is_open(bench: Any) -> None:
    assert "/declare" in bench.refused("/sweep")
    bench.saved("/declare x")
    assert bench.say("/sweep").effect == o.Sweep(bench.incident.id)


def test_incidents_are_listed_and_chosen(bench: Any) -> None:
    one = bench.saved("/declare one")[0].incident
    two = bench.saved("/declare two", confirmed=True)[0].incident
    assert bench.say("/incident").effect == o.ListIncidents((two, one))
    assert bench.say(f"/incident {one[-4:]}").effect == o.Switched(one)
    assert bench.saved("x")[0].incident == one
    assert "no incident" in bench.refused("/incident zzzz")
    assert bench.say("/export r.md").effect == o.WriteReport(one, "r.md")


def test_a_severity_that_is_not_configured_is_refused(bench: Any) -> None:
    bench.saved("/declare x")
    assert "no severity 9" in bench.refused("/sev 9 why")
    bench.saved("/sev 2 worse")
    assert bench.saved("/sev 1 worse still")[0].data == {"level": 1, "was": 2}


def test_screen_effects_save_nothing(bench: Any) -> None:
    for line, effect in (("/help ic", o.ShowHelp("ic")), ("/quit", o.Leave()), ("/read web3", o.ReadFresh("web3"))):
        outcome = bench.say(line)
        assert outcome.effect == effect and outcome.saving is None


def test_a_repeat_with_the_same_key_is_stored_once(bench: Any) -> None:
    first = bench.desk.carry_out("! restarted", key="k1").saving.result()
    again = bench.desk.carry_out("! restarted", key="k1").saving.result()
    assert first == again


def test_a_purge_wants_the_handle_and_reaches_the_store(bench: Any) -> None:
    (entry,) = bench.saved("password hunter2")
    asked = bench.say("/purge m1 a password")
    done = bench.desk.answer(asked.question.token, "m1")
    if bench.memory is not None:
        assert "incident-tui purge" in done.refusal
    else:
        assert done.saving.result()[0].kind is Kind.PURGE
        assert bench.desk.fold.get(entry.id).purged


def test_a_paste_is_evidence_and_a_backfill_by_choice(bench: Any) -> None:
    bench.saved("/declare x")
    text = "13:50 disk alarm\n13:55 rebooted web3\n/close"
    (entry,) = bench.desk.keep_paste(text).saving.result()
    assert (entry.kind, entry.text) == (Kind.EVIDENCE, text)
    notes = bench.desk.keep_paste(text, backfill=True).saving.result()
    assert [note.text for note in notes] == ["disk alarm", "rebooted web3\n/close"]
    assert bench.desk.keep_paste("no time", backfill=True).refusal


def test_nothing_is_undone_while_something_is_not_saved(held: Any) -> None:
    held.saved("/declare x")
    held.memory.held = True
    outcome = held.desk.carry_out("! restarted")
    assert outcome.saving is not None and not outcome.saving.done()
    assert "not saved yet" in held.refused("/undo")
    held.memory.let_go()
    held.memory.held = False
    assert "restarted" in held.say("/undo").notice


def test_a_declare_that_is_not_saved_yet_is_already_worked_in(held: Any) -> None:
    held.memory.held = True
    declared = held.desk.carry_out("/declare x").drafts[0]
    assert held.desk.carry_out("! restarted").drafts[0].incident == declared.incident


words = st.sampled_from(
    [*(f"/{name}" for name in VERBS), "m1", "m2", "bob", "20m", "2", "take", "public", "!", "?", "x"]
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.one_of(st.lists(words, min_size=1, max_size=5).map(" ".join), st.text(max_size=20)), max_size=8))
def test_any_lines_come_to_exactly_one_thing_and_only_to_the_published_format(held: Any, lines: list[str]) -> None:
    for line in lines:
        outcome = held.say(line)
        ends = [outcome.saving is not None, bool(outcome.refusal), outcome.question is not None]
        assert sum(ends) <= 1 and (any(ends) or outcome.effect is not None or not outcome.drafts)
        assert outcome.line == line
        for draft in outcome.drafts:
            assert set(draft.data) <= set(DATA.get(draft.kind, {}))
        if outcome.question is not None:
            held.desk.answer(outcome.question.token, outcome.question.wants)


def test_who_writes() -> None:
    people = (Person(name="ana", account="nobody"), Person(name="bea"), Person(name="bob"))
    import pwd

    uid = pwd.getpwnam("nobody").pw_uid
    assert author("", people, {}, uid=uid).name == "ana" and author("", people, {}, uid=uid).proven
    assert not author("bob", people, {}, uid=uid).proven
    assert author("", people, {"SUDO_UID": str(uid)}, uid=0).account == "nobody"
    with pytest.raises(IdentityError) as caught:
        author("b", people, {}, uid=uid)
    assert "bea or bob" in caught.value.sentence
    with pytest.raises(IdentityError):
        author("two words", people, {}, uid=uid)


def test_a_declare_that_failed_leaves_no_incident_behind(held: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    held.memory.held = True
    saving = held.desk.carry_out("/declare x").saving

    def fail() -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(saving, "done", lambda: True)
    monkeypatch.setattr(saving, "result", fail)
    assert held.desk.incident is None
    assert held.desk.carry_out("a note").drafts[0].incident == ""
