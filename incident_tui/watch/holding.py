"""Holding the lease: one watch after the other, until it should end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from datetime import datetime

from incident_tui.journal.lease import Lease
from incident_tui.journal.store import Store
from incident_tui.watch.loop import Lost, Watch
from incident_tui.watch.plan import Plan

log = logging.getLogger("incident_tui.watch")


async def watch(plan: Plan, clock: Callable[[], datetime]) -> str:
    """Takes the lease and watches. Returns why it ended, in a few words. Raises JournalError when it cannot begin."""
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel)
    store = Store.open(plan.directory, letter=plan.letter, clock=clock)
    lease = Lease(plan.directory, store, clock)
    try:
        while True:
            epoch = await _take_lease(lease, plan.takeover_wait, loop)
            if epoch is None:
                holder = lease.holder()
                return f"another watch holds the lease (pid {holder.pid if holder else '?'})"
            log.info("watching, epoch %s, pid %s", epoch, os.getpid())
            try:
                return await Watch(plan, clock, store, lease, epoch).run()
            except Lost:
                log.warning("the lease was lost; another watch has taken over")
                if not plan.service:
                    return "another watch has taken over"
    except asyncio.CancelledError:
        return "told to end"
    finally:
        lease.release()
        store.close()


async def _take_lease(lease: Lease, wait: float, loop: asyncio.AbstractEventLoop) -> int | None:
    end = loop.time() + wait
    while True:
        epoch = lease.take()
        if epoch is not None or loop.time() >= end:
            return epoch
        await asyncio.sleep(1.0)
