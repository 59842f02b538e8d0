"""Real terminals for tests: tmux on a server of its own, driven by its keys and read by its picture of the screen."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

ROOT = str(Path(__file__).resolve().parents[1])
PROGRAM = (sys.executable, "-m", "incident_tui")
SECONDS = 30.0
_RUN = '"$@"; echo $? >"$0"'
"""tmux now and then does not know with what a command ended; the shell does."""


class Pane:
    """One window of the tmux server, running one command. Its text is what a person would see."""

    def __init__(self, server: Sequence[str], name: str, ended: Path) -> None:
        self._server = server
        self._ended = ended
        self.name = name

    def tmux(self, *words: str) -> str:
        return subprocess.run([*self._server, *words], capture_output=True, text=True, timeout=20, check=True).stdout

    @property
    def text(self) -> str:
        return self.tmux("capture-pane", "-p", "-t", self.name)

    @property
    def lines(self) -> list[str]:
        return self.text.split("\n")

    @property
    def alive(self) -> bool:
        return "1" not in self.tmux("display-message", "-p", "-t", self.name, "#{pane_dead}")

    @property
    def pid(self) -> int:
        """Of the command itself."""
        shell = self.tmux("display-message", "-p", "-t", self.name, "#{pane_pid}").strip()
        return int(Path(f"/proc/{shell}/task/{shell}/children").read_text().split()[0])

    @property
    def status(self) -> int:
        """Exit status of the command, which has ended or is about to."""
        return int(self.until(lambda: self._ended.exists() and self._ended.read_text().strip(), what="an exit status"))

    def keys(self, *keys: str) -> None:
        """Keys by tmux's names: Enter, Tab, C-c, PPage, F1 …"""
        self.tmux("send-keys", "-t", self.name, *keys)

    def type(self, text: str, *keys: str) -> None:
        """Text as typed, then keys."""
        self.tmux("send-keys", "-t", self.name, "-l", text)
        # Enter at the same moment as text would be a paste; a hand is slower.
        self.until(lambda: text[-12:].strip() in re.sub(r"\s*\n\s*", " ", self.text), what=f"the echo of {text!r}")
        if keys:
            self.keys(*keys)

    def enter(self, text: str, answer: str = "") -> None:
        """A line and Enter; `answer` is typed when it is asked for."""
        self.type(text, "Enter")
        if answer:
            self.see("ANSWER")
            self.type(answer, "Enter")

    def see(self, *words: str, seconds: float = SECONDS) -> str:
        """Wait until all the words are on the screen; its text."""
        return self.until(lambda: all(one in self.text for one in words) and self.text, seconds, " and ".join(words))

    def gone(self, words: str, seconds: float = SECONDS) -> None:
        self.until(lambda: words not in self.text, seconds, f"the end of {words}")

    def until(self, ask: Callable[[], object], seconds: float = SECONDS, what: str = "it") -> str:
        end = time.monotonic() + seconds
        while not (answer := ask()):
            assert time.monotonic() < end, f"{what} did not come within {seconds:g} s:\n{self.text}"
            time.sleep(0.05)
        return str(answer)

    def resize(self, width: int, height: int) -> None:
        self.tmux("resize-window", "-t", self.name, "-x", str(width), "-y", str(height))


class Terminals:
    """A tmux server for one test."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._server = ("tmux", "-S", str(directory / "tmux"), "-f", "/dev/null")
        self._count = 0

    def open(
        self,
        *words: str,
        size: tuple[int, int] = (80, 24),
        environment: Mapping[str, str] | None = None,
        directory: Path = Path("/"),
    ) -> Pane:
        """Run a command in `directory`, in a terminal of this size; `incident-tui` as the first word is the program
        under test."""
        self._count += 1
        name = f"pane{self._count}"
        command = [*PROGRAM, *words[1:]] if words[0] == "incident-tui" else list(words)
        fields = {"PYTHONPATH": ROOT, "LC_ALL": "C.UTF-8", **(environment or {})}
        given = [f"{name}={value}" for name, value in fields.items()]
        subprocess.run(
            [*self._server, "new-session", "-d", "-s", name, "-x", str(size[0]), "-y", str(size[1]), "sleep infinity"],
            check=True,
            timeout=20,
        )
        ended = self._directory / f"{name}.ended"
        pane = Pane(self._server, name, ended)
        pane.tmux("set-option", "-t", name, "status", "off")
        pane.tmux("set-option", "-t", name, "remain-on-exit", "on")
        pane.tmux("resize-window", "-t", name, "-x", str(size[0]), "-y", str(size[1]))
        pane.tmux(
            "respawn-pane",
            "-k",
            "-c",
            str(directory),
            "-t",
            name,
            shlex.join(["sh", "-c", _RUN, str(ended), "env", *given, *command]),
        )
        return pane

    def close(self) -> None:
        subprocess.run([*self._server, "kill-server"], capture_output=True, timeout=20)


def watches_below(*places: Path) -> list[int]:
    """Pids of the watches whose journal is below one of these directories."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_text(errors="replace").split("\0")
        except OSError:
            continue  # it has ended
        if "watch" in words and "--journal" in words:
            journal = Path(words[words.index("--journal") + 1])
            if any(journal.is_relative_to(place) for place in places):
                found.append(int(process.name))
    return found


def end_watches(*places: Path) -> None:
    """Screens start watches that outlive them by minutes. A test ends those of its own journals."""
    end = time.monotonic() + 10
    while pids := watches_below(*places):
        late = time.monotonic() > end
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL if late else signal.SIGTERM)
        time.sleep(0.05)


@pytest.fixture(scope="session")
def tmux() -> None:
    if shutil.which("tmux") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have tmux")
        pytest.skip("no tmux on this machine")


@pytest.fixture
def terminals(tmux: None, tmp_path: Path) -> Iterator[Terminals]:
    made = Terminals(tmp_path)
    yield made
    made.close()
    end_watches(tmp_path, Path(os.environ["HOME"]))
