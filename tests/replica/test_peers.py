"""The watch's exchange with other bastions, over a real sshd: a connection that stays, and what it says without one."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from incident_tui.fleet.settings import Fleet
from incident_tui.incident.entry import Author, Draft, Entry, Kind
from incident_tui.journal.everything import START
from incident_tui.journal.store import Store
from incident_tui.replica import over_ssh, peers
from incident_tui.replica.peers import Peers, Surroundings
from incident_tui.replica.rows import ReplicaRow, replica_findings
from incident_tui.replica.sync_settings import Sync
from tests.relay import Relay
from tests.replica.conftest import NOW, Bastion, write
from tests.replica.over_sshd import peer
from tests.sshd import Sshd


class Clock:
    """Stands still unless it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


class Saved:
    """What a watch would append."""

    def __init__(self) -> None:
        self.drafts: list[tuple[Draft, str]] = []

    def each(self, pairs: Sequence[tuple[Draft, str]]) -> Future[list[Entry]]:
        self.drafts += pairs
        return Future()


class Watching:
    """The exchange of one bastion with some peers."""

    def __init__(self, store: Store, wanted: Sequence[Sync], before: dict[str, ReplicaRow]) -> None:
        self.clock, self.saved = Clock(), Saved()
        own = Store.open(store.place.directory, create=False)
        around = Surroundings(
            own,
            Fleet(connect_timeout=5, keepalive_seconds=1),
            self.saved,
            Author("watch"),
            lambda: "INC-1",
            self.clock,
            sleep=lambda seconds: asyncio.sleep(min(seconds, 0.05)),
        )
        self.peers = Peers(wanted, around, before)

    def row(self, name: str = "bastion-2") -> ReplicaRow:
        return self.peers.rows()[name]


@asynccontextmanager
async def watching(store: Store, *wanted: Sync, before: dict[str, ReplicaRow] | None = None) -> AsyncIterator[Watching]:
    one = Watching(store, wanted, before or {})
    async with asyncio.TaskGroup() as group:
        tasks = one.peers.tasks(group)
        try:
            yield one
        finally:
            for task in tasks:
                task.cancel()
            one.peers.close()


async def until(ask: Callable[[], Any], seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not ask():  # noqa: ASYNC110 -- what is asked is in a file
            await asyncio.sleep(0.02)


def texts(store: Store) -> list[str]:
    return sorted(one.text for one in store.read_all(START)[0])


def through(relay: Relay, sshd: Sshd, directory: str, seconds: float = 10.0) -> Sync:
    known = sshd.known_hosts.read_text()
    sshd.known_hosts.write_text(known + known.replace(str(sshd.port), str(relay.port)))
    return peer(sshd, directory, port=relay.port, seconds=seconds)


async def test_what_is_new_goes_at_once_both_ways_on_one_connection(bastion: Bastion, sshd: Sshd) -> None:
    a, b = bastion("a", 2), bastion("b", 3)
    async with watching(a, peer(sshd, b.place.directory, seconds=3600.0)) as one:
        await until(lambda: not one.row().problem)
        assert texts(a) == texts(b) and one.row().reached and one.row().detail == "b"
        write(a, "said here")
        one.peers.rung()
        await until(lambda: "said here" in texts(b))
        write(b, "said there")  # nobody rings here: the other side finds it by its own bell
        await until(lambda: "said there" in texts(a))
    assert (sshd.directory / "log").read_text().count("Accepted publickey") == 1
    assert not one.saved.drafts


async def test_a_bell_that_rings_before_the_other_side_answers_holds_up_nothing(bastion: Bastion, sshd: Sshd) -> None:
    a = bastion("a", 2)
    silent = peer(sshd, "/none", command=("sh", "-c", "exec sleep 1000"))

    def stuck(*_: object) -> None:
        raise AssertionError("the loop stands still")

    before = signal.signal(signal.SIGALRM, stuck)
    signal.alarm(60)
    try:
        async with watching(a, silent) as one:
            one.peers.rung()
            await until(lambda: "Accepted publickey" in (sshd.directory / "log").read_text())
            for _ in range(10):
                one.peers.rung()
                await asyncio.sleep(0.1)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


async def test_a_bastion_that_comes_back_is_one_gap_entry_after_a_minute_away(bastion: Bastion, sshd: Sshd) -> None:
    a, b = bastion("a", 2), bastion("b", 3)
    with Relay(sshd.port) as relay:
        async with watching(a, through(relay, sshd, b.place.directory)) as one:
            await until(lambda: one.row().reached)
            relay.cut()
            await until(lambda: one.row().problem)
            assert not one.row().reached and one.row().reached_at == NOW
            one.clock.now += timedelta(seconds=30)
            relay.heal()
            await until(lambda: one.row().reached)
            assert not one.saved.drafts  # too short to be worth a line
            relay.cut()
            await until(lambda: one.row().problem)
            write(b, "while away")
            began, one.clock.now = one.clock.now, one.clock.now + timedelta(minutes=29)
            (found,) = replica_findings(["bastion-2"], {"bastion-2": one.row()}, one.clock.now)
            assert found.sentence.startswith("bastion-2: not reached since 03:10Z: ")
            relay.heal()
            await until(lambda: one.row().reached)
            assert "while away" in texts(a)
    ((draft, key),) = one.saved.drafts
    assert draft.kind is Kind.GAP and draft.source == "replica" and draft.incident == "INC-1"
    assert draft.text == "bastion-2 not reached from 2026-11-23 03:10Z to 03:39Z; 1 entry came then"
    assert draft.data["replica"] == "bastion-2" and draft.data["from"] == began.isoformat() and began.isoformat() in key


async def test_a_watch_that_begins_anew_goes_on_with_the_gap(bastion: Bastion, sshd: Sshd) -> None:
    a, b = bastion("a", 2), bastion("b", 3)
    left = NOW - timedelta(hours=2)
    before = ReplicaRow(name="bastion-2", way="ssh", at=left, problem="no answer", since=left, reached_at=left)
    async with watching(a, peer(sshd, b.place.directory), before={"bastion-2": before}) as one:
        assert one.row().reached_at == left and one.row().problem == "no answer"
        await until(lambda: one.row().reached)
    assert [draft.data["from"] for draft, _ in one.saved.drafts] == [left.isoformat()]


async def test_one_that_hangs_holds_up_neither_the_loop_nor_the_others(
    bastion: Bastion, sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, c = bastion("a", 2), bastion("b", 3), bastion("c", 3)
    monkeypatch.setattr(over_ssh, "ANSWER_SECONDS", 1.5)
    with Relay(sshd.port) as relay:
        slow = through(relay, sshd, b.place.directory, seconds=1.0)
        async with watching(a, slow, peer(sshd, c.place.directory, "bastion-3")) as one:
            await until(lambda: one.row().reached and one.row("bastion-3").reached)
            relay.stall()
            write(a, "while it hangs")
            one.peers.rung()
            await until(lambda: "while it hangs" in texts(c))
            await until(lambda: one.row().problem)
            assert "cut in the middle" in one.row().problem or "does not answer" in one.row().problem
            relay.cut()
            relay.heal()
            await until(lambda: "while it hangs" in texts(b))


async def test_a_full_disk_there_is_told_and_what_it_lacks_goes_when_there_is_room(
    bastion: Bastion, sshd: Sshd, small_disk: Path
) -> None:
    a = bastion("a", 2)
    with Store.open(small_disk / "b", letter="b") as b:
        write(b, "one")
        write(a, *(os.urandom(800).hex() for _ in range(3000)))
        async with watching(a, peer(sshd, b.place.directory, seconds=1.0)) as one:
            await until(lambda: one.row().reached)
            assert "did not take" in one.row().problem and "no room left" in one.row().problem
            (found,) = replica_findings(["bastion-2"], {"bastion-2": one.row()}, NOW)
            assert "not all entries go to and fro" in found.sentence
            subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)  # noqa: ASYNC221
            one.clock.now += peers.AGAIN
            await until(lambda: not one.row().problem)
            assert texts(b) == texts(a) and not one.saved.drafts


async def test_what_cannot_be_had_is_tried_again_later_and_later(bastion: Bastion, sshd: Sshd) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(0 if len(waits) < 8 else 3600)

    a = bastion("a", 1)
    nobody = peer(sshd, "/none", known_hosts="/none")
    around = Surroundings(
        Store.open(a.place.directory), Fleet(), Saved(), Author("w"), str, Clock(), sleep=sleep, jitter=lambda: 1.0
    )
    ways = Peers([nobody], around, {})
    async with asyncio.TaskGroup() as group:
        tasks = ways.tasks(group)
        await until(lambda: len(waits) == 8)
        tasks[0].cancel()
    ways.close()
    assert waits == [1, 2, 4, 8, 16, 30, 30, 30] and "no file /none" in ways.rows()["bastion-2"].problem
    assert peers.LONGEST_WAIT == 30
