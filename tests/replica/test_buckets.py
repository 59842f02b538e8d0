"""Leases in a real cluster's key-value bucket: leader killed, a bastion cut off, stopped, two that write at once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest

from incident_tui.journal.lease import boot_clock
from incident_tui.replica.bucket import Buckets, Refused, lease_bucket
from incident_tui.replica.connection import Connection
from incident_tui.replica.duty import Beat, Duty, State
from incident_tui.replica.problem import ReplicaError
from incident_tui.replica.settings import Replica
from tests.nats import Cluster

AGE = 3.0
SECONDS = 60.0


class Bastion:
    """A duty with its buckets on a connection of its own, ticked as the watch does."""

    def __init__(self, name: str, settings: Replica) -> None:
        self.duty = Duty(Beat(journal=name, letter=name, fleet="f"), boot_clock(), AGE)
        self.kept: dict[str, tuple[bytes, int]] = {}
        self.buckets = Buckets(settings, self.duty, boot_clock, self._keep)
        self.connection = Connection(settings, name)
        self.connection.join("buckets", self.buckets.part)
        self.stopped = False

    def _keep(self, key: str, value: bytes, revision: int) -> None:
        self.kept[key] = value, revision

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.connection.run())
            while True:
                if not self.stopped:
                    for put in self.duty.tick(boot_clock()):
                        self.buckets.carry_out(put)
                await asyncio.sleep(0.1)

    @property
    def holds(self) -> bool:
        return not self.stopped and self.duty.holds(boot_clock())


@contextlib.asynccontextmanager
async def running(*bastions: Bastion) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(one.run()) for one in bastions]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(done: Callable[[], object], bastions: tuple[Bastion, ...] = ()) -> None:
    """Fails when it does not become true, and when two have the duty meanwhile."""
    async with asyncio.timeout(SECONDS):
        while not done():
            assert sum(one.holds for one in bastions) <= 1
            await asyncio.sleep(0.02)


def together(*bastions: Bastion) -> Callable[[], bool]:
    """They know each other, and one of them has the duty."""
    names = tuple(sorted(one.duty.me.journal for one in bastions))
    return lambda: (
        all(one.duty.state is State.TOGETHER and one.duty.fellows == names for one in bastions)
        and sum(one.holds for one in bastions) == 1
    )


def settings_of(cluster: Cluster, stream: str) -> Replica:
    return Replica(servers=tuple(cluster.urls), stream=stream)


async def test_the_leader_of_the_bucket_dies_and_nobody_is_taken_for_dead(nats_cluster: Cluster) -> None:
    settings = settings_of(nats_cluster, "LEASE1")
    a, b = bastions = Bastion("a", settings), Bastion("b", settings)
    async with running(a, b):
        await until(together(a, b), bastions)
        node = await asyncio.to_thread(nats_cluster.a_leader, f"KV_{lease_bucket('LEASE1')}")
        await asyncio.to_thread(node.kill)
        before = {one: one.duty._contact for one in bastions}
        await until(lambda: all((one.duty._contact or 0) > (before[one] or 0) + AGE for one in bastions), bastions)
        await until(together(a, b), bastions)


async def test_one_that_is_cut_off_is_alone_and_the_other_has_everything(nats_cluster: Cluster) -> None:
    way = await asyncio.to_thread(nats_cluster.way)
    a = Bastion("a", Replica(servers=(f"nats://127.0.0.1:{way.port}",), stream="LEASE2"))
    b = Bastion("b", settings_of(nats_cluster, "LEASE2"))
    async with running(a):
        await until(lambda: a.holds)
        async with running(b):
            await until(together(a, b), (a, b))
            await asyncio.to_thread(way.stall)
            await until(lambda: a.duty.state is State.ALONE and b.holds and b.duty.fellows == ("b",), (a, b))
            await asyncio.to_thread(way.heal)
            await until(together(a, b), (a, b))
            assert b.holds


async def test_one_that_was_stopped_wakes_up_without_the_duty(nats_cluster: Cluster) -> None:
    settings = settings_of(nats_cluster, "LEASE3")
    a, b = bastions = Bastion("a", settings), Bastion("b", settings)
    async with running(a):
        await until(lambda: a.holds)
        async with running(b):
            await until(together(a, b), bastions)
            a.stopped = True
            await until(lambda: b.holds and b.duty.fellows == ("b",))
            a.stopped = False
            assert not a.holds
            await until(together(a, b), bastions)
            assert b.holds


async def test_who_ends_in_peace_is_not_waited_for(nats_cluster: Cluster) -> None:
    settings = settings_of(nats_cluster, "LEASE4")
    a, b = Bastion("a", settings), Bastion("b", settings)
    a.duty.age = b.duty.age = 600.0  # nothing is over by age here
    a.duty._began -= 600.0
    async with running(a):
        await until(lambda: a.holds)
        async with running(b):
            await until(lambda: b.duty.fellows == ("a", "b") and b.duty.state is State.TOGETHER)
            a.stopped = True
            await a.buckets.leave()
            await until(lambda: b.holds)


async def test_of_two_that_write_at_once_one_is_refused(nats_cluster: Cluster) -> None:
    settings = settings_of(nats_cluster, "LEASE5")
    a, b = Bastion("a", settings), Bastion("b", settings)
    async with running(a, b):
        await until(lambda: a.buckets.reached and b.buckets.reached)
        assert await a.buckets.get("chat.x") == (b"", 0)
        first = await a.buckets.set("chat.x", b"one", 0)
        with pytest.raises(Refused):
            await b.buckets.set("chat.x", b"two", 0)
        assert await b.buckets.get("chat.x") == (b"one", first)
        second = await b.buckets.set("chat.x", b"two", first)
        await until(lambda: a.kept.get("chat.x") == (b"two", second))


async def test_without_a_cluster_nothing_waits(nats_cluster: Cluster) -> None:
    a = Bastion("a", Replica(servers=("nats://127.0.0.1:1",), stream="LEASE6"))
    async with running(a):
        await until(lambda: a.duty.state is State.ALONE)
        with pytest.raises(ReplicaError, match="not reached"):
            await a.buckets.get("chat.x")
