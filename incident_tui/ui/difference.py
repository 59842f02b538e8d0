"""What the terminal shows, and the fewest bytes that turn it into what it should show. Pure.

Only sequences that xterm, tmux, GNU screen and the Linux console share: absolute and relative moves, SGR, erase to the
end of a line, erase the screen. Terminals disagree about the width of characters, so that after one that is not ASCII
the column counts as unknown and the next move names it. Autowrap is off (Textual switches it off), and after the last
column too the next move is absolute, so that nothing wraps or scrolls where a terminal ignores that.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from incident_tui.ui.terminal import BLANK, PLAIN, Cell, Picture, Style

_SWITCHES: Final = {"1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "7": "27", "9": "29"}
"""What ends an attribute alone; the others end by a reset only, because old terminals read their codes otherwise."""
_ERASE_FROM: Final = 4
"""A blank tail of more changed cells than this is erased, not overwritten."""
_BRIDGE: Final = 4
"""A gap of so many unchanged cells may be written again instead of jumped over."""


class Shown:
    """The terminal as far as it is known. A row that is None, and a position or pen that is None, are unknown."""

    def __init__(self, width: int, height: int) -> None:
        self.rows: list[list[Cell] | None] = []
        self._x: int | None = None
        self._y: int | None = None
        self._pen: Style | None = None
        self._clear = True
        self._out: list[str] = []
        self.forget(width, height)

    def forget(self, width: int, height: int, *, clear: bool = True) -> None:
        """Nothing is known any more. With `clear` the screen is erased first, else row by row without a flash."""
        self.rows = [None] * height
        self._width = width
        self._x = self._y = self._pen = None
        self._clear = self._clear or clear

    def forget_row(self, y: int) -> None:
        self.rows[y] = None
        self._x = self._y = self._pen = None

    @property
    def unknown(self) -> bool:
        """Whether a row has to be sent, whatever it should show."""
        return self._clear or None in self.rows

    def difference(self, picture: Picture) -> str:
        """What makes the terminal show the picture, "" when it does; it counts as shown from now on."""
        if self._clear:
            self._clear = False
            self._pen, self._x, self._y = PLAIN, 0, 0
            self._out.append("\x1b[m\x1b[H\x1b[2J")
            self.rows = [[BLANK] * self._width for _ in self.rows]
            picture.touched.update(range(picture.height))
        picture.touched.update(y for y, row in enumerate(self.rows) if row is None)
        for y in sorted(picture.touched):
            want, have = picture.rows[y], self.rows[y]
            if want != have:
                self._row(y, want, have)
                self.rows[y] = want.copy()
        picture.touched.clear()
        self._move(min(picture.cursor[0], picture.width - 1), picture.cursor[1])
        text = "".join(self._out)
        self._out.clear()
        return text

    def _row(self, y: int, want: list[Cell], have: list[Cell] | None) -> None:
        if have is None:
            self._move(0, y)
            self._erase()
            have = [BLANK] * len(want)
        # A wide character and its second column change together, because a picture never holds one without the other.
        changed = [x for x, (one, other) in enumerate(zip(want, have, strict=True)) if one != other]
        if not changed:
            return
        erased = _tail(want, changed)
        if erased is not None:
            changed = [x for x in changed if x < erased]
        for start, end in _spans(changed):
            self._reach(start, y, want)
            self._write(start, end, y, want)
        if erased is not None:
            self._move(erased, y)
            self._erase()

    def _reach(self, x: int, y: int, want: list[Cell]) -> None:
        """Go to the start of a span: over a short gap by writing it again, where that is no dearer."""
        if self._y == y and self._x is not None and 0 < x - self._x <= _BRIDGE:
            gap = want[self._x : x]
            if all(
                text.isascii() and text and (style == self._pen or self._blends(text, style)) for text, style in gap
            ):
                self._out.append("".join(text for text, _ in gap))
                self._x = x
        self._move(x, y)

    def _blends(self, text: str, style: Style) -> bool:
        """Whether an empty cell may be written in the pen of now."""
        return text == " " and style == PLAIN and self._pen is not None and not self._pen.shows_on_blank

    def _write(self, start: int, end: int, y: int, want: list[Cell]) -> None:
        for x in range(start, end):
            text, style = want[x]
            if not text:
                continue
            plain = text.isascii()
            if self._x != x and not (self._x is None and _steady(text) and x > start and _steady(want[x - 1][0])):
                self._move(x, y)
            if style != self._pen and not self._blends(text, style):
                self._out.append(transition(self._pen, style))
                self._pen = style
            self._out.append(text)
            self._x = x + 1 if plain and x + 1 < self._width else None

    def _erase(self) -> None:
        """Erase to the end of the line."""
        if self._pen is None or self._pen.shows_on_blank:
            self._out.append(transition(self._pen, PLAIN))
            self._pen = PLAIN
        self._out.append("\x1b[K")

    def _move(self, x: int, y: int) -> None:
        if (self._x, self._y) == (x, y):
            return
        ways = [_absolute(x, y)]
        if self._y == y:
            ways.append(_along(self._x, x))
        elif self._y is not None and self._x is not None:
            ways.append(_counted(y - self._y, "B", "A") + (_along(self._x, x) if self._x != x else ""))
        self._out.append(min(ways, key=len))
        self._x, self._y = x, y


def _tail(want: Sequence[Cell], changed: Sequence[int]) -> int | None:
    """The column from which the line is to be erased, if its end is empty and much of it has changed."""
    end = len(want)
    while end and want[end - 1] is BLANK:
        end -= 1
    tail = [x for x in changed if x >= end]
    return tail[0] if len(tail) > _ERASE_FROM else None


def _spans(changed: Sequence[int]) -> list[tuple[int, int]]:
    """Neighbouring columns together: start and end."""
    spans: list[tuple[int, int]] = []
    for x in changed:
        if spans and spans[-1][1] == x:
            spans[-1] = (spans[-1][0], x + 1)
        else:
            spans.append((x, x + 1))
    return spans


def _steady(text: str) -> bool:
    """Lines and blocks, which a terminal draws in a row without a doubt where the next one of them begins."""
    return len(text) == 1 and "\u2500" <= text <= "\u259f"


def _absolute(x: int, y: int) -> str:
    if x == 0:
        return "\x1b[H" if y == 0 else f"\x1b[{y + 1}H"
    return f"\x1b[{y + 1 if y else ''};{x + 1}H"


def _along(old: int | None, new: int) -> str:
    """From one column to another of the same row."""
    if new == 0:
        return "\r"
    ways = [f"\x1b[{new + 1}G"]
    if old is not None:
        ways.append(_counted(new - old, "C", "D"))
        if old > new:
            ways.append("\b" * (old - new))
    return min(ways, key=len)


def _counted(steps: int, forward: str, back: str) -> str:
    count = abs(steps)
    return f"\x1b[{count if count > 1 else ''}{forward if steps > 0 else back}"


@lru_cache(maxsize=1024)
def transition(old: Style | None, new: Style) -> str:
    """The shortest SGR from one style to another; None: from an unknown one."""
    if old == new:
        return ""
    whole = [*new.codes, *(colour for colour in (new.ink, new.paper) if colour)]
    reset = f"\x1b[{';'.join(['0', *whole])}m" if whole else "\x1b[m"
    if old is None:
        return reset
    lost = [code for code in old.codes if code not in new.codes]
    if any(code not in _SWITCHES for code in lost):
        return reset
    ends = list(dict.fromkeys(_SWITCHES[code] for code in lost))
    gone = {code for code, end in _SWITCHES.items() if end in ends}
    steps = [*ends, *(code for code in new.codes if code not in old.codes or code in gone)]
    if old.ink != new.ink:
        steps.append(new.ink or "39")
    if old.paper != new.paper:
        steps.append(new.paper or "49")
    return min(reset, f"\x1b[{';'.join(steps)}m", key=len)
