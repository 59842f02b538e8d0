"""`follow-ups`, `stats` and `digest` as processes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

Program = Any


@pytest.fixture
def run(program: Program, tmp_path: Path) -> Callable[..., Any]:
    """A command on a journal of ana's with one incident and two follow-ups."""
    where = ("--journal", str(tmp_path / "journal"), "--as", "ana")

    def go(*words: str, **how: Any) -> Any:
        return program(*words, *where, **how)

    go("declare", "gv0 split-brain", "--severity", "1")
    go("log", "todo: check the disks due:+7d #detect")
    return go


def test_follow_ups_in_each_form(run: Any) -> None:
    due = f"{datetime.now(UTC) + timedelta(days=7):%Y-%m-%d}"
    assert f"due {due}" in run("follow-ups").stdout
    assert run("follow-ups", "--owner", "bob").stdout == "no follow-up is open\n"
    (one,) = json.loads(run("follow-ups", "--json").stdout)
    assert one["text"] == "check the disks" and one["overdue"] is False and one["due"] == due
    assert '"check the disks"' in run("follow-ups", "--format", "csv").stdout
    assert run("follow-ups", "--format", "gitlab").stdout.endswith(f"/due {due}\n")
    run("log", "todo: too late due:2020-01-01")
    assert "OVERDUE 2020-01-01" in run("follow-ups", check=1).stdout.splitlines()[0]
    assert "text, csv, github or gitlab" in run("follow-ups", "--format", "jira", check=2).stderr


def test_stats_and_the_digest(run: Any, tmp_path: Path) -> None:
    assert run("stats").stdout.startswith("1 incident, 1 open\nby worst severity: SEV1 1\n")
    assert json.loads(run("stats", "--json").stdout)["incidents"] == 1
    assert run("stats", "--until", "2020-01-01").stdout == "0 incidents, 0 open\n"
    assert "**gv0 split-brain**: SEV1" in run("digest").stdout
    page = tmp_path / "week.html"
    run("digest", "--week", "last", "--format", "html", "-o", str(page))
    assert page.read_text().startswith("<!DOCTYPE html>") and "No incident in this week." in page.read_text()
    assert "--week soon" in run("digest", "--week", "soon", check=2).stderr
    assert "md or html" in run("digest", "--format", "pdf", check=2).stderr


def test_the_teams_own_patterns_leave_every_page(run: Any, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[report]\nredact = ['gv0', 'check the [a-z]+']\n")
    where = ("--config", str(config))
    for words in (
        ("digest",),
        ("digest", "--format", "html"),
        ("follow-ups",),
        ("follow-ups", "--format", "csv"),
        ("follow-ups", "--format", "github"),
        ("export",),
        ("export", "--format", "csv"),
        ("export", "--format", "html"),
        ("export", "--ics214", "ana"),
    ):
        said = run(*words, *where).stdout
        assert "redacted" in said and "gv0" not in said and "check the disks" not in said, words


def test_a_pattern_that_takes_too_long_is_one_sentence(run: Any, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[report]\nredact = ['(a+)+$']\n")
    run("log", "todo: " + "a" * 3000 + "b")
    for words in (("digest",), ("export", "--format", "csv")):
        said = run(*words, "--config", str(config), check=None)
        assert said.returncode and "takes longer than" in said.stderr, (words, said)
        assert "Traceback" not in said.stderr and not said.stdout
