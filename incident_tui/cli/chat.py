"""`chat`: what the outbox says of each sink; try again what was refused; a test message."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import msgspec

from incident_tui.cli.context import Context, Failure
from incident_tui.cli.options import PROGRAM, UsageError
from incident_tui.cli.status import board_now
from incident_tui.incident.entry import Ref
from incident_tui.journal.errors import JournalError
from incident_tui.journal.store import Store
from incident_tui.mistakes import nearest
from incident_tui.text import sanitise
from incident_tui.ui.view import WATCH_STALE
from incident_tui.watch.asks import ChatAsk, ask_chat
from incident_tui.watch.chat.outbox import TEST, chat_row, deliveries, in_front, state_of
from incident_tui.watch.chat.reading import FILE, read_only
from incident_tui.watch.rows import ChatRow, Delivery
from incident_tui.watch.settings import ChatSink

_LISTED: Final = 200
_PATIENCE: Final = 40.0
"""Seconds to wait for what becomes of a test message: one attempt ends within 15, and one may be under way."""
_SETTLES: Final = 4.0
"""After so long what is in front of a test message was tried once more."""
_WORDS: Final = {
    "waiting": "NOT DELIVERED since",
    "sending": "being sent since",
    "maybe": "MAYBE SENT",
    "dead": "REFUSED",
}
_OVER: Final = {
    "sent": "{0} has the test message: the platform confirmed it.",
    "accepted": "{0} accepted the test message, and does not say whether it is delivered: look whether it is there.",
    "maybe": "it is not known whether {0} has the test message ({1}): look whether it is there.",
    "dead": "{0} does not take it: {1}",
    "waiting": "not delivered to {0}: {1}; it waits and is tried again.",
}


def chat(context: Context) -> int:
    words = context.call.words
    if not words:
        return _list(context)
    verb, *rest = words
    if verb == "retry":
        return _retry(context, *rest)
    if verb == "test" and len(rest) == 1:
        return _test(context, _sink(context, rest[0]))
    if verb == "test":
        raise UsageError(f"name the sink: {PROGRAM} chat test {'|'.join(one.name for one in context.settings.chat)}")
    raise UsageError(f"chat does not know {sanitise(verb, limit=40)!r}: retry or test")


def _sink(context: Context, name: str) -> ChatSink:
    known = {sink.name: sink for sink in context.settings.chat}
    if not known:
        raise Failure("no [[chat]] is configured; the README says how", 2)
    if name not in known:
        raise Failure(f"there is no chat {sanitise(name, limit=40)!r}; {nearest(name, list(known))}", 2)
    return known[name]


def _list(context: Context) -> int:
    """Exit status 1 when anything did not get where it should."""
    sinks = context.settings.chat
    if not sinks:
        raise Failure("no [[chat]] is configured; the README says how", 2)
    now = context.clock()
    made, age = board_now(context, now)
    with _outbox(context) as db, context.store(create=False) as store:
        found = [_row(db, sink.name, made.readings.chats.get(sink.name), now) for sink in sinks]
        if context.call.flag("json"):
            shown = [_fields(sink, row, store) for sink, row in zip(sinks, found, strict=True)]
            print(json.dumps({"watched": age is not None and age <= WATCH_STALE, "chat": shown}, indent=2))
        else:
            if age is None or age > WATCH_STALE:
                print("nobody is watching, so nothing is sent now")
            for sink, row in zip(sinks, found, strict=True):
                print("\n".join(_lines(sink, row, store)))
    return 1 if any(row.problem or row.waiting or row.maybe or row.dead for row in found) else 0


@contextlib.contextmanager
def _outbox(context: Context) -> Iterator[sqlite3.Connection | None]:
    try:
        with read_only(context.directory) as db:
            yield db
    except sqlite3.Error as error:
        raise Failure(f"{context.directory / FILE}: cannot be read ({sanitise(str(error), limit=60)})") from error


def _row(db: sqlite3.Connection | None, name: str, board: ChatRow | None, now: datetime) -> ChatRow:
    """The queue from the outbox, and whether the sink is well from the board."""
    if db is None:
        return ChatRow(name=name, at=now)
    row = msgspec.structs.replace(chat_row(db, name, now), deliveries=tuple(deliveries(db, name, _LISTED)))
    return row if board is None else msgspec.structs.replace(row, problem=board.problem, since=board.since)


def _lines(sink: ChatSink, row: ChatRow, store: Store) -> list[str]:
    state = "well" if not row.problem else f"DOWN since {row.since:%H:%M:%SZ}: {row.problem}" if row.since else "DOWN"
    said = [f"{count} {words}" for count, words in _counts(row) if count]
    last = f"last sent {row.last_sent:%Y-%m-%d %H:%M:%SZ}" if row.last_sent is not None else "nothing sent yet"
    out = [f"{sink.name} ({sink.kind}): {state}; {', '.join([*said, last])}"]
    for one in row.deliveries:
        if one.state in _WORDS:
            problem = f": {one.problem}" if one.problem else ""
            out.append(f"  {_handle(one, store)} {_WORDS[one.state]} {one.at:%Y-%m-%d %H:%M:%SZ}{problem}")
    if row.dead or row.maybe:
        out.append(
            f"  {PROGRAM} chat retry {sink.name} sends again what was refused, with HANDLE also one that may be there"
        )
    return out


def _counts(row: ChatRow) -> tuple[tuple[int, str], ...]:
    return (row.waiting, "waiting"), (row.maybe, "maybe sent"), (row.dead, "refused"), (row.accepted, "accepted")


def _handle(one: Delivery, store: Store) -> str:
    return "test" if one.ref.journal == TEST else store.handle(one.ref)


def _fields(sink: ChatSink, row: ChatRow, store: Store) -> dict[str, Any]:
    return {
        "name": sink.name,
        "kind": sink.kind,
        "problem": row.problem or None,
        "since": row.since.isoformat() if row.since is not None else None,
        "waiting": row.waiting,
        "maybe_sent": row.maybe,
        "refused": row.dead,
        "accepted": row.accepted,
        "messages": [
            {
                "handle": _handle(one, store),
                "state": one.state,
                "at": one.at.isoformat(),
                "problem": one.problem or None,
            }
            for one in row.deliveries
        ],
    }


def _retry(context: Context, sink: str = "", handle: str = "") -> int:
    """`retry`, `retry SINK`, `retry SINK HANDLE`."""
    if sink:
        _sink(context, sink)
    ref: Ref | None = None
    if handle:
        with context.store(create=False) as store:
            entry = store.find(handle)
        if entry is None:
            raise Failure(f"there is no entry {sanitise(handle, limit=40)}")
        ref = entry.id
    _watched(context)
    asked = ChatAsk(verb="retry", sink=sink, journal=ref.journal if ref else "", number=ref.seq if ref else 0)
    _ask(context, asked)
    print(f"asked for; {PROGRAM} chat shows what becomes of it")
    return 0


def _test(context: Context, sink: ChatSink) -> int:
    _watched(context)
    number = int(time.time() * 1000)
    _ask(context, ChatAsk(verb="test", sink=sink.name, number=number))
    begin, ref = time.monotonic(), Ref(TEST, number)
    while time.monotonic() < begin + _PATIENCE:
        with _outbox(context) as db:
            found = None if db is None else state_of(db, sink.name, ref)
            count, blocked = (0, "") if db is None or found is None else in_front(db, sink.name, ref)
        if blocked and time.monotonic() > begin + _SETTLES:
            print(f"not delivered to {sink.name}: {count} messages wait in front of it: {blocked}")
            return 1
        if found is not None and found[0] in _OVER and (found[0] != "waiting" or found[1]):
            state, problem = found
            print(_OVER[state].format(sink.name, problem))
            return 0 if state in ("sent", "accepted") else 1
        time.sleep(0.2)
    raise Failure(f"the test message still waits: {PROGRAM} chat shows what is in front of it")


def _ask(context: Context, asked: ChatAsk) -> None:
    try:
        ask_chat(context.directory, asked)
    except JournalError as error:
        raise Failure(error.sentence) from error


def _watched(context: Context) -> None:
    _, age = board_now(context, context.clock())
    if age is None or age > WATCH_STALE:
        raise Failure(f"nobody is watching, and only the watch sends: start {PROGRAM} or {PROGRAM} watch")
