"""Sections of one host in, its latest HostReading out: rates, counts over time, joins. Pure, one `Assembler` a host.

It remembers only what a rule needs: the last counters, restart counts of ten minutes, since when a backlog stands,
which pid was which container.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec

from incident_tui.hosts import assemble_gluster, docker, docker_files, kernel, kernel_events, machine
from incident_tui.hosts.assemble_docker import Containers
from incident_tui.hosts.errors import Unreadable, garbled
from incident_tui.hosts.raw import RawKeeper
from incident_tui.hosts.readings import (
    Disks,
    Docker,
    Gap,
    GapKind,
    HostReading,
    KernelEvent,
    KernelEvents,
    Link,
    Load,
    Memory,
    Mounts,
    OomKill,
    OomKills,
    StuckChild,
    Swapping,
    System,
)
from incident_tui.hosts.sections import Section
from incident_tui.hosts.trend import Trends

MEMORY_TREND = timedelta(minutes=3)
"""Shorter than this, no forecast is made of memory."""


class Assembler:
    """Keeps `reading`, the latest HostReading. All times are the caller's (aware UTC, bastion clock)."""

    def __init__(self, host: str, roles: tuple[str, ...], link: Link) -> None:
        self.reading = HostReading(host=host, at=link.at, link=link, roles=roles)
        self.raw = RawKeeper(host)
        self._proc: tuple[datetime, machine.Proc] | None = None
        self._chatter = self._installed = ""
        self._terminal = False
        self._containers = Containers()
        self._bricks = assemble_gluster.BrickPids()
        self._trends = Trends()

    def linked(self, link: Link) -> HostReading:
        """The connection changed. Readings stay, with their age."""
        if self.reading.link.state is link.state:
            link = msgspec.structs.replace(link, since=self.reading.link.since)
        self._set(link=link)
        return self.reading

    def heard_login(self, chatter: str, installed: str, *, terminal: bool = False) -> None:
        """What the login printed, which probe is installed there, whether sudo wants a terminal; kept with the next
        `hello`."""
        self._chatter, self._installed, self._terminal = chatter, installed, terminal

    def stuck(self, child: StuckChild | None) -> HostReading:
        self._set(stuck=child)
        return self.reading

    def event(self, event: docker.Event, at: datetime) -> None:
        """What the follower of docker's events heard: a death shows at once."""
        self._containers.event(event, at)
        if self.reading.docker is not None:
            self._set(docker=self._containers.heard(self.reading.docker, event))

    def follows(self, follows: bool) -> None:
        """Whether docker's events can be followed, or every death waits for the next reading."""
        self._containers.polled = not follows
        if self.reading.docker is not None and self.reading.docker.polled is follows:
            self._set(docker=msgspec.structs.replace(self.reading.docker, polled=not follows))

    @property
    def oom_counter(self) -> int | None:
        """The kernel's own count of OOM kills (4.13 and later): a change is the moment to read the log."""
        return self._proc[1].oom_kills if self._proc else None

    def take(
        self, sections: Iterable[Section], asked: datetime, at: datetime, clock_at: datetime | None = None
    ) -> HostReading:
        """One round's sections, asked at `asked`, answered at `at` (its clock already at `clock_at`). Whatever cannot
        be read becomes a gap."""
        by = {section.name: section for section in sections}
        self.raw.take(by.values(), at)
        self._set(at=at)
        if "hello" in by:
            self._try("system", at, lambda: {"system": self._system(by, at)})
        if "clock" in by:
            self._try("clock", at, lambda: {"clock": machine.parse_clock(by["clock"].body, asked, clock_at or at)})
        if "proc" in by:
            self._machine(by["proc"], at)
        if "mounts" in by:
            self._set(mounts=Mounts(at=at, gluster=machine.parse_gluster_mounts(by["mounts"].body)))
        if "df" in by:
            self._try("disks", at, lambda: {"disks": self._disks(by, at)})
        if "cgroup" in by:
            total = self.reading.memory.total if self.reading.memory else 0
            uptime = self._proc[1].uptime if "proc" in by and self._proc else None
            self._containers.take_cgroups(by["cgroup"].body, total, uptime, at)
            if self.reading.docker is not None:
                self._set(docker=self._containers.with_cgroups(self.reading.docker))
        if "oom-dmesg" in by or "oom-log" in by:
            self._try("ooms", at, lambda: self._log(by, at))
        if "docker-ps" in by:
            self._try("docker", at, lambda: {"docker": self._docker(by, at)})
        if "docker-files" in by and (found := docker_files.parse_files(by["docker-files"].body)):
            version = self.reading.system.docker if self.reading.system else ""
            self._set(docker=docker_files.renewed(self.reading.docker, found, version, at))
        if "bricks" in by and self.reading.gluster is not None:
            self._set(gluster=assemble_gluster.looked_at(self.reading.gluster, by["bricks"], at))
        if "gluster-files" in by:
            self._try("gluster", at, lambda: self._gluster(by, at))
        if any(name.startswith("geo:") for name in by):
            self._try("geo_replication", at, lambda: {"geo_replication": assemble_gluster.geo_of(by, at)})
        for name in by:
            kind, _, volume = name.partition(":")
            if kind == "rebalance":
                self._try(f"rebalances:{volume}", at, partial(self._rebalance, by[name], volume, at))
            if kind == "quota":
                self._try(f"quotas:{volume}", at, partial(self._quota, by[name], volume, at))
            if kind == "snaps":
                self._try(f"snapshots:{volume}", at, partial(self._snapshots, by[name], volume, at))
            if kind == "status":
                self._try(f"volume_status:{volume}", at, partial(self._status, by[name], volume, at))
        for volume in sorted(
            {name.partition(":")[2] for name in by if name.startswith(("heal:", "split:", "summary:"))}
        ):
            self._try(f"heals:{volume}", at, partial(self._heals, by, volume, at))
        return self.reading

    def missing(self, field: str, kind: GapKind, sentence: str, at: datetime) -> HostReading:
        """A reading that could not be had. What was read before and is said to be absent now has not become well."""
        if kind is GapKind.ABSENT and getattr(self.reading, field, None) is not None:
            kind, sentence = GapKind.FAILED, f"{sentence}, though it was read before"
        before = self.reading.gaps.get(field)
        since = before.since if before and before.kind is kind else at
        gap = Gap(at=at, kind=kind, sentence=sentence, since=since)
        self._set(gaps={**self.reading.gaps, field: gap})
        return self.reading

    def forget(self, fields: Iterable[str]) -> HostReading:
        """These gaps are none any more."""
        gone = set(fields)
        if gone & self.reading.gaps.keys():
            self._set(gaps={key: gap for key, gap in self.reading.gaps.items() if key not in gone})
        return self.reading

    def _set(self, **changes: Any) -> None:
        self.reading = msgspec.structs.replace(self.reading, **changes)

    def _try(self, field: str, at: datetime, make: Callable[[], dict[str, Any]]) -> None:
        try:
            changes = make()
        except Unreadable as problem:
            self.missing(field, problem.kind, problem.sentence, at)
            return
        self._set(**changes)
        self.forget((field,))

    def _system(self, by: dict[str, Section], at: datetime) -> System:
        versions = [by[name].body if name in by else "" for name in ("docker-version", "gluster-version")]
        system = machine.parse_hello(by["hello"].body, versions[0], versions[1], at, self._chatter)
        system = msgspec.structs.replace(system, installed=self._installed, terminal=self._terminal)
        # What was absent when we last connected may have been installed since.
        come = {name for name in ("docker", "gluster") if getattr(system, name)}
        self.forget({name for name, gap in self.reading.gaps.items() if gap.kind is GapKind.ABSENT and name in come})
        if not system.docker:
            kind = GapKind.ABSENT if "docker-version" not in by else GapKind.FAILED
            self.missing(
                "docker", kind, "Docker is not installed" if kind is GapKind.ABSENT else "docker does not start", at
            )
        if not system.gluster and "gluster-version" not in by:
            self.missing("gluster", GapKind.ABSENT, "GlusterFS is not installed", at)
        return system

    def _machine(self, section: Section, at: datetime) -> None:
        now = machine.parse_proc(section.body)
        before = self._proc
        self._proc = (at, now)
        elapsed = (at - before[0]).total_seconds() if before else 0.0
        cpus = self.reading.system.cpus if self.reading.system else 0

        def load() -> dict[str, Any]:
            if now.load is None or now.uptime is None:
                raise garbled("/proc/loadavg")
            one, five, fifteen = now.load
            busy = _busy(before[1].cpu, now.cpu) if before else None
            return {
                "load": Load(
                    at=at,
                    one=one,
                    five=five,
                    fifteen=fifteen,
                    cpus=cpus,
                    uptime_seconds=now.uptime,
                    cpu_percent=busy,
                    booted_at=at - timedelta(seconds=now.uptime),
                    rebooted=self._rebooted(now.uptime),
                )
            }

        def swapping() -> dict[str, Any]:
            if now.pages_in is None or now.pages_out is None:
                raise garbled("/proc/vmstat")
            if before is None or before[1].pages_in is None or before[1].pages_out is None or elapsed <= 0:
                return {}
            read, written = now.pages_in - before[1].pages_in, now.pages_out - before[1].pages_out
            if read < 0 or written < 0:  # the host was restarted
                return {}
            return {"swapping": Swapping(at=at, pages_in=read / elapsed, pages_out=written / elapsed)}

        self._try("load", at, load)
        self._try("memory", at, lambda: {"memory": self._memory(now.meminfo, at)})
        self._try("swapping", at, swapping)
        pressure = machine.pressure(now.pressure, at)
        if pressure is None:
            self.missing("pressure", GapKind.ABSENT, "this kernel has no pressure readings", at)
        else:
            self._try("pressure", at, lambda: {"pressure": pressure})

    def _rebooted(self, uptime: float) -> bool:
        known = self.reading.load
        return known is not None and (known.rebooted or uptime < known.uptime_seconds)

    def _memory(self, meminfo: dict[str, int], at: datetime) -> Memory:
        memory = machine.memory(meminfo, at)
        left = memory.available + memory.swap_free
        self._trends.add("memory", at, left)
        rate = self._trends.rate("memory", MEMORY_TREND)
        if rate is None or rate >= 0:
            return memory
        return msgspec.structs.replace(memory, exhausted_seconds=left / -rate)

    def _disks(self, by: dict[str, Section], at: datetime) -> Disks:
        df, inodes = by["df"], by.get("df-inodes")
        if df.timed_out:
            raise Unreadable(GapKind.HUNG, f"df gave no answer within {df.limit:.0f} s")
        if inodes is not None and inodes.timed_out:
            raise Unreadable(GapKind.HUNG, f"df -i gave no answer within {inodes.limit:.0f} s")
        mounts = by["mounts"].body if "mounts" in by else ""
        return Disks(at=at, filesystems=machine.parse_disks(mounts, df.body, inodes.body if inodes else ""))

    def _log(self, by: dict[str, Section], at: datetime) -> dict[str, Any]:
        """OOM kills and trouble with devices, of the same lines."""
        clock, load = self.reading.clock, self.reading.load
        log_clock = kernel.LogClock(
            now=at,
            skew=timedelta(seconds=clock.skew_seconds) if clock else timedelta(0),
            utc_offset=clock.utc_offset_seconds if clock else 0,
            uptime=load.uptime_seconds if load else None,
        )
        ring, log = by.get("oom-dmesg"), by.get("oom-log")
        # dmesg's own complaint stands in its output; an empty output is the answer "no kills".
        denied = (
            ring is None
            or ring.timed_out
            or re.search(r"(?m)^dmesg: |(?:dmesg|awk): .*not found", ring.body) is not None
        )
        sources: list[str] = []
        kills: tuple[OomKill, ...] = ()
        events: tuple[KernelEvent, ...] = ()
        if log is not None and log.body.startswith("file "):
            name, _, lines = log.body.partition("\n")
            sources.append(name[5:])
            kills = kernel.parse_ooms(lines, log_clock)
            events = kernel_events.parse_events(lines, log_clock)
        if ring is not None and not denied:
            sources.append("dmesg")
            kills = kernel.merge(kills, kernel.parse_ooms(ring.body, log_clock))
            events = events or kernel_events.parse_events(ring.body, log_clock)
        if not sources:
            raise Unreadable(GapKind.DENIED, "our account may not read the kernel log")
        containers = self.reading.docker.containers if self.reading.docker else ()
        kills = kernel.join_bricks(kills, self._bricks.served, self._bricks.here)
        kills = _kept(kernel.join(kills, containers, self._containers.pids), self.reading.ooms)
        source = " and ".join(sources)
        return {
            "ooms": OomKills(at=at, source=source, kills=kills),
            "kernel": KernelEvents(at=at, source=source, events=events),
        }

    def _docker(self, by: dict[str, Section], at: datetime) -> Docker:
        version = self.reading.system.docker if self.reading.system else ""
        return self._containers.take(by, version, self.reading.docker, at)

    def _gluster(self, by: dict[str, Section], at: datetime) -> dict[str, Any]:
        found, down = assemble_gluster.of_peer(by, self.reading.system, self.reading.gluster, self._trends, at)
        self._bricks.learn(found)
        if down is not None:
            self.missing("glusterd", down.kind, down.sentence, at)
        else:
            self.forget(("glusterd",))
        return {"gluster": found}

    def _status(self, section: Section, volume: str, at: datetime) -> dict[str, Any]:
        status = assemble_gluster.status_of(section, volume, at)
        return {"volume_status": {**self.reading.volume_status, volume: status}}

    def _rebalance(self, section: Section, volume: str, at: datetime) -> dict[str, Any]:
        found = assemble_gluster.rebalance_of(section, volume, at)
        return {"rebalances": {**self.reading.rebalances, volume: found}}

    def _quota(self, section: Section, volume: str, at: datetime) -> dict[str, Any]:
        return {"quotas": {**self.reading.quotas, volume: assemble_gluster.quotas_of(section, volume, at)}}

    def _snapshots(self, section: Section, volume: str, at: datetime) -> dict[str, Any]:
        found = assemble_gluster.snapshots_of(section, volume, at)
        return {"snapshots": {**self.reading.snapshots, volume: found}}

    def _heals(self, by: dict[str, Section], volume: str, at: datetime) -> dict[str, Any]:
        before = self.reading.heals.get(volume)
        return {
            "heals": {**self.reading.heals, volume: assemble_gluster.heals_of(by, volume, before, self._trends, at)}
        }


def _busy(before: tuple[int, ...], now: tuple[int, ...]) -> float | None:
    """Share of CPU time not idle and not waiting for disks, in percent."""
    if len(before) != len(now) or len(now) < 5:
        return None
    spent = [new - old for old, new in zip(before, now, strict=True)]
    total = sum(spent)
    return 100.0 * (total - spent[3] - spent[4]) / total if total > 0 and min(spent) >= 0 else None


def _kept(kills: tuple[OomKill, ...], before: OomKills | None) -> tuple[OomKill, ...]:
    """A join found once is kept when the evidence for it (a pid, a container) has gone since."""
    known = {(kill.pid, kill.name, kill.line): kill for kill in (before.kills if before else ())}
    out = []
    for kill in kills:
        old = known.get((kill.pid, kill.name, kill.line))
        if old is not None:
            kill = msgspec.structs.replace(
                kill,
                at=old.at or kill.at,
                container_id=kill.container_id or old.container_id,
                joined_by=kill.joined_by or old.joined_by,
                bricks=kill.bricks or old.bricks,
            )
        out.append(kill)
    return tuple(out)
