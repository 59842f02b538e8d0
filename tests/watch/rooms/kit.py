"""A journal with an incident, and rooms that are read into it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from incident_tui.incident.entry import Author, Draft, Entry, Kind
from incident_tui.incident.settings import DEFAULT_SEVERITIES, Command, Person, Severity
from incident_tui.incident.state import Fold
from incident_tui.incident.views import TimelineRow
from incident_tui.journal.errors import JournalError
from incident_tui.journal.store import Store
from incident_tui.watch.inbound.taking import Inbound
from incident_tui.watch.rooms.all import platform
from incident_tui.watch.rooms.cursors import Cursors
from incident_tui.watch.rooms.feed import Journal
from incident_tui.watch.rooms.reader import Reader
from incident_tui.watch.rooms.settings import Room

INCIDENT = "INC-20261123-ab12"
TOKEN = "planted-secret-token"
APP = "planted-secret-app"
HOSTILE = "<!channel> @everyone [red] & < > *_|` \x1b[31mred\x1b[0m \u202e[link](http://evil.example)"


class Settings:
    people: Sequence[Person] = (Person(name="ana"), Person(name="bob"))
    severities: Sequence[Severity] = DEFAULT_SEVERITIES
    command: Command = Command()


class OnStore:
    """Saves at once. `problem` is what the journal cannot do."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.problem: JournalError | None = None

    def each(self, pairs: Sequence[tuple[Draft, str]]) -> Future[list[Entry]]:
        return self._done(lambda: self._store.append_each(pairs))

    def together(self, drafts: Sequence[Draft], key: str) -> Future[list[Entry]]:
        return self._done(lambda: self._store.append(drafts, key=key))

    def _done(self, save: Callable[[], list[Entry]]) -> Future[list[Entry]]:
        future: Future[list[Entry]] = Future()
        if self.problem is not None:
            future.set_exception(self.problem)
        else:
            future.set_result(save())
        return future


class Held:
    """What a watch has of the journal while it holds the lease."""

    def __init__(self, directory: Path) -> None:
        self.store = Store.open(directory)
        if not self.store.read():
            declare = {"title": "gv0 is down", "severity": 2, "attach_minutes": 60}
            author = Author(name="ana", uid=1)
            now = datetime.now(UTC)
            self.store.append([Draft(Kind.DECLARE, "gv0 is down", now, author, INCIDENT, "tui", declare)], key="d")
        entries = self.store.read()
        self.fold = Fold()
        for entry in entries:
            self.fold.apply(entry)
        self.saving = OnStore(self.store)
        inbound = Inbound(self.saving, self.fold, self.store, Settings(), clock=_now, new_id=lambda: "0123456789abcdef")
        inbound.remember(entries)
        self.slept: list[float] = []
        self.cursors = Cursors(directory / "rooms.db", self.store.journal)
        self.journal = Journal(
            inbound, self.saving, self.fold, Author(name="watch", uid=0), self.cursors, _now, self._sleep
        )

    async def _sleep(self, seconds: float) -> None:
        """What a test need not wait for, it does not."""
        self.slept.append(seconds)
        await asyncio.sleep(min(seconds, 0.05))

    def rows(self, kind: Kind = Kind.CHAT) -> list[TimelineRow]:
        fold = Fold()
        for entry in self.store.read():
            fold.apply(entry)
        (incident,) = fold.incidents()
        return [row for row in incident.rows if row.entry.kind is kind]

    def amendments(self) -> int:
        return sum(entry.kind is Kind.AMEND for entry in self.store.read())

    def said(self) -> list[str]:
        """The texts of chat as they are now; a struck one in parentheses."""
        return [f"({row.text})" if row.struck else row.text for row in self.rows()]

    def close(self) -> None:
        self.cursors.close()
        self.store.close()


def _now() -> datetime:
    return datetime.now(UTC)


class Reading:
    def __init__(self, held: Held, reader: Reader) -> None:
        self.held = held
        self.reader = reader

    @property
    def problem(self) -> str:
        return self.reader.row.problem

    @property
    def well(self) -> bool:
        return not self.problem


@contextlib.asynccontextmanager
async def reading(directory: Path, room: Room, *, up: bool = True) -> AsyncIterator[Reading]:
    """A watch that reads a room, and ends as one that is killed: whatever it was at. `up`: begins when it is read."""
    held = Held(directory)
    reader = Reader(room, platform(room, _now), held.journal, lambda: 0.5)
    task = asyncio.create_task(reader.run())
    one = Reading(held, reader)
    try:
        if up:
            await until(lambda: one.well or task.done())
        yield one
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        held.close()
    error = None if task.cancelled() else task.exception()
    if error is not None:
        raise error


async def until(ask: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Asks until the answer is true."""
    found: Any = None
    try:
        async with asyncio.timeout(seconds):
            while True:
                found = ask()
                if found:
                    return found
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"not within {seconds:g} s; the last answer was {found!r}") from None


async def settled(one: Reading, *texts: str) -> None:
    """Until the journal has exactly these texts of chat, in the order of their times."""
    wanted = list(texts)
    try:
        await until(lambda: one.held.said() == wanted)
    except AssertionError:
        found = one.held.said()
        more, less = [text for text in found if text not in wanted], [text for text in wanted if text not in found]
        words = f"more: {more}, less: {less}, {len(found)} of {len(wanted)}"
        raise AssertionError(f"{words}: {found[:20]!r} is not {wanted[:20]!r}; {one.problem}") from None
