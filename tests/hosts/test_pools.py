"""Peers of several clusters: each counts for itself, and who fell silent has not taken back what it said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from incident_tui.hosts import cluster
from incident_tui.hosts.health import findings
from incident_tui.hosts.readings import Gluster, HostReading, Link, LinkState, Peer
from incident_tui.hosts.settings import Thresholds
from incident_tui.incident.finding import Finding, Level

NOW = datetime(2026, 11, 23, 3, 10, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
LIMITS = Thresholds()


def host(name: str, others: dict[str, bool], at: datetime = NOW) -> HostReading:
    """A host whose glusterd says of each other peer whether it is connected; peers have addresses, not our names."""
    listed = tuple(
        Peer(uuid=f"uuid-{each}", hostname=f"10.0.0.{each[-1]}", connected=up, state=3) for each, up in others.items()
    )
    told = Gluster(at=at, uuid=f"uuid-{name}", glusterd_alive=True, peers=listed)
    link = Link(state=LinkState.UP, sentence="", since=at, at=at)
    return HostReading(host=name, at=at, link=link, gluster=told)


def ring(*names: str, cut: str = "") -> list[HostReading]:
    return [host(n, {o: cut not in (n, o) for o in names if o != n}) for n in names]


def peers(hosts: Sequence[HostReading], now: datetime = NOW) -> list[Finding]:
    return [found for found in findings(hosts, LIMITS, now) if found.rule.startswith("gluster.peer-")]


@pytest.mark.parametrize("others", [[], ["b1", "b2", "b3"], ["b1", "b2"], ["b1", "b2", "b3", "b4", "b5"]])
def test_each_cluster_counts_its_own_peers(others: list[str]) -> None:
    (found,) = peers([*ring("a1", "a2", "a3", cut="a3"), *ring(*others)])
    assert (found.subject, found.level, found.host) == ("peer a3", Level.WARN, "a3")
    assert found.sentence == "peer a3 disconnected, says a1, a2; 2 of 3 peers connected"


def test_two_clusters_with_one_loss_each_are_not_a_lost_majority() -> None:
    found = peers([*ring("a1", "a2", "a3", cut="a3"), *ring("b1", "b2", "b3", cut="b1")])
    assert [(f.subject, f.level) for f in found] == [("peer a3", Level.WARN), ("peer b1", Level.WARN)]
    assert all("2 of 3" in f.sentence for f in found)


def test_a_loss_whose_only_witness_fell_silent_is_unknown() -> None:
    hosts = [host("a1", {"a2": True, "a3": False}), host("a2", {"a1": True, "a3": True}, LATER)]
    hosts.append(host("a3", {"a1": True, "a2": True}, LATER))
    (found,) = peers(hosts, LATER)
    assert (found.rule, found.level, found.subject) == ("gluster.peer-disconnected", Level.UNKNOWN, "peer a3")


def test_all_witnesses_silent_keeps_the_loss_as_unknown_under_our_name() -> None:
    hosts = ring("a1", "a2", "a3", cut="a3")
    assert {f.subject for f in peers(hosts)} == {"peer a3"}
    later = peers(hosts, LATER)
    assert {f.level for f in later} == {Level.UNKNOWN} and "peer a3" in {f.subject for f in later}


def test_what_a_cut_off_peer_said_last_is_no_doubt_about_the_others() -> None:
    cut = host("a3", {"a1": False, "a2": False})
    hosts = [host("a1", {"a2": True, "a3": False}, LATER), host("a2", {"a1": True, "a3": False}, LATER), cut]
    (found,) = peers(hosts, LATER)
    assert (found.subject, found.level) == ("peer a3", Level.WARN)


def test_a_witness_whose_glusterd_went_down_has_not_taken_it_back() -> None:
    one = host("a1", {"a2": False})
    assert one.gluster is not None
    dead = msgspec.structs.replace(one, gluster=msgspec.structs.replace(one.gluster, glusterd_alive=False))
    (view,) = cluster.view([dead], LIMITS, NOW).peers
    assert view.connected is None and view.doubted_by == ("a1",)


def test_a_peer_that_is_connected_but_rejected_is_critical() -> None:
    one = host("a1", {"a2": True})
    assert one.gluster is not None
    rejected = msgspec.structs.replace(one.gluster.peers[0], state=2, state_text="Peer rejected")
    one = msgspec.structs.replace(one, gluster=msgspec.structs.replace(one.gluster, peers=(rejected,)))
    (found,) = peers([one])
    assert (found.rule, found.level) == ("gluster.peer-rejected", Level.CRIT)
