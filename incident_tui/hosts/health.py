"""Readings of all hosts -> findings. Pure. A finding says what is wrong or not known; what is not said is well only
because its reading is there and fresh.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from incident_tui.hosts import cluster
from incident_tui.hosts.health_docker import docker_findings
from incident_tui.hosts.health_gluster import gluster_findings, gluster_host_findings
from incident_tui.hosts.health_machine import machine_findings
from incident_tui.hosts.judge import RULES, Case
from incident_tui.hosts.readings import HostReading, LinkState
from incident_tui.hosts.settings import Thresholds
from incident_tui.incident.finding import Finding, Level, worst

__all__ = ["RULES", "Judge", "findings", "level_of"]

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
    yield from machine_findings(case)
    yield from _stuck(case)
    yield from docker_findings(case)
    yield from gluster_host_findings(case)


def _stuck(case: Case) -> Iterator[Finding]:
    child = case.reading.stuck
    if child is not None:
        waiting = ", waiting for a disk or a lock" if child.state == "D" else ""
        sentence = f"{case.reading.host}: {child.section} (pid {child.pid}) is stuck in state {child.state}{waiting}"
        yield case.found("host.stuck-command", Level.WARN, sentence, child.at, evidence=child.section)
