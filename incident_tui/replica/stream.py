"""Names and form of what is on the cluster: the stream, its subjects, a message's headers.

One stream holds the entries of all journals, each journal under a subject of its own, so that a server can let each
bastion publish under one alone. A message is one record (`journal.record`). What is full refuses instead of forgetting
the oldest, and nothing ages: what a stream lost comes again from the journal, so forgetting would only go round.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

from incident_tui.replica.problem import NO_LEADER, OTHER_JOURNAL, ReplicaError, asking
from incident_tui.replica.settings import Replica

if TYPE_CHECKING:
    from nats.js.api import StreamInfo

    from incident_tui.replica.connection import Session

ID: Final = "Nats-Msg-Id"
"""Header, "journal:number" or "journal:number:more": what the servers do not take twice within two minutes."""
PURGED: Final = "Incident-Purged"
"""Header of a message whose record has no text any more."""
DUPLICATES: Final = 120.0


def subject(stream: str, journal: str = "*") -> str:
    return f"incident.{stream}.j.{journal}"


def ask_subject(stream: str) -> str:
    """Who misses entries says the journal's id here and the number after which, "id:number"; its bastion looks what the
    stream lacks."""
    return f"incident.{stream}.ask"


def aloud_subject(stream: str, journal: str = "*") -> str:
    """What the stream does not take is said here, to whoever is connected (`replica.aloud`)."""
    return f"incident.{stream}.aloud.{journal}"


def headers(journal: str, seq: int, *, purged: bool = False, again: int = 0) -> dict[str, str]:
    """`again` tells a message that replaces one from the one before, which the servers may still remember."""
    more = (":p" if purged else "") + (f":{again}" if again else "")
    return {ID: f"{journal}:{seq}{more}"} | ({PURGED: "1"} if purged else {})


def number_of(message_headers: dict[str, Any] | None) -> int:
    """The entry's number by its message's header; 0 when that is not one of ours."""
    words = str((message_headers or {}).get(ID, "")).split(":")
    return int(words[1]) if len(words) > 1 and words[1].isascii() and words[1].isdigit() and len(words[1]) < 16 else 0


async def info(session: Session, stream: str, journal: str = "") -> StreamInfo:
    """The stream as its leader sees it; with `journal`, also how many messages each subject that fits has.
    Raises ReplicaError."""
    with asking(session.where):
        found = await session.js.stream_info(stream, subject(stream, journal) if journal else None)
    if found.cluster is not None and not found.cluster.leader:
        raise ReplicaError(NO_LEADER)  # a server that is parted from the others answers from what it had
    return found


async def is_more(session: Session, stream: str, after: int) -> bool:
    """Whether the stream has an entry behind this number, as its leader sees it. Raises ReplicaError."""
    from nats.js.errors import NotFoundError

    with asking(session.where):
        try:
            await session.js.get_msg(stream, after + 1, subject(stream), next=True)
        except NotFoundError:
            return False
    return True


async def ensure(session: Session, settings: Replica) -> StreamInfo:
    """The stream; made when it is not there. Raises ReplicaError."""
    from nats.js.api import DiscardPolicy, StorageType, StreamConfig
    from nats.js.errors import NotFoundError

    with asking(session.where):
        try:
            with contextlib.suppress(NotFoundError):
                return await session.js.stream_info(settings.stream)
            return await session.js.add_stream(
                StreamConfig(
                    name=settings.stream,
                    description="entries of incident-tui, one subject for each journal",
                    subjects=[subject(settings.stream)],
                    storage=StorageType.FILE,
                    num_replicas=settings.replicas,
                    discard=DiscardPolicy.NEW,
                    duplicate_window=DUPLICATES,
                    allow_direct=True,
                )
            )
        except TimeoutError:
            if "_inbox_" in session.denied:
                raise ReplicaError(OTHER_JOURNAL, lasting=True) from None
            if session.denied:
                sentence = f"the stream {settings.stream} is not there, and this bastion may not make it"
                raise ReplicaError(sentence, lasting=True) from None
            raise
