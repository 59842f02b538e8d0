"""Space on bricks, rebalance, quota, geo-replication, drifted configurations: what is said, and what stays unknown."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from incident_tui.fleet.locking import HEAL_LOW_SECONDS, Locking
from incident_tui.fleet.settings import Fleet as FleetSettings
from incident_tui.hosts import health
from incident_tui.hosts.readings import (
    Brick,
    Gap,
    GapKind,
    GeoPair,
    GeoReplication,
    Gluster,
    HostReading,
    Link,
    LinkState,
    LocalBrick,
    Memory,
    Peer,
    QuotaLimit,
    Quotas,
    Rebalance,
    RebalanceNode,
    Task,
    Volume,
    VolumeStatus,
)
from incident_tui.hosts.settings import Thresholds
from incident_tui.incident.finding import Level

NOW = datetime(2026, 11, 24, 3, 10, tzinfo=UTC)
NAMES = ("web1", "web2", "web3")
GV0 = Volume(
    name="gv0",
    id="v-0",
    status="started",
    kind="Replicate",
    replica=3,
    bricks=tuple(Brick(host=name, path="/b/gv0", uuid=f"u-{name}") for name in NAMES),
    options={"features.quota": "on", "geo-replication.indexing": "on"},
)


def host(name: str, volume: Volume = GV0, brick: LocalBrick | None = None, **fields: Any) -> HostReading:
    peers = tuple(Peer(uuid=f"u-{n}", hostname=n, connected=True, state=3) for n in NAMES if n != name)
    local = brick or LocalBrick(volume="gv0", path="/b/gv0", pid=7, alive=True)
    gluster = Gluster(
        at=NOW,
        uuid=f"u-{name}",
        version="3.7.9",
        glusterd_alive=True,
        defined_since=NOW - timedelta(minutes=5),
        peers=peers,
        volumes=(volume,),
        bricks=(local,),
    )
    link = Link(state=LinkState.UP, sentence="", since=NOW, at=NOW)
    return HostReading(host=name, at=NOW, link=link, gluster=gluster, **fields)


def said(*readings: HostReading, now: datetime = NOW) -> dict[str, tuple[Level, str]]:
    return {f.rule: (f.level, f.sentence) for f in health.findings(readings, Thresholds(), now)}


def three(first: HostReading) -> list[HostReading]:
    return [first, *(host(name) for name in NAMES[1:])]


def test_a_full_brick_and_its_inodes() -> None:
    brick = LocalBrick(
        volume="gv0", path="/b/gv0", pid=7, alive=True, size=100 << 30, free=5 << 30, inodes=1000, inodes_free=150
    )
    found = said(*three(host("web1", brick=brick)))
    assert found["gluster.brick-full"] == (Level.CRIT, "gv0: web1:/b/gv0 95% full, 5.0 GiB left")
    assert found["gluster.brick-inodes"] == (Level.WARN, "gv0: web1:/b/gv0 85% of inodes used")


def test_a_brick_that_fills_is_said_before_it_is_full() -> None:
    brick = LocalBrick(volume="gv0", path="/b/gv0", pid=7, alive=True, size=100 << 30, free=50 << 30, growing=5e6)
    found = said(*three(host("web1", brick=brick)))
    assert found["gluster.brick-full"] == (Level.WARN, "gv0: web1:/b/gv0 50% full, 50.0 GiB left; full in about 3 h")
    slowly = msgspec.structs.replace(brick, growing=1e6)
    assert "gluster.brick-full" not in said(*three(host("web1", brick=slowly)))  # a quarter of an hour is no evidence


def test_rebalance_quota_and_geo_replication() -> None:
    node = RebalanceNode(host="web2", files=3, size=9, failures=2, status="in progress")
    over = QuotaLimit(path="/files", hard=10 << 30, used=11 << 30, soft_exceeded=True, hard_exceeded=True)
    pair = GeoPair(volume="gv0", primary_node="web1", primary_brick="/b/gv0", secondary="b::c", status="Faulty")
    found = said(
        *three(
            host(
                "web1",
                rebalances={"gv0": Rebalance(at=NOW, volume="gv0", status="in progress", nodes=(node,))},
                quotas={"gv0": Quotas(at=NOW, volume="gv0", limits=(over,))},
                geo_replication=GeoReplication(at=NOW, pairs=(pair,)),
            )
        )
    )
    assert found["gluster.rebalance-failed"] == (
        Level.WARN,
        "gv0: rebalance in progress, 2 files could not be moved",
    )
    assert found["gluster.quota"] == (Level.CRIT, "gv0: /files over its hard limit, 11.0 GiB of 10.0 GiB")
    assert found["gluster.geo-replication"] == (Level.CRIT, "gv0: geo-replication web1 to b::c Faulty")


def test_files_that_an_active_copy_left_behind_are_said() -> None:
    pair = GeoPair(volume="gv0", primary_node="web1", primary_brick="/b", secondary="b::c", status="Active")

    def copied(failures: int | None) -> tuple[Level, str] | None:
        pairs = (msgspec.structs.replace(pair, failures=failures),)
        return said(*three(host("web1", geo_replication=GeoReplication(at=NOW, pairs=pairs)))).get(
            "gluster.geo-replication"
        )

    assert copied(4) == (Level.WARN, "gv0: geo-replication web1 to b::c Active, 4 files not copied")
    assert copied(0) is None and copied(None) is None


def test_what_was_bad_and_cannot_be_read_again_is_unknown() -> None:
    pair = GeoPair(volume="gv0", primary_node="web1", primary_brick="/b", secondary="b::c", status="Faulty")
    old = GeoReplication(at=NOW - timedelta(hours=2), pairs=(pair,))
    level, sentence = said(*three(host("web1", geo_replication=old)))["gluster.geo-replication"]
    assert level is Level.UNKNOWN
    assert sentence == "gv0: geo-replication web1 to b::c Faulty, last read 2 h ago"


def test_peers_that_define_a_volume_differently() -> None:
    drifted = msgspec.structs.replace(GV0, options={**GV0.options, "nfs.disable": "off"})
    found = said(host("web1"), host("web2", drifted), host("web3"))
    assert found["gluster.peers-disagree"] == (Level.WARN, "gv0: peers disagree: web2 has another nfs.disable")
    unaware = host("web3")
    assert unaware.gluster is not None
    unaware = msgspec.structs.replace(unaware, gluster=msgspec.structs.replace(unaware.gluster, volumes=()))
    assert "web3 does not know it" in said(host("web1"), host("web2"), unaware)["gluster.peers-disagree"][1]
    assert "gluster.peers-disagree" not in said(*three(host("web1")))
    changing = host("web2", drifted)
    assert changing.gluster is not None
    changing = msgspec.structs.replace(changing, gluster=msgspec.structs.replace(changing.gluster, defined_since=NOW))
    assert "gluster.peers-disagree" not in said(host("web1"), changing, host("web3"))  # being made just now


def words(reading: HostReading, locking: Locking, minutes: float) -> set[str]:
    return {word for each in locking.due(reading, NOW + timedelta(minutes=minutes)) for word in each}


def test_only_what_is_there_is_asked_and_seldom() -> None:
    locking = Locking(FleetSettings(), random.Random(1))
    every = words(host("web1"), locking, 0)
    assert every == {"status:gv0", "heal:gv0", "split:gv0", "quota:gv0", "geo:gv0"}
    assert words(host("web1"), locking, 1) == {"status:gv0"}
    plain = Locking(FleetSettings(), random.Random(1))
    bare = host("web1", msgspec.structs.replace(GV0, options={}))
    assert words(bare, plain, 0) == {"status:gv0", "heal:gv0", "split:gv0"}
    kept = host("web1", msgspec.structs.replace(GV0, options={}, snapshots=2))
    assert "snaps:gv0" in words(kept, plain, 6) and "snaps:gv0" not in words(kept, plain, 10)
    task = Task(kind="Rebalance", status="in progress")
    moving = host("web1", volume_status={"gv0": VolumeStatus(at=NOW, volume="gv0", bricks=(), tasks=(task,))})
    assert "rebalance:gv0" in words(moving, plain, 1)


def test_how_seldom_is_a_setting() -> None:
    locking = Locking(FleetSettings(seldom_seconds=30.0), random.Random(1))
    words(host("web1"), locking, 0)
    assert {"quota:gv0", "geo:gv0"} <= words(host("web1"), locking, 0.5)
    assert "geo:gv0" in words(host("web1", geo_replication=geo("Faulty")), locking, 0.6)


def geo(status: str) -> GeoReplication:
    pair = GeoPair(volume="gv0", primary_node="web1", primary_brick="/b", secondary="ssh://far::copy", status=status)
    return GeoReplication(at=NOW, pairs=(pair,))


@pytest.mark.parametrize("status", ["Faulty", "Stopped", "Initializing..."])
def test_geo_replication_that_is_not_well_is_asked_again_soon(status: str) -> None:
    locking = Locking(FleetSettings(), random.Random(1))
    assert "geo:gv0" in words(host("web1"), locking, 0)
    unwell = host("web1", geo_replication=geo(status))
    assert "geo:gv0" not in words(unwell, locking, 0.5)
    due = words(unwell, locking, 1)
    assert "geo:gv0" in due and "quota:gv0" not in due
    well = host("web1", geo_replication=geo("Active"))
    assert "geo:gv0" not in words(well, locking, 3) and "geo:gv0" in words(well, locking, 6)


def test_geo_replication_that_another_command_hid_is_asked_again_soon() -> None:
    locking = Locking(FleetSettings(), random.Random(1))
    words(host("web1"), locking, 0)
    busy = {"geo_replication": Gap(at=NOW, kind=GapKind.BUSY, sentence="busy")}
    assert "geo:gv0" in words(host("web1", gaps=busy), locking, 1)


def test_heal_info_is_asked_less_often_where_memory_is_low() -> None:
    low = host("web1", memory=Memory(at=NOW, total=100, available=10, estimated=True))
    locking = Locking(FleetSettings(), random.Random(1))
    assert "heal:gv0" in words(low, locking, 0)
    assert "heal:gv0" not in words(low, locking, HEAL_LOW_SECONDS / 60 - 1)
    assert "heal:gv0" in words(low, locking, HEAL_LOW_SECONDS / 60)
