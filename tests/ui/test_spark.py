"""Sparklines: levels, gaps, failures, bounds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from incident_tui.ui.spark import BLOCKS, FAILED, GAP, PLAIN, spark, with_failures

POINTS = st.lists(st.none() | st.floats(0, 1e9), max_size=130)


def test_levels_from_nothing_to_full() -> None:
    assert spark([0, 25, 50, 75, 100], 10, 100) == "▁▃▅▇█"
    assert spark([0, 25, 50, 75, 100], 10, 100, ascii=True) == "_,=*#"


def test_a_gap_stays_a_gap() -> None:
    assert spark([1, None, None, 1], 4, 1) == "█  █"
    assert spark([None] * 4, 4, 1) == "    "


def test_the_worst_of_several_points_is_drawn() -> None:
    assert spark([0, 100, 0, 0], 2, 100) == "█▁"
    assert spark([2, 0, 2, 2], 2, 2, low_is_worse=True) == "▁█"
    assert spark([None, 100], 1, 100) == "█"


def test_nothing_ever_is_the_lowest_level() -> None:
    assert spark([0, 0], 2, 0) == "▁▁"


def test_failures_stand_where_they_were() -> None:
    line = spark([10, 20, None, 10], 4, 20)
    assert with_failures(line, [0, 0, 1, 0], 4) == f"{line[:2]}{FAILED}{line[3]}"


@given(POINTS, st.integers(0, 80), st.floats(0, 1e9), st.booleans())
def test_it_fits_and_has_only_its_glyphs(points: list[float | None], width: int, high: float, ascii: bool) -> None:
    line = spark(points, width, high, ascii=ascii)
    assert len(line) <= width and set(line) <= set((PLAIN if ascii else BLOCKS) + GAP)
    assert (line.strip() == "") == (not width or all(one is None for one in points))
    assert len(with_failures(line, [1.0] * len(points), width)) == len(line) if width else True
