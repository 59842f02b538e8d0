"""Replication of one bastion over NATS JetStream: the connection, what goes out, what comes in, and how it is.

Local first: an entry is saved by the local journal alone; all of this runs beside it, in the watch, woken by the bell.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from incident_tui.incident.entry import Author, Draft
from incident_tui.journal.errors import JournalError
from incident_tui.journal.store import Store
from incident_tui.replica.aloud import Aloud
from incident_tui.replica.connection import Connection, Session, together
from incident_tui.replica.keeper import Keeper
from incident_tui.replica.problem import ReplicaError, asking
from incident_tui.replica.publisher import Publisher
from incident_tui.replica.reach import Reach, Span, gap
from incident_tui.replica.rows import ReplicaRow
from incident_tui.replica.settings import NATS, Replica
from incident_tui.replica.stream import ask_subject, info
from incident_tui.replica.taker import Taker, asked
from incident_tui.text import sanitise

POSITION: Final = "jetstream.json"
"""In the journal's directory: how far the stream was read."""
_PROBE: Final = 2.5
"""Seconds between two questions to the stream's leader."""
_LEAVE: Final = timedelta(seconds=10)
"""A server behind which no leader answers for so long is left for another: it may be cut off from the others."""
_CAUGHT_UP: Final = timedelta(seconds=60)
"""So long a gap entry waits to say how much came after it."""
_HEARD: Final = timedelta(seconds=30)
SAID: Final = "what is written goes only to the bastions that are connected now"

Note = Callable[[Draft, str], object]
"""Saves an entry under a key, some time."""


class JetStream:
    """`run` until it is cancelled, then `close`. Others may join `connection` before that."""

    def __init__(
        self,
        settings: Replica,
        store: Store,
        clock: Callable[[], datetime],
        note: Note,
        author: Author,
        incident: Callable[[], str],
        *,
        sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`store` tells which journal; it is opened a second time for a thread of its own. `incident` is the id of the
        one that gap entries belong to, "" when there is none."""
        self.settings = settings
        self.name = settings.name or os.uname().nodename
        directory, letter = Path(store.place.directory), store.letter
        self._clock = clock
        self._note = note
        self._author = author
        self._incident = incident
        self._sleep = sleep
        self._bells: list[asyncio.Event] = []
        self._keeper = Keeper(lambda: Store.open(directory, letter=letter, clock=clock, create=False), clock)
        self._head = 0
        self._waiting_since: datetime | None = None
        self._reach = Reach(clock())
        self._span: Span | None = None
        self._counts = self._before = (0, 0, 0)
        """Entries that had come from the stream, gone there, and come past it: when it was heard of last, and when that
        was the last before it was lost."""
        self._shown: datetime | None = None
        self.connection = Connection(settings, store.journal, sleep=sleep, jitter=jitter)
        self.publisher = Publisher(settings, self._keeper, self._bell(), self._heard, sleep=sleep)
        self.taker = Taker(settings, self._keeper, directory / POSITION, store.journal, self._heard, clock)
        self.connection.join("publish", self.publisher.run)
        self.connection.join("take in", self.taker.run)
        self.connection.join("probe", self._probe)
        self.connection.join("asked", self._asked)
        self.aloud = Aloud(settings, self._keeper, self.publisher, self.taker, self._bell(), sleep=sleep)
        self.connection.join("aloud", self.aloud.run)

    async def run(self) -> None:
        await together(self.connection.run(), self._mind())

    def close(self) -> None:
        self._keeper.close()

    def rung(self) -> None:
        """Something may be new in the journal; who does not say so has it seen within a second."""
        for bell in self._bells:
            bell.set()

    def _bell(self) -> Callable[[float], Awaitable[None]]:
        """Waits until it rings, or for so many seconds; for one part."""
        bell = asyncio.Event()
        self._bells.append(bell)

        async def wait(seconds: float) -> None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await bell.wait()
            bell.clear()

        return wait

    # ------------------------------------------------------------------ parts

    async def _probe(self, session: Session) -> None:
        """Asks the stream's leader, and whether it is still the same stream. A server without one behind it is left."""
        begun = self._clock()
        while True:
            with contextlib.suppress(ReplicaError):
                created = str((await info(session, self.settings.stream)).created)
                self._heard()
                if self.publisher.stream_of not in ("", created):
                    self.publisher.look_again()
            quiet = self._clock() - max(self._reach.heard_at or begun, begun)
            if abs(quiet) > _LEAVE:
                session.leave()
                return
            await self._sleep(_PROBE)

    async def _asked(self, session: Session) -> None:
        """Another bastion misses entries of this one."""
        with asking(session.where):
            subscription = await session.client.subscribe(ask_subject(self.settings.stream))
            async for message in subscription.messages:
                journal, after = asked(message)
                if journal == (await self._keeper.head()).journal:
                    self.publisher.look_again()
                    self.aloud.asked(after)
                    self.rung()

    # ------------------------------------------------------------------ how it is

    def _heard(self) -> None:
        self._look()  # one that was stopped, or slept, hears before it has noticed that it was alone
        self._counts = (self.taker.came - self.aloud.came, self.publisher.done, self.aloud.came)
        self._reach.heard(self._clock())

    def _look(self) -> None:
        reached = self._reach.reached
        self._reach.look(self._clock())
        if reached and not self._reach.reached:
            self._before = self._counts

    async def _mind(self) -> None:
        """Keeps the state, and tells the journal of spans in which nobody was reached."""
        while True:
            now = self._clock()
            with contextlib.suppress(JournalError):
                self._head = (await self._keeper.head()).seq
            self._waiting_since = (self._waiting_since or now) if self.waiting else None
            self._look()
            self._span = self._span or self._reach.ended()
            if self._span is not None:
                self._tell(self._span, now)
            await self._sleep(1.0)

    @property
    def waiting(self) -> int:
        """Own entries that the stream is not known to have."""
        return max(0, self._head - self.publisher.done)

    def _tell(self, span: Span, now: datetime) -> None:
        if (self.taker.pending != 0 or self.waiting) and now - span.until < _CAUGHT_UP:
            return
        self._span = None
        came, went = self.taker.came - self.aloud.came - self._before[0], self.publisher.done - self._before[1]
        heard = self.aloud.came - self._before[2]
        missed, meanwhile = "other bastions", ""
        if heard:
            missed, meanwhile = "stream", f"{heard} of the others' entries came all the same, past it; then "
        text = (
            f"{self.name} did not reach the {missed} over NATS from {span}: {meanwhile}"
            f"{came} of their entries came here and {went} went from here after that"
        )
        self._note(*gap(NATS, text, span, self._author, self._incident(), {"replica": self.name}))

    @property
    def row(self) -> ReplicaRow:
        """For the board."""
        now, session = self._clock(), self.connection.session
        heard = self._reach.heard_at
        if heard is not None and (self._shown is None or abs(heard - self._shown) >= _HEARD):
            self._shown = heard
        problem = ""
        if not self._reach.reached:
            problem = self.connection.problem or self.taker.problem or self.publisher.problem or "nothing is heard"
        elif self.publisher.problem and self.waiting:
            problem = self.publisher.problem
        elif self.taker.problem:
            problem = self.taker.problem
        if problem and self.aloud.speaking:
            problem += f" ({SAID})"
        return ReplicaRow(
            name=NATS,
            way="jetstream",
            at=now,
            problem=sanitise(problem, limit=300),
            since=self._reach.since,
            reached=self._reach.reached,
            reached_at=self._shown,
            detail=sanitise(session.node or session.where, limit=60) if session is not None else "",
            waiting=self.waiting,
            waiting_since=self._waiting_since,
            pending=self.taker.pending if self._reach.reached else None,
            refused=sanitise(self.taker.refused, limit=400),
        )
