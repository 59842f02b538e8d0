"""One sink among several bastions: real outboxes, a ledger in a dictionary that can be cut off."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from incident_tui.incident.entry import Author, Entry, Kind, Ref
from incident_tui.replica.bucket import Refused
from incident_tui.replica.ledger import alone_data, together_data
from incident_tui.replica.problem import ReplicaError
from incident_tui.watch.chat.outbox import Outbox, deliveries
from incident_tui.watch.chat.shared import SharedSink
from incident_tui.watch.post import Entries
from incident_tui.watch.settings import ChatSink

NOW = datetime(2026, 11, 28, 3, 10, tzinfo=UTC)
SINK = ChatSink(name="ops", kind="file", path="/dev/null", send=("update",))


class Cluster:
    def __init__(self) -> None:
        self.kept: dict[str, tuple[bytes, int]] = {}
        self.count = 0


class Bastion:
    """`duty` and `alone` are what the test says; a cut-off bastion reaches no ledger."""

    def __init__(self, cluster: Cluster, directory: Path, name: str, *, repeatable: bool = False) -> None:
        self.cluster, self.name = cluster, name
        self.on_duty = self.alone = self.cut = False
        self.outbox = Outbox(directory / f"{name}.db")
        self.known = Entries([SINK], name, lambda: NOW)
        self.sink = SharedSink("ops", name, self.outbox, self, self.known, lambda: NOW, repeatable=repeatable)

    async def get(self, key: str) -> tuple[bytes, int]:
        if self.cut:
            raise ReplicaError("cut")
        return self.cluster.kept.get(key, (b"", 0))

    async def set(self, key: str, value: bytes, last: int) -> int:
        if self.cut:
            raise ReplicaError("cut")
        if self.cluster.kept.get(key, (b"", 0))[1] != last:
            raise Refused
        self.cluster.count += 1
        self.cluster.kept[key] = value, self.cluster.count
        return self.cluster.count

    def hears(self, *entries: Entry) -> None:
        self.known.take(entries)

    def waits(self) -> list[Ref]:
        return [one.ref for one in self.outbox.waiting("ops", 50)]

    def states(self) -> dict[Ref, str]:
        return {one.ref: one.state for one in deliveries(self.outbox._db, "ops", 50)}

    async def send(self) -> Ref:
        """The first that waits, as the sender does."""
        (first, *_) = self.outbox.waiting("ops", 1)
        assert await self.sink.claim([first.ref])
        self.outbox.sending([first])
        self.outbox.finish([first], "sent", NOW)
        await self.sink.settled([first.ref], done=True)
        return first.ref


def update(journal: str, seq: int) -> Entry:
    data = {"step": "posted", "audience": "internal"}
    at = {"at": NOW, "recorded_at": NOW, "author": Author("ana"), "incident": "INC-1"}
    return Entry(journal=journal, seq=seq, kind=Kind.UPDATE, text="said", data=data, **at)  # type: ignore[arg-type]


def word(journal: str, seq: int, data: dict[str, object]) -> Entry:
    return msgspec.structs.replace(update(journal, seq), kind=Kind.LEASE, data=data)


@pytest.fixture
def pair(tmp_path: Path) -> Callable[..., tuple[Bastion, Bastion]]:
    def make(**more: bool) -> tuple[Bastion, Bastion]:
        cluster = Cluster()
        return Bastion(cluster, tmp_path, "a", **more), Bastion(cluster, tmp_path, "b", **more)

    return make


Pair = Callable[..., tuple[Bastion, Bastion]]


async def test_on_duty_the_entries_of_all_wait_and_off_duty_none(pair: Pair) -> None:
    a, b = pair()
    a.on_duty = True
    for one in (a, b):
        one.hears(update("a", 1), update("b", 1))
        await one.sink.step()
    assert a.waits() == [Ref("a", 1), Ref("b", 1)] and b.waits() == []
    assert await a.send() == Ref("a", 1)
    a.on_duty, b.on_duty = False, True
    for one in (a, b):
        await one.sink.step()
    assert a.waits() == [] and b.waits() == [Ref("b", 1)]
    assert await b.send() == Ref("b", 1)
    a.on_duty, b.on_duty = True, False
    await a.sink.step()
    assert a.waits() == []


async def test_what_a_lost_holder_was_sending_is_maybe_and_is_sent_by_a_persons_word_only(pair: Pair) -> None:
    a, b = pair()
    a.on_duty = True
    for one in (a, b):
        one.hears(update("a", 1), update("a", 2))
    await a.sink.step()
    assert await a.sink.claim([Ref("a", 1)])  # and then nothing is heard of it
    b.on_duty = True
    await b.sink.step()
    assert b.states()[Ref("a", 1)] == "maybe" and b.waits() == [Ref("a", 2)]
    assert not await a.sink.claim([Ref("a", 2)])  # stopped, and awake again
    b.outbox.retry("ops", Ref("a", 1))
    await b.sink.step()
    assert Ref("a", 1) in b.waits()


async def test_where_the_platform_knows_a_second_attempt_it_goes_again_as_the_same_message(pair: Pair) -> None:
    a, b = pair(repeatable=True)
    a.on_duty = True
    for one in (a, b):
        one.hears(*(update("a", seq) for seq in (1, 2, 3)))
    await a.sink.step()
    assert await a.sink.claim([Ref("a", 1), Ref("a", 2)])
    b.on_duty = True
    await b.sink.step()
    assert b.waits() == [Ref("a", 1), Ref("a", 2)]  # whole, and alone
    batch = b.outbox.waiting("ops", 9)
    assert await b.sink.claim([one.ref for one in batch])
    b.outbox.finish(batch, "sent", NOW)
    await b.sink.settled([one.ref for one in batch], done=True)
    await b.sink.step()
    assert b.waits() == [Ref("a", 3)]


async def test_alone_the_own_entries_since_the_cut_are_sent_and_nothing_of_others(pair: Pair) -> None:
    a, b = pair()
    a.on_duty = True
    b.cut = b.alone = True
    b.hears(update("a", 1), update("b", 1), word("b", 2, alone_data(2)), update("b", 3))
    await b.sink.step()
    assert b.waits() == [Ref("b", 3)]
    assert await b.send() == Ref("b", 3)
    a.hears(update("a", 1), update("b", 1), word("b", 2, alone_data(2)), update("b", 3))
    await a.sink.step()
    assert a.waits() == [Ref("a", 1), Ref("b", 1)]
    a.hears(word("b", 4, together_data({})), update("b", 5))
    await a.sink.step()
    assert a.waits() == [Ref("a", 1), Ref("b", 1), Ref("b", 5)]


async def test_what_went_out_on_both_sides_of_a_cut_is_maybe(pair: Pair) -> None:
    a, _ = pair()
    a.on_duty = True
    a.hears(update("b", 1), update("b", 2))  # the answer to b was lost with the contact
    await a.sink.step()
    assert await a.send() == Ref("b", 1)
    a.hears(word("b", 3, alone_data(1)), word("b", 4, together_data({})))
    await a.sink.step()
    assert a.states() == {Ref("b", 1): "maybe"} and a.waits() == []


async def test_without_the_cluster_on_duty_nothing_leaves(pair: Pair) -> None:
    a, _ = pair()
    a.on_duty = True
    a.hears(update("a", 1))
    await a.sink.step()
    a.cut = True
    assert not await a.sink.claim([Ref("a", 1)])
    a.cut = False
    assert not await a.sink.claim([Ref("a", 1)])  # the ledger has to be read first
    await a.sink.step()
    assert await a.send() == Ref("a", 1)


async def test_a_message_that_was_sent_and_not_told_of_is_not_sent_again_by_its_sender(pair: Pair) -> None:
    a, b = pair()
    a.on_duty = True
    for one in (a, b):
        one.hears(update("a", 1))
    await a.sink.step()
    assert await a.sink.claim([Ref("a", 1)])
    a.outbox.finish(a.outbox.waiting("ops", 1), "sent", NOW)
    a.cut = True
    await a.sink.settled([Ref("a", 1)], done=True)
    a.cut = False
    await a.sink.step()
    await a.sink.step()
    assert a.waits() == [] and a.states() == {Ref("a", 1): "sent"}
    a.on_duty, b.on_duty = False, True
    await b.sink.step()
    assert b.waits() == [] and b.states() == {}


async def test_a_journal_nobody_heard_of_begins_with_what_is_new(pair: Pair) -> None:
    a, _ = pair()
    a.on_duty = True
    a.hears(update("a", 1))
    await a.sink.step()
    old = msgspec.structs.replace(update("c", 1), recorded_at=datetime(2026, 11, 1, tzinfo=UTC))
    a.hears(old, update("c", 2))
    await a.sink.step()
    assert a.waits() == [Ref("a", 1), Ref("c", 2)]


async def test_a_claim_that_waited_its_turn_looks_again(pair: Pair) -> None:
    a, _ = pair()
    a.on_duty = True
    a.hears(update("b", 1))
    await a.sink.step()
    async with a.sink._turn:
        claiming = asyncio.create_task(a.sink.claim([Ref("b", 1)]))
        await asyncio.sleep(0)
        a.outbox.keep_waiting("ops", [], NOW)  # it became its own bastion's to send
    assert not await claiming
