"""From journal entries to the outbox: which new entries each sink gets, and what they say when their turn comes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

from incident_tui.incident.entry import Entry, Kind, Ref
from incident_tui.incident.state import Fold
from incident_tui.journal.store import Store
from incident_tui.replica.ledger import Apart
from incident_tui.watch.asks import ChatAsk
from incident_tui.watch.chat.compose import Composed, message, wanted
from incident_tui.watch.chat.delivery import delivery
from incident_tui.watch.chat.kinds import repeatable
from incident_tui.watch.chat.outbox import TEST, Outbox
from incident_tui.watch.chat.sender import Sender
from incident_tui.watch.chat.shared import Others, SharedSink
from incident_tui.watch.rows import ChatRow
from incident_tui.watch.settings import ChatSink

log = logging.getLogger("incident_tui.watch")

FIRST_LOOK_BACK: Final = timedelta(minutes=10)
"""A sink that is new gets what was recorded this shortly before; older history is never posted."""
_CURSOR_STEP: Final = 500
_STEP: Final = 0.5


class Bastions(Others, Protocol):
    """The bastions with which the duty is shared."""

    def pass_on(self, sink: str, ref: Ref | None) -> None:
        """A person's word about what may be in the outbox of another."""


class Entries:
    """What each sink gets of all journals, for `SharedSink`."""

    def __init__(self, sinks: Sequence[ChatSink], own: str, clock: Callable[[], datetime]) -> None:
        self.apart = Apart()
        self.upto: dict[str, int] = {}
        self._sinks = tuple(sinks)
        self._clock = clock
        self._wanted: dict[str, dict[str, list[int]]] = {sink.name: {} for sink in sinks}
        self._old: dict[str, int] = {own: 0}

    def take(self, entries: Sequence[Entry]) -> None:
        """Each journal's in the order of its numbers."""
        since = self._clock() - FIRST_LOOK_BACK
        for entry in entries:
            self.apart.take(entry)
            self.upto[entry.journal] = entry.seq
            if entry.recorded_at < since:
                self._old[entry.journal] = entry.seq
            for sink in self._sinks:
                if wanted(entry, sink):
                    self._wanted[sink.name].setdefault(entry.journal, []).append(entry.seq)

    def wanted(self, sink: str) -> dict[str, list[int]]:
        return self._wanted[sink]

    def begins(self, journal: str) -> int:
        """The last number that is too old to be posted by whoever never heard of this journal."""
        return self._old.get(journal, 0)


class Post:
    """All sinks of one journal."""

    def __init__(
        self,
        directory: Path,
        sinks: Sequence[ChatSink],
        store: Store,
        fold: Fold,
        *,
        may_send: Callable[[], bool],
        clock: Callable[[], datetime],
        demo: bool,
        others: Bastions | None = None,
    ) -> None:
        """`others`: the bastions with which the duty is shared; without, this one sends for its own journal."""
        self._others = others
        self._known = Entries(sinks, store.journal, clock)
        self._store = store
        self._fold = fold
        self._clock = clock
        self._demo = demo
        self._sinks = tuple(sinks)
        self._outbox = Outbox(directory / "outbox.db")
        self._ready = False
        self._waiting: list[Entry] = []
        """Entries that the outbox has not taken yet, oldest first; before the start, the whole journal."""
        self._cursors: dict[str, int] = {}
        self._shared = {} if others is None else {sink.name: self._share(sink, others) for sink in sinks}
        self.senders = {
            sink.name: Sender(
                sink,
                self._outbox,
                delivery(sink, clock),
                compose=self._compose,
                may_send=lambda: self._ready and may_send(),
                clock=clock,
                jitter=random.random,
                gate=self._shared.get(sink.name),
            )
            for sink in sinks
        }

    def _share(self, sink: ChatSink, others: Others) -> SharedSink:
        journal, clock = self._store.journal, self._clock
        again = repeatable(sink)
        return SharedSink(sink.name, journal, self._outbox, others, self._known, clock, repeatable=again)

    def start(self, entries: Sequence[Entry]) -> None:
        """Queues what came while no watch was running. `entries` are all there are, oldest first."""
        self.take(entries)

    def take(self, entries: Sequence[Entry]) -> None:
        """New entries, as they are read: of all journals."""
        if self._others is not None:
            self._known.take(entries)
        else:
            self._waiting += [entry for entry in entries if entry.journal == self._store.journal]
        self._flush()

    @property
    def apart(self) -> Apart:
        """Which bastions have sent for themselves, and when."""
        return self._known.apart

    def unsent(self, first: int) -> dict[str, int] | None:
        """For each sink the first own entry from `first` on that has not left; None while one is on its way."""
        try:
            told = {name: self._outbox.open_since(name, self._store.journal, first) for name in self._shared}
        except sqlite3.Error:
            return None
        if any(sending for _, sending in told.values()):
            return None
        return {name: seq for name, (seq, _) in told.items() if seq is not None}

    async def _keep_shared(self, sink: SharedSink) -> None:
        """What waits here follows who has the duty."""
        while True:
            with contextlib.suppress(sqlite3.Error):
                if self._ready and await sink.step():
                    self.senders[sink.sink].wake.set()
            await asyncio.sleep(_STEP)

    def _flush(self) -> None:
        """Queues what waits. While the outbox cannot be used (locked, full disk) it waits on, in order."""
        try:
            if not self._ready:
                self._outbox.recover([sink.name for sink in self._sinks if repeatable(sink)], self._clock())
                self._outbox.keep_only([sink.name for sink in self._sinks], self._clock())
                if self._others is None:
                    self._begin(self._waiting)
                self._ready = True
            elif self._waiting:
                for sink in self._sinks:
                    self._queue(sink, self._waiting, self._last(self._waiting))
        except sqlite3.Error as error:
            log.warning("the chat outbox cannot be used: %s", error)
            return
        self._waiting = []

    def _begin(self, entries: Sequence[Entry]) -> None:
        since = self._clock() - FIRST_LOOK_BACK
        for sink in self._sinks:
            cursor = self._outbox.cursor(sink.name, self._store.journal)
            if cursor is None:
                cursor = next((entry.seq - 1 for entry in entries if entry.recorded_at >= since), self._last(entries))
            self._cursors[sink.name] = cursor
            self._queue(sink, [entry for entry in entries if entry.seq > cursor], self._last(entries), force=True)

    def incident_of(self, source: str, room: str, thread: str) -> str:
        """The incident whose thread began with this message of ours (`inbound.taking.Threads`). Zulip's topics
        begin with the incident."""
        word = thread.partition(" ")[0]
        if any(incident.id == word for incident in self._fold.incidents()):
            return word
        if not self.senders:
            return ""
        try:
            return self._outbox.incident_of(thread)
        except sqlite3.Error:
            return ""

    def rows(self) -> dict[str, ChatRow]:
        if self._waiting or not self._ready:
            self._flush()
        return {name: sender.row() for name, sender in self.senders.items()}

    def start_sending(self, group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        keeping = [group.create_task(self._keep_shared(one), name=f"duty {name}") for name, one in self._shared.items()]
        return [
            *keeping,
            *(group.create_task(sender.run(), name=f"chat {name}") for name, sender in self.senders.items()),
        ]

    def close(self) -> None:
        self._outbox.close()

    @staticmethod
    def _last(entries: Sequence[Entry]) -> int:
        return entries[-1].seq if entries else 0

    def _queue(self, sink: ChatSink, entries: Sequence[Entry], upto: int, *, force: bool = False) -> None:
        seqs = [entry.seq for entry in entries if wanted(entry, sink)]
        if not seqs and not force and upto - self._cursors[sink.name] < _CURSOR_STEP:
            return  # looking at these again after a restart does no harm; a commit for each entry would
        self._outbox.enqueue(sink.name, self._store.journal, seqs, upto, self._clock())
        self._cursors[sink.name] = upto
        if seqs:
            self.senders[sink.name].wake.set()

    def asked(self, ask: ChatAsk, *, here: bool = True) -> None:
        """A person's word: try again what was refused, or send a test message. `here`: it was said on this bastion, so
        that another may be meant, too."""
        try:
            for name, sender in self.senders.items():
                if ask.sink and ask.sink != name:
                    continue
                if ask.verb == "test":
                    self._outbox.enqueue_test(name, ask.number, self._clock())
                    sender.hurry()
                    continue
                ref = Ref(ask.journal, ask.number) if ask.journal else None
                found = sender.retry(ref)
                if here and self._others is not None and (ref is None or not found):
                    self._others.pass_on(name, ref)
        except sqlite3.Error as error:
            log.warning("the chat outbox cannot be used: %s", error)

    def _compose(self, ref: Ref) -> Composed | None:
        if ref.journal == TEST:
            now = self._clock()
            said = f"test message {ref.seq} of incident-tui, {now:%H:%M:%SZ}: nothing has happened, do nothing."
            return Composed(tag="[TEST]", said=said, mark="DEMO " if self._demo else "", at=now)
        row = self._fold.row(ref)
        if row is None:
            return None
        incident = self._fold.incident(row.entry.incident)
        pinned = row.entry.ref if row.entry.kind is Kind.PIN else None
        about = None if pinned is None else self._fold.row(pinned)
        return message(row, incident, self._store.handle(ref), demo=self._demo, about=about)
