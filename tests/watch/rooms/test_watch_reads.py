"""A whole watch, as a process of its own, reads a real Matrix server, and is killed at it."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path

import pytest

from incident_tui.incident.entry import Kind
from incident_tui.journal.store import Store
from tests.chat.watched import until, watched
from tests.synapse import Synapse
from tests.watch.rooms.test_matrix_real import Chat

pytestmark = pytest.mark.lab

_ROOM = """
[[people]]
name = "ana"

[[rooms]]
name = "ops"
kind = "matrix"
server = "{server}"
channels = ["{room}"]
token_env = "ITUI_TEST_ROOM"
take = ["all"]
people = {{ "{ana}" = "ana" }}
allow = ["{ana}"]
"""


def said(journal: Path) -> list[str]:
    with Store.open(journal) as store:
        return [entry.text for entry in store.read() if entry.kind is Kind.CHAT]


async def test_a_watch_that_is_killed_and_started_writes_every_message_once_and_no_secret(
    synapse: Synapse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    chat = Chat(synapse, monkeypatch)
    more = _ROOM.format(server=synapse.url, room=chat.room, ana=chat.ana.user)
    async with watched(tmp_path, [], {"ITUI_TEST_ROOM": chat.bot.token}, more) as one:
        await one.run("declare", "gv0 is down", "--severity", "2")
        await one.start(debug=True)
        texts = []

        async def rooms() -> dict[str, object]:
            found: dict[str, object] = json.loads(await one.run("status", "--json", check=None))["rooms"][0]
            return found

        await until(lambda: said_or_probe(chat, one.journal))
        for turn in range(4):
            for number in range(5):
                texts.append(f"turn {turn} number {number}")
                await chat.say(chat.ana, texts[-1])
            await one.end(signal.SIGKILL)
            texts.append(f"turn {turn} while nobody reads")
            await chat.say(chat.bob, texts[-1])
            await one.start(debug=True)
        await until(lambda: set(texts) <= set(said(one.journal)))
        written = said(one.journal)
        assert len(written) == len(set(written))
        assert (await rooms())["problem"] is None
        await asyncio.to_thread(synapse.stop)

        async def down() -> object:
            return (await rooms())["problem"]

        assert "connect" in str(await until(down)) or "broke" in str(await down())
        assert "ops: chat not read since" in await one.run("status", check=1)
        check = await one.run("check", check=1)
        assert "X FAIL ops" in check
        await asyncio.to_thread(synapse.start)
        await chat.say(chat.ana, "/inc note back again")

        async def noted() -> bool:
            with Store.open(one.journal) as store:
                return any(entry.text == "back again" for entry in store.read())

        await until(noted)
        assert "+ ok   ops" in await one.run("check", check=None)
        await one.run("export", "--out", str(tmp_path / "report"), check=None)
        await one.end()
    everything = "".join(one.outputs).encode() + files(tmp_path)
    assert b"back again" in everything and chat.bot.token.encode() not in everything


def files(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())


async def said_or_probe(chat: Chat, journal: Path) -> bool:
    """Reading begins with what is said from now on: says something until it is read."""
    if said(journal):
        return True
    await chat.say(chat.bob, f"is anybody there? {chat._sent}")
    await asyncio.sleep(0.5)
    return bool(said(journal))
