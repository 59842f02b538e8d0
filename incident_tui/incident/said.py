"""An entry as the fold takes it: with its effective text and time, in the order of what happened. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from incident_tui.incident.entry import Entry


class Line(msgspec.Struct, frozen=True):
    """An entry with its effective text and time."""

    entry: Entry
    at: datetime
    text: str

    @property
    def order(self) -> tuple[datetime, datetime, str, int]:
        return (self.at, self.entry.recorded_at, self.entry.journal, self.entry.seq)

    @property
    def said(self) -> tuple[datetime, str, int]:
        """Which of two was said last, whatever time they speak of."""
        return (self.entry.recorded_at, self.entry.journal, self.entry.seq)


def as_taken(lines: Sequence[Line], contested: Callable[[Line], bool]) -> list[Line]:
    """The lines in their order; but those that only one can have said stand, among themselves, in the order in which
    the journal took them. Two people who press Enter at the same moment may be stored the other way round, and who
    came second can only be told if first is who was stored first."""
    places = [at for at, line in enumerate(lines) if contested(line)]
    out = list(lines)
    for at, line in zip(places, sorted((lines[at] for at in places), key=lambda line: line.said), strict=True):
        out[at] = line
    return out


def number(value: object, default: int) -> int:
    """A count of `Entry.data`; `default` where it is absent, damaged or out of any reason."""
    return value if isinstance(value, int) and 0 <= value <= 10_000_000 else default


def same(one: str, other: str) -> bool:
    """Whether two names are the same person's or thing's."""
    return one.casefold() == other.casefold()


def one_line(command: str) -> str:
    """A command of several lines as it is told in one; what was run is in the entry."""
    return " ; ".join(line.strip() for line in command.split("\n") if line.strip())
