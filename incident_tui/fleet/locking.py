"""When the elected peer runs the Gluster commands that lock or cost memory. Pure: clock and dice come in."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from incident_tui.fleet.settings import Fleet
from incident_tui.hosts import probe
from incident_tui.hosts.readings import HostReading

LOCK_SPACING = 30.0
"""Seconds between two rounds of them, at least."""


class Locking:
    """Remembers when which kind ran last on this peer."""

    def __init__(self, fleet: Fleet, dice: random.Random) -> None:
        self._fleet = fleet
        self._dice = dice
        self._locked_at: datetime | None = None
        self._healed_at: datetime | None = None

    def due(self, reading: HostReading, now: datetime) -> list[list[str]]:
        """The rounds that are due now, each a list of the probe's words; they count as run."""
        gluster = reading.gluster
        if gluster is None or not gluster.glusterd_alive:
            return []
        spacing = timedelta(seconds=max(LOCK_SPACING, self._fleet.gluster_seconds) * self._dice.uniform(1.0, 1.2))
        started = [volume for volume in gluster.volumes if volume.status == "started"]
        rounds: list[list[str]] = []
        if _due(self._locked_at, now, spacing):
            self._locked_at = now
            rounds += [[word] for v in started if (word := probe.volume_word("status", v.name))]
        if _due(self._healed_at, now, timedelta(seconds=self._fleet.heal_seconds)):
            self._healed_at = now
            kinds = ("summary", "split") if has_summary(gluster.version) else ("heal", "split")
            healing = [volume for volume in started if volume.set_size > 1]
            rounds += [[w for k in kinds if (w := probe.volume_word(k, v.name))] for v in healing]
        return [each for each in rounds if each]


def _due(last: datetime | None, now: datetime, spacing: timedelta) -> bool:
    """Also when `last` lies in the future: our clock was set back, and must not stop the readings for so long."""
    return last is None or not timedelta(0) <= now - last < spacing


def has_summary(version: str) -> bool:
    """`heal V info summary` came with 3.13; from there one cheap command counts pending and split-brain."""
    numbers = [int(part) for part in version.split(".")[:2] if part.isdecimal()]
    return numbers >= [3, 13]
