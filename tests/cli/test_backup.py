"""`backup` and `restore` as somebody runs them: what is printed, exit status, one sentence for what cannot be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

Program = Any


def test_a_lost_journal_comes_back(program: Program, tmp_path: Path) -> None:
    journal, copy, new = str(tmp_path / "journal"), str(tmp_path / "copy"), str(tmp_path / "new")
    program("declare", "gv0 split-brain", "--severity", "1", "--journal", journal)
    made = program("backup", copy, "--journal", journal).stdout.splitlines()
    assert made[0] == f"{copy}: 1 entries; the chain holds" and made[1].startswith("head ")
    restored = program("restore", copy, "--journal", new).stdout.splitlines()
    assert restored == [f"{new}: 1 of 1 entries restored", made[1]]
    assert "gv0 split-brain" in program("show", "--journal", new).stdout
    program("verify", made[1].removeprefix("head "), "--journal", new)
    assert "nothing to restore: all is there" in program("restore", copy, "--journal", new).stdout


def test_what_cannot_be_is_one_sentence(program: Program, tmp_path: Path) -> None:
    journal, copy = str(tmp_path / "journal"), str(tmp_path / "copy")
    missing = program("backup", copy, "--journal", journal, check=1)
    assert "there is no journal at" in missing.stderr and missing.stderr.count("\n") == 1
    program("log", "one", "--journal", journal)
    program("backup", copy, "--journal", journal)
    program("log", "two", "--journal", journal)
    refused = program("restore", copy, "--journal", journal, check=1)
    assert "has what the backup lacks: entry a2" in refused.stderr and refused.stderr.count("\n") == 1
    there = program("backup", str(tmp_path / "no" / "copy"), "--journal", journal, check=1)
    assert there.stderr == f"incident-tui: no backup was made: there is no directory {tmp_path}/no.\n"
