"""Reads one room for as long as the lease is held: connects, reads, and connects again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from incident_tui.text import where
from incident_tui.watch.rooms.feed import Feed, Journal
from incident_tui.watch.rooms.platform import Platform
from incident_tui.watch.rooms.problem import RoomError
from incident_tui.watch.rooms.rows import RoomRow
from incident_tui.watch.rooms.settings import Room

log = logging.getLogger("incident_tui.watch")

FIRST_WAIT: Final = 1.0
LONGEST_WAIT: Final = 60.0
LONGEST_ASKED: Final = 600.0
"""No platform may ask for a longer wait."""
DEFECT: Final = "cannot be read: a defect of incident-tui, see the log"


class Reader:
    """One room. `row` is for the board."""

    def __init__(self, room: Room, platform: Platform, journal: Journal, jitter: Callable[[], float]) -> None:
        self.room = room
        self.feed = Feed(room, platform, journal)
        self.feed.on_heard = self._well
        self._platform = platform
        self._journal = journal
        self._jitter = jitter
        self._problem = "not connected yet"
        self._since = journal.clock()
        self._failures = 0

    async def run(self) -> None:
        """Reads until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.feed.save(), name=f"room {self.room.name}: save")
            group.create_task(self.feed.answer(), name=f"room {self.room.name}: answer")
            while True:
                await self._journal.sleep(await self.once())

    async def once(self) -> float:
        """One connection. Returns how many seconds to wait before the next."""
        try:
            self.feed.remember()
            await self._platform.read(self.feed)
        except RoomError as error:
            return self._failed(error)
        except Exception as error:  # the watch goes on, whatever is sent to it
            log.error("a defect of incident-tui: room %s: %s", self.room.name, where(error))
            return self._failed(RoomError(DEFECT))
        return FIRST_WAIT * self._jitter()

    def _failed(self, error: RoomError) -> float:
        if not self._problem:
            self._since = self._journal.clock()
        if error.sentence != self._problem:
            log.warning("room %s: %s", self.room.name, error.sentence)
        self._problem = error.sentence
        self._failures += 1
        if error.wait is not None:
            return max(FIRST_WAIT, min(error.wait, LONGEST_ASKED))
        longest = LONGEST_WAIT if error.lasting else min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(self._failures - 1, 10))
        return longest * (0.5 + self._jitter() / 2)

    def _well(self) -> None:
        if self._problem:
            self._problem = ""
            self._since = self._journal.clock()
            self._failures = 0
            log.info("room %s: is read", self.room.name)

    @property
    def row(self) -> RoomRow:
        feed = self.feed
        return RoomRow(
            name=self.room.name,
            kind=self.room.kind,
            at=self._journal.clock(),
            problem=self._problem or feed.unsaved,
            since=self._since,
            heard_at=feed.heard_at,
            waiting=feed.waiting if feed.unsaved or feed.waiting > 100 else 0,
        )
