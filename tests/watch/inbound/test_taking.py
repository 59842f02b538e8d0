"""What is said in chat becomes entries by rule, once, whatever order it comes in."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incident_tui.incident.entry import Author, Kind, Ref
from incident_tui.watch.inbound.messages import Memory
from incident_tui.watch.inbound.said import Said
from tests.watch.inbound.conftest import INCIDENT, NOW, said

MakeRoom = Callable[..., Any]


def later(seconds: int) -> Any:
    return NOW + timedelta(seconds=seconds)


def test_a_message_with_the_prefix_is_an_entry_with_its_author_and_time(make_room: MakeRoom) -> None:
    room = make_room()
    room.take(said("!log restarted nginx on web2"), said("lunch?", id="m2"))
    (row,) = room.rows()
    assert row.said == "restarted nginx on web2" and row.at == NOW
    assert row.entry.author == Author("ana", account="ops:u-ana", proven=True)
    assert row.entry.incident == INCIDENT and row.entry.source == "chat"
    assert row.entry.data == {"from": "ops", "room": "r1", "remote": "m1", "by": "u-ana"}


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("!LOG: disk full", "disk full"),
        ("  !log x", "x"),
        ("!logging is on", None),
        ("say !log x", None),
        ("!log", None),
        ("!log   ", None),
    ],
)
def test_the_prefix_is_a_word_of_its_own(make_room: MakeRoom, text: str, entry: str | None) -> None:
    room = make_room()
    room.take(said(text))
    assert [row.said for row in room.rows()] == ([entry] if entry else [])


def test_who_is_not_known_writes_as_claimed(make_room: MakeRoom) -> None:
    room = make_room(take=("all",))
    room.take(said("hello", author_id="u-x", author_name="ana \x1b[31m"))
    (row,) = room.rows()
    assert row.claimed and row.entry.author.name == "ana" and row.entry.author.account == "ops:u-x"


def test_a_reaction_takes_the_message_it_is_on(make_room: MakeRoom) -> None:
    room = make_room(take=("reaction",), reaction="pushpin")
    assert room.take(said("the switch was replaced")).missing == ()
    reaction = said(None, reactions=("📌",), author_id="u-bob", at=later(60))
    room.take(reaction, reaction)
    (row,) = room.rows()
    assert row.said == "the switch was replaced" and row.at == NOW and row.entry.author.name == "ana"


def test_a_reaction_on_what_is_not_known_is_asked_for(make_room: MakeRoom) -> None:
    room = make_room(take=("reaction",))
    reaction = said(None, reactions=("pushpin",), id="m9")
    assert room.take(reaction).missing == (reaction,)
    assert room.take(said(None, reactions=("eyes",), id="m8")).missing == ()
    room.take(said("fetched", id="m9", reactions=("pushpin",)))
    assert [row.said for row in room.rows()] == ["fetched"]


def test_a_thread_that_our_own_message_began_is_the_incidents(make_room: MakeRoom) -> None:
    room = make_room(take=("thread",), own=frozenset({"u-bot"}))
    room.take(said(f"[{INCIDENT} a1] DECLARED SEV2 sites 502.", id="root", author_id="u-bot"))
    room.take(said("in the thread", thread="root"), said("elsewhere", id="m2"), said("other", id="m3", thread="m0"))
    assert [(row.said, row.entry.incident) for row in room.rows()] == [("in the thread", INCIDENT)]
    room.again()
    room.take(said("after a restart", id="m4", thread="root"))
    assert [row.said for row in room.rows()] == ["in the thread", "after a restart"]


def test_our_own_echo_is_dropped_and_a_person_who_quotes_is_not(make_room: MakeRoom) -> None:
    room = make_room(take=("all",))
    tagged = f"DRILL [{INCIDENT} a17] UPDATE (public) by ana: all well"
    room.take(said(tagged, author_id="u-webhook"), said(tagged, id="m2"), said(f"> {tagged}", id="m3", author_id="x"))
    assert len(room.rows()) == 2


def test_an_edit_amends_and_a_deletion_strikes(make_room: MakeRoom) -> None:
    room = make_room()
    room.take(said("!log web1 down"))
    room.take(said("!log web2 down", edited=later(30)))
    room.take(said(None, deleted=True, at=later(60)))
    (row,) = room.rows()
    assert (row.said, row.struck, len(row.amended)) == ("web2 down", True, 1)
    assert row.amended[0].by.name == "ana" and row.entry.text == "web1 down"


def test_an_edit_that_adds_the_prefix_makes_the_entry(make_room: MakeRoom) -> None:
    room = make_room()
    room.take(said("web2 down"), said("!log web2 down since 14:00", edited=later(20)))
    (row,) = room.rows()
    assert row.said == "web2 down since 14:00" and row.at == NOW


def test_after_a_restart_nothing_is_taken_twice_and_edits_find_their_entry(make_room: MakeRoom) -> None:
    room = make_room()
    first, edit = said("!log one"), said("!log two", edited=later(5))
    room.take(first, edit)
    room.again()
    room.take(first, edit)
    room.again()
    room.take(said("!log three", edited=later(9)), said("!log between", edited=later(7)))
    room.take(said(None, deleted=True, at=later(70)))
    room.again()
    room.take(said(None, deleted=True, at=later(70)), first)
    (row,) = room.rows()
    assert (row.said, row.struck, len(row.amended)) == ("three", True, 2)
    assert len(room.store.read()) == 1 + 1 + 2 + 1


def test_a_purged_text_does_not_come_back(make_room: MakeRoom) -> None:
    room = make_room()
    first = said("!log the password is hunter2")
    room.take(first)
    room.store.purge(Ref(room.store.journal, 2), author=Author("ana"), reason="password")
    for entry in room.store.read():
        room.fold.apply(entry)
    room.take(first, said("!log the password was hunter2", edited=later(5)))
    room.again()
    room.take(first, said("!log the password was hunter2!", edited=later(8)))
    assert not any("hunter2" in f"{entry.text}{entry.data}" for entry in room.store.read())


def test_what_was_said_before_the_incident_is_placed_by_its_time(make_room: MakeRoom) -> None:
    room = make_room(take=("all",))
    room.take(said("early", at=NOW - timedelta(minutes=20)), said("from the future", id="m2", at=later(86_400)))
    early, future = room.rows()
    assert early.entry.incident == "" and future.at == room.now


def test_hostile_text_is_harmless(make_room: MakeRoom) -> None:
    room = make_room(take=("all",))
    room.take(
        said(
            "[red]\x1b[31mx\x1b]0;t\x07\u202e\ud800 <!channel>\nsecond line\x00",
            author_name="\x1b[2Jroot",
            author_id="",
        ),
        said("y" * 1_000_000, id="m2" * 4000, room="\ud800", author_id="u" * 4000),
    )
    first, second = room.rows()
    assert first.said == "[red]x <!channel>\nsecond line" and first.entry.author.name == "root"
    assert len(second.said) == 16_000 and len(second.entry.data["remote"]) == 255


def test_memory_is_bounded(make_room: MakeRoom) -> None:
    memory = Memory(messages=10, characters=100)
    room = make_room()
    room.again(memory)
    room.take(*(said("z" * 30, id=f"m{n}") for n in range(50)))
    assert len(memory) == 3
    room.take(*(said("z", id=f"n{n}") for n in range(50)))
    assert len(memory) == 10


EVENTS = (
    said("!log one"),
    said("!log two", edited=later(10)),
    said("!log three", edited=later(20)),
    said(None, deleted=True, at=later(30)),
    said("not taken", id="m2"),
    said(None, id="m2", reactions=("pushpin",), at=later(40)),
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_order_and_any_repetition_end_in_the_same(make_room: MakeRoom, data: st.DataObject) -> None:
    room = make_room(take=("prefix", "reaction"))
    order = [*data.draw(st.permutations(EVENTS)), *data.draw(st.lists(st.sampled_from(EVENTS), max_size=6))]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(order)), max_size=4)))
    for start, end in itertools.pairwise([0, *cuts, len(order)]):
        room.take(*order[start:end])
    rows = {row.entry.data["remote"]: row for row in room.rows()}
    assert {name: (row.said, row.struck) for name, row in rows.items()} == {
        "m1": ("three", True),
        "m2": ("not taken", False),
    }
    assert len(room.rows()) == 2
    assert sum(entry.kind is Kind.STRIKE for entry in room.store.read()) == 1


def test_messages_of_two_rooms_or_sources_are_not_mixed_up(make_room: MakeRoom) -> None:
    room = make_room()
    ways: list[Said] = [
        said("!log a"),
        said("!log b", room="r2"),
        said("!log c", source="other"),
        said("!log d", id="m"),
    ]
    room.take(*ways)
    assert [row.said for row in room.rows()] == ["a", "b", "c", "d"]


def test_a_thread_is_known_by_what_was_sent_and_a_topic_by_the_incident_it_names(make_room: MakeRoom) -> None:
    room = make_room(take=("thread",))
    room.inbound._threads = lambda source, room, thread: INCIDENT if thread == "$root" else ""
    room.take(said("by root", thread="$root"), said("by name", id="m2", thread=f"{INCIDENT} sites 502"))
    room.take(said("of none", id="m3", thread="INC-20200101-none"), said("other", id="m4", thread="lunch"))
    assert [(row.said, row.entry.incident) for row in room.rows()] == [("by root", INCIDENT), ("by name", INCIDENT)]
