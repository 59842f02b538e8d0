"""A real Matrix server (Synapse) is what our messages are for."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web
from yarl import URL

from incident_tui.watch.chat.fitting import CUT
from incident_tui.watch.chat.matrix import Matrix
from incident_tui.watch.chat.outbox import Outbox
from incident_tui.watch.chat.sender import Sender
from incident_tui.watch.settings import ChatSink
from tests.chat.fakes import HOSTILE, START, Worker, composed, states, worker
from tests.chat.watched import until, watched
from tests.synapse import Account, Synapse, quoted

pytestmark = pytest.mark.lab


class Room:
    """A room, and the sink that sends there. `messages()` is what others see of it."""

    def __init__(self, synapse: Synapse, monkeypatch: pytest.MonkeyPatch, *, encrypted: bool = False) -> None:
        self.synapse = synapse
        self.bot: Account = synapse.account("bot")
        self.reader: Account = synapse.account("ana")
        self.id = synapse.room(self.bot, self.reader, encrypted=encrypted)
        monkeypatch.setenv("ITUI_TEST_TOKEN", self.bot.token)
        self.sink = ChatSink(
            name="ops",
            kind="matrix",
            server=synapse.url,
            room=self.id,
            token_env="ITUI_TEST_TOKEN",
            seconds_between=0.001,
            coalesce=0,
        )

    def messages(self) -> list[dict[str, Any]]:
        return self.synapse.messages(self.id, self.reader)

    def bodies(self) -> list[str]:
        return [str(event["content"]["body"]) for event in self.messages()]


@pytest.fixture
def room(synapse: Synapse, monkeypatch: pytest.MonkeyPatch) -> Room:
    return Room(synapse, monkeypatch)


async def test_messages_arrive_in_order_and_in_one_thread_and_name_nobody(room: Room, outbox: Outbox) -> None:
    outbox.enqueue("ops", "j", [1, 2, 3], 3, START)
    async with worker(room.sink, outbox, compose=lambda ref: composed(ref, f"{ref.seq} {HOSTILE}")) as one:
        await one.steps()
    events = await asyncio.to_thread(room.messages)
    assert states(outbox) == ["sent"] * 3
    assert [event["content"]["body"].split()[2] for event in events] == ["1", "2", "3"]
    root = events[0]["event_id"]
    assert "m.relates_to" not in events[0]["content"]
    for event in events[1:]:
        relation = event["content"]["m.relates_to"]
        assert (relation["rel_type"], relation["event_id"]) == ("m.thread", root)
    for event in events:
        assert event["content"]["msgtype"] == "m.notice" and event["content"]["m.mentions"] == {}
        assert "formatted_body" not in event["content"]
    path = f"/_matrix/client/v1/rooms/{quoted(room.id)}/relations/{quoted(root)}/m.thread"
    threaded = await asyncio.to_thread(room.synapse.ask, "GET", path, token=room.reader.token)
    assert len(threaded["chunk"]) == 2  # the server sees a thread, too
    notified = await asyncio.to_thread(
        room.synapse.ask, "GET", "/_matrix/client/v3/notifications?only=highlight", token=room.reader.token
    )
    assert notified["notifications"] == []


async def test_an_answer_that_was_lost_makes_no_second_message_also_after_the_server_was_started_anew(
    room: Room, outbox: Outbox
) -> None:
    outbox.enqueue("ops", "j", [1, 2], 2, START)
    async with losing(room.synapse, lost=2) as proxy:
        sink = msgspec.structs.replace(room.sink, server=proxy.url)
        async with worker(sink, outbox) as one:
            await one.sender.step()
            assert "sent again as the same message" in one.sender.row().problem and proxy.carried
            await asyncio.to_thread(restart, room.synapse)
            await one.steps()
        assert proxy.carried > 2
    assert states(outbox) == ["sent", "sent"]
    assert [body.split()[-1] for body in await asyncio.to_thread(room.bodies)] == ["1", "2"]


def restart(synapse: Synapse) -> None:
    synapse.stop()
    synapse.start()


class Proxy:
    """Carries requests to the server, and breaks the connection instead of giving the first answers to messages."""

    def __init__(self, server: str, lost: int) -> None:
        self.server, self.lost, self.carried, self.url = server, lost, 0, ""
        self.hold: asyncio.Event | None = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        headers = {"Authorization": request.headers["Authorization"]}
        url = URL(self.server + request.raw_path, encoded=True)
        body = await request.read()
        async with (
            aiohttp.ClientSession() as session,
            session.request(request.method, url, data=body, headers=headers) as answer,
        ):
            raw, status = await answer.read(), answer.status
        if request.method == "PUT":
            self.carried += 1
            if self.hold is not None:
                await self.hold.wait()
            if self.carried <= self.lost:
                assert request.transport is not None
                request.transport.abort()
        return web.Response(body=raw, status=status, content_type="application/json")


@asynccontextmanager
async def losing(synapse: Synapse, lost: int) -> AsyncIterator[Proxy]:
    proxy = Proxy(synapse.url, lost)
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", proxy.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    sockets: Any = site._server
    proxy.url = f"http://127.0.0.1:{sockets.sockets[0].getsockname()[1]}"
    yield proxy
    await runner.cleanup()


async def test_a_watch_killed_between_sending_and_the_answer_sends_exactly_once(room: Room, tmp_path: Path) -> None:
    async with losing(room.synapse, lost=0) as proxy:
        proxy.hold = asyncio.Event()
        sink = msgspec.structs.replace(room.sink, server=proxy.url)
        async with watched(tmp_path / "run", [sink], {"ITUI_TEST_TOKEN": room.bot.token}) as one:
            await one.run("declare", "gv0 is down")
            await one.start()
            await until(lambda: proxy.carried == 1)
            await one.end(signal.SIGKILL)
            proxy.hold.set()
            await one.run("log", "/sev 1 data at risk")
            await one.start()

            async def well() -> bool:
                row = (await one.chat())["ops"]
                return [message["state"] for message in row["messages"]] == ["sent", "sent"]

            await until(well)
    assert proxy.carried == 3
    bodies = await asyncio.to_thread(room.bodies)
    assert len(bodies) == 2 and "DECLARED" in bodies[0] and "SEV1" in bodies[1]


async def test_a_message_that_is_too_long_is_cut_to_what_the_server_takes(room: Room, outbox: Outbox) -> None:
    outbox.enqueue("ops", "j", [1, 2, 3, 4], 4, START)
    long = {1: "x" * 63_000, 2: "🔥" * 30_000, 3: '"\\' * 31_000, 4: "@" * 60_000}
    async with worker(room.sink, outbox, compose=lambda ref: composed(ref, long[ref.seq])) as one:
        await one.steps()
    assert states(outbox) == ["sent"] * 4
    for body in await asyncio.to_thread(room.bodies):
        assert body.endswith(CUT)


async def test_a_413_is_a_refusal_in_the_servers_words(room: Room, outbox: Outbox, monkeypatch: Any) -> None:
    monkeypatch.setattr(Matrix, "limit", 1_000_000)
    outbox.enqueue("ops", "j", [1, 2], 2, START)
    async with worker(
        room.sink, outbox, compose=lambda ref: composed(ref, "🔥" * 20_000 if ref.seq == 1 else "")
    ) as one:
        await one.steps()
        delivery = one.sender.row().deliveries[0]
    assert states(outbox) == ["dead", "sent"] and "413 M_TOO_LARGE" in delivery.problem


async def test_the_servers_own_pace_is_borne(room: Room, outbox: Outbox) -> None:
    await asyncio.to_thread(room.synapse.stop)
    await asyncio.to_thread(lambda: room.synapse.start(limits=True))
    outbox.enqueue("ops", "j", range(1, 13), 12, START)
    async with worker(room.sink, outbox) as one:
        refused = await hurried(one.sender, one)
    assert refused and "429 M_LIMIT_EXCEEDED" in refused[0]
    # The server counts real seconds: what it refused waits, in order, until it says so itself.
    waiting = len(outbox.waiting("ops", 50))
    sent = [body.split()[-1] for body in await asyncio.to_thread(room.bodies)]
    assert waiting > 0 and sent == [str(number) for number in range(1, 13 - waiting)]
    (first, *_) = outbox.waiting("ops", 50)
    assert 0 < (first.next_try - one.clock.now).total_seconds() <= 60


async def hurried(sender: Sender, one: Worker) -> list[str]:
    """Steps until the server refuses for its pace; what it said."""
    for _ in range(30):
        await sender.step()
        one.clock.on(0.001)
        if problem := sender.row().problem:
            return [problem]
    return []


async def test_the_server_is_stopped_and_started(room: Room, outbox: Outbox) -> None:
    outbox.enqueue("ops", "j", [1], 1, START)
    async with worker(room.sink, outbox) as one:
        await one.steps()
        await asyncio.to_thread(room.synapse.stop)
        outbox.enqueue("ops", "j", [2, 3], 3, START)
        await one.sender.step()
        assert "cannot connect" in one.sender.row().problem and one.sender.row().waiting == 2
        await asyncio.to_thread(room.synapse.start)
        await one.steps()
        assert one.sender.row().problem == ""
    bodies = await asyncio.to_thread(room.bodies)
    assert [body.split()[-1] for body in bodies] == ["1", "2", "3"] and states(outbox) == ["sent"] * 3


async def test_a_wrong_token_and_an_encrypted_room_are_said(
    synapse: Synapse, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = await asyncio.to_thread(lambda: Room(synapse, monkeypatch, encrypted=True))
    outbox.enqueue("ops", "j", [1], 1, START)
    async with worker(closed.sink, outbox) as one:
        await one.sender.step()
        assert "the room is encrypted" in one.sender.row().problem
        monkeypatch.setenv("ITUI_TEST_TOKEN", "syt_wrong")
        one.sender.retry(None)
        await one.sender.step()
        assert "M_UNKNOWN_TOKEN" in one.sender.row().problem and states(outbox) == ["waiting"]
    assert await asyncio.to_thread(closed.messages) == []
