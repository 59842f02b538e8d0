"""How a few numbers of hosts, sites, volumes and containers went in the last hour, for sparklines and the report. Pure.

One point each STEP seconds, the worst that was read in them; time in which nothing was read is a gap and never filled.
Kept among the board's details as "history/host/NAME", "history/site/NAME", "history/volume/NAME" and
"history/container/HOST/ID".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from incident_tui.hosts.cluster import VolumeView
from incident_tui.hosts.readings import Docker, HostReading
from incident_tui.watch.rows import SiteRow

STEP: Final = 30
"""Seconds a point stands for."""
POINTS: Final = 120
CONTAINERS: Final = 400
"""Containers with numbers of their own, on all hosts together; what comes later has its host's."""
LOW_IS_WORSE: Final = frozenset({"running", "up"})
"""Series of which the least is the worst."""
Series = tuple[float | None, ...]


class History(msgspec.Struct, frozen=True):
    """`series` by name, oldest first, all equally long. Hosts have memory (% used), load (one minute), swap (pages a
    second, both ways) and running (containers); sites latency (ms) and failing (0 or 1); volumes pending (entries to
    heal) and up (bricks); containers memory (% of their limit) or used (bytes in the working set, without a limit),
    processor (% of one) and restarts (in 10 min). None is a gap."""

    last: int
    """Number of the newest point: seconds since 1970 // STEP."""
    series: dict[str, Series] = {}

    @property
    def end(self) -> datetime:
        """When the newest point ended."""
        return datetime.fromtimestamp((self.last + 1) * STEP, UTC)

    def until(self, now: datetime, name: str) -> Series:
        """The series up to `now`: what has not been read since is a gap at its end. The point under way is none."""
        points = self.series.get(name, ())
        missing = max(0, min(POINTS, _slot(now) - 1 - self.last))
        return (*points, *([None] * missing))[-POINTS:]


class Histories:
    """Takes values as they are read; `due` gives the rows that have a new point."""

    def __init__(self, known: Mapping[str, History] | None = None) -> None:
        self.known = dict(known or {})
        self._now: dict[str, tuple[int, dict[str, float]]] = {}
        self._taken: dict[tuple[str, str], datetime] = {}
        self._gone: list[str] = []
        self.containers: dict[str, set[str]] = {}
        """By host: keys of those that are kept."""
        for key in self.known:
            if key.startswith("history/container/"):
                self.containers.setdefault(key.split("/")[2], set()).add(key)

    def note(self, key: str, name: str, value: float | None, at: datetime) -> None:
        """`value` as read at `at`; the same reading may be noted again. None: it was read, and there is no number."""
        if value is None or self._taken.get((key, name)) == at:
            return
        self._taken[key, name] = at
        slot = _slot(at)
        number, values = self._now.get(key, (slot, {}))
        if number != slot:
            self._close(key)
            values = {}
        before = values.get(name, value)
        values[name] = min(before, value) if name in LOW_IS_WORSE else max(before, value)
        self._now[key] = (slot, values)

    def drop(self, key: str) -> None:
        """It is no more."""
        self.known.pop(key, None)
        self._now.pop(key, None)
        for name in [name for of, name in self._taken if of == key]:
            del self._taken[key, name]
        self._gone.append(key)

    def gone(self) -> list[str]:
        """Keys dropped since the last call."""
        gone, self._gone = self._gone, []
        return gone

    def due(self, now: datetime) -> dict[str, History]:
        """Ends the points whose time is over; the rows that have changed."""
        current = _slot(now)
        over = [key for key, (slot, _) in self._now.items() if slot != current]
        for key in over:
            self._close(key)
        return {key: self.known[key] for key in over}

    def _close(self, key: str) -> None:
        slot, values = self._now.pop(key)
        rounded = {name: float(f"{value:.3g}") for name, value in values.items()}
        self.known[key] = _added(self.known.get(key), slot, rounded)


def _added(history: History | None, slot: int, values: Mapping[str, float]) -> History:
    if history is None:
        history = History(slot - 1)
    series = history.series
    length = max(map(len, series.values()), default=0)
    if slot <= history.last:  # our clock was set back: what it had said of later times is not true
        keep = max(0, length - (history.last - slot + 1))
        series = {name: points[:keep] for name, points in series.items()}
        length, gap = keep, 0
    else:
        gap = min(POINTS, slot - history.last - 1)
    made = {}
    for name in dict.fromkeys([*series, *values]):
        points = series.get(name, (None,) * length)
        made[name] = (*points, *([None] * gap), values.get(name))[-POINTS:]
    return History(slot, {name: points for name, points in made.items() if any(one is not None for one in points)})


def _slot(at: datetime) -> int:
    return int(at.timestamp()) // STEP


def note_host(histories: Histories, reading: HostReading) -> None:
    """What a reading of a host says."""
    key = f"history/host/{reading.host}"
    if reading.memory is not None:
        histories.note(key, "memory", reading.memory.used_percent, reading.memory.at)
    if reading.load is not None:
        histories.note(key, "load", reading.load.one, reading.load.at)
    if reading.swapping is not None:
        histories.note(key, "swap", reading.swapping.pages_in + reading.swapping.pages_out, reading.swapping.at)
    if reading.docker is not None:
        running = sum(one.state == "running" for one in reading.docker.containers)
        histories.note(key, "running", running, reading.docker.at)
        _note_containers(histories, reading.host, reading.docker)


def _note_containers(histories: Histories, host: str, docker: Docker) -> None:
    kept = histories.containers.setdefault(host, set())
    here = {f"history/container/{host}/{one.id}": one for one in docker.containers if one.id}
    for key in kept - here.keys():
        kept.discard(key)
        histories.drop(key)
    room = CONTAINERS - sum(map(len, histories.containers.values())) if here.keys() - kept else 0
    for key, one in here.items():
        memory = one.memory
        if key not in kept:
            if room <= 0 or memory is None:
                continue
            kept.add(key)
            room -= 1
        if memory is not None:
            limit = memory.limit or one.memory_limit
            name, value = ("memory", 100.0 * memory.working_set / limit) if limit else ("used", memory.working_set)
            histories.note(key, name, value, memory.at)
            histories.note(key, "processor", one.cpu_percent, memory.at)
        histories.note(key, "restarts", one.restarts_recent, docker.at)


def note_site(histories: Histories, row: SiteRow, expect: int) -> None:
    """What a check of a site says; `expect` is the status that is well."""
    key = f"history/site/{row.name}"
    histories.note(key, "failing", float(row.status != expect), row.at)
    if row.status is not None:
        histories.note(key, "latency", row.latency_ms, row.at)


def note_volumes(histories: Histories, volumes: Iterable[VolumeView]) -> None:
    """What all peers together say of the volumes; what is not known is not noted."""
    for volume in volumes:
        key = f"history/volume/{volume.name}"
        if volume.heals is not None:
            histories.note(key, "pending", volume.heals.pending, volume.heals.at)
        if not volume.stale and all(brick.up is not None for brick in volume.bricks):
            histories.note(key, "up", volume.up, volume.at)


def span(points: Series) -> timedelta:
    """The time that the points stand for."""
    return timedelta(seconds=STEP * len(points))
