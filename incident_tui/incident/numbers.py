"""Numbers of entries as ranges: as an entry stores them, and as people read them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from incident_tui.incident.entry import Entry

MOST: Final = 500
"""Entries of one signature."""
MOST_ARCHIVED: Final = 5_000
"""Entries that one order puts into an archive file."""


def spans(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Numbers in ascending order as ranges: 12, 14, 15 -> (12, 12), (14, 15)."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


def packed(numbers: Sequence[int]) -> str:
    """As the journal stores them: "12,14-19"."""
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in spans(numbers))


def unpacked(text: object, most: int) -> list[int]:
    """The numbers of `packed`. Raises ValueError when it is none, is out of order, or has more than `most`."""
    found: list[int] = []
    for part in str(text).split(","):
        low, dash, high = part.partition("-")
        first, last = int(low), int(high if dash else low)
        if first < 1 or last < first or (found and first <= found[-1]) or len(found) + last - first >= most:
            raise ValueError("these are no numbers of entries")
        found.extend(range(first, last + 1))
    return found


def count(text: object) -> int:
    """How many numbers `packed` wrote; 0 when it cannot be read."""
    total = 0
    for part in str(text).split(","):
        low, _, high = part.partition("-")
        if not low.isdecimal() or (high and not high.isdecimal()):
            return 0
        total += max(int(high or low) - int(low) + 1, 0)
    return total


def said(numbers: Sequence[int], letter: str, most: int = 12) -> str:
    """For people: "a12, a14–a19"; of many ranges the first `most`, and how many entries there are besides."""
    ranges = spans(numbers)
    shown = [f"{letter}{low}" if low == high else f"{letter}{low}–{letter}{high}" for low, high in ranges[:most]]
    left = sum(high - low + 1 for low, high in ranges[most:])
    return ", ".join([*shown, *([f"and {left} more"] if left else [])])


def archived(entry: Entry) -> list[int]:
    """The numbers that an ARCHIVE entry names; none when it cannot be read."""
    try:
        return unpacked(entry.data.get("entries"), MOST_ARCHIVED)
    except ValueError:
        return []


def covered(entry: Entry) -> list[int]:
    """The numbers that a SIGNATURE entry names; none when it cannot be read."""
    try:
        return unpacked(entry.data.get("entries"), MOST)
    except ValueError:
        return []
