"""Turns to connect: many hosts are not logged into at once, neither at the start nor after a network was cut."""

from __future__ import annotations

import asyncio

WAVE = 0.05
"""Seconds between the starts of two connections. A login costs some milliseconds of CPU on our side, and more there."""


class Turns:
    """Shared by all links of a fleet. A turn ends when it began: a host that hangs keeps nobody waiting."""

    def __init__(self) -> None:
        self._next = 0.0

    async def take(self) -> None:
        """Wait for the next free turn; at once when nobody else waits."""
        now = asyncio.get_running_loop().time()
        turn = max(now, self._next)
        self._next = turn + WAVE
        if turn > now:
            await asyncio.sleep(turn - now)
