"""What of the timeline is listed: all of it with folded runs, or, under a filter, every entry that fits. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from incident_tui.incident.filter import Filter, matcher
from incident_tui.incident.views import TimelineRow
from incident_tui.ui.folded import Folds, Item, Run, differing, order_of


class Sieve:
    """The rows that fit, brought up to date where the rows changed."""

    def __init__(self, wanted: Filter) -> None:
        self.wanted = wanted
        self.found: list[Item] = []
        self._fits = matcher(wanted)
        self._rows: Sequence[TimelineRow] = ()

    def fits(self, row: TimelineRow) -> bool:
        return self._fits(row)

    def feed(self, rows: Sequence[TimelineRow]) -> None:
        old, self._rows = self._rows, rows
        if rows is old:
            return
        first, last = differing(old, rows)
        gone, come = old[first : len(old) - last], rows[first : len(rows) - last]
        low, high = len(self.found), len(self.found)
        if last:
            high = bisect_left(self.found, rows[len(rows) - last].order, key=order_of)
        if first < len(old):
            low = min(high, bisect_left(self.found, min(one[0].order for one in (gone, come) if one), key=order_of))
        self.found[low:high] = [row for row in come if self._fits(row)]


class Listing:
    """What one screen lists. Feed it whenever the rows may have changed, then read `items`."""

    def __init__(self) -> None:
        self.rows: Sequence[TimelineRow] = ()
        self.folds = Folds()
        self.sieve: Sieve | None = None
        self._hidden = 0
        """Rows that did not fit when the filter was set."""

    @property
    def items(self) -> Sequence[Item]:
        return self.sieve.found if self.sieve is not None else self.folds.items

    @property
    def filter(self) -> Filter:
        """Empty when there is none."""
        return self.sieve.wanted if self.sieve is not None else Filter()

    @property
    def newly_hidden(self) -> int:
        """Entries that came since the filter was set and do not fit it."""
        return max(0, len(self.rows) - len(self.sieve.found) - self._hidden) if self.sieve is not None else 0

    def feed(self, rows: Sequence[TimelineRow], *, still: bool = False) -> None:
        """What there is now. `still`: somebody is reading, so that nothing that is shown may fold away."""
        self.rows = rows
        self.folds.feed(rows, still)
        if self.sieve is not None:
            self.sieve.feed(rows)

    def set(self, wanted: Filter) -> None:
        """Filter by this; an empty one ends the filter."""
        if not wanted:
            self.sieve = None
        elif wanted != self.filter:
            self.sieve = Sieve(wanted)
            self.rebase()

    def rebase(self) -> None:
        """Count what the filter hides from now on: it was set, or there is another incident."""
        if self.sieve is not None:
            self.sieve.feed(self.rows)
            self._hidden = len(self.rows) - len(self.sieve.found)

    def index(self, row: TimelineRow) -> int:
        """Its place among all rows, or where it would stand."""
        return bisect_left(self.rows, row.order, key=lambda one: one.order)

    def found_at(self, row: TimelineRow) -> int:
        """Its place among the items, or where it would stand."""
        return bisect_left(self.items, row.order, key=order_of)

    def fits(self, row: TimelineRow) -> bool:
        """Whether the filter lets it be seen."""
        return self.sieve is None or self.sieve.fits(row)

    def run_of(self, row: TimelineRow) -> Run | None:
        """The folded run that it is in, if any."""
        if self.sieve is not None:
            return None
        items = self.folds.items
        at = bisect_left(items, row.order, key=order_of)
        if at < len(items) and items[at] is row:
            return None
        before = (items[index] for index in range(min(at, len(items) - 1), -1, -1))
        return next((one for one in before if isinstance(one, Run) and any(each is row for each in one.rows)), None)
