"""Entering, being asked, pasting, and what is left behind, on a real journal; no widget."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from incident_tui.incident.entry import Kind
from incident_tui.journal.errors import Full
from incident_tui.journal.prompt import load_lines
from incident_tui.report.settings import Report
from incident_tui.ui.conversation import Conversation
from incident_tui.ui.editor import Editor
from tests.ui.talk import Talk


def test_a_note_is_saved_and_named(talk: Talk) -> None:
    talk.enter("saw the disk alarm")
    assert talk.editor.text == "" and talk.said == ("a1 saved.", "ok")
    assert talk.words == ["NOTE saw the disk alarm"]
    assert talk.session.writer.status.saved_at is not None


def test_the_meaning_is_said_before_enter(talk: Talk) -> None:
    assert talk.label() == ""
    for line, label in (
        ("! restarted glusterd", "ACTION 14:43Z"),
        ("-10m saw it", "NOTE 14:33Z, 10 min ago"),
        ("/files/a.pdf still split", "NOTE 14:43Z"),
        ("/declar gv0", "NOTE 14:43Z (no verb /declar)"),
        ("/sev", "NOT YET"),
    ):
        talk.editor.set(line)
        assert talk.label() == label


def test_a_refused_line_stays_in_the_prompt_with_one_sentence(talk: Talk) -> None:
    talk.enter("/sev one because")
    assert talk.editor.text == "/sev one because"
    assert talk.said[0].startswith("/sev: 'one' is not a severity") and talk.said[1] == "crit"
    talk.type("!")
    assert talk.said == ("", "")


def test_a_public_update_is_asked_for_by_its_name(talk: Talk) -> None:
    talk.enter("/declare /sev 1 gv0 split-brain")
    talk.enter("/update public Two sites are slow")
    assert talk.label() == "ANSWER"
    assert talk.hint()[0] == 'The PUBLIC will read: "Two sites are slow" Write public to send it.'
    talk.enter("yes")
    assert talk.ask is not None and talk.hint()[0].startswith("Not saved yet: write public")
    talk.enter("no")
    assert talk.editor.text == "/update public Two sites are slow" and "Not saved" in talk.said[0]
    talk.submit()
    talk.enter("public")
    assert talk.words[-1] == "UPDATE public: Two sites are slow"


def test_escape_puts_a_question_away_and_keeps_the_line(talk: Talk) -> None:
    talk.enter("/declare t")
    talk.enter("/update public x")
    talk.cancel()
    assert talk.ask is None and talk.editor.text == "/update public x"
    assert len(talk.words) == 1


def test_a_paste_is_one_evidence_entry_by_default(talk: Talk) -> None:
    talk.type("my draft")
    assert talk.pasted("one\r\n/close\n14:05 three\n")
    assert talk.hint()[0] == "Pasted 3 lines. Enter saves them as one evidence entry; Esc drops them."
    talk.submit()
    talk.saved()
    assert talk.words == ["EVIDENCE one\n/close\n14:05 three"]
    assert talk.editor.text == "my draft"


def test_a_paste_of_times_may_become_entries_at_those_times(talk: Talk) -> None:
    talk.pasted("14:05 first\n14:07 second\nmore of it")
    assert "the word lines saves 2 entries" in talk.hint()[0]
    talk.enter("nonsense")
    assert talk.ask is not None and talk.words == []
    talk.enter("lines")
    assert talk.words == ["NOTE first", "NOTE second\nmore of it"]


def test_doubtful_times_of_a_paste_are_asked_about(talk: Talk) -> None:
    talk.pasted("10:05 first\n14:07 second")
    talk.enter("lines")
    assert "doubtful time" in talk.hint()[0] and talk.words == []
    talk.enter("yes")
    assert talk.words == ["NOTE first", "NOTE second"]


def test_a_dropped_paste_gives_the_draft_back(talk: Talk) -> None:
    talk.type("my draft")
    talk.pasted("a\nb")
    talk.cancel()
    assert talk.editor.text == "my draft" and talk.words == []


def test_a_paste_of_one_line_is_typed(talk: Talk) -> None:
    assert not talk.pasted("just this\n")
    assert talk.editor.text.strip() == "just this"


def test_the_draft_of_a_killed_screen_comes_back_to_the_same_person(world: Any) -> None:
    first = Talk(world.session())
    first.type("half a li")
    first.session._kept.close(keep=True)  # what a kill leaves: the file, without its lock
    bob = Talk(world.session(world.bob))
    assert bob.session.left_behind() == []
    again = Talk(world.session())
    assert again.session.left_behind() == ["half a li"]
    assert again.offer() and again.editor.text == "half a li"
    assert load_lines(world.directory, "ana") == []  # it is in the living screen's keeping now
    again.session._kept.close(keep=True)
    assert [one.text for one in load_lines(world.directory, "ana")] == ["half a li"]


def test_a_line_that_was_saved_before_the_kill_is_not_offered_again(world: Any) -> None:
    world.clock.now = datetime.now(UTC)  # it is compared with the time of the file that keeps the line
    first = Talk(world.session())
    first.enter("! restarted glusterd")
    first.session.offered = ["! restarted glusterd", "! never saved"]
    first.session.keep("and a draft")
    first.session.offered = []
    first.session._kept.close(keep=True)
    assert Talk(world.session()).session.left_behind() == ["! never saved", "and a draft"]


def test_a_full_disk_keeps_the_line_says_why_and_saves_it_later(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    session = world.session()
    talk = Talk(session)
    talk.enter("before")
    from incident_tui.journal.store import Store

    append, full = Store.append, [True]

    def failing(self: Store, *args: Any, **named: Any) -> Any:
        if full[0]:
            raise Full("no room left on the disk of /j.")
        return append(self, *args, **named)

    monkeypatch.setattr(Store, "append", failing)
    talk.type("! what must not be lost")
    talk.submit()
    end = time.monotonic() + 10
    while not session.writer.status.problem and time.monotonic() < end:
        time.sleep(0.005)
    world.clock.turn(3)
    view = session.view()
    assert (
        view.writer.problem == "no room left on the disk of /j." and view.pending[0].text == "! what must not be lost"
    )
    assert b"! what must not be lost" in b"".join(
        path.read_bytes() for path in (session.directory / "lines").rglob("*") if path.is_file()
    ), "a kill at this moment leaves it"
    full[0] = False
    session.writer.retry_now()
    talk.saved()
    assert talk.words == ["NOTE before", "ACTION what must not be lost"]
    assert session.view().pending == ()


def test_what_could_not_be_saved_is_reported_and_kept_at_the_end(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    session = world.session()
    talk = Talk(session)
    from incident_tui.journal.store import Store

    def failing(self: Store, *args: Any, **named: Any) -> Any:
        raise Full("no room left.")

    monkeypatch.setattr(Store, "append", failing)
    monkeypatch.setattr("incident_tui.journal.writer.CLOSE_SECONDS", 0.2)
    talk.type("! kept")
    talk.submit()
    monkeypatch.setattr(session.writer, "close", lambda close=session.writer.close: close(0.3))
    unsaved = session.close("the draft")
    assert [draft.text for one in unsaved for draft in one.drafts] == ["kept"]
    assert [one.text for one in load_lines(world.directory, "ana")] == ["! kept\x1ethe draft"]


def test_entries_of_others_and_of_the_board_are_seen(world: Any) -> None:
    session = world.session()
    Talk(session)
    session.poll()
    world.write(*world.story())
    assert session.poll() == (True, False)
    session.read_journal()
    world.put(world.outage(world.clock.now))
    assert session.poll() == (False, True)
    session.read_board()
    view = session.view()
    assert view.incident is not None and view.incident.title == "gv0 split-brain, sites 502"
    assert any(one.rule == "gluster.split-brain" for one in view.findings)


def test_findings_grow_old_without_any_new_reading(world: Any) -> None:
    session = world.session()
    Talk(session)
    world.put(world.healthy(world.clock.now))
    session.read_board()
    assert not session.view().findings
    world.clock.turn(600)
    found = session.view().findings
    assert found and {one.level.value for one in found} == {"unknown"}


def test_an_entry_carries_what_the_screen_showed(world: Any) -> None:
    session = world.session()
    talk = Talk(session)
    world.put(world.outage(world.clock.now))
    session.read_board()
    talk.enter("d: serve gv0 from web1")
    entry = session.store.read()[-1]
    assert entry.kind is Kind.DECISION and entry.seen is not None
    assert entry.seen.digest.startswith("X ") and "SPLIT-BRAIN" in entry.seen.digest
    assert len(msgspec.json.encode(entry.seen)) <= 512


def test_a_damaged_row_of_the_board_is_said_and_nothing_else_is_lost(world: Any) -> None:
    class Other(msgspec.Struct):
        host: int = 3

    world.put(world.healthy(world.clock.now) | {"host/web2": Other()})
    session = world.session()
    session.read_board()
    view = session.view()
    assert view.problems == ("the reading of host/web2 is damaged or of another version",)
    assert set(view.hosts) == {"web1", "web3"}
    assert any(one.subject == "web2" and one.level.value == "unknown" for one in view.findings)


def test_a_journal_is_read_in_pieces(world: Any, monkeypatch: pytest.MonkeyPatch, kit: Any) -> None:
    monkeypatch.setattr("incident_tui.ui.session.CHUNK", 5)
    world.write(*world.story())
    session = world.session()
    assert session.read_journal() and not session.loaded
    assert "reading the journal: 5 entries" in session.view().loading
    talk = Conversation(session, Editor())
    talk.editor.set("too early")
    assert talk.submit() is None and talk.editor.text == "too early"
    while session.read_journal():
        pass
    assert session.loaded and len(session.view().rows) == 12


def test_a_journal_that_cannot_be_read_keeps_the_line(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    talk.enter("a note")

    def failing(*_: Any) -> None:
        raise Full("the disk is gone.")

    monkeypatch.setattr(talk.session.store, "find", failing)
    talk.type("/strike a1")
    assert talk.submit() is None
    assert talk.editor.text == "/strike a1" and talk.said == ("Not saved: the disk is gone.", "crit")


def test_export_writes_the_report(world: Any, tmp_path: Any) -> None:
    world.write(*world.story())
    talk = Talk(world.session())
    target = tmp_path / "report.md"
    outcome = talk.enter(f"/export {target}")
    assert outcome.effect is not None
    assert talk.session.export(outcome.effect.incident, outcome.effect.file).result() == (
        f"The report is in {target}",
        "ok",
    )
    assert "gv0 split-brain" in target.read_text()
    assert talk.session.export(outcome.effect.incident, "/nowhere/at/all.md").result()[1] == "crit"


def test_export_makes_the_report_as_configured(world: Any, tmp_path: Any) -> None:
    world.write(*world.story())
    world.team = msgspec.structs.replace(world.team, report=Report(template="public", redact=("gv0",)))
    talk = Talk(world.session())
    outcome = talk.enter(f"/export {tmp_path / 'report.md'}")
    assert outcome.effect is not None
    said, style = talk.session.export(outcome.effect.incident, outcome.effect.file).result()
    assert style == "ok", said
    written = (tmp_path / "report.md").read_text()
    assert "Service disruption" in written and "gv0" not in written


def test_a_line_typed_over_a_question_is_not_lost(talk: Talk) -> None:
    talk.enter("/declare gv0")
    talk.enter("@02:55 saw the alarm")
    assert talk.ask is not None
    talk.enter("! restarted glusterd")
    assert talk.ask is not None and talk.hint()[0].startswith("Your line waits for this answer. Is 02:55Z")
    assert [row for row in talk.words if "glusterd" in row] == []
    talk.enter("yes")
    assert talk.editor.text == "! restarted glusterd" and talk.ask is None
    talk.saved()
    talk.submit()
    talk.saved()
    assert {"NOTE saw the alarm", "ACTION restarted glusterd"} <= set(talk.words)


def test_a_line_typed_over_a_question_survives_no_and_esc(talk: Talk) -> None:
    for end in ("no", "esc"):
        talk.enter("@02:55 saw the alarm")
        if end == "no":
            talk.enter("! restarted glusterd")
            talk.enter("no")
        else:
            talk.type("! restarted glusterd")
            talk.cancel()
        assert talk.editor.text == "! restarted glusterd" and talk.words == []
        talk.editor.set("")
        assert talk.editor.older() and talk.editor.text == "@02:55 saw the alarm"
        talk.editor.set("")


def test_lines_typed_ahead_over_a_paste_are_not_lost(talk: Talk) -> None:
    talk.pasted("02:55 saw the alarm\n02:56 rang bob")
    talk.enter("! restarted glusterd")
    talk.enter("= bricks 3/3")
    assert talk.hint()[0].startswith("2 lines wait for this answer. Pasted 2 lines.")
    talk.type("still typing")
    talk.cancel()
    assert talk.editor.text == "! restarted glusterd" and talk.words == []
    assert talk.session.offered == ["= bricks 3/3", "still typing"]
    talk.editor.set("")
    talk.enter("")
    assert talk.editor.text == "= bricks 3/3"


def test_the_answers_to_a_paste_are_no_lines(talk: Talk) -> None:
    for typed in ("lin", "YES", "n"):
        talk.pasted("a\nb")
        talk.type(typed)
        talk.cancel()
        assert talk.editor.text == "" and not talk.session.offered
    talk.pasted("a\nb")
    talk.enter("no")
    talk.enter("")
    assert talk.words == ["EVIDENCE a\nb"] and talk.editor.text == ""


def test_who_watches_is_told_only_while_there_is_nothing_else(world: Any, kit: Any) -> None:
    session = world.session()
    lease = msgspec.structs.replace(kit.story()[0], kind=Kind.LEASE, text="watch taken", incident="", data={})
    world.write(lease)
    talk = Talk(session)
    assert [row.split()[0] for row in talk.words] == ["WATCH"]
    talk.enter("saw it")
    assert talk.words == ["NOTE saw it"]


def test_a_purge_does_not_make_the_screen_wait(talk: Talk) -> None:
    talk.enter("the password is hunter2")
    with talk.session.store.guard:
        talk.session.store.connection.execute("BEGIN IMMEDIATE")  # somebody holds the lock
        talk.type("/purge a1 pasted")
        talk.submit()
        if talk.ask is not None:
            talk.type(talk.ask.wants)
            talk.submit()
        assert len(talk.session.sent) == 1
        talk.session.store.connection.execute("ROLLBACK")
    talk.saved()
    assert talk.session.fold.row(talk.session.store.read()[0].id).purged  # type: ignore[union-attr]
    assert "hunter2" not in " ".join(talk.words)


def test_the_journal_is_read_on_another_thread(world: Any, kit: Any) -> None:
    session = world.session()
    world.write(*kit.story())
    assert session.view().rows == () and not session.loaded
    thread = threading.Thread(target=session.load)
    thread.start()
    thread.join()
    assert session.loaded and len(session.view().rows) > 5
