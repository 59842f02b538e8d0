"""Five screens and a shell loop on one journal: how soon each sees a line, and whether anybody's key waits.

    python benchmarks/people.py [LINES]

Five screens of 80x24 in pseudo-terminals. LINES (60) times: `incident-tui log` from a shell, and the time from its end
until each of the five shows the line. Then keys typed on one screen while nobody writes, and as many while a loop of
`log` goes on without a pause. Goals: every screen within a second; the median of key to echo at most 1.5 times the
still one (and 10 ms, as a loop of processes takes its share of the machine). Exit status 1 when one is missed.
"""

from __future__ import annotations

import fcntl
import os
import pty
import random
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pyte

ROOT = str(Path(__file__).resolve().parents[1])
PROGRAM = (sys.executable, "-m", "incident_tui")
NAMES = ("ana", "bob", "cyd", "dan", "eva")


class Screen:
    """A screen on a pseudo-terminal, shown to pyte."""

    def __init__(self, journal: Path, name: str, environment: dict[str, str]) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = subprocess.Popen(
            [*PROGRAM, "--journal", str(journal), "--as", name],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            start_new_session=True,
            cwd="/",
        )
        os.close(slave)
        self.picture = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self.picture)

    def read(self, seconds: float) -> bool:
        """Whether something was written within so many seconds."""
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        self._stream.feed(os.read(self.master, 65536))
        return True

    def shows(self, words: str) -> bool:
        return any(words in line for line in self.picture.display)

    def until(self, words: str, seconds: float = 30.0) -> None:
        end = time.monotonic() + seconds
        while not self.shows(words):
            if time.monotonic() > end:
                raise SystemExit(f"{words!r} never came:\n" + "\n".join(self.picture.display))
            self.read(0.05)

    def echo(self, key: str) -> float:
        """Milliseconds from a key to its echo: the first output in the line of the prompt after it."""
        while self.read(0.02):
            pass
        y = next(y for y, line in enumerate(self.picture.display) if " > " in line)
        before = self.picture.display[y]
        begun = time.monotonic()
        os.write(self.master, key.encode())
        while self.picture.display[y] == before:
            if time.monotonic() - begun > 30:
                raise SystemExit("a key was never echoed")
            self.read(0.05)
        return 1000 * (time.monotonic() - begun)


def log(journal: Path, text: str, environment: dict[str, str]) -> None:
    words = [*PROGRAM, "log", text, "--journal", str(journal), "--as", "fay"]
    subprocess.run(words, env=environment, check=True, stdout=subprocess.DEVNULL, cwd="/")


def seen(screens: list[Screen], journal: Path, lines: int, environment: dict[str, str]) -> list[float]:
    """Milliseconds until the last of the screens shows a line."""
    found: list[float] = []
    for number in range(lines):
        token = f"Q{number:03}Z"
        log(journal, token, environment)
        begun, last = time.monotonic(), 0.0
        waiting = {screen.master: screen for screen in screens}
        while waiting:
            ready = select.select(list(waiting), [], [], 10.0)[0]
            if not ready:
                raise SystemExit(f"{token} never came to {len(waiting)} screens")
            for fd in ready:
                screen = waiting[fd]
                screen.read(0)
                if screen.shows(token):
                    last = time.monotonic()
                    del waiting[fd]
        found.append(1000 * (last - begun))
        time.sleep(random.uniform(0, 0.5))
    return found


def echoes(screen: Screen, count: int) -> list[float]:
    found = []
    for number in range(count):
        found.append(screen.echo("#%&+"[number % 4]))
        time.sleep(random.uniform(0.01, 0.1))
    os.write(screen.master, b"\x15")
    return found


def during(act: Callable[[], None], go_on: threading.Event) -> None:
    while not go_on.is_set():
        act()


def main() -> int:
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    failed = []
    with tempfile.TemporaryDirectory() as scratch:
        home, journal = Path(scratch, "home"), Path(scratch, "journal")
        home.mkdir()
        environment = {**os.environ, "PYTHONPATH": ROOT, "HOME": str(home), "TERM": "xterm-256color", "NO_COLOR": "1"}
        screens = [Screen(journal, name, environment) for name in NAMES]
        try:
            for screen in screens:
                screen.until("no incident")
            taken = sorted(seen(screens, journal, lines, environment))
            print(f"a line on all five screens: median {statistics.median(taken):.0f} ms, slowest {taken[-1]:.0f} ms")
            if taken[-1] > 1000:
                failed.append("every screen within a second")
            still = echoes(screens[0], lines)
            stop, number = threading.Event(), iter(range(100_000))
            loop = threading.Thread(
                target=during, args=(lambda: log(journal, f"line {next(number)}", environment), stop)
            )
            loop.start()
            busy = echoes(screens[0], lines)
            stop.set()
            loop.join()
            one, other = statistics.median(still), statistics.median(busy)
            print(
                f"key to echo: median {one:.1f} ms still, {other:.1f} ms while {next(number)} lines are logged: "
                f"{other / one:.2f}x; 95th percentile {sorted(still)[-lines // 20]:.1f} and "
                f"{sorted(busy)[-lines // 20]:.1f} ms"
            )
            if other > 1.5 * one + 10:
                failed.append("nobody's key waits")
        finally:
            for screen in screens:
                screen.process.send_signal(signal.SIGTERM)
            for screen in screens:
                screen.process.wait(10)
            subprocess.run(["pkill", "-f", f"incident_tui watch --journal {journal}"], check=False)
    print("all goals met" if not failed else "missed: " + ", ".join(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
