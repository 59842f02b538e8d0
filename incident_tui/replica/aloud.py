"""Own entries said aloud while the stream takes none, to whoever is connected at that moment; and hearing the others'.

A cluster whose leader died has another after four to nine seconds, one without a majority has none, one without room
takes nothing: its servers pass plain messages on all the same. So once own entries wait and the stream has acknowledged
nothing for PATIENCE, each is published once under a subject of its own kind, the last one again now and then, and to a
bastion that misses some and asks, those. In peace nothing is said.

What is heard passes the same border as what is read from the stream. It counts for nothing else: an entry is on the
stream when the stream has acknowledged it, and is sent there as if it had never been said.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from incident_tui.journal.errors import JournalError
from incident_tui.journal.notify import BURST
from incident_tui.journal.record import encode
from incident_tui.replica.connection import Session, together
from incident_tui.replica.keeper import Keeper
from incident_tui.replica.problem import ReplicaError, asking
from incident_tui.replica.publisher import WINDOW, Publisher
from incident_tui.replica.settings import Replica
from incident_tui.replica.stream import aloud_subject
from incident_tui.replica.taker import Taker

if TYPE_CHECKING:
    from nats.aio.msg import Msg

PATIENCE: Final = 1.0
"""Seconds without any acknowledgement after which what waits is said; in peace it takes milliseconds."""
_LOOK: Final = 0.5
AGAIN: Final = 5.0
"""Seconds after which the last entry is said again, so that who has come later knows what it misses; and least seconds
between two questions for that, and between two answers."""
ROOM: Final = 8 << 20
"""Bytes that were heard and not taken in yet; what is more is passed over, and missed. An answer has half of that."""


class Aloud:
    """The part of what goes past the stream."""

    def __init__(
        self,
        settings: Replica,
        keeper: Keeper,
        publisher: Publisher,
        taker: Taker,
        wait: Callable[[float], Awaitable[None]],
        *,
        sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
    ) -> None:
        """`wait` returns when the journal may have grown, or after so many seconds."""
        self._settings = settings
        self._keeper = keeper
        self._publisher = publisher
        self._taker = taker
        self._wait = wait
        self._sleep = sleep
        self.speaking = False
        """The stream takes nothing, and what is written here is said."""
        self.came = 0
        """Entries that became visible by what was heard."""
        self._said = 0
        """Own entries up to this number were said since the stream takes nothing, whatever the connection."""
        self._asked: int | None = None
        """Somebody misses own entries after this number."""

    async def run(self, session: Session) -> None:
        """Raises ReplicaError."""
        try:
            with asking(session.where):
                await together(self._speak(session), self._hear(session))
        except JournalError as error:
            raise ReplicaError(error.sentence) from None

    def asked(self, after: int) -> None:
        """Somebody misses own entries after this number."""
        self._asked = after if self._asked is None else min(after, self._asked)

    # ------------------------------------------------------------------ saying

    async def _speak(self, session: Session) -> None:
        loop = asyncio.get_running_loop()
        acknowledged, quiet = self._publisher.acknowledged, loop.time()
        last, answered = 0.0, -AGAIN
        while True:
            if self.speaking:
                await self._wait(AGAIN)
                await self._sleep(BURST)
            else:
                await self._sleep(_LOOK)
            now, head = loop.time(), (await self._keeper.head()).seq
            silent = head <= self._publisher.done or not self._publisher.known or session.mute
            if silent or self._publisher.acknowledged != acknowledged:
                acknowledged, quiet, self.speaking = self._publisher.acknowledged, now, False
            elif self.speaking or now - quiet >= PATIENCE:
                if not self.speaking:
                    self.speaking, self._said, self._asked = True, self._publisher.done, None
                elif now - last >= AGAIN:
                    self._said = min(self._said, head - 1)
                if self._asked is not None and now - answered >= AGAIN:
                    after, self._asked, answered = self._asked, None, now
                    await self._say(session, after, head, ROOM // 2)
                if self._said < head:
                    last = now
                    self._said = await self._say(session, self._said, head)

    async def _say(self, session: Session, after: int, head: int, most: int | None = None) -> int:
        """Own entries after this number up to `head`, until `most` bytes were said. Returns the last one's number."""
        size = 0
        while after < head and (most is None or size < most):
            records = await self._keeper.own(after + 1, head, WINDOW if most is None else 16)
            for record in records:
                wire = encode(record)
                size += len(wire)
                if len(wire) <= session.client.max_payload:
                    await session.client.publish(aloud_subject(self._settings.stream, record.journal), wire)
            await session.client.flush(2)
            after = records[-1].seq if records else head
        return after

    # ------------------------------------------------------------------ hearing

    async def _hear(self, session: Session) -> None:
        waiting: list[Msg] = []
        size = 0
        fresh = asyncio.Event()

        async def came(message: Msg) -> None:
            nonlocal size
            if size + len(message.data) <= ROOM and message.data:  # an empty one is of somebody's `check`
                waiting.append(message)
                size += len(message.data)
                fresh.set()

        subscription = await session.client.subscribe(aloud_subject(self._settings.stream), cb=came)
        asked = -AGAIN
        try:
            while True:
                await fresh.wait()
                fresh.clear()
                messages, waiting, size = waiting, [], 0
                self.came += await self._taker.take(messages)
                now = asyncio.get_running_loop().time()
                if now - asked >= AGAIN and await self._taker.holes():
                    asked = now
                    await self._taker.ask(session)
        finally:
            with contextlib.suppress(Exception):
                await subscription.unsubscribe()
