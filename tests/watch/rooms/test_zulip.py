"""Zulip's event queue, against a fake that Zulip's own client understands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import zulip

from incident_tui.incident.entry import Kind
from incident_tui.watch.rooms.settings import Room
from tests.watch.rooms.fake_zulip import BOT, CHANNEL, OTHER, FakeZulip
from tests.watch.rooms.kit import HOSTILE, TOKEN, reading, settled, until

ANA, BOB = 11, 12


@pytest.fixture
async def chat(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeZulip]:
    monkeypatch.setenv("ITUI_TEST_ROOM", TOKEN)
    async with FakeZulip(TOKEN) as fake:
        yield fake


def room(chat: FakeZulip, **more: Any) -> Room:
    settings: dict[str, Any] = {"take": ("all",), "people": {str(ANA): "ana"}, **more}
    return Room(
        name="ops",
        kind="zulip",
        server=chat.url,
        account=BOT,
        channels=("incidents",),
        token_env="ITUI_TEST_ROOM",
        **settings,
    )


async def test_zulips_own_client_reads_the_fake_as_ours_does(chat: FakeZulip, tmp_path: Path) -> None:
    def client() -> zulip.Client:
        return zulip.Client(email=BOT, api_key=TOKEN, site=chat.url)

    theirs = await asyncio.to_thread(client)
    made = await asyncio.to_thread(theirs.register, event_types=["message"], apply_markdown=False)
    before = chat.say(ANA, "gv0 is read-only")
    found = await asyncio.to_thread(
        lambda: theirs.get_events(queue_id=made["queue_id"], last_event_id=made["last_event_id"], dont_block=True)
    )
    assert [event["message"]["content"] for event in found["events"]] == ["gv0 is read-only"]
    request = {"anchor": before - 1, "num_before": 0, "num_after": 10, "narrow": [["stream", "incidents"]]}
    listed = await asyncio.to_thread(theirs.get_messages, request)
    assert [message["id"] for message in listed["messages"]] == [before]
    names = await asyncio.to_thread(theirs.get_subscriptions)
    assert [one["name"] for one in names["subscriptions"]] == ["incidents", "lunch"]
    chat.forget()
    gone = await asyncio.to_thread(
        lambda: theirs.get_events(queue_id=made["queue_id"], last_event_id=made["last_event_id"], dont_block=True)
    )
    assert gone["code"] == "BAD_EVENT_QUEUE_ID"
    async with reading(tmp_path, room(chat)) as one:
        chat.say(ANA, "gv0 is read-only")
        await settled(one, "gv0 is read-only")


async def test_what_is_said_edited_deleted_and_marked(chat: FakeZulip, tmp_path: Path) -> None:
    before = chat.say(ANA, "before anybody read")
    elsewhere = chat.say(ANA, "in another channel", channel=OTHER)
    async with reading(tmp_path, room(chat, take=("reaction", "prefix", "thread"))) as one:
        first = chat.say(ANA, "!log gv0 is read-only", topic="storage")
        chat.say(BOB, "lunch?", topic="lunch")
        chat.say(BOB, "!log lunch!", channel=OTHER)
        await settled(one, "gv0 is read-only")
        chat.edit(first, "!log gv0 is read-only on web2")
        gone = chat.say(BOB, f"{HOSTILE}", topic="storage")
        await until(lambda: len(one.held.said()) == 2)
        chat.delete(gone)
        chat.react(BOB, elsewhere, "pushpin")
        chat.react(BOB, before, "pushpin")
        await until(lambda: len(one.held.said()) == 3)
        said = one.held.said()
        assert sorted(said)[1:] == ["before anybody read", "gv0 is read-only on web2"]
        assert sorted(said)[0].startswith("(") and "\x1b" not in sorted(said)[0]
        assert {row.entry.author.name for row in one.held.rows()} == {"ana", "person-12"}


async def test_a_queue_outlives_the_watch_and_the_server_a_queue(chat: FakeZulip, tmp_path: Path) -> None:
    async with reading(tmp_path, room(chat)) as one:
        first = chat.say(ANA, "one")
        await settled(one, "one")
    chat.edit(first, "one!")
    chat.say(ANA, "two")
    async with reading(tmp_path, room(chat)) as one:
        await settled(one, "one!", "two")
        assert len(chat.queues) == 1
        await chat.stop()
        chat.forget()
        await until(lambda: not one.well)
        texts = [f"number {number}" for number in range(1_300)]
        for text in texts:
            chat.say(BOB, text)
        chat.edit(first, "one!!")
        chat.say(BOB, "elsewhere", channel=OTHER)
        await chat.start()
        await settled(one, "one!!", "two", *texts)
        assert one.well and not one.held.rows(Kind.GAP)


async def test_a_queue_that_is_forgotten_while_we_wait(chat: FakeZulip, tmp_path: Path) -> None:
    async with reading(tmp_path, room(chat)) as one:
        chat.say(ANA, "one")
        await settled(one, "one")
        queues = chat.queues.copy()
        chat.queues.clear()
        chat.say(ANA, "two")
        assert queues
        await settled(one, "one", "two")


async def test_twice_told_is_once_written(chat: FakeZulip, tmp_path: Path) -> None:
    chat.twice = True
    async with reading(tmp_path, room(chat)) as one:
        first = chat.say(ANA, "one")
        chat.edit(first, "one!")
        chat.say(BOB, "two")
        await settled(one, "one!", "two")
        assert one.held.amendments() == 1


async def test_a_line_of_inc_is_answered_in_the_topic(chat: FakeZulip, tmp_path: Path) -> None:
    async with reading(tmp_path, room(chat, allow=(str(ANA),))) as one:
        chat.say(ANA, "/inc sev 1 @**all** down", topic="storage")
        (answer,) = await until(lambda: [each for each in chat.messages.values() if each["sender_id"] == 99])
        assert answer["subject"] == "storage" and answer["stream_id"] == CHANNEL and "@**" not in answer["content"]
        assert [row.entry.data["level"] for row in one.held.rows(Kind.SEVERITY)] == [1]
        chat.say(BOB, "two")
        await settled(one, "two")


async def test_too_many_requests_are_waited_out(chat: FakeZulip, tmp_path: Path) -> None:
    chat.refuse = 3
    async with reading(tmp_path, room(chat)) as one:
        chat.say(ANA, "one")
        await settled(one, "one")


@pytest.mark.parametrize("what", ["key", "subscribed"])
async def test_what_cannot_be_read_is_said_in_one_sentence(chat: FakeZulip, tmp_path: Path, what: str) -> None:
    if what == "key":
        chat.key = "another"
        words = "the account or its key is not accepted (401 Invalid API key)"
    else:
        chat.subscribed = False
        words = "incidents: the bot is not subscribed to this channel"
    async with reading(tmp_path, room(chat), up=False) as one:
        await until(lambda: words in one.problem)
        assert one.held.slept[0] >= 30 and TOKEN not in one.problem
