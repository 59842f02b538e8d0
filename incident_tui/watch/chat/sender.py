"""Sends one sink's queue, in order. Only the holder of the lease sends."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import msgspec

from incident_tui.incident.entry import Ref
from incident_tui.text import sanitise
from incident_tui.watch.chat.compose import TOGETHER, Composed, as_one, together
from incident_tui.watch.chat.delivery import Attempt, Delivery
from incident_tui.watch.chat.outbox import Message, Outbox
from incident_tui.watch.chat.platform import Misfit, Outcome, Outgoing, Pace
from incident_tui.watch.chat.shared import Gate, Open
from incident_tui.watch.retry_after import LONGEST_WAIT
from incident_tui.watch.rows import ChatRow
from incident_tui.watch.settings import ChatSink

LATE: Final = timedelta(minutes=2)
"""A message that waited so long says when it happened."""
_FIRST_WAIT: Final = 1.0
_LONGEST_BACK_OFF: Final = 120.0
_MISFIT_WAIT: Final = timedelta(seconds=10)
_LONGEST_SLEEP: Final = 60.0


class Bucket:
    """A token bucket, on the clock that is passed in."""

    def __init__(self, pace: Pace, now: datetime) -> None:
        self.pace = pace
        self._tokens = float(pace.burst)
        self._filled = now

    def wait(self, now: datetime) -> float:
        """Seconds until a message may go; 0: now."""
        gained = (now - self._filled).total_seconds() / self.pace.seconds
        self._tokens = min(float(self.pace.burst), self._tokens + max(0.0, gained))
        self._filled = now
        return 0.0 if self._tokens >= 1 else (1 - self._tokens) * self.pace.seconds

    def take(self) -> None:
        self._tokens -= 1


class Sender:
    """The worker of one sink.

    `compose(ref)` gives the message as it stands now, or None when there is nothing to send any more; `may_send()`
    rechecks the lease before each attempt, and `gate` asks the other bastions; `wake` is set when something was queued.
    """

    def __init__(
        self,
        sink: ChatSink,
        outbox: Outbox,
        delivery: Delivery,
        *,
        compose: Callable[[Ref], Composed | None],
        may_send: Callable[[], bool],
        clock: Callable[[], datetime],
        jitter: Callable[[], float],
        gate: Gate | None = None,
    ) -> None:
        self._gate = gate or Open()
        self.sink = sink
        self._place = " ".join((sink.name, sink.kind, sink.server, sink.room))
        self._outbox = outbox
        self._delivery = delivery
        self._compose = compose
        self._may_send = may_send
        self._clock = clock
        self._jitter = jitter
        pace = delivery.facts.pace
        self._bucket = Bucket(Pace(sink.seconds_between or pace.seconds, pace.burst), clock())
        self._pause_until: datetime | None = None
        self._problem = ""
        self._since: datetime | None = None
        self._unsettled: tuple[list[Message], str, Outcome] | None = None
        """What an attempt came to, until the outbox has taken it."""
        self._row = ChatRow(name=sink.name, at=clock())
        self.wake = asyncio.Event()

    def row(self) -> ChatRow:
        try:
            self._row = self._outbox.row(self.sink.name, self._clock(), self._problem, self._since)
        except sqlite3.Error as error:
            self._note(_unusable(error))
            self._row = msgspec.structs.replace(self._row, at=self._clock(), problem=self._problem, since=self._since)
        return self._row

    async def run(self) -> None:
        """Sends until it is cancelled."""
        try:
            while True:
                wait = await self.step()
                if wait > 0:
                    self.wake.clear()
                    # Not wait_for: on Python 3.11 it swallows a cancellation that meets a wake-up.
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(wait):
                            await self.wake.wait()
        finally:
            await self._delivery.close()

    def retry(self, ref: Ref | None) -> int:
        """A person's word, see `Outbox.retry`. Raises sqlite3.Error."""
        found = self._outbox.retry(self.sink.name, ref)
        self._pause_until = None
        self.wake.set()
        return found

    def hurry(self) -> None:
        """What waits is tried now, whatever it was to wait for. Raises sqlite3.Error."""
        self._outbox.hurry(self.sink.name)
        self._pause_until = None
        self.wake.set()

    async def step(self) -> float:
        """Sends the head of the queue if it is due. Returns seconds until it is worth calling again; 0 for now."""
        try:
            if self._unsettled is not None:
                self._settle(*self._unsettled)
            return await self._send()
        except sqlite3.Error as error:
            self._note(_unusable(error))
            return 1.0

    async def _send(self) -> float:
        waiting = self._outbox.waiting(self.sink.name, TOGETHER)
        if not waiting:
            return _LONGEST_SLEEP
        now = self._clock()
        wait = max(_left(waiting[0].next_try, now), _left(self._pause_until, now), self._bucket.wait(now))
        if wait > 0:
            return min(wait, _LONGEST_SLEEP)
        batch, text, first = self._next(waiting, now)
        if first is None:
            return 0.0
        try:
            attempt = self._delivery.prepare(self._outgoing(batch, text, first))
        except Misfit as misfit:
            self._outbox.postpone(batch, now + _MISFIT_WAIT, str(misfit), together=batch[0].batch is not None)
            self._note(str(misfit))
            return _MISFIT_WAIT.total_seconds()
        if not self._may_send() or not await self._gate.claim([message.ref for message in batch]):
            return 1.0
        self._bucket.take()
        self._outbox.sending(batch)
        self._unsettled = batch, first.incident, await _tried(attempt)
        self._settle(*self._unsettled)
        await self._tell(batch)
        return 0.0

    async def _tell(self, batch: list[Message]) -> None:
        """Says what became of it, unless it may have arrived and goes again as the same message."""
        states = set(self._outbox.states(self.sink.name, [message.ref for message in batch]).values())
        waits = "waiting" in states
        if not waits or self._outbox.waiting(self.sink.name, 1)[0].batch is None:
            await self._gate.settled([message.ref for message in batch], done=not waits)

    def _next(self, waiting: list[Message], now: datetime) -> tuple[list[Message], str, Composed | None]:
        """What goes out next, and its text. None when what was first must not go any more: that is settled then."""
        sink, fixed = self.sink, waiting[0].batch is not None
        many = fixed or (sink.coalesce > 0 and len(waiting) >= sink.coalesce)
        batch: list[Message] = []
        composed: list[Composed] = []
        for message in waiting if many else waiting[:1]:
            one = self._compose(message.ref)
            if one is not None:
                composed.append(one)
                batch.append(message)
            elif not fixed:
                self._outbox.finish([message], "dropped", now, "the entry was purged or struck before it was sent")
        if not composed:
            if fixed:
                said = "the entry was purged or struck before it was known to be sent"
                self._outbox.finish(waiting, "dropped", now, said)
            return [], "", None
        if fixed:  # all of it may be there as it was: all of it goes, as whatever it says now
            text = as_one(composed) if len(composed) > 1 else self._alone(composed[0], batch[0], now)
            return waiting, text, composed[0]
        text, count = together(composed, self._delivery.facts) if len(composed) > 1 else ("", 1)
        return batch[:count], text or self._alone(composed[0], batch[0], now), composed[0]

    @staticmethod
    def _alone(one: Composed, message: Message, now: datetime) -> str:
        return one.text(late=now - message.queued >= LATE)

    def _outgoing(self, batch: list[Message], text: str, first: Composed) -> Outgoing:
        facts, threaded = self._delivery.facts, self.sink.threads and bool(first.incident)
        begin, end = batch[0].ref, batch[-1].ref
        return Outgoing(
            text=sanitise(text, lines=True),
            key=f"itui-{self.sink.name}-{begin.journal}-{begin.seq}" + (f"-{end.seq}" if len(batch) > 1 else ""),
            tag=first.tag,
            incident=first.incident,
            title=first.title,
            root=self._outbox.root(self._place, first.incident) if threaded and facts.threads else "",
        )

    def _settle(self, batch: list[Message], incident: str, outcome: Outcome) -> None:
        now = self._clock()
        state, problem = outcome.state, outcome.problem
        if state == "maybe" and self._delivery.facts.idempotent:
            self._again(batch, outcome, f"{problem}; it is sent again as the same message", together=True)
        elif state == "again":
            if outcome.rootless:
                self._outbox.end_thread(self._place, incident)
            # Of a batch that may have arrived before, that is still not known.
            self._again(batch, outcome, problem, together=batch[0].batch is not None)
        else:
            if outcome.remote and incident and self._delivery.facts.threads and state == "sent":
                self._outbox.begin_thread(self._place, incident, outcome.remote)
            self._outbox.finish(batch, state, now, problem, outcome.remote)
            self._pause_until = None if outcome.wait is None else now + outcome.wait
            if state in ("sent", "accepted"):
                self._problem, self._since = "", None
            else:
                self._note(problem)
        self._unsettled = None

    def _again(self, batch: list[Message], outcome: Outcome, problem: str, *, together: bool) -> None:
        wait = outcome.wait
        if wait is None:
            back_off = min(_LONGEST_BACK_OFF, _FIRST_WAIT * 2 ** min(batch[0].attempts, 10))
            wait = timedelta(seconds=back_off * (0.5 + self._jitter() / 2))
        self._outbox.postpone(batch, self._clock() + wait, problem, together=together)
        self._note(problem)

    def _note(self, problem: str) -> None:
        self._since = self._since or self._clock()
        self._problem = problem


def _left(until: datetime | None, now: datetime) -> float:
    """Seconds. Nobody may ask for longer than LONGEST_WAIT: then our clock was set back, and it is over."""
    left = timedelta(0) if until is None else until - now
    return 0.0 if left > LONGEST_WAIT else max(0.0, left.total_seconds())


async def _tried(attempt: Attempt) -> Outcome:
    """No defect of one dialect may end the watch; what it was stays open."""
    try:
        return await attempt()
    except Exception as error:
        return Outcome("maybe", f"an attempt failed in an unforeseen way ({type(error).__name__})")


def _unusable(error: sqlite3.Error) -> str:
    return f"the outbox cannot be used ({sanitise(str(error), limit=60)}); it is tried again"
