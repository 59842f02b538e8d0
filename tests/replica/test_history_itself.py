"""The checker of histories sees what it is for: a transport that loses, doubles or brings back is found out."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from incident_tui.journal.record import Record, own_records
from incident_tui.journal.store import Store
from incident_tui.journal.take_in import take_in
from tests.replica.history import play
from tests.simulation.seeds import seeds

NOW = datetime(2026, 11, 23, tzinfo=UTC)


class ByHand:
    """Carries every own record to everybody who can be reached, at each step."""

    def __init__(self, directories: list[Path]) -> None:
        self.directories = directories
        self.apart: set[frozenset[int]] = set()
        self.dead: set[int] = set()

    def cut(self, one: int, other: int) -> None:
        self.apart.add(frozenset((one, other)))

    def heal(self, one: int, other: int) -> None:
        self.apart.discard(frozenset((one, other)))

    def kill(self, one: int) -> None:
        self.dead.add(one)

    def revive(self, one: int) -> None:
        self.dead.discard(one)

    def step(self) -> None:
        stores = [Store.open(one, create=False) for one in self.directories]
        for number, store in enumerate(stores):
            for at, other in enumerate(stores):
                if at != number and not {at, number} & self.dead and frozenset((at, number)) not in self.apart:
                    take_in(other, self.carried(own_records(store, 1, 1 << 40)), NOW)
        for store in stores:
            store.close()

    def carried(self, records: list[Record]) -> list[Record]:
        return records


class Loses(ByHand):
    def carried(self, records: list[Record]) -> list[Record]:
        return records[:30]


class Alters(ByHand):
    def carried(self, records: list[Record]) -> list[Record]:
        return [msgspec.structs.replace(one, salt=bytes(16)) if one.seq == 7 else one for one in records]


def places(tmp_path: Path) -> list[Path]:
    return [tmp_path / name for name in ("one", "two", "three")]


@pytest.mark.parametrize("seed", seeds(2))
def test_what_carries_everything_passes(tmp_path: Path, seed: int) -> None:
    directories = places(tmp_path)
    history = play(seed, directories, ByHand(directories), entries=120)
    assert len(history.acknowledged) + len(history.purged) >= 120


@pytest.mark.parametrize("kind", [Loses, Alters])
def test_what_does_not_is_found_out(tmp_path: Path, kind: type[ByHand]) -> None:
    directories = places(tmp_path)
    with pytest.raises(AssertionError, match=r"not everywhere in the end: .* SEED=5"):
        play(5, directories, kind(directories), entries=120)
