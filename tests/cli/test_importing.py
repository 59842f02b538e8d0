"""`import` as a process: preview, once, verbs, undo, and one sentence for each mistake."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Program = Any


@pytest.fixture
def run(program: Program, tmp_path: Path) -> Callable[..., Any]:
    """A command on a journal of ana's."""
    where = ("--journal", str(tmp_path / "journal"), "--as", "ana")
    return lambda *words, **how: program(*words, *where, **how)


def test_lines_are_previewed_saved_once_and_taken_back(run: Any, tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("2026-11-23 23:58 /declare gv0 split-brain\n/sev 1 all sites\n00:05 ! restarted glusterd\n")
    assert "--zone" in run("import", str(notes), check=2).stderr
    words = ("import", str(notes), "--zone", "UTC")
    preview = run(*words, "--dry-run")
    assert (
        "2026-11-24 00:05Z ana action: restarted glusterd" in preview.stdout and "nothing was saved" in preview.stderr
    )
    done = run(*words)
    assert done.stdout.splitlines()[2] == "a3 2026-11-24 00:05Z ana action: restarted glusterd"
    shown = run("show").stdout
    assert "SEV1" in shown and "gv0 split-brain" in shown
    again = run(*words)
    assert again.stdout == "" and "3 here already" in again.stderr and "--undo" not in again.stderr
    ident = re.search(r"--undo (\w+)", done.stderr)
    assert ident is not None
    assert "3 struck" in run("import", "--undo", ident[1]).stdout
    assert "struck already" in run("import", "--undo", ident[1]).stdout
    assert "chain holds" in run("verify").stdout


def test_standard_input_goes_into_the_incident_that_is_named_within_the_times_that_are(run: Any) -> None:
    incident = run("declare", "one").stdout.split()[1]
    run("declare", "two")
    log = "2026-11-23 14:05:02\tana\tweb3 is down\n2026-11-23 16:00:00\tbob\tlunch\n"
    words = ("import", "-", "--zone", "Europe/Paris", "-i", incident, "--until", "2026-11-23T14:00Z")
    assert run(*words, text=log).stdout == "a3 2026-11-23 13:05Z ana chat: web3 is down\n"
    assert "web3 is down" in run("show", incident).stdout


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ((), "import what?"),
        (("/nonexistent",), "cannot be read"),
        (("-", "--zone", "Mars/Olympus"), "--zone Mars/Olympus"),
        (("-", "--date", "soon"), "--date soon"),
        (("-", "--undo", "x"), "takes no file"),
        (("-",), "no line to import"),
    ],
)
def test_a_mistake_is_one_sentence(run: Any, words: tuple[str, ...], part: str) -> None:
    done = run("import", *words, text="", check=2)
    assert part in done.stderr and done.stderr.count("\n") == 1
