"""An entry as the fold takes it: with its effective text and time, in the order of what happened. Pure."""

from __future__ import annotations

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


def number(value: object, default: int) -> int:
    """A count of `Entry.data`; `default` where it is absent, damaged or out of any reason."""
    return value if isinstance(value, int) and 0 <= value <= 10_000_000 else default


def same(one: str, other: str) -> bool:
    """Whether two names are the same person's or thing's."""
    return one.casefold() == other.casefold()


def one_line(command: str) -> str:
    """A command of several lines as it is told in one; what was run is in the entry."""
    return " ; ".join(line.strip() for line in command.split("\n") if line.strip())
