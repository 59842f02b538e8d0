"""Conflicts made on purpose: two desks that have not read each other's entry. Who is first in the journal's order
counts, the other is told, and both folds agree."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from incident_tui.incident.contested import came_second
from incident_tui.incident.entry import Author, Entry, Kind, Ref
from incident_tui.incident.state import Fold
from incident_tui.incident.views import Incident
from tests.desk.test_playing import Clock, Person


class Two:
    """Bob and Dan, whose desks know the incident that Ana commands, and a task of hers."""

    def __init__(self, journal: Path) -> None:
        self.clock = Clock()
        self.ana, self.bob, self.dan = (Person(name, journal, self.clock) for name in ("ana", "bob", "dan"))
        self.ana.saved("/declare gv0 split-brain")
        (task,) = self.ana.saved("/assign eve 5m look at web3")
        self.task = self.ana.store.handle(task)
        self.everybody(lambda person: person.read())

    def everybody(self, act: Callable[[Person], Any]) -> None:
        for person in (self.ana, self.bob, self.dan):
            act(person)

    def at_once(self, first: str, second: str, who: tuple[str, str] = ("bob", "dan")) -> tuple[str, str]:
        """Both lines were drawn up before either was read by the other; what each is told."""
        told = []
        entries = []
        for name, line in zip(who, (first, second), strict=True):
            outcome = getattr(self, name).say(line)
            if outcome.question is not None:
                outcome = getattr(self, name).desk.answer(outcome.question.token, "yes")
            assert outcome.saving is not None, outcome
            entries.append(outcome.saving.result())
            self.clock.forward(1)
        self.everybody(lambda person: person.read())
        for name, saved in zip(who, entries, strict=True):
            told.append(getattr(self, name).desk.crossed(saved))
        return told[0], told[1]

    @property
    def incident(self) -> Incident:
        one, other = self.bob.desk.incident, self.dan.desk.incident
        assert one is not None and one == other, "both see the same"
        return one


@pytest.fixture
def two(tmp_path: Path) -> Two:
    return Two(tmp_path / "journal")


def test_command_claimed_by_two(two: Two) -> None:
    first, second = two.at_once("/ic claim", "/ic claim")
    assert (two.incident.commander, first) == ("bob", "")
    assert second == "bob was first and is commander: /ic claim takes it all the same"
    assert len([row for row in two.incident.rows if row.entry.kind is Kind.ROLE]) == 2, "both entries stay"
    two.dan.saved("/ic claim")
    two.everybody(lambda person: person.read())
    assert two.incident.commander == "dan"


def test_an_offer_taken_while_another_claims(two: Two) -> None:
    two.ana.saved("/ic offer bob")
    two.everybody(lambda person: person.read())
    assert two.at_once("/ic take", "/ic claim")[1].startswith("bob was first")
    assert two.incident.commander == "bob" and two.incident.offered is None


def test_a_task_acknowledged_by_two(two: Two) -> None:
    first, second = two.at_once(f"/ack {two.task} bob voice", f"/ack {two.task} dan voice")
    (task,) = two.incident.tasks
    assert first == "" and second == f"{task.acked_by} acknowledged it first, at 14:00Z"


def test_a_task_passed_by_two(two: Two) -> None:
    first, second = two.at_once(f"/pass {two.task} bob", f"/pass {two.task} dan")
    (task,) = two.incident.tasks
    assert (task.who, task.before, first) == ("bob", ("eve",), "")
    assert second == "it was passed to bob first"


def test_a_task_done_by_one_and_passed_by_another(two: Two) -> None:
    two.at_once(f"/done {two.task} web1 has the good copy", f"/pass {two.task} dan")
    (task,) = two.incident.tasks
    assert task.done_at is not None and task.who == "eve"


def test_a_task_done_by_two(two: Two) -> None:
    first, second = two.at_once(f"/done {two.task} one", f"/done {two.task} other")
    (task,) = two.incident.tasks
    assert (task.done_text, first, second) == ("one", "", "it was done already at 14:00Z")


def test_a_handoff_accepted_on_two_screens(two: Two, tmp_path: Path) -> None:
    two.ana.saved("/handoff bob")
    two.dan = Person("Bob", tmp_path / "journal", two.clock)  # Bob's second screen
    two.everybody(lambda person: person.read())
    first, second = two.at_once("/handoff accept", "/handoff accept")
    (handoff,) = two.incident.handoffs
    assert (two.incident.commander.lower(), handoff.accepted_by, first) == ("bob", "bob", "")
    assert second == "it was accepted at 14:00Z by bob"


def test_a_claim_that_is_logged_for_earlier_counts_as_it_is_said(two: Two) -> None:
    two.clock.forward(30)
    two.bob.saved("/ic claim")
    two.everybody(lambda person: person.read())
    (entry,) = two.dan.saved("-10m /ic claim")
    assert "was" not in entry.data


@pytest.mark.parametrize(("kind", "step"), [(Kind.TASK, "done"), (Kind.TASK, "acked"), (Kind.ROLE, "claim")])
def test_first_is_who_was_stored_first_though_the_other_pressed_enter_before(kind: Kind, step: str) -> None:
    """Both at the same moment: dan's Enter was a little earlier, bob's entry is the first in the journal."""
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)

    def entry(seq: int, kind: Kind, at: float, stored: float, by: str, **data: Any) -> Entry:
        ref = Ref("j", 2) if kind is Kind.TASK and seq > 2 else None
        moments = (noon + timedelta(seconds=at), noon + timedelta(seconds=stored))
        return Entry("j", seq, kind, *moments, Author(by), text=by, incident="INC-1", data=data, ref=ref)

    said = {"step": step} | ({"role": "commander", "who": "", "was": "ana"} if kind is Kind.ROLE else {})
    bob = entry(3, kind, 10.2, 10.3, "bob", **(said | {"who": "bob"}))
    dan = entry(4, kind, 10.1, 10.4, "dan", **(said | {"who": "dan"}))
    fold = Fold()
    fold.apply(entry(1, Kind.DECLARE, 0, 0, "ana", title="gv0"))
    fold.apply(entry(2, Kind.TASK, 1, 1, "ana", step="assigned", who="eve", minutes=5))
    fold.apply(bob)
    assert came_second(bob, fold.incident("INC-1")) == ""
    fold.apply(dan)
    incident = fold.incident("INC-1")
    assert came_second(bob, incident) == ""
    assert came_second(dan, incident) != ""
    assert incident.commander == ("bob" if kind is Kind.ROLE else "ana")
