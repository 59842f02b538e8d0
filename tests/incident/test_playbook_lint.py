"""Lint: what a playbook lacks is said by line; the shipped ones lack nothing and answer every finding."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from incident_tui.hosts.judge import RULES
from incident_tui.incident.playbook import load
from incident_tui.incident.playbook_lint import lint
from incident_tui.watch.rows import SITE_RULES

SHIPPED = sorted((Path(__file__).parents[2] / "playbooks").glob("*.md"))
ALL = {*RULES, *SITE_RULES}
GOOD = """+++
title = "T"
owner = "ana"
when = ["site.down"]
[variables]
name = "whose"
+++
**Precondition.** P
**Stop and ask** when S
**Do not** D

- [ ] Repair {{name}}

  ```sh expect="up"
  start {{name}}
  ```

  ```sh verify expect="up"
  status {{name}}
  ```

  Rollback: stop it.

## Rollback

Stop it.

## Sources

- Docs: https://example.org/
"""


def test_a_whole_one_lacks_nothing() -> None:
    assert lint(GOOD, "p.md", ALL) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "word"),
    [
        ("site.down", "site.gone", 4, "no finding has the id 'site.gone'"),
        ('name = "whose"', 'name = "whose"\nother = "x"', 7, "other is declared and never used"),
        ("start {{name}}", "start {{host}}", 15, "{{host}} is not declared"),
        (' expect="up"\n  start', "\n  start", 14, "says not what to expect"),
        ("sh verify ", "sh risk=read ", 12, "no verify block"),
        ('verify expect="up"', 'verify expect="running"', 14, "its step's verify block shows 'running'"),
        ("Rollback: stop", "Back: stop", 12, "add a rollback block"),
        ("**Precondition.**", "Before:", 12, "**Precondition.** is missing"),
        ("**Stop and ask**", "Stop", 12, "**Stop and ask** is missing"),
        ("**Do not**", "Avoid", 12, "**Do not** is missing"),
        ("## Rollback", "## Back", 12, "## Rollback is missing"),
        ("## Sources", "## Links", 12, "## Sources is missing"),
        ("https://example.org/", "a book", 12, "names no document"),
        ("sh verify", "sh sure verify", 18, "unknown attribute 'sure'"),
        ("  start {{name}}\n", "", 14, "empty"),
    ],
)
def test_what_is_missing_is_said_with_its_line(old: str, new: str, line: int, word: str) -> None:
    found = lint(GOOD.replace(old, new, 1), "p.md", ALL)
    assert [(one.line, word in one.sentence) for one in found] == [(line, True)], [one.sentence for one in found]
    assert found[0].sentence.startswith(f"p.md:{line}: ")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_ones_lack_nothing_and_are_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert [one.sentence for one in lint(text, path.name, ALL)] == []
    book = load(text, path.name)
    assert 4 <= len(book.steps) <= 14 and len(text.splitlines()) <= 150
    assert len(book.intro.splitlines()) <= 24, "nobody reads more than that at 03:10"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_command_is_what_a_shell_can_read(path: Path) -> None:
    book = load(path.read_text(encoding="utf-8"), path.name)
    values = {name: f"a; b' {name}" for name in book.variables}
    for block in (one for step in book.steps for one in step.blocks if one.is_command):
        done = subprocess.run(["sh", "-n", "-c", block.filled(values)], capture_output=True, text=True)
        assert done.returncode == 0, (block.line, done.stderr)


def test_every_finding_suggests_a_playbook() -> None:
    answered = {rule for path in SHIPPED for rule in load(path.read_text(encoding="utf-8"), path.name).when}
    assert answered == ALL


def test_no_shipped_playbook_names_one_that_is_not_there() -> None:
    names = {path.stem for path in SHIPPED}
    kinds = {name.partition("-")[0] for name in names} - {"post", "site", "report", "status", "clock", "file", "disk"}
    for path in SHIPPED:
        words = re.findall(r"(?<![\w/.`-])([a-z]+(?:-[a-z]+)+)(?![\w/.=-])", path.read_text(encoding="utf-8"))
        for word in words:
            if word.partition("-")[0] in kinds and word.count("-") > 1:
                assert word in names, (path.name, word)


def test_the_ones_the_team_asked_for_are_there() -> None:
    assert {path.stem for path in SHIPPED} == {
        *("gluster-brick-down", "gluster-peer-disconnected", "gluster-glusterd-down", "gluster-heal-backlog"),
        *("gluster-split-brain", "gluster-quorum-lost", "gluster-volume-full", "gluster-geo-replication"),
        *("container-crash-loop", "container-out-of-memory", "host-out-of-memory", "docker-daemon-hung", "disk-full"),
        *("file-system-read-only", "host-unreachable", "site-down", "clock-skew", "gluster-rolling-reboot"),
        *("report-a-problem", "status-update", "handoff", "performance-investigation", "post-incident-review"),
    }
