"""Two or three bastions that do not hear of each other: what only one can do and several did is kept of all, counts of
the first, is told to both, and is the same on every bastion whatever arrived when."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incident_tui.incident.entry import Author, Draft, Entry, Kind
from incident_tui.incident.views import Incident
from incident_tui.incident.work import Contested
from incident_tui.journal.record import own_records
from incident_tui.journal.take_in import take_in
from tests.desk.test_playing import Clock, Person


class Split:
    """A person on each bastion. What they write reaches the others with `meet`."""

    def __init__(self, directory: Path, *names: str) -> None:
        self.clock = Clock()
        letters = "abc"[: len(names)]
        self.people = [
            Person(name, directory / letter, self.clock, letter) for name, letter in zip(names, letters, strict=True)
        ]

    def meet(self, dice: random.Random | None = None) -> None:
        for taker in self.people:
            records = [
                one for giver in self.people if giver is not taker for one in own_records(giver.store, 1, 1 << 40)
            ]
            if dice is not None:
                dice.shuffle(records)
            for begin in range(0, len(records), 3):
                take_in(taker.store, records[begin : begin + 3], self.clock())
            taker.read()

    def say(self, number: int, line: str) -> list[Entry]:
        """Carry the line out, also when it asks; nothing when it is refused."""
        self.clock.forward(1)
        person = self.people[number]
        person.read()
        outcome = person.say(line)
        if outcome.question is not None:
            outcome = person.desk.answer(outcome.question.token, "yes")
        saved: list[Entry] = outcome.saving.result() if outcome.saving is not None else []
        person.read()
        return saved

    @property
    def incident(self) -> Incident:
        """As all see it."""
        seen = [person.desk.incident for person in self.people]
        assert seen[0] is not None and all(one == seen[0] for one in seen)
        assert all(list(one.rows) == list(seen[0].rows) for one in seen if one is not None)
        return seen[0]

    def only(self) -> Contested:
        (one,) = self.incident.contested
        return one

    def close(self) -> None:
        for person in self.people:
            person.store.close()


@pytest.fixture
def split(tmp_path: Path) -> Iterator[Split]:
    made = Split(tmp_path, "ana", "ben")
    made.say(0, "/declare gv0")
    made.say(0, "/play brick")
    made.meet()
    yield made
    made.close()


def steps(split: Split) -> dict[int, str]:
    return {one.number: f"{one.step} {one.by.name}" for one in split.incident.runs[-1].steps}


def test_the_same_step_begun_on_both_sides(split: Split) -> None:
    (first,) = split.say(0, "/begin 1")
    (second,) = split.say(1, "/begin 1")
    split.say(1, "/tick 1 done there")
    assert split.people[1].states()[1] == "done ben", "until they meet each has their own"
    split.meet()
    assert steps(split) == {1: "begun ana"}
    told, after = split.incident.contested
    assert (told.first, told.second, told.about("ben"), told.about("ana")) == (first.id, second.id, True, True)
    assert told.sentence == "step 1 of brick: ana was first (begun 14:03Z), then ben (begun 14:04Z)"
    assert after.second_did == "done"
    assert len([row for row in split.incident.rows if row.entry.kind is Kind.PLAYBOOK]) == 4, "both claims are kept"
    assert "ana has step 1" in split.people[1].refused("/tick 1")


def test_a_step_that_was_given_back_before_is_free(split: Split) -> None:
    split.say(0, "/begin 1")
    split.say(0, "/drop 1")
    split.say(1, "/begin 1")
    split.meet()
    assert steps(split) == {1: "begun ben"} and not split.incident.contested


def test_who_knows_of_the_other_may_take_over(split: Split) -> None:
    split.say(0, "/begin 1")
    split.meet()
    split.say(1, "/drop 1 she sleeps")
    split.say(1, "/begin 1")
    split.meet()
    assert steps(split) == {1: "begun ben"} and not split.incident.contested


def test_what_a_second_start_proposes_does_not_undo_what_was_set(split: Split) -> None:
    split.say(0, "/play other")
    split.say(0, "/set volume gv0")
    split.people[1].board = {"volume": "gv9", "peer": "web3"}
    split.say(1, "/play other")
    split.meet()
    (run,) = (one for one in split.incident.runs if one.name == "other")
    assert run.variables == {"volume": "gv0", "peer": "web3"}


def test_a_playbook_started_on_both_sides_is_one_run(split: Split) -> None:
    split.say(0, "/play other")
    split.say(1, "/play other")
    split.say(0, "/begin 1")
    split.say(1, "/begin 1")
    split.say(1, "/begin 2")
    split.meet()
    (run,) = (one for one in split.incident.runs if one.name == "other")
    assert {one.number: one.by.name for one in run.steps} == {1: "ana", 2: "ben"}
    assert [one.what for one in split.incident.contested] == ["playbook other", "step 1 of other"]
    mine = {
        row.ref.journal: row.entry.data["run"] for row in split.incident.rows if row.entry.data.get("name") == "other"
    }
    data = {
        "step": "intent",
        "host": "web1",
        "command": "true",
        "run": mine[split.people[1].store.journal],
        "number": 2,
    }
    draft = Draft(Kind.COMMAND, "", split.clock(), Author("ben"), split.incident.id, "", data)
    split.people[1].store.append([draft], key="command")
    split.say(1, "/tick 2")
    split.meet()
    assert data["run"] != run.run == split.incident.remotes[0].run, "what was run for a step stands at it"
    assert next(one for one in split.incident.runs if one.name == "other").step(2).step == "done"  # type: ignore[union-attr]


def test_two_claims_and_the_first_commands(tmp_path: Path) -> None:
    split = Split(tmp_path, "ana", "ben", "cyn")
    split.say(0, "/declare gv0")
    split.meet()
    split.say(1, "/ic claim")
    split.say(2, "/ic claim")
    split.meet()
    assert split.incident.commander == "ben"
    assert split.only().sentence == "command: ben was first (claimed 14:02Z), then cyn (claim 14:03Z)"
    split.say(2, "/ic claim")
    split.meet()
    assert split.incident.commander == "cyn", "who knows may still claim it"
    split.close()


def test_the_same_task_done_on_both_sides(split: Split) -> None:
    (task,) = split.say(0, "/assign eve 5m look at web3")
    split.meet()
    split.say(0, "/done a3 one way")
    split.say(1, "/done a3 another way")
    split.meet()
    assert split.incident.tasks[0].done_text == "one way" and split.incident.tasks[0].ref == task.id
    assert split.only().what == "task look at web3" and split.only().second_by == "ben"


def test_a_hold_on_both_sides(split: Split) -> None:
    (first,) = split.say(0, "/hold web1 5m")
    (second,) = split.say(1, "/hold web1 60m")
    split.meet()
    here, there = split.incident.holds
    assert (here.ref, there.ref) == (first.id, second.id)
    assert here.active(split.clock()) and not there.active(split.clock())
    split.clock.forward(6)
    assert not here.active(split.clock()) and there.active(split.clock()), "it counts when the first has ended"
    assert split.only().what == "hold of web1"


def test_of_two_holds_each_releases_their_own(split: Split) -> None:
    split.say(0, "/hold web1 60m")
    split.say(1, "/hold web1 60m")
    split.meet()
    split.say(0, "/release web1")
    split.meet()
    here, there = split.incident.holds
    assert here.released_at is not None and there.active(split.clock())


def test_three_holds_count_one_after_the_other(tmp_path: Path) -> None:
    split = Split(tmp_path, "ana", "ben", "cyn")
    split.say(0, "/declare gv0")
    split.meet()
    for number, minutes in enumerate((5, 20, 60)):
        split.say(number, f"/hold web1 {minutes}m")
    split.meet()
    counting: list[str] = []
    for _ in range(40):
        (one,) = (one.by.name for one in split.incident.holds if one.active(split.clock()))
        counting += [] if counting[-1:] == [one] else [one]
        split.clock.forward(1)
    assert counting == ["ana", "ben", "cyn"]
    split.close()


def test_who_knows_of_a_hold_takes_it_over(split: Split) -> None:
    split.say(0, "/hold web1 60m")
    split.meet()
    split.say(1, "/hold web1 60m")
    split.meet()
    here, there = split.incident.holds
    assert here.released_at is not None and there.active(split.clock()) and not split.incident.contested


LINES = (
    *("/begin 1", "/begin 2", "/tick 1", "/tick 2", "/drop 1", "/skip 2 no need", "/fail 1 it broke", "/play other"),
    *("/ic claim", "/ack a3", "/done a3 did it", "/pass a3 ben", "/hold web1 3m", "/release web1", "a note"),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1 << 30))
def test_any_schedule_ends_the_same_for_all(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    dice = random.Random(seed)
    split = Split(tmp_path_factory.mktemp("any"), *("ana", "ben", "cyn")[: dice.randint(2, 3)])
    split.say(0, "/declare gv0")
    split.say(0, "/play brick")
    split.say(0, "/assign ben 5m look at web3")
    split.meet()
    alone = dice.random() < 0.5
    for _ in range(dice.randint(4, 16)):
        split.say(dice.randrange(len(split.people)), dice.choice(LINES))
        if not alone and dice.random() < 0.2:
            split.meet(dice)
    split.meet(dice)
    incident = split.incident  # the same for all, or this fails
    rows = {row.ref: row.entry for row in incident.rows}
    for one in incident.contested:
        assert one.first in rows and one.second in rows, "both claims are kept"
        assert one.first.journal != one.second.journal and one.first_by != one.second_by
        first, second = rows[one.first], rows[one.second]
        assert (first.recorded_at, first.journal, first.seq) < (second.recorded_at, second.journal, second.seq)
    seconds = {one.second for one in incident.contested}
    counting = {step.ref for run in incident.runs for step in run.steps} | {span.ref for span in incident.commands}
    assert not seconds & counting, "what came second changes nothing"
    active = [one for one in incident.holds if one.active(split.clock())]
    assert len({one.target for one in active}) == len(active), "one hold counts at a time"
    split.close()
