"""The timeline: the window's lines below a title that says where one is and what is not in view."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from incident_tui.ui.folded import Item
from incident_tui.ui.lines import Line, Look, Piece, fit, sides, width_of
from incident_tui.ui.widgets.rows import Rows
from incident_tui.ui.window import Window


class Place(msgspec.Struct, frozen=True):
    """Where the window stands. Numbers count entries, not lines."""

    date: str = ""
    """Of the first visible entry."""
    position: int = 0
    """Of the first visible entry, from 1, among those that are listed; 0 while the window follows the end."""
    listed: int = 0
    total: int = 0
    below: int = 0
    """New ones that are listed, below the window."""
    hidden: int = 0
    """New ones that the filter does not show."""
    filtered: bool = False
    zoomed: bool = False
    above: tuple[str, str] = ("", "")
    """Words, long and short, for what came in above the window."""


class Timeline(Rows):
    """Draws only what is visible; see `ui.window.Window`."""

    DEFAULT_CSS = "Timeline { height: 1fr; width: 1fr; }"

    def __init__(self, *, id: str, colours: bool = True) -> None:
        super().__init__(id=id, colours=colours)
        self.window = Window()

    def draw(self, lines: Sequence[Line], place: Place, width: int, *, active: bool, chosen: Item | None) -> None:
        """`lines` are the window's; the chosen item is drawn as such."""
        if chosen is not None:
            lines = [
                tuple((text, "chosen") for text, _ in line) if self.window.shows(y, chosen) else line
                for y, line in enumerate(lines)
            ]
        self.show([title(place, width, active=active), *lines])


def title(place: Place, width: int, *, active: bool = False, look: Look = Look()) -> Line:  # noqa: B008
    """As much as fits; the filter, what it hides and what is new below never give way."""
    left = [f" {place.date}"]
    if place.zoomed:
        left.insert(0, f" {place.date}  F4 zooms back")
    for long in (True, False):
        right = _right(place, long=long)
        for words in (*left, ""):
            if width_of(right) + len(words) + (1 if words else 0) <= width:
                return sides([(words, "strong" if active else "")], right, width, look)
    return fit(_right(place, long=False), width, look)


def _right(place: Place, *, long: bool) -> list[Piece]:
    pieces: list[Piece] = []
    if place.above[0]:
        pieces.append((place.above[0 if long else 1], "mark"))
    if place.below:
        pieces.append((f"{place.below} new below" if long else f"{place.below} below", "mark"))
    if place.hidden:
        pieces.append((f"{place.hidden} new hidden" if long else f"{place.hidden} hidden", "warn"))
    if place.filtered:
        ends = ", Esc ends" if long else ""
        pieces.append((f"FILTERED {place.listed}/{place.total}{ends}", "warn"))
    if place.position and not place.filtered:
        pieces.append((f"{place.position}/{place.total}", "mark"))
    elif place.position:
        pieces.append((f"at {place.position}", "mark"))
    out: list[Piece] = []
    for index, piece in enumerate(pieces):
        out += [("  " if long else " ", ""), piece] if index else [piece]
    return [*out, (" ", "")] if out else out
