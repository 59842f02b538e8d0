"""Rules: what is a finding, at which level, in which words; and that absent evidence is never well."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from incident_tui.hosts import gluster
from incident_tui.hosts.health import RULES, findings
from incident_tui.hosts.judge import together
from incident_tui.hosts.readings import (
    BrickHeal,
    BrickStatus,
    Clock,
    Container,
    Disks,
    Docker,
    Filesystem,
    Gap,
    GapKind,
    Gluster,
    Heals,
    HostReading,
    Link,
    LinkState,
    Load,
    LocalBrick,
    Memory,
    OomKill,
    OomKills,
    Peer,
    Pressure,
    Swapping,
    Volume,
    VolumeStatus,
)
from incident_tui.hosts.settings import Thresholds
from incident_tui.incident.finding import Finding, Level

NOW = datetime(2026, 11, 23, 3, 10, tzinfo=UTC)
GIB = 1 << 30
LIMITS = Thresholds()
UUIDS = [f"00000000-0000-4000-8000-00000000000{n}" for n in (1, 2, 3)]


def well(name: str = "web1", **changes: Any) -> HostReading:
    """A host with nothing wrong and neither Docker nor GlusterFS."""
    absent = {r: Gap(at=NOW, kind=GapKind.ABSENT, sentence="not installed") for r in ("docker", "gluster")}
    root = Filesystem(mount="/", device="/dev/a", kind="ext4", size=100 * GIB, free=70 * GIB, used_percent=30)
    reading = HostReading(
        host=name,
        at=NOW,
        link=Link(state=LinkState.UP, sentence="", since=NOW, at=NOW),
        clock=Clock(at=NOW, skew_seconds=0.0, error_seconds=0.1),
        load=Load(at=NOW, one=0.5, five=0.5, fifteen=0.5, cpus=2, uptime_seconds=9e5),
        memory=Memory(at=NOW, total=2 * GIB, available=GIB, estimated=True),
        swapping=Swapping(at=NOW, pages_in=0, pages_out=0),
        pressure=Pressure(at=NOW, memory_some=0.0),
        disks=Disks(at=NOW, filesystems=(root,)),
        ooms=OomKills(at=NOW, source="dmesg", kills=()),
        gaps=absent,
    )
    return msgspec.structs.replace(reading, **changes)


def judged(*readings: HostReading, now: datetime = NOW) -> dict[tuple[str, str], Finding]:
    found = findings(readings, LIMITS, now)
    for finding in found:
        assert finding.rule in RULES
        assert finding.level is not Level.OK
        assert finding.sentence and "\n" not in finding.sentence
    assert len({finding.key for finding in found}) == len(found)
    return {finding.key: finding for finding in found}


def rules(*readings: HostReading, now: datetime = NOW) -> dict[str, Level]:
    return {finding.rule: finding.level for finding in judged(*readings, now=now).values()}


def test_a_well_host_has_no_findings() -> None:
    assert judged(well()) == {}


@pytest.mark.parametrize("field", ["clock", "load", "memory", "pressure", "disks", "ooms", "swapping"])
def test_a_reading_that_is_missing_or_old_is_unknown(field: str) -> None:
    missing: dict[str, Any] = {field: None}
    assert rules(well(**missing))["host.stale"] is Level.UNKNOWN
    old = msgspec.structs.replace(getattr(well(), field), at=NOW - timedelta(minutes=10))
    assert rules(well(**{field: old}))["host.stale"] is Level.UNKNOWN


def test_fields_that_stopped_together_are_one_sentence_for_people() -> None:
    old = NOW - timedelta(minutes=20)
    stopped = {name: msgspec.structs.replace(getattr(well(), name), at=old) for name in ("clock", "load", "memory")}
    denied = Gap(at=NOW, kind=GapKind.DENIED, sentence="dmesg: not permitted")
    reading = well(**stopped, ooms=None, gaps={**well().gaps, "ooms": denied})
    found = findings([reading, well("web2")], LIMITS, NOW)
    assert [one.sentence for one in together(found)] == [
        "web1: nothing read for 20 min: clock, load, memory",
        "web1: kernel log unknown: dmesg: not permitted",
    ]
    assert together(found)[0].at == old


@pytest.mark.parametrize("role", ["docker", "gluster"])
def test_docker_and_gluster_not_read_yet_are_unknown(role: str) -> None:
    reading = well()
    gaps = {key: gap for key, gap in reading.gaps.items() if key != role}
    assert rules(msgspec.structs.replace(reading, gaps=gaps))["host.stale"] is Level.UNKNOWN


def test_everything_is_unknown_when_time_passes() -> None:
    later = judged(well(), now=NOW + timedelta(hours=1))
    assert later and all(finding.level is Level.UNKNOWN for finding in later.values())


def test_everything_is_unknown_when_our_clock_was_set_back() -> None:
    """Nothing says how old a reading from the future is: a hung channel must not look fresh for an hour."""
    assert set(rules(well(), now=NOW - timedelta(hours=1))) == {"host.stale"}
    assert rules(well(), now=NOW - timedelta(seconds=2)) == {}


def test_an_unreachable_host_is_one_unknown_with_its_reason() -> None:
    link = Link(state=LinkState.REFUSED, sentence="web1: connection refused; is sshd running?", since=NOW, at=NOW)
    (finding,) = judged(well(link=link), now=NOW + timedelta(minutes=5)).values()
    assert (finding.rule, finding.level, finding.sentence) == ("host.unreachable", Level.UNKNOWN, link.sentence)


@pytest.mark.parametrize(
    ("changes", "rule", "level", "words"),
    [
        (
            {"memory": Memory(at=NOW, total=100, available=10, estimated=False)},
            "machine.memory",
            "warn",
            "90%",
        ),
        ({"memory": Memory(at=NOW, total=100, available=2, estimated=True)}, "machine.memory", "crit", "estimated"),
        ({"swapping": Swapping(at=NOW, pages_in=900, pages_out=200)}, "machine.swap", "crit", "900 pages/s in"),
        ({"pressure": Pressure(at=NOW, memory_some=30.0)}, "machine.pressure", "warn", "30%"),
        ({"clock": Clock(at=NOW, skew_seconds=-3600, error_seconds=1)}, "host.clock-skew", "crit", "behind"),
        ({"clock": Clock(at=NOW, skew_seconds=3, error_seconds=0.2)}, "host.clock-skew", "warn", "ahead"),
    ],
)
def test_machine_rules(changes: dict[str, Any], rule: str, level: str, words: str) -> None:
    (finding,) = judged(well(**changes)).values()
    assert (finding.rule, finding.level.value) == (rule, level)
    assert words in finding.sentence


def test_a_clock_that_cannot_be_measured_that_well_is_not_wrong() -> None:
    assert judged(well(clock=Clock(at=NOW, skew_seconds=5, error_seconds=4))) == {}


def test_disks() -> None:
    disk = Filesystem(
        mount="/b", device="x", kind="xfs", size=GIB, free=1, used_percent=99, inodes_percent=85, read_only=True
    )
    found = rules(well(disks=Disks(at=NOW, filesystems=(disk,))))
    assert found == {"disk.full": Level.CRIT, "disk.inodes": Level.WARN, "disk.read-only": Level.CRIT}


def test_an_oom_of_half_an_hour_is_told_and_then_forgotten() -> None:
    kill = OomKill(at=NOW - timedelta(minutes=2), pid=3, name="glusterfsd", scope="global", line="Killed …")
    reading = well(ooms=OomKills(at=NOW, source="dmesg", kills=(kill,)))
    (finding,) = judged(reading).values()
    assert finding.level is Level.CRIT and "glusterfsd" in finding.sentence
    old = msgspec.structs.replace(kill, at=NOW - timedelta(hours=2))
    assert judged(well(ooms=OomKills(at=NOW, source="dmesg", kills=(old,)))) == {}


def with_container(gap: Gap | None = None, kills: tuple[OomKill, ...] = (), **fields: Any) -> HostReading:
    container = Container(**({"id": "ab" * 32, "name": "drupal-a", "state": "running"} | fields))
    gaps = {"gluster": Gap(at=NOW, kind=GapKind.ABSENT, sentence="x")} | ({"docker": gap} if gap else {})
    docker = None if gap else Docker(at=NOW, version="1.6.2", containers=(container,))
    return well(docker=docker, gaps=gaps, ooms=OomKills(at=NOW, source="dmesg", kills=kills))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {}),
        ({"state": "exited", "exit_code": 0}, {}),
        ({"state": "exited", "exit_code": 1}, {"docker.container-down": "warn"}),
        ({"state": "exited", "exit_code": 1, "restart_policy": "always"}, {"docker.container-down": "crit"}),
        ({"state": "exited", "exit_code": 137, "stopped_on_purpose": True}, {}),
        ({"state": "exited", "exit_code": 137}, {"docker.container-down": "warn"}),
        ({"state": "exited", "exit_code": 1, "stopped_on_purpose": True}, {"docker.container-down": "warn"}),
        ({"state": "dead"}, {"docker.container-down": "crit"}),
        ({"state": "restarting"}, {"docker.container-restarting": "crit"}),
        ({"state": "paused"}, {"docker.container-paused": "warn"}),
        ({"state": "unknown"}, {"docker.container-unknown": "unknown"}),
        ({"health": "unhealthy"}, {"docker.container-unhealthy": "crit"}),
        ({"restarts_recent": 1}, {"docker.container-restarting": "warn"}),
        ({"restarts_recent": 3}, {"docker.container-restarting": "crit"}),
        ({"state": "created", "created_at": NOW - timedelta(minutes=11)}, {"docker.container-waiting": "warn"}),
        ({"state": "created", "created_at": NOW}, {}),
    ],
)
def test_container_rules(fields: dict[str, Any], expected: dict[str, str]) -> None:
    assert {rule: level.value for rule, level in rules(with_container(**fields)).items()} == expected


def test_an_oom_killed_container_by_flag_and_by_kernel_log() -> None:
    flagged = rules(with_container(state="exited", exit_code=137, oom_killed=True))
    assert flagged["docker.container-oom"] is Level.CRIT
    kill = OomKill(at=NOW, pid=3, name="php", scope="cgroup", container_id="ab" * 32)
    assert rules(with_container(kills=(kill,)))["docker.container-oom"] is Level.CRIT


@pytest.mark.parametrize(
    ("kind", "since", "rule", "level"),
    [
        (GapKind.DOWN, 0, "docker.daemon-down", "crit"),
        (GapKind.HUNG, 5, "docker.daemon-hung", "warn"),
        (GapKind.HUNG, 90, "docker.daemon-hung", "crit"),
        (GapKind.DENIED, 0, "docker.unknown", "unknown"),
        (GapKind.FAILED, 0, "docker.unknown", "unknown"),
    ],
)
def test_docker_that_does_not_answer(kind: GapKind, since: int, rule: str, level: str) -> None:
    gap = Gap(at=NOW, kind=kind, sentence="so it is", since=NOW - timedelta(seconds=since))
    found = rules(with_container(gap=gap))
    assert found[rule].value == level


def peers(fixture: Callable[[str], str], *, up: tuple[bool | None, ...] = (True, True, True)) -> list[HostReading]:
    """Three hosts that share gv0; `up` is what each says of its own brick."""
    (volume,) = gluster.volumes_xml(fixture("volumes-3.7.xml"))
    return [peer(n, volume, up[n]) for n in range(3)]


def heals(volume: str = "gv0", **fields: Any) -> Heals:
    said: dict[str, Any] = {"connected": True, "pending": 0, "split_brain": 0, **fields}
    bricks = tuple(BrickHeal(name=f"web{n}:/b/gv0", **said) for n in (1, 2, 3))
    return Heals(at=NOW, volume=volume, bricks=bricks)


def peer(number: int, volume: Volume, up: bool | None, **changes: Any) -> HostReading:
    others = tuple(
        Peer(uuid=UUIDS[n], hostname=f"web{n + 1}", connected=True, state=3) for n in range(3) if n != number
    )
    told = Gluster(
        at=NOW,
        uuid=UUIDS[number],
        version="3.7.9",
        glusterd_alive=True,
        peers=others,
        volumes=(volume,),
        bricks=(LocalBrick(volume="gv0", path="/b/gv0", pid=900, alive=up),),
    )
    gaps = {"docker": Gap(at=NOW, kind=GapKind.ABSENT, sentence="x")}
    return well(f"web{number + 1}", **({"gluster": told, "gaps": gaps, "heals": {"gv0": heals()}} | changes))


def test_a_whole_cluster_has_no_findings(fixture: Callable[[str], str]) -> None:
    assert judged(*peers(fixture)) == {}


def test_one_brick_down(fixture: Callable[[str], str]) -> None:
    (finding,) = judged(*peers(fixture, up=(True, True, False))).values()
    assert (finding.rule, finding.level, finding.subject) == ("gluster.brick-down", Level.WARN, "gv0 web3:/b/gv0")
    assert finding.sentence == "gv0: 2 of 3 bricks up; web3:/b/gv0 is down (its process is gone)"
    assert finding.host == "web3"


def test_two_bricks_down_refuse_writes(fixture: Callable[[str], str]) -> None:
    found = judged(*peers(fixture, up=(True, False, False)))
    assert found[("gluster.quorum-lost", "gv0")].sentence == "gv0: 1 of 3 bricks up, writes refused (client quorum)"
    assert found[("gluster.brick-down", "gv0 web3:/b/gv0")].level is Level.CRIT


def test_bricks_not_known_are_not_counted_as_down(fixture: Callable[[str], str]) -> None:
    found = judged(*peers(fixture, up=(True, None, False)))
    sentence = found[("gluster.brick-down", "gv0 web3:/b/gv0")].sentence
    assert sentence == "gv0: 1 of 3 bricks up, 1 not known; web3:/b/gv0 is down (its process is gone)"


def test_a_brick_of_which_nothing_is_known_is_unknown(fixture: Callable[[str], str]) -> None:
    assert rules(*peers(fixture, up=(True, True, None))) == {"gluster.brick-unknown": Level.UNKNOWN}


def test_a_row_that_is_missing_is_down(fixture: Callable[[str], str]) -> None:
    one = peers(fixture)[0]
    rows = tuple(BrickStatus(host=f"web{n}", path="/b/gv0", online=True, pid=900) for n in (1, 2))
    status = {"gv0": VolumeStatus(at=NOW, volume="gv0", bricks=rows)}
    found = judged(msgspec.structs.replace(one, volume_status=status))
    assert "its peer does not answer" in found[("gluster.brick-down", "gv0 web3:/b/gv0")].sentence


@pytest.mark.parametrize(
    ("fields", "rule", "level"),
    [
        ({"split_brain": 2, "split_entries": ("/files/a.pdf",)}, "gluster.split-brain", "crit"),
        ({"split_brain": None}, "gluster.heal-unknown", "unknown"),
        ({"pending": None}, "gluster.heal-unknown", "unknown"),
        ({"pending": 5000}, "gluster.heal-backlog", "crit"),
    ],
)
def test_heals(fixture: Callable[[str], str], fields: dict[str, Any], rule: str, level: str) -> None:
    hosts = [msgspec.structs.replace(r, heals={"gv0": heals(**fields)}) for r in peers(fixture)]
    (finding,) = judged(*hosts).values()
    assert (finding.rule, finding.level.value) == (rule, level)


def test_a_backlog_warns_only_after_its_time(fixture: Callable[[str], str]) -> None:
    for minutes, expected in ((5, {}), (25, {"gluster.heal-backlog": Level.WARN})):
        backlog = msgspec.structs.replace(heals(pending=4), backlog_since=NOW - timedelta(minutes=minutes))
        hosts = [msgspec.structs.replace(r, heals={"gv0": backlog}) for r in peers(fixture)]
        assert rules(*hosts) == expected


def test_heals_never_read_are_unknown(fixture: Callable[[str], str]) -> None:
    hosts = [msgspec.structs.replace(r, heals={}) for r in peers(fixture)]
    assert rules(*hosts) == {"gluster.heal-unknown": Level.UNKNOWN}


def test_peers_that_lose_each_other(fixture: Callable[[str], str]) -> None:
    hosts = peers(fixture)
    told = hosts[0].gluster
    assert told is not None
    lost = tuple(msgspec.structs.replace(p, connected=p.hostname != "web3") for p in told.peers)
    hosts[0] = msgspec.structs.replace(hosts[0], gluster=msgspec.structs.replace(told, peers=lost))
    (finding,) = judged(*hosts).values()
    assert (finding.rule, finding.level, finding.subject) == ("gluster.peer-disconnected", Level.WARN, "peer web3")
    assert "says web1" in finding.sentence


def test_glusterd_down_while_its_brick_still_serves(fixture: Callable[[str], str]) -> None:
    hosts = peers(fixture)
    told = hosts[2].gluster
    assert told is not None
    gaps = {**hosts[2].gaps, "glusterd": Gap(at=NOW, kind=GapKind.DOWN, sentence="glusterd does not run")}
    dead = msgspec.structs.replace(told, glusterd_alive=False, peers=())
    hosts[2] = msgspec.structs.replace(hosts[2], gluster=dead, gaps=gaps)
    (finding,) = judged(*hosts).values()
    assert finding.sentence == "web3: glusterd does not run; 1 of its bricks still run"


def test_a_stopped_volume(fixture: Callable[[str], str]) -> None:
    (volume,) = gluster.volumes_xml(fixture("volumes-3.7.xml").replace("<status>1<", "<status>2<"))
    assert rules(*[peer(n, volume, True) for n in range(3)]) == {"gluster.volume-stopped": Level.CRIT}


def test_a_volume_of_hosts_that_fell_silent_stays_as_unknown(fixture: Callable[[str], str]) -> None:
    link = Link(state=LinkState.TIMEOUT, sentence="no answer", since=NOW, at=NOW)
    hosts = [msgspec.structs.replace(r, link=link) for r in peers(fixture)]
    found = judged(*hosts, now=NOW + timedelta(minutes=30))
    assert found[("gluster.volume-unknown", "gv0")].level is Level.UNKNOWN
    assert all(finding.level is Level.UNKNOWN for finding in found.values())
