"""Bytes leave in order and whole, whoever reads them how; a terminal that is gone is no error."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable

import pytest

from incident_tui.ui.outlet import Outlet, PolledOutlet, ThreadOutlet

Make = Callable[[int, Callable[[], None]], Outlet]


def polled(fileno: int, drained: Callable[[], None]) -> Outlet:
    os.set_blocking(fileno, False)
    return PolledOutlet(os.dup(fileno), asyncio.get_running_loop(), drained)


def threaded(fileno: int, drained: Callable[[], None]) -> Outlet:
    return ThreadOutlet(fileno, asyncio.get_running_loop(), drained)


@pytest.mark.parametrize("make", [polled, threaded])
async def test_all_arrives_in_order_however_slowly_it_is_read(make: Make) -> None:
    reader, writer = os.pipe()
    drained = asyncio.Event()
    outlet = make(writer, drained.set)
    dice = random.Random(7)
    sent = [dice.randbytes(dice.randrange(1, 60_000)) for _ in range(20)]
    began = time.monotonic()
    for one in sent:
        outlet.send(one)
    assert outlet.behind and not drained.is_set()
    assert time.monotonic() - began < 5  # it waited for nobody
    got = b""
    while len(got) < sum(map(len, sent)):
        got += await asyncio.to_thread(os.read, reader, dice.randrange(1, 70_000))
    assert got == b"".join(sent)
    await asyncio.wait_for(drained.wait(), 5)
    assert not outlet.behind
    outlet.close()
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("make", [polled, threaded])
async def test_what_nobody_takes_is_dropped_at_the_deadline(make: Make) -> None:
    reader, writer = os.pipe()
    outlet = make(writer, lambda: None)
    outlet.send(b"x" * 300_000)
    began = time.monotonic()
    assert not outlet.finish(0.2)
    assert time.monotonic() - began < 3
    outlet.close()
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("make", [polled, threaded])
async def test_a_terminal_that_is_gone_takes_everything_in_silence(make: Make) -> None:
    reader, writer = os.pipe()
    outlet = make(writer, lambda: None)
    os.close(reader)
    for _ in range(3):
        outlet.send(b"hello")
    assert outlet.finish(5)
    outlet.send(b"more")
    assert outlet.finish(5) and not outlet.behind
    outlet.close()
    os.close(writer)
