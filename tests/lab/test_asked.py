"""What a person asks of a real host by a key: the end of a container's log, a look at its performance, what changed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from incident_tui.journal.board import Board
from incident_tui.watch.answers import Answer, key
from incident_tui.watch.asks import ask
from incident_tui.watch.history import History
from tests.terminals import Terminals

pytestmark = pytest.mark.lab


def answered(lab: Any, host: str, word: str) -> Answer:
    """Asked as a screen does: by a file and a ring; answered on the board by the watch."""
    ask(lab.journal, host, word)
    board = Board.open(lab.journal)
    try:
        found: Answer = lab.until(lambda: board.detail(key(host, word), Answer), 60, f"the answer to {word}")
        return found
    finally:
        board.close()


def test_the_end_of_a_log_and_of_one_that_is_gone(lab: Any) -> None:
    lab.undo.callback(lab.docker, 1, "rm", "-f", "talker", check=False)
    says = "i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo line $i; done; echo password=hunter2; exec sleep 1000000"
    options = ("--network", "none", "--stop-signal", "KILL")
    identity = lab.docker(1, "run", "-d", "--name", "talker", *options, "busybox:lab", "sh", "-c", says)
    lab.until(lambda: "password" in lab.docker(1, "logs", "--tail", "1", "talker"), 20)
    found = answered(lab, "peer1", f"log:{identity}")
    (log,) = found.sections
    lines = log.text.split("\n")
    assert not found.problem and len(lines) == 200 and lines[-2].endswith(" line 300")
    assert "hunter2" not in log.text
    lab.docker(1, "rm", "-f", "talker")
    gone = answered(lab, "peer1", f"log:{'f' * 64}")
    assert gone.problem == "peer1: the container is not there any more"


def test_a_look_at_performance_has_each_part_and_the_containers(lab: Any) -> None:
    found = answered(lab, "peer2", "performance")
    parts = {section.name: section for section in found.sections}
    assert {"top", "memory", "free", "vmstat", "stats", "dmesg"} <= set(parts) and not found.problem
    assert "load average" in parts["top"].text and "glusterfsd" in parts["memory"].text
    assert "web" in parts["stats"].text and "MEM USAGE / LIMIT" in parts["stats"].text
    assert not any(section.timed_out for section in found.sections)


def test_what_changed_names_the_container_of_this_day(lab: Any) -> None:
    found = answered(lab, "peer3", "changes")
    assert found.changes is not None
    assert any("web" in row.what for row in found.changes.rows), found.changes


def test_the_screen_shows_the_log_and_keeps_the_look_as_evidence(lab: Any, terminals: Terminals) -> None:
    lab.undo.callback(lab.docker, 2, "rm", "-f", "talker", check=False)
    lab.undo.callback(lab.forget_kills, 2)
    options = ("--network", "none", "--stop-signal", "KILL", "--restart", "no")
    says = "echo the database is locked; exit 3"
    lab.docker(2, "run", "-d", "--name", "talker", *options, "busybox:lab", "sh", "-c", says)
    lab.appears("docker.container-down", "peer2 talker", "warn")
    screen = terminals.open("incident-tui", "--config", str(lab.config), size=(120, 40))
    screen.see("talker")
    screen.keys("Tab", "Enter")
    screen.see("exited 3")
    screen.keys("F6")
    screen.see("the database is locked")
    screen.keys("Escape", "Escape")
    screen.enter("/performance peer2")
    lab.until(
        lambda: [
            row
            for row in json.loads(lab.program("show", "--json").stdout)["timeline"]
            if row["kind"] == "evidence" or "performance" in row["text"]
        ],
        60,
        "the look as an entry",
    )
    screen.keys("C-c", "C-c")
    lab.docker(2, "rm", "-f", "talker")
    lab.recovers("docker.container-down", "peer2 talker")


def test_a_container_has_its_own_last_minutes_until_it_is_gone(lab: Any) -> None:
    lab.undo.callback(lab.docker, 3, "rm", "-f", "short", check=False)
    options = ("--network", "none", "--stop-signal", "KILL", "-m", "64m")
    identity = lab.docker(3, "run", "-d", "--name", "short", *options, "busybox:lab", "sleep", "1000000")
    key = f"history/container/peer3/{identity}"
    board = Board.open(lab.journal)
    try:
        kept: History = lab.until(lambda: board.detail(key, History), 90, "a point of its own")
        assert set(kept.series) >= {"memory", "restarts"} and "used" not in kept.series
        assert 0 < (kept.series["memory"][-1] or 0) < 100
        lab.docker(3, "rm", "-f", "short")
        lab.until(lambda: board.detail(key, History) is None, 30, "no numbers of what is gone")
    finally:
        board.close()
