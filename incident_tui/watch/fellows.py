"""The part of the fleet that this watch reads, as other bastions come and go; all of it where there are none.

It also says in the journal when this bastion begins and ends to be alone, because who sends what follows from that
(`replica.ledger`), and takes up for a while what a person here looks at and another bastion reads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from concurrent.futures import Future
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from incident_tui.fleet.fleet import Fleet
from incident_tui.hosts.readings import HostReading
from incident_tui.incident.entry import Author, Draft, Entry, Kind
from incident_tui.replica.ledger import alone_data, together_data
from incident_tui.watch.asks import ChatAsk
from incident_tui.watch.plan import Plan
from incident_tui.watch.post import Post
from incident_tui.watch.recorder import Recorder
from incident_tui.watch.reminders import ELSEWHERE
from incident_tui.watch.rows import BastionsRow
from incident_tui.watch.saving import Fenced
from incident_tui.watch.settings import Site
from incident_tui.watch.together import KEY, Together

_LOOKED: Final = timedelta(minutes=2)
"""So long a host that somebody here looks at closer is read here, too."""


class Fellows:
    """One holding of the lease. `step` is called with each pulse."""

    def __init__(
        self,
        plan: Plan,
        together: Together | None,
        fleet: Fleet,
        recorder: Recorder,
        post: Post,
        saving: Fenced,
        author: Author,
        published: Callable[[], int],
        clock: Callable[[], datetime],
        may_speak: Callable[[], bool],
    ) -> None:
        """`published`: the last own entry that the cluster is known to have. `may_speak`: whether the lease of this
        bastion is still held."""
        self._may_speak = may_speak
        self._plan = plan
        self.together = together
        self._fleet = fleet
        self._recorder = recorder
        self._post = post
        self._saving = saving
        self._author = author
        self._published = published
        self._clock = clock
        self._journal = ""
        self._head = self._began = 0
        self._observed: dict[tuple[str, str], Entry] = {}
        self._looked: dict[str, datetime] = {}
        self._tries: frozenset[str] = frozenset()
        self._sites: dict[str, asyncio.Task[None]] = {}
        self._saying: Future[list[Entry]] | None = None
        self._row: BastionsRow | None = None
        self.group: asyncio.TaskGroup | None = None
        """Of the watch's tasks; set before the first pulse."""
        if together is not None:
            fleet.keep(())

    def start(self, entries: Iterable[Entry], journal: str) -> None:
        """`entries` are all there are."""
        entries, self._journal = list(entries), journal
        if self.together is None:
            self._recorder.remember([one for one in entries if one.journal == journal], self.watched)
        self.take(entries)
        self._began = self._head

    def take(self, entries: Iterable[Entry]) -> None:
        """New ones, of all bastions."""
        for entry in entries:
            if entry.journal == self._journal:
                self._head = entry.seq
            if self.together is not None and entry.kind is Kind.OBSERVATION and not entry.purged:
                key = (str(entry.data.get("finding")), str(entry.data.get("subject")))
                before = self._observed.get(key)
                if before is None or before.order <= entry.order:
                    self._observed[key] = entry

    # ------------------------------------------------------------------ what is read here

    @property
    def whole(self) -> bool:
        return self.together is None or self.together.whole

    @property
    def acts(self) -> bool:
        """Whether what is done once for all bastions is to be done here: reminders, polls of alerts."""
        return self.together is None or self.together.acts

    @property
    def wait(self) -> timedelta:
        """How late a reminder is that the watch of another bastion should have written."""
        duty = self.together is not None and self.together.on_duty
        return timedelta(0) if duty else ELSEWHERE

    def mixed(self, rows: dict[str, msgspec.Struct]) -> dict[str, msgspec.Struct]:
        """With what the holder of the duty says of what is done once for all."""
        return rows if self.together is None else self.together.mixed(rows)

    def reads(self, host: str) -> bool:
        return self.together is None or host in self.together.reads

    def judges(self, host: str) -> bool:
        """Whether what is read of it, here or by another bastion, is this watch's to join and to write about."""
        return self.together is None or host in self.together.has

    def heard(self, reading: HostReading) -> None:
        """What this watch itself reads."""
        if self.together is not None:
            self.together.heard(reading)

    def checks(self, site: str) -> bool:
        return self.together is None or f"site/{site}" in self.together.reads

    def watched(self, rule: str, subject: str, host: str) -> bool:
        """Whether a finding is this watch's to write about."""
        if rule.startswith("site."):
            return any(site.name == subject and self.checks(site.name) for site in self._plan.sites)
        # A peer or brick may live on a machine that nobody here watches itself.
        known = any(each.name == host for each in self._plan.hosts)
        return (rule.startswith("gluster.") and not known) or not host or (known and self.judges(host))

    def look_closer(self, host: str) -> None:
        """A person here asks a host that another bastion reads: it is read here for a while, too."""
        if not self.reads(host) and any(one.name == host for one in self._plan.hosts):
            self._looked[host] = self._clock() + _LOOKED
            self._keep_hosts()

    def _keep_hosts(self) -> None:
        assert self.together is not None
        now = self._clock()
        self._looked = {
            host: until for host, until in self._looked.items() if now < until <= now + _LOOKED and not self.reads(host)
        }
        self._tries = self.together.tries
        reads = {host.name for host in self._plan.hosts if self.reads(host.name)}
        own = {host for host in reads if self.judges(host)}
        self._fleet.keep(own, (reads - own) | self._looked.keys() | self._tries)

    def keep_sites(self, check: Callable[[Site], Coroutine[Any, Any, None]]) -> None:
        """Starts and ends checks as the division wants it."""
        assert self.group is not None
        for site in self._plan.sites:
            running = self._sites.get(site.name)
            if self.checks(site.name) and running is None:
                self._sites[site.name] = self.group.create_task(check(site), name=f"site {site.name}")
            elif running is not None and not self.checks(site.name):
                running.cancel()
                del self._sites[site.name]

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        return list(self._sites.values())

    async def leave(self) -> None:
        """This watch ends. When another process has its lease it goes on with its beats, and nothing is said."""
        if self.together is not None and self._may_speak():
            await self.together.leave()

    # ------------------------------------------------------------------ each pulse

    def step(self, readings: Mapping[str, HostReading]) -> dict[str, msgspec.Struct]:
        """Rows that others have read, and this watch's own state, for the board."""
        together = self.together
        if together is None:
            return {}
        if together.tick():
            self._keep_hosts()
            self._recorder.remember(self._observed.values(), self.watched)
        elif together.tries != self._tries or (self._looked and min(self._looked.values()) <= self._clock()):
            self._keep_hosts()
        together.look_for_pools(readings)
        while together.asked:
            word = together.asked.pop()
            journal, number = (word.ref.journal, word.ref.seq) if word.ref is not None else ("", 0)
            self._post.asked(ChatAsk(verb="retry", sink=word.sink, journal=journal, number=number), here=False)
        self._say(together)
        rows = together.came()
        row = together.row()
        if self._row is None or msgspec.structs.replace(self._row, at=row.at) != row:
            self._row = row
            rows[KEY] = row
        return rows

    def _say(self, together: Together) -> None:
        """In the journal: alone from here on, or together again."""
        if self._saying is not None and not self._saying.done():
            return
        span = self._post.apart.running(self._journal)
        if together.alone and span is None:
            first = max(self._published(), self._began) + 1
            text = (
                "alone: the other bastions are out of reach; all hosts are read from here, and messages about entries "
                "of this bastion are sent from here"
            )
            self._note(text, alone_data(min(first, self._head + 1)), f"alone:{self._head}")
        elif together.joined and span is not None:
            unsent = self._post.unsent(span.first)
            if unsent is not None:
                self._note("together with the other bastions again", together_data(unsent), f"together:{self._head}")

    def _note(self, text: str, data: dict[str, Any], key: str) -> None:
        draft = Draft(kind=Kind.LEASE, text=text, at=self._clock(), author=self._author, source="watch", data=data)
        self._saying = self._saving.each([(draft, key)])
