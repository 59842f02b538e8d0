"""Whether something that is not found any more is well, or only not seen any more. Pure.

A recovery needs evidence. `hides` says it of one finding that is present; `Sight` says of which volumes and peers
anything fresh is known at all, for a watch that has just begun and for clusters whose hosts are all silent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from incident_tui.hosts import cluster
from incident_tui.hosts.judge import FIELD_NAMES
from incident_tui.hosts.readings import GapKind, HostReading, is_stale
from incident_tui.hosts.settings import Thresholds
from incident_tui.incident.finding import Finding, Level

_FIELD_RULES: dict[str, tuple[str, ...]] = {
    "load": ("machine.load", "host.rebooted"),
    "memory": ("machine.memory", "machine.memory-falling"),
    "swapping": ("machine.swap",),
    "pressure": ("machine.pressure",),
    "disks": ("disk.",),
    "clock": ("host.clock-skew",),
    "ooms": (
        "machine.oom",
        "docker.container-oom",
        "gluster.brick-oom",
        "machine.hung-task",
        "disk.io-error",
        "disk.file-system",
    ),
    "docker": ("docker.",),
    "gluster": ("gluster.",),
}
"""Field of a reading -> beginnings of the rules that judge by it."""
_BY_NAME = {FIELD_NAMES[field]: rules for field, rules in _FIELD_RULES.items()}
_OF_ONE_HOST = ("gluster.glusterd-down", "gluster.glusterd-hung", "gluster.brick-oom", "gluster.unknown")


def volume_of(subject: str) -> str:
    """The volume in the subject of a finding about it or a part of it ("gv0", "gv0 web3:/b/gv0")."""
    return subject.partition(" ")[0].partition("/")[0]


def hides(finding: Finding, rule: str, subject: str, host: str) -> bool:
    """Whether `finding`, which is present, keeps us from seeing what (rule, subject) on `host` was about."""
    here = bool(host) and host in (finding.host, finding.subject)
    same_volume = rule.startswith("gluster.") and volume_of(subject) == volume_of(finding.subject)
    match finding.rule:
        case "host.unreachable":
            return here
        case "host.stale" | "host.denied":
            field = finding.subject.removeprefix(finding.host).strip()
            return here and rule.startswith(_BY_NAME.get(field, ("",)))
        case "docker.daemon-down" | "docker.daemon-hung":
            return here and rule.startswith("docker.container-")
        case "docker.unknown":
            return here and rule.startswith("docker.")
        case "docker.container-unknown":
            return finding.subject == subject and rule.startswith("docker.")
        case "gluster.unknown":
            return here and rule.startswith("gluster.")
        case "gluster.volume-unknown":
            return same_volume
        case "gluster.heal-unknown":
            return same_volume and rule in ("gluster.split-brain", "gluster.heal-backlog")
        case "gluster.brick-unknown":
            return same_volume and (rule == "gluster.quorum-lost" or finding.subject == subject)
        case "site.down":
            return finding.subject == subject and rule in ("site.slow", "site.tls-expiring")
    return finding.level is Level.UNKNOWN and (here or finding.subject == subject)


class Hiding:
    """The findings that are present, by what they are about. Each of them for each key would be a million looks when
    500 hosts are cut off."""

    def __init__(self, present: Iterable[Finding]) -> None:
        self._about: dict[str, list[Finding]] = {}
        for finding in present:
            for name in {finding.host, finding.subject, volume_of(finding.subject)}:
                self._about.setdefault(name, []).append(finding)

    def hides(self, rule: str, subject: str, host: str) -> bool:
        """Whether any of them `hides` it: it is about the same host, subject or volume then."""
        names = {host, subject, volume_of(subject)} - {""}
        return any(hides(finding, rule, subject, host) for name in names for finding in self._about.get(name, ()))


class Sight(msgspec.Struct, frozen=True):
    """Volumes and peers of which something fresh is known. `whole`: every host that could know of others was asked."""

    volumes: frozenset[str]
    peers: frozenset[str]
    whole: bool

    def sees(self, rule: str, subject: str) -> bool:
        """Whether the absence of this finding means anything. What is not about a volume or a peer: always."""
        if self.whole or not rule.startswith("gluster.") or rule in _OF_ONE_HOST:
            return True
        if subject.startswith("peer "):
            return subject.removeprefix("peer ") in self.peers
        return volume_of(subject) in self.volumes


def sight(
    readings: Iterable[HostReading], thresholds: Thresholds, now: datetime, joined: cluster.ClusterView | None = None
) -> Sight:
    """What is seen at `now`; `readings` has every configured host, also those never read. `joined` is `cluster.view` of
    them where the caller has it."""
    hosts: Sequence[HostReading] = list(readings)
    view = cluster.view(hosts, thresholds, now) if joined is None else joined
    return Sight(
        volumes=frozenset(volume.name for volume in view.volumes if not volume.stale),
        peers=frozenset(peer.name for peer in view.peers if peer.connected is not None),
        whole=all(_asked(reading, thresholds, now) for reading in hosts),
    )


def _asked(reading: HostReading, thresholds: Thresholds, now: datetime) -> bool:
    if reading.roles and "gluster" not in reading.roles:
        return True
    if reading.gluster is not None:
        alive = reading.gluster.glusterd_alive is True
        return alive and not is_stale("gluster", reading.gluster.at, now, thresholds)
    gap = reading.gaps.get("gluster")
    return gap is not None and gap.kind is GapKind.ABSENT and "gluster" not in reading.roles
