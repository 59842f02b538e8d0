"""When the elected peer runs the Gluster commands that lock or cost memory. Pure: clock and dice come in."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from incident_tui.fleet.settings import Fleet
from incident_tui.hosts.gluster_tasks import geo_level
from incident_tui.hosts.probe import volume_word
from incident_tui.hosts.readings import GapKind, HostReading, Volume
from incident_tui.incident.finding import Level

LOCK_SPACING = 30.0
"""Seconds between two rounds of them, at least."""
LOW_MEMORY = 0.15
"""Share of memory available below which a host counts as low."""
HEAL_LOW_SECONDS = 600.0
"""Between two heal infos on such a host, at least."""

_FIELDS = {"status": "volume_status", "heal": "heals", "split": "heals", "summary": "heals"}
_FIELDS |= {"rebalance": "rebalances", "quota": "quotas", "snaps": "snapshots"}


def field_of(word: str) -> str:
    """The part of a reading that a word of the probe is about, as its gap is named: "volume_status:gv0"."""
    kind, _, volume = word.partition(":")
    return f"{_FIELDS[kind]}:{volume}" if kind in _FIELDS else word


class Locking:
    """Remembers when which kind ran last on this peer."""

    def __init__(self, fleet: Fleet, dice: random.Random) -> None:
        self._fleet = fleet
        self._dice = dice
        self._locked_at: datetime | None = None
        self._healed_at: datetime | None = None
        self._limits_at: datetime | None = None
        self._geo_at: datetime | None = None

    def follow(self, other: Locking) -> None:
        """Go on where another peer of the cluster stopped: nothing is asked sooner because it is asked elsewhere."""
        self._locked_at, self._healed_at = other._locked_at, other._healed_at
        self._limits_at, self._geo_at = other._limits_at, other._geo_at

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
            rounds += [[word] for v in started if (word := volume_word("status", v.name))]
            rounds += [[word] for v in started if moving(reading, v) and (word := volume_word("rebalance", v.name))]
        if _due(self._healed_at, now, timedelta(seconds=_heal_seconds(reading, self._fleet.heal_seconds))):
            self._healed_at = now
            kinds = ("summary", "split") if has_summary(gluster.version) else ("heal", "split")
            healing = [volume for volume in started if volume.set_size > 1]
            rounds += [[w for k in kinds if (w := volume_word(k, v.name))] for v in healing]
        on, seldom = ("on", "enable", "true"), timedelta(seconds=self._fleet.seldom_seconds)
        if _due(self._limits_at, now, seldom):
            self._limits_at = now
            limited = [v for v in started if v.options.get("features.quota", "").lower() in on]
            rounds += [[word] for v in limited if (word := volume_word("quota", v.name))]
            # volume info says how many there are; a version that does not has no list either
            rounds += [[word] for v in started if v.snapshots and (word := volume_word("snaps", v.name))]
        if _due(self._geo_at, now, seldom / 5 if _geo_open(reading) else seldom):
            self._geo_at = now
            copied = [v for v in started if v.options.get("geo-replication.indexing", "").lower() in on]
            rounds.append([word for v in copied if (word := volume_word("geo", v.name))])
        return [each for each in rounds if each]


def moving(reading: HostReading, volume: Volume) -> bool:
    """Whether `volume status` lists a rebalance, or one that ran was read before: others are not asked for it."""
    status, known = reading.volume_status.get(volume.name), reading.rebalances.get(volume.name)
    listed = status is not None and any(task.kind.lower().startswith(("rebalance", "remove")) for task in status.tasks)
    return listed or (known is not None and "in progress" in known.status)


def _geo_open(reading: HostReading) -> bool:
    """Whether a copy to another site is in trouble, or what was asked last is not known."""
    gap, known = reading.gaps.get("geo_replication"), reading.geo_replication
    if gap is not None and gap.kind is GapKind.BUSY:
        return True
    return known is not None and any(geo_level(pair.status) is not Level.OK for pair in known.pairs)


def low_on_memory(reading: HostReading) -> bool:
    """heal info is a whole client process of tens to hundreds of megabytes: such a host is asked for it less often, and
    not at all while another peer can be."""
    memory, swapping = reading.memory, reading.swapping
    if memory is not None and memory.available < LOW_MEMORY * memory.total:
        return True
    return swapping is not None and swapping.pages_in + swapping.pages_out > 0


def _heal_seconds(reading: HostReading, wanted: float) -> float:
    return max(wanted, HEAL_LOW_SECONDS) if low_on_memory(reading) else wanted


def _due(last: datetime | None, now: datetime, spacing: timedelta) -> bool:
    """Also when `last` lies in the future: our clock was set back, and must not stop the readings for so long."""
    return last is None or not timedelta(0) <= now - last < spacing


def has_summary(version: str) -> bool:
    """`heal V info summary` came with 3.13; from there one cheap command counts pending and split-brain."""
    numbers = [int(part) for part in version.split(".")[:2] if part.isdecimal()]
    return numbers >= [3, 13]
