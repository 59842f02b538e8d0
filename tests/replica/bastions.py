"""Bastions that replicate over a real NATS cluster, in the test's own event loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import nats
from nats.js import JetStreamContext

from incident_tui.incident.entry import Author, Draft, Entry, Kind
from incident_tui.journal.notify import Listener
from incident_tui.journal.store import Store
from incident_tui.replica.jetstream import JetStream
from incident_tui.replica.settings import Replica

T = TypeVar("T")
SECONDS = 30.0
"""After so long a test gives up; no test asserts that something is fast."""
ANA = Author("ana")


def now() -> datetime:
    return datetime.now(UTC)


class Bastion:
    """One journal. `store` is the test's own connection; `start` and `stop` replicate."""

    def __init__(self, directory: Path, letter: str, settings: Replica) -> None:
        self.directory = directory
        self.settings = settings
        self.store = Store.open(directory, letter=letter)
        self.gaps: list[Draft] = []
        self.jet: JetStream | None = None
        self._task: asyncio.Task[None] | None = None
        self._count = 0

    def start(self, clock: Callable[[], datetime] = now) -> JetStream:
        self.jet = JetStream(
            self.settings, self.store, clock, lambda draft, key: self.gaps.append(draft), Author("watch"), lambda: ""
        )
        self._task = asyncio.create_task(self._run(self.jet))
        return self.jet

    async def _run(self, jet: JetStream) -> None:
        """With the bell, as the watch has it."""
        loop, listener = asyncio.get_running_loop(), Listener(self.directory)

        def rung() -> None:
            listener.drain()
            jet.rung()

        loop.add_reader(listener.fileno(), rung)
        try:
            await jet.run()
        finally:
            loop.remove_reader(listener.fileno())
            listener.close()

    @property
    def problem(self) -> str:
        """What the board says."""
        return self.jet.row.problem if self.jet is not None else "not started"

    @property
    def well(self) -> bool:
        """Connected, everything of its own is on the stream, and everything there was taken in."""
        jet = self.jet
        return bool(jet and not self.problem and jet.publisher.done == self.store.head().seq and jet.row.pending == 0)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self.jet is not None:
            self.jet.close()
        self._task = self.jet = None

    def write(self, *texts: str) -> list[Entry]:
        """Saved when it returns, as an append of a person is."""
        self._count += 1
        drafts = [Draft(Kind.NOTE, text, now(), ANA) for text in texts]
        return self.store.append(drafts, key=f"{self.store.journal}-{self._count}-{texts[0][:20]}")

    def texts(self, other: Bastion) -> list[str]:
        """What is here of another's journal."""
        others = self.store.others
        if others is None:
            return []
        return [one.text for one in others.read()[0] if one.journal == other.store.journal]

    def has(self, *others: Bastion) -> bool:
        copies = {} if self.store.others is None else {one.journal: one.seq for one in self.store.others.copies()}
        return all(copies.get(one.store.journal, 0) == one.store.head().seq for one in others)


async def asked(url: str, ask: Callable[[JetStreamContext], Awaitable[T]]) -> T:
    """An answer of the cluster to somebody who is no bastion."""
    client = await nats.connect(url)
    try:
        return await ask(client.jetstream())
    finally:
        await client.close()


async def count(url: str, settings: Replica) -> dict[str, int]:
    """Messages of each journal on the stream."""
    found = await asked(url, lambda js: js.stream_info(settings.stream, subjects_filter=">"))
    return {name.rpartition(".")[2]: number for name, number in (found.state.subjects or {}).items()}


async def until(done: Callable[[], object], seconds: float = SECONDS) -> None:
    """Fails when it does not become true."""
    async with asyncio.timeout(seconds):
        while not done():  # noqa: ASYNC110 - of another process or thread
            await asyncio.sleep(0.01)


async def carried(of: Bastion, to: Bastion, *texts: str) -> list[Entry]:
    """Entries that are written on one bastion, when the other one has them and both are well."""
    written = of.write(*texts)
    await until(lambda: to.has(of) and of.well and to.well)
    return written


@contextlib.asynccontextmanager
async def bastions(directory: Path, settings: Replica, letters: str = "ab") -> AsyncIterator[list[Bastion]]:
    """One for each letter, started."""
    made = [Bastion(directory / letter, letter, settings) for letter in letters]
    try:
        for one in made:
            one.start()
        yield made
    finally:
        for one in made:
            await one.stop()
            one.store.close()
