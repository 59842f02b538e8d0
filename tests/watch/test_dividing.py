"""The part of one watch: at once where it is small, beside the pulse where it is not."""

from __future__ import annotations

import asyncio

from incident_tui.replica.duty import State
from incident_tui.replica.shard import Division, Shards, division, packed
from incident_tui.watch.dividing import AT_ONCE, Dividing, Wanted

FEW = [f"web{number:02}" for number in range(20)]
MANY = sorted(f"web{number}" for number in range(AT_ONCE // 2))


def expected(hosts: list[str], fellows: str, **unreached: set[str]) -> Division:
    shards = Shards(hosts)
    shards.divide(fellows)
    return division(shards, "a", {host: host for host in hosts}, unreached)


async def divided(dividing: Dividing, wanted: Wanted) -> None:
    async with asyncio.timeout(30):
        while not dividing.step(wanted):  # noqa: ASYNC110 - of a thread
            await asyncio.sleep(0.001)


def test_a_small_fleet_is_divided_at_once() -> None:
    dividing = Dividing("a", FEW, ["site/x"])
    assert dividing.step(Wanted(State.JOINING, ("a",), ())) and dividing.part == Division()
    together = Wanted(State.TOGETHER, ("a", "b"), (), (("a", packed({"web07"}, FEW)),))
    assert dividing.step(together) and not dividing.step(together)
    assert dividing.part == expected([*FEW, "site/x"], "ab", a={"web07"})
    assert dividing.step(Wanted(State.ALONE, ("a",), ()))
    assert dividing.part == Division(dividing.names, dividing.names)


async def test_a_large_one_beside_the_pulse_with_the_part_that_it_had() -> None:
    dividing = Dividing("a", MANY, ())
    wanted = Wanted(State.TOGETHER, ("a", "b", "c"), ())
    assert not dividing.step(wanted) and dividing.part == Division()
    await divided(dividing, wanted)
    assert dividing.part == expected(MANY, "abc")


async def test_what_is_wanted_last_counts_and_being_alone_at_once() -> None:
    dividing = Dividing("a", MANY, ())
    assert not dividing.step(Wanted(State.TOGETHER, ("a", "b", "c"), ()))
    assert dividing.step(Wanted(State.ALONE, ("a",), ())) and dividing.part.reads == dividing.names
    wanted = Wanted(State.TOGETHER, ("a", "c", "d"), ())
    await divided(dividing, wanted)
    assert dividing.part == expected(MANY, "acd")
