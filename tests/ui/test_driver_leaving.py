"""The driver gives the terminal back as it was: to another program, to the shell, at the end."""

from __future__ import annotations

import os
import signal
import termios

import pytest

from tests.ui.small_app import Start


@pytest.mark.parametrize("kind", ["ours", "ours shared", "plain"])
def test_leaving_a_terminal_that_nobody_reads_does_not_hang(start: Start, kind: str) -> None:
    terminal = start(*kind.split())
    terminal.until(lambda: terminal.beats() > 5)
    terminal.fill()
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
    assert terminal.read(0.5) == b""
    terminal.until(lambda: (terminal.place / "back").exists(), 4)
    assert int((terminal.place / "away").read_text()) > 40
    terminal.end()
    if kind == "ours":
        assert terminal.raw.rindex(b"\x1b[2J") > terminal.raw.rindex(b"\x1b[?1049h")
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
