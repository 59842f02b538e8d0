"""Conflicts of real screens, made on purpose: the same step, the same task, a hold against a command. The journal's
order decides, everybody sees the same, and whoever came second is told by name."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from incident_tui.incident.entry import Entry, Kind
from incident_tui.journal.store import Store
from tests.terminals import Pane, Terminals

LATE = re.compile(r"it was done already|\ba\d+ was done at")
NAMES = ("ana", "bob", "cyd", "dan", "eva")


def enter_at_once(screens: Sequence[Pane]) -> None:
    """Enter in all of them, by one command of tmux."""
    words: list[str] = []
    for screen in screens:
        words += ["send-keys", "-t", screen.name, "Enter", ";"]
    screens[0].tmux(*words[:-1])


def entries(journal: Path, kind: Kind, step: str) -> list[Entry]:
    with Store.open(journal) as store:
        assert store.verify().ok
        return [one for one in store.read() if one.kind is kind and one.data.get("step") == step]


@pytest.fixture
def opened(terminals: Terminals, tmp_path: Path) -> Callable[..., tuple[list[Pane], Path]]:
    """Screens of so many people on one journal, in which ana has declared an incident."""

    def make(count: int, *words: str) -> tuple[list[Pane], Path]:
        where = words or ("--journal", str(tmp_path / "journal"))
        journal = Path(where[where.index("--journal") + 1])
        screens = [terminals.open("incident-tui", *where, "--as", name, size=(100, 24)) for name in NAMES[:count]]
        for screen in screens:
            screen.see("no incident", "F1 help")
        screens[0].enter("/declare gv0 trouble")
        for screen in screens:
            screen.see("gv0 trouble", "IC ana")
        return screens, journal

    return make


@pytest.mark.parametrize("count", [2, 5])
def test_the_same_step_has_one_owner_and_the_others_are_told_who(opened: Any, count: int) -> None:
    screens, journal = opened(count)
    screens[0].enter("/play status-update")
    screens[0].see("saved. Set first")
    for screen in screens[1:]:
        screen.see("status-update")
    for number in (2, 3, 4):
        for screen in screens:
            screen.type(f"/begin {number}")
        enter_at_once(screens)
        for screen in screens:
            screen.until(
                lambda screen=screen, number=number: re.search(rf"(have|has) step {number}\b", screen.text),
                what=f"word of step {number}",
            )
        (begun,) = [one for one in entries(journal, Kind.PLAYBOOK, "begun") if one.data["number"] == number]
        for name, screen in zip(NAMES, screens, strict=False):
            said = (
                f"You have step {number}"
                if name == begun.author.name
                else f"{begun.author.name} has step {number} since"
            )
            screen.see(said)
            screen.keys("C-u")


@pytest.mark.parametrize("count", [2, 5])
def test_the_same_task_is_done_once_and_who_came_later_is_told(opened: Any, count: int) -> None:
    screens, journal = opened(count)
    for round_ in range(3):
        screens[0].enter(f"/assign zoe 5m look at rack {round_}")
        with Store.open(journal) as store:
            screens[0].until(lambda store=store, n=round_: len(tasks(store)) > n, what="the task")
            handle = store.handle(tasks(store)[-1])
        for screen in screens:
            screen.see(f"look at rack {round_}")
            screen.type(f"/done {handle} seen by hand {round_}")
        enter_at_once(screens)
        screens[0].until(lambda: sum(bool(LATE.search(one.text)) for one in screens) == count - 1, what="who was late")
        done = [one for one in entries(journal, Kind.TASK, "done") if one.text.endswith(str(round_))]
        assert done, "the first one counts"
        assert not LATE.search(screens[NAMES.index(done[0].author.name)].text)
        for screen in screens:
            screen.keys("C-u")


def tasks(store: Store) -> list[Entry]:
    return [one for one in store.read() if one.kind is Kind.TASK and one.data.get("step") == "assigned"]


def test_a_hold_that_was_first_stops_a_command_and_one_that_came_second_is_told(
    opened: Any, staged: Callable[..., Any]
) -> None:
    stage = staged("healthy")
    (ana, bob), journal = opened(2, *stage.words)
    bob.enter("/run web1")
    bob.see("web1#", "What you enter runs here")
    bob.type("uptime")
    os.kill(bob.pid, signal.SIGSTOP)
    try:
        bob.keys("Enter")  # waits in the terminal
        ana.enter("/hold web1 10m disk swap")
        ana.until(lambda: entries(journal, Kind.HOLD, "hold"), what="the hold")
    finally:
        os.kill(bob.pid, signal.SIGCONT)
    bob.see("web1 is held by ana until")  # before it ran, or after its intent: it depends on what was read first
    assert not [one for one in entries(journal, Kind.COMMAND, "outcome") if one.data["exit"] is not None]
    bob.keys("Escape", "Escape")
    ana.enter("/release web1")
    bob.gone("web1 held by ana")
    bob.enter("/run web2")
    bob.type("tail -f /dev/null")
    ana.type("/hold web2 10m disk swap")
    os.kill(ana.pid, signal.SIGSTOP)
    try:
        bob.keys("Enter")
        bob.until(
            lambda: len(entries(journal, Kind.COMMAND, "intent")) > 0 and "web2# tail" in bob.text, what="its start"
        )
        ana.keys("Enter")
    finally:
        os.kill(ana.pid, signal.SIGCONT)
    ana.see("bob's command on web2 was first and still runs: tail -f /dev/null")
    bob.keys("C-c")
    bob.see("stopped")
