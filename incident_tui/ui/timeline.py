"""The timeline: rows of the fold -> wrapped lines, and the window that shows some of them. Pure.

Only what is visible is ever wrapped: the window is anchored to an entry, not to a line number, so that neither 100,000
entries nor one that arrives late above it cost anything or move what is being read.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from incident_tui.incident.entry import MACHINE_KINDS, Kind, Ref
from incident_tui.incident.views import TimelineRow
from incident_tui.ui.lines import Line, Look, Piece, cells, cut, fit, take, wrap
from incident_tui.ui.times import clock, short

_CACHE: Final = 2_000
_LONGEST: Final = 40
"""Lines of one entry that are shown in the timeline; Enter shows all of it."""
_MACHINE_LINES: Final = 2
"""Lines of what a machine or a playbook said; Enter shows all of it."""
_REMARK: Final = re.compile(r" \([^()]*\)")
_LASTED: Final = re.compile(r" \(it lasted [^()]*\)$")
_CLAUSE_LEAST: Final = 12
_MUCH: Final = 16_000
"""Characters of one entry that the timeline looks at."""

_KIND_STYLE: Final = {
    Kind.ACTION: "strong",
    Kind.DECISION: "mark",
    Kind.DECLARE: "mark",
    Kind.SEVERITY: "mark",
    Kind.STATUS: "mark",
    Kind.ROLE: "mark",
    Kind.UPDATE: "strong",
    Kind.TASK: "strong",
    Kind.RESULT: "strong",
}
_LEVEL_STYLE: Final = {"crit": "crit", "warn": "warn", "ok": "ok", "unknown": "unknown"}


class Mark(msgspec.Struct, frozen=True):
    """What stands under or behind an entry and is not part of it: a task's state, a message's delivery."""

    text: str
    style: str = ""
    own_line: bool = False


class Context(msgspec.Struct, frozen=True):
    """What the lines of a row depend on besides the row."""

    width: int
    look: Look = Look()
    letter: str = "a"
    journal: str = ""
    handle_width: int = 4

    def handle(self, ref: Ref) -> str:
        """As `View.handle`."""
        return f"{self.letter if ref.journal == self.journal else ref.journal[:6] + ':'}{ref.seq}"


def entry_lines(row: TimelineRow, marks: Sequence[Mark], context: Context) -> list[Line]:
    """One entry, wrapped. The first line has handle, time, author and word; the rest hangs below the author."""
    look, width = context.look, context.width
    entry = row.entry
    if entry.kind is Kind.GAP and entry.data.get("what") == "silence":
        return [_rule(f"{look.text(row.text)} ({clock(row.at)})", width, look)]
    handle = f" {context.handle(entry.id):>{context.handle_width}} "
    stamp = clock(row.at)
    if row.late is not None:
        stamp = f"{stamp[:5]} (+{short(row.late)})"
    machine = entry.kind in MACHINE_KINDS
    author = "" if machine else cut(look.text(entry.author.name), 8, look)
    author = f" {author:<4} " if not machine else "      "
    style = _style(row)
    indent = min(cells(handle) + 9, max(2, width - 12))
    head: list[Piece] = [(handle, ""), (stamp, ""), (author, "")]
    used = sum(cells(text) for text, _ in head)
    word = f"{look.text(row.word)} " if entry.kind is not Kind.NOTE else ""
    text = look.text(row.text[:_MUCH], lines=True).strip("\n")
    tail = _tail(row, marks)
    tail = f"  {look.text(tail)}" if tail and text else look.text(tail)
    body = "struck" if row.struck else ""
    parts = wrap(word + text + tail, width - used, width - indent)
    brief = (machine or entry.kind is Kind.PLAYBOOK) and len(parts) > _MACHINE_LINES
    if brief:
        parts = _briefly(word, text, tail, width - used, width - indent, look)
    first = parts[0]
    pieces = [*head]
    if word and first.startswith(word.rstrip()):
        split = len(word.rstrip())
        pieces += [(first[:split], style), (first[split:], body)]
    else:
        pieces.append((first, body))
    lines = [fit(pieces, width, look)]
    for part in parts[1:_LONGEST]:
        lines.append(fit([(" " * indent, ""), (part, body)], width, look))
    if not brief and (len(parts) > _LONGEST or len(row.text) > _MUCH):
        count = f"{len(parts) - _LONGEST} more lines" if len(row.text) <= _MUCH else "more"
        more = f"{count}: Enter shows all"
        lines.append(fit([(" " * indent, ""), (more, "strong")], width, look))
    for mark in marks:
        if mark.own_line:
            for part in wrap(look.text(mark.text), width - indent, width - indent):
                lines.append(fit([(" " * indent, ""), (part, mark.style)], width, look))
    return lines


def _briefly(word: str, text: str, tail: str, first: int, rest: int, look: Look) -> list[str]:
    """What was not typed, in at most _MACHINE_LINES lines: remarks in brackets go first, then clauses from the end. The
    mark says that Enter shows more."""
    lasted = _LASTED.search(text)
    if lasted is not None:
        text, tail = text[: lasted.start()], f"{lasted[0]}{tail}"
    text = _REMARK.sub("", text[: 8 * max(8, rest)]).strip()
    parts = wrap(word + text + tail, first, rest)
    while len(parts) > _MACHINE_LINES:
        at = max(text.rfind(", "), text.rfind("; "))
        if at < _CLAUSE_LEAST:
            break
        text = text[:at]
        parts = wrap(f"{word}{text} {look.cut}{tail}", first, rest)
    if len(parts) > _MACHINE_LINES:
        last = take(parts[_MACHINE_LINES - 1], max(1, rest - cells(tail) - 1))
        parts[_MACHINE_LINES - 1] = f"{last}{look.cut}{tail}"
    return parts[:_MACHINE_LINES]


def _style(row: TimelineRow) -> str:
    if row.struck:
        return "struck"
    if row.entry.kind is Kind.OBSERVATION:
        return _LEVEL_STYLE.get(str(row.entry.data.get("level", "")), "")
    if row.entry.kind is Kind.GAP:
        return "warn"
    return _KIND_STYLE.get(row.entry.kind, "")


def _tail(row: TimelineRow, marks: Sequence[Mark]) -> str:
    words = []
    if row.struck:
        words.append("(struck)")
    if row.amended:
        words.append("(amended)")
    if row.pinned:
        words.append("(pinned)")
    if row.skew is not None:
        words.append(f"(clock {short(row.skew)} ahead)")
    words += [mark.text for mark in marks if not mark.own_line]
    return " ".join(words)


def _rule(text: str, width: int, look: Look) -> Line:
    text = f"{look.rule * 2} {text} "
    return fit([(text + look.rule * max(0, width - cells(text) - 1), "")], width, look)


def pending_lines(at: datetime, text: str, context: Context) -> list[Line]:
    """A line that is not saved yet."""
    look, width = context.look, context.width
    head = f" {'...':>{context.handle_width}} {clock(at)} NOT SAVED YET "
    parts = wrap(look.text(text), max(1, width - cells(head)), max(1, width - 4))
    lines = [fit([(head, "crit"), (parts[0], "")], width, look)]
    return lines + [fit([("    ", ""), (part, "")], width, look) for part in parts[1:6]]


class Window:
    """Which part of the timeline is on the screen. It follows the end until somebody scrolls back."""

    def __init__(self) -> None:
        self.follow = True
        self.selected: Ref | None = None
        """The entry that Enter would open, while the pane is active."""
        self._top: tuple[Ref, int] | None = None
        """The first visible entry and how many of its lines are above the edge."""
        self._last_seen: Ref | None = None
        self._rows: Sequence[TimelineRow] = ()
        self._marks: Mapping[Ref, tuple[Mark, ...]] = {}
        self._context = Context(80)
        self._extra: list[Line] = []
        self._height = 1
        self._cache: dict[Ref, tuple[TimelineRow, tuple[Mark, ...], Context, list[Line]]] = {}
        self.rendered = 0
        """Entries wrapped so far; tests watch it."""
        self._shown: list[tuple[int, int]] = []

    def feed(
        self,
        rows: Sequence[TimelineRow],
        marks: Mapping[Ref, tuple[Mark, ...]],
        context: Context,
        extra: Sequence[Line] = (),
    ) -> None:
        """What there is now. `extra` are lines after the last entry (what is not saved yet)."""
        if context.width != self._context.width or context.look != self._context.look:
            self._cache.clear()
        self._rows, self._marks, self._context, self._extra = rows, marks, context, list(extra)
        if self.follow and rows:
            self._last_seen = rows[-1].ref

    def lines(self, height: int) -> list[Line]:
        """Exactly `height` lines."""
        self._height = max(1, height)
        start, skip = self._start()
        out: list[Line] = []
        self._shown = []
        index = start
        while index < len(self._rows) and len(out) < height:
            block = self._block(index)[skip:]
            skip = 0
            for line in block:
                if len(out) < height:
                    out.append(line)
                    self._shown.append((index, len(out) - 1))
            index += 1
        if index >= len(self._rows):
            out += self._extra[: max(0, height - len(out))]
        blank = fit([], self._context.width)
        return out + [blank] * (height - len(out))

    def shows(self, y: int, row: TimelineRow) -> bool:
        """Whether line `y` of the last picture belongs to this entry."""
        return any(line == y and self._rows[index] is row for index, line in self._shown)

    @property
    def below(self) -> int:
        """Entries that came after the last one that was followed: "N new below"."""
        if self.follow or not self._rows:
            return 0
        if self._last_seen is None:
            return len(self._rows)
        index = self._find(self._last_seen)
        return max(0, len(self._rows) - 1 - index)

    @property
    def position(self) -> tuple[int, int]:
        """Number of the first visible entry (from 1) and how many there are."""
        return (self._start()[0] + 1 if self._rows else 0), len(self._rows)

    @property
    def top_date(self) -> str:
        """The date of the first visible entry, "" when there is none."""
        index = self._start()[0]
        return f"{self._rows[index].at.astimezone(UTC):%Y-%m-%d} UTC" if index < len(self._rows) else ""

    def scroll(self, lines: int) -> None:
        """Down by so many lines, up when negative. Reaching the end follows again."""
        if not self._rows:
            return
        index, skip = self._start()
        skip += lines
        while skip < 0 and index > 0:
            index -= 1
            skip += len(self._block(index))
        skip = max(0, skip)
        while index < len(self._rows) and skip >= len(self._block(index)):
            skip -= len(self._block(index))
            index += 1
        end = self._end_start()
        if (index, skip) >= end:
            self.to_end()
            return
        self.follow = False
        self._top = (self._rows[index].ref, skip)

    def to_end(self) -> None:
        self.follow = True
        self._top = None
        self._last_seen = self._rows[-1].ref if self._rows else None

    def to_start(self) -> None:
        if self._rows and self._end_start() > (0, 0):
            self.follow = False
            self._top = (self._rows[0].ref, 0)

    def select(self, step: int) -> None:
        """Move the choice by `step` entries and bring it into view; the first call chooses the last visible one."""
        if not self._rows:
            self.selected = None
            return
        if self.selected is None:
            shown = [index for index, _ in self._shown]
            index = shown[-1] if shown else len(self._rows) - 1
        else:
            index = min(max(0, self._find(self.selected) + step), len(self._rows) - 1)
        self.choose(self._rows[index].ref)

    def choose(self, ref: Ref) -> None:
        """Choose this entry and bring it into view."""
        self.selected = ref
        index = self._find(ref)
        start, skip = self._start()
        if (index, 0) < (start, skip):
            self.follow, self._top = False, (ref, 0)
            return
        used = -skip
        for each in range(start, min(index + 1, start + self._height + 1)):
            used += len(self._block(each))
        if index > start + self._height or used > self._height:
            back, over = index, len(self._block(index)) - self._height
            while over < 0 and back > 0:
                back -= 1
                over += len(self._block(back))
            self.follow, self._top = False, (self._rows[back].ref, max(0, over))
            if (back, max(0, over)) >= self._end_start():
                self.to_end()

    def chosen(self) -> TimelineRow | None:
        if self.selected is None or not self._rows:
            return None
        row = self._rows[self._find(self.selected)]
        return row if row.ref == self.selected else None

    def _start(self) -> tuple[int, int]:
        if self.follow or self._top is None:
            return self._end_start()
        index = self._find(self._top[0])
        block = len(self._block(index)) if index < len(self._rows) else 1
        return index, min(self._top[1], block - 1)

    def _end_start(self) -> tuple[int, int]:
        """Where the window begins when the end is in view."""
        need = self._height - len(self._extra)
        index = len(self._rows)
        while index > 0 and need > 0:
            index -= 1
            need -= len(self._block(index))
        return index, max(0, -need)

    def _find(self, ref: Ref) -> int:
        """The index of an entry; of one that is gone from its place, of where it was."""
        known = self._cache.get(ref)
        row = known[0] if known is not None else next((one for one in self._rows if one.ref == ref), None)
        if row is None:
            return max(0, len(self._rows) - 1)
        index = bisect_left(self._rows, _order(row), key=_order)
        if index < len(self._rows) and self._rows[index].ref == ref:
            return index
        moved = next((at for at, one in enumerate(self._rows) if one.ref == ref), None)
        return moved if moved is not None else min(index, max(0, len(self._rows) - 1))

    def _block(self, index: int) -> list[Line]:
        """The lines of one entry, with the date above it where the day changes."""
        row = self._rows[index]
        marks = self._marks.get(row.ref, ())
        known = self._cache.get(row.ref)
        if known is not None and known[0] is row and known[1] == marks and known[2] == self._context:
            lines = known[3]
        else:
            self.rendered += 1
            lines = entry_lines(row, marks, self._context)
            if len(self._cache) >= _CACHE:
                for old in list(self._cache)[: _CACHE // 2]:
                    del self._cache[old]
            self._cache[row.ref] = (row, marks, self._context, lines)
        if index > 0 and row.at.astimezone(UTC).date() != self._rows[index - 1].at.astimezone(UTC).date():
            return [_rule(f"{row.at.astimezone(UTC):%Y-%m-%d} UTC", self._context.width, self._context.look), *lines]
        return lines


def _order(row: TimelineRow) -> tuple[datetime, datetime, str, int]:
    return (row.at, row.entry.recorded_at, row.entry.journal, row.entry.seq)
