"""The screen as a process on a real pseudo-terminal: how it ends, and what that leaves behind."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import statistics
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

from incident_tui.incident.entry import Author, Draft, Kind
from incident_tui.journal.notify import ring
from incident_tui.journal.presence import Presence
from incident_tui.journal.prompt import load_lines
from incident_tui.journal.store import Store

SCRIPT = """
import os, sys
from pathlib import Path
from incident_tui.config import Settings
from incident_tui.incident.entry import Author
from incident_tui.journal.presence import Presence
from incident_tui.ui.run import run
from incident_tui.ui.settings import Screen
place = Path(sys.argv[1])
settings = Settings(screen=Screen(mouse="mouse" in sys.argv))
presence = Presence(place)
if "shown" in sys.argv:
    presence.enter("ana")
sys.exit(run(settings=settings, directory=place, author=Author("ana"), start_watch=lambda: None,
             ask=(lambda host, word: 1 / 0) if "crash" in sys.argv else (lambda host, word: None),
             presence=presence, demo=False, playbooks=[]))
"""


class Terminal:
    """A process on a terminal of 80x24."""

    def __init__(self, *arguments: object) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(slave)
        root = str(Path(__file__).resolve().parents[2])
        environ = {**os.environ, "PYTHONPATH": root, "TERM": "xterm-256color", "NO_COLOR": ""}
        self.process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, *map(str, arguments)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environ,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        self.slave = slave
        self.journal = Path(str(arguments[0]))
        self.raw = b""
        self.picture = pyte.Screen(80, 24)
        self.stream = pyte.ByteStream(self.picture)

    def read(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and select.select([self.master], [], [], left)[0]:
            try:
                chunk = os.read(self.master, 65536)
            except OSError:
                return
            self.raw += chunk
            self.stream.feed(chunk)

    def until(self, words: str, seconds: float = 20.0) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.read(0.05)
            if words in "\n".join(self.picture.display):
                return
        raise AssertionError(f"{words!r} never came:\n" + "\n".join(self.picture.display))

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def wait(self) -> int:
        end = time.monotonic() + 20
        while self.process.poll() is None and time.monotonic() < end:
            self.read(0.05)
        self.read(0.2)
        return self.process.wait(1)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for fd in (self.master, self.slave):
            try:
                os.close(fd)
            except OSError:
                continue


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def start(*arguments: object) -> Terminal:
        opened.append(Terminal(tmp_path / "journal", *arguments))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def texts(place: Path) -> list[str]:
    with Store.open(place) as store:
        return [entry.text for entry in store.read()]


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
def test_a_signal_restores_the_terminal_and_keeps_the_draft(
    tmp_path: Path, terminal: Any, number: signal.Signals
) -> None:
    screen = terminal()
    screen.until("no incident")
    screen.type("a saved line\r")
    screen.until("a1 saved.")
    screen.type("half a li")
    screen.until("> half a li")
    screen.process.send_signal(number)
    assert screen.wait() == 128 + number
    assert termios.tcgetattr(screen.slave)[:4] == screen.before[:4]
    assert b"\x1b[?1049l" in screen.raw and b"\x1b[?25h" in screen.raw
    assert texts(tmp_path / "journal") == ["a saved line"]
    assert [line.text for line in load_lines(tmp_path / "journal", "ana")] == ["half a li"]


def test_a_closed_terminal_ends_it_with_the_draft_kept(tmp_path: Path, terminal: Any) -> None:
    screen = terminal()
    screen.until("no incident")
    screen.type("half a li")
    screen.until("> half a li")
    os.close(screen.slave)
    os.close(screen.master)
    assert screen.process.wait(20) is not None
    assert [line.text for line in load_lines(tmp_path / "journal", "ana")] == ["half a li"]


def test_kill_nine_and_the_next_screen_offers_the_line(tmp_path: Path, terminal: Any) -> None:
    screen = terminal()
    screen.until("no incident")
    screen.type("half a li")
    screen.until("> half a li")
    screen.process.kill()
    screen.process.wait()
    again = terminal()
    again.until("> half a li")
    again.type("ne\r")
    again.until("a1 saved.")
    again.type("\x03")
    again.until("Ctrl+C again leaves")
    again.type("\x03")
    assert again.wait() == 0
    assert texts(tmp_path / "journal") == ["half a line"]
    assert load_lines(tmp_path / "journal", "ana") == []


def test_nothing_typed_is_lost_while_the_screen_takes_its_terminal_back(terminal: Any) -> None:
    screen = terminal()
    screen.until("no incident")
    screen.process.send_signal(signal.SIGSTOP)
    os.waitpid(screen.process.pid, os.WUNTRACED)
    termios.tcsetattr(screen.slave, termios.TCSANOW, screen.before)
    screen.process.send_signal(signal.SIGCONT)
    typed = "".join(f" w{number}" for number in range(12))
    for letter in typed:
        screen.type(letter)
        screen.read(0.01)
    screen.until("w11")
    screen.type("\r")
    screen.until("a1 saved.")
    assert texts(screen.journal) == [typed.strip()]


def test_what_was_typed_ahead_is_carried_out(terminal: Any) -> None:
    screen = terminal()
    screen.type("typed ahead\r")
    screen.until("a1 saved.")
    assert texts(screen.journal) == ["typed ahead"]


def test_a_crash_restores_the_terminal_and_keeps_the_draft(tmp_path: Path, terminal: Any) -> None:
    screen = terminal("crash")
    screen.until("no incident")
    screen.type("half a li")
    screen.until("> half a li")
    screen.type("\x1b[15~")  # F5
    assert screen.wait() == 1
    assert b"ZeroDivisionError" in screen.raw  # the command line turns what run raises into a sentence and a log
    assert termios.tcgetattr(screen.slave)[:4] == screen.before[:4]
    assert [line.text for line in load_lines(tmp_path / "journal", "ana")] == ["half a li"]


def test_a_journal_that_cannot_be_opened_is_one_sentence(tmp_path: Path, terminal: Any) -> None:
    (tmp_path / "journal").write_text("a file")
    screen = terminal()
    assert screen.wait() == 1
    assert b"incident-tui: " in screen.raw and b"Traceback" not in screen.raw


def test_the_first_frame_and_help_cost_few_bytes(terminal: Any) -> None:
    screen = terminal()
    screen.until("no incident")
    screen.read(0.5)
    assert len(screen.raw) <= 8000
    before = len(screen.raw)
    screen.type("\x1bOP")
    screen.until("help")
    screen.read(0.3)
    assert len(screen.raw) - before <= 4000


def test_a_quiet_screen_writes_only_its_clock_and_now_and_then_a_row(terminal: Any) -> None:
    screen = terminal()
    screen.until("no incident")
    screen.read(1.5)
    ticks: list[int] = []
    for _ in range(40):
        before = len(screen.raw)
        screen.read(0.1)
        if len(screen.raw) > before:
            ticks.append(len(screen.raw) - before)
    assert 3 <= len(ticks) <= 6  # nothing between ticks; a machine under load may cut one in two
    assert statistics.median(ticks) <= 40
    assert sum(ticks) <= 3000 / 60 * 5 + 100


def test_a_typed_key_costs_few_bytes(terminal: Any) -> None:
    screen = terminal()
    screen.until("no incident")
    costs = []
    for number, letter in enumerate("alarms", start=1):
        before = len(screen.raw)
        screen.type(letter)
        screen.until("> " + "alarms"[:number])
        screen.read(0.1)
        costs.append(len(screen.raw) - before)
    assert statistics.median(costs[1:]) <= 80  # the first one turns the line into a note, and the hint with it


def test_an_entry_of_another_costs_little_more_than_its_line(tmp_path: Path, terminal: Any) -> None:
    screen = terminal()
    screen.until("no incident")
    place = tmp_path / "journal"
    line = "saw the disk alarm"

    def append(*texts: str) -> int:
        now = datetime.now(UTC)
        drafts = [Draft(kind=Kind.NOTE, text=text, at=now, author=Author("bob", uid=1001)) for text in texts]
        before = len(screen.raw)
        with Store.open(place) as store:
            store.append(drafts, key=texts[0])
        ring(place)
        screen.until(texts[-1])
        screen.read(0.2)
        return len(screen.raw) - before

    append("the first one")
    assert append(line) <= 3 * len(" a13 14:03:02 bob  " + line) + 40  # a tick may fall into it
    append(*(f"number {number}" for number in range(60)))
    assert append("it moves them all") <= 1500


def test_mouse_is_left_to_the_terminal_and_colours_are_the_sixteen(terminal: Any) -> None:
    screen = terminal()
    screen.until("no incident")
    assert b"\x1b[?1000h" not in screen.raw and b"\x1b[?1006h" not in screen.raw
    assert b"38;2;" not in screen.raw and b"48;2;" not in screen.raw and b"38;5;" not in screen.raw


def test_a_commander_who_left_is_seen_to_be_gone(tmp_path: Path, terminal: Any) -> None:
    screen = terminal("shown")
    screen.until(" >")
    screen.type("/declare gv0\r")
    screen.until("IC ana")
    screen.type("\x03")
    screen.until("You command")
    screen.type("\x03")
    assert screen.wait() == 0
    (left,) = Presence(tmp_path / "journal").people()
    assert not left.alive


def test_of_the_mouse_only_buttons_and_wheel_are_asked_for(tmp_path: Path, terminal: Any) -> None:
    now = datetime.now(UTC)
    notes = [Draft(kind=Kind.NOTE, text=f"line {number}", at=now, author=Author("bob")) for number in range(1, 40)]
    with Store.open(tmp_path / "journal") as store:
        store.append(notes, key="bob")
    screen = terminal("mouse")
    screen.until("line 39")
    screen.type("\x1b[<64;60;10M" * 3)  # the wheel, up
    screen.until("13/39")
    screen.type("\x1b[<0;60;10M\x1b[<0;60;10m" * 2)
    screen.until("a19  NOTE")
    screen.type("\x03")
    screen.until("Ctrl+C again leaves")
    screen.type("\x03")
    assert screen.wait() == 0
    modes = {mode for group in re.findall(rb"\x1b\[\?([\d;]+)h", screen.raw) for mode in group.split(b";")}
    assert {b"1000", b"1006"} <= modes
    assert not modes & {b"1001", b"1002", b"1003", b"1005", b"1015", b"1016"}
    ended = screen.raw[screen.raw.rindex(b"\x1b[?1000h") :]
    assert b"\x1b[?1006l" in ended and b"\x1b[?1000l" in ended


def test_bytes_that_are_no_text_do_not_end_the_screen(terminal: Any) -> None:
    screen = terminal()
    screen.until("no incident")
    os.write(screen.master, b"caf\xe9 \xc3")
    screen.read(0.1)
    os.write(screen.master, b"\xa9t\xc3\xa9")
    screen.until("été")
    screen.type("\r")
    screen.until("a1 saved.")
    assert texts(screen.journal) == ["caf\ufffd été"]
