"""Slack's Socket Mode, against a fake that Slack's own client understands."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from incident_tui.incident.entry import Kind
from incident_tui.journal.errors import JournalError
from incident_tui.watch.rooms.settings import Room
from tests.watch.rooms.fake_slack import CHANNEL, TICKET, FakeSlack
from tests.watch.rooms.kit import APP, HOSTILE, TOKEN, Held, reading, settled, until


@pytest.fixture
async def chat(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeSlack]:
    monkeypatch.setenv("ITUI_TEST_BOT", TOKEN)
    monkeypatch.setenv("ITUI_TEST_APP", APP)
    async with FakeSlack(TOKEN, APP) as fake:
        yield fake


def room(chat: FakeSlack, **more: Any) -> Room:
    settings: dict[str, Any] = {"take": ("all",), "people": {"UANA": "ana"}, **more}
    return Room(
        name="ops",
        kind="slack",
        server=chat.url,
        channels=(CHANNEL,),
        token_env="ITUI_TEST_BOT",
        app_token_env="ITUI_TEST_APP",
        **settings,
    )


async def test_slacks_own_client_reads_the_fake_as_ours_does(chat: FakeSlack, tmp_path: Path) -> None:
    seen: list[tuple[str, dict[str, Any]]] = []

    async def listener(client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        seen.append((request.type, request.payload))
        await client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))

    web = AsyncWebClient(token=TOKEN, base_url=f"{chat.url}/api/")
    theirs = SocketModeClient(app_token=APP, web_client=web)
    theirs.socket_mode_request_listeners.append(listener)
    await theirs.connect()  # type: ignore[no-untyped-call]
    await chat.say("UANA", "gv0 is read-only")
    await chat.command("UANA", "sev 1 all down")
    await until(lambda: len(seen) == 2 and not chat.waiting)
    await theirs.disconnect()  # type: ignore[no-untyped-call]
    await theirs.close()  # type: ignore[no-untyped-call]
    assert [kind for kind, _ in seen] == ["events_api", "slash_commands"]
    assert seen[0][1]["event"]["text"] == "gv0 is read-only" and seen[1][1]["text"] == "sev 1 all down"
    history = await web.conversations_history(channel=CHANNEL, limit=10)
    assert history["messages"][0]["text"] == "gv0 is read-only"
    chat.sockets.clear()
    chat.messages.clear()
    async with reading(tmp_path, room(chat)) as one:
        await chat.say("UANA", "gv0 is read-only")
        await settled(one, "gv0 is read-only")
        assert not chat.waiting


async def test_what_is_said_edited_deleted_and_marked(chat: FakeSlack, tmp_path: Path) -> None:
    before = await chat.say("UANA", "before anybody read", tell=False)
    async with reading(tmp_path, room(chat, take=("reaction", "prefix", "thread"))) as one:
        first = await chat.say("UANA", "!log gv0 is read-only &amp; &lt;full&gt;")
        await chat.say("UBOB", "lunch?")
        await settled(one, "gv0 is read-only & <full>")
        await chat.edit(first, "!log gv0 is read-only on web2")
        await chat.say("UBOB", "on it", thread=first)
        gone = await chat.say("UBOB", f"!log {HOSTILE}")
        await until(lambda: len(one.held.said()) == 3)
        await chat.delete(gone)
        await chat.react("UBOB", before, "pushpin")
        await until(lambda: len(one.held.said()) == 4 and one.held.said()[3].startswith("("))
        said = one.held.said()
        assert said[:3] == ["before anybody read", "gv0 is read-only on web2", "on it"] and "\x1b" not in said[3]
        assert [row.entry.author.name for row in one.held.rows()] == ["ana", "ana", "bob", "bob"]


async def test_the_acknowledgement_does_not_wait_for_the_journal(chat: FakeSlack, tmp_path: Path) -> None:
    async with reading(tmp_path, room(chat)) as one:
        one.held.saving.problem = JournalError("the disk is full", transient=True)
        await chat.say("UANA", "one")
        await until(lambda: not chat.waiting)
        await until(lambda: "the disk is full" in one.problem)
        assert one.held.said() == []
        one.held.saving.problem = None
        await settled(one, "one")
        await until(lambda: one.well)
        one.held.saving.problem = JournalError("the disk is full", transient=True)
        await chat.say("UANA", "two")
        await until(lambda: not chat.waiting and one.problem)
    # Acknowledged and never saved: it is read back.
    async with reading(tmp_path, room(chat)) as one:
        await settled(one, "one", "two")


async def test_the_cursor_waits_for_what_was_missed(
    chat: FakeSlack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("incident_tui.watch.rooms.slack.OVERLAP", timedelta(0))
    async with reading(tmp_path, room(chat)) as one:
        await chat.say("UANA", "one")
        await settled(one, "one")
    await chat.say("UBOB", "two", tell=False)
    chat.answering.clear()
    async with reading(tmp_path, room(chat)) as one:
        await chat.say("UANA", "three")
        await settled(one, "one", "three")  # and dies before the answer came
    chat.answering.set()
    async with reading(tmp_path, room(chat)) as one:
        await settled(one, "one", "two", "three")


async def test_a_refresh_a_cut_and_a_restart_lose_nothing(chat: FakeSlack, tmp_path: Path) -> None:
    async with reading(tmp_path, room(chat)) as one:
        await chat.say("UANA", "one")
        await settled(one, "one")
        await chat.refresh()
        await chat.say("UANA", "two")
        await until(lambda: chat.connected == 2)
        assert one.well
        chat.cut()
        root = await chat.say("UANA", "three")
        await settled(one, "one", "two", "three")
        await chat.stop()
        await until(lambda: not one.well)
        await chat.say("UBOB", "four")
        await chat.start()
        await settled(one, "one", "two", "three", "four")
    for number in range(450):
        await chat.say("UBOB", f"number {number}", tell=False)
    await chat.say("UBOB", "in a thread", thread=root, tell=False)
    await chat.edit(root, "three!", tell=False)
    async with reading(tmp_path, room(chat)) as one:
        numbers = [f"number {number}" for number in range(450)]
        await settled(one, "one", "two", "three!", "four", *numbers, "in a thread")
        assert not one.held.rows(Kind.GAP)


async def test_what_slack_was_not_asked_for_is_a_gap(chat: FakeSlack, tmp_path: Path) -> None:
    async with reading(tmp_path, room(chat)) as one:
        await chat.say("UANA", "one")
        await settled(one, "one")
        place = await until(lambda: one.held.cursors.get("ops"))
    held = Held(tmp_path)
    held.cursors.put("ops", msgspec.structs.replace(place, at=place.at - timedelta(minutes=20)))
    held.close()
    async with reading(tmp_path, room(chat)) as one:
        await chat.say("UANA", "two")
        await settled(one, "one", "two")
        (gap,) = await until(lambda: one.held.rows(Kind.GAP))
        assert "is not complete from" in gap.text and "were not asked for" in gap.text


async def test_twice_told_is_once_written(chat: FakeSlack, tmp_path: Path) -> None:
    chat.twice = True
    async with reading(tmp_path, room(chat)) as one:
        first = await chat.say("UANA", "one")
        await chat.edit(first, "one!")
        await chat.say("UBOB", "two")
        await settled(one, "one!", "two")
        assert one.held.amendments() <= 1


async def test_a_slash_command_is_answered_to_its_writer_alone(chat: FakeSlack, tmp_path: Path) -> None:
    async with reading(tmp_path, room(chat, allow=("UANA",))) as one:
        await chat.command("UANA", "sev 1 <!channel> all down")
        await until(lambda: chat.sent)
        assert chat.sent[0]["user"] == "UANA" and "<!channel>" not in chat.sent[0]["text"]
        await chat.command("UBOB", "sev 4")
        await chat.say("UANA", "!inc note web2 rebooted")
        await until(lambda: len(chat.sent) == 3)
        assert "not among those" in chat.sent[1]["text"] and chat.sent[2]["thread_ts"]
        assert [row.entry.data["level"] for row in one.held.rows(Kind.SEVERITY)] == [1]
        assert [row.text for row in one.held.rows(Kind.NOTE)] == ["web2 rebooted"]


async def test_too_many_requests_are_waited_out(chat: FakeSlack, tmp_path: Path) -> None:
    chat.refuse = 4
    async with reading(tmp_path, room(chat)) as one:
        await chat.say("UANA", "one")
        await settled(one, "one")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("invalid_auth", "the bot token is not accepted (invalid_auth)"),
        ("not_in_channel", f"{CHANNEL}: the bot is not in this channel"),
        ("missing_scope", "the token lacks a scope"),
    ],
)
async def test_what_cannot_be_read_is_said_in_one_sentence(
    chat: FakeSlack, tmp_path: Path, error: str, words: str
) -> None:
    if error == "invalid_auth":
        chat.bot = "another"
    else:
        chat.error = error
    async with reading(tmp_path, room(chat), up=False) as one:
        await until(lambda: words in one.problem)
        assert one.held.slept[0] >= 30


async def test_no_secret_is_logged(
    chat: FakeSlack, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    async with reading(tmp_path, room(chat)) as one:
        await chat.stop()
        await until(lambda: not one.well)
        await chat.start()
        await until(lambda: one.well)
        chat.cut()
        monkeypatch.setenv("ITUI_TEST_APP", "planted-secret-other\x01")
        await until(lambda: not one.well)
        assert "planted" not in one.problem
        await asyncio.sleep(0)
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("slack_sdk")]
    assert ours and not any("planted" in text or TICKET in text for text in ours)
