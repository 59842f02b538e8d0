"""The break-glass card in the chat, and the one beside the journal that the watch keeps current."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from incident_tui.fleet.settings import Fleet
from incident_tui.hosts.settings import Thresholds
from incident_tui.incident.entry import Author, Entry, Kind, Ref
from incident_tui.incident.finding import Finding, Level
from incident_tui.incident.settings import Command, Person, Roster
from incident_tui.incident.state import Fold
from incident_tui.report.card import RULE
from incident_tui.watch.cards import Cards
from incident_tui.watch.chat.compose import message, wanted
from incident_tui.watch.plan import Plan
from incident_tui.watch.settings import ChatSink, Watch

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class Kept:
    """Cards of one incident; `at` seconds after noon, and what the card then says."""

    def __init__(self, directory: Path) -> None:
        self.fold = Fold()
        self.seq = 0
        self.path = directory / "cards" / "INC-1.txt"
        person = Person(name="bob", contact="+254 700")
        roster = Roster(name="ops", first="2026-01-05", people=("bob",))
        command = Command(recovery=("ssh root@web1",))
        plan = Plan(
            directory=directory,
            letter="a",
            hosts=(),
            sites=(),
            chat=(),
            fleet=Fleet(),
            thresholds=Thresholds(),
            watch=Watch(),
            command=command,
            people=(person,),
            rosters=(roster,),
        )
        self.cards = Cards(plan, lambda ref: f"a{ref.seq}")

    def say(self, kind: Kind, text: str = "", **data: Any) -> None:
        self.seq += 1
        at = NOON + timedelta(seconds=self.seq)
        self.fold.apply(Entry("j", self.seq, kind, at, at, Author("ana"), text=text, incident="INC-1", data=data))

    def at(self, seconds: float, *sentences: str) -> str:
        now = NOON + timedelta(seconds=seconds)
        found = [Finding("gluster.brick-down", Level.CRIT, one, one, now) for one in sentences]
        self.cards.keep(self.fold.incidents(), found, self.seq, now)
        self.cards._thread.submit(int).result()  # what was asked for is written
        return self.path.read_text() if self.path.exists() else ""


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    made = Kept(tmp_path)
    made.say(Kind.DECLARE, title="gv0", severity=1)
    yield made
    made.cards.close()


def test_it_tells_whom_to_call_how_to_get_in_and_what_is_wrong_as_of_when(kept: Kept) -> None:
    said = kept.at(0, "gv0: brick down")
    for part in ("bob (on call ops): +254 700", "ssh root@web1", "NOW (as of 12:00Z): X gv0: brick down", RULE):
        assert part in said


def test_it_follows_entries_and_what_is_wrong_but_not_each_second(kept: Kept) -> None:
    kept.at(0)
    kept.say(Kind.STATUS, "restarting", status="mitigating")
    assert "mitigating" not in kept.at(14)
    assert "mitigating" in kept.at(16)
    assert "brick down" in kept.at(32, "brick down")


def test_it_is_made_anew_now_and_then_though_nothing_came(kept: Kept) -> None:
    kept.at(0)
    assert "as of 2026-11-23 12:00Z" in kept.at(299)
    assert "as of 2026-11-23 12:05Z" in kept.at(301)


def test_a_card_into_which_somebody_writes_stays_theirs(kept: Kept) -> None:
    kept.at(0)
    with kept.path.open("a") as file:
        file.write("12:01 ! cut web3 off\n")
    kept.say(Kind.STATUS, status="mitigating")
    said = kept.at(60)
    assert said.endswith("cut web3 off\n") and "mitigating" not in said


def test_of_an_ended_incident_the_end_is_the_last_that_is_written(kept: Kept) -> None:
    kept.at(0)
    kept.say(Kind.MILESTONE, name="closed")
    assert "closed" in kept.at(20)
    kept.path.unlink()
    kept.say(Kind.NOTE, "late")
    assert kept.at(400) == ""


def test_a_full_disk_is_told_once_and_it_goes_on(
    kept: Kept, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> Path:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("incident_tui.watch.cards.leave", full)
        kept.at(0)
        kept.at(400)
    assert [one.getMessage() for one in caplog.records] == [
        "no break-glass card can be written: No space left on device"
    ]
    assert "BREAK-GLASS" in kept.at(800)


def entry(**data: Any) -> Entry:
    return Entry("j", 2, Kind.CHAT, NOON, NOON, Author("ana"), text="break-glass card", incident="INC-1", data=data)


def sink(*send: str, audiences: tuple[str, ...] = ("internal",)) -> ChatSink:
    return ChatSink(name="ops", url_env="X", send=send, audiences=audiences)


def test_only_who_takes_the_card_gets_it_and_nothing_else_of_the_chat_goes_back() -> None:
    assert wanted(entry(card="CALL"), sink("update", "card"))
    assert not wanted(entry(card="CALL"), sink("update"))
    assert not wanted(entry(card="CALL"), sink("card", audiences=("public",))), "it has telephone numbers"
    assert not wanted(entry(), sink("card")), "what somebody said there"


def test_a_purged_card_is_not_sent(kept: Kept) -> None:
    one = entry(card="CALL bob")
    kept.fold.apply(one)
    incident = kept.fold.incident("INC-1")
    row = kept.fold.row(Ref("j", 2))
    assert row is not None
    made = message(row, incident, "a2", demo=False)
    assert made is not None and made.text(late=False) == "[INC-1 a2] break-glass card\nCALL bob"
    gone = msgspec.structs.replace(row, entry=msgspec.structs.replace(one, text="", data={}, purged=True))
    assert message(gone, incident, "a2", demo=False) is None


def test_it_reaches_the_chat_whole_in_order_and_without_secrets(
    staged: Callable[..., Any], until: Callable[..., Any], program: Any
) -> None:
    one = staged("healthy")
    where = (*one.words, "--as", "ana")
    program("declare", "gv0 split-brain", *where)
    for number in range(30):
        program("log", f"! looked at brick {number} with --password=hunter2secret", *where)
    done = program("card", "--chat", *where)
    assert "NOBODY IS WATCHING" in done.stderr
    assert "hunter2secret" not in done.stderr
    one.watch("--service")
    until(lambda: "LAST (newest first)" in one.stage.chat())
    said = until(lambda: (text := one.stage.chat()).count("break-glass card, part") >= 2 and text)
    assert said.index("part 1 of") < said.index("part 2 of") and "hunter2secret" not in said
    assert "noc +1 555 0100" in said and RULE not in said
    assert "the watch posts it" in program("card", "--chat", *where).stderr


def test_without_a_place_that_takes_it_that_is_said(program: Any, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[[chat]]\nname = "status"\nurl_env = "X_URL"\nsend = ["update"]\n')
    where = ("--config", str(config), "--journal", str(tmp_path / "journal"))
    program("declare", "gv0", *where)
    assert 'or "card" to its send' in program("card", "--chat", *where, check=2).stderr
    assert "break-glass" not in program("show", *where).stdout
