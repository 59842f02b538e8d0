"""Readings of all hosts -> findings. Pure. A finding says what is wrong or not known; what is not said is well only
because its reading is there and fresh.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from incident_tui.hosts import cluster
from incident_tui.hosts.health_docker import docker_findings
from incident_tui.hosts.health_gluster import gluster_findings, gluster_host_findings
from incident_tui.hosts.judge import RULES, Case, graded, size
from incident_tui.hosts.readings import Clock, Disks, HostReading, LinkState, Load, Memory, OomKills, Pressure, Swapping
from incident_tui.hosts.settings import Thresholds
from incident_tui.incident.finding import Finding, Level, worst

__all__ = ["RULES", "Judge", "findings", "level_of"]

OOM_WINDOW = timedelta(minutes=30)
OOM_FRESH = timedelta(minutes=5)
_MACHINE = ("load", "memory", "swapping", "pressure", "clock", "disks", "ooms")


class Judge:
    """What the rules said of each host by itself. Asked again soon, it answers from memory for hosts whose reading is
    the very same: of many hosts only those that were read since are judged, and all of them after `every`, because
    readings grow old."""

    def __init__(self, every: timedelta = timedelta(0)) -> None:
        self._every = every
        self._said: dict[str, tuple[HostReading, Thresholds, datetime, tuple[Finding, ...]]] = {}

    def of(self, reading: HostReading, thresholds: Thresholds, now: datetime) -> tuple[Finding, ...]:
        said = self._said.get(reading.host)
        same = said is not None and said[0] is reading and said[1] is thresholds
        if said is not None and same and timedelta(0) <= now - said[2] < self._every:
            return said[3]
        found = tuple(_host(Case(reading, thresholds, now)))
        self._said[reading.host] = (reading, thresholds, now, found)
        return found


def findings(
    readings: Iterable[HostReading],
    thresholds: Thresholds,
    now: datetime,
    *,
    judge: Judge | None = None,
    joined: cluster.ClusterView | None = None,
) -> list[Finding]:
    """All findings, worst first, then by subject. One (rule, subject) at most once. Never OK ones.

    `judge` remembers between calls; `joined` is `cluster.view` of the same readings where the caller has it.
    """
    hosts = list(readings)
    judge = judge or Judge()
    found = [one for reading in hosts for one in judge.of(reading, thresholds, now)]
    joined = cluster.view(hosts, thresholds, now) if joined is None else joined
    found.extend(gluster_findings(joined, hosts, thresholds, now))
    unique = {finding.key: finding for finding in sorted(found, key=lambda finding: finding.level.rank)}
    return sorted(unique.values(), key=lambda f: (-f.level.rank, f.subject, f.rule))


def level_of(host: str, found: Sequence[Finding]) -> Level:
    """The level to show for one host: the worst of its findings, OK when it has none."""
    return worst([Level.OK, *(finding.level for finding in found if finding.host == host)])


def _host(case: Case) -> Iterator[Finding]:
    link = case.reading.link
    if link.state is not LinkState.UP:
        sentence = link.sentence or f"{case.reading.host}: {link.state.value}"
        yield case.found("host.unreachable", Level.UNKNOWN, sentence, link.at, evidence=link.state.value)
        if case.fresh("load") is None:
            return  # one sentence says it all; what was read before is no evidence any more
    for field in _MACHINE:
        yield from case.missing(field)
    yield from _machine(case)
    yield from _stuck(case)
    yield from docker_findings(case)
    yield from gluster_host_findings(case)


def _machine(case: Case) -> Iterator[Finding]:
    limits, host = case.thresholds, case.reading.host
    memory: Memory | None = case.fresh("memory")
    if memory is not None:
        level = graded(memory.used_percent, limits.memory_warn, limits.memory_crit)
        if level is not Level.OK:
            mark = " (estimated)" if memory.estimated else ""
            left = f"{size(memory.available)} of {size(memory.total)} left{mark}"
            sentence = f"{host}: memory {memory.used_percent:.0f}% used, {left}"
            yield case.found("machine.memory", level, sentence, memory.at, evidence="/proc/meminfo")
    swapping: Swapping | None = case.fresh("swapping")
    if swapping is not None:
        rate = swapping.pages_in + swapping.pages_out
        level = graded(rate, limits.swap_rate_warn, limits.swap_rate_crit)
        if level is not Level.OK:
            rates = f"{swapping.pages_in:.0f} pages/s in, {swapping.pages_out:.0f} out"
            yield case.found("machine.swap", level, f"{host}: swaps {rates}", swapping.at, evidence="/proc/vmstat")
    pressure: Pressure | None = case.fresh("pressure")
    if pressure is not None and pressure.memory_some is not None:
        level = graded(pressure.memory_some, limits.pressure_warn, limits.pressure_crit)
        if level is not Level.OK:
            sentence = f"{host}: processes wait for memory {pressure.memory_some:.0f}% of the time"
            yield case.found("machine.pressure", level, sentence, pressure.at, evidence="/proc/pressure/memory")
    load: Load | None = case.fresh("load")
    if load is not None and load.cpus:
        level = graded(load.one / load.cpus, limits.load_warn, limits.load_crit)
        if level is not Level.OK:
            sentence = f"{host}: load {load.one:.1f} on {load.cpus} processors"
            yield case.found("machine.load", level, sentence, load.at, evidence="/proc/loadavg")
    yield from _clock(case)
    yield from _disks(case)
    yield from _ooms(case)


def _clock(case: Case) -> Iterator[Finding]:
    clock: Clock | None = case.fresh("clock")
    if clock is None:
        return
    certain = max(0.0, abs(clock.skew_seconds) - clock.error_seconds)
    level = graded(certain, case.thresholds.clock_skew_warn, case.thresholds.clock_skew_crit)
    if level is not Level.OK:
        way = "ahead" if clock.skew_seconds > 0 else "behind"
        sentence = (
            f"{case.reading.host}: clock {abs(clock.skew_seconds):.0f} s {way} of ours (±{clock.error_seconds:.1f} s)"
        )
        yield case.found("host.clock-skew", level, sentence, clock.at, evidence="date")


def _disks(case: Case) -> Iterator[Finding]:
    disks: Disks | None = case.fresh("disks")
    limits, host = case.thresholds, case.reading.host
    for disk in disks.filesystems if disks else ():
        at = disks.at if disks else case.now
        level = graded(disk.used_percent, limits.disk_warn, limits.disk_crit)
        if level is not Level.OK:
            sentence = f"{host}: {disk.mount} {disk.used_percent:.0f}% full, {size(disk.free)} left"
            yield case.found("disk.full", level, sentence, at, subject=disk.mount, evidence="df -P")
        if disk.inodes_percent is not None:
            level = graded(disk.inodes_percent, limits.inodes_warn, limits.inodes_crit)
            if level is not Level.OK:
                sentence = f"{host}: {disk.mount} {disk.inodes_percent:.0f}% of inodes used"
                yield case.found("disk.inodes", level, sentence, at, subject=disk.mount, evidence="df -P -i")
        if disk.read_only and disk.kind not in ("iso9660", "squashfs", "overlay", "vfat"):
            sentence = f"{host}: {disk.mount} is read-only"
            yield case.found("disk.read-only", Level.CRIT, sentence, at, subject=disk.mount, evidence="/proc/mounts")


def _ooms(case: Case) -> Iterator[Finding]:
    """Kills of the last half hour as one finding a host; those of containers have their own rule besides."""
    ooms: OomKills | None = case.fresh("ooms")
    if ooms is None:
        return
    recent = [kill for kill in ooms.kills if kill.at is None or case.now - kill.at <= OOM_WINDOW]
    if not recent:
        return
    last = recent[-1]
    names = ", ".join(dict.fromkeys(kill.name or "a process" for kill in reversed(recent)))
    when = f"at {last.at:%H:%M:%SZ}" if last.at else "at an unknown time"  # no age: the journal keeps the sentence
    times = f"{len(recent)} kills, last" if len(recent) > 1 else "kill"
    limit = "host out of memory" if any(k.scope != "cgroup" for k in recent) else "memory limit reached"
    # A limit that was reached is judged at its container; an old kill is a warning, so that new trouble stands out.
    fresh = any(kill.at and case.now - kill.at <= OOM_FRESH and kill.scope != "cgroup" for kill in recent)
    level = Level.CRIT if fresh else Level.WARN
    sentence = f"{case.reading.host}: OOM {times} {when}: {names} ({limit})"
    yield case.found("machine.oom", level, sentence, ooms.at, evidence=last.line)


def _stuck(case: Case) -> Iterator[Finding]:
    child = case.reading.stuck
    if child is not None:
        waiting = ", waiting for a disk or a lock" if child.state == "D" else ""
        sentence = f"{case.reading.host}: {child.section} (pid {child.pid}) is stuck in state {child.state}{waiting}"
        yield case.found("host.stuck-command", Level.WARN, sentence, child.at, evidence=child.section)
