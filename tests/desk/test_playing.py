"""A playbook played by several people: who has a step, conflicts made on purpose, and what goes on after a crash."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from incident_tui.config import Settings
from incident_tui.desk.desk import Desk
from incident_tui.desk.open import StoreAppender
from incident_tui.desk.playing import Taken
from incident_tui.incident.entry import Author, Entry
from incident_tui.incident.playbook import Playbook, load
from incident_tui.incident.state import Fold
from incident_tui.incident.work import Run
from incident_tui.journal.everything import START
from incident_tui.journal.store import Store

BOOK = load(
    '+++\ntitle = "Brick"\nowner = "ana"\n[variables]\nvolume = "the volume, e.g. gv0"\npeer = "the peer"\n+++\n'
    "- [ ] Look\n\n  ```sh risk=read\n  gluster volume status {{volume}}\n  ```\n"
    "- [ ] Ping\n\n  ```sh risk=read\n  ping -c 1 {{peer}}\n  ```\n- [ ] Tell\n",
    "brick.md",
)


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)


class Person:
    """One person's desk, with a fold and a connection of its own, as another screen has."""

    def __init__(self, name: str, journal: Path, clock: Clock, letter: str = "m") -> None:
        self.board: dict[str, str] = {}
        self.name, self.store, self.fold = name, Store.open(journal, letter=letter, clock=clock), Fold()
        self.read_to = START
        ids = iter(range(0x1000, 0xFFFF))
        self.desk = Desk(
            Settings(),
            StoreAppender(self.store),
            self.store,
            self.fold,
            author=Author(name),
            clock=clock,
            new_id=lambda: f"{name}{next(ids):08x}",
            playbooks=lambda: {"brick": BOOK, "other": BOOK},
            proposed=lambda book: self.board,
        )

    def read(self) -> None:
        """Take what others have saved, as a screen does when it is rung."""
        entries, self.read_to = self.store.read_all(self.read_to)
        for entry in entries:
            self.fold.apply(entry)

    def say(self, line: str) -> Any:
        return self.desk.carry_out(line)

    def saved(self, line: str) -> list[Entry]:
        outcome = self.say(line)
        assert outcome.saving is not None, outcome
        entries: list[Entry] = outcome.saving.result()
        self.read()
        return entries

    def refused(self, line: str) -> str:
        self.read()
        outcome = self.say(line)
        assert outcome.refusal and outcome.saving is None, outcome
        return str(outcome.refusal)

    @property
    def run(self) -> Run:
        self.read()
        incident = self.desk.incident
        assert incident is not None
        return incident.runs[-1]

    def states(self) -> Mapping[int, str]:
        return {step.number: f"{step.step} {step.by.name}" for step in self.run.steps}


@pytest.fixture
def two(tmp_path: Path) -> Any:
    clock = Clock()
    people = [Person(name, tmp_path / "journal", clock) for name in ("ana", "bob")]
    people[0].saved("/declare gv0")
    for one in people:
        one.read()
    yield (*people, clock)
    for one in people:
        one.store.close()


def test_variables_are_asked_for_at_the_start_and_what_is_missing_is_said(two: Any) -> None:
    ana, bob, _ = two
    notice = ana.say("/play brick").notice
    assert notice == "Set first: /set volume VALUE (the volume, e.g. gv0); /set peer VALUE (the peer)."
    ana.read()
    assert ana.say("/set volume gv0").notice == "Set first: /set peer VALUE (the peer)."
    ana.read()
    assert ana.say("/begin 2").notice == "You have step 2. Set first: /set peer VALUE (the peer)."
    bob.read()
    assert bob.say("/set peer web; reboot").notice.startswith("Next: 1. Look")
    assert ana.run.variables == {"volume": "gv0", "peer": "web; reboot"}
    assert "peer was web; reboot" in ana.say("/set peer web3").notice
    assert ana.say("/set peer web2").notice == (
        "peer was web3. You have step 2: Ping. /run has its commands; then /tick, /fail 2 why, or /drop 2."
    )
    assert "no variable" in ana.refused("/set disk x") and "volume, peer" in ana.refused("/set disk x")
    assert "dash" in ana.refused("/set peer --help")


def test_what_the_board_knows_is_not_asked_for(two: Any) -> None:
    ana, bob, _ = two
    ana.board = {"volume": "gv0", "host": "web2"}
    notice = "volume = gv0 from the board; /set changes it. Set first: /set peer VALUE (the peer)."
    assert ana.say("/play brick").notice == notice
    assert (ana.run.variables, ana.run.host) == ({"volume": "gv0"}, "web2")
    bob.read()
    bob.board = {"volume": "gv9", "peer": "web3"}
    assert bob.say("/play brick").notice.startswith("brick goes on where it was"), "a board that changes changes no run"
    assert bob.run.variables == {"volume": "gv0"}
    assert bob.say("/play other").notice == "volume = gv9, peer = web3 from the board; /set changes it. Next: /begin 1."
    assert (bob.run.variables, bob.run.host) == ({"volume": "gv9", "peer": "web3"}, "")


def test_who_begins_a_step_has_it_until_it_is_settled_or_given_back(two: Any) -> None:
    ana, bob, clock = two
    ana.saved("/play brick")
    bob.read()
    bob.saved("/begin 2")
    clock.forward(minutes=4)
    assert ana.refused("/begin 2") == "bob has step 2 since 14:00Z; /drop 2 takes it from bob."
    assert "bob has step 2 since 14:00Z" in ana.refused("/tick 2")
    assert "bob has step 2" in ana.refused("/fail 2 it smokes")
    ana.saved("/begin")  # the next one that nobody has
    ana.saved("/begin")
    assert ana.states() == {1: "begun ana", 2: "begun bob", 3: "begun ana"}
    assert "somebody has it" in ana.refused("/begin")
    bob.saved("/drop 2 I have to sleep")
    assert ana.saved("/tick")[0].data["number"] == 1
    asked = bob.say("/drop 3")
    assert asked.question is not None and "ana has step 3 since 14:04Z" in asked.question.sentence
    bob.read()
    bob.desk.answer(asked.question.token, "yes").saving.result()
    ana.saved("/fail 2 does not answer")
    assert ana.states() == {1: "done ana", 2: "failed ana", 3: "released bob"}
    ana.saved("/begin 2")
    ana.saved("/tick 2 the other cable")
    assert "was done by you at 14:04Z" in ana.refused("/tick 2")
    assert ana.run.finished_at is None
    assert "brick is finished" in ana.say("/skip 3 nobody to tell").notice
    assert ana.run.finished_at is not None
    assert "No playbook is open" in bob.refused("/tick")


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("/begin 1", "ana has step 1 since 14:00Z."),
        ("/tick 1", "Step 1 was done by ana at 14:00Z."),
        ("/skip 1 why", "Step 1 was skipped by ana at 14:00Z."),
    ],
)
def test_of_two_at_the_same_moment_the_journal_takes_the_first_and_tells_the_second(
    two: Any, line: str, word: str
) -> None:
    ana, bob, _ = two
    ana.saved("/play brick")
    bob.read()
    first, second = ana.say(line), bob.say(line)  # bob's screen has not seen ana's entry
    assert first.saving.result()[0].author.name == "ana"
    with pytest.raises(Taken) as told:
        second.saving.result()
    assert told.value.sentence == word
    bob.read()
    assert bob.states() == ana.states()
    assert next(iter(bob.states().values())).endswith("ana")
    bob.saved("/begin 2")  # and bob goes on


def test_the_last_two_steps_ticked_at_the_same_moment_finish_the_run(two: Any) -> None:
    ana, bob, _ = two
    ana.saved("/play brick")
    bob.read()
    ana.saved("/tick 1")
    bob.read()
    one, other = ana.say("/tick 2"), bob.say("/tick 3")
    assert not (one.notice + other.notice).count("finished")
    assert ana.run.finished_at is not None and bob.run.finished_at is not None


def test_two_who_start_a_playbook_at_once_work_in_one_run(two: Any) -> None:
    ana, bob, _ = two
    one, other = ana.say("/play brick"), bob.say("/play brick")
    assert one.saving.result()[0].id == other.saving.result()[0].id
    bob.read()
    bob.saved("/begin 1")
    assert ana.states() == {1: "begun bob"} and len(ana.desk.incident.runs) == 1


def test_an_undone_or_purged_step_can_be_said_again(two: Any) -> None:
    ana, bob, _ = two
    ana.saved("/play brick")
    for take_back in ("/undo", "/strike m{}"):
        seq = ana.saved("/begin 1")[0].seq
        ana.saved(take_back.format(seq))
        assert 1 not in ana.states() or ana.states()[1] == "released bob"
        bob.read()
        bob.saved("/begin 1")
        bob.saved("/drop 1")
        ana.read()
    entry = ana.saved("/tick 1")[0]
    ana.store.purge(entry.id, author=Author("ana"), reason="x")
    ana.fold.apply(ana.store.get(entry.id))
    bob.read()
    bob.fold.apply(bob.store.get(entry.id))
    bob.saved("/begin 1")
    assert bob.states()[1] == "begun bob" and len(bob.desk.incident.runs) == 1


def test_a_backdated_word_does_not_take_a_step_from_whoever_has_it(two: Any) -> None:
    ana, _, clock = two
    ana.saved("/play brick")
    clock.forward(minutes=10)
    ana.saved("/begin 1")
    ana.saved("/tick -5m 1")
    assert ana.states() == {1: "done ana"}


def test_each_goes_on_with_the_playbook_that_is_open_before_them(two: Any) -> None:
    ana, bob, clock = two
    ana.saved("/play brick")
    clock.forward(minutes=1)
    bob.read()
    bob.saved("/play other")
    assert ana.saved("/tick 1")[0].data["name"] == "brick"
    assert bob.saved("/tick 1")[0].data["name"] == "other"


def test_a_run_ends_early_by_question_and_goes_on_after_a_crash(two: Any, tmp_path: Path) -> None:
    ana, _, clock = two
    ana.saved("/play brick")
    ana.saved("/set volume=gv0")
    ana.saved("/begin 2")
    again = Person("ana", tmp_path / "journal", clock)  # a new screen, with nothing but the journal
    again.read()
    assert again.run.variables == {"volume": "gv0"} and again.states() == {2: "begun ana"}
    opened = again.say("/play brick")
    assert opened.saving is None and opened.notice.startswith("brick goes on where it was. Next: 2. Ping")
    asked = again.say("/drop")
    assert "End brick here? Begun and not settled: step 2." in asked.question.sentence
    ended = again.desk.answer(asked.question.token, "yes").saving
    assert ended is not None and ended.result()
    assert again.run.finished_at is not None
    again.store.close()


def test_of_two_processes_one_has_the_step_and_the_other_is_told(tmp_path: Path) -> None:
    """Eight at once, each a process of its own; whoever comes late says so with a status of 1."""
    config = tmp_path / "config.toml"
    config.write_text("")
    command = [sys.executable, "-m", "incident_tui", "--config", str(config), "--journal", str(tmp_path / "journal")]
    environment = {**os.environ, "HOME": str(tmp_path)}

    def start(who: str, *words: str) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        return subprocess.Popen([*command, "--as", who, *words], stdout=pipe, stderr=pipe, text=True, env=environment)

    for words in (["declare", "gv0"], ["log", "/play status-update"]):
        process = start("ana", *words)
        assert process.wait(60) == 0, process.communicate()
        process.communicate()
    racing = [start(f"p{n}", "log", "/begin 2") for n in range(8)]
    said = [(process.communicate(timeout=60), process.returncode) for process in racing]
    winners = [index for index, (_, status) in enumerate(said) if status == 0]
    assert len(winners) == 1, said
    late = [error for (_, error), status in said if status]
    assert all(f"p{winners[0]} has step 2 since " in error and "Traceback" not in error for error in late), late


def test_the_shared_state_is_one_fold(two: Any) -> None:
    """What both see of a run is equal to the last field, whoever wrote it."""
    ana, bob, _ = two
    ana.saved("/play brick")
    bob.read()
    bob.saved("/begin 1")
    ana.saved("/begin 2")
    assert ana.run == bob.run
    assert isinstance(BOOK, Playbook) and ana.run.count == len(BOOK.steps)
