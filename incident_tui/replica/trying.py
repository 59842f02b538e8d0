"""What `check` tries of the cluster: each server, the stream and its copies, the clock, what this bastion may do."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from incident_tui.replica.connection import Session, connect, is_encrypted
from incident_tui.replica.problem import SILENT, ReplicaError, asking, said
from incident_tui.replica.settings import Replica
from incident_tui.replica.stream import aloud_subject, info, subject

Tried = tuple[str, str, bool | None, str]
"""Subject, what, whether it works (None: not tried), and a sentence."""
OLDEST: Final = (2, 9)
"""What is tested; key-value buckets and direct reads are there since 2.9."""
_WRONG_STREAM: Final = 10060
_NOBODY: Final = "0" * 16
_TOLERANCE: Final = 2.0
"""Seconds of difference that are not worth a word."""
_HERE: Final = ("127.", "localhost:", "[::1]")


async def tried(settings: Replica, journal: str, clock: Callable[[], datetime]) -> list[Tried]:
    """All of it; nothing is written to the stream. Without servers, nothing."""
    rows: list[Tried] = []
    session: Session | None = None
    for url in settings.servers:
        where = url.partition("://")[2]
        try:
            found = await connect(settings, url, journal)
        except ReplicaError as error:
            rows.append((where, "nats", False, error.sentence.removeprefix(f"{where} ")))
            continue
        rows.append((where, "nats", *_server(found)))
        if session is None:
            session = found
        else:
            await _close(found)
    if session is not None:
        try:
            rows += await _stream(session, settings, journal, clock)
        finally:
            await _close(session)
    return rows


async def _close(session: Session) -> None:
    with contextlib.suppress(Exception):
        await session.client.close()


def _server(session: Session) -> tuple[bool, str]:
    version = session.client.connected_server_version
    name = f"{session.node}, nats-server {version}"
    if (version.major, version.minor) < OLDEST:
        return False, f"{name}: 2.9 or later is needed"
    if not is_encrypted(session.client) and not session.where.startswith(_HERE):
        return False, f"{name}: not encrypted; set tls in its configuration and write tls:// in [replica]"
    return True, name + (", encrypted" if is_encrypted(session.client) else ", not encrypted, on this machine")


async def _stream(session: Session, settings: Replica, journal: str, clock: Callable[[], datetime]) -> list[Tried]:
    name, own = settings.stream, subject(settings.stream, journal)
    try:
        found = await info(session, name)
    except ReplicaError as error:
        if "not there" in error.sentence:
            return [(name, "stream", None, "not there yet; the watch makes it when it connects")]
        return [(name, "stream", False, error.sentence)]
    rows: list[Tried] = []
    peers = (found.cluster.replicas if found.cluster is not None else None) or []
    behind = [str(peer.name)[:60] for peer in peers if not peer.current or peer.offline]
    count = f"{found.state.messages} entries on {len(peers) + 1} of {found.config.num_replicas or 1} servers"
    if behind:
        rows.append((name, "stream", False, f"{count}; not current: {', '.join(behind)}"))
    elif len(peers) + 1 < settings.replicas:
        rows.append((name, "stream", False, f"{count}; [replica] wants {settings.replicas}"))
    else:
        rows.append((name, "stream", True, f"{count}, all current"))
    rows.append((name, "clock", *await _clock(session, name, clock)))
    may = await _may(session, own)
    rows.append((name, "own entries", may is True, _OWN[may]))
    others = await _may(session, subject(name, _NOBODY))
    rows.append((name, "others'", others is False, _OTHERS[others]))
    rows.append((name, "aloud", *await _aloud(session, name, journal)))
    return rows


_OWN: Final = {
    True: "this bastion may publish its own",
    False: "this bastion may not publish its own: give the servers what `incident-tui replica server-config` prints",
    None: SILENT,
}
_OTHERS: Final = {
    True: "this bastion may write those of any other, and each other its: give each bastion a user of its own, as "
    "`incident-tui replica server-config` prints it",
    False: "this bastion cannot write those of another",
    None: SILENT,
}


async def _may(session: Session, name: str) -> bool | None:
    """Whether a message may be published under this subject; None: no answer. It names a stream that is not there, so
    that none is stored."""
    from nats.errors import Error
    from nats.js.errors import APIError

    session.denied = ""
    try:
        await session.js.publish(name, b"", timeout=1.5, stream="no stream")
    except APIError as error:
        return True if error.err_code == _WRONG_STREAM else None
    except TimeoutError:
        return False if session.denied else None
    except (Error, OSError):
        return None
    return None


async def _aloud(session: Session, name: str, journal: str) -> tuple[bool, str]:
    """Whether this bastion may say and hear what the stream does not take. An empty message is passed over by all."""
    try:
        with asking(session.where):
            await session.client.subscribe(aloud_subject(name))
            await session.client.publish(aloud_subject(name, journal), b"")
            for _ in range(2):  # nats-py sends its ping ahead of what waits to be sent
                await session.client.flush(2)
    except ReplicaError as error:
        return False, error.sentence
    if session.mute:
        return False, (
            "while the stream has no leader, entries wait for one: give the servers what `incident-tui replica "
            "server-config` prints now"
        )
    return True, "entries go from bastion to bastion while the stream has no leader"


async def _clock(session: Session, stream: str, clock: Callable[[], datetime]) -> tuple[bool, str]:
    """By the time a consumer is said to have been made."""
    from nats.errors import Error
    from nats.js.api import AckPolicy, ConsumerConfig

    begun = clock()
    try:
        made = await session.js.add_consumer(
            stream,
            ConsumerConfig(ack_policy=AckPolicy.NONE, mem_storage=True, num_replicas=1, inactive_threshold=1.0),
        )
    except TimeoutError:
        return False, SILENT
    except (Error, OSError) as error:
        return False, said(error, session.where).sentence
    ended = clock()
    with contextlib.suppress(Exception):
        await session.js.delete_consumer(stream, made.name)
    there = made.created if made.created.tzinfo is not None else made.created.replace(tzinfo=UTC)
    off = max((begun - there).total_seconds(), (there - ended).total_seconds(), 0.0)
    if off > _TOLERANCE:
        return False, f"the servers' and this machine's differ by {off:.0f} s; leases need both right (chrony, ntpd)"
    return True, f"the servers' and this machine's differ by less than {_TOLERANCE:.0f} s"
