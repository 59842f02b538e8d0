"""What all rules share: the table of rules, and how a missing or old reading becomes `unknown`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from incident_tui.hosts.readings import GapKind, HostReading, is_stale
from incident_tui.hosts.settings import Thresholds
from incident_tui.incident.finding import Finding, Level

RULES: dict[str, str] = {
    "host.unreachable": "we cannot log in, so everything about the host is unknown",
    "host.stale": "a reading is too old or was never had",
    "host.denied": "our account may not read something",
    "host.clock-skew": "the host's clock differs from the bastion's",
    "host.stuck-command": "a command of the probe outlived its limit",
    "machine.memory": "memory is nearly used up",
    "machine.swap": "the host swaps heavily",
    "machine.pressure": "processes wait for memory (PSI)",
    "machine.load": "the load is high for the number of processors",
    "machine.oom": "the kernel killed a process because memory ran out",
    "host.rebooted": "the host was restarted while it was watched",
    "machine.memory-falling": "memory and swap will be used up soon if they go on as they do",
    "machine.hung-task": "processes wait for a disk or a lock for minutes",
    "disk.io-error": "the kernel reports errors of a device",
    "disk.file-system": "the kernel reports a damaged file system, or made it read-only",
    "disk.full": "a file system is full or nearly so",
    "disk.inodes": "a file system has few inodes left",
    "disk.read-only": "a file system that should be written to is read-only",
    "docker.daemon-down": "the Docker daemon does not run",
    "docker.daemon-hung": "the Docker daemon does not answer",
    "docker.unknown": "Docker could not be asked",
    "docker.container-oom": "a container was killed because memory ran out",
    "docker.container-down": "a container ended or died and should run",
    "docker.container-restarting": "a container is restarted over and over",
    "docker.container-unhealthy": "a container's own health check fails",
    "docker.container-paused": "a container is paused",
    "docker.container-waiting": "a container stays created, starting or removing",
    "docker.container-memory": "a container is near its memory limit",
    "docker.container-unknown": "a container's state is not known",
    "gluster.glusterd-down": "glusterd does not run on a peer; its bricks may still serve",
    "gluster.glusterd-hung": "glusterd gives no answer on a peer; its bricks may still serve",
    "gluster.unknown": "GlusterFS could not be asked",
    "gluster.busy": "GlusterFS has been busy with another transaction for long",
    "gluster.peer-disconnected": "a peer is not connected to another",
    "gluster.peer-rejected": "a peer is rejected or not fully in the cluster",
    "gluster.volume-stopped": "a volume is stopped",
    "gluster.volume-unknown": "a volume's state is not known",
    "gluster.brick-down": "a brick does not run or cannot be reached",
    "gluster.brick-oom": "a brick's process was killed because memory ran out",
    "gluster.brick-unknown": "nothing fresh says whether a brick runs",
    "gluster.quorum-lost": "too few bricks: writes are refused or data is unavailable",
    "gluster.server-quorum": "too few peers are connected, or just enough: glusterd stops the bricks of a peer alone",
    "gluster.split-brain": "copies of a file differ and GlusterFS cannot choose",
    "gluster.heal-backlog": "files wait for their copies to be healed",
    "gluster.heal-unknown": "the backlog of heals or the split-brain count is not known",
    "gluster.brick-full": "a brick's file system is full or nearly so, or will be soon",
    "gluster.brick-inodes": "a brick's file system has few inodes left",
    "gluster.rebalance-failed": "a rebalance or another task of a volume failed, or left files behind",
    "gluster.quota": "a directory is over its quota",
    "gluster.geo-replication": "a copy to another site is faulty or does not run",
    "gluster.peers-disagree": "peers define a volume differently or do not know it",
    "gluster.self-heal-down": "a self-heal daemon does not run",
}
"""Rule id -> its meaning. Ids are public: playbooks name them in `when`."""

FIELD_NAMES = {
    "load": "load",
    "memory": "memory",
    "swapping": "swap rate",
    "pressure": "memory pressure",
    "disks": "disks",
    "clock": "clock",
    "ooms": "kernel log",
    "docker": "Docker",
    "gluster": "GlusterFS",
}


_LAST_READ: Final = " last read "


class Case(msgspec.Struct, frozen=True):
    """What a rule has to judge by."""

    reading: HostReading
    thresholds: Thresholds
    now: datetime

    def found(
        self, rule: str, level: Level, sentence: str, at: datetime, *, subject: str = "", evidence: str = ""
    ) -> Finding:
        assert rule in RULES
        host = self.reading.host
        full = f"{host} {subject}" if subject else host
        return Finding(rule=rule, level=level, subject=full, sentence=sentence, at=at, host=host, evidence=evidence)

    def fresh(self, field: str) -> Any:
        """The reading when it is there and young enough, else None."""
        value = getattr(self.reading, field)
        return None if value is None or is_stale(field, value.at, self.now, self.thresholds) else value

    def asked(self, role: str) -> bool:
        """Whether the host is read for this role: its configuration names it, or names none and takes what is there."""
        return not self.reading.roles or role in self.reading.roles

    def missing(self, field: str) -> Iterator[Finding]:
        """`host.stale` (or denied) for a field that is not fresh; nothing when the host has no such thing."""
        if self.fresh(field) is not None:
            return
        value, gap = getattr(self.reading, field), self.reading.gaps.get(field)
        if gap is not None and gap.kind is GapKind.ABSENT:
            return
        name = FIELD_NAMES.get(field, field)
        rule = "host.denied" if gap is not None and gap.kind is GapKind.DENIED else "host.stale"
        if gap is not None and (value is None or gap.at >= value.at):
            sentence, at = f"{self.reading.host}: {name} unknown: {gap.sentence}", gap.at
        elif value is not None:
            sentence, at = f"{self.reading.host}: {name}{_LAST_READ}{age(value.at, self.now)} ago", value.at
        else:
            sentence, at = f"{self.reading.host}: {name} not read yet", self.reading.at
        evidence = "no answer of the probe" if value is None else "no newer answer of the probe"
        yield self.found(rule, Level.UNKNOWN, sentence, at, subject=name, evidence=evidence)


def together(found: Sequence[Finding]) -> list[Finding]:
    """For people: fields of one host that were last read equally long ago are one finding, in the place of the first,
    "web2: nothing read for 20 min: clock, disks, load"."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for one in found:
        ago = one.sentence.partition(_LAST_READ)[2].removesuffix(" ago") if one.rule == "host.stale" else ""
        groups.setdefault((one.host, ago) if ago else (one.rule, one.subject), []).append(one)
    return [fields[0] if len(fields) == 1 else _one(fields, ago) for (_, ago), fields in groups.items()]


def _one(fields: Sequence[Finding], ago: str) -> Finding:
    host = fields[0].host
    names = ", ".join(one.subject.removeprefix(host).strip() for one in fields)
    oldest = min(one.at for one in fields)
    return msgspec.structs.replace(fields[0], sentence=f"{host}: nothing read for {ago}: {names}", at=oldest)


def graded(value: float, warn: float, crit: float) -> Level:
    return Level.CRIT if value >= crit else Level.WARN if value >= warn else Level.OK


def age(at: datetime, now: datetime) -> str:
    """ "40 s", "12 min", "3 h", "2 d"."""
    seconds = max(0, int((now - at).total_seconds()))
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def span(seconds: float) -> str:
    """A length of time ahead, for people: "8 min", "3 h"."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(0, seconds):.0f} s"


def size(number: float) -> str:
    """Bytes for people: "1.9 GiB"."""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(number) < 1024 or unit == "TiB":
            return f"{number:.0f} {unit}" if unit == "B" or number >= 100 else f"{number:.1f} {unit}"
        number /= 1024
    raise AssertionError("unreachable")
