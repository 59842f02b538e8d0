"""Servers that do not send what they said would come, or nothing at all: nobody waits for it for ever."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, ConsumerInfo

from incident_tui.replica import reading, taker
from incident_tui.replica.connection import connect
from incident_tui.replica.reading import read
from incident_tui.replica.settings import Replica
from incident_tui.replica.stream import ensure, is_more, subject
from tests.replica.bastions import SECONDS, bastions, carried, until

LARGE = b"x" * 900_000
"""Servers send about two megabytes before they wait for an answer."""


async def test_what_is_erased_before_it_was_sent_is_not_waited_for(on_cluster: Replica) -> None:
    on_cluster = msgspec.structs.replace(on_cluster, replicas=1)  # no server is behind another
    session = await connect(on_cluster, on_cluster.servers[0], "test")
    try:
        await ensure(session, on_cluster)
        for _ in range(7):
            await session.js.publish(subject(on_cluster.stream, "a"), LARGE)
        came = 0
        async with (
            asyncio.timeout(SECONDS),
            aclosing(read(session, on_cluster.stream, subject(on_cluster.stream), 1)) as batches,
        ):
            async for batch in batches:
                if not came:
                    for number in (5, 6, 7):
                        assert await session.js.delete_msg(on_cluster.stream, number)
                came += len(batch.messages)
                if not batch.pending:
                    break
        assert came == 4 and batch.last == 4
        assert await is_more(session, on_cluster.stream, 3)
        assert not await is_more(session, on_cluster.stream, 4)
    finally:
        await session.client.close()


async def test_a_server_whose_copy_stands_still_is_not_believed(
    on_cluster: Replica, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It sends heartbeats, and says that nothing is pending."""
    monkeypatch.setattr(taker, "LOOK_AGAIN", 0.2)
    lame = behind(monkeypatch, subject(on_cluster.stream))
    async with bastions(tmp_path, on_cluster, "b") as (b,):
        await until(lambda: b.well and lame)
        async with bastions(tmp_path, on_cluster, "a") as (a,):
            await carried(a, b, "one", "two")
            assert b.texts(a) == ["one", "two"]


async def test_a_copy_that_is_forgotten_while_all_is_well_comes_again(
    on_cluster: Replica, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taker, "LOOK_AGAIN", 0.2)
    async with bastions(tmp_path, on_cluster) as (a, b):
        await carried(a, b, "one", "two", "three")
        assert b.store.others is not None
        for _ in range(2):
            b.store.others.forget(a.store.journal)
            await until(lambda: b.has(a))
            assert b.texts(a) == ["one", "two", "three"]


async def test_a_gap_that_a_server_behind_the_others_did_not_fill_is_filled_later(
    on_cluster: Replica, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taker, "LOOK_AGAIN", 0.2)
    async with bastions(tmp_path, on_cluster) as (a, b):
        await carried(a, b, "one", "two", "three")
        await until(lambda: b.jet is not None and b.jet.taker.position.last == 3)
        lame = behind(monkeypatch, subject(on_cluster.stream, a.store.journal))
        await b.stop()
        assert b.store.others is not None
        b.store.others.forget(a.store.journal)
        b.start()
        await until(lambda: b.has(a))
        assert lame and b.texts(a) == ["one", "two", "three"]


async def test_a_cluster_that_makes_no_consumers_is_read_all_the_same(
    on_cluster: Replica, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As nats-server 2.9 does where the disk of the server is full that leads the cluster, and not the stream."""
    asked: list[str | None] = []

    async def add_consumer(self: JetStreamContext, stream: str, config: ConsumerConfig, **more: Any) -> ConsumerInfo:
        asked.append(config.filter_subject)
        raise TimeoutError

    async with bastions(tmp_path, on_cluster) as (a, b):
        await carried(a, b, "one")
        await b.stop()
        monkeypatch.setattr(JetStreamContext, "add_consumer", add_consumer)
        monkeypatch.setattr(reading, "SINGLY", 2.0)
        b.start()
        await carried(a, b, *(f"{number}" for number in range(250)))
        await until(lambda: len(asked) > 1)  # a consumer is tried again
        await carried(a, b, "last")
        assert b.texts(a) == ["one", *(f"{number}" for number in range(250)), "last"]


def behind(monkeypatch: pytest.MonkeyPatch, name: str) -> list[str]:
    """The first that asks for this subject asks a server that has nothing of it yet; the list tells that it did."""
    made = JetStreamContext.add_consumer
    lame: list[str] = []

    async def add_consumer(self: JetStreamContext, stream: str, config: ConsumerConfig, **more: Any) -> ConsumerInfo:
        if config.filter_subject == name and not config.headers_only and not lame:
            config.filter_subject = subject(stream, "nobody")
            lame.append(stream)
        return await made(self, stream, config, **more)

    monkeypatch.setattr(JetStreamContext, "add_consumer", add_consumer)
    return lame
