"""What the terminal should show: a grid of cells, drawn by reading what Textual writes. Pure.

Textual's compositor writes frames of four things: `CSI row;column H`, `CSI … m`, text, and newlines, and around them
DEC 2026 "begin" and "end". Those are applied to the grid here. Everything else (bell, clipboard, title, modes,
questions to the terminal) is no part of the picture, and is handed back in its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from rich.cells import split_graphemes

_TOKENS: Final = re.compile(
    r"(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
    r"|\x1b\[(?P<sgr>[\d;:]*)m"
    r"|\x1b\[(?P<row>\d*)(?:;(?P<column>\d*))?[Hf]"
    r"|(?P<drop>\x1b\[\?2026[hl]|\x1b\]8;.*?(?:\x07|\x1b\\))"
    r"|(?P<other>\x07|\x1b\].*?(?:\x07|\x1b\\)|\x1b[PX^_].*?\x1b\\|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-Z\\^-~])"
    r"|(?P<broken>\x1b.*)"
    r"|(?P<control>[\x00-\x1f\x7f-\x9f])",
    re.DOTALL,
)
_HARMLESS: Final = re.compile(
    r"\x07|\x1b[\]PX^_\\=>].*"  # bell; OSC, DCS and their like; keypad
    r"|\x1b\[\?(?!(?:3|47|1047|1049)[hl])[\d;]*[hl]"  # private modes but those that clear or swap the screen
    r"|\x1b\[[?>=]?[\d;]*[cn]|\x1b\[\??[\d;]*\$p|\x1b\[[<>=?][\d;]*u|\x1b\[[\d;]*t|\x1b\[\d* q",
    re.DOTALL,
)
_SEEN_ON_BLANK: Final = frozenset({"4", "5", "6", "7", "9", "21", "51", "52", "53"})
_STYLES_KEPT: Final = 4096


class Style(NamedTuple):
    """How a cell looks: SGR attributes in order, and two colours as SGR parameters ("31", "38;5;9"; "" default)."""

    codes: tuple[str, ...] = ()
    ink: str = ""
    paper: str = ""

    @property
    def shows_on_blank(self) -> bool:
        """Whether a blank of this style can be told from an empty cell."""
        return bool(self.paper) or not _SEEN_ON_BLANK.isdisjoint(self.codes)


PLAIN: Final = Style()
Cell = tuple[str, Style]
"""A character with its combining marks, and its style. The second column of a wide character is ""."""
BLANK: Final[Cell] = (" ", PLAIN)


class Other(NamedTuple):
    """A sequence that is no part of a frame. `harmless`: it leaves every cell, the cursor and the colours alone."""

    text: str
    harmless: bool


class Picture:
    """The grid. `rows[y][x]` is a cell; `touched` are the rows written to since somebody cleared the set."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self.rows: list[list[Cell]] = [[BLANK] * width for _ in range(height)]
        self.touched: set[int] = set()
        self.cursor = (0, 0)
        """Column and row, from 0."""
        self._pen = PLAIN
        self._styles: dict[tuple[Style, str], Style] = {}
        self._cells: dict[Style, _Cells] = {}

    def resize(self, width: int, height: int) -> None:
        """What fits is kept, until the next frame."""
        rows = [row[:width] + [BLANK] * (width - len(row)) for row in self.rows[:height]]
        for row in rows:
            _mend(row, width - 1)
        self.rows = rows + [[BLANK] * width for _ in range(height - len(rows))]
        self.width, self.height = width, height
        self.cursor = (min(self.cursor[0], width - 1), min(self.cursor[1], height - 1))
        self.touched = set(range(height))

    def apply(self, data: str) -> Iterator[Other]:
        """Draw the frames of `data`, and yield what is no frame, each when all before it is drawn.

        Text right of the last column or below the last row is not shown; control characters in text are dropped,
        as are links. A sequence without its end is handed back with all that follows it.
        """
        for token in _TOKENS.finditer(data):
            kind = token.lastgroup
            if kind == "text":
                self._draw(token[0])
            elif kind == "sgr":
                self._pen = self._styled(token["sgr"])
            elif kind == "row" or kind == "column":
                x, y = int(token["column"] or 1) - 1, int(token["row"] or 1) - 1
                self.cursor = (max(0, min(x, self.width - 1)), max(0, min(y, self.height - 1)))
            elif kind == "other":
                yield Other(token[0], _HARMLESS.fullmatch(token[0]) is not None)
            elif kind == "broken":
                yield Other(token[0], False)
            elif token[0] == "\n":
                self.cursor = (0, min(self.cursor[1] + 1, self.height - 1))
            elif token[0] == "\r":
                self.cursor = (0, self.cursor[1])

    def _draw(self, text: str) -> None:
        x, y = self.cursor
        row, pen = self.rows[y], self._pen
        self.touched.add(y)
        if text.isascii():
            cells = self._cells.get(pen)
            if cells is None:
                if len(self._cells) >= _STYLES_KEPT:
                    self._cells.clear()
                cells = self._cells[pen] = _Cells(pen)
            drawn = [cells[character] for character in text[: self.width - x]]
        else:
            drawn = self._clusters(text, row, x)
        if not drawn:
            return
        end = x + len(drawn)
        row[x:end] = drawn
        _mend(row, x - 1)
        _mend(row, end - 1)
        self.cursor = (min(end, self.width), y)

    def _clusters(self, text: str, row: list[Cell], x: int) -> list[Cell]:
        """Cells of a text with characters that may be wide, or joined to the one before."""
        drawn: list[Cell] = []
        pen = self._pen
        for start, end, width in split_graphemes(text)[0]:
            cluster = text[start:end]
            at = x + len(drawn)
            if width == 0:
                _join(drawn if drawn else row[:x], cluster, None if drawn else row)
            elif at + width > self.width:
                drawn.extend([BLANK] * (self.width - at))
                break
            elif cluster == " " and not pen.shows_on_blank:
                drawn.append(BLANK)
            else:
                drawn.append((cluster, pen))
                drawn.extend([("", pen)] * (width - 1))
        return drawn

    def _styled(self, parameters: str) -> Style:
        known = self._styles.get((self._pen, parameters))
        if known is None:
            if len(self._styles) >= _STYLES_KEPT:
                self._styles.clear()
            known = self._styles[self._pen, parameters] = restyled(self._pen, parameters)
        return known


class _Cells(dict[str, Cell]):
    """The cells of ASCII characters in one style, each made once."""

    def __init__(self, style: Style) -> None:
        super().__init__()
        self._style = style

    def __missing__(self, character: str) -> Cell:
        cell = (character, self._style)
        if character == " " and not self._style.shows_on_blank:
            cell = BLANK
        self[character] = cell
        return cell


def _join(cells: list[Cell], mark: str, row: list[Cell] | None) -> None:
    """Put a mark of no width on the last character of `cells`; `row` is where that is kept, if elsewhere."""
    at = len(cells) - 1
    while at >= 0 and cells[at][0] == "":
        at -= 1
    if at >= 0:
        (cells if row is None else row)[at] = (cells[at][0] + mark, cells[at][1])


def _mend(row: list[Cell], x: int) -> None:
    """Between columns `x` and `x + 1` something was cut: a wide character that lost a half becomes blank."""
    if x + 1 < len(row) and row[x + 1][0] == "" and (x < 0 or not _is_wide(row[x])):
        row[x + 1] = BLANK
    if 0 <= x < len(row) and _is_wide(row[x]) and (x + 1 >= len(row) or row[x + 1][0] != ""):
        row[x] = BLANK


def _is_wide(cell: Cell) -> bool:
    return not cell[0].isascii() and split_graphemes(cell[0])[1] == 2


def restyled(style: Style, parameters: str) -> Style:
    """`style` after `CSI parameters m`."""
    codes = dict.fromkeys(style.codes)
    ink, paper = style.ink, style.paper
    numbers = [number or "0" for number in parameters.split(";")]
    at = 0
    while at < len(numbers):
        number = numbers[at].lstrip("0") or "0"
        at += 1
        if number in ("38", "48") and at < len(numbers):
            length = {"5": 2, "2": 4}.get(numbers[at], 1)
            colour = ";".join([number, *numbers[at : at + length]])
            ink, paper = (colour, paper) if number == "38" else (ink, colour)
            at += length
        elif number == "0":
            codes, ink, paper = {}, "", ""
        elif number in _OFF:
            for one in _OFF[number]:
                codes.pop(one, None)
        elif number in ("39", "49"):
            ink, paper = ("", paper) if number == "39" else (ink, "")
        elif len(number) > 1 and number[:-1] in ("3", "9"):
            ink = number
        elif len(number) > 1 and number[:-1] in ("4", "10"):
            paper = number
        else:
            codes[number] = None
    return Style(tuple(sorted(codes)), ink, paper)


_OFF: Final = {
    "22": ("1", "2"),
    "23": ("3",),
    "24": ("4", "21"),
    "25": ("5", "6"),
    "27": ("7",),
    "28": ("8",),
    "29": ("9",),
    "54": ("51", "52"),
    "55": ("53",),
}
