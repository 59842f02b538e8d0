"""One thread an incident, and the room it is in."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from incident_tui.watch.chat.outbox import Outbox
from incident_tui.watch.chat.platform import HALT
from tests.chat.fakes import SINKS, START, Fake, states, worker


async def test_the_first_message_of_an_incident_begins_its_thread(fake: Fake, outbox: Outbox) -> None:
    fake.usual = lambda got: web.json_response({"ok": True, "ts": f"17.{len(fake.got)}"})
    sink = msgspec.structs.replace(SINKS["slack-api"], server=fake.server)
    outbox.enqueue("ops", "j", [1, 2], 2, START)
    async with worker(sink, outbox) as one:
        await one.steps()
    outbox.enqueue("ops", "j", [3], 3, START)
    async with worker(sink, outbox) as one:  # another watch, later
        await one.steps()
    assert [got.json.get("thread_ts") for got in fake.got] == [None, "17.1", "17.1"]
    outbox.enqueue("ops", "j", [4], 4, START)
    async with worker(msgspec.structs.replace(sink, threads=False), outbox) as one:
        await one.steps()
    assert "thread_ts" not in fake.got[-1].json


async def test_another_room_has_another_thread_and_a_thread_that_is_gone_is_begun_anew(
    fake: Fake, outbox: Outbox
) -> None:
    fake.usual = lambda got: web.json_response({"ok": True, "ts": f"17.{len(fake.got)}"})
    sink = msgspec.structs.replace(SINKS["slack-api"], server=fake.server)
    for number, room in ((1, "C1"), (2, "C2"), (3, "C1")):
        outbox.enqueue("ops", "j", [number], number, START)
        async with worker(msgspec.structs.replace(sink, room=room), outbox) as one:
            await one.steps()
    assert [got.json.get("thread_ts") for got in fake.got] == [None, None, "17.1"]
    fake.answers = [web.json_response({"ok": False, "error": "thread_not_found"})]
    outbox.enqueue("ops", "j", [4, 5], 5, START)
    async with worker(sink, outbox) as one:
        await one.steps()
    assert [got.json.get("thread_ts") for got in fake.got[3:]] == ["17.1", None, "17.5"]
    assert states(outbox) == ["sent"] * 5


async def test_an_encrypted_room_gets_nothing_in_the_clear(outbox: Outbox, fake: Fake) -> None:
    app = web.Application()
    posted: list[str] = []

    async def state(request: web.Request) -> web.Response:
        if request.method == "PUT":
            posted.append(await request.text())
        return web.json_response({"algorithm": "m.megolm.v1.aes-sha2"})

    app.router.add_route("*", "/{tail:.*}", state)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    sockets: Any = site._server
    server = f"http://127.0.0.1:{sockets.sockets[0].getsockname()[1]}"
    outbox.enqueue("ops", "j", [1], 1, START)
    async with worker(msgspec.structs.replace(SINKS["matrix"], server=server), outbox) as one:
        await one.sender.step()
        assert "encrypted" in one.sender.row().problem and posted == [] and states(outbox) == ["waiting"]
        (waiting,) = outbox.waiting("ops", 1)
        assert waiting.next_try == START + HALT
    await runner.cleanup()
