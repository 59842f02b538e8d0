"""Rules for the machine itself: memory, swap, load, clock, file systems, the kernel's log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from incident_tui.hosts.judge import Case, graded, size, span
from incident_tui.hosts.readings import (
    Clock,
    Disks,
    KernelEvent,
    KernelEvents,
    Load,
    Memory,
    OomKills,
    Pressure,
    Swapping,
)
from incident_tui.incident.finding import Finding, Level

OOM_WINDOW = timedelta(minutes=30)
OOM_FRESH = timedelta(minutes=5)
KERNEL_WINDOW = timedelta(minutes=30)
REBOOTED_WINDOW = timedelta(minutes=15)
FORECAST = 1800.0
"""Seconds within which the end of memory is worth a finding."""
FORECAST_CRIT = 300.0


def machine_findings(case: Case) -> Iterator[Finding]:
    limits, host = case.thresholds, case.reading.host
    memory: Memory | None = case.fresh("memory")
    if memory is not None:
        level = graded(memory.used_percent, limits.memory_warn, limits.memory_crit)
        if level is not Level.OK:
            mark = " (estimated)" if memory.estimated else ""
            left = f"{size(memory.available)} of {size(memory.total)} left{mark}"
            sentence = f"{host}: memory {memory.used_percent:.0f}% used, {left}"
            yield case.found("machine.memory", level, sentence, memory.at, evidence="/proc/meminfo")
        soon = memory.exhausted_seconds
        if soon is not None and soon < FORECAST:
            level = Level.CRIT if soon < FORECAST_CRIT else Level.WARN
            sentence = f"{host}: out of memory in about {span(soon)} if it goes on so"
            yield case.found("machine.memory-falling", level, sentence, memory.at, evidence="/proc/meminfo, minutes")
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
    if load is not None:
        level = graded(load.one / load.cpus, limits.load_warn, limits.load_crit) if load.cpus else Level.OK
        if level is not Level.OK:
            sentence = f"{host}: load {load.one:.1f} on {load.cpus} processors"
            yield case.found("machine.load", level, sentence, load.at, evidence="/proc/loadavg")
        if load.rebooted and load.booted_at is not None and case.now - load.booted_at <= REBOOTED_WINDOW:
            sentence = f"{host}: rebooted at {load.booted_at:%H:%M:%SZ}"
            yield case.found("host.rebooted", Level.WARN, sentence, load.at, evidence="/proc/uptime")
    yield from _clock(case)
    yield from _kernel(case)
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


_EVENT_RULES = {
    "io-error": ("disk.io-error", Level.CRIT, "I/O errors"),
    "read-only": ("disk.file-system", Level.CRIT, "a file system was made read-only after errors"),
    "file-system": ("disk.file-system", Level.CRIT, "a file system is damaged"),
    "hung-task": ("machine.hung-task", Level.WARN, "processes wait for minutes"),
}


def _kernel(case: Case) -> Iterator[Finding]:
    """Trouble of the last half hour in the kernel's log, one finding a rule and device."""
    log: KernelEvents | None = case.fresh("kernel")
    if log is None:
        return
    groups: dict[tuple[str, str], list[KernelEvent]] = {}
    for event in log.events:
        if event.at is not None and timedelta(0) <= case.now - event.at <= KERNEL_WINDOW:
            rule = _EVENT_RULES[event.kind][0]
            groups.setdefault((rule, "" if event.kind == "hung-task" else event.device), []).append(event)
    for (rule, device), events in groups.items():
        last = events[-1]
        _, level, what = _EVENT_RULES[last.kind]
        times = f", {len(events)} times" if len(events) > 1 else ""
        named = f" ({last.device})" if last.device else ""
        when = f"{last.at:%H:%M:%SZ}" if last.at else "an unknown time"
        sentence = f"{case.reading.host}: {what}{named}{times}, last at {when}"
        yield case.found(rule, level, sentence, log.at, subject=device, evidence=last.line)
