"""Reading messages of the stream in their order, from any number on, in batches as they come.

An ephemeral push consumer without acknowledgements, kept by the server in memory: how far we are is known here. Flow
control is answered when what came before it has been taken, so that what waits here is bounded. nats-py's own ordered
consumer mends itself in the background; here anything that is not as expected ends the reading with ReplicaError, and
whoever reads begins again from what it has.

A cluster may take messages and make no consumers, as when the disk is full of the server that leads the cluster while
another leads the stream: 2.9 leaves it so. Then `read_on` asks for one message after the other.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

import msgspec

from incident_tui.replica.connection import Session
from incident_tui.replica.problem import SILENT, ReplicaError, asking, said

if TYPE_CHECKING:
    from nats.aio.msg import Msg

HEARTBEAT: Final = 1.0
SILENCE: Final = 3.5
"""Seconds without a heartbeat after which the consumer is given up."""
MOST: Final = 1000
"""Messages of a batch."""
_INACTIVE: Final = 30.0
SINGLY: Final = 30.0
"""Seconds until a consumer is asked for again."""
_SINGLES: Final = 100


class Batch(msgspec.Struct, frozen=True):
    """Messages in the order of the stream. `last`: the number of the last one there. `pending`: how many follow."""

    messages: tuple[Msg, ...]
    last: int
    pending: int


class NoConsumer(ReplicaError):
    """None was made, or nothing at all came from it."""


async def read_on(session: Session, stream: str, subject: str, first: int) -> AsyncGenerator[Batch, None]:
    """As `read`; where there is no consumer, one message after the other, and then it ends after SINGLY seconds."""
    try:
        async with aclosing(read(session, stream, subject, first)) as batches:
            async for batch in batches:
                yield batch
    except NoConsumer:
        async with aclosing(_one_by_one(session, stream, subject, first)) as singles:
            async for single in singles:
                yield single


async def _one_by_one(session: Session, stream: str, subject: str, first: int) -> AsyncGenerator[Batch, None]:
    """Raises ReplicaError."""
    from nats.aio.msg import Msg
    from nats.js.errors import NotFoundError

    loop = asyncio.get_running_loop()
    end = loop.time() + SINGLY
    while loop.time() < end:
        found: list[Msg] = []
        with asking(session.where), contextlib.suppress(NotFoundError):
            while len(found) < _SINGLES:
                one = await session.js.get_msg(stream, max(1, first), subject, next=True)
                found.append(Msg(session.client, one.subject or "", "", one.data or b"", one.headers))
                first = (one.seq or 0) + 1
        yield Batch(tuple(found), first - 1, int(len(found) == _SINGLES))
        if len(found) < _SINGLES:
            await asyncio.sleep(HEARTBEAT)


async def read(
    session: Session, stream: str, subject: str, first: int, *, headers_only: bool = False
) -> AsyncGenerator[Batch, None]:
    """Batches from the stream's number `first` on, for ever; an empty one when there is nothing at the beginning, or
    nothing any more of what was said to follow. Raises ReplicaError. Close it with `contextlib.aclosing`."""
    from nats.errors import Error
    from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

    arrived: deque[Msg] = deque()
    fresh = asyncio.Event()

    async def came(message: Msg) -> None:
        arrived.append(message)
        fresh.set()

    client = session.client
    inbox = client.new_inbox()
    try:
        subscription = await client.subscribe(inbox, cb=came)
    except Error as error:
        raise said(error, session.where) from None
    name, heard = "", False
    try:
        made = await session.js.add_consumer(
            stream,
            ConsumerConfig(
                deliver_subject=inbox,
                deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                opt_start_seq=max(1, first),
                filter_subject=subject,
                ack_policy=AckPolicy.NONE,
                max_deliver=1,
                flow_control=True,
                idle_heartbeat=HEARTBEAT,
                inactive_threshold=_INACTIVE,
                headers_only=headers_only or None,
                mem_storage=True,
                num_replicas=1,
            ),
        )
        name = made.name
        last, pending, expected = first - 1, made.num_pending or 0, 1
        if not pending:
            yield Batch((), last, 0)
        while True:
            if not arrived:
                fresh.clear()
                async with asyncio.timeout(SILENCE):
                    await fresh.wait()
            heard = True
            messages: list[Msg] = []
            while arrived and len(messages) < MOST:
                message = arrived.popleft()
                if message.headers and message.headers.get("Status") == "100":
                    if messages and (message.reply or "Nats-Consumer-Stalled" in message.headers):
                        arrived.appendleft(message)  # answered when these have been taken
                        break
                    idle = await _control(session, message, expected)
                    if idle and pending and not messages:
                        pending = 0  # erased before it was sent: whoever waits for the end would wait for ever
                        yield Batch((), last, 0)
                    continue
                last, number, pending = _numbers(message)
                if number != expected:
                    raise ReplicaError("messages of the stream were lost on the way; they are asked for again")
                expected += 1
                messages.append(message)
            if messages:
                yield Batch(tuple(messages), last, pending)
    except TimeoutError:
        raise (ReplicaError if heard else NoConsumer)(SILENT) from None
    except (Error, OSError) as error:
        raise said(error, session.where) from None
    finally:
        with contextlib.suppress(Exception):
            await subscription.unsubscribe()
        if name and not client.is_closed:
            with contextlib.suppress(Exception):
                await client.publish(f"$JS.API.CONSUMER.DELETE.{stream}.{name}")


async def _control(session: Session, message: Msg, expected: int) -> bool:
    """A heartbeat or flow control; whether it says that the server has nothing more to send now. Raises ReplicaError
    when what it says was sent is not what came."""
    headers = message.headers or {}
    delivered = headers.get("Nats-Last-Consumer", "")
    if delivered.isascii() and delivered.isdigit() and int(delivered) >= expected:
        raise ReplicaError("messages of the stream were lost on the way; they are asked for again")
    reply = message.reply or headers.get("Nats-Consumer-Stalled", "")
    if reply:
        await session.client.publish(reply)
    return not reply and bool(delivered)  # with nothing to hold it back, a heartbeat is sent in place of a message


def place_of(message: Msg) -> int:
    """The message's number in the stream. Raises ReplicaError."""
    return _numbers(message)[0]


def _numbers(message: Msg) -> tuple[int, int, int]:
    """Number in the stream, number of this consumer, how many follow. Raises ReplicaError."""
    words = message.reply.split(".")
    at = 5 if len(words) == 9 else 7  # without and with a domain and an account (nats-server ADR-15)
    try:
        return int(words[at]), int(words[at + 1]), int(words[at + 3])
    except (IndexError, ValueError):
        raise ReplicaError("what came to this bastion's inbox is no message of the stream") from None
