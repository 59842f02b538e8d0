"""Lease, shard and ledger through random schedules; see `leases`. A failing seed: `make simulate SEED=…`."""

from __future__ import annotations

import pytest

from tests.simulation.leases import World
from tests.simulation.seeds import seeds


@pytest.mark.parametrize("seed", seeds(40))
def test_a_few_bastions(seed: int) -> None:
    World(seed, bastions=2 + seed % 5).play()


@pytest.mark.parametrize("seed", seeds(2))
def test_fifty_bastions(seed: int) -> None:
    World(seed, bastions=50, hosts=400, faults=6).play()


@pytest.mark.parametrize("seed", seeds(1))
def test_fifty_bastions_and_twenty_thousand_hosts(seed: int) -> None:
    World(seed, bastions=50, hosts=20_000, faults=3, quiet=True).play()
