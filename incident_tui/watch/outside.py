"""All that comes from outside while the lease is held: alerts posted, polled and spooled, hooks of chat, and rooms."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from incident_tui.desk.outcome import DeskSettings
from incident_tui.fleet.settings import Host
from incident_tui.incident.entry import Author, Entry
from incident_tui.incident.state import Fold
from incident_tui.journal.board import Board
from incident_tui.journal.errors import JournalError
from incident_tui.journal.store import Store
from incident_tui.watch.alerts import spool
from incident_tui.watch.alerts.intake import Intake
from incident_tui.watch.alerts.judging import Judge
from incident_tui.watch.alerts.poll import Poller
from incident_tui.watch.alerts.rows import REFRESH, AlertsRow, Firings
from incident_tui.watch.alerts.settings import AlertRule, AlertSource, Hook, Listener
from incident_tui.watch.alerts.sources import Sources
from incident_tui.watch.inbound.taking import Inbound, Saving, Threads
from incident_tui.watch.listen.listener import listen
from incident_tui.watch.listen.routes import Routes
from incident_tui.watch.on_duty import Others, SharedCursors, while_so
from incident_tui.watch.rooms.all import Rooms
from incident_tui.watch.rooms.cursors import Cursors
from incident_tui.watch.rooms.feed import Journal
from incident_tui.watch.rooms.reader import Reader
from incident_tui.watch.rooms.settings import Room

log = logging.getLogger("incident_tui.watch")

KEY: Final = "alerts"
"""On the board, of the row and of the detail."""
_SPOOL_SECONDS: Final = 0.5
_LEAST: Final = 1.0
"""Seconds between two rows: in a storm everything changes all the time."""


class OutsideSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What of the configuration is about the outside."""

    alerts: tuple[AlertSource, ...] = ()
    alert_rules: tuple[AlertRule, ...] = ()
    listener: Listener = Listener()
    hooks: tuple[Hook, ...] = ()
    rooms: tuple[Room, ...] = ()


class Plan(DeskSettings, Protocol):
    """What is read of the watch's plan."""

    @property
    def outside(self) -> OutsideSettings: ...
    @property
    def directory(self) -> Path: ...
    @property
    def hosts(self) -> Sequence[Host]: ...


class Outside:
    """One holding of the lease."""

    def __init__(
        self,
        plan: Plan,
        saving: Saving,
        fold: Fold,
        store: Store,
        author: Author,
        threads: Threads,
        clock: Callable[[], datetime],
        others: Others | None = None,
    ) -> None:
        """`others`: the bastions of which one polls and reads for all; without, this one does."""
        self._others = others
        settings, directory = plan.outside, plan.directory
        self._settings = settings
        self._directory = directory
        self._clock = clock
        self.sources = Sources(settings.alerts, clock)
        names = [host.name for host in plan.hosts]
        judge = Judge(settings.alert_rules, {source.name: source for source in settings.alerts}, names)
        self.intake = Intake(saving, fold, judge, clock=clock, new_id=_new_id)
        self.inbound = Inbound(saving, fold, store, plan, clock=clock, new_id=_new_id, threads=threads)
        self._routes = Routes(settings, self.sources, self.intake.take, self.inbound.take, clock=clock)
        cursors = Cursors(directory / "rooms.db", store.journal)
        self._cursors = SharedCursors(cursors, [room.name for room in settings.rooms])
        self.rooms = Rooms(settings.rooms, Journal(self.inbound, saving, fold, author, cursors, clock))
        self._put: datetime | None = None

    def start(self, entries: Sequence[Entry], board: Board) -> None:
        """`entries` is the whole journal, oldest first."""
        self.intake.remember(entries, board.details(KEY, Firings).get(KEY))
        self.inbound.remember(entries)

    def take(self, entries: Sequence[Entry]) -> None:
        """Entries that came from other bastions: what they took in is not taken in here again."""
        self.intake.remember(entries, None)
        self.inbound.remember(entries)

    def tasks(self, group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        """Starts all there is to do; each runs until it is cancelled."""
        pollers = [
            Poller(source, self.intake, self.sources, self._clock) for source in self._settings.alerts if source.url
        ]
        tasks = [group.create_task(self._for_all(one.run), name=f"alerts {one.source.name}") for one in pollers]
        tasks.append(group.create_task(self._spool(), name="spool"))
        if self._settings.listener.bind:
            running = listen(self._settings.listener, self._routes, self.sources.listening)
            tasks.append(group.create_task(running, name="listener"))
        for reader in self.rooms.readers:
            tasks.append(group.create_task(self._read(reader), name=f"room {reader.room.name}"))
        return tasks

    async def _for_all(self, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """What one bastion does for all of them."""
        others = self._others
        await (run() if others is None else while_so(lambda: others.acts, run))

    async def _read(self, reader: Reader) -> None:
        others = self._others
        if others is None:
            await reader.run()
            return
        here = others

        async def run() -> None:
            await self._cursors.adopt(here, reader.room.name)
            async with asyncio.TaskGroup() as group:
                group.create_task(reader.run())
                group.create_task(self._cursors.tell(here, reader.room.name))

        await while_so(lambda: here.reads_rooms, run)

    async def _spool(self) -> None:
        """Takes what commands handed in, and writes counts whose time has come."""
        while True:
            for one in spool.waiting(self._directory):
                if not await self._take_spooled(one):
                    break
            self.intake.flush()
            await asyncio.sleep(_SPOOL_SECONDS)

    async def _take_spooled(self, one: spool.Spooled) -> bool:
        """Whether it is saved, or of no use, so that the file could go."""
        if one.alert is None:
            log.warning("a file of the spool is of no use: %s: %s", one.path, one.problem)
        else:
            try:
                await self.intake.take([one.alert])
            except JournalError as error:
                self.sources.failed(one.alert.source, f"not saved: {error.sentence}")
                return False
            self.sources.heard(one.alert.source)
        spool.done(one)
        return True

    def rows(self) -> tuple[dict[str, msgspec.Struct], dict[str, msgspec.Struct]]:
        """Rows and details for the board that are due: at once when something changed, and from time to time."""
        now, firing, sources = self._clock(), self.intake.firing, self.sources
        if not (self._settings.alerts or self._settings.listener.bind or sources.rows() or len(firing)):
            return {}, {}
        age = None if self._put is None else now - self._put
        if age is not None:  # our clock may have been set back
            seconds = abs(age.total_seconds())
            if seconds < _LEAST or (seconds < REFRESH.total_seconds() and not (firing.changed or sources.changed)):
                return {}, {}
        firing.forget(now, sources.kept)
        groups, more, count, silenced = firing.groups()
        row = AlertsRow(
            at=now,
            groups=groups,
            firing=count,
            more=more,
            silenced=silenced,
            sources=sources.rows(),
            listener=sources.listener,
        )
        details: dict[str, msgspec.Struct] = {KEY: firing.kept()} if firing.changed else {}
        firing.changed = sources.changed = False
        self._put = now
        return {KEY: row}, details

    def close(self) -> None:
        """Submits what is only counted so far; the writer is closed after this."""
        self.rooms.close()
        self.intake.flush(all_of_them=True)


def _new_id() -> str:
    return secrets.token_hex(8)
