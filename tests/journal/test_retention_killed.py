"""Killed at any step while closed incidents leave the journal: nothing is lost, and the same words go on."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from incident_tui.journal import retention, retention_file
from incident_tui.journal.store import Store
from tests.journal.test_retention import ANA, away, play, stored

KILLED = """
import os, signal, sys
from incident_tui.journal import archive, retention, retention_file
from incident_tui.journal.chain import Verdict
from incident_tui.journal.store import Store
from incident_tui.journal.verify import verify_copies
sys.path.insert(0, {root!r})
from tests.journal.test_retention import away
from pathlib import Path
place, step = Path(sys.argv[1]), sys.argv[2]
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
if step == "while writing":
    os.fsync = die
elif step == "before its name":
    os.replace = die
elif step == "before the journal":
    retention._take_out = die
elif step == "in the transaction":
    retention._TAKE = "UPDATE entries SET body = body WHERE seq = die(?)"
elif step == "after the commit":
    retention.clean_caches = die
elif step == "before room is given back":
    retention.give_back = die
store = Store.open(place)
store.connection.create_function("die", 1, die)
away(store, place.parent / "2025.json")
"""
STEPS = (
    *("while writing", "before its name", "before the journal", "in the transaction"),
    *("after the commit", "before room is given back"),
)


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_nothing_is_lost_and_the_same_words_go_on(
    step: str, place: Path, spawn: Callable[..., Any]
) -> None:
    file = place.parent / "2025.json"
    with Store.open(place) as store:
        play(store)
        rows = stored(store)
    process = spawn(KILLED.format(root=str(Path(__file__).resolve().parents[2])), place, step)
    assert process.wait(60) == -signal.SIGKILL
    with Store.open(place) as store:
        assert store.verify().ok
        gone = set(store.verify().archived)
        assert gone in (set(), {2, 3, 4, 5, 10})
        if gone:
            assert {row.seq for row in retention_file.read(file).entries if row.body} >= gone
        away(store, file)
        assert store.verify().archived == (2, 3, 4, 5, 10)
        assert retention.bring_back(store, retention_file.read(file), file.name, ANA).entries == 5
        assert stored(store)[: len(rows)] == rows
