"""`/inc` lines: for those who are allowed, and never anything that acts on machines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from incident_tui.incident.entry import Kind
from incident_tui.watch.inbound.verbs import HELP, NOT_ALLOWED, as_typed, line_of
from tests.watch.inbound.conftest import INCIDENT, NOW, said

MakeRoom = Callable[..., Any]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("/inc sev 2 why", "sev 2 why"),
        ("!inc note x", "note x"),
        (" /INC\tack", "ack"),
        ("/inc", ""),
        ("/incident x", None),
        ("say /inc x", None),
    ],
)
def test_what_is_an_inc_line(text: str, line: str | None) -> None:
    assert line_of(text) == line


@pytest.mark.parametrize(
    ("line", "typed"),
    [
        ("sev 2 why", "/sev 2 why"),
        ("/sev 2 why", "/sev 2 why"),
        ("note hello there", "hello there"),
        ("action restart", "! restart"),
        ("todo call them @bob", "todo: call them @bob"),
        ("todo a31 p1", "/todo a31 p1"),
        ("hello", "hello"),
    ],
)
def test_as_the_prompt_takes_it(line: str, typed: str) -> None:
    assert as_typed(line) == typed


def test_verbs_are_entries_under_the_persons_name_at_the_messages_time(make_room: MakeRoom) -> None:
    room = make_room()
    taken = room.take(said("/inc sev 1 data at risk"), said("!inc action restarting glusterd", id="m2"))
    entries = [entry for entry in room.store.read() if entry.source == "chat"]
    assert [(one.kind, one.author.name, one.at, one.incident) for one in entries] == [
        (Kind.SEVERITY, "ana", NOW, INCIDENT),
        (Kind.ACTION, "ana", NOW, INCIDENT),
    ]
    assert taken.answers[0].text == "a2: SEVERITY SEV1 (was SEV2): data at risk."
    assert room.fold.incident(INCIDENT).severity == 1


def test_who_is_not_allowed_changes_nothing(make_room: MakeRoom) -> None:
    room = make_room(take=("all",), people={"u-bob": "bob"}, allow=("u-ana",))
    for number, who in enumerate(("u-bob", "", "U-ANA", "u-ana ")):
        taken = room.take(said("/inc sev 1 x", author_id=who, id=f"m{number}"))
        assert [answer.text for answer in taken.answers] == [NOT_ALLOWED]
    assert {entry.kind for entry in room.store.read()} == {Kind.DECLARE, Kind.CHAT}
    assert room.fold.incident(INCIDENT).severity == 2


@pytest.mark.parametrize(
    "line",
    [
        "run web1 -- reboot",
        "play gluster-split-brain",
        "tick 1",
        "begin 1",
        "set host web1",
        "purge a1 gone",
        "read web1",
        "quit",
        "export",
        "close anyway x",
        "undo",
        "strike a1",
        "amend a1 other",
    ],
)
def test_nothing_acts_on_machines_or_destroys(make_room: MakeRoom, line: str) -> None:
    room = make_room()
    (answer,) = room.take(said(f"/inc {line}")).answers
    entries = room.store.read()[1:]
    assert not entries or {entry.kind for entry in entries} == {Kind.NOTE}, answer.text
    if not entries:
        assert answer.text


def test_the_same_line_that_comes_again_is_carried_out_once(make_room: MakeRoom) -> None:
    room = make_room()
    line = said("/inc action restart")
    room.take(line, line)
    assert room.take(line).answers == ()
    room.again()
    room.take(line)
    room.take(said("/inc action edited", edited=NOW))
    assert [entry.text for entry in room.store.read()] == ["sites 502", "restart"]


def test_mistakes_questions_and_help_are_answered_and_save_nothing(make_room: MakeRoom) -> None:
    room = make_room()
    lines = ("help", "sev nine", "declare another one", "/nosuchverb x", "now")
    answers = [room.take(said(f"/inc {line}", id=line)).answers[0].text for line in lines]
    assert answers[0] == HELP
    assert "/sev N why" in answers[1]
    assert "Declare another one?" in answers[2] and "on the screen" in answers[2]
    assert "no verb /nosuchverb" in answers[3]
    assert answers[4] == f"{INCIDENT} SEV2 sites 502: declared, commander ana."
    assert len(room.store.read()) == 1
