"""All hosts: one link each, isolated from each other, and the election of the peer that runs the locking commands."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime, timedelta

from incident_tui.fleet.channel import Clock
from incident_tui.fleet.host import HostLink
from incident_tui.fleet.locking import low_on_memory
from incident_tui.fleet.settings import Fleet as FleetSettings
from incident_tui.fleet.settings import Host
from incident_tui.fleet.turns import Turns
from incident_tui.hosts.readings import GapKind, HostReading, LinkState, is_stale
from incident_tui.hosts.settings import Thresholds

HUNG_REST = timedelta(minutes=5)
"""For so long a peer whose locking command hung is not elected if another can be."""
ELECT_EVERY = timedelta(seconds=1)
"""Between two elections while no peer has changed: a reading that grows old is no reading that comes."""
SPARED_REST = timedelta(minutes=5)
"""A peer elected in place of one low on memory keeps it for so long: two that swap now and then do not change places
each round."""


class Fleet:
    """`run()` until cancelled; `on_reading` after every change of any host. `readings` holds the latest of each."""

    def __init__(
        self,
        hosts: Iterable[Host],
        settings: FleetSettings,
        clock: Clock,
        on_reading: Callable[[HostReading], None],
        *,
        thresholds: Thresholds | None = None,
        dice: random.Random | None = None,
    ) -> None:
        self._clock = clock
        self._on_reading = on_reading
        self._thresholds = thresholds or Thresholds()
        self._elected_at = datetime.min.replace(tzinfo=UTC)
        self._clusters: dict[str, list[str]] = {}
        self._spared: dict[str, datetime] = {}
        """Who was elected last in place of a peer low on memory, and when."""
        self._settings = settings
        self._dice = dice
        self._turns = Turns()
        self._hosts = {host.name: host for host in hosts}
        self._changed = asyncio.Event()
        self._guests: frozenset[str] = frozenset()
        self.links: dict[str, HostLink] = {}
        self.readings: dict[str, HostReading] = {}
        self.keep(self._hosts)

    def keep(self, names: Collection[str], guests: Collection[str] = ()) -> None:
        """Read these of the hosts from now on, and no others: what was read of another goes, with its connection.
        `guests` are read, too, and not elected: somebody else asks their cluster."""
        self._guests = frozenset(guests)
        for name in self.links.keys() - set(names) - self._guests:
            del self.links[name], self.readings[name]
        for name in self._hosts:
            if (name in names or name in self._guests) and name not in self.links:
                self.links[name] = self._link_to(self._hosts[name])
                self.readings[name] = self.links[name].reading
        self._changed.set()

    def _link_to(self, host: Host) -> HostLink:
        return HostLink(host, self._settings, self._clock, self._heard, dice=self._dice, turns=self._turns)

    async def run(self) -> None:
        """One task a host; one that hangs or fails costs the others nothing. Cancel to stop: all links are closed."""
        running: dict[str, tuple[HostLink, asyncio.Task[None]]] = {}
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._changed.clear()
                for name, (link, task) in list(running.items()):
                    if self.links.get(name) is not link:
                        task.cancel()
                        del running[name]
                for name, link in self.links.items():
                    if name not in running:
                        running[name] = link, tasks.create_task(link.run(), name=f"link {name}")
                await self._changed.wait()

    def refresh(self, host: str = "") -> None:
        """Ask one host, or all, for a fresh reading now. An unknown name is ignored."""
        for name, link in self.links.items():
            if host in ("", name):
                link.refresh()

    def _heard(self, reading: HostReading) -> None:
        if reading.host not in self.links:
            return  # the last word of a connection that is being closed
        before, self.readings[reading.host] = self.readings[reading.host], reading
        if reading.gluster is not None or before.gluster is not None:
            now = self._clock()
            if _signs(before, now) != _signs(reading, now) or not timedelta(0) <= now - self._elected_at < ELECT_EVERY:
                self._elected_at = now
                self._elect(now)
            if self.links[reading.host].elected:
                self._answered(reading, now)
        self._on_reading(reading)

    def _answered(self, reading: HostReading, now: datetime) -> None:
        """Who asked before has no word left on what the elected peer has read since."""
        for name in self._clusters.get(reading.host, ()):
            link = self.links.get(name)
            if link is not None and not link.elected and (superseded := _superseded(self.readings[name], reading, now)):
                self.readings[name] = link.forget(superseded)
                self._on_reading(link.reading)

    def _elect(self, now: datetime) -> None:
        """One peer a cluster: the elected one while it answers and has memory to spare, or nobody else has; then the
        next."""
        chosen: set[str] = set()
        for members in clusters(self._candidates(now)):
            current = next((name for name in members if self.links[name].elected), None)
            best = min(members, key=self._burden)
            if current is not None and self._spares(current, best, now):
                self._spared[best] = now
                self.links[best].locking.follow(self.links[current].locking)
                current = best
            chosen.add(current or best)
        for name, link in self.links.items():
            link.elected = name in chosen
        together = clusters(reading for reading in self.readings.values() if reading.gluster is not None)
        self._clusters = {name: members for members in together for name in members}

    def _spares(self, current: str, best: str, now: datetime) -> bool:
        """Whether `current` is low on memory and `best` is not."""
        since = self._spared.get(current)
        if since is not None and timedelta(0) <= now - since < SPARED_REST:
            return False
        return low_on_memory(self.readings[current]) and not low_on_memory(self.readings[best])

    def _burden(self, name: str) -> tuple[bool, float, str]:
        """The peer with the most memory to spare first: heal info is a whole client process."""
        memory = self.readings[name].memory
        low = low_on_memory(self.readings[name])
        return (low, memory.used_percent // 10 if memory is not None else 100.0, name)

    def _candidates(self, now: datetime) -> list[HostReading]:
        able = [
            reading
            for reading in self.readings.values()
            if reading.link.state is LinkState.UP
            and reading.gluster is not None
            and reading.gluster.glusterd_alive
            and reading.host not in self._guests
            and not is_stale("gluster", reading.gluster.at, now, self._thresholds)
        ]
        hung = {reading.host for reading in able if _hung(reading, now)}
        # Where every peer's commands hang, the cluster's lock does: then any of them may ask.
        return [r for r in able if r.host not in hung] or able


def _signs(reading: HostReading, now: datetime) -> tuple[object, ...]:
    """All of a reading that an election looks at, but for its age."""
    told = reading.gluster
    known = (told.glusterd_alive, told.uuid, [peer.uuid for peer in told.peers]) if told is not None else None
    return reading.link.state, known, low_on_memory(reading), _hung(reading, now)


_ASKED = ("volume_status", "heals", "rebalances", "quotas", "snapshots")
"""What only the elected peer is asked for, a volume at a time."""


def _hung(reading: HostReading, now: datetime) -> bool:
    """Whether a locking command got no answer there lately: another peer has its turn first."""
    return any(
        gap.kind is GapKind.HUNG and now - gap.at < HUNG_REST
        for field, gap in reading.gaps.items()
        if field.partition(":")[0] in _ASKED
    )


def _superseded(reading: HostReading, other: HostReading, now: datetime) -> set[str]:
    """The gaps of one peer about what another has read since. That a command hung is kept while it counts."""
    out = set()
    for field, gap in reading.gaps.items():
        kind, _, volume = field.partition(":")
        answer = getattr(other, kind).get(volume) if kind in _ASKED else None
        if answer is not None and answer.at > gap.at and (gap.kind is not GapKind.HUNG or now - gap.at >= HUNG_REST):
            out.add(field)
    return out


def clusters(readings: Iterable[HostReading]) -> list[list[str]]:
    """Names of hosts grouped by trusted pool: two belong together when one names the other's uuid as a peer."""
    groups: list[tuple[set[str], list[str]]] = []
    for reading in readings:
        if reading.gluster is None:
            continue
        uuids = {peer.uuid for peer in reading.gluster.peers if peer.uuid} | {reading.gluster.uuid or reading.host}
        names = [reading.host]
        for other in [group for group in groups if group[0] & uuids]:
            groups.remove(other)
            uuids |= other[0]
            names += other[1]
        groups.append((uuids, names))
    return [sorted(names) for _, names in groups]
