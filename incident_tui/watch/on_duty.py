"""What one bastion does for all of them: begun when it is this one's to do, ended when it is not."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final, Protocol

import msgspec

from incident_tui.replica.bucket import Refused
from incident_tui.replica.problem import ReplicaError
from incident_tui.replica.shard import number
from incident_tui.watch.rooms.cursors import Cursors, Place

_LOOK: Final = 0.5
_TELL: Final = 2.0


class Others(Protocol):
    """How this bastion stands to the others. `watch.together.Together` is one."""

    @property
    def acts(self) -> bool: ...
    @property
    def reads_rooms(self) -> bool: ...
    async def get(self, key: str) -> tuple[bytes, int]: ...
    async def set(self, key: str, value: bytes, last: int) -> int: ...


async def while_so(so: Callable[[], bool], run: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Runs it while `so()`, each time from its beginning. Until cancelled, or it ends by itself."""
    while True:
        while not so():  # noqa: ASYNC110 - nobody tells when a lease is over
            await asyncio.sleep(_LOOK)
        task = asyncio.create_task(run())
        try:
            while so() and not task.done():
                await asyncio.wait({task}, timeout=_LOOK)
        finally:
            task.cancel()
            await asyncio.wait({task})
        if not task.cancelled():
            task.result()
            return


class SharedCursors:
    """How far each room was read, for whoever reads it next."""

    def __init__(self, cursors: Cursors, rooms: Iterable[str]) -> None:
        self._cursors = cursors
        self._told: dict[str, Place | None] = dict.fromkeys(rooms)

    async def adopt(self, others: Others, room: str) -> None:
        """Goes on where another bastion ended. What it read and had not told of is read again: the same entries."""
        try:
            value, _ = await others.get(_key(room))
            theirs = msgspec.json.decode(value, type=Place) if value else None
            own = self._cursors.get(room)
            if theirs is not None and (own is None or own.at < theirs.at):
                self._cursors.put(room, theirs)
        except (ReplicaError, msgspec.DecodeError, UnicodeDecodeError, sqlite3.Error):
            return  # from where this one has read it

    async def tell(self, others: Others, room: str) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(_TELL)
            try:
                place = self._cursors.get(room)
                if place is not None and place != self._told[room]:
                    _, revision = await others.get(_key(room))
                    await others.set(_key(room), msgspec.json.encode(place), revision)
                    self._told[room] = place
            except (Refused, ReplicaError, sqlite3.Error):
                continue


def _key(room: str) -> str:
    return f"room.{number(room):016x}"
