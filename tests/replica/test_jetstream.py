"""Two and three bastions over a real cluster: what is written on one is on the others."""

from __future__ import annotations

from pathlib import Path

from incident_tui.replica.settings import Replica
from tests.nats import Cluster
from tests.replica.bastions import bastions, until


async def test_entries_go_both_ways(nats_cluster: Cluster, tmp_path: Path) -> None:
    settings = Replica(servers=tuple(nats_cluster.urls), stream="BOTH")
    async with bastions(tmp_path, settings) as (a, b):
        a.write("one", "two")
        b.write("three")
        await until(lambda: a.has(b) and b.has(a))
        assert b.texts(a) == ["one", "two"]
        assert a.texts(b) == ["three"]
        a.write("four")
        await until(lambda: b.has(a))
        assert a.jet is not None
        await until(lambda: a.jet and a.jet.row.waiting == 0 and not a.jet.row.problem)
