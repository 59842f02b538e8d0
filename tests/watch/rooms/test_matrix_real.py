"""A real Matrix server is read: every message exactly one entry, whatever is stopped and started."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from incident_tui.incident.entry import Kind
from incident_tui.watch.rooms.settings import Room
from tests.synapse import Account, Synapse, quoted
from tests.watch.rooms.kit import HOSTILE, reading, settled, until

pytestmark = pytest.mark.lab


class Chat:
    """A room with people in it, and the bot that reads it."""

    def __init__(self, server: Synapse, monkeypatch: pytest.MonkeyPatch, **more: Any) -> None:
        self.server = server
        self.ana, self.bob, self.bot = (server.account(name) for name in ("ana", "bob", "bot"))
        self.room = server.room(self.ana, self.bob, self.bot)
        monkeypatch.setenv("ITUI_TEST_ROOM", self.bot.token)
        people = {self.ana.user: "ana"}
        self.settings = Room(
            name="ops",
            kind="matrix",
            server=server.url,
            channels=(self.room,),
            token_env="ITUI_TEST_ROOM",
            people=people,
            **{"take": ("all",), **more},
        )
        self._sent = 0

    async def event(self, who: Account, kind: str, content: dict[str, Any]) -> str:
        self._sent += 1
        path = f"/_matrix/client/v3/rooms/{quoted(self.room)}/send/{kind}/t{id(self)}-{self._sent}"
        found = await asyncio.to_thread(self.server.ask, "PUT", path, content, token=who.token)
        return str(found["event_id"])

    async def say(self, who: Account, text: str, **more: Any) -> str:
        return await self.event(who, "m.room.message", {"msgtype": "m.text", "body": text, **more})

    async def edit(self, who: Account, ident: str, text: str) -> str:
        content = {"msgtype": "m.text", "body": text}
        relates = {"rel_type": "m.replace", "event_id": ident}
        return await self.say(who, f"* {text}", **{"m.new_content": content, "m.relates_to": relates})

    async def react(self, who: Account, ident: str, key: str) -> str:
        relates = {"rel_type": "m.annotation", "event_id": ident, "key": key}
        return await self.event(who, "m.reaction", {"m.relates_to": relates})

    async def redact(self, who: Account, ident: str) -> None:
        self._sent += 1
        path = f"/_matrix/client/v3/rooms/{quoted(self.room)}/redact/{quoted(ident)}/r{id(self)}-{self._sent}"
        await asyncio.to_thread(self.server.ask, "PUT", path, {}, token=who.token)


async def test_what_is_said_edited_and_redacted(
    synapse: Synapse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    chat = Chat(synapse, monkeypatch)
    await chat.say(chat.ana, "before anybody read")
    async with reading(tmp_path, chat.settings) as one:
        first = await chat.say(chat.ana, "gv0 is read-only")
        second = await chat.say(chat.bob, "wrong room, sorry")
        await settled(one, "gv0 is read-only", "wrong room, sorry")
        await chat.edit(chat.ana, first, "gv0 is read-only on web2")
        await chat.redact(chat.bob, second)
        await settled(one, "gv0 is read-only on web2", "(wrong room, sorry)")
        # Nobody edits what another wrote, though the server passes it on.
        await chat.edit(chat.bob, first, "all is well")
        await chat.say(chat.bob, HOSTILE)
        await until(lambda: len(one.held.said()) == 3)
        assert one.held.said()[0] == "gv0 is read-only on web2"
        assert "\x1b" not in one.held.said()[2] and "\u202e" not in one.held.said()[2]
        ana, bob = (row.entry.author for row in one.held.rows()[:2])
        assert (ana.name, ana.proven) == ("ana", True)
        assert bob.name.startswith("bob") and not bob.proven


async def test_a_mark_takes_what_was_said_before_and_a_thread_is_one_incidents(
    synapse: Synapse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    chat = Chat(synapse, monkeypatch, take=("reaction", "thread", "prefix"))
    before = await chat.say(chat.ana, "brick 3 has no space")
    async with reading(tmp_path, chat.settings) as one:
        await chat.say(chat.bob, "lunch?")
        await chat.react(chat.bob, before, "📌")
        await settled(one, "brick 3 has no space")
        thread = {"rel_type": "m.thread", "event_id": before, "is_falling_back": True}
        await chat.say(chat.bob, "deleting the old logs", **{"m.relates_to": thread})
        await chat.say(chat.bob, "!log 40 G are free")
        await settled(one, "brick 3 has no space", "deleting the old logs", "40 G are free")


async def test_a_line_of_inc_is_carried_out_for_those_allowed_and_answered_there(
    synapse: Synapse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    chat = Chat(synapse, monkeypatch)
    settings = {**{name: getattr(chat.settings, name) for name in chat.settings.__struct_fields__}}
    room = Room(**{**settings, "allow": (chat.ana.user,)})
    async with reading(tmp_path, room) as one:
        await chat.say(chat.ana, "!inc sev 1 all sites are down")
        await chat.say(chat.bob, "!inc sev 4 calm down")
        await until(lambda: len(answers(synapse, chat)) == 2)
        changed = one.held.rows(Kind.SEVERITY)
        assert [row.entry.data["level"] for row in changed] == [1] and changed[0].entry.author.name == "ana"
        said = answers(synapse, chat)
        assert "SEV" in said[0] and "not among those" in said[1]
    # Its own answers never come back as entries.
    async with reading(tmp_path, room) as one:
        await chat.say(chat.bob, "later")
        await until(lambda: one.held.said()[-1:] == ["later"])
        assert not any("not among those" in text for text in one.held.said())


def answers(server: Synapse, chat: Chat) -> list[str]:
    found = server.messages(chat.room, chat.ana)
    return [event["content"]["body"] for event in found if event["sender"] == chat.bot.user]


async def test_what_was_said_while_nobody_read_is_read_back_across_a_limited_sync(
    synapse: Synapse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    chat = Chat(synapse, monkeypatch)
    async with reading(tmp_path, chat.settings) as one:
        first = await chat.say(chat.ana, "number 0")
        await settled(one, "number 0")
    texts = [f"number {number}" for number in range(1, 130)]
    for text in texts:
        await chat.say(chat.bob, text)
    await chat.edit(chat.ana, first, "number zero")
    async with reading(tmp_path, chat.settings) as one:
        await until(lambda: len(one.held.said()) >= 130)
        await settled(one, "number zero", *texts)
        assert not one.held.rows(Kind.GAP)


async def test_the_server_is_stopped_and_started_and_the_watch_is_killed(
    synapse: Synapse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    chat = Chat(synapse, monkeypatch)
    async with reading(tmp_path, chat.settings) as one:
        await chat.say(chat.ana, "one")
        await settled(one, "one")
        await asyncio.to_thread(synapse.stop)
        await until(lambda: not one.well)
        assert "cannot connect" in one.problem or "broke" in one.problem
        await asyncio.to_thread(synapse.start)
        await chat.say(chat.ana, "two")
        await settled(one, "one", "two")
        assert one.well
        await chat.say(chat.ana, "three")  # the watch dies with this on its way
    await chat.say(chat.ana, "four")
    async with reading(tmp_path, chat.settings) as one:
        await chat.say(chat.ana, "five")
        await settled(one, "one", "two", "three", "four", "five")
        assert not one.held.rows(Kind.GAP)


async def test_what_is_longer_ago_than_wanted_is_a_gap(
    synapse: Synapse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    chat = Chat(synapse, monkeypatch, back_fill_hours=1e-6)
    async with reading(tmp_path, chat.settings):
        pass
    for number in range(130):
        await chat.say(chat.bob, f"number {number}")
    async with reading(tmp_path, chat.settings) as one:
        gap = (await until(lambda: one.held.rows(Kind.GAP)))[0]
        assert gap.entry.data["what"] == "chat" and "back_fill_hours" in gap.text
        await chat.say(chat.bob, "the end")
        await until(lambda: one.held.said()[-1:] == ["the end"])


async def test_a_token_of_another_server_reads_back_by_time(
    synapse: Synapse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    chat = Chat(synapse, monkeypatch)
    async with reading(tmp_path, chat.settings) as one:
        await chat.say(chat.ana, "one")
        await settled(one, "one")
        place = one.reader.feed.place
        assert place is not None
    for number in range(3):
        await chat.say(chat.bob, f"number {number}")
    async with reading(tmp_path / "other", chat.settings) as one:
        pass
    from msgspec.structs import replace

    async with reading(tmp_path, chat.settings, up=False) as one:
        one.held.cursors.put("ops", replace(place, token="s999_of_another"))
        await settled(one, "one", "number 0", "number 1", "number 2")


@pytest.mark.parametrize("what", ["encrypted", "token", "nobody"])
async def test_what_cannot_be_read_is_said_in_one_sentence(
    synapse: Synapse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, what: str
) -> None:
    chat = Chat(synapse, monkeypatch)
    if what == "encrypted":
        room = synapse.room(chat.ana, chat.bot, encrypted=True)
        settings = Room(name="ops", kind="matrix", server=synapse.url, channels=(room,), token_env="ITUI_TEST_ROOM")
        words = "is encrypted, which this program cannot read"
    elif what == "token":
        monkeypatch.setenv("ITUI_TEST_ROOM", "planted-secret-token")
        settings, words = chat.settings, "the token is not accepted (401 M_UNKNOWN_TOKEN"
    else:
        settings = Room(
            name="ops", kind="matrix", server=synapse.url, channels=("#none:localhost",), token_env="ITUI_TEST_ROOM"
        )
        words = "#none:localhost: there is no such room"
    async with reading(tmp_path, settings, up=False) as one:
        await until(lambda: words in one.problem)
        assert "planted" not in one.problem and one.held.slept[0] >= 30
