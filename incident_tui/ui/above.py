"""What somebody else entered above the part of the timeline that is in view, because it happened earlier. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from incident_tui.incident.entry import MACHINE_KINDS, Author, Ref
from incident_tui.incident.views import TimelineRow
from incident_tui.ui.folded import Item, Run, differing
from incident_tui.ui.lines import Look, cut
from incident_tui.ui.times import short

TOLD_FOR: Final = timedelta(minutes=1)


class Above:
    """Entries are told of until they have been in view, or for a minute."""

    def __init__(self) -> None:
        self._rows: Sequence[TimelineRow] = ()
        self._waiting: dict[Ref, tuple[TimelineRow, datetime]] = {}

    def feed(self, rows: Sequence[TimelineRow], me: Author, now: datetime) -> None:
        """The rows of now; what was not there before and stands before others that were is new above them."""
        old, self._rows = self._rows, rows
        if rows is not old and old:
            first, last = differing(old, rows)
            known = {row.ref for row in old[first : len(old) - last]}
            if last or first < len(old):
                for row in rows[first : len(rows) - last]:
                    other = row.entry.author.name != me.name and row.entry.kind not in MACHINE_KINDS
                    if other and row.ref not in known and row.order < old[-1].order:
                        self._waiting[row.ref] = (row, now)
        self._waiting = {ref: one for ref, one in self._waiting.items() if now - one[1] < TOLD_FOR}

    def switch(self) -> None:
        """Other rows come: nothing of them is new."""
        self._rows = ()
        self._waiting.clear()

    def seen(self, items: Iterable[Item]) -> None:
        """These are in view."""
        if self._waiting:
            for item in items:
                if not isinstance(item, Run):
                    self._waiting.pop(item.ref, None)

    def words(self, handle: Callable[[Ref], str], look: Look) -> tuple[str, str]:
        """For the title, long and short; empty when there is nothing to tell."""
        if not self._waiting:
            return "", ""
        row, _ = min(self._waiting.values(), key=lambda one: one[0].order)
        name = handle(row.ref)
        if len(self._waiting) > 1:
            return f"{len(self._waiting)} earlier above: /go {name}", f"{len(self._waiting)} above"
        late = f" {short(row.late)} earlier" if row.late is not None else ""
        return f"{name} {cut(look.text(row.entry.author.name), 12, look)}{late}: /go {name}", f"{name} above"
