"""Entries while the stream takes none: they are said aloud to whoever is connected, and are on the stream once there
is one again."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import nats
import pytest
from nats.aio.msg import Msg

from incident_tui.journal.record import decode, encode, own_records
from incident_tui.replica import aloud
from incident_tui.replica.jetstream import SAID
from incident_tui.replica.settings import Replica
from incident_tui.replica.stream import aloud_subject
from tests.nats import Cluster, Node
from tests.replica.bastions import Bastion, bastions, carried, count, now, until


async def two_die(cluster: Cluster, settings: Replica) -> list[Node]:
    """The stream's leader and another: nothing can be chosen by the one that is left, and it never led."""
    leader = await asyncio.to_thread(cluster.a_leader, settings.stream)
    dead = sorted(cluster.nodes, key=lambda node: node is not leader)[:2]
    for node in dead:
        node.kill()
    return dead


async def revive(nodes: list[Node]) -> None:
    for node in nodes:
        node.start()


@asynccontextmanager
async def overheard(settings: Replica) -> AsyncIterator[list[Msg]]:
    """What is said, by somebody who is no bastion."""
    said: list[Msg] = []

    async def came(message: Msg) -> None:
        said.append(message)

    client = await nats.connect(list(settings.servers))
    try:
        await client.subscribe(aloud_subject(settings.stream), cb=came)
        await client.flush()
        yield said
    finally:
        await client.close()


async def test_without_a_majority_of_servers_entries_go_from_bastion_to_bastion(
    nats_cluster: Cluster, on_cluster: Replica, tmp_path: Path
) -> None:
    """They count as not sent, it is said what is so, and in the end each is on the stream once."""
    shift = timedelta(0)

    def clock() -> datetime:
        return now() + shift

    async with bastions(tmp_path, on_cluster) as (a, b):
        await a.stop()
        a.start(clock)
        a.write("before")
        b.write("before")
        await until(lambda: b.has(a) and a.has(b) and a.well and b.well)
        dead = await two_die(nats_cluster, on_cluster)
        a.write("one")
        b.write("two", "three")
        await until(lambda: b.has(a) and a.has(b))
        a.write("four")
        await until(lambda: b.has(a))
        assert a.jet is not None and a.jet.publisher.done == 1, "the stream has none of it"
        await until(lambda: a.jet is not None and a.jet.row.waiting == 2)
        await until(lambda: a.problem.endswith(f"({SAID})") and "leader" in a.problem)
        shift = timedelta(minutes=7)
        await revive(dead)
        await until(lambda: a.well and b.well and a.gaps, 60)
        assert "did not reach the stream over NATS from" in a.gaps[0].text
        assert ": 2 of the others' entries came all the same, past it; then 0 of their" in a.gaps[0].text
        assert await count(nats_cluster.urls[0], on_cluster) == {a.store.journal: 3, b.store.journal: 3}
        assert (b.texts(a), a.texts(b)) == (["before", "one", "four"], ["before", "two", "three"])


async def test_who_comes_later_or_cannot_take_it_all_asks_for_what_it_misses(
    nats_cluster: Cluster, on_cluster: Replica, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aloud, "AGAIN", 0.3)
    monkeypatch.setattr(aloud, "ROOM", 8000)
    async with bastions(tmp_path, on_cluster) as (a, b):
        await carried(a, b, "before")
        await b.stop()
        await two_die(nats_cluster, on_cluster)
        a.write(*(f"{number} " + "x" * 300 for number in range(50)))
        await until(lambda: a.jet is not None and a.jet.aloud.speaking)
        b.start()
        await until(lambda: b.has(a))
        assert len(b.texts(a)) == 51


async def test_each_is_said_once_also_when_the_connection_is_another(
    nats_cluster: Cluster, on_cluster: Replica, tmp_path: Path
) -> None:
    """But for the last, which tells who comes later that there is something."""
    async with bastions(tmp_path, on_cluster) as (a, b):
        await carried(a, b, "before", "before that")
        await two_die(nats_cluster, on_cluster)
        async with overheard(on_cluster) as said:
            a.write("one", "two")
            await until(lambda: b.has(a))
            assert a.jet is not None
            await until(lambda: a.jet is not None and a.jet.connection.session)
            assert a.jet.connection.session is not None
            a.jet.connection.session.leave()
            a.write("three")
            await until(lambda: b.has(a))
            await until(lambda: {decode(message.data).seq for message in said} >= {3, 4, 5})
        numbers = [decode(message.data).seq for message in said]
        assert sorted(set(numbers)) == [3, 4, 5] and numbers.count(3) == 1


async def test_in_peace_nothing_is_said_twice(on_cluster: Replica, tmp_path: Path) -> None:
    async with overheard(on_cluster) as said, bastions(tmp_path, on_cluster) as (a, b):
        for number in range(20):
            a.write(*(f"{number} {each}" for each in range(100)))
            await until(lambda: b.has(a) and a.well)
        assert not said


async def test_an_older_copy_of_a_journal_says_nothing(
    nats_cluster: Cluster, on_cluster: Replica, tmp_path: Path
) -> None:
    """Else the others would take it for a journal that forked, and take nothing of the true one any more."""
    async with bastions(tmp_path, on_cluster) as (a, b):
        await carried(a, b, "one")
        shutil.copytree(a.directory, tmp_path / "old", ignore=shutil.ignore_patterns("notify", "*.lock"))
        await carried(a, b, "two")
        await carried(b, a, "b has seen that the stream continues its journal")
        await a.stop()
        old = Bastion(tmp_path / "old", "a", on_cluster)
        try:
            old.write("another second")
            await two_die(nats_cluster, on_cluster)
            async with overheard(on_cluster) as said:
                old.start()
                b.write("said, as b is sure")
                await until(lambda: old.has(b) and old.jet is not None and old.jet.row.waiting)
                await asyncio.sleep(2 * aloud.PATIENCE)  # longer than b took
                assert {message.subject for message in said} == {aloud_subject(on_cluster.stream, b.store.journal)}
        finally:
            await old.stop()
            old.store.close()


async def test_what_is_heard_passes_the_same_border(nats_cluster: Cluster, on_cluster: Replica, tmp_path: Path) -> None:
    async with bastions(tmp_path, on_cluster) as (a, b):
        await carried(a, b, "one")
        await a.stop()
        a.write("two")
        b.write("b's own")
        (true,), (strange,) = own_records(a.store, 2, 2), own_records(b.store, 1, 1)
        client = await nats.connect(on_cluster.servers[0])
        mine = aloud_subject(on_cluster.stream, a.store.journal)

        async def said(name: str, data: bytes, part: str) -> None:
            await client.publish(name, data)
            await until(lambda: b.jet is not None and part in b.jet.row.refused)

        try:
            await said(mine, encode(msgspec.structs.replace(true, body=b"{}")), "a2 of")
            await said(mine, b"\x00\xffno record", f"of {a.store.journal}")
            await said(mine, encode(strange), "came under the name of")
            await client.publish(mine, b"")
            await client.publish(aloud_subject(on_cluster.stream, b.store.journal), encode(true))
            await client.publish(mine, encode(true))
            await until(lambda: b.has(a))
        finally:
            await client.close()
        assert b.texts(a) == ["one", "two"]
        assert b.store.others is not None and len(b.store.others.copies()) == 1
