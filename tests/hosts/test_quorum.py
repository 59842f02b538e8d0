"""Client quorum of each kind of volume; server quorum as glusterd counts it, lost and foretold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from incident_tui.hosts import health
from incident_tui.hosts.cluster import BrickView
from incident_tui.hosts.quorum import needed_peers, set_level
from incident_tui.hosts.readings import Brick, Gluster, HostReading, Link, LinkState, LocalBrick, Peer, Volume
from incident_tui.hosts.settings import Thresholds
from incident_tui.incident.finding import Finding, Level

NOW = datetime(2026, 11, 24, 3, 10, tzinfo=UTC)
AUTO, NONE = {"cluster.quorum-type": "auto"}, {"cluster.quorum-type": "none"}
FIXED_2 = {"cluster.quorum-type": "fixed", "cluster.quorum-count": "2"}
REFUSED, GONE = "writes refused (client quorum)", "data unavailable"


def replica(count: int, options: dict[str, str], arbiters: int = 0) -> Volume:
    return Volume(name="gv0", status="started", replica=count, arbiters=arbiters, options=options)


@pytest.mark.parametrize(
    ("volume", "bricks", "level", "sentence"),
    [
        # + up, - down, ? not known, in the definition's order
        (replica(2, {}), "+-", Level.WARN, ""),
        (replica(2, {}), "--", Level.CRIT, f"0 of 2 bricks up, {GONE}"),
        (replica(2, AUTO), "+-", Level.WARN, ""),
        (replica(2, AUTO), "-+", Level.CRIT, f"1 of 2 bricks up, {REFUSED}"),
        (replica(2, AUTO), "?-", Level.WARN, ""),
        (replica(2, FIXED_2), "+-", Level.CRIT, f"1 of 2 bricks up, {REFUSED}"),
        (replica(3, {}), "++-", Level.WARN, ""),
        (replica(3, {}), "-+-", Level.CRIT, f"1 of 3 bricks up, {REFUSED}"),
        (replica(3, {}), "-?+", Level.WARN, ""),
        (replica(3, NONE), "-+-", Level.WARN, ""),
        (replica(3, {"cluster.quorum-type": "fixed"}), "-+-", Level.WARN, ""),
        (replica(4, {}), "++--", Level.WARN, ""),
        (replica(4, {}), "-++-", Level.CRIT, f"2 of 4 bricks up, {REFUSED}"),
        (replica(4, {}), "-+++", Level.WARN, ""),
        (replica(4, FIXED_2), "-++-", Level.WARN, ""),
        (replica(4, FIXED_2), "-+--", Level.CRIT, f"1 of 4 bricks up, {REFUSED}"),
        (replica(3, {}, arbiters=1), "++-", Level.WARN, ""),
        (replica(3, {}, arbiters=1), "-++", Level.WARN, ""),
        (replica(3, {}, arbiters=1), "--+", Level.CRIT, f"1 of 3 bricks up, {GONE} (the arbiter holds none)"),
        (replica(3, {}, arbiters=1), "+--", Level.CRIT, f"1 of 3 bricks up, {REFUSED}"),
        (replica(1, {}), "-", Level.CRIT, ""),
    ],
)
def test_client_quorum(volume: Volume, bricks: str, level: Level, sentence: str) -> None:
    assert set_level(volume, group(bricks, volume.arbiters)) == (level, sentence)


def group(bricks: str, arbiters: int = 0) -> list[BrickView]:
    up = {"+": True, "-": False, "?": None}
    return [
        BrickView(name=f"h{n}:/b", host=f"h{n}", up=up[each], arbiter=n >= len(bricks) - arbiters)
        for n, each in enumerate(bricks)
    ]


@pytest.mark.parametrize(
    ("bricks", "options", "level", "sentence"),
    [
        ("++++++", {}, Level.OK, ""),
        ("-+++++", {}, Level.WARN, ""),
        ("-++-++", {}, Level.CRIT, ""),
        ("-++--+", {}, Level.CRIT, f"3 of 6 bricks up, {GONE} (redundancy 2)"),
        (
            "-+++++",
            {"disperse.quorum-count": "6"},
            Level.CRIT,
            "5 of 6 bricks up, writes refused (disperse.quorum-count)",
        ),
    ],
)
def test_disperse_4_plus_2(bricks: str, options: dict[str, str], level: Level, sentence: str) -> None:
    volume = Volume(name="ec", status="started", replica=1, disperse=6, redundancy=2, options=options)
    assert set_level(volume, group(bricks)) == (level, sentence)


@pytest.mark.parametrize(
    ("total", "ratio", "needed"),
    [
        (3, None, 2),
        (2, None, 2),
        (4, None, 3),
        (3, "51%", 2),
        (3, "51", 2),
        (2, "50%", 1),
        (5, "80", 4),
        (3, "junk", 2),
    ],
)
def test_how_many_peers_glusterd_wants(total: int, ratio: str | None, needed: int) -> None:
    assert needed_peers(total, ratio) == needed


def volume(options: dict[str, str], status: str = "started") -> Volume:
    bricks = tuple(Brick(host=f"web{n}", path="/b/gv0", uuid=f"u{n}") for n in (1, 2, 3))
    return Volume(name="gv0", id="v", status=status, replica=3, bricks=bricks, options=options)


def peer(n: int, reaches: str, definition: Volume, at: datetime = NOW) -> HostReading:
    """Host web{n} that reaches only the peers whose numbers stand in `reaches`."""
    others = tuple(
        Peer(uuid=f"u{k}", hostname=f"web{k}", connected=str(k) in reaches, state=3) for k in (1, 2, 3) if k != n
    )
    told = Gluster(
        at=at,
        uuid=f"u{n}",
        glusterd_alive=True,
        peers=others,
        volumes=(definition,),
        bricks=(LocalBrick(volume="gv0", path="/b/gv0", pid=9, alive=True),),
    )
    return HostReading(
        host=f"web{n}", at=at, link=Link(state=LinkState.UP, sentence="", since=NOW, at=NOW), gluster=told
    )


def said(*hosts: HostReading) -> list[Finding]:
    return [one for one in health.findings(hosts, Thresholds(), NOW) if one.rule == "gluster.server-quorum"]


SERVER = {"cluster.server-quorum-type": "server"}


def test_all_peers_connected_is_well() -> None:
    assert said(*(peer(n, "123", volume(SERVER)) for n in (1, 2, 3))) == []


def test_one_peer_lost_foretells_what_the_next_one_costs() -> None:
    (finding,) = said(*(peer(n, "12", volume(SERVER)) for n in (1, 2)))
    assert finding.level is Level.WARN
    assert finding.sentence == ("gv0: 2 of 3 peers connected; if one more is lost, bricks of gv0 stop (server quorum)")


def test_two_peers_lost_is_lost() -> None:
    (finding,) = said(peer(1, "1", volume(SERVER)))
    assert (finding.level, finding.host) == (Level.CRIT, "web1")
    assert finding.sentence == ("gv0: server quorum lost, 1 of 3 peers connected, 2 needed: bricks of gv0 on web1 stop")


def test_a_peer_cut_off_loses_it_alone_and_is_named() -> None:
    (finding,) = said(*(peer(n, "12", volume(SERVER)) for n in (1, 2)), peer(3, "3", volume(SERVER)))
    assert finding.level is Level.CRIT
    assert finding.sentence.endswith("bricks of gv0 on web3 stop")


def test_the_ratio_counts() -> None:
    (finding,) = said(peer(1, "12", volume({**SERVER, "cluster.server-quorum-ratio": "90%"})))
    assert finding.level is Level.CRIT and "2 of 3 peers connected, 3 needed" in finding.sentence
    assert said(peer(1, "12", volume({**SERVER, "cluster.server-quorum-ratio": "30%"}))) == []


def test_what_does_not_count() -> None:
    assert said(peer(1, "1", volume({}))) == []
    assert said(peer(1, "1", volume({"cluster.server-quorum-type": "none"}))) == []
    assert said(peer(1, "1", volume(SERVER, "stopped"))) == []
    assert said(peer(1, "1", volume(SERVER), at=NOW - timedelta(hours=1))) == []
