"""The driver on a real pseudo-terminal: it shows what stock output shows, and heals what others painted over it.

What reaches the other side is read with pyte.
"""

from __future__ import annotations

import os
import signal
import termios

import pytest

from incident_tui.ui.driver import PlainDriver, ScreenDriver, driver_class
from tests.ui.small_app import Start, Terminal


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
