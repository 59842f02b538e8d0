"""From one room into the journal: batches, the cursor behind them, gaps, answers.

Reading and saving are apart, so that a platform's deadline for an acknowledgement never waits for a disk. What waits
is bounded; when it is too much, reading waits, and the platform keeps the rest. The cursor moves only when everything
up to it is saved.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from incident_tui.incident.entry import Author, Draft, Kind
from incident_tui.incident.state import Fold
from incident_tui.journal.errors import JournalError
from incident_tui.text import sanitise, where
from incident_tui.watch.inbound.said import Answer, Said
from incident_tui.watch.inbound.taking import Inbound, Saving
from incident_tui.watch.rooms.cursors import Cursors, Place
from incident_tui.watch.rooms.platform import Platform
from incident_tui.watch.rooms.problem import RoomError
from incident_tui.watch.rooms.settings import Room

log = logging.getLogger("incident_tui.watch")

MOST: Final = 2_000
"""Messages that may wait to be saved."""
BATCH: Final = 500
_FETCHED: Final = 50
"""Marked messages that are looked up of one batch."""
_ANSWERS: Final = 10
"""Answers that may wait; who floods a room with /inc lines gets none."""
_PACE: Final = 2.0
"""Seconds between two answers."""
_OLD: Final = timedelta(hours=1)
"""A line of /inc that is older is not answered any more."""
_HEARD: Final = timedelta(seconds=30)


class Journal(msgspec.Struct, frozen=True):
    """What every room of a watch writes with."""

    inbound: Inbound
    saving: Saving
    fold: Fold
    author: Author
    cursors: Cursors
    clock: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep


class _Item(msgspec.Struct, frozen=True):
    said: Sequence[Said]
    place: Place | None = None
    gap: tuple[datetime, datetime, str] | None = None


class Feed:
    """One room's way. `save` and `answer` run beside the reading until they are cancelled."""

    def __init__(self, room: Room, platform: Platform, journal: Journal) -> None:
        self._room = room
        self._platform = platform
        self._journal = journal
        self._items: deque[_Item] = deque()
        self._fresh = asyncio.Event()
        self._space = asyncio.Event()
        self._replies: asyncio.Queue[Answer] = asyncio.Queue(_ANSWERS)
        self._place: Place | None = None
        self._known = False
        self._answered_to: datetime | None = None
        self.waiting = 0
        self.unsaved = ""
        """Why what waits is not saved."""
        self.heard_at: datetime | None = None
        self.on_heard: Callable[[], None] = lambda: None

    # ------------------------------------------------------------------ for the platform

    @property
    def place(self) -> Place | None:
        return self._place

    @property
    def horizon(self) -> datetime:
        return self._journal.clock() - timedelta(hours=self._room.back_fill_hours)

    def heard(self) -> None:
        now = self._journal.clock()
        if self.heard_at is None or abs(now - self.heard_at) >= _HEARD:
            self.heard_at = now
        self.on_heard()

    async def put(self, said: Sequence[Said], place: Place | None = None) -> None:
        await self._add(_Item(said, place))
        if place is not None:
            self._place = msgspec.structs.replace(place, of=self._of)

    async def lost(self, since: datetime, until: datetime, why: str) -> None:
        await self._add(_Item((), gap=(since, until, why)))

    async def _add(self, item: _Item) -> None:
        while self.waiting >= MOST:
            self._space.clear()
            await self._space.wait()
        self._items.append(item)
        self.waiting += max(1, len(item.said))
        self._fresh.set()

    # ------------------------------------------------------------------ for the reader

    @property
    def _of(self) -> str:
        """A fingerprint of what is read."""
        what = "\0".join((self._room.kind, self._room.url, *sorted(self._room.channels)))
        return hashlib.sha256(what.encode()).hexdigest()[:16]

    def remember(self) -> None:
        """Where reading ended when somebody last read. Raises RoomError while that cannot be told."""
        if self._known:
            return
        try:
            place = self._journal.cursors.get(self._room.name)
        except sqlite3.Error as error:
            raise RoomError(f"where reading ended cannot be told ({sanitise(str(error), limit=60)})") from None
        if place is not None and place.of == self._of:
            self._place = place
            self._answered_to = place.at
        self._known = True

    async def save(self) -> None:
        """Saves what waits until it is cancelled."""
        while True:
            await self._fresh.wait()
            items = self._next()
            await self._save(items)
            self.waiting -= sum(max(1, len(item.said)) for item in items)
            self._space.set()

    def _next(self) -> list[_Item]:
        items: list[_Item] = []
        count = 0
        while self._items and count < BATCH:
            items.append(self._items.popleft())
            count += len(items[-1].said)
        if not self._items:
            self._fresh.clear()
        return items

    async def _save(self, items: Sequence[_Item]) -> None:
        await self._take([said for item in items for said in item.said])
        for item in items:
            if item.gap is not None:
                await self._gap(*item.gap)
        places = [item.place for item in items if item.place is not None]
        if places:
            try:
                place = msgspec.structs.replace(places[-1], of=self._of)
                self._journal.cursors.put(self._room.name, place)
            except sqlite3.Error as error:  # an older cursor does no harm
                log.warning("room %s: the cursor is not kept: %s", self._room.name, sanitise(str(error), limit=60))

    async def _take(self, batch: Sequence[Said], *, fetched: bool = False) -> None:
        """Saves a batch, however long that takes. One that a defect of ours cannot take is told as a gap."""
        rules = msgspec.structs.replace(self._room.rules, own=self._room.rules.own | self._platform.own)
        while batch:
            try:
                taken = await self._journal.inbound.take(rules, batch)
            except JournalError as error:
                self.unsaved = f"not saved: {error.sentence}"
                await self._journal.sleep(2.0)
                continue
            except Exception as error:
                log.error("a defect of incident-tui: room %s: %s", self._room.name, where(error))
                if len(batch) > 1:
                    for one in batch:
                        await self._take([one], fetched=fetched)
                else:
                    await self._gap(batch[0].at, batch[0].at, "a message could not be taken: a defect of incident-tui")
                return
            self.unsaved = ""
            for answer in taken.answers:
                self._reply(answer)
            if taken.missing and not fetched:
                await self._marked(taken.missing)
            return

    async def _marked(self, missing: Sequence[Said]) -> None:
        """Messages from before we read that somebody has marked now."""
        found: list[Said] = []
        for said in missing[:_FETCHED]:
            try:
                whole = await self._platform.fetch(said)
            except RoomError as error:
                await self._gap(said.at, said.at, f"a marked message could not be fetched: {error.sentence}")
                continue
            if whole is not None:
                found.append(whole)
        await self._take(found, fetched=True)
        if len(missing) > _FETCHED:
            few = min(said.at for said in missing[_FETCHED:])
            await self._gap(few, few, "more messages were marked at once than can be fetched")

    async def _gap(self, since: datetime, until: datetime, why: str) -> None:
        name = self._room.name
        now = self._journal.clock()
        since, until = min(since, now), min(until, now)
        span = f"from {since:%Y-%m-%d %H:%MZ} to {until:%H:%MZ}" if until > since else f"at {since:%Y-%m-%d %H:%MZ}"
        text = sanitise(f"chat {name} is not complete {span}: {why}", limit=400)
        newest = self._journal.fold.newest_open()
        draft = Draft(
            kind=Kind.GAP,
            text=text,
            at=until,
            author=self._journal.author,
            incident=newest.id if newest is not None else "",
            source="watch",
            data={"what": "chat", "since": since.isoformat()},
        )
        key = hashlib.sha256(f"{name}\0{since.isoformat()}\0{why}".encode()).hexdigest()[:32]
        while True:
            try:
                await asyncio.wrap_future(self._journal.saving.each([(draft, f"room-gap:{key}")]))
                return
            except JournalError as error:
                self.unsaved = f"not saved: {error.sentence}"
                await self._journal.sleep(2.0)

    # ------------------------------------------------------------------ answers

    def _reply(self, answer: Answer) -> None:
        at, upto = answer.said.at, self._answered_to
        read_before = upto is not None and at <= upto
        if not self._room.answer or read_before or at < self._journal.clock() - _OLD or self._replies.full():
            return
        self._replies.put_nowait(answer)

    async def answer(self) -> None:
        """Answers `/inc` lines, slowly, until it is cancelled. What the platform refuses is not said again."""
        while True:
            answer = await self._replies.get()
            try:
                await self._platform.reply(answer)
            except RoomError as error:
                log.warning("room %s: an /inc line could not be answered: %s", self._room.name, error.sentence)
            await self._journal.sleep(_PACE)
