"""All hosts: one link each, isolated from each other, and the election of the peer that runs the locking commands."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from incident_tui.fleet.channel import Clock
from incident_tui.fleet.host import HostLink
from incident_tui.fleet.settings import Fleet as FleetSettings
from incident_tui.fleet.settings import Host
from incident_tui.fleet.turns import Turns
from incident_tui.hosts.readings import GapKind, HostReading, LinkState, is_stale
from incident_tui.hosts.settings import Thresholds

HUNG_REST = timedelta(minutes=5)
"""For so long a peer whose locking command hung is not elected if another can be."""


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
        turns = Turns()
        self.links = {host.name: HostLink(host, settings, clock, self._heard, dice=dice, turns=turns) for host in hosts}
        self.readings: dict[str, HostReading] = {name: link.reading for name, link in self.links.items()}

    async def run(self) -> None:
        """One task a host; one that hangs or fails costs the others nothing. Cancel to stop: all links are closed."""
        async with asyncio.TaskGroup() as tasks:
            for link in self.links.values():
                tasks.create_task(link.run(), name=f"link {link.host.name}")

    def refresh(self, host: str = "") -> None:
        """Ask one host, or all, for a fresh reading now. An unknown name is ignored."""
        for name, link in self.links.items():
            if host in ("", name):
                link.refresh()

    def _heard(self, reading: HostReading) -> None:
        self.readings[reading.host] = reading
        if reading.gluster is not None:
            self._elect()
        self._on_reading(reading)

    def _elect(self) -> None:
        """One peer a cluster: the elected one while it answers; when it falls silent, the next by name."""
        chosen: set[str] = set()
        for members in clusters(self._candidates()):
            current = next((name for name in members if self.links[name].elected), None)
            chosen.add(current or min(members, key=self._burden))
        for name, link in self.links.items():
            link.elected = name in chosen

    def _burden(self, name: str) -> tuple[float, str]:
        """The peer with the most memory to spare first: heal info is a whole client process."""
        memory = self.readings[name].memory
        return (memory.used_percent // 10 if memory is not None else 100.0, name)

    def _candidates(self) -> list[HostReading]:
        now = self._clock()
        able = [
            reading
            for reading in self.readings.values()
            if reading.link.state is LinkState.UP
            and reading.gluster is not None
            and reading.gluster.glusterd_alive
            and not is_stale("gluster", reading.gluster.at, now, self._thresholds)
        ]
        hung = {reading.host for reading in able if _hung(reading, now)}
        # Where every peer's commands hang, the cluster's lock does: then any of them may ask.
        return [r for r in able if r.host not in hung] or able


def _hung(reading: HostReading, now: datetime) -> bool:
    """Whether a locking command got no answer there lately: another peer has its turn first."""
    return any(
        gap.kind is GapKind.HUNG and now - gap.at < HUNG_REST
        for field, gap in reading.gaps.items()
        if field.partition(":")[0] in ("volume_status", "heals", "rebalances", "quotas", "snapshots")
    )


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
