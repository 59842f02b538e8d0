"""What GlusterFS 10.3, Docker 20.10 and a kernel 6.18 really said in the lab (fixtures/lab), understood."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from incident_tui.hosts import docker, gluster, gluster_text, kernel
from incident_tui.hosts.assemble import Assembler
from incident_tui.hosts.errors import Unreadable
from incident_tui.hosts.health import findings
from incident_tui.hosts.readings import (
    Brick,
    Gap,
    GapKind,
    Gluster,
    Heals,
    HostReading,
    Link,
    LinkState,
    Peer,
    Volume,
)
from incident_tui.hosts.sections import Section
from incident_tui.hosts.settings import Thresholds

NOW = datetime(2026, 11, 23, 4, 45, tzinfo=UTC)
UP = Link(state=LinkState.UP, sentence="", since=NOW, at=NOW)


def section(name: str, body: str, rc: int = 0) -> Section:
    return Section(name=name, body=body, rc=rc, seconds=0.4, limit=90.0)


def test_split_brain_is_in_the_summary_and_not_in_the_xml_of_heal_info(fixture: Callable[[str], str]) -> None:
    plain = gluster.heals_xml(fixture("lab/heal-info-split-brain.xml"))
    assert [brick.split_brain for brick in plain] == [None, None]
    summary = gluster.heals_xml(fixture("lab/heal-summary-split-brain.xml"))
    assert [brick.split_brain for brick in summary] == [1, 1]
    split = gluster.heals_xml(fixture("lab/heal-split-split-brain.xml"), split_brain_only=True)
    assert [brick.split_entries for brick in split] == [("<gfid:cea38081-e6e6-404a-a1a8-33c89e5d6e22>",), ("/f",)]
    text = gluster_text.heals_text(fixture("lab/heal-info-split-brain.txt"))
    assert [brick.split_brain for brick in text] == [1, 1]


@pytest.mark.parametrize("words", [("summary", "split"), ("heal", "split")])
def test_a_split_brain_is_found_and_named_by_its_path(fixture: Callable[[str], str], words: tuple[str, ...]) -> None:
    files = {
        "summary": "lab/heal-summary-split-brain.xml",
        "heal": "lab/heal-info-split-brain.xml",
        "split": "lab/heal-split-split-brain.xml",
    }
    assembler = Assembler("peer1", ("gluster",), UP)
    assembler.take([section(f"{word}:gs", fixture(files[word])) for word in words], NOW, NOW)
    heals = assembler.reading.heals["gs"]
    assert heals.split_brain == 1
    found = findings([peer("peer1", heals={"gs": heals})], Thresholds(), NOW)
    assert [f.sentence for f in found if f.rule == "gluster.split-brain"] == ["gs: SPLIT-BRAIN, 1 entry, first /f"]


@pytest.mark.parametrize(("case", "lost"), [("brick-down", "peer3:/bricks/gv0"), ("peer-down", "peer2:/bricks/gv0")])
def test_heals_of_a_brick_that_cannot_be_asked_are_unknown(fixture: Callable[[str], str], case: str, lost: str) -> None:
    bricks = {brick.name: brick for brick in gluster.heals_xml(fixture(f"lab/heal-summary-{case}.xml"))}
    assert len(bricks) == 3
    for name, brick in bricks.items():
        assert (brick.connected, brick.pending is None) == ((False, True) if name == lost else (True, False))


def test_split_brain_of_a_brick_that_cannot_be_asked_is_unknown(fixture: Callable[[str], str]) -> None:
    bricks = gluster.heals_xml(fixture("lab/heal-split-brick-down.xml"), split_brain_only=True)
    assert [brick.split_brain for brick in bricks] == [0, 0, None]


def test_status_with_a_brick_down_and_with_a_peer_away(fixture: Callable[[str], str]) -> None:
    (rows,) = gluster.status_xml(fixture("lab/volume-status-brick-down.xml"))
    assert [(row.host, row.online, row.pid) for row in rows.bricks][2] == ("peer3", False, 0)
    assert [row.online for row in rows.bricks] == [True, True, False]
    (rows,) = gluster.status_xml(fixture("lab/volume-status-peer-down.xml"))
    assert [row.host for row in rows.bricks] == ["peer1", "peer3"]  # the brick of the peer away has no row at all
    assert all(service.online for service in rows.services)


def test_peers_with_one_away(fixture: Callable[[str], str]) -> None:
    peers = gluster.peers_xml(fixture("lab/peer-status-peer-down.xml"))
    assert sorted((peer.hostname, peer.connected, peer.state) for peer in peers) == [
        ("peer2", False, 3),
        ("peer3", True, 3),
    ]


def test_daemons_that_are_down(fixture: Callable[[str], str]) -> None:
    assert not gluster.has_xml(fixture("lab/peer-status-down.txt"))  # although --xml was asked for
    with pytest.raises(Unreadable) as raised:
        gluster_text.peers_text(fixture("lab/peer-status-down.txt"))
    assert raised.value.kind is GapKind.DOWN
    with pytest.raises(Unreadable) as raised:
        docker.parse_ids(section("docker-ps", fixture("lab/docker-ps-daemon-down.txt"), 1))
    assert raised.value.kind is GapKind.DOWN


def test_a_container_out_of_memory_and_its_line_in_the_kernel_log(fixture: Callable[[str], str]) -> None:
    (hog,) = docker.parse_inspect(fixture("lab/docker-inspect-oom.json"))
    assert (hog.name, hog.state, hog.exit_code, hog.oom_killed) == ("hog", "exited", 137, True)
    assert hog.memory_limit == 32 << 20
    (kill,) = kernel.parse_ooms(fixture("lab/dmesg-oom.txt"), kernel.LogClock(now=NOW, uptime=4030.0))
    assert (kill.name, kill.scope, kill.container_id, kill.joined_by) == ("tail", "cgroup", hog.id, "cgroup")
    assert kill.at == NOW - timedelta(seconds=4030.0 - 4022.685217)


def peer(name: str, **changes: object) -> HostReading:
    """A peer of a cluster with one volume of two bricks, of which nothing else is known."""
    bricks = tuple(Brick(host=f"peer{n}", path="/bricks/gs") for n in (1, 2))
    volume = Volume(name="gs", id="v1", status="started", kind="replicate", replica=2, bricks=bricks)
    told = Gluster(at=NOW, uuid=name, version="10.3", glusterd_alive=True, peers=(), volumes=(volume,), bricks=())
    reading = HostReading(host=name, at=NOW, link=UP, roles=("gluster",), gluster=told)
    return msgspec.structs.replace(reading, **changes)


def heals_unknown(*readings: HostReading) -> list[str]:
    """The subjects of what is not known because heal info of one host failed."""
    found = findings(readings, Thresholds(), NOW)
    return [f.subject for f in found if f.rule == "gluster.heal-unknown" and f.host]


def test_what_could_not_be_asked_stands_only_while_the_volume_is_there_and_nobody_else_answers() -> None:
    gap = Gap(at=NOW - timedelta(seconds=20), kind=GapKind.FAILED, sentence="Not able to fetch volfile from glusterd")
    failed = peer("peer1", gaps={"heals:gs": gap})
    assert heals_unknown(failed, peer("peer2")) == ["peer1 gs"]
    # The volume was deleted or stopped since.
    assert failed.gluster is not None
    gone = msgspec.structs.replace(failed.gluster, volumes=())
    stopped = msgspec.structs.replace(
        failed.gluster, volumes=(msgspec.structs.replace(failed.gluster.volumes[0], status="stopped"),)
    )
    for changed in (gone, stopped):
        assert heals_unknown(msgspec.structs.replace(failed, gluster=changed)) == []
    # Another peer was elected since, and has the answer; an older answer is none.
    for age, expected in ((5, []), (60, ["peer1 gs"])):
        answer = Heals(at=NOW - timedelta(seconds=age), volume="gs", bricks=())
        assert heals_unknown(failed, peer("peer2", heals={"gs": answer})) == expected


def three(lost: dict[int, tuple[int, ...]]) -> list[HostReading]:
    """Three peers of one pool; `lost`: which peers each does not reach."""
    out = []
    for n in (1, 2, 3):
        others = tuple(
            Peer(uuid=f"peer{k}", hostname=f"peer{k}", connected=k not in lost.get(n, ()), state=3)
            for k in (1, 2, 3)
            if k != n
        )
        told = Gluster(
            at=NOW, uuid=f"peer{n}", version="10.3", glusterd_alive=True, peers=others, volumes=(), bricks=()
        )
        out.append(HostReading(host=f"peer{n}", at=NOW, link=UP, roles=("gluster",), gluster=told))
    return out


@pytest.mark.parametrize(
    ("lost", "expected"),
    [
        ({}, {}),
        # As the lab showed when a cable was plugged in again: peer3 is cut off, and says that the others are.
        ({1: (3,), 2: (3,), 3: (1, 2)}, {"peer peer3": "warn"}),
        ({3: (1, 2)}, {"peer peer1": "crit", "peer peer2": "crit"}),
        ({1: (3,)}, {"peer peer3": "warn"}),
        ({1: (2, 3), 2: (1, 3), 3: (1, 2)}, {"peer peer1": "crit", "peer peer2": "crit", "peer peer3": "crit"}),
    ],
)
def test_a_peer_that_is_cut_off_does_not_make_the_others_lost(
    lost: dict[int, tuple[int, ...]], expected: dict[str, str]
) -> None:
    found = findings(three(lost), Thresholds(), NOW)
    assert {f.subject: f.level.value for f in found if f.rule == "gluster.peer-disconnected"} == expected
