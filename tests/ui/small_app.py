"""A small Textual program with our driver, on a pseudo-terminal that reads only when it is told to."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pyte

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
if "little" in words:
    module.PLAIN_MOST = 4096
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
            self.set_timer(0.2, lambda: self.run_worker(self.away()))
    async def away(self):
        with self.suspend():
            (place / "away").write_text("")
            await asyncio.sleep(1)
            (place / "away").write_text(str(self.count))
        await asyncio.sleep(0.2)
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

    def fill(self) -> None:
        """Read nothing until the program has to wait for us; each key makes it send a whole screen."""

        def waits() -> bool:
            self.type("l")
            return self.behind()

        self.until(waits, 30, reading=False)

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
