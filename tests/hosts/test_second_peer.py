"""The two-peers rule, from made-up clusters."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from incident_tui.hosts.cluster import BrickView, ClusterView, VolumeView
from incident_tui.hosts.readings import Heals, Volume
from incident_tui.hosts.readings_gluster import BrickHeal
from incident_tui.hosts.second_peer import at_risk

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


def cluster(*bricks: BrickView, sets: int = 1, **more: Any) -> ClusterView:
    size = len(bricks) // sets
    groups = tuple(bricks[at * size : (at + 1) * size] for at in range(sets))
    fields: dict[str, Any] = {"status": "started"} | more
    volume = VolumeView(
        name="gv0",
        kind="replicate",
        definition=Volume(name="gv0", status="started"),
        at=NOW,
        seen_by="w",
        sets=groups,
        **fields,
    )
    return ClusterView(peers=(), volumes=(volume,))


def brick(host: str, up: bool | None = True, pending: int | None = 0) -> BrickView:
    return BrickView(name=f"{host}:/b", host=host, up=up, pending=pending)


def test_nothing_is_at_risk_while_the_others_are_well() -> None:
    assert at_risk(cluster(brick("web1"), brick("web2", False), brick("web3")), "web2") == ()
    assert at_risk(cluster(brick("web1"), brick("web2")), "build1") == ()


def test_a_brick_that_is_down_or_not_known_on_another_peer() -> None:
    found = cluster(brick("web1"), brick("web2", False), brick("web3", None))
    assert at_risk(found, "WEB1") == ("gv0: web2:/b is down, web3:/b is not known to be up",)
    assert at_risk(found, "web2") == ("gv0: web3:/b is not known to be up",)


def test_what_is_to_be_healed() -> None:
    assert at_risk(cluster(brick("web1", pending=None), brick("web2", pending=12)), "web1") == (
        "gv0: 12 entries are to be healed",
    )
    heals = Heals(at=NOW, volume="gv0", bricks=(BrickHeal(name="web2:/b", connected=True, pending=3),))
    assert at_risk(cluster(brick("web1"), brick("web2"), heals=heals), "web1") == ("gv0: 3 entries are to be healed",)


def test_another_set_of_bricks_and_a_stopped_volume_do_not_matter() -> None:
    two = cluster(brick("web1"), brick("web2"), brick("web3", False), brick("web4"), sets=2)
    assert at_risk(two, "web1") == () and at_risk(two, "web4")
    assert at_risk(cluster(brick("web1"), brick("web2", False), status="stopped"), "web1") == ()
