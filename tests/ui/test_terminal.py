"""The output stage without a terminal: whatever is drawn, the terminal ends up as with Textual's own output.

Two terminals are the oracles. pyte has a bug with wide characters: what overwrites one half leaves the other standing,
and a combining mark after one is lost. Its comparison therefore has wide characters, but stock output first blanks a
wide character that it is about to cut, and no mark follows a wide character. tmux gets both without that help. Without
autowrap tmux puts a mark in the last column on the column before, stock output or not: none is there.
Clusters with a zero-width joiner are as wide as each terminal believes, so that the stock output moves after each of
them, as the stage does; pyte drops what follows a joiner, and gets none.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pyte
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from textual._loop import loop_last

from incident_tui.ui.difference import transition
from incident_tui.ui.stage import LARGE, WAITING_MOST, Stage
from incident_tui.ui.terminal import PLAIN, Picture, restyled

WIDTH, HEIGHT = 24, 7
STYLES = [
    "",
    "1",
    "31",
    "1;31",
    "7",
    "4",
    "9",
    "2",
    "3",
    "1;33;44",
    "92",
    "7;36",
    "39;49",
    "101",
    "38;5;200",
    "4;1",
    "1;2",
]
NARROW = st.text("abcXYZ 0189.,-", min_size=1, max_size=12)
LINES = st.text("─│┼█…é·", min_size=1, max_size=4)
WIDES = ("漢", "字", "가")
WIDE = st.text("".join(WIDES), min_size=1, max_size=3)
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
        width = 2 if character in WIDES else 0 if "\u0300" <= character < "\u0370" else 1
        if x + width > WIDTH or (width == 0 and x == WIDTH):
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
        for piece in text.replace("\x1b", "\0\x1b").split("\0"):
            self.stream.feed(piece)
            for row in (self.screen.buffer[y] for y in range(self.screen.lines)):
                texts = [row[x].data for x in range(self.screen.columns)] + [" "]
                for x in range(self.screen.columns):
                    lost = texts[x + 1] != "" if texts[x] in WIDES else texts[x] == "" and texts[x - 1] not in WIDES
                    if lost:
                        row[x] = self.screen.default_char

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


@settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(frames(joined=False), min_size=1, max_size=8), st.data())
def test_a_terminal_shows_what_stock_output_shows(writes: list[str], data: st.DataObject) -> None:
    stock, ours = Looker(), Looker()
    stage = Stage(WIDTH, HEIGHT)
    stage.synchronised = data.draw(st.booleans())
    for text in writes:
        stock.blank_cut_wides(text)
        free = data.draw(st.booleans())
        ours.feed(stage.feed(text, free=free))
        kind = data.draw(st.sampled_from(["", "", "due", "row", "resync", "clear", "resize"]))
        if kind == "resize":
            size = data.draw(st.tuples(st.integers(10, 40), st.integers(2, 12)))
            for width, height in (size, (WIDTH, HEIGHT)):  # away and back, with the whole screen drawn by Textual
                whole = "\n".join(f"\x1b[{y + 1};1H" + f"row {y} ".ljust(width) for y in range(height))
                stage.resize(width, height)
                for looker in (stock, ours):
                    looker.screen.resize(height, width)
                stock.feed(whole)
                ours.feed(stage.feed(whole, free=free))
        elif kind == "due":
            ours.feed(stage.due())
        elif kind == "row":
            ours.feed(stage.next_row())
        elif kind:
            stage.resync(clear=kind == "clear")
    ours.feed(stage.due())
    assert ours.cells() == stock.cells()
    assert ours.cursor() == stock.cursor()


class Pane:
    """A pane of a tmux server of our own; what it shows, with its styles."""

    def __init__(self, server: list[str], name: str, place: Path) -> None:
        self._server, self._name = server, name
        self._pipe = place / name
        os.mkfifo(self._pipe)
        run = f"stty raw -echo; exec 3<>{self._pipe}; while :; do cat <&3; done"
        size = ["-x", str(WIDTH), "-y", str(HEIGHT)]
        subprocess.run([*server, "new-session", "-d", "-s", name, *size, run], check=True, timeout=20)
        self._shown = 0

    def ask(self, *words: str) -> str:
        return subprocess.run([*self._server, *words], check=True, capture_output=True, text=True, timeout=20).stdout

    def look(self, text: str) -> list[str]:
        """Show the text on an empty screen. Colours that a blank does not show are left out."""
        self._shown += 1
        with self._pipe.open("w") as pipe:
            pipe.write(f"\x1b[m\x1b[?7l\x1b[2J{text}\x1b[m\x1b]2;shown {self._shown}\x1b\\")
        end = time.monotonic() + 10
        while self.ask("display", "-p", "-t", self._name, "#{pane_title}").strip() != f"shown {self._shown}":
            assert time.monotonic() < end
        rows = self.ask("capture-pane", "-e", "-N", "-p", "-t", self._name).split("\n")[:HEIGHT]
        picture = Picture(WIDTH, HEIGHT)  # tmux carries a style on into the next row
        for y, row in enumerate(rows):
            assert not list(picture.apply(f"\x1b[{y + 1}H{row}"))
        return [str(row) for row in picture.rows]


@pytest.fixture(scope="module")
def panes(tmux: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Pane, Pane]]:
    place = tmp_path_factory.mktemp("tmux")
    server = ["tmux", "-u", "-S", str(place / "socket"), "-f", "/dev/null"]
    try:
        yield Pane(server, "stock", place), Pane(server, "ours", place)
    finally:
        subprocess.run([*server, "kill-server"], check=False, timeout=20)


@settings(max_examples=30, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(st.lists(frames(joined=True), min_size=2, max_size=6), st.data())
def test_tmux_shows_what_stock_output_shows(panes: tuple[Pane, Pane], writes: list[str], data: st.DataObject) -> None:
    stage = Stage(WIDTH, HEIGHT)
    out = [stage.feed(text, free=data.draw(st.booleans())) for text in writes]
    out.append(stage.next_row() if data.draw(st.booleans()) else "")
    out.append(stage.due())
    ours, stock = panes[1].look("".join(out)), panes[0].look("".join(writes))
    assert ours == stock


@given(st.sampled_from(STYLES), st.sampled_from(STYLES))
def test_the_shortest_way_between_styles_arrives(old: str, new: str) -> None:
    before, after = restyled(PLAIN, old), restyled(PLAIN, new)
    step = transition(before, after)
    assert (restyled(before, step[2:-1]) if step else before) == after
    assert len(step) <= len(transition(None, after))


def test_one_changed_character_costs_a_move_and_itself() -> None:
    stage = Stage(80, 24)
    stage.feed("\x1b[12;1H" + "14:43:09Z".rjust(70) + "\x1b[1;1H", free=True)
    assert stage.feed("\x1b[12;1H" + "14:43:10Z".rjust(70) + "\x1b[1;1H", free=True) == "\x1b[12;68H10\x1b[H"
    assert stage.feed("\x1b[12;1H" + "14:43:10Z".rjust(70) + "\x1b[1;1H", free=True) == ""


def test_blanks_cost_no_change_of_style_and_an_empty_end_is_erased() -> None:
    stage = Stage(40, 2)
    stage.feed("\x1b[1;1H\x1b[1mtwo\x1b[0m \x1b[1mwords\x1b[0m\x1b[1;1H", free=True)
    assert stage.feed("\x1b[1;1H\x1b[1mone\x1b[0m \x1b[1mtwo\x1b[0m  \x1b[1;1H", free=True) == "one two  \r"
    assert stage.feed("\x1b[1;1H" + " " * 40 + "\x1b[1;1H", free=True) == "\x1b[K"


def test_only_a_large_difference_is_shown_at_once() -> None:
    stage = Stage(80, 24)
    stage.synchronised = True
    assert "2026" not in stage.feed("\x1b[?2026h\x1b[3;1Hsmall\x1b[?2026l", free=True)
    large = stage.feed("\x1b[1;1H" + "\n".join("x" * 70 for _ in range(20)), free=True)
    assert len(large) > LARGE and large.startswith("\x1b[?2026h") and large.endswith("\x1b[?2026l")


def test_what_waits_is_bounded_and_modes_are_not_lost() -> None:
    stage = Stage(80, 24)
    stage.feed("\x1b[?2004h", free=False)
    for number in range(20):
        stage.feed(f"\x07\x1b]52;c;{number:05}{'A' * 20000}\x07", free=False)
    due = stage.due()
    assert len(due) < WAITING_MOST + 1000
    assert due.count("\x1b[?2004h") == 1 and due.endswith("A\x07") and ";00019" in due and ";00001" not in due


def test_a_sequence_that_may_move_anything_makes_the_screen_unknown() -> None:
    stage = Stage(20, 4)
    stage.feed("\x1b[2;1Hhello", free=True)
    assert stage.feed("\x1b[3L", free=True).endswith("\x1b[3L\x1b[m\x1b[H\x1b[2J\x1b[Bhello")
    assert stage.feed("\x1b]2;title\x07", free=True) == "\x1b]2;title\x07"
    assert "hello" in stage.feed("\x1b[Hx\x1b[5;", free=True)


def test_half_of_a_wide_character_is_not_left_behind() -> None:
    stage = Stage(10, 1)
    stage.feed("\x1b[1;1H漢字", free=True)
    assert stage.feed("\x1b[1;2Hx", free=True) == "\r x"
    assert ["".join(text for text, _ in row) for row in stage.picture.rows] == [" x字      "]
