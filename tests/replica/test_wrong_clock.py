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

import nats
import pytest

from incident_tui.replica.bucket import lasting_bucket, lease_bucket
from incident_tui.replica.settings import Replica
from incident_tui.replica.stream import subject
from tests.nats import Cluster, Node
from tests.replica.bastions import Bastion, bastions, now
from tests.replica.bastions import until as comes_true
from tests.replica.test_buckets import AGE, SECONDS, running, together, until
from tests.replica.test_buckets import Bastion as Leases

pytestmark = pytest.mark.lab
STREAM = "CLOCK"
ABOUT = timedelta(minutes=5)


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


async def nobody_is_taken_for_dead(*those: Leases) -> None:
    """For longer than a lease lasts: beats come back, all know each other at each look, one has the duty at most."""
    settled = together(*those)

    def contact() -> float:
        return min(one.duty._contact or 0.0 for one in those)

    await until(settled, those)
    since = contact()
    async with asyncio.timeout(SECONDS):
        while contact() <= since + 2 * AGE:
            await asyncio.sleep(0.05)
            if not settled():  # an election; what happens again and again never ends
                await until(settled, those)
                since = contact()


async def test_the_clock_of_one_server_is_an_hour_ahead_and_then_an_hour_behind(
    own_cluster: Callable[..., Cluster], tmp_path: Path
) -> None:
    cluster = await asyncio.to_thread(lambda: own_cluster(own_clock=True))
    wrong, right = cluster.nodes[:2]
    assert wrong.clock is not None
    settings = Replica(servers=(cluster.nodes[1].url, cluster.nodes[2].url), stream=STREAM)
    x, y, z = (Leases(name, settings) for name in "xyz")
    async with AsyncExitStack() as stack:
        a, b = await stack.enter_async_context(bastions(tmp_path, settings))
        z.stopped = True
        await stack.enter_async_context(running(x, y, z))
        await until(together(x, y), (x, y))
        mark = await x.buckets.set("chat.x", b"sent", 0)
        a.write("while all clocks are right")
        for off in (timedelta(hours=1), timedelta(hours=-1)):
            wrong.clock.set(f"{off // timedelta(hours=1):+}h")
            await comes_true(lambda off=off: abs(off_by(wrong) - off) < ABOUT)  # type: ignore[misc]
            for leader in (wrong, right):
                await lead(cluster, leader)
                for number in range(40):  # some of them while who leads is still on its way
                    a.write(f"of a, {number}, {leader.name}")
                    b.write(f"of b, {number}, {leader.name}")
                await comes_true(lambda: a.has(b) and b.has(a) and a.well and b.well)
                assert abs(await stamped(leader, a) - (off if leader is wrong else timedelta(0))) < ABOUT
                await nobody_is_taken_for_dead(x, y)
                assert await y.buckets.get("chat.x") == (b"sent", mark), "what was sent is known for good"
            # One dies while the wrong clock stamps its last word, and somebody new comes while the right one leads.
            await lead(cluster, wrong)
            await nobody_is_taken_for_dead(x, y)
            x.stopped = True
            await until(lambda: y.holds and y.duty.fellows == ("y",))
            await lead(cluster, right)
            z.stopped = False
            await nobody_is_taken_for_dead(y, z)
            z.stopped, x.stopped = True, False
            await until(together(x, y), (x, y))
        for one, other in ((a, b), (b, a)):
            own = [entry.text for entry in one.store.read()]
            assert other.texts(one) == own, "each once, and in order"
