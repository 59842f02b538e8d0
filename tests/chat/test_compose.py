"""Which entries a sink gets by its configuration, and the words they go with."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from incident_tui.incident.entry import Author, Entry, Kind, Ref
from incident_tui.incident.state import Fold
from incident_tui.watch.chat.compose import Composed, message, together, wanted
from incident_tui.watch.chat.webhooks import SLACK
from incident_tui.watch.settings import ChatSink
from tests.chat.fakes import START


class Told:
    """A journal in memory."""

    def __init__(self) -> None:
        self.fold = Fold()
        self.count = 0
        self.add(Kind.DECLARE, "gv0 is down", {"title": "gv0 is down", "severity": 1})

    def add(self, kind: Kind, text: str = "", data: dict[str, Any] | None = None, ref: Ref | None = None) -> Entry:
        self.count += 1
        at = START + timedelta(minutes=self.count)
        entry = Entry(
            journal="j",
            seq=self.count,
            incident="INC-1",
            kind=kind,
            at=at,
            recorded_at=at,
            text=text,
            author=Author(name="ana"),
            data=data or {},
            ref=ref,
        )
        self.fold.apply(entry)
        return entry

    def said(self, entry: Entry) -> str | None:
        made = self.composed(entry)
        return None if made is None else made.text(late=False)

    def composed(self, entry: Entry) -> Composed | None:
        row = self.fold.row(entry.id)
        assert row is not None
        about = self.fold.row(entry.ref) if entry.ref is not None else None
        return message(row, self.fold.incident("INC-1"), f"a{entry.seq}", demo=False, about=about)


def sink(*send: str, **more: Any) -> ChatSink:
    return ChatSink(name="ops", url_env="X", send=send, **more)


ENTRIES: dict[str, tuple[Kind, str, dict[str, Any]]] = {
    "declare": (Kind.DECLARE, "x", {"title": "x"}),
    "update": (Kind.UPDATE, "we repair", {"step": "posted", "audience": "public"}),
    "severity": (Kind.SEVERITY, "worse", {"level": 1, "was": 2}),
    "status": (Kind.STATUS, "", {"status": "mitigating"}),
    "commander": (Kind.ROLE, "", {"role": "commander", "step": "take", "who": "bob"}),
    "scribe": (Kind.ROLE, "", {"role": "scribe", "step": "take", "who": "dan"}),
    "milestone": (Kind.MILESTONE, "", {"name": "mitigated"}),
    "decision": (Kind.DECISION, "serve gv0 from web1", {}),
    "pin": (Kind.PIN, "", {"step": "pin"}),
    "unpin": (Kind.PIN, "", {"step": "unpin"}),
    "note": (Kind.NOTE, "hm", {}),
    "chat": (Kind.CHAT, "from the room", {}),
    "promise": (Kind.UPDATE, "", {"step": "promised", "audience": "public"}),
    "amend": (Kind.AMEND, "", {"text": "y"}),
}


@pytest.mark.parametrize(
    ("send", "gets"),
    [
        (("declare",), {"declare"}),
        (("update",), {"update"}),
        (("severity", "status"), {"severity", "status"}),
        (("commander",), {"commander"}),
        (("roles",), {"commander", "scribe"}),
        (("milestones",), {"milestone"}),
        (("decisions",), {"decision"}),
        (("pinned",), {"pin"}),
        (("all",), set(ENTRIES) - {"chat", "amend", "unpin"}),
        ((), set()),
    ],
)
def test_what_a_sink_gets(send: tuple[str, ...], gets: set[str]) -> None:
    told = Told()
    got = {name for name, (kind, text, data) in ENTRIES.items() if wanted(told.add(kind, text, data), sink(*send))}
    assert got == gets


def test_an_update_goes_to_those_who_hear_its_audience() -> None:
    told = Told()
    for audience in ("internal", "public", "exec"):
        entry = told.add(Kind.UPDATE, "x", {"step": "posted", "audience": audience})
        assert wanted(entry, sink("update", audiences=(audience,)))
        others = tuple(one for one in ("internal", "public", "exec") if one != audience)
        assert not wanted(entry, sink("update", "all", audiences=others))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("update", "UPDATE (public) by ana: we repair"),
        ("severity", "SEV1 (was SEV2): worse"),
        ("status", "STATUS mitigating"),
        ("commander", "bob is incident commander."),
        ("scribe", "ROLE ana: scribe: dan"),
        ("decision", "DECISION ana: serve gv0 from web1"),
        ("note", "NOTE ana: hm"),
    ],
)
def test_the_words(name: str, words: str) -> None:
    told = Told()
    kind, text, data = ENTRIES[name]
    assert told.said(told.add(kind, text, data)) == f"[INC-1 a2] {words}"


def test_a_milestone_says_when() -> None:
    told = Told()
    assert told.said(told.add(Kind.MILESTONE, "", {"name": "mitigated"})) == "[INC-1 a2] MILESTONE mitigated: 03:12Z"
    unknown = told.add(Kind.MILESTONE, "", {"name": "started", "unknown": True})
    assert told.said(unknown) == "[INC-1 a3] MILESTONE started: unknown when"


def test_what_was_pinned_is_told_and_not_once_it_is_unpinned_or_struck() -> None:
    told = Told()
    note = told.add(Kind.NOTE, "the good copy is on web1")
    pin = told.add(Kind.PIN, "", {"step": "pin"}, note.id)
    assert told.said(pin) == "[INC-1 a3] PINNED by ana: NOTE ana: the good copy is on web1"
    told.add(Kind.PIN, "", {"step": "unpin"}, note.id)
    assert told.said(pin) is None
    told.add(Kind.PIN, "", {"step": "pin"}, note.id)
    told.add(Kind.STRIKE, "", {"step": "strike"}, note.id)
    assert told.said(pin) is None


def test_what_was_struck_does_not_go_out() -> None:
    told = Told()
    entry = told.add(Kind.DECISION, "reboot all")
    told.add(Kind.STRIKE, "", {"step": "strike"}, entry.id)
    assert told.said(entry) is None


def test_a_drill_is_marked() -> None:
    told = Told()
    told.fold = Fold()
    entry = told.add(Kind.DECLARE, "x", {"title": "x", "drill": True})
    assert (told.said(entry) or "").startswith("DRILL [INC-1 a2] DECLARED")


def test_several_go_as_one_with_a_line_each_and_what_has_lines_of_its_own_goes_alone() -> None:
    told = Told()
    made = [told.composed(told.add(Kind.NOTE, f"note {number}")) for number in range(3)]
    made.append(told.composed(told.add(Kind.EVIDENCE, "two\nlines")))
    found = [one for one in made if one is not None]
    text, count = together(found, SLACK)
    assert count == 3 and text.split("\n") == [
        "[INC-1] 3 messages that had to wait:",
        "03:12Z [INC-1 a2] NOTE ana: note 0",
        "03:13Z [INC-1 a3] NOTE ana: note 1",
        "03:14Z [INC-1 a4] NOTE ana: note 2",
    ]
    assert together(found[3:] + found, SLACK) == ("", 1)
