"""Entries of many bastions become one history through random schedules; see `merge`. A failing seed: `make simulate
SEED=…`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from incident_tui.journal.others import Others
from incident_tui.replica.frames import Held
from incident_tui.replica.shelf import StoreShelf
from tests.simulation.merge import World
from tests.simulation.seeds import seeds


@pytest.mark.parametrize("seed", seeds(60))
def test_a_few_bastions(seed: int) -> None:
    World(seed, bastions=2 + seed % 6, steps=40).play()


@pytest.mark.parametrize("seed", seeds(1))
def test_fifty_bastions(seed: int) -> None:
    World(seed, bastions=50, steps=250).play()


def test_a_schedule_is_made_of_its_seed_alone() -> None:
    def texts() -> list[str]:
        world = World(7, bastions=4, steps=60)
        return sorted(world.play().acknowledged.values())

    assert texts() == texts()


def _own_only(self: StoreShelf) -> list[Held]:
    return _held(self)[:1]


_held = StoreShelf.held
_records = StoreShelf.records


@pytest.mark.parametrize(
    ("where", "name", "broken"),
    [
        (Others, "orders_of_own", lambda self: []),  # an order of another bastion is not carried out
        (StoreShelf, "held", _own_only),  # what is of others is not passed on
        (StoreShelf, "records", lambda self, *which: _records(self, *which)[1:]),  # the first of a piece is left out
    ],
)
def test_a_defect_is_found_out(
    monkeypatch: pytest.MonkeyPatch, where: type, name: str, broken: Callable[..., object]
) -> None:
    monkeypatch.setattr(where, name, broken)
    with pytest.raises(AssertionError, match="make simulate SEED="):
        for seed in range(300):
            World(seed, bastions=5, steps=60).play()
