"""`export` in its other forms, as a process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Program = Any


@pytest.fixture
def run(program: Program, tmp_path: Path) -> Callable[..., Any]:
    """A command on a journal of ana's with two incidents; bob worked in the second."""
    where = ("--journal", str(tmp_path / "journal"))

    def go(*words: str, by: str = "ana", **how: Any) -> Any:
        return program(*words, *where, "--as", by, **how)

    go("declare", "first one", "--severity", "3")
    go("declare", "gv0 split-brain", "--severity", "1")
    go("log", "-", by="bob", text="! bob restarted glusterd\n-3m the alarm\n")
    return go


def test_each_form_by_itself_and_in_a_file(run: Any, tmp_path: Path) -> None:
    assert run("export", "--format", "csv").stdout.splitlines()[0].startswith('"incident","at"')
    page = tmp_path / "report.html"
    run("export", "--format", "html", "--full", "-o", str(page))
    assert page.read_text().startswith("<!DOCTYPE html>") and "bob restarted glusterd" in page.read_text()
    assert "exists already" in run("export", "--format", "html", "-o", str(page), check=1).stderr
    assert "bob restarted" in run("export", "--ics214", "bob").stdout
    refused = run("export", "--ics214", "eve", check=2).stderr
    assert "there is bob, ana" in refused and refused.count("\n") == 1
    assert "write md, html or csv" in run("export", "--format", "json", "--roles", check=2).stderr


def test_without_names_for_outside_and_a_part_of_it(run: Any, tmp_path: Path) -> None:
    report = tmp_path / "r.md"
    run("export", "--roles", "-o", str(report))
    assert "responder-1 restarted glusterd" in report.read_text() and "bob" not in report.read_text()
    run("export", "--roles", "-o", str(report))  # again into its own file
    assert "ICS 214" in run("export", "--roles", "--ics214", "bob").stdout
    public = run("export", "--public").stdout
    assert "glusterd" not in public and "ana" not in public.split()
    pinned = run("export", "--pinned").stdout
    assert (
        "not chosen for the timeline" in pinned and "restarted glusterd" not in pinned.partition("## Timeline")[2][:400]
    )
    some = run("export", "--format", "csv", "--until", "-2m")
    assert "the alarm" in some.stdout and "restarted" not in some.stdout and "2 entries left out" in some.stderr


def test_several_incidents_in_one_document(run: Any) -> None:
    ids = [line.split()[0] for line in run("list").stdout.splitlines() if line.startswith("INC-")]
    text = run("export", *ids).stdout
    assert "# first one (" in text and "# gv0 split-brain (" in text and "\n---\n" in text
    rows = run("export", *ids, "--format", "csv").stdout
    assert all(f'"{one}"' in rows for one in ids)
