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


def test_a_whole_journal_goes_elsewhere_and_an_altered_one_does_not(run: Any, program: Program, tmp_path: Path) -> None:
    run("declare", "gv0 split-brain", "--severity", "1")
    run("log", "the password is hunter2hunter2")
    run("purge", "a2", "a password")
    file, other = tmp_path / "journal.json", str(tmp_path / "other")
    run("export", "--all", "--format", "json", "-o", str(file))
    assert "hunter2" not in file.read_text()
    head = run("verify").stdout.partition("head ")[2].split()[0]
    preview = program("import", str(file), "--dry-run", "--journal", other)
    assert "3 entries; the chain holds" in preview.stdout and not Path(other).exists()
    done = program("import", str(file), "--head", head, "--journal", other)
    assert done.stdout == f"3 entries added, 0 here already; the chain holds; head {head}\n"
    assert program("import", "-", "--journal", other, text=file.read_text()).stdout.startswith(
        "0 entries added, 3 here"
    )
    assert "1 of them purged" in program("verify", head, "--journal", other).stdout
    assert program("show", "--json", "--journal", other).stdout == run("show", "--json").stdout
    file.write_text(file.read_text().replace("gv0 split", "gv1 split", 1))
    refused = program("import", str(file), "--journal", str(tmp_path / "third"), check=1).stderr
    assert "entry 1 was altered" in refused and refused.count("\n") == 1 and not (tmp_path / "third").exists()
    assert "--format json" in run("export", "--all", check=2).stderr
    assert "is none" in run("import", "-", "--head", head, text="x", check=2).stderr
