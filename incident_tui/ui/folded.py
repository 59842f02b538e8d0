"""Folded runs: what machines say between two lines of people, at a length that leaves the people's lines in view. Pure.

In a run of machine rows only what its end leaves critical or unknown stays; alerts from outside become one item for
each of their groups, and all others one item when they are at least LEAST. The newest rows are never folded, and
nothing folds while somebody reads (`still`): what is on the screen does not vanish from under the eye.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import compress, count
from operator import is_not
from typing import Final

import msgspec

from incident_tui.incident.entry import MACHINE_KINDS, Kind, Ref
from incident_tui.incident.growing import Growing
from incident_tui.incident.views import TimelineRow

LEAST: Final = 2
"""Fewer rows than this are not worth a fold."""
SLICE: Final = 2_000
"""Rows that are folded at a time."""
NEWEST: Final = 4
"""So many rows at the end are never folded."""
_STAYS: Final = ("crit", "unknown")
"""Levels that are not folded while they are the last word of their run."""
_HOUR: Final = timedelta(hours=1)
_FOLDING: Final = (Kind.OBSERVATION, *(MACHINE_KINDS - {Kind.OBSERVATION, Kind.GAP}))
"""A silence is a line of its own, and parts runs."""

Order = tuple[datetime, datetime, str, int]


class Run(msgspec.Struct, frozen=True):
    """Machine rows that are shown as one line; it stands where the first of them stood."""

    rows: tuple[TimelineRow, ...]

    @property
    def hosts(self) -> list[str]:
        """Where they are from, the one with the most rows first."""
        return [host for host, _ in Counter(host_of(row) for row in self.rows).most_common()]

    @property
    def order(self) -> Order:
        return self.rows[0].order

    @property
    def at(self) -> datetime:
        return self.rows[0].at

    @property
    def ref(self) -> Ref:
        return self.rows[0].ref

    @property
    def levels(self) -> dict[str, int]:
        """How many rows of each level; those without one are not counted."""
        found: dict[str, int] = {}
        for row in self.rows:
            level = level_of(row)
            if level:
                found[level] = found.get(level, 0) + 1
        return found


class Alerts(Run, frozen=True):
    """A run of alerts of one group."""

    @property
    def source(self) -> str:
        return str(self.rows[0].entry.data.get("from", ""))

    @property
    def group(self) -> str:
        """Without the name of the label that most are grouped by."""
        return str(self.rows[0].entry.data.get("group", "")).removeprefix("alertname=")

    @property
    def count(self) -> int:
        """How many alerts, with those of a row that stands for many."""
        return sum(_number(row, "count", 1) for row in self.rows)

    @property
    def last(self) -> dict[str, str]:
        """By key: the level that its last row leaves, "ok" when it is over."""
        return {
            str(row.entry.data.get("key", "")): str(row.entry.data.get("level", ""))
            for row in self.rows
            if row.entry.data.get("status") in ("firing", "resolved")
        }

    @property
    def uncertain(self) -> bool:
        """Some were only counted, so that what fires is not known from here."""
        return any(row.entry.data.get("status") == "storm" for row in self.rows)


def _number(row: TimelineRow, name: str, default: int) -> int:
    value = row.entry.data.get(name)
    return value if isinstance(value, int) else default


Item = TimelineRow | Run
"""What the window shows: an entry, or a folded run."""


def order_of(item: Item) -> Order:
    return item.order


def size_of(item: Item) -> int:
    """How many entries it stands for."""
    return len(item.rows) if isinstance(item, Run) else 1


def level_of(row: TimelineRow) -> str:
    """ok, warn, crit or unknown of an observation, "" of anything else."""
    return str(row.entry.data.get("level", "")) if row.entry.kind is Kind.OBSERVATION else ""


def host_of(row: TimelineRow) -> str:
    """Where a machine row is from: its host, else what it is about, to the first slash."""
    data = row.entry.data
    host = data.get("host")
    return str(host) if host else str(data.get("subject") or row.entry.author.name).partition("/")[0]


def differing(old: Sequence[TimelineRow], new: Sequence[TimelineRow]) -> tuple[int, int]:
    """How many rows at the beginning, and then at the end, are the same objects."""
    if isinstance(new, Growing) and new.grew_from(old):
        return len(old), 0
    least = min(len(old), len(new))
    if old and len(new) > least and new[least - 1] is old[-1] and new[:least] == old:
        return least, 0  # the usual case: some were appended
    first = next(compress(count(), map(is_not, old, new)), least)
    last = next(compress(count(), map(is_not, reversed(old), reversed(new))), least)
    return first, min(last, least - first)


class Folds:
    """Rows -> items, brought up to date where the rows changed."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.opened: set[Ref] = set()
        """Rows that are not folded, as somebody opened their run."""
        self._rows: Sequence[TimelineRow] = ()
        self._until = 0
        """Rows from this index on were the newest."""
        self._from = 0
        """Rows before this index are not folded yet; see `step`."""

    def feed(self, rows: Sequence[TimelineRow], still: bool) -> None:
        """What there is now. `still`: what was not folded before stays so."""
        newest = max(0, len(rows) - NEWEST)
        if rows is not self._rows:
            first, last = differing(self._rows, rows)
            if first < len(rows) or first < len(self._rows):
                until = self._until + (len(rows) - len(self._rows) if first < self._until else 0)
                until = max(0, min(until, len(rows))) if self._rows else newest
                old, self._rows, self._until = self._rows, rows, until
                start, end = _run_start(rows, first), _run_end(rows, len(rows) - last)
                if not old:
                    start = self._from = _run_start(rows, max(0, len(rows) - SLICE))
                    self.items = list(rows[:start])
                elif first < self._from:
                    self._from = max(start, self._from + len(rows) - len(old))
                self._patch(start, end, old, end - len(rows) + len(old))
            self._rows = rows
        if not still and newest != self._until:
            start = _run_start(rows, min(newest, self._until))
            self._until = newest
            self._patch(start, len(rows), rows, len(rows))

    def _patch(self, start: int, end: int, old: Sequence[TimelineRow], old_end: int) -> None:
        """Fold rows[start:end] anew, which were old[start:old_end]; both are whole runs."""
        first = bisect_right(self.items, self._rows[start - 1].order, key=order_of) if start > 0 else 0
        last = bisect_left(self.items, old[old_end].order, key=order_of) if old_end < len(old) else len(self.items)
        if end <= self._from:
            self.items[first:last] = self._rows[start:end]
        else:
            self.items[first:last] = self._fold(start, end)
            self._from = min(self._from, start)

    def step(self) -> bool:
        """Fold some more of what is older, from the newest on: the first screen needs none of it. Whether there is
        more to do."""
        end = self._from
        if end > 0:
            start = self._from = _run_start(self._rows, max(0, end - SLICE))
            self._patch(start, end, self._rows, end)
        return self._from > 0

    def open(self, run: Run) -> None:
        """Show its rows one by one."""
        self.opened.update(row.ref for row in run.rows)
        at = bisect_left(self._rows, run.order, key=order_of)
        end = _run_end(self._rows, at + 1)
        self._patch(_run_start(self._rows, at + 1), end, self._rows, end)

    def close(self) -> None:
        """Fold again what was opened."""
        if self.opened:
            self.opened.clear()
            self.items = [*self._rows[: self._from], *self._fold(self._from, len(self._rows))]

    def _fold(self, start: int, end: int) -> list[Item]:
        rows, until = self._rows, self._until
        out: list[Item] = []
        at = start
        while at < end:
            stop = at
            while stop < min(end, until) and _folds(rows[stop]) and (stop == at or not _parts(rows, stop)):
                stop += 1
            if stop - at > LEAST:
                out += _run(rows[at:stop], self.opened)
            else:
                out += rows[at : max(stop, at + 1)]
            at = max(stop, at + 1)
        return out


def _folds(row: TimelineRow) -> bool:
    kind = row.entry.kind
    return kind is _FOLDING[0] or kind in _FOLDING


def _parts(rows: Sequence[TimelineRow], index: int) -> bool:
    """A run ends with the hour: one line for each keeps the sense of time, and the work at hand small."""
    at, before = rows[index].at, rows[index - 1].at
    return at.hour != before.hour or at - before > _HOUR


def _run_start(rows: Sequence[TimelineRow], index: int) -> int:
    """Where the run begins that the row before `index` is in."""
    start = index
    while start > 0 and _folds(rows[start - 1]) and (start == index or not _parts(rows, start)):
        start -= 1
    return start


def _run_end(rows: Sequence[TimelineRow], index: int) -> int:
    """Where the run ends that the row at `index` is in; it may have parted from the one before only now."""
    end = index
    while end < len(rows) and _folds(rows[end]) and (end == index or not _parts(rows, end)):
        end += 1
    return end


def _run(rows: Sequence[TimelineRow], opened: set[Ref]) -> Sequence[Item]:
    """One run: what stays, one item for each group of alerts, and one for the others."""
    last = {_about(row): row for row in rows}
    folded: list[TimelineRow] = []
    alerts: dict[tuple[str, str], list[TimelineRow]] = {}
    out: list[Item] = []
    for row in rows:
        bad = level_of(row) in _STAYS and last[_about(row)] is row
        if bad or row.pinned or row.ref in opened:
            out.append(row)
        elif row.entry.kind is Kind.ALERT:
            data = row.entry.data
            alone = str(row.ref.seq) if not data.get("group") else ""
            alerts.setdefault((str(data.get("from", "")), str(data.get("group", "")) + alone), []).append(row)
        else:
            folded.append(row)
    found: list[Item] = [Alerts(tuple(ones)) if len(ones) >= LEAST else ones[0] for ones in alerts.values()]
    if len(folded) >= LEAST:
        found.append(Run(tuple(folded)))
    else:
        found += folded
    if all(not isinstance(one, Run) for one in found):
        return rows
    return sorted([*out, *found], key=order_of)


def _about(row: TimelineRow) -> tuple[str, ...]:
    """What a row of a finding is about; a later one with the same is its last word."""
    data = row.entry.data
    if not data.get("finding"):
        return (row.ref.journal, str(row.ref.seq))
    return (str(data["finding"]), str(data.get("subject") or data.get("host") or ""))
