"""One row of the left pane, and which rows are shown where not all of them fit. Pure.

A row is drawn when it is shown, not when it is made: of thousands a screen shows some dozens.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from incident_tui.incident.finding import Finding, Level
from incident_tui.ui.lines import LEVEL_STYLE, SYMBOL, Line, Look, Piece, cells, cut, fit, sides

_LEAST_NAME: Final = 8
"""Columns that a name keeps when its words are long."""


class StatusRow(msgspec.Struct, frozen=True):
    """One row. `level` None: the head of its section. `key` is stable, e.g. "host/web2"; `name` is for people."""

    section: str
    key: str
    level: Level | None
    name: str = ""
    words: str = ""
    right: tuple[Piece, ...] = ()
    findings: tuple[Finding, ...] = ()
    count: int = 1
    """How many things it stands for: all containers of a host that cannot be asked are one row."""
    width: int = 0
    look: Look = Look()
    drawn: Line | None = None
    """The line itself, of rows that have another form: heads and counts."""

    @property
    def line(self) -> Line:
        """At most `width` wide: symbol, name, words; the name gives way first, but keeps eight columns."""
        if self.drawn is not None:
            return self.drawn
        level = self.level or Level.UNKNOWN
        style = LEVEL_STYLE[level] if level is not Level.OK else ""
        name, words = self.look.text(self.name), self.look.text(self.words)
        room = self.width - (3 if self.right else 4) - sum(cells(text) for text, _ in self.right)
        short_name = cut(name, room, self.look)
        if words and cells(name) + 2 + cells(words) > room:
            short_name = cut(name, max(_LEAST_NAME, room - 2 - cells(words)), self.look)
        left: list[Piece] = [(f" {SYMBOL[level]} ", LEVEL_STYLE[level]), (short_name, style)]
        if words:
            left.append((f"  {words}", style))
        return sides(left, self.right, self.width, self.look)


def head(section: str, left: str, right: str, width: int, look: Look) -> StatusRow:
    """The head of a section. Names of columns give way to its counts."""
    right = right if cells(left) + 1 + cells(right) <= width else ""
    line = sides([(left, "strong")], [(right, "")], width, look)
    return StatusRow(section, f"head/{section}", None, section, drawn=line)


def hint(section: str, key: str, text: str, width: int, look: Look) -> StatusRow:
    """A line that says what to do."""
    return StatusRow(section, key, None, section, drawn=fit([(f"   {text}", "")], width, look))


def trouble_first(rows: Iterable[StatusRow]) -> list[StatusRow]:
    return sorted(rows, key=lambda row: -(row.level.rank if row.level else 0))


def fitted(rows: Sequence[StatusRow], height: int) -> list[StatusRow]:
    """At most `height` rows: what is well goes first, then what is unknown; what is left out is counted. When that is
    not enough, the worst rows alone, without heads: a critical one never gives way to a better one."""
    hidden = _hidden(rows, height)
    if hidden is None:
        return _worst([row for row in rows if row.level is not None], height)
    gone: dict[str, list[StatusRow]] = {}
    left: list[StatusRow] = []
    for row in reversed(rows):  # the last of a level and a section go first
        place = (row.level, row.section)
        if hidden.get(place, 0):
            hidden[place] -= 1
            gone.setdefault(row.section, []).append(row)
        else:
            left.append(row)
    left.reverse()
    out: list[StatusRow] = []
    for index, row in enumerate(left):
        out.append(row)
        last = index + 1 == len(left) or left[index + 1].section != row.section
        if last and row.section in gone:
            out.append(_more(row.section, gone[row.section]))
    return out


def _hidden(rows: Sequence[StatusRow], height: int) -> dict[tuple[Level | None, str], int] | None:
    """How many rows of each level and section to leave out; the fullest section gives first. None: not enough."""
    counts: dict[tuple[Level | None, str], int] = {}
    for row in rows:
        place = (row.level, row.section)
        counts[place] = counts.get(place, 0) + 1
    hidden: dict[tuple[Level | None, str], int] = {}
    begun: set[str] = set()  # sections that have the line of what is left out already
    over = len(rows) - height
    for level in (Level.OK, Level.UNKNOWN):
        while over > 0:
            # Hiding one row alone would only replace it by the line that counts it.
            able = sorted(
                ((left, section in begun, section) for (of, section), left in counts.items() if of is level and left),
                reverse=True,
            )
            able = [one for one in able if one[1] or one[0] > 1]
            if not able:
                break
            most, has_line, section = able[0]
            second = able[1][0] if len(able) > 1 else 0
            take = min(most, max(most - second, 1), over) if has_line else 2
            counts[level, section] -= take
            hidden[level, section] = hidden.get((level, section), 0) + take
            over -= take if has_line else take - 1
            begun.add(section)
    return None if over > 0 else hidden


def _worst(rows: Sequence[StatusRow], height: int) -> list[StatusRow]:
    ranked = trouble_first(rows)
    if len(ranked) <= height:
        return ranked
    shown, left = ranked[: max(0, height - 1)], ranked[max(0, height - 1) :]
    return [*shown, _more("all", left)][:height]


def _more(section: str, rows: Sequence[StatusRow]) -> StatusRow:
    totals: dict[Level, int] = {}
    for row in rows:
        if row.level is not None:
            totals[row.level] = totals.get(row.level, 0) + row.count
    worst = max(totals, key=lambda level: level.rank, default=Level.OK)
    words = [f"{totals[level]} more {level.value}" for level in reversed(Level) if totals.get(level)]
    style = LEVEL_STYLE[worst] if worst is not Level.OK else ""
    findings = tuple(one for row in rows for one in row.findings)
    line: Line = ((f"   {', '.join(words)}", style),)
    return StatusRow(section, f"more/{section}", worst, "more", findings=findings, drawn=line)
