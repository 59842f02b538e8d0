"""Mattermost's websocket, against a fake that resumes and forgets as the server does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from incident_tui.incident.entry import Kind
from incident_tui.watch.rooms.settings import Room
from tests.watch.rooms.fake_mattermost import CHANNEL, OTHER, FakeMattermost
from tests.watch.rooms.kit import HOSTILE, TOKEN, reading, settled, until

ANA, BOB = "ana" + "a" * 23, "bob" + "b" * 23


@pytest.fixture
async def chat(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeMattermost]:
    monkeypatch.setenv("ITUI_TEST_ROOM", TOKEN)
    async with FakeMattermost(TOKEN) as fake:
        yield fake


def room(chat: FakeMattermost, **more: Any) -> Room:
    settings: dict[str, Any] = {"take": ("all",), "people": {ANA: "ana"}, **more}
    return Room(
        name="ops",
        kind="mattermost",
        server=chat.url,
        channels=(CHANNEL,),
        token_env="ITUI_TEST_ROOM",
        **settings,
    )


async def test_what_is_said_edited_deleted_and_marked(chat: FakeMattermost, tmp_path: Path) -> None:
    before = await chat.say(ANA, "before anybody read")
    async with reading(tmp_path, room(chat, take=("reaction", "prefix", "thread"))) as one:
        first = await chat.say(ANA, "!log gv0 is read-only")
        await chat.say(BOB, "lunch?")
        await chat.say(BOB, "!log elsewhere", channel=OTHER)
        await settled(one, "gv0 is read-only")
        await chat.edit(first, "!log gv0 is read-only on web2")
        await chat.say(BOB, "on it", root=first)
        gone = await chat.say(BOB, f"!log {HOSTILE}")
        await until(lambda: len(one.held.said()) == 3)
        await chat.delete(gone)
        await chat.react(BOB, before, "pushpin")
        await until(lambda: len(one.held.said()) == 4)
        said = one.held.said()
        assert said[:3] == ["before anybody read", "gv0 is read-only on web2", "on it"]
        assert said[3].startswith("(") and "\x1b" not in said[3]
        assert [row.entry.author.name for row in one.held.rows()] == ["ana", "ana", "bob", "bob"]


async def test_a_broken_connection_is_resumed_where_it_broke(chat: FakeMattermost, tmp_path: Path) -> None:
    async with reading(tmp_path, room(chat)) as one:
        await chat.say(ANA, "one")
        await settled(one, "one")
        lists = chat.asked.count(f"/api/v4/channels/{CHANNEL}/posts")
        chat.cut()
        await chat.say(ANA, "two")
        await settled(one, "one", "two")
        assert chat.asked.count(f"/api/v4/channels/{CHANNEL}/posts") == lists  # the connection gave it again


async def test_what_the_server_cannot_give_again_is_read_back(chat: FakeMattermost, tmp_path: Path) -> None:
    async with reading(tmp_path, room(chat)) as one:
        first = await chat.say(ANA, "one")
        await settled(one, "one")
        chat.cut()
        chat.forget()
        second = await chat.say(ANA, "two", tell=False)
        chat.posts[first] |= {"message": "one!", "edit_at": chat._now(), "update_at": chat._now()}
        await settled(one, "one!", "two")
        # An event is missing in the middle.
        assert chat.live is not None
        chat.live.next += 3
        await chat.say(BOB, "three", tell=False)
        await chat.say(BOB, "four")
        await settled(one, "one!", "two", "three", "four")
        await chat.delete(second)
        await settled(one, "one!", "(two)", "three", "four")


async def test_the_server_is_restarted_and_the_watch_is_killed(chat: FakeMattermost, tmp_path: Path) -> None:
    async with reading(tmp_path, room(chat)) as one:
        await chat.say(ANA, "one")
        await settled(one, "one")
        await chat.stop()
        chat.forget()
        await until(lambda: not one.well)
        await chat.say(ANA, "two", tell=False)
        await chat.start()
        await settled(one, "one", "two")
        await until(lambda: one.well)
    for number in range(1_100):
        await chat.say(BOB, f"number {number}", tell=False)
    async with reading(tmp_path, room(chat)) as one:
        await settled(one, "one", "two", *(f"number {number}" for number in range(1_100)))
        assert not one.held.rows(Kind.GAP)


async def test_twice_told_is_once_written(chat: FakeMattermost, tmp_path: Path) -> None:
    chat.twice = True
    async with reading(tmp_path, room(chat)) as one:
        first = await chat.say(ANA, "one")
        await chat.edit(first, "one!")
        await chat.say(BOB, "two")
        await settled(one, "one!", "two")
        assert one.held.amendments() <= 1


async def test_a_line_of_inc_is_answered_in_the_thread(chat: FakeMattermost, tmp_path: Path) -> None:
    async with reading(tmp_path, room(chat, allow=(ANA,))) as one:
        line = await chat.say(ANA, "/inc sev 1 @channel <!here> all down")
        await until(lambda: any(post["root_id"] == line for post in chat.posts.values()))
        (answer,) = (post for post in chat.posts.values() if post["root_id"] == line)
        assert "@channel" not in answer["message"] and "<!here>" not in answer["message"]
        assert [row.entry.data["level"] for row in one.held.rows(Kind.SEVERITY)] == [1]
        await chat.say(BOB, "two")
        await settled(one, "two")


async def test_too_many_requests_are_waited_out(chat: FakeMattermost, tmp_path: Path) -> None:
    chat.refuse = 3
    async with reading(tmp_path, room(chat)) as one:
        assert chat.refuse == 0
        await chat.say(ANA, "one")
        await settled(one, "one")


@pytest.mark.parametrize("what", ["token", "member"])
async def test_what_cannot_be_read_is_said_in_one_sentence(
    chat: FakeMattermost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    if what == "token":
        chat.token = "another"
        words = "the token is not accepted (401 Invalid session)"
    else:
        chat.member = False
        words = "the bot is not a member of this channel"
    async with reading(tmp_path, room(chat), up=False) as one:
        await until(lambda: words in one.problem)
        assert one.held.slept[0] >= 30 and TOKEN not in one.problem
