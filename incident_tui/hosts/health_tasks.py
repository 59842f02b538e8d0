"""Rules for what GlusterFS does and holds beside its bricks' health: space, tasks, quota, geo-replication, and peers
that tell different stories (reference: formats, sections 2.2 and 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from incident_tui.hosts.cluster import BrickView, VolumeView
from incident_tui.hosts.gluster_tasks import geo_level, not_copied
from incident_tui.hosts.judge import age, graded, size, span
from incident_tui.hosts.readings import is_stale
from incident_tui.hosts.settings import Thresholds
from incident_tui.incident.finding import Finding, Level, worst

FULL_SOON = 4 * 3600.0
"""Seconds: a brick that fills sooner than this is worth saying. The rate is of the last quarter of an hour: minutes of
copying say nothing of tomorrow."""
Found = Callable[..., Finding]


def space_findings(volume: VolumeView, limits: Thresholds, found: Found) -> Iterator[Finding]:
    """Each brick's bytes and inodes. A brick that is full refuses writes, and its copies fall behind."""
    for brick in volume.bricks:
        subject = f"{volume.name} {brick.name}"
        if brick.size:
            percent = 100.0 * (brick.size - brick.free) / brick.size
            soon = _full_seconds(brick)
            level = graded(percent, limits.disk_warn, limits.disk_crit)
            if level is Level.OK and soon is not None and soon < FULL_SOON:
                level = Level.WARN
            if level is not Level.OK:
                when = f"; full in about {span(soon)}" if soon is not None and soon < FULL_SOON else ""
                what = f"{brick.name} {percent:.0f}% full, {size(brick.free)} left{when}"
                yield found("brick-full", level, what, subject, brick.space_at, brick.host)
        if brick.inodes:
            percent = 100.0 * (brick.inodes - brick.inodes_free) / brick.inodes
            level = graded(percent, limits.inodes_warn, limits.inodes_crit)
            if level is not Level.OK:
                what = f"{brick.name} {percent:.0f}% of inodes used"
                yield found("brick-inodes", level, what, subject, brick.space_at, brick.host)


def _full_seconds(brick: BrickView) -> float | None:
    return brick.free / brick.growing if brick.growing else None


def task_findings(volume: VolumeView, thresholds: Thresholds, now: datetime, found: Found) -> Iterator[Finding]:
    """Rebalance, other tasks, quota and geo-replication of one volume. What was bad when it was last read and cannot be
    read again is unknown, not well."""

    def aged(field: str, rule: str, level: Level, what: str, subject: str, at: datetime) -> Finding:
        if is_stale(field, at, now, thresholds):
            level, what = Level.UNKNOWN, f"{what}, last read {age(at, now)} ago"
        return found(rule, level, what, subject, at)

    rebalance, quotas = volume.rebalance, volume.quotas
    if rebalance is not None:
        failures = sum(node.failures for node in rebalance.nodes)
        broken = [node.host for node in rebalance.nodes if "failed" in node.status]
        if broken or failures:
            level = Level.CRIT if broken else Level.WARN
            what = f"rebalance {rebalance.status}, {failures} files could not be moved"
            what = f"rebalance failed on {', '.join(broken)[:80]}" if broken else what
            yield aged("rebalances", "rebalance-failed", level, what, volume.name, rebalance.at)
    else:
        for task in volume.tasks:
            if "failed" in task.status:
                yield found("rebalance-failed", Level.CRIT, f"{task.kind.lower()} failed")
    for limit in quotas.limits if quotas is not None else ():
        if quotas is not None and (limit.hard_exceeded or limit.soft_exceeded):
            level, which = (Level.CRIT, "hard") if limit.hard_exceeded else (Level.WARN, "soft")
            of = f", {size(limit.used)} of {size(limit.hard)}" if limit.used is not None and limit.hard else ""
            what = f"{limit.path} over its {which} limit{of}"
            yield aged("quotas", "quota", level, what, f"{volume.name} {limit.path}", quotas.at)
    for pair in volume.geo_pairs:
        level = worst([geo_level(pair.status), Level.WARN if pair.failures else Level.OK])
        if level is not Level.OK and volume.geo_at is not None:
            what = f"geo-replication {pair.primary_node} to {pair.secondary} {pair.status}{not_copied(pair)}"
            subject = f"{volume.name} {pair.primary_node}:{pair.primary_brick}"
            yield aged("geo_replication", "geo-replication", level, what, subject, volume.geo_at)


def disagreements(volume: VolumeView, found: Found) -> Iterator[Finding]:
    """Peers that define the volume differently: their glusterd's configurations have drifted apart."""
    if volume.differs:
        what = f"peers disagree: {'; '.join(volume.differs)[:160]}"
        yield found("peers-disagree", Level.WARN, what)
