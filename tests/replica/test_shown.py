"""Entries of another bastion in every command that shows entries; what a hostile one writes does no harm there."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from incident_tui.incident.entry import Author, Draft, Kind
from incident_tui.journal.everything import START
from incident_tui.journal.record import own_records
from incident_tui.journal.take_in import take_in
from tests.conftest import Program
from tests.replica.conftest import NOW, Bastion

EVIL = "\x1b[2J\x1b]0;owned\x07wiped \u202egpj\x9b31m\x7f"
COMMANDS = (
    ("list",),
    ("list", "--json"),
    ("show", "INC-1"),
    ("show", "INC-1", "--json"),
    ("search", "wiped"),
    ("search", "wiped", "--json"),
    ("brief", "INC-1"),
    ("export", "INC-1"),
    ("export", "INC-1", "--full"),
    ("export", "INC-1", "--format", "json"),
    ("export", "INC-1", "--format", "csv"),
    ("export", "INC-1", "--format", "html"),
    ("export", "INC-1", "--ics214", "wiped"),
    ("handoff", "bob"),
    ("card", "INC-1"),
    ("follow-ups",),
    ("digest",),
    ("stats",),
    ("replica",),
    ("report", "check", "INC-1"),
    ("verify",),
)


def drafts(text: str) -> list[Draft]:
    data = {"title": text, "severity": 2, text: {"deep": [text]}}
    author = Author(text.partition(" ")[0] or "x", account=text)
    return [
        Draft(Kind.DECLARE, text, NOW, author, incident="INC-1", source=text, data=data),
        Draft(Kind.ACTION, f"{text} wiped", NOW + timedelta(seconds=5), author, incident="INC-1"),
        Draft(Kind.FOLLOWUP, text, NOW + timedelta(seconds=9), author, incident="INC-1", data={"owner": text}),
    ]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_shows_entries_of_others_and_no_control_character(
    bastion: Bastion, program: Program, words: tuple[str, ...], tmp_path: Path
) -> None:
    a, b = bastion("a"), bastion("b")
    b.append(drafts(EVIL), key="k")
    take_in(a, own_records(b, 1, 9), NOW)
    done = program(*words, "--journal", a.place.directory, "--as", "ana", check=None, cwd=tmp_path)
    said = done.stdout + done.stderr
    assert done.returncode in (0, 1) and "should not have happened" not in said, said
    assert not [one for one in said if not one.isprintable() and one != "\n"], repr(said)
    assert "\\u001b" not in said and "\\u202e" not in said


def test_what_was_written_properly_is_the_same_on_each_bastion(bastion: Bastion) -> None:
    a, b = bastion("a"), bastion("b")
    texts = ["zwei Zeilen\nund ein Tab?", "naïve – “quoted” 日本語 e\u0301", "path\\u001b is text", "x" * 70_000]
    b.append([Draft(Kind.NOTE, text, NOW, Author("ana"), data={"evidence": text}) for text in texts], key="k")
    taken = take_in(a, own_records(b, 1, 9), NOW)
    assert list(taken.entries) == b.read() == a.read_all(START)[0]
    assert a.others is not None and a.others.records(b.journal, 1, 9) == own_records(b, 1, 9)
