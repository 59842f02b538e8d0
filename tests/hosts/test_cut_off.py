"""Bricks of a peer that is cut off, and of one whose glusterd hangs: told without any command that takes a lock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incident_tui.hosts.health import findings
from incident_tui.hosts.readings import (
    Brick,
    BrickStatus,
    Gluster,
    HostReading,
    Link,
    LinkState,
    LocalBrick,
    Peer,
    Volume,
    VolumeStatus,
)
from incident_tui.hosts.settings import Thresholds

NOW = datetime(2026, 11, 28, 3, 10, tzinfo=UTC)
LIMITS = Thresholds()


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def volume() -> Volume:
    bricks = tuple(Brick(host=f"web{n}", path="/b/gv0", uuid=f"u{n}") for n in (1, 2, 3))
    return Volume(name="gv0", id="v", status="started", kind="Replicate", replica=3, bricks=bricks)


def peer(n: int, **changes: Any) -> HostReading:
    """Peer n, well and just read, reaching the others; `lost`: numbers it does not reach."""
    lost, state = changes.pop("lost", ()), changes.pop("link", LinkState.UP)
    read, looked = changes.pop("read", 5.0), changes.pop("looked", 1.0)
    others = tuple(
        Peer(uuid=f"u{k}", hostname=f"web{k}", names=(f"web{k}",), connected=k not in lost, state=3)
        for k in (1, 2, 3)
        if k != n
    )
    brick = LocalBrick(
        volume="gv0", path="/b/gv0", name=f"web{n}:/b/gv0", pid=70 + n, alive=True, looked_at=ago(looked)
    )
    gluster = Gluster(
        at=ago(read),
        uuid=f"u{n}",
        glusterd_alive=changes.pop("glusterd", True),
        peers=others,
        volumes=(volume(),),
        bricks=(brick,),
    )
    rows = tuple(BrickStatus(host=f"web{k}", path="/b/gv0", online=True, pid=70 + k) for k in (1, 2, 3))
    status = VolumeStatus(at=ago(20), volume="gv0", bricks=rows, services=())
    link = Link(state=state, sentence="", since=ago(9), at=ago(9))
    told = {"gv0": status} if n == 1 else {}
    return HostReading(host=f"web{n}", at=ago(read), link=link, gluster=gluster, volume_status=told, **changes)


def bricks(*hosts: HostReading) -> dict[str, str]:
    """What is said of bricks: subject -> rule and why."""
    found = findings(hosts, LIMITS, NOW)
    return {
        one.subject.removeprefix("gv0 "): f"{one.rule.removeprefix('gluster.')} {one.level.value} {one.sentence}"
        for one in found
        if one.rule.startswith("gluster.brick-")
    }


def test_a_peer_that_nobody_reaches_has_its_brick_down_before_any_status_is_asked() -> None:
    found = bricks(peer(1, lost=(3,)), peer(2, lost=(3,)), peer(3, link=LinkState.LOST))
    assert found == {
        "web3:/b/gv0": "brick-down warn gv0: 2 of 3 bricks up; web3:/b/gv0 is down (its peer does not answer)"
    }


@pytest.mark.parametrize(
    "third",
    [
        {},
        {"link": LinkState.LOST, "glusterd": False},
        {"link": LinkState.LOST, "glusterd": None},
    ],
)
def test_one_that_we_reach_or_whose_glusterd_did_not_run_still_serves(third: dict[str, Any]) -> None:
    assert bricks(peer(1, lost=(3,)), peer(2, lost=(3,)), peer(3, **third)) == {}


def test_one_that_another_peer_still_reaches_is_not_down() -> None:
    assert bricks(peer(1, lost=(3,)), peer(2), peer(3, link=LinkState.LOST)) == {}


def test_who_is_cut_off_itself_and_read_long_ago_accuses_nobody() -> None:
    alone = peer(1, lost=(2, 3), link=LinkState.LOST, read=LIMITS.slow_max_age + 9, looked=LIMITS.slow_max_age + 9)
    found = bricks(alone, peer(2, lost=(1,)), peer(3, lost=(1,)))
    assert list(found) == ["web1:/b/gv0"] and found["web1:/b/gv0"].startswith("brick-down warn")


def test_a_process_seen_a_second_ago_runs_though_its_glusterd_has_not_answered_for_long() -> None:
    hung = peer(3, read=LIMITS.slow_max_age + 60, glusterd=None)
    without_status = [h for h in (peer(2), hung)]
    assert bricks(*without_status).get("web3:/b/gv0") is None
    gone = peer(3, read=LIMITS.slow_max_age + 60, looked=LIMITS.slow_max_age + 60)
    assert bricks(peer(2), gone)["web3:/b/gv0"].startswith("brick-unknown")
