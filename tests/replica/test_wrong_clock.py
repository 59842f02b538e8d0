"""A real cluster of which one server's clock is an hour off, while it leads and while it does not."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import nats
import pytest

from incident_tui.incident.entry import Entry, Ref
from incident_tui.replica.bucket import lasting_bucket, lease_bucket
from incident_tui.replica.duty import State
from incident_tui.replica.settings import Replica
from incident_tui.replica.stream import subject
from incident_tui.watch.chat.outbox import Outbox
from incident_tui.watch.chat.shared import SharedSink
from incident_tui.watch.post import Entries
from tests.chat.test_shared import SINK, update
from tests.nats import Cluster, Node
from tests.replica.bastions import Bastion, bastions, now
from tests.replica.bastions import until as comes_true
from tests.replica.test_buckets import SECONDS, running, together, until
from tests.replica.test_buckets import Bastion as Leases

pytestmark = pytest.mark.lab
STREAM = "CLOCK"
ABOUT = timedelta(minutes=5)
AGE = 6.0
"""Of a lease: one server of three is emulated, and a machine that tests much at once is slow."""


async def asked(node: Node, what: str, body: object = None) -> Any:
    """Of the JetStream interface, by somebody who is no bastion."""
    client = await nats.connect(node.url)
    try:
        answer = await client.request(f"$JS.API.{what}", b"" if body is None else json.dumps(body).encode(), timeout=5)
        return json.loads(answer.data)
    finally:
        await client.close()


async def lead(cluster: Cluster, node: Node) -> None:
    """It leads entries, leases and ledgers."""
    for stream in (STREAM, f"KV_{lease_bucket(STREAM)}", f"KV_{lasting_bucket(STREAM)}"):
        while (await asyncio.to_thread(cluster.a_leader, stream)) is not node:
            await asked(node, f"STREAM.LEADER.STEPDOWN.{stream}")
            await asyncio.sleep(0.2)  # an election is on its way; what leads then is asked again


def off_by(node: Node) -> timedelta:
    return datetime.fromisoformat(node.told("varz")["now"][:19] + "+00:00") - now()


async def stamped(node: Node, one: Bastion) -> timedelta:
    """How far off the time is that the last entry of a journal got from the server."""
    last = {"last_by_subj": subject(STREAM, one.store.journal)}
    message = (await asked(node, f"STREAM.MSG.GET.{STREAM}", last))["message"]
    assert base64.b64decode(message["data"])
    return datetime.fromisoformat(message["time"][:19] + "+00:00") - now()


class Chat:
    """The messages of one sink as one of the bastions sends them: the real ledger in the cluster, a real outbox."""

    def __init__(self, of: Leases, directory: Path, sent: list[Ref]) -> None:
        self.of, self.sent = of, sent
        self.outbox = Outbox(directory / f"{of.duty.me.journal}.db")
        self.known = Entries([SINK], of.duty.me.journal, now)
        self.sink = SharedSink(SINK.name, of.duty.me.journal, self.outbox, self, self.known, now, repeatable=False)

    @property
    def alone(self) -> bool:
        return self.of.duty.state is State.ALONE

    @property
    def on_duty(self) -> bool:
        return self.of.holds

    async def get(self, key: str) -> tuple[bytes, int]:
        return await self.of.buckets.get(key)

    async def set(self, key: str, value: bytes, last: int) -> int:
        return await self.of.buckets.set(key, value, last)

    async def run(self) -> None:
        while True:
            await asyncio.sleep(0.1)
            await self.sink.step()
            for one in self.outbox.waiting(SINK.name, 1):
                if not self.of.stopped and await self.sink.claim([one.ref]):
                    self.outbox.sending([one])
                    self.sent.append(one.ref)
                    self.outbox.finish([one], "sent", now())
                    await self.sink.settled([one.ref], done=True)


async def nobody_is_taken_for_dead(*those: Leases) -> None:
    """For longer than a lease lasts: beats come back, all know each other at each look, one has the duty at most."""
    settled = together(*those)

    def contact() -> float:
        return min(one.duty._contact or 0.0 for one in those)

    async with asyncio.timeout(2 * SECONDS):
        since = float("inf")
        while contact() <= since + 1.5 * AGE:
            await asyncio.sleep(0.05)
            if not settled() or since == float("inf"):  # an election; what happens again and again never ends
                await until(settled, those)
                since = contact()


async def test_the_clock_of_one_server_is_an_hour_ahead_and_then_an_hour_behind(
    own_cluster: Callable[..., Cluster], tmp_path: Path
) -> None:
    cluster = await asyncio.to_thread(lambda: own_cluster(own_clock=True))
    wrong, right = cluster.nodes[:2]
    assert wrong.clock is not None
    settings = Replica(servers=(cluster.nodes[1].url, cluster.nodes[2].url), stream=STREAM)
    x, y, z = three = tuple(Leases(name, settings) for name in "xyz")
    sent: list[Ref] = []
    said: list[Entry] = []
    chats = [Chat(one, tmp_path, sent) for one in three]
    for one in three:
        one.duty.age = AGE
    z.stopped = True
    async with AsyncExitStack() as stack:
        a, b = await stack.enter_async_context(bastions(tmp_path, settings))
        await stack.enter_async_context(running(*three))
        for each in chats:
            stack.callback(asyncio.create_task(each.run()).cancel)
        await until(together(x, y), three)
        mark = await y.buckets.set("chat.x", b"sent", 0)

        async def all_is_as_ever(leader: Node, off: timedelta, *those: Leases) -> None:
            await lead(cluster, leader)
            for number in range(40):  # some of them while who leads is still on its way
                a.write(f"of a, {number}, {leader.name}")
                b.write(f"of b, {number}, {leader.name}")
            await comes_true(lambda: a.has(b) and b.has(a) and a.well and b.well, SECONDS)
            assert abs(await stamped(leader, a) - off) < ABOUT
            await nobody_is_taken_for_dead(*those)
            assert await y.buckets.get("chat.x") == (b"sent", mark), "what was sent is known for good"
            said.append(msgspec.structs.replace(update("x", len(said) + 1), at=now(), recorded_at=now()))
            for each in chats:
                each.known.take(said[-1:])
            await comes_true(lambda: len(sent) >= len(said), SECONDS)

        for off in (timedelta(hours=1), timedelta(hours=-1)):
            wrong.clock.set(f"{off // timedelta(hours=1):+}h")
            await comes_true(lambda off=off: abs(off_by(wrong) - off) < ABOUT)  # type: ignore[misc]
            await all_is_as_ever(wrong, off, x, y)
            # One dies whose last word has that stamp, and somebody new comes when the right clock leads.
            x.stopped = True
            await until(lambda: y.holds and y.duty.fellows == ("y",))
            z.stopped = False
            await all_is_as_ever(right, timedelta(0), y, z)
            z.stopped, x.stopped = True, False
            await until(together(x, y), (x, y))
        await nobody_is_taken_for_dead(x, y)
        assert sent == [one.id for one in said], "each message left once, whoever had the duty"
        for here, there in ((a, b), (b, a)):
            assert there.texts(here) == [entry.text for entry in here.store.read()], "each once, and in order"
