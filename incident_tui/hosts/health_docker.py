"""Rules for Docker: the daemon, and each container (reference: formats, end of section 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from incident_tui.hosts.exit_status import meaning
from incident_tui.hosts.judge import Case, age, graded, size
from incident_tui.hosts.readings import Container, Docker, GapKind, OomKill, OomKills
from incident_tui.incident.finding import Finding, Level

HUNG_CRIT = timedelta(seconds=60)
CREATED_WARN = timedelta(minutes=10)
REMOVING_WARN = timedelta(minutes=5)
OOM_WINDOW = timedelta(minutes=30)
OOM_SETTLED = timedelta(minutes=2)
"""A container that has run since a kill this long ago is a warning, no longer critical."""
NEAR_LIMIT = (90.0, 98.0)
"""Percent of a container's memory limit in its working set: warn, crit."""
_RESTARTING_POLICIES = ("always", "on-failure", "unless-stopped")


def docker_findings(case: Case) -> Iterator[Finding]:
    """Findings about the daemon and, from a fresh reading, about each container."""
    if not case.asked("docker"):
        return
    host, gap = case.reading.host, case.reading.gaps.get("docker")
    docker: Docker | None = case.fresh("docker")
    newest = docker is None or (gap is not None and gap.at >= docker.at)
    if gap is not None and newest and gap.kind is GapKind.DOWN:
        yield case.found("docker.daemon-down", Level.CRIT, f"{host}: {gap.sentence}", gap.at, evidence="docker ps")
        return
    if gap is not None and newest and gap.kind is GapKind.HUNG:
        level = Level.CRIT if gap.since and gap.at - gap.since >= HUNG_CRIT else Level.WARN
        yield case.found("docker.daemon-hung", level, f"{host}: {gap.sentence}", gap.at, evidence="docker ps")
        if docker is None or docker.source != "files":
            return
    if gap is not None and newest and gap.kind is GapKind.ABSENT and "docker" not in case.reading.roles:
        return
    if docker is None and gap is not None:
        yield case.found("docker.unknown", Level.UNKNOWN, f"{host}: {gap.sentence}", gap.at, evidence="docker ps")
    elif docker is None:
        yield from case.missing("docker")
    else:
        ooms: OomKills | None = case.fresh("ooms")
        for container in docker.containers:
            yield from _container(case, container, docker.at, ooms.kills if ooms else ())


def _container(case: Case, container: Container, at: datetime, kills: tuple[OomKill, ...]) -> Iterator[Finding]:
    name = container.name or container.id[:12]
    place = f"{case.reading.host} {name}"

    def found(rule: str, level: Level, what: str, evidence: str = "docker inspect") -> Finding:
        return case.found(f"docker.container-{rule}", level, f"{place}: {what}", at, subject=name, evidence=evidence)

    oom = _oom(container, kills, case.now)
    count = f", restarted {container.restarts_recent}x in 10 min" if container.restarts_recent else ""
    if oom is not None:
        evidence, killed = oom
        runs = container.state == "running" and not container.restarts_recent
        if runs and killed is not None and case.now - killed > OOM_SETTLED:
            yield found("oom", Level.WARN, f"killed at {killed:%H:%MZ}, out of memory; runs since", evidence)
        else:
            yield found("oom", Level.CRIT, f"killed, out of memory{count}", evidence)
    since = age(container.state_since, case.now) if container.state_since else ""
    flapping = graded(container.restarts_recent, case.thresholds.restarts_warn, case.thresholds.restarts_crit)
    match container.state:
        case "running":
            if flapping is not Level.OK:
                yield found("restarting", flapping, f"runs{count}")
        case "restarting":
            yield found("restarting", Level.CRIT, f"restarting, exit {container.exit_code}{count}")
        case "dead":
            yield found("down", Level.CRIT, "dead: the daemon could not remove it")
        case "exited" | "stopped":
            yield from _ended(container, found)
        case "paused":
            yield found("paused", Level.WARN, f"paused for {since}" if since else "paused")
        case "created" | "configured" | "initialized":
            waited = case.now - (container.created_at or container.state_since or case.now)
            if waited >= CREATED_WARN:
                yield found("waiting", Level.WARN, "created but never started")
        case "removing" | "stopping":
            if container.state_since and case.now - container.state_since >= REMOVING_WARN:
                yield found("waiting", Level.WARN, f"{container.state} for {since}")
        case _:
            yield found("unknown", Level.UNKNOWN, "its state is not known")
    if container.state in ("running", "paused"):
        yield from _alive(container, found)


def _ended(container: Container, found: Callable[..., Finding]) -> Iterator[Finding]:
    """Exit 0 is no trouble; nor is 137 or 143 after somebody stopped it."""
    code = container.exit_code
    if code == 0 or (container.stopped_on_purpose and code in (137, 143)):
        return
    level = Level.CRIT if container.restart_policy in _RESTARTING_POLICIES else Level.WARN
    said = f" ({words})" if (words := meaning(code)) else ""
    error = f": {container.error}" if container.error else ""
    yield found("down", level, f"exited {code}{said}{error}"[:160])


def _alive(container: Container, found: Callable[..., Finding]) -> Iterator[Finding]:
    if container.health == "unhealthy":
        yield found("unhealthy", Level.CRIT, "its health check fails")
    elif container.health == "starting":
        yield found("waiting", Level.WARN, "its health check is starting")
    memory = container.memory
    limit = memory.limit if memory and memory.limit else container.memory_limit
    if memory is not None and limit:
        percent = 100.0 * memory.working_set / limit
        level = graded(percent, *NEAR_LIMIT)
        if level is not Level.OK:
            used = f"memory {percent:.0f}% of its limit {size(limit)}"
            yield found("memory", level, used, "memory cgroup")


def _oom(container: Container, kills: tuple[OomKill, ...], now: datetime) -> tuple[str, datetime | None] | None:
    """The evidence that memory ran out in this container lately, and when: the kernel's log, or Docker's own flag."""
    for kill in reversed(kills):
        if kill.container_id == container.id and (kill.at is None or now - kill.at <= OOM_WINDOW):
            return kill.line or "kernel log", kill.at
    ended = container.finished_at
    if container.oom_killed and (container.state != "running" or (ended is not None and now - ended <= OOM_WINDOW)):
        return "OOMKilled true", ended
    return None
