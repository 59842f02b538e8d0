"""The watch when its files are locked, full or gone: it goes on, says so in its log, and loses nothing."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from incident_tui.journal.lease import Lease
from incident_tui.journal.store import Store

Staged = Callable[..., Any]
Until = Callable[..., Any]
Status = Callable[[Any], dict[str, Any]]


def held_by(journal: Path, process: subprocess.Popen[str]) -> bool:
    with Store.open(journal) as store:
        found = Lease(journal, store).holder()
    return found is not None and found.pid == process.pid and found.fresh


def no_hosts(settings: Any) -> Any:
    sites = tuple(msgspec.structs.replace(site, hosts=()) for site in settings.sites)
    return msgspec.structs.replace(settings, hosts=(), sites=sites)


def ended_well(process: subprocess.Popen[str]) -> None:
    process.terminate()
    assert process.wait(15) == 0
    assert process.stdout is not None and "Traceback" not in process.stdout.read()


@pytest.mark.parametrize("file", ["outbox.db", "journal.db", "board.db"])
def test_a_file_that_another_process_locks_for_long_ends_nothing(
    staged: Staged, until: Until, program: Any, file: str
) -> None:
    one = staged("healthy")
    process = one.watch("--service")
    until(lambda: held_by(one.stage.journal, process))
    program("declare", "gv0 split", *one.words)
    path = one.stage.journal / file
    assert path.exists(), sorted(os.listdir(one.stage.journal))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    if file != "journal.db":
        program("log", "/update while it is locked", *one.words)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(12)
    other.execute("ROLLBACK")
    other.close()
    if file == "journal.db":
        program("log", "/update while it is locked", *one.words)
    until(lambda: "while it is locked" in one.stage.chat(), 25)
    until(lambda: held_by(one.stage.journal, process))
    ended_well(process)


def test_without_hosts_it_watches_sites_and_chat(staged: Staged, until: Until, status_of: Status) -> None:
    one = staged("healthy", no_hosts)
    process = one.watch("--service")
    until(lambda: held_by(one.stage.journal, process))
    status = until(lambda: (found := status_of(one))["sites"] and found["watch"]["fresh"] and found)
    assert status["hosts"] == status["containers"] == status["volumes"] == []
    ended_well(process)


def test_a_board_that_is_deleted_comes_back(staged: Staged, until: Until, status_of: Status) -> None:
    one = staged("healthy")
    process = one.watch("--service")
    until(lambda: all(host["state"] == "connected" for host in status_of(one)["hosts"]))
    for name in os.listdir(one.stage.journal):
        if name.startswith("board."):
            (one.stage.journal / name).unlink()
    until(lambda: (s := status_of(one))["watch"]["fresh"] and all(h["state"] == "connected" for h in s["hosts"]), 30)
    assert process.poll() is None
    ended_well(process)
