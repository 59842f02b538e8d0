"""A connection's parts end when it is lost, also one that did not hear that it was cancelled."""

from __future__ import annotations

import asyncio

from incident_tui.replica.connection import end


async def test_who_loses_one_cancellation_gets_another() -> None:
    heard = 0

    async def deaf() -> None:
        nonlocal heard
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                heard += 1
                if heard == 3:
                    raise

    task = asyncio.create_task(deaf())
    await asyncio.sleep(0)
    await end([task])
    assert task.cancelled() and heard == 3


async def test_who_waits_for_them_may_be_cancelled_and_they_end_all_the_same() -> None:
    begun = asyncio.Event()
    release = asyncio.Event()

    async def slow() -> None:
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            await release.wait()

    task = asyncio.create_task(slow())
    await begun.wait()
    waiting = asyncio.create_task(end([task]))
    await asyncio.sleep(0)
    waiting.cancel()
    release.set()
    await asyncio.wait([waiting, task], timeout=10)
    assert waiting.cancelled() and task.done()
