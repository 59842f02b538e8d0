"""Which peer is asked what locks or costs memory: by silence, by memory, by what hangs; and what is left of who was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from incident_tui.fleet.fleet import HUNG_REST, SPARED_REST, Fleet
from incident_tui.fleet.settings import Fleet as FleetSettings
from incident_tui.fleet.settings import Host
from incident_tui.hosts.readings import (
    Gap,
    GapKind,
    Gluster,
    Heals,
    HostReading,
    Link,
    LinkState,
    Memory,
    Peer,
    Swapping,
    Volume,
)

START = datetime(2026, 11, 28, 3, 10, tzinfo=UTC)
NAMES = ("web1", "web2", "web3")
GV0 = Volume(name="gv0", id="v-0", status="started", kind="Replicate", replica=3, bricks=())


class Pool:
    """Three peers as the fleet hears them, at a time that the test moves."""

    def __init__(self) -> None:
        self.now = START
        self.shown: dict[str, HostReading] = {}
        self.fleet = Fleet([Host(name=name) for name in NAMES], FleetSettings(), lambda: self.now, self._show)

    def _show(self, reading: HostReading) -> None:
        self.shown[reading.host] = reading

    def hear(self, name: str, available: int = 60, *, swaps: float = 0.0, **fields: Any) -> list[str]:
        """One reading; who is elected then."""
        peers = tuple(Peer(uuid=f"u-{n}", hostname=n, connected=True, state=3) for n in NAMES if n != name)
        told = Gluster(
            at=self.now, uuid=f"u-{name}", version="3.7.9", glusterd_alive=True, peers=peers, volumes=(GV0,), bricks=()
        )
        reading = HostReading(
            host=name,
            at=self.now,
            link=Link(state=LinkState.UP, sentence="", since=START, at=self.now),
            roles=("gluster",),
            memory=Memory(at=self.now, total=100, available=available, estimated=False),
            swapping=Swapping(at=self.now, pages_in=swaps, pages_out=0.0),
            gluster=told,
        )
        link = self.fleet.links[name]
        link._assembler.reading = msgspec.structs.replace(reading, **fields)
        self.fleet._heard(link.reading)
        return self.elected

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @property
    def elected(self) -> list[str]:
        return [name for name, link in self.fleet.links.items() if link.elected]

    def due(self, name: str) -> set[str]:
        """The words it would run now."""
        link = self.fleet.links[name]
        return {word for each in link.locking.due(self.fleet.readings[name], self.now) for word in each}


@pytest.fixture
def pool() -> Pool:
    return Pool()


def test_the_first_that_answers_is_elected_and_stays_while_it_answers(pool: Pool) -> None:
    assert pool.hear("web2", 60) == ["web2"]
    assert pool.hear("web1", 90) == ["web2"]
    assert pool.hear("web3", 90) == ["web2"]


@pytest.mark.parametrize("low", [{"available": 10}, {"swaps": 3.0}], ids=["memory", "swapping"])
def test_one_low_on_memory_hands_over_to_one_that_is_not(pool: Pool, low: dict[str, Any]) -> None:
    assert pool.hear("web1", **low) == ["web1"], "nobody else is known yet"
    assert pool.hear("web3", 30) == ["web3"], "it is spared as soon as another can be asked"
    assert pool.hear("web2", 90) == ["web3"]


def test_where_all_are_low_on_memory_nobody_changes_places(pool: Pool) -> None:
    assert pool.hear("web1", 5) == ["web1"]
    assert pool.hear("web2", 14) == ["web1"]


def test_two_that_swap_now_and_then_do_not_change_places_each_round(pool: Pool) -> None:
    pool.hear("web1", swaps=1.0)
    assert pool.hear("web2") == ["web2"]
    pool.later(5)
    pool.hear("web1")
    assert pool.hear("web2", swaps=1.0) == ["web2"]
    pool.later(SPARED_REST.total_seconds() - 5)
    pool.hear("web1")
    assert pool.hear("web2", swaps=1.0) == ["web1"]


def test_who_takes_over_asks_nothing_sooner_than_its_turn(pool: Pool) -> None:
    pool.hear("web1", 5)
    assert pool.due("web1") == {"status:gv0", "heal:gv0", "split:gv0"}
    pool.later(10)
    assert pool.hear("web2") == ["web2"]
    assert pool.due("web2") == set(), "less than 30 s since the last lock, wherever it was taken"
    pool.later(50)
    assert pool.due("web2") == {"status:gv0"}
    pool.later(240)
    assert "heal:gv0" in pool.due("web2"), "heals are asked for at the pace of a peer with memory to spare"


def test_one_that_falls_silent_is_replaced_without_a_wait(pool: Pool) -> None:
    pool.hear("web1")
    pool.due("web1")
    pool.hear("web2")
    lost = Link(state=LinkState.LOST, sentence="gone", since=pool.now, at=pool.now)
    assert pool.hear("web1", link=lost) == ["web2"]
    assert "heal:gv0" in pool.due("web2")


def test_one_whose_readings_grow_old_is_replaced_though_nothing_comes_from_it(pool: Pool) -> None:
    pool.hear("web1")
    pool.hear("web2")
    for _ in range(10):
        pool.later(10)
        pool.hear("web2")
    assert pool.elected == ["web2"]


def test_one_whose_command_hung_rests_for_five_minutes(pool: Pool) -> None:
    pool.hear("web1")
    pool.hear("web2")
    hung = Gap(at=pool.now, kind=GapKind.HUNG, sentence="volume status: no answer within 150 s")
    assert pool.hear("web1", gaps={"volume_status:gv0": hung}) == ["web2"]
    assert pool.hear("web1") == ["web2"]


def test_what_a_peer_could_not_ask_is_forgotten_when_another_has_the_answer(pool: Pool) -> None:
    busy = Gap(at=pool.now, kind=GapKind.BUSY, sentence="GlusterFS is busy")
    gaps = {"heals:gv0": busy, "volume_status:gv0": busy, "clock": busy}
    pool.hear("web1", 5, gaps=gaps)
    older = {"gv0": Heals(at=pool.now - timedelta(seconds=1), volume="gv0", bricks=())}
    pool.hear("web2", heals=older)
    assert set(pool.shown["web1"].gaps) == set(gaps), "an older answer is none"
    pool.later(5)
    pool.hear("web2", heals={"gv0": Heals(at=pool.now, volume="gv0", bricks=())})
    assert set(pool.shown["web1"].gaps) == {"volume_status:gv0", "clock"}
    assert pool.fleet.readings["web1"] is pool.fleet.links["web1"].reading is pool.shown["web1"]


def test_that_a_command_hung_is_known_for_as_long_as_it_counts(pool: Pool) -> None:
    hung = {"heals:gv0": Gap(at=pool.now, kind=GapKind.HUNG, sentence="no answer within 90 s")}
    pool.hear("web1", gaps=hung)
    for after, left in ((10.0, set(hung)), (HUNG_REST.total_seconds(), set())):
        pool.later(after)
        pool.hear("web2", heals={"gv0": Heals(at=pool.now, volume="gv0", bricks=())})
        assert set(pool.fleet.readings["web1"].gaps) == left


def test_the_remark_of_another_cluster_stays(pool: Pool) -> None:
    busy = {"heals:gv0": Gap(at=pool.now, kind=GapKind.BUSY, sentence="GlusterFS is busy")}
    told = Gluster(at=pool.now, uuid="u-1", version="3.7.9", glusterd_alive=True, peers=(), volumes=(GV0,), bricks=())
    pool.hear("web1", gluster=told)
    peers = (Peer(uuid="u-1", hostname="web1", connected=True, state=3),)
    pool.hear("web3", gaps=busy, gluster=msgspec.structs.replace(told, uuid="u-3", peers=peers))
    pool.later(5)
    other = msgspec.structs.replace(told, uuid="u-2", at=pool.now)
    pool.hear("web2", heals={"gv0": Heals(at=pool.now, volume="gv0", bricks=())}, gluster=other)
    assert pool.elected == ["web1", "web2"] and "heals:gv0" in pool.shown["web3"].gaps


def test_a_host_that_is_not_kept_is_read_no_more_and_is_no_candidate(pool: Pool) -> None:
    for name in NAMES:
        pool.hear(name)
    (elected,) = pool.elected
    rest = [name for name in NAMES if name != elected]
    late = pool.fleet.links[elected].reading
    pool.fleet.keep(rest)
    assert set(pool.fleet.links) == set(pool.fleet.readings) == set(rest)
    pool.later(2)
    pool.shown.clear()
    pool.fleet._heard(late)  # its last word
    assert not pool.shown
    assert pool.hear(rest[0]) and pool.elected[0] in rest
    pool.fleet.keep(NAMES)
    assert pool.fleet.readings[elected].link.state is LinkState.NEVER
