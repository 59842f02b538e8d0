"""Publishes the own journal: numbered, chained, from the journal file itself.

Nothing is queued in memory or on disk: what is to be sent is what the journal has and the stream has not. The stream
says so itself after each connecting. A number that is there twice does no harm, since `take_in` takes each once.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Final

import msgspec

from incident_tui.journal.notify import BURST
from incident_tui.journal.record import Record, decode, encode
from incident_tui.replica.connection import Session
from incident_tui.replica.keeper import Keeper, orders
from incident_tui.replica.problem import FULL, SILENT, ReplicaError, asking, said, telling
from incident_tui.replica.reading import place_of, read
from incident_tui.replica.settings import Replica
from incident_tui.replica.stream import PURGED, ensure, headers, info, number_of, subject

WINDOW: Final = 256
"""Records on their way at once."""
ACK_SECONDS: Final = 2.0
PAUSE: Final = 0.25
TRIES: Final = 40
"""Then the stream itself is looked at again: it may have been taken away. A new leader takes four to nine seconds."""
LOOK_AGAIN: Final = 30.0
"""Seconds after which the stream is asked again whether it still has everything."""


class Sent(msgspec.Struct, frozen=True):
    """One message of the own subject."""

    number: int
    """In the stream."""
    purged: bool


class Publisher:
    """The part of the own entries. `done`: entries up to this number are on the stream."""

    def __init__(
        self,
        settings: Replica,
        keeper: Keeper,
        wait: Callable[[float], Awaitable[None]],
        heard: Callable[[], None],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`wait` returns when the journal may have grown, or after so many seconds. `heard` is called when the stream
        acknowledged something."""
        self._settings = settings
        self._keeper = keeper
        self._wait = wait
        self._heard = heard
        self._sleep = sleep
        self.done = 0
        self.acknowledged = 0
        """Messages that the stream has acknowledged since the start."""
        self.known = False
        """That the stream continues this journal: else what is written here may be of an older copy of it."""
        self._clean: set[int] = set()
        self._extra = 0
        """As the last walk left the stream: entries purged from it, and messages beyond one for each entry."""
        self.stream_of = ""
        """When the stream was made that `done` is about."""
        self.problem = ""
        self._again = asyncio.Event()

    def look_again(self) -> None:
        """Somebody misses own entries, or it is another stream: ask it whether it has them."""
        self._again.set()

    async def run(self, session: Session) -> None:
        """Raises ReplicaError."""
        try:
            with telling(self):
                await ensure(session, self._settings)
                while True:
                    self._again.clear()
                    await self._make_whole(session)
                    self.known = True
                    await self._follow(session)
        except ReplicaError as error:
            self.known = self.known and not error.lasting
            raise

    async def _follow(self, session: Session) -> None:
        """Sends what is written, until it is time to look at the whole again."""
        loop = asyncio.get_running_loop()
        look = loop.time() + LOOK_AGAIN
        while not self._again.is_set():
            records = await self._keeper.own(self.done + 1, 1 << 62, WINDOW)
            if records:
                await self._send(session, records)
                if orders(records):
                    return  # done when what they are about is gone from the stream
                self.done = records[-1].seq
                self._heard()
                continue
            self.problem = ""
            if loop.time() >= look:
                return
            await self._wait(1.0)
            await self._sleep(BURST)

    # ------------------------------------------------------------------ the whole

    async def _make_whole(self, session: Session) -> None:
        """What the stream lacks of the own journal is sent; what was purged is taken out of it."""
        stream, journal, head = self._settings.stream, (await self._keeper.head()).journal, await self._keeper.head()
        own = subject(stream, journal)
        found = await info(session, stream, journal)
        state, self.stream_of = found.state, str(found.created)
        count = (state.subjects or {}).get(own, 0)
        purged = set(await self._keeper.purged())
        last = await self._last(session, own) if count else None
        if last is not None:
            await self._check(last, head.seq)
            if count == last.seq + self._extra and purged == self._clean:
                self.done = last.seq
                return
        there = await self._walk(session, own) if count else {}
        for number in sorted(purged & set(there)):
            for sent in there[number]:
                if not sent.purged:
                    await self._erase(session, sent.number)
            there[number] = [sent for sent in there[number] if sent.purged]
        top = max(there, default=0)
        if top > head.seq:
            raise ReplicaError(_ahead(top, head.seq), lasting=True)
        missing = [number for number in range(1, top + 1) if not there.get(number)]
        for first, until in _spans(missing):
            while first <= until:
                records = await self._keeper.own(first, until, WINDOW)
                if not records:
                    break
                await self._send(session, records, again=state.last_seq)
                first = records[-1].seq + 1
        self._clean, self._extra = purged, sum(map(len, there.values())) + len(missing) - top
        self.done = top

    async def _last(self, session: Session, own: str) -> Record | None:
        """None where the server cannot tell: 2.9 forgets which is the last when that one was erased."""
        from nats.js.errors import NotFoundError

        with asking(session.where), contextlib.suppress(NotFoundError):
            return decode((await session.js.get_last_msg(self._settings.stream, own)).data or b"")
        return None

    async def _check(self, last: Record, head: int) -> None:
        """That the stream continues this journal and no other of the same id. Raises ReplicaError."""
        if last.seq > head:
            raise ReplicaError(_ahead(last.seq, head), lasting=True)
        here = await self._keeper.head_at(last.seq)
        if here is None or here.hash != last.link.hex():
            raise ReplicaError(
                f"entry {last.letter}{last.seq} on the stream is another than the one here: this journal was written "
                "to in two places. Nothing of it is published. Compare with `incident-tui verify` on both.",
                lasting=True,
            )

    async def _walk(self, session: Session, own: str) -> dict[int, list[Sent]]:
        """Every message of the own subject, by the entry's number; without their texts."""
        found: dict[int, list[Sent]] = {}
        async with aclosing(read(session, self._settings.stream, own, 1, headers_only=True)) as batches:
            async for batch in batches:
                for message in batch.messages:
                    sent = Sent(place_of(message), PURGED in (message.headers or {}))
                    found.setdefault(number_of(message.headers), []).append(sent)
                if not batch.pending:
                    break
        return found

    async def _erase(self, session: Session, number: int) -> None:
        """Overwritten in the file of each server, not only forgotten."""
        from nats.js.errors import NotFoundError

        with asking(session.where), contextlib.suppress(NotFoundError):
            await session.js.delete_msg(self._settings.stream, number)

    # ------------------------------------------------------------------ sending

    async def _send(self, session: Session, records: Sequence[Record], again: int = 0) -> None:
        """Until the stream has acknowledged every one. Raises ReplicaError when it does not."""
        left = list(records)
        for _ in range(TRIES):
            left, self.problem = await self._try(session, left, again)
            if not left:
                return
            await self._sleep(PAUSE)
        raise ReplicaError(self.problem)

    async def _try(self, session: Session, records: Sequence[Record], again: int) -> tuple[list[Record], str]:
        """Those that were not acknowledged, and why."""
        from nats.errors import Error

        answers = await asyncio.gather(
            *(self._publish(session, record, again) for record in records), return_exceptions=True
        )
        left: list[Record] = []
        problems: list[str] = []
        for record, answer in zip(records, answers, strict=True):
            if isinstance(answer, BaseException):
                if not isinstance(answer, Error | OSError | ReplicaError):
                    raise answer
                left.append(record)
                problems.append(SILENT if isinstance(answer, TimeoutError) else said(answer, session.where).sentence)
        if len(left) < len(records):
            self._heard()
        elif session.denied:
            raise ReplicaError("the servers do not let this bastion publish under its journal's name", lasting=True)
        return left, FULL if FULL in problems else "".join(problems[:1])

    async def _publish(self, session: Session, record: Record, again: int) -> None:
        wire = encode(record)
        if len(wire) + 1024 > session.client.max_payload:
            raise ReplicaError(
                f"entry {record.letter}{record.seq} has {len(wire)} bytes, and the servers take "
                f"{session.client.max_payload}: raise max_payload in their configuration"
            )
        name = subject(self._settings.stream, record.journal)
        header = headers(record.journal, record.seq, purged=record.purged, again=again)
        answer = await session.js.publish(name, wire, timeout=ACK_SECONDS, headers=header)
        if answer.duplicate and not await self._is_there(session, record, answer.seq):
            # nats-server 2.9 remembers ids of what was proposed, or stored, and lost when another leader took over: for
            # two minutes only another id gets it in.
            header = headers(record.journal, record.seq, purged=record.purged, again=time.time_ns())
            await session.js.publish(name, wire, timeout=ACK_SECONDS, headers=header)
        self.acknowledged += 1

    async def _is_there(self, session: Session, record: Record, place: int) -> bool:
        """Whether the stream has this record at this number."""
        from nats.js.errors import APIError

        if not place:
            return False
        try:
            message = await session.js.get_msg(self._settings.stream, place)
        except APIError:  # not found, or deleted, which 2.9 says otherwise
            return False
        return message.data == encode(record)


def _ahead(there: int, here: int) -> str:
    return (
        f"the stream has this journal up to number {there}, and here it ends at {here}: this is an older copy of it, "
        "such as a backup. Nothing of it is published. `incident-tui sync HOST --recover` fetches the rest."
    )


def _spans(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """(first, last) of each run without a hole."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found
