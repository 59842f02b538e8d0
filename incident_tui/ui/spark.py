"""A series of numbers as one row of blocks. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

BLOCKS: Final = "▁▂▃▄▅▆▇█"
PLAIN: Final = "_.,-=+*#"
"""The same eight levels where the terminal has no blocks."""
GAP: Final = " "
FAILED: Final = "X"

Points = Sequence[float | None]


def spark(points: Points, width: int, high: float, *, ascii: bool = False, low_is_worse: bool = False) -> str:
    """At most `width` glyphs, from 0 to `high` (at least the largest point); of several points in one glyph the worst
    is drawn. None is a gap, drawn as a blank: a glyph is a gap when all its points are."""
    if width <= 0:
        return ""
    worst = min if low_is_worse else max
    groups = [[one for one in group if one is not None] for group in _groups(points, width)]
    drawn = [worst(group) if group else None for group in groups]
    top = max([high, *(one for one in drawn if one is not None)])
    glyphs = PLAIN if ascii else BLOCKS
    return "".join(GAP if one is None else glyphs[_level(one, top, len(glyphs))] for one in drawn)


def with_failures(line: str, failing: Points, width: int) -> str:
    """An X wherever something failed within a glyph of `spark` made of as many points at this width."""
    failed = [any(group) for group in _groups(failing, width)]
    return "".join(FAILED if bad else glyph for glyph, bad in zip(line, failed, strict=True))


def _groups(points: Points, width: int) -> list[Points]:
    """In order, of equal size but the first, so that the newest stand still together."""
    size = max(1, -(-len(points) // width))
    first = len(points) % size
    starts = range(first, len(points), size)
    return ([points[:first]] if first else []) + [points[start : start + size] for start in starts]


def _level(value: float, top: float, levels: int) -> int:
    if top <= 0 or value <= 0:
        return 0
    return min(levels - 1, int(value / top * levels))
