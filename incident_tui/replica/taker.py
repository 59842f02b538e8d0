"""Takes in the entries of all other journals from the stream, from where it was, and looks after what is missing.

How far the stream was read is kept in a small file, a cache: without it, or when the stream is another one, reading
begins anew and what is here already is passed over. What the stream has and the copies lack (a copy was forgotten, or
restored) is read again from the beginning of that journal's subject. That is looked at now and then, however well the
reading seems to go: a server whose own copy of the stream stands still sends heartbeats and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence
from contextlib import aclosing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from incident_tui.replica.connection import Session, together
from incident_tui.replica.keeper import Keeper
from incident_tui.replica.problem import ReplicaError, asking, telling
from incident_tui.replica.reading import read_on
from incident_tui.replica.settings import Replica
from incident_tui.replica.stream import ask_subject, ensure, info, is_more, subject

if TYPE_CHECKING:
    from nats.aio.msg import Msg
    from nats.js.api import StreamInfo

    from incident_tui.journal.others import Copy

LOOK_AGAIN: Final = 30.0
"""Seconds between two searches for what is missing."""
_SAVE: Final = 1.0
"""Least seconds between two writes of the place."""


class Position(msgspec.Struct, frozen=True):
    """Of which stream, and the number up to which it was taken in."""

    stream: str = ""
    created: str = ""
    last: int = 0


class Taker:
    """The part of the others' entries."""

    def __init__(
        self,
        settings: Replica,
        keeper: Keeper,
        place: Path,
        own: str,
        heard: Callable[[], None],
        clock: Callable[[], datetime],
    ) -> None:
        """`place`: the file for the position. `own`: the id of the own journal."""
        self._settings = settings
        self._keeper = keeper
        self._file = place
        self._own = own
        self._heard = heard
        self._clock = clock
        self._saved: datetime | None = None
        self._look = 0.0
        self._filled: dict[str, tuple[int, int]] = {}
        """Messages on the stream and entries here, of each journal, when reading all of it brought nothing."""
        self._saving = False
        self.position = _load(place)
        self.pending: int | None = None
        """Messages on the stream that are not taken in; None before that is known."""
        self.problem = ""
        self.refused = ""
        """The last thing that was not taken, as a sentence."""
        self.came = 0
        """Entries that became visible since the start."""

    async def run(self, session: Session) -> None:
        """Raises ReplicaError."""
        try:
            with telling(self):
                await ensure(session, self._settings)
                found = await info(session, self._settings.stream, "*")
                self._begin(found)
                await self._fill(session, found)
                await together(self._follow(session), self._mind(session))
        finally:
            self._save(at_once=True)

    def _begin(self, found: StreamInfo) -> None:
        """Where to go on: a stream made anew begins anew."""
        created = str(found.created or "")
        same = self.position.stream == self._settings.stream and self.position.created == created
        if not same or self.position.last > found.state.last_seq:
            self.position = Position(self._settings.stream, created, 0)
            self._filled.clear()

    async def _follow(self, session: Session) -> None:
        stream = self._settings.stream
        async with aclosing(read_on(session, stream, subject(stream), self.position.last + 1)) as batches:
            async for batch in batches:
                self._saving = True
                try:
                    await self.take(batch.messages)
                finally:
                    self._saving = False
                self.position = msgspec.structs.replace(self.position, last=batch.last)
                self.pending = batch.pending
                self.problem = ""
                self._save()
                self._heard()
                if not batch.pending:
                    await self._look_after(session)

    async def take(self, messages: Sequence[Msg]) -> int:
        """Take in records of other journals, each under the last word of its subject. Returns how many entries became
        visible. Raises JournalError."""
        wires = [(message.subject.rpartition(".")[2], message.data) for message in messages]
        others = [(journal, wire) for journal, wire in wires if journal != self._own]
        if not others:
            return 0
        taken = await self._keeper.take(others)
        self.came += len(taken.entries)
        if taken.refused:
            self.refused = taken.refused[-1]
        elif taken.entries:
            self.refused = ""
        return len(taken.entries)

    # ------------------------------------------------------------------ what is missing

    async def _mind(self, session: Session) -> None:
        """Raises ReplicaError when the reading stands still although the stream goes on."""
        while True:
            before = self.position.last
            await asyncio.sleep(LOOK_AGAIN)
            try:
                found = await info(session, self._settings.stream, "*")
                still = found.state.last_seq > before == self.position.last and not self._saving
                more = still and await is_more(session, self._settings.stream, before)
            except ReplicaError:
                continue  # nothing answers, which the parts that ask more often say
            if more and self.position.last == before and not self._saving:
                raise ReplicaError("a server sends nothing of what the stream has; another is asked")
            await self._fill(session, found)

    async def _look_after(self, session: Session) -> None:
        now = asyncio.get_running_loop().time()
        if now >= self._look and await self.holes():
            self._look = now + LOOK_AGAIN
            await self._fill(session, await info(session, self._settings.stream, "*"))
            await self.ask(session)

    async def holes(self) -> list[Copy]:
        """Of journals of which something is missing before what came."""
        return [one for one in await self._keeper.copies() if one.behind and not one.forked_at]

    async def _fill(self, session: Session, found: StreamInfo) -> None:
        """Read the subjects of journals of which the stream has more than the copies and what follows the position."""
        stream = self._settings.stream
        copies = {one.journal: one for one in await self._keeper.copies()}
        holes = {one.journal for one in await self.holes()}
        follow = max(0, found.state.last_seq - self.position.last)
        for name, count in sorted((found.state.subjects or {}).items()):
            journal = name.rpartition(".")[2]
            copy = copies.get(journal)
            have = copy.seq + copy.waiting if copy is not None else 0
            if journal == self._own or self.position.last == 0 or (copy is not None and copy.forked_at):
                continue
            if (journal not in holes and have >= count - follow) or self._filled.get(journal) == (count, have):
                continue
            came, visible = 0, self.came
            async with aclosing(read_on(session, stream, name, 1)) as batches:
                async for batch in batches:
                    await self.take(batch.messages)
                    came += len(batch.messages)
                    if not batch.pending or batch.last >= self.position.last:
                        break
            if came >= count and self.came == visible:  # fewer come from a server that is behind the others
                self._filled[journal] = count, have

    async def ask(self, session: Session) -> None:
        """What the stream itself lacks: the bastion whose journal it is may have it. Raises ReplicaError."""
        with asking(session.where):
            for one in await self.holes():
                await session.client.publish(ask_subject(self._settings.stream), f"{one.journal}:{one.seq}".encode())

    # ------------------------------------------------------------------ the position

    def _save(self, *, at_once: bool = False) -> None:
        now = self._clock()
        if not at_once and self._saved is not None and abs((now - self._saved).total_seconds()) < _SAVE:
            return
        self._saved = now
        with contextlib.suppress(OSError):  # a cache: without it, reading begins further back
            part = self._file.with_suffix(".part")
            part.write_bytes(msgspec.json.encode(self.position))
            os.replace(part, self._file)


def _load(place: Path) -> Position:
    try:
        return msgspec.json.decode(place.read_bytes(), type=Position)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return Position()


def asked(message: Msg) -> tuple[str, int]:
    """The journal that somebody misses entries of, and the number after which."""
    journal, _, number = message.data[:64].decode("ascii", "replace").partition(":")
    return journal, int(number) if number.isascii() and number.isdigit() else 0
