"""The watch's own exchange with each [[sync]]: a connection that stays, what is new at once, and who was not reached.

The network is waited for in the event loop and the journal is worked on in one thread of its own: neither a bastion
that hangs nor a slow disk holds up the watch. A bastion that was away for longer than HOLD is a gap entry when it is
back, once: from when it last answered until then.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from incident_tui import __version__
from incident_tui.fleet.settings import Fleet
from incident_tui.incident.entry import Author, Draft, Entry
from incident_tui.journal.errors import JournalError
from incident_tui.journal.store import Store
from incident_tui.replica.exchange import Side
from incident_tui.replica.frames import ExchangeError
from incident_tui.replica.over_ssh import Kept, Link
from incident_tui.replica.reach import Span, gap
from incident_tui.replica.rows import ReplicaRow
from incident_tui.replica.shelf import StoreShelf
from incident_tui.replica.sync_settings import Sync
from incident_tui.text import sanitise, where

log = logging.getLogger("incident_tui.watch")

HOLD: Final = timedelta(seconds=60)
"""So long a bastion may be away before that is written down."""
AGAIN: Final = timedelta(seconds=60)
"""After so long what was refused or not saved is tried again: a disk may have room again."""
FIRST_WAIT: Final = 1.0
LONGEST_WAIT: Final = 30.0
_SHOWN: Final = timedelta(seconds=10)
"""The time of the last answer on the board is at most so much too old."""
_NOT_YET: Final = "not connected yet"


class Saving(Protocol):
    """What saves the gap entries: `watch.saving.Fenced`."""

    def each(self, pairs: Sequence[tuple[Draft, str]]) -> Future[list[Entry]]: ...


class Surroundings:
    """What every peer of one watch shares."""

    def __init__(
        self,
        store: Store,
        fleet: Fleet,
        saving: Saving,
        author: Author,
        incident: Callable[[], str],
        clock: Callable[[], datetime],
        *,
        sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`store` is for the exchange alone. `incident` is where gap entries belong now; empty when nowhere."""
        self.store = store
        self.fleet = fleet
        self.saving = saving
        self.author = author
        self.incident = incident
        self.clock = clock
        self.sleep = sleep
        self.jitter = jitter
        self._pool = ThreadPoolExecutor(1, "replica over ssh")

    async def work(self, act: Callable[[], bytes]) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(self._pool, act)

    def close(self) -> None:
        """What runs ends by itself, and the store is closed after it."""
        self._pool.submit(self.store.close)
        self._pool.shutdown(wait=False)


class _Peer:
    """One bastion. `row` is for the board."""

    def __init__(self, peer: Sync, around: Surroundings, before: ReplicaRow | None) -> None:
        """`before` is what an earlier watch left on the board."""
        self.peer = peer
        self._around = around
        now = around.clock()
        self._problem = before.problem if before is not None and before.problem else _NOT_YET
        self._since = before.since if before is not None and before.problem and before.since else now
        self._reached = before.reached_at if before is not None else None
        self._shown = self._reached
        self._away: datetime | None = self._reached or now
        """Since when it has not answered; None while it does."""
        self._letter = ""
        self._failures = 0
        self._began = now
        self._side: Side | None = None
        self.kept = Kept(peer.seconds, self._settled)

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await self._around.sleep(await self.once())

    async def once(self) -> float:
        """One connection. Returns how many seconds to wait before the next."""
        around = self._around
        self._side = Side(StoreShelf(around.store, around.clock), self.peer.name, __version__, serves=False)
        self._began = around.clock()
        try:
            await Link(self.peer, around.fleet, self._side, around.work, self.kept).run()
            if self._side.over:
                return self._failed(f"{self.peer.name}: it ended the exchange.")
            return FIRST_WAIT * around.jitter()
        except (ExchangeError, JournalError) as error:
            return self._failed(error.sentence)
        except Exception as error:  # the watch goes on, whatever is sent to it
            log.error("a defect of incident-tui: sync with %s: %s", self.peer.name, where(error))
            return self._failed("not exchanged: a defect of incident-tui, see the log")

    def _failed(self, sentence: str) -> float:
        now = self._around.clock()
        if not self._problem:
            self._since = now
        if self._away is None:
            self._away = self._reached or now
        if sentence != self._problem:
            log.warning("sync: %s", sentence)
        self._problem = sentence
        self._failures += 1
        longest = min(LONGEST_WAIT, FIRST_WAIT * float(2 ** min(self._failures - 1, 10)))
        return longest * (0.5 + self._around.jitter() / 2)

    def _settled(self) -> bool:
        """Both sides have all, or it has just answered that it is there. False: what was not taken is tried again, in a
        new session."""
        side, now = self._side, self._around.clock()
        assert side is not None
        self._letter, self._failures = side.their_letter, 0
        if self._away is not None:
            if now - self._away >= HOLD:
                self._gap(Span(self._away, now), sum(side.done.got.values()))
            self._away = None
        problem = side.done.problems[-1] if side.done.problems else ""
        if bool(problem) != bool(self._problem):
            self._since = now
        if problem != self._problem:
            log.info("sync: %s", problem or f"{self.peer.name} is reached")
        self._problem = problem
        self._reached = now
        if self._shown is None or not timedelta(0) <= now - self._shown < _SHOWN:
            self._shown = now
        return not problem or now - self._began < AGAIN

    def _gap(self, span: Span, came: int) -> None:
        name = self.peer.name
        then = f"; {came} entr{'y' if came == 1 else 'ies'} came then" if came else ""
        text = f"{name} not reached from {span}{then}"
        pair = gap(name, text, span, self._around.author, self._around.incident(), {"replica": name, "came": came})
        self._around.saving.each([pair])

    @property
    def row(self) -> ReplicaRow:
        return ReplicaRow(
            name=self.peer.name,
            way="ssh",
            at=self._around.clock(),
            problem=sanitise(self._problem, limit=400),
            since=self._since,
            reached=self._away is None,
            reached_at=self._shown,
            detail=self._letter,
        )


class Peers:
    """All of [[sync]], while the lease is held."""

    def __init__(self, peers: Sequence[Sync], around: Surroundings, before: Mapping[str, ReplicaRow]) -> None:
        """`before` are the rows that an earlier watch left, by name."""
        self._around = around
        self._peers = [_Peer(peer, around, before.get(peer.name)) for peer in peers]

    def tasks(self, group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        """Starts exchanging; each runs until it is cancelled."""
        return [group.create_task(one.run(), name=f"sync {one.peer.name}") for one in self._peers]

    def rung(self) -> None:
        """Something may be new in the journal."""
        for one in self._peers:
            one.kept.news.set()

    def rows(self) -> dict[str, ReplicaRow]:
        """For the board, by name."""
        return {one.peer.name: one.row for one in self._peers}

    def close(self) -> None:
        with contextlib.suppress(RuntimeError):  # closed before
            self._around.close()
