"""The output stage without a terminal: whatever is drawn, the terminal ends up as with Textual's own output.

Two terminals are the oracles. pyte has a bug with wide characters: what overwrites one half leaves the other standing,
and a combining mark after one is lost. Its comparison therefore has wide characters, but stock output first blanks a
wide character that it is about to cut, and no mark follows a wide character. tmux gets both without that help.
Clusters with a zero-width joiner are as wide as each terminal believes, so that the stock output moves after each of
them, as the stage does; pyte drops what follows a joiner, and gets none.
"""

from __future__ import annotations

import pyte
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from textual._loop import loop_last

from incident_tui.ui.stage import Stage

WIDTH, HEIGHT = 24, 7
STYLES = ["", "1", "31", "1;31", "7", "4", "9", "2", "3", "1;33;44", "92", "7;36", "39;49", "101", "38;5;200", "4;1"]
NARROW = st.text("abcXYZ 0189.,-", min_size=1, max_size=12)
LINES = st.text("─│┼█…é·", min_size=1, max_size=4)
WIDE = st.text("漢字가", min_size=1, max_size=3)
MARKED = st.lists(st.sampled_from(["e\u0301", "o\u0308", "n\u0303"]), min_size=1, max_size=3).map("".join)
JOINED = st.sampled_from(["👩\u200d💻", "👨\u200d👩\u200d👧"])
OTHERS = st.sampled_from(
    ["\x07", "\x1b]52;c;aGVsbG8=\x07", "\x1b]9;down\x1b\\", "\x1b[?2004h", "\x1b[?2026$p", "\x1b[c"]
)


@st.composite
def span(draw: st.DrawFn, *, joined: bool) -> tuple[int, str]:
    """Row, and styled text in it, no further than the last column, as the compositor writes it."""
    x, y = draw(st.integers(0, WIDTH - 1)), draw(st.integers(0, HEIGHT - 1))
    kinds = [NARROW, NARROW, LINES, WIDE, MARKED, st.just(" " * 20), *([JOINED] if joined else [])]
    out = [f"\x1b[{y + 1};{x + 1}H"]
    for _ in range(draw(st.integers(1, 3))):
        text, style = draw(st.one_of(kinds)), draw(st.sampled_from(STYLES))
        text, x = cropped(text, x)
        out.append(f"\x1b[{style}m{text}\x1b[0m" if style else text)
        if "\u200d" in text:
            out.append(f"\x1b[{y + 1};{min(x, WIDTH - 1) + 1}H")
    return y, "".join(out)


def update(spans: list[tuple[int, str]]) -> str:
    """From the top down, with the compositor's newline after each but the last."""
    return "".join(
        text if last or y == HEIGHT - 1 else text + "\n"
        for last, (y, text) in loop_last(sorted(spans, key=lambda one: one[0]))
    )


def cropped(text: str, x: int) -> tuple[str, int]:
    """What fits of `text` from column `x`, blanks for half a wide character, and the column after it."""
    if "\u200d" in text:
        return (text, x + 2) if x + 2 < WIDTH else ("", x)
    out = ""
    for character in text:
        width = 2 if character in "漢字가" else 0 if "\u0300" <= character < "\u0370" else 1
        if x + width > WIDTH:
            return out + " " * (WIDTH - x), WIDTH
        out, x = out + character, x + width
    return out, x


def frames(*, joined: bool) -> st.SearchStrategy[str]:
    whole = st.lists(span(joined=joined), min_size=1, max_size=5).map(update)
    synchronised = whole.map(lambda text: f"\x1b[?2026h{text}\x1b[?2026l")
    return st.one_of(whole, whole, synchronised, OTHERS, st.tuples(whole, OTHERS, whole).map("".join))


class Looker:
    """pyte, and what it shows as comparable cells."""

    def __init__(self, width: int = WIDTH, height: int = HEIGHT) -> None:
        self.screen = pyte.Screen(width, height)
        self.screen.reset_mode(pyte.modes.DECAWM)
        self.stream = pyte.Stream(self.screen)

    def feed(self, text: str) -> None:
        self.stream.feed(text)

    def blank_cut_wides(self, text: str) -> None:
        """Feed stock output as a right terminal draws it: what is left of a wide character that was cut is blank."""
        before: list[tuple[int, int]] = []
        for piece in text.replace("\x1b", "\0\x1b").split("\0"):
            self.stream.feed(piece)
            for y in range(self.screen.lines):
                row = self.screen.buffer[y]
                for x in range(self.screen.columns):
                    wide = row[x].data in tuple("漢字가")
                    half = row[x].data == ""
                    if (wide and (x + 1 == self.screen.columns or row[x + 1].data != "")) or (
                        half and (x == 0 or row[x - 1].data not in tuple("漢字가"))
                    ):
                        before.append((x, y))
            for x, y in before:
                self.screen.buffer[y][x] = self.screen.default_char
            before.clear()

    def cells(self) -> list[list[tuple[object, ...]]]:
        """A blank shows neither its colour nor its weight."""
        rows = []
        for y in range(self.screen.lines):
            row: list[tuple[object, ...]] = []
            for x in range(self.screen.columns):
                one = self.screen.buffer[y][x]
                seen = one.bg != "default" or one.reverse or one.underscore or one.strikethrough
                row.append((" ",) if one.data == " " and not seen else tuple(one))
            rows.append(row)
        return rows

    def cursor(self) -> tuple[int, int]:
        return min(self.screen.cursor.x, self.screen.columns - 1), self.screen.cursor.y


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(frames(joined=False), min_size=1, max_size=8), st.data())
def test_a_terminal_shows_what_stock_output_shows(writes: list[str], data: st.DataObject) -> None:
    stock, ours = Looker(), Looker()
    stage = Stage(WIDTH, HEIGHT)
    stage.synchronised = data.draw(st.booleans())
    for text in writes:
        stock.blank_cut_wides(text)
        free = data.draw(st.booleans())
        ours.feed(stage.feed(text, free=free))
        kind = data.draw(st.sampled_from(["", "", "due", "row", "resync", "clear"]))
        if kind == "due":
            ours.feed(stage.due())
        elif kind == "row":
            ours.feed(stage.next_row())
        elif kind:
            stage.resync(clear=kind == "clear")
    ours.feed(stage.due())
    assert ours.cells() == stock.cells()
    assert ours.cursor() == stock.cursor()
