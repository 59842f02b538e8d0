"""The watch: reads hosts and sites, keeps the board, writes observations and reminders, sends to chat.

One process holds the lease and watches for all screens. It answers to nobody: screens see the board and the journal.
It gives up at once when it loses the lease, and ends a while after the last screen has gone, unless it is a service.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import secrets
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import Final

import msgspec

from incident_tui import __version__
from incident_tui.fleet.fleet import Fleet
from incident_tui.hosts.blind import sight
from incident_tui.hosts.cluster import ClusterView
from incident_tui.hosts.cluster import view as cluster_view
from incident_tui.hosts.health import Judge
from incident_tui.hosts.health import findings as host_findings
from incident_tui.hosts.readings import HostReading, LinkState
from incident_tui.incident.entry import Author, Entry
from incident_tui.incident.finding import Finding
from incident_tui.incident.state import Fold
from incident_tui.journal.board import Board
from incident_tui.journal.errors import JournalError, StaleEpoch
from incident_tui.journal.everything import START
from incident_tui.journal.in_force import remember
from incident_tui.journal.lease import Lease
from incident_tui.journal.notify import Listener
from incident_tui.journal.presence import Presence
from incident_tui.journal.store import Store
from incident_tui.journal.take_in import settle
from incident_tui.journal.writer import Writer
from incident_tui.watch import asks, reminders, replicas, series, sites
from incident_tui.watch.cards import Cards
from incident_tui.watch.demands import Demands
from incident_tui.watch.evidence import RawPace
from incident_tui.watch.fellows import Fellows
from incident_tui.watch.history import Histories, History, note_host, note_site, note_volumes
from incident_tui.watch.impact import impact
from incident_tui.watch.old_rows import old_rows
from incident_tui.watch.outside import Outside
from incident_tui.watch.plan import Plan
from incident_tui.watch.post import Post
from incident_tui.watch.pulse import rest_after
from incident_tui.watch.recorder import Recorder
from incident_tui.watch.rows import SiteRow, WatchRow, site_findings
from incident_tui.watch.saving import Fenced
from incident_tui.watch.settings import Site
from incident_tui.watch.together import KEY as BASTIONS

log = logging.getLogger("incident_tui.watch")

AUTHOR: Final = "watch"
_TICK: Final = 0.5
_BEAT: Final = 2.0
_JUDGE_EVERY: Final = timedelta(seconds=1)
"""So late the watch may notice that a reading has grown too old."""


class Lost(Exception):
    """The lease has moved to another process."""


class Watch:
    """One holding of the lease, from taking it to losing it or ending."""

    def __init__(self, plan: Plan, clock: Callable[[], datetime], store: Store, lease: Lease, epoch: int) -> None:
        self.plan = plan
        self._clock = clock
        self._store = store
        self._lease = lease
        self._epoch = epoch
        self._author = Author(name=AUTHOR, uid=os.getuid(), proven=True)
        self._fold = Fold()
        self._here = START
        self._version = -1
        self._readings: dict[str, HostReading] = {}
        self._sites: dict[str, SiteRow] = {}
        self._dirty: dict[str, msgspec.Struct] = {}
        self._details: dict[str, msgspec.Struct] = {}
        self._raw_pace = RawPace()
        self._judge = Judge(_JUDGE_EVERY)
        self._last_chat: dict[str, msgspec.Struct] = {}
        self._site_now = {site.name: asyncio.Event() for site in plan.sites}
        self._rounds = 0
        self._started = clock()
        self._recorder = Recorder(timedelta(seconds=plan.watch.hold_seconds), self._author)
        self._turns = reminders.Turns(store.journal)
        self._woken = asyncio.Event()
        self._presence = Presence(plan.directory)
        self._writer = Writer(lambda: Store.open(plan.directory, letter=plan.letter), clock=clock)
        self._board = Board.open(plan.directory, clock=clock)
        saving = Fenced(self._writer, epoch)
        self._replicas = replicas.Replicas(plan, saving, self._fold, self._author, self._board.read(), clock)
        together = self._replicas.together(plan.hosts, plan.sites, store)
        self._histories = Histories(self._board.details("history/", History))
        self._post = Post(
            plan.directory,
            plan.chat,
            store,
            self._fold,
            may_send=lambda: lease.held,
            clock=clock,
            demo=plan.demo,
            others=together,
        )
        self._cards = Cards(plan, store.handle)
        self._outside = Outside(plan, saving, self._fold, store, self._author, self._post.incident_of, clock, together)
        self._fleet = Fleet(plan.hosts, plan.fleet, clock, self._read)
        self._demands = Demands(self._fleet.links, clock, self._woken.set)
        self._fellows = Fellows(
            plan,
            together,
            self._fleet,
            self._recorder,
            self._post,
            saving,
            self._author,
            self._replicas.published,
            clock,
            may_speak=lambda: lease.held,
        )

    async def run(self) -> str:
        """Watches until it should end; returns why. Raises Lost when another process holds the lease."""
        for sentence in settle(self._store):  # purges that a crash left
            log.warning("a purge waits: %s", sentence)
        entries, self._here = self._store.read_all()
        self._take(entries)
        self._remember()
        self._post.start(entries)
        self._fellows.start(entries, self._store.journal)
        self._outside.start(entries if self._fellows.together is not None else self._own(entries), self._board)
        self._forget_old_rows()
        listener = self._listen()
        try:
            async with asyncio.TaskGroup() as group:
                self._fellows.group = group
                tasks = [group.create_task(self._fleet.run(), name="fleet"), *self._post.start_sending(group)]
                tasks += [group.create_task(self._demands.run(), name="demands"), *self._outside.tasks(group)]
                tasks += self._replicas.tasks(group)
                try:
                    reason = await self._keep()
                finally:
                    await self._fellows.leave()
                for task in [*tasks, *self._fellows.tasks]:
                    task.cancel()
            return reason
        except* Lost:
            raise Lost from None
        finally:
            if listener is not None:
                asyncio.get_running_loop().remove_reader(listener.fileno())
                listener.close()
            self._close()

    def _close(self) -> None:
        self._outside.close()
        self._replicas.close()
        for unsaved in self._writer.close():
            log.error("not saved when the watch ended: %s (%s)", unsaved.problem, unsaved.key)
        self._post.close()
        self._cards.close()
        self._board.close()

    def _listen(self) -> Listener | None:
        try:
            listener = Listener(self.plan.directory)
        except JournalError as error:
            log.warning("no notifications, polling only: %s", error.sentence)
            return None

        def rung() -> None:
            listener.drain()
            self._woken.set()
            self._replicas.rung()

        asyncio.get_running_loop().add_reader(listener.fileno(), rung)
        return listener

    # ------------------------------------------------------------------ what comes in

    def _others(self) -> None:
        """What other bastions read, and what is to be read here."""
        for key, row in self._fellows.step(self._readings).items():
            self._dirty[key] = row
            if isinstance(row, HostReading):
                self._readings[row.host] = row
                note_host(self._histories, row)
            elif isinstance(row, SiteRow):
                self._checked(row)
        self._fellows.keep_sites(self._watch_site)

    def _read(self, reading: HostReading) -> None:
        self._fellows.heard(reading)
        known, state = self._readings.get(reading.host), reading.link.state
        fails = state is not LinkState.UP and not self._fellows.reads(reading.host)
        if known is not None and known.via and (fails or state in (LinkState.NEVER, LinkState.CONNECTING)):
            return  # what another bastion read last is worth more until this one knows better
        self._readings[reading.host] = reading
        self._dirty[f"host/{reading.host}"] = reading
        note_host(self._histories, reading)

    def _checked(self, row: SiteRow) -> None:
        self._sites[row.name] = row
        self._dirty[f"site/{row.name}"] = row
        expect = next((site.expect for site in self.plan.sites if site.name == row.name), 200)
        note_site(self._histories, row, expect)

    async def _watch_site(self, site: Site) -> None:
        first = random.uniform(0, min(1.0, site.seconds))
        await sites.run(site, self._clock, self._checked, self._site_now[site.name], first)

    def _take(self, entries: list[Entry]) -> None:
        for entry in entries:
            self._fold.apply(entry)

    def _own(self, entries: list[Entry]) -> list[Entry]:
        """Those of this bastion: what came from others their watch has posted and acted on."""
        return [entry for entry in entries if entry.journal == self._store.journal]

    def _follow(self) -> None:
        """New entries, whoever wrote them and on whichever bastion."""
        try:
            version = self._store.data_version()
            if version == self._version:
                return
            entries, self._here = self._store.read_all(self._here)
            self._version = version
        except JournalError as error:
            log.warning("the journal cannot be read: %s", error.sentence)
            return
        if entries:
            self._take(entries)
            self._post.take(entries)
            self._fellows.take(entries)
            if self._fellows.together is not None:
                self._outside.take([one for one in entries if one.journal != self._store.journal])
            self._remember()

    def _remember(self) -> None:
        """Saves the next `incident-tui log` a fold of the whole journal; a cache, so a failure is no news."""
        with contextlib.suppress(JournalError):
            remember(self._store, self._here, self._fold)

    def _answer_asks(self) -> None:
        for ask in asks.take(self.plan.directory):
            if isinstance(ask, asks.ChatAsk):
                self._post.asked(ask)
                continue
            if ask.word:
                for host in [ask.host] if ask.host else [*self._fleet.links]:
                    self._fellows.look_closer(host)
                    self._demands.ask(host, ask.word)
                continue
            self._fleet.refresh(ask.host)
            for site in self.plan.sites:
                if not ask.host or ask.host in site.hosts:
                    self._site_now[site.name].set()

    # ------------------------------------------------------------------ the loop

    async def _keep(self) -> str:
        """The pulse. Only a completed round renews the lease: a watch that hangs loses it."""
        loop = asyncio.get_running_loop()
        beat = alone_since = loop.time()
        spent = 0.0
        while True:
            await asyncio.sleep(rest_after(spent))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TICK):
                    await self._woken.wait()
                    # A burst of rings (our own board writes ring too) makes one round, at most four a second.
                    await asyncio.sleep(0.05)
            self._woken.clear()
            began = time.thread_time()
            self._follow()
            self._answer_asks()
            self._others()
            self._record()
            self._put()
            spent = time.thread_time() - began
            now = loop.time()
            if now - beat >= _BEAT:
                beat = now
                self._rounds += 1
                if not self._lease.renew():
                    raise Lost
                self._dirty["watch"] = self._row()
            if self._presence.screens():
                alone_since = now
            elif not self.plan.service and now - alone_since > self.plan.watch.linger_seconds:
                return "the last screen has gone"

    def _row(self) -> WatchRow:
        return WatchRow(
            at=self._clock(),
            pid=os.getpid(),
            node=os.uname().nodename,
            epoch=self._epoch,
            started_at=self._started,
            rounds=self._rounds,
            service=self.plan.service,
            version=__version__,
            demo=self.plan.demo,
        )

    def _put(self) -> None:
        for name, row in self._post.rows().items():
            self._dirty[f"chat/{name}"] = row
        rows, details = self._outside.rows()
        rows |= self._outside.rooms.rows() | self._replicas.rows()
        fresh, self._dirty = self._changed(self._fellows.mixed({**self._dirty, **rows})), {}
        now = self._clock()
        details = {**self._details, **details, **self._histories.due(now), **self._demands.take()}
        self._details = {}
        old = [*self._demands.over(now), *self._histories.gone()]
        if self._fellows.together is not None:
            self._fellows.together.share(fresh)
        if fresh or details or old:
            try:
                self._board.put(fresh, epoch=self._epoch, drop=old, details=details)
            except StaleEpoch:
                raise Lost from None

    def _changed(self, rows: dict[str, msgspec.Struct]) -> dict[str, msgspec.Struct]:
        """Rows of chat are made anew each round; only those that say something new are written."""
        found = {}
        for key, row in rows.items():
            if key.startswith(("chat/", "room/", "replica/")):
                same = msgspec.structs.replace(row, at=self._started)
                if self._last_chat.get(key) == same:
                    continue
                self._last_chat[key] = same
            found[key] = row
        return found

    def _forget_old_rows(self) -> None:
        keep = {*replicas.keys(self.plan), *([BASTIONS] if self._fellows.together is not None else [])}
        old = old_rows(self.plan, self._board, self._histories.known, keep)
        try:
            self._board.put({"watch": self._row()}, epoch=self._epoch, drop=old)
        except StaleEpoch:
            raise Lost from None

    def _hosts(self) -> list[HostReading]:
        """Every host that is to be judged here; one that was never heard of says that itself."""
        names = [one.name for one in self.plan.hosts if self._fellows.judges(one.name)]
        return [one for name in names if (one := self._readings.get(name) or self._fleet.readings.get(name))]

    def _record(self) -> None:
        now, hosts, limits = self._clock(), self._hosts(), self.plan.thresholds
        joined = cluster_view(hosts, limits, now)
        found = host_findings(hosts, limits, now, judge=self._judge, joined=joined)
        found += site_findings([one for one in self.plan.sites if self._fellows.checks(one.name)], self._sites, now)
        self._keep_evidence(joined, found, now)
        seen = sight(hosts, limits, now, joined)
        seen = msgspec.structs.replace(seen, whole=seen.whole and self._fellows.whole)
        made = cache(lambda: impact(self.plan.sites, self._readings, joined))
        for draft in self._recorder.observe(found, now, seen, lambda one: made().of(one)):
            draft = sites.with_resolution(draft, self.plan.sites, self.plan.watch.hold_seconds)
            self._writer.submit([draft], f"watch:{self._epoch}:{secrets.token_hex(8)}", self._epoch)
        self._cards.keep(self._fold.incidents(), found, len(self._fold), now)
        if self._fellows.acts:
            self._remind(now)

    def _remind(self, now: datetime) -> None:
        """Silences and numbers, for all bastions."""
        known = {**self._fleet.readings, **self._readings}.values()
        dark = [one for one in known if one.link.state is not LinkState.UP]
        unseen = {one.host: one.load.at if one.load is not None else self._started for one in dark}
        silence, plan = timedelta(minutes=self.plan.watch.silence_minutes), self.plan
        clocks = reminders.Clocks(
            author=self._author, silence=silence, command=plan.command, severities=plan.severities
        )
        for incident in self._fold.incidents():
            numbers = series.due(incident, self._histories.known, now, self._author)
            waiting = [*reminders.due(incident, now, clocks, unseen), *numbers]
            for reminder in self._turns.take(waiting, incident, now, self._fellows.wait):
                self._writer.submit([reminder.draft], reminder.key, self._epoch)

    def _keep_evidence(self, joined: ClusterView, found: list[Finding], now: datetime) -> None:
        """What the numbers were and what the commands printed, for whoever opens a detail."""
        note_volumes(self._histories, joined.volumes)
        own = {name: self._readings[name] for name in self._fleet.links if name in self._readings}
        for host in self._raw_pace.due(own, found, now):
            self._details[f"raw/{host}"] = self._fleet.links[host].raw
