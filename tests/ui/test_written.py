"""The line in an editor, and the shell meanwhile: real processes on a real terminal."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from incident_tui.incident.entry import Author, Draft, Kind
from incident_tui.journal.line_file import LineFile, forget_file, left_files
from incident_tui.journal.store import Store
from incident_tui.ui.written import NoEditor, editor_command

SCRIPT = """
import sys
from pathlib import Path
from incident_tui.config import Settings
from incident_tui.incident.entry import Author
from incident_tui.journal.presence import Presence
from incident_tui.ui.run import run
place = Path(sys.argv[1])
sys.exit(run(settings=Settings(), directory=place, author=Author("ana"), start_watch=lambda: None,
             ask=lambda host, word: None, presence=Presence(place), demo=False, playbooks=[]))
"""
Open = Callable[..., Any]


@pytest.fixture
def begin(tmp_path: Path, terminals: Any) -> Open:
    """Opens the screen on a journal, from an interactive shell, with a scripted editor: `path` is its file."""
    script, program = tmp_path / "editor.py", tmp_path / "screen.py"
    program.write_text(SCRIPT)

    def start(code: str = "pass") -> Any:
        script.write_text(f"import os, pathlib, signal, sys, time\npath = pathlib.Path(sys.argv[-1])\n{code}\n")
        environment = {"VISUAL": f"{sys.executable} {script}", "PS1": "SHELL> ", "NO_COLOR": "1"}
        pane = terminals.open("bash", "--norc", "-i", environment=environment)
        pane.see("SHELL>")
        command = shlex.join([sys.executable, str(program), str(tmp_path / "journal")])
        pane.keys("-l", f"clear; {command}")
        pane.keys("Enter")
        pane.see("nothing unsaved")
        return pane

    return start


def texts(place: Path) -> list[str]:
    with Store.open(place) as store:
        return [entry.text for entry in store.read()]


def screen_of(pane: Any) -> int:
    """The process that the shell runs."""
    children = Path(f"/proc/{pane.pid}/task/{pane.pid}/children").read_text().split()
    return int(children[0])


def test_visual_goes_before_editor_and_what_is_not_there_is_said() -> None:
    def which(name: str) -> str | None:
        return f"/bin/{name}" if name in ("vi", "emacs") else None

    assert editor_command({"VISUAL": "emacs -nw", "EDITOR": "vi"}, which) == ["emacs", "-nw"]
    assert editor_command({"EDITOR": "vi"}, which) == ["vi"]
    assert editor_command({}, which) == ["vi"]
    for environ in ({"EDITOR": "nosuch"}, {"EDITOR": "'vi"}):
        with pytest.raises(NoEditor, match=r"\$EDITOR"):
            editor_command(environ, which)
    with pytest.raises(NoEditor, match="name one"):
        editor_command({}, lambda name: None)


def test_the_file_is_private_and_found_again_only_when_nobody_has_it(tmp_path: Path) -> None:
    file = LineFile(tmp_path, "ana", "half a li")
    assert os.stat(file.path).st_mode & 0o777 == 0o600
    assert os.stat(os.path.dirname(file.path)).st_mode & 0o777 == 0o700
    Path(file.path).write_text("half a line\r\nand more\n")
    assert file.read() == "half a line\nand more"
    assert left_files(tmp_path, "ana") == []
    os.close(file.lock)  # as a kill does
    assert left_files(tmp_path, "bob") == []
    left = left_files(tmp_path, "ana")
    assert [one.text for one in left] == ["half a line\nand more"]
    forget_file(left[0])
    assert left_files(tmp_path, "ana") == []


@pytest.mark.parametrize(
    ("code", "line", "said"),
    [
        ("path.write_text(path.read_text().strip() + 'ne')", "> half a line", "Not saved yet: Enter saves it."),
        ("pass", "> half a li", "Nothing was changed. The line is as it was."),
        ("path.unlink()", "> half a li", "The file is gone. The line is as it was."),
        ("sys.exit(3)", "> half a li", "The editor failed with status 3. The line is as it was."),
        ("path.write_text('x'); os.kill(os.getpid(), 9)", "> half a li", "as it was; Ctrl+E opens what"),
    ],
)
def test_what_comes_back(tmp_path: Path, begin: Open, code: str, line: str, said: str) -> None:
    pane = begin(code)
    pane.type("half a li", "C-e")
    pane.see(said, line)
    assert texts(tmp_path / "journal") == []
    assert not list((tmp_path / "journal" / "lines").glob("*.edit"))


def test_several_lines_are_evidence_never_commands_and_survive_esc(tmp_path: Path, begin: Open) -> None:
    pane = begin("path.write_text('one\\n/close\\n! three\\n')")
    pane.type("before", "C-e")
    pane.see("Written 3 lines", "/close")
    pane.keys("Escape")
    pane.see("Ctrl+E opens what you wrote again", "> before")
    os.kill(screen_of(pane), signal.SIGTERM)
    pane.see("SHELL>")
    pane.keys("Up", "Enter")
    pane.see("3 lines")
    pane.keys("Enter")
    pane.see("a1 saved")
    assert texts(tmp_path / "journal") == ["one\n/close\n! three"]


def test_entries_arrive_and_nothing_is_painted_at_twenty_changes_a_second(tmp_path: Path, begin: Open) -> None:
    done = tmp_path / "done"
    pane = begin(f"print('IN EDITOR', flush=True)\nwhile not os.path.exists({str(done)!r}): time.sleep(.05)")
    pane.type("half a li", "C-e")
    quiet = pane.see("IN EDITOR")
    with Store.open(tmp_path / "journal") as store:
        for number in range(60):
            store.append([Draft(Kind.NOTE, f"note {number}", datetime.now(UTC), Author("bob"))], key=f"k{number}")
            time.sleep(0.05)
    os.kill(screen_of(pane), signal.SIGINT)  # Ctrl+C goes to the whole group, and is the editor's
    time.sleep(0.3)
    assert pane.text == quiet
    done.touch()
    pane.see("note 59", "> half a li")
    pane.type("ne", "Enter")
    pane.see("a61 saved")


def test_a_killed_screen_leaves_the_draft_and_what_the_editor_saves_later(tmp_path: Path, begin: Open) -> None:
    done, journal = tmp_path / "done", tmp_path / "journal"
    wait = f"while not os.path.exists({str(done)!r}): time.sleep(.05)"
    pane = begin(f"print('IN EDITOR', flush=True)\n{wait}\npath.write_text('what was written')")
    pane.type("half a li", "C-e")
    pane.see("IN EDITOR")
    os.kill(screen_of(pane), signal.SIGKILL)
    pane.see("Killed")
    assert left_files(journal, "ana") == []  # the editor has it
    done.touch()
    pane.until(lambda: left_files(journal, "ana"), what="the file")
    again = begin()
    again.see("> half a li", "1 more")
    again.keys("Enter")
    again.see("a1 saved")
    again.keys("Enter")
    again.see("> what was written")


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_screen_ended_meanwhile_keeps_what_is_in_the_file(
    tmp_path: Path, begin: Open, number: signal.Signals
) -> None:
    pane = begin("path.write_text('a\\nb')\nprint('IN EDITOR', flush=True)\ntime.sleep(60)")
    pane.type("half a li", "C-e")
    pane.see("IN EDITOR")
    os.kill(screen_of(pane), number)
    pane.until(lambda: pane.text.rstrip().endswith("SHELL>"))
    assert begin().see("2 lines")


@pytest.mark.parametrize("way", ["C-z", "/suspend", signal.SIGTSTP, signal.SIGSTOP])
def test_the_shell_gets_the_terminal_and_fg_brings_the_screen_back(tmp_path: Path, begin: Open, way: Any) -> None:
    pane = begin()
    if way == "/suspend":
        pane.type("/suspend", "Enter")
    else:
        pane.type("half a li")
        pane.keys(way) if isinstance(way, str) else os.kill(screen_of(pane), way)
    pane.see("Stopped")
    pane.keys("-l", " echo in the $((40+2)) shell")
    pane.keys("Enter")
    pane.see("in the 42 shell")
    pane.keys("-l", "fg")
    pane.keys("Enter")
    pane.gone("in the 42 shell")
    pane.see("no incident", "nothing unsaved", "> half a li" if way != "/suspend" else " >")
    pane.type("ne" if way != "/suspend" else "half a line", "Enter")
    pane.see("a1 saved")
    assert texts(tmp_path / "journal") == ["half a line"]


def test_bg_does_not_take_the_terminal_from_the_shell(begin: Open) -> None:
    pane = begin()
    pane.type("half a li", "C-z")
    pane.see("Stopped")
    for words in ("bg", " echo in the $((40+2)) shell"):
        pane.keys("-l", words)
        pane.keys("Enter")
    pane.see("in the 42 shell")
    assert "half a li" not in pane.text
    pane.keys("-l", "fg")
    pane.keys("Enter")
    pane.see("> half a li")


def test_without_a_shell_that_could_wake_it_nothing_stops(tmp_path: Path, terminals: Any) -> None:
    program = tmp_path / "screen.py"
    program.write_text(SCRIPT)
    pane = terminals.open(sys.executable, str(program), str(tmp_path / "journal"))
    pane.see("nothing unsaved")
    pane.keys("C-z")
    pane.see("Nothing could wake this screen again")
