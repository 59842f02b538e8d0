"""Lines of a screen as plain data: pieces of text with the name of a style. Pure; knows no widget.

A piece's text is clean (`Look.text`) before it is measured, so that what is drawn is as wide as what was laid out.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from rich.cells import cell_len

from incident_tui.incident.finding import Level
from incident_tui.text import sanitise

Piece = tuple[str, str]
"""Text and style. Styles: "" plain, ok, warn, crit, unknown, strong, soft, mark, machine, struck, cursor, chosen."""
Line = tuple[Piece, ...]

LEVEL_STYLE: Final = {Level.OK: "ok", Level.WARN: "warn", Level.CRIT: "crit", Level.UNKNOWN: "unknown"}
SYMBOL: Final = {Level.OK: "+", Level.WARN: "!", Level.CRIT: "X", Level.UNKNOWN: "?"}


class Look(msgspec.Struct, frozen=True):
    """What the terminal can show."""

    ascii: bool = False

    @property
    def cut(self) -> str:
        return "~" if self.ascii else "…"

    @property
    def bar(self) -> str:
        return "|" if self.ascii else "│"

    @property
    def rule(self) -> str:
        return "-" if self.ascii else "─"

    def text(self, value: str, *, lines: bool = False) -> str:
        """`value` as this terminal may show it: sanitised, whatever its origin; "?" for what is not ASCII if asked."""
        value = sanitise(value, lines=lines)
        if not value.isascii():
            value = value.translate(_SELECTORS)
        if self.ascii and not value.isascii():
            value = unicodedata.normalize("NFKD", value.translate(_PLAIN))
            value = "".join(one for one in value if not unicodedata.combining(one))
            value = value.encode("ascii", "replace").decode("ascii")
        return value


# Terminals disagree about the width of a character with a variation selector; without one they agree.
_SELECTORS: Final = dict.fromkeys(range(0xFE00, 0xFE10))
_PLAIN: Final = str.maketrans(
    {"…": "~", "─": "-", "│": "|", "–": "-", "—": "-", "“": '"', "”": '"', "’": "'", "±": "~"}
)


def cells(text: str) -> int:
    """How many columns the text takes."""
    return len(text) if text.isascii() else cell_len(text)


def width_of(line: Iterable[Piece]) -> int:
    return sum(cells(text) for text, _ in line)


def take(text: str, columns: int) -> str:
    """As much of the beginning as fits in `columns`."""
    if text.isascii():
        return text[: max(0, columns)]
    used = 0
    for index, character in enumerate(text):
        used += cell_len(character)
        if used > columns:
            return text[:index]
    return text


def cut(text: str, columns: int, look: Look = Look()) -> str:  # noqa: B008
    """The text in at most `columns`, with a mark when something was left out."""
    if cells(text) <= columns:
        return text
    return take(text, columns - 1) + look.cut if columns > 0 else ""


def fit(line: Sequence[Piece], columns: int, look: Look = Look()) -> Line:  # noqa: B008
    """Exactly `columns` wide: padded, or cut with a mark."""
    used = width_of(line)
    if columns <= 0:
        return ()
    if used <= columns:
        return (*line, (" " * (columns - used), "")) if used < columns else tuple(line)
    out: list[Piece] = []
    left = columns
    for text, style in line:
        size = cells(text)
        if size >= left:
            # This piece ends the line: it is cut, or something follows it that is left out.
            out.append((take(text, left - 1) + look.cut, style))
            break
        out.append((text, style))
        left -= size
    short = columns - width_of(out)
    return (*out, (" " * short, "")) if short > 0 else tuple(out)


def sides(left: Sequence[Piece], right: Sequence[Piece], columns: int, look: Look = Look()) -> Line:  # noqa: B008
    """`left` and `right` at both ends; `left` gives way."""
    room = columns - width_of(right)
    if room < 2:
        return fit(left, columns, look)
    return (*fit(left, room, look), *right)


def wrap(text: str, first: int, rest: int) -> list[str]:
    """The text in lines of at most `first`, then `rest` columns, broken at spaces where possible; line breaks stay."""
    out: list[str] = []
    room = max(1, first)
    rest = max(1, rest)
    for paragraph in text.split("\n"):
        line: list[str] = []
        used = 0
        for word in paragraph.split(" "):
            size = cells(word)
            if line and used + 1 + size <= room:
                line.append(word)
                used += 1 + size
                continue
            if line:
                out.append(" ".join(line))
                room = rest
            if size > room:
                *full, word = _broken(word, room, rest)
                out += full
                room = rest
                size = cells(word)
            line, used = [word], size
        out.append(" ".join(line))
        room = rest
    return out


def _broken(word: str, first: int, rest: int) -> list[str]:
    """A word that is longer than its line, in pieces; in time linear in its length."""
    out: list[str] = []
    start = used = 0
    room = first
    for index, character in enumerate(word):
        size = cells(character)
        if used + size > room and index > start:
            out.append(word[start:index])
            start, used, room = index, 0, rest
        used += size
    return [*out, word[start:]]


def plain(lines: Iterable[Sequence[Piece]]) -> str:
    """The lines as text, for tests and for linear output."""
    return "\n".join("".join(text for text, _ in line).rstrip() for line in lines)


def changed(before: Sequence[Piece], after: Sequence[Piece]) -> tuple[int, int] | None:
    """First column and number of columns that differ between two lines of the same width; None when equal."""
    if before == after:
        return None
    old, new = _columns(before), _columns(after)
    if len(old) != len(new):
        return 0, max(len(old), len(new))
    differing = [index for index, (one, other) in enumerate(zip(old, new, strict=True)) if one != other]
    if not differing:
        return None
    start, end = differing[0], differing[-1] + 1
    # Never begin or end inside a wide character, on either screen.
    while start > 0 and (old[start][0] == "" or new[start][0] == ""):
        start -= 1
    while end < len(new) and (old[end][0] == "" or new[end][0] == ""):
        end += 1
    return start, end - start


def _columns(line: Sequence[Piece]) -> list[Piece]:
    """One item a column; the second column of a wide character is empty; combining marks go with their character."""
    out: list[Piece] = []
    for text, style in line:
        if text.isascii():
            out.extend((character, style) for character in text)
            continue
        for character in text:
            size = cell_len(character)
            if size == 0 and out:
                out[-1] = (out[-1][0] + character, out[-1][1])
                continue
            out.append((character, style))
            out.extend([("", style)] * (size - 1))
    return out
