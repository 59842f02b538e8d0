"""The window over the timeline: which part of it is on the screen, and what is chosen. Pure.

Only what is visible is ever wrapped: the window is anchored to an entry, not to a line number, so that neither 100,000
entries nor one that arrives late above it cost anything or move what is being read.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from incident_tui.incident.entry import Ref
from incident_tui.ui.folded import Item, Order, Run, order_of, size_of
from incident_tui.ui.lines import Line, fit
from incident_tui.ui.timeline import Context, Mark, entry_lines, rule, run_lines

_CACHE: Final = 2_000
_FIRST: Final[Order] = (datetime.min.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC), "", 0)

Place = tuple[int, int]
"""An item and how many of its lines are above the edge."""


class Window:
    """It follows the end until somebody scrolls back."""

    def __init__(self) -> None:
        self.follow = True
        self.rendered = 0
        """Items wrapped so far; tests watch it."""
        self._chosen: tuple[Order, Ref] | None = None
        self._top: tuple[Order, int] | None = None
        self._last_seen: Order | None = None
        self._items: Sequence[Item] = ()
        self._marks: Mapping[Ref, tuple[Mark, ...]] = {}
        self._context = Context(80)
        self._extra: list[Line] = []
        self._unread: tuple[Order, str] | None = None
        self._height = 1
        self._cache: dict[Ref, tuple[Item, tuple[Mark, ...], Context, list[Line]]] = {}
        self._shown: list[tuple[int, int]] = []

    def feed(
        self,
        items: Sequence[Item],
        marks: Mapping[Ref, tuple[Mark, ...]],
        context: Context,
        extra: Sequence[Line] = (),
        unread: tuple[Order, str] | None = None,
    ) -> None:
        """What there is now. `extra` are lines after the last entry (what is not saved yet); `unread` is the entry
        above which a line with these words stands."""
        if context.width != self._context.width or context.look != self._context.look:
            self._cache.clear()
        self._items, self._marks, self._context, self._extra = items, marks, context, list(extra)
        self._unread = unread
        if self.follow and items:
            self._last_seen = _end(items[-1])

    def lines(self, height: int) -> list[Line]:
        """Exactly `height` lines."""
        self._height = max(1, height)
        start, skip = self._start()
        out: list[Line] = []
        self._shown = []
        index = start
        while index < len(self._items) and len(out) < height:
            for line in self._block(index)[skip:]:
                if len(out) < height:
                    out.append(line)
                    self._shown.append((index, len(out) - 1))
            skip = 0
            index += 1
        if index >= len(self._items):
            out += self._extra[: max(0, height - len(out))]
        blank = fit([], self._context.width)
        return out + [blank] * (height - len(out))

    def shows(self, y: int, item: Item) -> bool:
        """Whether line `y` of the last picture belongs to this item."""
        return any(line == y and self._items[index] is item for index, line in self._shown)

    def at(self, y: int) -> Item | None:
        """The item on line `y` of the last picture."""
        return next((self._items[index] for index, line in self._shown if line == y), None)

    def visible(self) -> Sequence[Item]:
        """The items of the last picture."""
        return self._items[self._shown[0][0] : self._shown[-1][0] + 1] if self._shown else ()

    @property
    def below(self) -> int:
        """Entries that came after the last one that was followed: "N new below"."""
        if self.follow or not self._items or self._last_seen is None:
            return 0
        index = bisect_right(self._items, self._last_seen, key=_end)
        return sum(size_of(item) for item in self._items[index:])

    @property
    def top(self) -> Item | None:
        """The first visible item."""
        index = self._start()[0]
        return self._items[index] if index < len(self._items) else None

    @property
    def bottom(self) -> Item | None:
        """The last visible item of the last picture."""
        return self._items[self._shown[-1][0]] if self._shown and self._shown[-1][0] < len(self._items) else None

    def scroll(self, lines: int) -> None:
        """Down by so many lines, up when negative. Reaching the end follows again."""
        if not self._items:
            return
        index, skip = self._start()
        skip += lines
        while skip < 0 and index > 0:
            index -= 1
            skip += len(self._block(index))
        skip = max(0, skip)
        while index < len(self._items) and skip >= len(self._block(index)):
            skip -= len(self._block(index))
            index += 1
        self._stand((index, skip))
        self._carry()

    def to_end(self) -> None:
        self.follow = True
        self._top = None
        self._last_seen = _end(self._items[-1]) if self._items else None

    def to_start(self) -> None:
        if self._items:
            self._stand((0, 0))
            if self._chosen is not None:
                self._chosen = (self._items[0].order, self._items[0].ref)

    def _carry(self) -> None:
        """Instead of a choice that is out of view now the nearest item in view: arrows go on from what is read."""
        if self._chosen is None:
            return
        self.look()
        if self._shown:
            index = self._find(self._chosen[0])
            near = min(max(index, self._shown[0][0]), self._shown[-1][0])
            if near != index:
                self._chosen = (self._items[near].order, self._items[near].ref)

    def _stand(self, place: Place) -> None:
        """Begin at this place, unless it is the end."""
        if place >= self._end_start():
            self.to_end()
        else:
            self.follow, self._top = False, (self._items[place[0]].order, place[1])

    def begin_at(self, item: Item) -> None:
        """Make this item the first visible one."""
        self._stand((self._find(item.order), 0))

    def look(self) -> None:
        """Take notice of what is visible, without drawing it."""
        self.lines(self._height)

    def select(self, step: int) -> None:
        """Move the choice by `step` items and bring it into view; the first call chooses the last visible one."""
        if not self._items:
            self._chosen = None
            return
        if self._chosen is None:
            index = self._shown[-1][0] if self._shown else len(self._items) - 1
        else:
            index = self._find(self._chosen[0]) + step
        self.choose(self._items[min(max(0, index), len(self._items) - 1)])

    def choose(self, item: Item) -> None:
        """Choose this item and bring it into view: what is a line away comes in at the edge, what is far away with
        some lines around it."""
        self._chosen = (item.order, item.ref)
        index = self._find(item.order)
        start, skip = self._start()
        if index < start or index > start + self._height:
            self._around(index) if not start - self._height < index < start else self._stand((index, 0))
            return
        if (index, 0) < (start, skip):
            self._stand((index, 0))
            return
        used = -skip + sum(len(self._block(each)) for each in range(start, index + 1))
        if used <= self._height:
            return
        if used > 2 * self._height:
            self._around(index)
            return
        over = len(self._block(index)) - self._height
        while over < 0 and index > 0:
            index -= 1
            over += len(self._block(index))
        self._stand((index, max(0, over)))

    def _around(self, index: int) -> None:
        """Show an item with a third of the window above it."""
        above = self._height // 3
        while index > 0 and above > 0:
            index -= 1
            above -= len(self._block(index))
        self._stand((index, max(0, -above)))

    def unchoose(self) -> None:
        self._chosen = None

    def chosen(self) -> Item | None:
        """The item that Enter would open, while there is a choice."""
        if self._chosen is None or not self._items:
            return None
        order, ref = self._chosen
        item = self._items[self._find(order)]
        if item.ref == ref:
            return item
        moved = next((one for one in self._items if one.ref == ref), None)
        if moved is not None:
            self._chosen = (moved.order, ref)
        return moved

    def _start(self) -> Place:
        if self.follow or self._top is None or not self._items:
            return self._end_start()
        index = self._find(self._top[0])
        return index, min(self._top[1], len(self._block(index)) - 1)

    def _end_start(self) -> Place:
        """Where the window begins when the end is in view."""
        need = self._height - len(self._extra)
        index = len(self._items)
        while index > 0 and need > 0:
            index -= 1
            need -= len(self._block(index))
        return index, max(0, -need)

    def _find(self, order: Order) -> int:
        """The index of the item there; of one that is gone from its place, of the run that holds it or the next."""
        index = bisect_left(self._items, order, key=order_of)
        if index < len(self._items) and self._items[index].order == order:
            return index
        return min(index, max(0, len(self._items) - 1))

    def _block(self, index: int) -> list[Line]:
        """The lines of one item, with the date above it where the day changes, and the line "since you left"."""
        item, context = self._items[index], self._context
        ref = item.ref
        marks = self._marks.get(ref, ())
        known = self._cache.get(ref)
        if known is not None and known[0] is item and known[1] == marks and known[2] == context:
            lines = known[3]
        else:
            self.rendered += 1
            lines = run_lines(item, context) if isinstance(item, Run) else entry_lines(item, marks, context)
            if len(self._cache) >= _CACHE:
                for old in list(self._cache)[: _CACHE // 2]:
                    del self._cache[old]
            self._cache[ref] = (item, marks, context, lines)
        above: list[Line] = []
        date = item.at.astimezone(UTC).date()
        if index > 0 and date != self._items[index - 1].at.astimezone(UTC).date():
            above.append(rule(f"{date} UTC", context.width, context.look))
        unread = self._unread
        if unread is not None and _end(item) >= unread[0] > (_end(self._items[index - 1]) if index else _FIRST):
            above.append(rule(unread[1], context.width, context.look, "mark"))
        return [*above, *lines] if above else lines


def _end(item: Item) -> Order:
    """The order of its last entry."""
    return item.rows[-1].order if isinstance(item, Run) else item.order
