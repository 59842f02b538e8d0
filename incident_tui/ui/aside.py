"""What takes longer than a blink, on another thread with a journal connection of its own: the report, a purge, the
first reading of a long journal."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from incident_tui.incident.entry import Author, Entry, Ref
from incident_tui.incident.state import Fold
from incident_tui.journal.errors import JournalError
from incident_tui.journal.everything import parts
from incident_tui.journal.search import Found, Search, search
from incident_tui.journal.store import Store
from incident_tui.report.settings import Report
from incident_tui.report.standing import Standing
from incident_tui.ui.past import Past

AGAIN: Final = 1.0
"""Seconds until a journal that could not be read is tried again."""


class Reads(Protocol):
    loaded: bool

    def load(self) -> None: ...

    def read_journal(self) -> bool: ...

    @property
    def outdated(self) -> bool: ...

    @property
    def aside(self) -> Aside: ...

    def take(self, past: Past) -> None: ...


async def read_in(session: Reads, paint: Callable[[], None]) -> None:
    """Read the journal; keys and paints get their turn meanwhile. Returns when it is read."""
    while not session.loaded:
        await asyncio.to_thread(session.load)
        if not session.loaded:
            paint()
            await asyncio.sleep(AGAIN)
    while session.read_journal():  # what came since: a poll meanwhile may have taken its sign
        pass


class Anew:
    """Reads the journals anew when something left them; keys and paints get their turn meanwhile."""

    def __init__(self, session: Reads, paint: Callable[[], None]) -> None:
        self._session = session
        self._paint = paint
        self._task: asyncio.Task[None] | None = None

    def look(self) -> None:
        """To be called often: what cannot be read is tried again with the next call."""
        if self._session.outdated and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._read())

    async def _read(self) -> None:
        past = await asyncio.to_thread(self._session.aside.read)
        if past is not None:
            self._session.take(past)
            self._paint()


@contextmanager
def no_garbage() -> Iterator[None]:
    """Entries are kept as long as the screen: looking for garbage among them would hold up every key."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was:
            gc.enable()


def from_thread(loop: asyncio.AbstractEventLoop, act: Callable[[], None]) -> None:
    """Have the screen do it; nothing when the screen has gone."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(act)


class Aside:
    """One thread, started when first needed."""

    def __init__(self, directory: Path, letter: str, clock: Callable[[], datetime], demo: bool, report: Report) -> None:
        self.directory = directory
        self.letter = letter
        self.clock = clock
        self.demo = demo
        self.report = report
        self._pool = ThreadPoolExecutor(1, "aside")

    def open(self) -> Store:
        """A connection for the thread that calls. Raises JournalError."""
        return Store.open(self.directory, letter=self.letter, clock=self.clock)

    def read(self) -> Past | None:
        """All journals anew, on the thread that calls; None when they cannot be read now."""
        past = Past()
        with suppress(JournalError), self.open() as store, no_garbage():
            past.read_all(store)
            return past
        return None

    def purge(self, ref: Ref, author: Author, reason: str) -> Future[list[Entry]]:
        """Destroy an entry's text. The future has the order to do so, or a JournalError."""
        return self._pool.submit(self._purge, ref, author, reason)

    def _purge(self, ref: Ref, author: Author, reason: str) -> list[Entry]:
        with self.open() as store:
            return [store.purge(ref, author=author, reason=reason)]

    def search(self, asked: Search) -> Future[Found | JournalError]:
        """Look for entries in all incidents; the first time in a long journal takes seconds."""
        return self._pool.submit(self._search, asked)

    def _search(self, asked: Search) -> Found | JournalError:
        try:
            with self.open() as store:
                return search(store, asked)
        except JournalError as error:
            return error

    def export(self, incident: str, file: str) -> Future[tuple[str, str]]:
        """Write the report of what is saved; the future has what to say about it, with a style."""
        return self._pool.submit(self._export, incident, file)

    def _export(self, incident: str, file: str) -> tuple[str, str]:
        from incident_tui import __version__
        from incident_tui.report.export import ExportError, write_report
        from incident_tui.report.redacting import style_of
        from incident_tui.report.source import Source
        from incident_tui.watch.chat.reading import delivered

        fold = Fold()
        try:
            with self.open() as store:
                for entry in store.read_all()[0]:
                    fold.apply(entry)
                source = Source(
                    fold=fold,
                    incident=incident,
                    head=store.head(),
                    journals=parts(store),
                    unread=store.others_problem,
                    handle=store.handle,
                    now=self.clock(),
                    demo=self.demo,
                    version=__version__,
                    deliveries=delivered(self.directory),
                )
                style = style_of(self.report)
                written = write_report(source, Path(file) if file else None, self.directory, style=style)
        except (ExportError, JournalError) as error:
            return (error.sentence, "crit")
        return ("; ".join((f"The report is in {written.path}", *written.notes)), "ok")

    def hand_over(self, standing: Standing, to: str) -> Future[tuple[str, str]]:
        """Write the briefing for who takes command; the future has what to say about it, with a style."""
        return self._pool.submit(self._hand_over, standing, to)

    def _hand_over(self, standing: Standing, to: str) -> tuple[str, str]:
        from incident_tui.report.export import ExportError, file_name, write_report_text
        from incident_tui.report.handoff import handoff

        name = file_name(f"handoff-{standing.incident.id}-{to}-{standing.now:%H%M%S}")
        try:
            path = write_report_text(handoff(standing, to), name, self.directory)
        except ExportError as error:
            return (error.sentence, "crit")
        return (f"Offered to {to}. The briefing is in {path}", "ok")

    def leave_card(self, standing: Standing) -> Future[tuple[str, str]]:
        """Write the break-glass card beside the journal."""
        return self._pool.submit(self._leave_card, standing)

    def _leave_card(self, standing: Standing) -> tuple[str, str]:
        from incident_tui.report.card import leave

        try:
            return (f"Break-glass card: {leave(self.directory, standing)}", "")
        except OSError as error:
            return (f"No break-glass card was written ({error.strerror}).", "warn")

    def close(self) -> None:
        """Waits for what was begun: a purge is never left half done."""
        self._pool.shutdown()
