"""Pools, rows of two holders, and what begins and ends with the duty."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

from incident_tui.hosts.readings import Gluster, HostReading, Link, LinkState, Peer
from incident_tui.incident.entry import Ref
from incident_tui.watch.on_duty import while_so
from incident_tui.watch.rows import ChatRow, Delivery
from incident_tui.watch.together import chat_of_both, pools_of

NOW = datetime(2026, 11, 28, 3, 10, tzinfo=UTC)


def peer(name: str, *others: str) -> HostReading:
    peers = tuple(Peer(uuid=f"u-{one}", hostname=one, connected=True, state=3) for one in others)
    told = Gluster(at=NOW, uuid=f"u-{name}", version="9", glusterd_alive=True, peers=peers, volumes=(), bricks=())
    return said(name, told)


def said(name: str, told: Gluster | None) -> HostReading:
    link = Link(state=LinkState.UP, sentence="", since=NOW, at=NOW)
    return HostReading(host=name, at=NOW, link=link, gluster=told)


def readings(*made: HostReading) -> Mapping[str, HostReading]:
    return {one.host: one for one in made}


def test_peers_of_one_pool_belong_together_whoever_read_them() -> None:
    found = pools_of(readings(peer("c", "a"), peer("a", "c"), peer("x", "y"), peer("y", "x"), peer("alone")))
    assert found == (("a", "c"), ("x", "y"))


def test_a_peer_that_says_nothing_now_stays_in_its_pool_and_one_that_left_does_not() -> None:
    before = (("a", "b", "c"),)
    silent = readings(peer("a", "c"), peer("c", "a"), said("b", None))
    assert pools_of(silent, before) == before
    assert pools_of(readings(peer("a", "c"), peer("c", "a"), peer("b")), before) == (("a", "c"),)


def test_the_holders_row_of_a_chat_has_what_of_ones_own_a_person_must_see_to() -> None:
    def said(seq: int, state: str) -> Delivery:
        return Delivery(ref=Ref("j", seq), state=state, at=NOW)

    own = ChatRow(name="ops", at=NOW, maybe=1, deliveries=(said(1, "sent"), said(2, "maybe")))
    theirs = ChatRow(name="ops", at=NOW, waiting=3, deliveries=(said(3, "sent"),))
    both = chat_of_both(own, theirs)
    assert (both.waiting, both.maybe) == (3, 1)
    assert [one.ref.seq for one in both.deliveries] == [2, 3]


async def test_what_is_done_on_duty_ends_with_it_and_begins_anew() -> None:
    on, begun, ended = [True], asyncio.Semaphore(0), asyncio.Semaphore(0)

    async def run() -> None:
        begun.release()
        try:
            await asyncio.Event().wait()
        finally:
            ended.release()

    task = asyncio.create_task(while_so(lambda: on[0], run))
    async with asyncio.timeout(30):
        for _ in range(2):
            await begun.acquire()
            on[0] = False
            await ended.acquire()
            on[0] = True
        await begun.acquire()
        task.cancel()
        await asyncio.wait({task})
        await ended.acquire()
    assert task.cancelled()
