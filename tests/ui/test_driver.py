"""The driver on a real pseudo-terminal: it never waits, heals what others painted, and gives the terminal back.

Each test runs a small Textual program of its own kind (PROGRAM) and looks at what reaches the other side with pyte.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyte
import pytest

from incident_tui.incident.entry import Author, Draft, Entry, Kind
from incident_tui.journal.notify import ring
from incident_tui.journal.store import Store
from incident_tui.ui.driver import PlainDriver, ScreenDriver, driver_class

PROGRAM = r"""
import asyncio, os, random, sys
from pathlib import Path
os.environ.update(TEXTUAL_ANIMATIONS="none", TEXTUAL_COLOR_SYSTEM="standard", TEXTUAL_DISABLE_KITTY_KEY="1")
from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget
from incident_tui.ui import driver as module
from incident_tui.ui.stage import Stage

kind, place, *words = sys.argv[1:]
place = Path(place)
Base = {"ours": module.ScreenDriver, "plain": module.PlainDriver, "stock": LinuxDriver}[kind]
module.log.addHandler(__import__("logging").FileHandler(place / "log"))
if "shared" in words:  # the terminal belongs to another account
    def refused(fd):
        raise PermissionError("not yours")
    os.ttyname = refused
if "rotating" in words:
    module.QUIET, module.ROTATION_RATE = 0.05, 1e6
if "failing" in words:
    feed, calls = Stage.feed, []
    def fail(self, data, *, free):
        calls.append(data)
        if len(calls) == 12: raise RuntimeError("broken on purpose")
        return feed(self, data, free=free)
    Stage.feed = fail

class Driver(Base):
    def write(self, data):
        with open(place / "stock", "a", newline="") as file:
            file.write(data)
        super().write(data)
        if kind != "stock" and self._outlet is not None and self._outlet.behind:
            (place / "behind").touch()

STYLES = [Style(), Style(bold=True), Style(color="red"), Style(reverse=True), Style(bgcolor="blue", color="white")]
WORDS = ["plain", "two words", "漢字", "e\u0301t", "│─┼─", "…", "", "        ", "x", "한국어 text", "0123456789"]

class Page(Widget):
    DEFAULT_CSS = "Page { width: 1fr; height: 1fr; }"
    def on_mount(self):
        self.lines = {}
    def render_line(self, y):
        return Strip(self.lines.get(y, [])).adjust_cell_length(self.size.width)

class Small(App):
    CSS = "#side { dock: left; width: 17; } #foot { dock: bottom; height: 3; }"
    count = 0
    def compose(self):
        yield Page(id="side")
        yield Page(id="foot")
        yield Page(id="main")
    def on_mount(self):
        self.random = random.Random(os.environ.get("SEED", "1"))
        self.set_interval(0.01, self.change)
        if "suspending" in words:
            self.set_timer(0.5, lambda: self.run_worker(self.away()))
    async def away(self):
        with self.suspend():
            (place / "away").write_text("")
            await asyncio.sleep(3)
            (place / "away").write_text(str(self.count))
        await asyncio.sleep(0.5)
        (place / "back").write_text("")
    def say(self, text):
        page = self.query_one("#foot")
        page.lines = {0: [Segment(text)]}
        page.refresh()
    def change(self):
        self.count += 1
        (place / "beats").write_text(str(self.count))
        if "still" in words and self.count > 5:
            if not (place / "stop").exists():
                return
        if (place / "stop").exists():
            self.say("the end " + str(len(words)))
            return
        for _ in range(self.random.randint(1, 3)):
            page = self.query_one(self.random.choice(["#side", "#main", "#foot"]))
            y = self.random.randrange(max(1, page.size.height))
            page.lines[y] = [Segment(self.random.choice(WORDS), self.random.choice(STYLES)) for _ in range(5)]
            page.refresh(Region(0, y, page.size.width, 1))
    def key_l(self):
        self._driver.resync(clear=True)
    def key_b(self):
        self.bell()
    def key_y(self):
        self.copy_to_clipboard("hello")
    def key_q(self):
        self.exit(7)

app = Small(driver_class=Driver, ansi_color=True)
status = app.run(mouse=False)
(place / "left").write_text("")
print("left in order", flush=True)
sys.exit(status)
"""
SCREEN = r"""
import sys
from pathlib import Path
from incident_tui.config import Settings
from incident_tui.incident.entry import Author
from incident_tui.journal.presence import Presence
from incident_tui.ui import driver
from incident_tui.ui.run import run
_, place, *_ = sys.argv[1:]
place = Path(place)
write = driver.ScreenDriver.write
def recorded(self, data):
    with open(place / "stock", "a", newline="") as file:
        file.write(data)
    write(self, data)
    if self._outlet is not None and self._outlet.behind:
        (place / "behind").touch()
driver.ScreenDriver.write = recorded
journal = place / "journal"
sys.exit(run(settings=Settings(), directory=journal, author=Author("ana"), start_watch=lambda: None,
             ask_reading=lambda host: None, presence=Presence(journal), demo=False, playbooks=place / "playbooks"))
"""
HELD = 24_000
"""A pseudo-terminal that nobody reads holds less than this."""
UNREAD_SECONDS = float(os.environ.get("UNREAD_SECONDS", "3"))
"""How long nobody reads the real screen; 60 was tried by hand."""


class Terminal:
    """A program on a terminal that reads only when it is told to."""

    def __init__(
        self, place: Path, kind: str, *words: str, term: str = "xterm-256color", seed: int = 1, program: str = PROGRAM
    ) -> None:
        self.place = place
        self.master, self.slave = pty.openpty()
        self.size(80, 24)
        self.before = termios.tcgetattr(self.slave)
        root = str(Path(__file__).resolve().parents[2])
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, kind, str(place), *words],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            env={**os.environ, "PYTHONPATH": root, "TERM": term, "NO_COLOR": "", "SEED": str(seed)},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        self.raw = b""
        self.screen = pyte.Screen(80, 24)
        self.stream = pyte.ByteStream(self.screen)

    def size(self, width: int, height: int) -> None:
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def read(self, seconds: float) -> bytes:
        """What comes within so many seconds."""
        got = b""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and select.select([self.master], [], [], left)[0]:
            try:
                got += (chunk := os.read(self.master, 65536))
            except OSError:
                break
            self.stream.feed(chunk.replace(b"\x1b[?2026$p", b"").replace(b"\x1b[?2048$p", b""))
        self.raw += got
        return got

    def until(self, done: Callable[[], bool], seconds: float = 15.0, *, reading: bool = True) -> None:
        end = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < end, "it never came:\n" + "\n".join(self.screen.display)
            if reading:
                self.read(0.05)
            else:
                time.sleep(0.02)

    def beats(self) -> int:
        try:
            return int((self.place / "beats").read_text() or 0)
        except (OSError, ValueError):
            return 0

    def behind(self) -> bool:
        """Whether the program has had to wait for us."""
        return (self.place / "behind").exists()

    def shows(self, words: str) -> bool:
        return words in "\n".join(self.screen.display)

    def end(self) -> None:
        """No more changes: the picture that both streams end with."""
        (self.place / "stop").write_text("")
        self.until(lambda: self.shows("the end"))
        self.read(0.3)

    def stock(self) -> list[str]:
        """What pyte shows of the same frames as Textual wrote them."""
        other = pyte.Screen(80, 24)
        text = (self.place / "stock").read_bytes().decode()
        pyte.Stream(other).feed(text.replace("\x1b[?2026$p", "").replace("\x1b[?2048$p", ""))
        return list(other.display)

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def wait(self, seconds: float = 10.0) -> int:
        end = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < end:
            self.read(0.05)
        return self.process.wait(0.1)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for fd in (self.master, self.slave):
            os.close(fd)


Start = Callable[..., Terminal]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    opened: list[Terminal] = []

    def begin(kind: str = "ours", *words: str, **more: Any) -> Terminal:
        opened.append(Terminal(tmp_path, kind, *words, **more))
        return opened[-1]

    yield begin
    for one in opened:
        one.close()


@pytest.mark.parametrize("seed", [1, 2])
def test_widgets_of_a_real_app_look_as_with_stock_output(start: Start, seed: int) -> None:
    terminal = start("ours", seed=seed)
    terminal.until(lambda: terminal.beats() > 60)
    terminal.type("b")
    terminal.until(lambda: terminal.beats() > 120)
    terminal.end()
    assert list(terminal.screen.display) == terminal.stock()
    assert len(terminal.raw) < len((terminal.place / "stock").read_bytes()) * 0.7


def test_switched_off_it_is_textual_to_the_byte(start: Start) -> None:
    terminal = start("plain")
    terminal.until(lambda: terminal.beats() > 30)
    terminal.end()
    written = terminal.raw.replace(b"\r\n", b"\n")
    assert len(written) > 5000
    assert (terminal.place / "stock").read_bytes().startswith(written)  # it goes on while we compare
    assert driver_class(False) is PlainDriver and driver_class(True) is ScreenDriver


@pytest.mark.parametrize("word", ["own", "shared"])
def test_a_terminal_that_nobody_reads_holds_up_nothing(start: Start, word: str) -> None:
    terminal = start("ours", word)
    terminal.until(lambda: terminal.beats() > 5)
    terminal.read(0.1)
    terminal.until(terminal.behind, 30, reading=False)
    beats = terminal.beats()
    terminal.until(lambda: terminal.beats() > beats + 100, 30, reading=False)
    (terminal.place / "stop").write_text("")
    time.sleep(0.1)
    caught_up = terminal.read(0.5)
    terminal.until(lambda: terminal.shows("the end"))
    assert len(caught_up) < HELD + 8000  # two differences of a full screen: one was under way
    assert list(terminal.screen.display) == terminal.stock()
    assert not (terminal.place / "log").read_text()


def entries(place: Path) -> list[Entry]:
    with Store.open(place / "journal") as store:
        return list(store.read())


def test_the_screen_goes_on_while_nobody_reads_it_and_one_difference_brings_it_up_to_date(start: Start) -> None:
    terminal = start("ours", program=SCREEN)
    terminal.until(lambda: terminal.shows("no incident"))
    while not terminal.behind():  # fill what the pseudo-terminal holds
        terminal.type("\x0c")
        time.sleep(0.05)
    began = time.monotonic()
    now = datetime.now(UTC)
    who = Author("bob", uid=1001)
    declared = Draft(
        kind=Kind.DECLARE,
        text="gv0 split-brain",
        at=now,
        author=who,
        incident="INC-1",
        data={"title": "gv0 split-brain"},
    )
    notes = [
        Draft(kind=Kind.NOTE, text=f"bob's {number}", at=now, author=who, incident="INC-1") for number in range(40)
    ]
    with Store.open(terminal.place / "journal") as store:
        store.append([declared, *notes], key="bob")
    ring(terminal.place / "journal")
    time.sleep(UNREAD_SECONDS)
    terminal.type("typed blind\r")
    terminal.until(lambda: entries(terminal.place)[-1].text == "typed blind", reading=False)
    assert entries(terminal.place)[-1].incident == "INC-1"  # what bob wrote is known to the screen
    assert time.monotonic() - began >= UNREAD_SECONDS
    caught_up = terminal.read(0.7)
    terminal.until(lambda: terminal.shows("typed blind"))
    assert len(caught_up) < HELD + 6000  # two differences: one was under way
    terminal.until(lambda: list(terminal.screen.display) == terminal.stock())


def test_sequences_wait_in_order_while_the_terminal_stands_still(start: Start) -> None:
    terminal = start()
    terminal.until(lambda: terminal.beats() > 5)
    terminal.until(terminal.behind, 30, reading=False)
    terminal.type("bby")
    time.sleep(0.3)
    assert b"\x1b]52" not in terminal.raw
    terminal.end()
    assert terminal.raw.count(b"\x1b]52;c;aGVsbG8=\x07") == 1
    assert list(terminal.screen.display) == terminal.stock()


@pytest.mark.parametrize("kind", ["ours", "ours shared"])
def test_leaving_a_terminal_that_nobody_reads_does_not_hang(start: Start, kind: str) -> None:
    terminal = start(*kind.split())
    terminal.until(lambda: terminal.beats() > 5)
    terminal.until(terminal.behind, 30, reading=False)
    terminal.type("q")
    terminal.until(lambda: (terminal.place / "left").exists(), 8, reading=False)
    assert termios.tcgetattr(terminal.slave)[:4] == terminal.before[:4]
    assert terminal.wait() == 7
    assert b"left in order" in terminal.raw


@pytest.mark.parametrize(
    "kind", ["ours", "plain", pytest.param("stock", marks=pytest.mark.xfail(strict=True, reason="Textual 8.2.8 hangs"))]
)
def test_nothing_is_written_and_nothing_waits_while_another_program_has_the_terminal(start: Start, kind: str) -> None:
    terminal = start(kind, "suspending")
    terminal.until(lambda: (terminal.place / "away").exists())
    terminal.read(0.3)
    assert termios.tcgetattr(terminal.slave)[:4] == terminal.before[:4]
    assert terminal.read(1.5) == b""
    terminal.until(lambda: (terminal.place / "back").exists(), 6)
    assert int((terminal.place / "away").read_text()) > 100
    terminal.end()
    if kind == "ours":
        assert terminal.raw.rindex(b"\x1b[2J") > terminal.raw.rindex(b"\x1b[?1049h")
    terminal.type("q")
    assert terminal.wait() == 7


def painted_over(terminal: Terminal) -> list[str]:
    """`wall` speaks. Returns what stood there."""
    terminal.until(lambda: terminal.beats() > 10)
    terminal.read(0.3)
    before = list(terminal.screen.display)
    terminal.stream.feed(b"\x1b[3;10HBroadcast message from root\r\nthe system goes down\r\n\r\nnow")
    assert list(terminal.screen.display) != before
    return before


@pytest.mark.parametrize("how", ["key", "focus", "winch", "cont"])
def test_what_others_painted_over_the_screen_goes(start: Start, how: str) -> None:
    terminal = start("ours", "still")
    before = painted_over(terminal)
    if how == "key":
        terminal.type("l")
    elif how == "focus":
        terminal.type("\x1b[O\x1b[I")
    elif how == "winch":
        terminal.process.send_signal(signal.SIGWINCH)
    else:
        terminal.process.send_signal(signal.SIGSTOP)
        os.waitpid(terminal.process.pid, os.WUNTRACED)
        termios.tcsetattr(terminal.slave, termios.TCSANOW, terminal.before)
        terminal.process.send_signal(signal.SIGCONT)
    terminal.until(lambda: list(terminal.screen.display) == before)
    if how == "cont":
        terminal.until(lambda: termios.tcgetattr(terminal.slave)[3] != terminal.before[3])
        terminal.type("q")
        assert terminal.wait() == 7


def test_rows_in_rotation_heal_it_without_being_told(start: Start) -> None:
    terminal = start("ours", "rotating")
    terminal.until(lambda: terminal.beats() > 5)
    terminal.stream.feed(b"\x1b[3;10HBroadcast message from root\r\nthe system goes down\r\n\r\nnow")
    terminal.until(lambda: terminal.beats() > 200)
    terminal.end()
    assert list(terminal.screen.display) == terminal.stock()


def test_a_failure_inside_loses_nothing_of_the_screen(start: Start) -> None:
    terminal = start("ours", "failing")
    terminal.until(lambda: terminal.beats() > 80)
    terminal.end()
    assert list(terminal.screen.display) == terminal.stock()
    assert "broken on purpose" in (terminal.place / "log").read_text()
    terminal.type("q")
    assert terminal.wait() == 7


def test_the_shell_has_the_terminal_while_we_are_stopped(start: Start) -> None:
    terminal = start("ours", "still")
    terminal.until(lambda: terminal.beats() > 10)
    terminal.read(0.3)
    before = list(terminal.screen.display)
    terminal.process.send_signal(signal.SIGTSTP)
    _, status = os.waitpid(terminal.process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    assert termios.tcgetattr(terminal.slave)[:4] == terminal.before[:4]
    assert terminal.read(0.3).endswith(b"\x1b[?1049l\x1b[?25h\x1b[?1004l")
    terminal.screen.reset()
    terminal.process.send_signal(signal.SIGCONT)
    terminal.until(lambda: list(terminal.screen.display) == before)
    terminal.type("q")
    assert terminal.wait() == 7


@pytest.mark.parametrize("term", ["linux", "screen-256color", "tmux-256color"])
def test_nothing_of_ours_stays_where_there_is_no_alternate_screen(start: Start, term: str) -> None:
    terminal = start("ours", term=term)
    terminal.until(lambda: terminal.beats() > 30)
    terminal.type("q")
    assert terminal.wait() == 7
    rows = [row.rstrip() for row in terminal.screen.display]  # pyte has no alternate screen either
    assert [row for row in rows if row] == ["left in order"]
    assert b"\x1b[?25h" in terminal.raw
