"""Bastions over a real cluster that is not well: nothing that was saved is lost, and it says what is wrong."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from incident_tui.replica.problem import FULL
from incident_tui.replica.settings import Replica
from tests.nats import Cluster, Node
from tests.replica.bastions import Bastion, bastions, now, until

pytestmark = pytest.mark.lab


async def leader(cluster: Cluster, settings: Replica) -> Node:
    return await asyncio.to_thread(cluster.a_leader, settings.stream)


def others(cluster: Cluster, node: Node) -> list[Node]:
    return [one for one in cluster.nodes if one is not node]


async def written_while(a: Bastion, b: Bastion) -> None:
    """Entries that are written now arrive, in both directions."""
    a.write("on a, while it is so")
    b.write("on b, while it is so")
    await until(lambda: a.has(b) and b.has(a))


async def test_the_leader_is_killed(nats_cluster: Cluster, on_cluster: Replica, tmp_path: Path) -> None:
    async with bastions(tmp_path, on_cluster) as (a, b):
        await written_while(a, b)
        (await leader(nats_cluster, on_cluster)).kill()
        await written_while(a, b)
        assert len(a.texts(b)) == 2


async def test_a_follower_is_killed(nats_cluster: Cluster, on_cluster: Replica, tmp_path: Path) -> None:
    async with bastions(tmp_path, on_cluster) as (a, b):
        await written_while(a, b)
        others(nats_cluster, await leader(nats_cluster, on_cluster))[0].kill()
        await written_while(a, b)


async def test_a_server_that_hangs_is_left_for_another(
    nats_cluster: Cluster, on_cluster: Replica, tmp_path: Path
) -> None:
    async with bastions(tmp_path, on_cluster) as (a, b):
        await until(lambda: a.well and b.well)
        assert a.jet is not None
        hung = next(node for node in nats_cluster.nodes if a.jet and node.name == a.jet.row.detail)
        hung.pause()
        await written_while(a, b)
        await until(lambda: a.jet is not None and a.jet.row.detail not in ("", hung.name))


async def test_a_node_that_is_parted_from_the_others(
    nats_cluster: Cluster, on_cluster: Replica, tmp_path: Path
) -> None:
    """A bastion that is connected to it is not fooled by a server that answers: it goes to the others."""
    async with bastions(tmp_path, on_cluster) as (a, b):
        await until(lambda: a.well and b.well)
        assert a.jet is not None
        number = next(at for at, node in enumerate(nats_cluster.nodes) if a.jet and node.name == a.jet.row.detail)
        for other in {0, 1, 2} - {number}:
            nats_cluster.part(number, other)
        await written_while(a, b)
        assert len(b.texts(a)) == 1


async def test_a_bastion_that_is_cut_off(nats_cluster: Cluster, on_cluster: Replica, tmp_path: Path) -> None:
    """Both sides go on writing, and when it is back each has the other's entries, and the journal says how long."""
    ways = [nats_cluster.way(number) for number in range(3)]
    through = tuple(f"nats://127.0.0.1:{way.port}" for way in ways)
    shift = timedelta(0)

    def clock() -> datetime:
        return now() + shift

    async with bastions(tmp_path, on_cluster, "b") as (b,):
        a = Bastion(tmp_path / "a", "a", msgspec.structs.replace(on_cluster, servers=through, name="bastion-1"))
        try:
            a.start(clock)
            await written_while(a, b)
            for way in ways:
                way.cut()
            a.write("alone")
            b.write("without a")
            shift = timedelta(minutes=7)
            await until(lambda: a.problem.count("127.0.0.1:") == 3)  # each server is named
            assert "not reached" in a.problem
            for way in ways:
                way.heal()
            await until(lambda: a.has(b) and b.has(a))
            await until(lambda: a.gaps)
            (gap,) = a.gaps
            assert gap.text.startswith("bastion-1 did not reach the other bastions over NATS from ")
            assert gap.text.endswith(": 1 of their entries came here and 1 went from here after that")
            since, until_ = (datetime.fromisoformat(gap.data[name]) for name in ("from", "until"))
            assert timedelta(minutes=6) < until_ - since < timedelta(minutes=9)
            assert gap.data["replica"] == "bastion-1"
        finally:
            await a.stop()
            a.store.close()


async def test_packets_that_vanish_are_no_connection(
    nats_cluster: Cluster, on_cluster: Replica, tmp_path: Path
) -> None:
    way = nats_cluster.way(0)
    settings = msgspec.structs.replace(on_cluster, servers=(f"nats://127.0.0.1:{way.port}",))
    async with bastions(tmp_path, on_cluster, "b") as (b,):
        a = Bastion(tmp_path / "a", "a", settings)
        try:
            a.start()
            await written_while(a, b)
            way.stall()
            a.write("nobody hears this yet")
            await until(lambda: a.problem)
            way.heal()
            await until(lambda: b.has(a))
        finally:
            await a.stop()
            a.store.close()


async def test_a_slow_way_between_the_nodes(nats_cluster: Cluster, on_cluster: Replica, tmp_path: Path) -> None:
    nats_cluster.slow(0.15)
    async with bastions(tmp_path, on_cluster) as (a, b):
        a.write(*(f"{number}" for number in range(300)))
        b.write(*(f"{number}" for number in range(300)))
        await until(lambda: a.has(b) and b.has(a) and a.well and b.well)


async def test_every_server_is_restarted_in_turn(nats_cluster: Cluster, on_cluster: Replica, tmp_path: Path) -> None:
    async with bastions(tmp_path, on_cluster) as (a, b):
        for node in nats_cluster.nodes:
            a.write(f"before {node.name} goes")
            await asyncio.to_thread(node.stop)
            b.write(f"while {node.name} is away")
            node.start()
            await asyncio.to_thread(nats_cluster.ready)
        await until(lambda: a.has(b) and b.has(a) and a.well and b.well)
        assert (len(b.texts(a)), len(a.texts(b))) == (3, 3)


async def test_a_clock_that_is_an_hour_off(on_cluster: Replica, tmp_path: Path) -> None:
    """Order on the stream is by number, ages are of one clock: neither a bastion nor a server needs the right time."""

    def ahead() -> datetime:
        return now() + timedelta(hours=1)

    async with bastions(tmp_path, on_cluster, "b") as (b,):
        a = Bastion(tmp_path / "a", "a", on_cluster)
        try:
            a.start(ahead)
            await written_while(a, b)
            await until(lambda: a.well and b.well)
        finally:
            await a.stop()
            a.store.close()


async def test_a_cluster_that_is_full_says_so_and_nothing_is_lost(
    own_cluster: Callable[..., Cluster], tmp_path: Path
) -> None:
    cluster = own_cluster(store="2MB")
    settings = Replica(servers=tuple(cluster.urls), stream="FULL")
    async with bastions(tmp_path, settings) as (a, b):
        for number in range(40):
            a.write(*(f"{number} {each} " + "x" * 1000 for each in range(100)))
        await until(lambda: FULL in a.problem)
        written = a.store.head().seq
        await until(lambda: b.has(a))
        assert a.jet is not None and a.jet.publisher.done < written, "what b has came past the stream"
        for node in cluster.nodes:
            node.conf.write_text(node.conf.read_text().replace("2MB", "200MB"))
            await asyncio.to_thread(node.stop)
        for node in cluster.nodes:
            node.start()
        await until(lambda: b.has(a) and a.well)
        assert a.store.head().seq == written


@pytest.fixture
def small_disks(tmp_path: Path, needs_root: None) -> Iterator[Callable[..., None]]:
    """`small_disks(count, size)`: the first nodes of `own_cluster` have a file system of their own; again: its new
    size."""
    places = [tmp_path / "nats0" / f"n{number}" / "js" for number in (1, 2, 3)]
    mounted: list[Path] = []

    def make(count: int, size: str) -> None:
        for place in places[:count]:
            place.mkdir(parents=True, exist_ok=True)
            how = ["remount,"] if place in mounted else [""]
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"{how[0]}size={size}", "tmpfs", place], check=True)
            if place not in mounted:
                mounted.append(place)

    yield make
    for place in mounted:
        subprocess.run(["umount", "-l", place], check=True)


@pytest.mark.parametrize("full", [1, 3])
async def test_disks_of_servers_that_are_full(
    own_cluster: Callable[..., Cluster], small_disks: Callable[..., None], tmp_path: Path, full: int
) -> None:
    """One: the two others have everything. All: nothing goes out, it is said, and it goes on once there is room."""
    small_disks(full, "3m")
    cluster = await asyncio.to_thread(own_cluster)
    settings = Replica(servers=tuple(cluster.urls), stream="DISKS")
    async with bastions(tmp_path, settings) as (a, b):
        a.write("first")
        await until(lambda: b.has(a))
        for number in range(60):
            a.write(*(f"{number} {each} " + "x" * 1000 for each in range(100)))
        written = a.store.head().seq
        if full == 3:
            await until(lambda: a.problem)
            a.write("still saved here")
            assert a.jet is not None and a.jet.publisher.done < written
            written += 1
            small_disks(3, "100m")
            for node in cluster.nodes:
                await asyncio.to_thread(node.stop)
            for node in cluster.nodes:
                node.start()
        # A leader without room goes on calling itself leader for a while.
        await until(lambda: b.has(a) and a.well, 90)
        assert len(b.texts(a)) == written
