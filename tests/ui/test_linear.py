"""The screen in lines: what is told and when, keys, and the process on a real terminal."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_tui.fleet.settings import Host
from incident_tui.incident.entry import Author, Draft, Kind
from incident_tui.incident.state import Fold
from incident_tui.journal.errors import JournalError
from incident_tui.journal.last_seen import LastSeen
from incident_tui.journal.store import Store
from incident_tui.journal.writer import WriterStatus
from incident_tui.ui.editor import Editor
from incident_tui.ui.linear.keys import Key, Keys
from incident_tui.ui.linear.prompt_line import PromptLine
from incident_tui.ui.linear.screen import LinearScreen
from incident_tui.ui.linear.spoken import Announcer, overview
from incident_tui.ui.lines import Look


def names(*pieces: bytes) -> list[str]:
    keys = Keys()
    found = [key for piece in pieces for key in keys.feed(piece)] + keys.flush()
    return [key.name or key.text for key in found]


def test_keys_are_read_whatever_pieces_they_come_in() -> None:
    assert names(b"a\xc3", b"\xa9\x1b[", b"D\x1bOA\x1b[1;5C\x7f\r\t\x05") == [
        *("a", "é", "left", "up", "ctrl+right", "backspace", "enter", "tab", "ctrl+e")
    ]
    assert names(b"\x1b") == ["escape"] and names(b"\x1b\x1b[3~") == ["escape", "delete"]
    keys = Keys()
    assert keys.feed(b"\x1b[200~one\rtw") == [] and keys.flush() == []
    assert keys.feed(b"o\x1b[201~x") == [Key("paste", "one\ntwo"), Key("", "x")]


@given(st.lists(st.tuples(st.sampled_from(["", "left", "home", "end", "backspace", "ctrl+w"]), st.text(max_size=4))))
def test_the_terminal_shows_the_line_with_nothing_but_backspace_and_return(acts: list[tuple[str, str]]) -> None:
    editor, line = Editor(), PromptLine()
    shown, at = "", 0
    for key, text in [("", "x" * 30), *acts]:
        editor.key(key) if key else editor.insert("".join(one for one in text if one.isascii()))
        for one in line.draw(editor, 40, Look(ascii=True)):
            if one == "\r":
                at = 0
            elif one == "\b":
                at -= 1
            else:
                assert one.isprintable()
                shown, at = shown[:at] + one + shown[at + 1 :], at + 1
        view = editor.view(37, Look(ascii=True), active=True)
        assert shown.rstrip() == ("> " + "".join(part for part, _ in view)).rstrip()
        assert at == 2 + sum(len(part) for part, _ in view[:2]) and len(shown) < 40


def test_how_things_are_in_order_of_trouble(kit: Any) -> None:
    said = overview(kit.view(kit.outage(), kit.story()))
    text = "\n".join(said)
    assert said[0].startswith("SEV1 gv0 split-brain, sites 502, 41m, mitigating, IC ana")
    levels = [line.split(":")[0] for line in said if line.split(":")[0] in ("critical", "warning", "not known")]
    assert levels == sorted(levels, key=["critical", "warning", "not known"].index) and len(set(levels)) == 3
    assert "sites, hosts, containers and volumes are well" in text and "│" not in text


def test_only_changes_are_announced_and_never_the_clock(kit: Any) -> None:
    announcer = Announcer()
    before = kit.view(kit.healthy(), kit.story())
    assert announcer.machines(before) == announcer.states(before) == []
    later = kit.view(kit.healthy(kit.now + timedelta(seconds=7)), kit.story(), now=kit.now + timedelta(seconds=7))
    assert announcer.machines(later) == announcer.states(later) == []
    said = announcer.machines(kit.view(kit.outage(), kit.story()))
    assert said[0].startswith("14:43:12Z now critical: ") and any("now not known: web3" in one for one in said)
    assert all("over: " in one for one in announcer.machines(later))


def test_many_changes_at_once_are_told_worst_first_and_counted(kit: Any) -> None:
    announcer = Announcer()
    rows = {name: row for name, row in kit.healthy().items() if not name.startswith("host/")}
    announcer.machines(kit.view(kit.healthy(), kit.story(), team=kit.team(hosts=())))
    many = kit.team(hosts=[Host(name=f"node{number}") for number in range(40)])
    said = announcer.machines(kit.view(rows, kit.story(), team=many))
    assert len(said) == 13 and said[-1].endswith("more changes: Enter alone tells how things are")


def test_what_must_not_be_missed_is_announced_once_and_its_end(kit: Any) -> None:
    announcer = Announcer()
    announcer.states(kit.view(kit.healthy(), kit.story()))
    bad = kit.view(kit.healthy(), kit.story(), writer=WriterStatus(problem="no room left.", waiting=1))
    assert announcer.states(bad) == ["14:43:12Z NOT SAVED, kept and retried: no room left."]
    assert announcer.states(bad) == []
    now = kit.now + timedelta(seconds=150)
    fresh = kit.healthy(now)
    assert announcer.states(kit.view(fresh, kit.story(), now=now, boot_now=1_000_000.0)) == [
        "14:45:42Z update due in 2 min (public)",
        "14:45:42Z everything is saved",
    ]
    now = kit.now + timedelta(seconds=253)
    assert any("update OVERDUE (public)" in one for one in announcer.states(kit.view({}, kit.story(), now=now)))


def test_an_entry_is_told_with_handle_time_author_and_word_and_a_finding_once(kit: Any) -> None:
    announcer, fold = Announcer(), Fold()
    entries = kit.entries(kit.story())
    for entry in entries:
        fold.apply(entry)
    view = kit.view(kit.outage(), kit.story())
    said = announcer.entries(entries, view, fold)
    assert "a2 14:02:24 ana ACTION restarted glusterd web3" in said
    announcer.machines(kit.view(kit.healthy(), kit.story()))
    announcer.machines(view)
    key = next(one for one in view.findings if one.rule == "gluster.split-brain")
    data = {"finding": key.rule, "subject": key.subject, "level": key.level.value}
    again = msgspec.structs.replace(entries[2], data=data)
    assert announcer.entries([again], view, fold) == []


def test_a_journal_that_cannot_be_read_is_said_once_and_tried_again() -> None:
    class Screen:
        _trouble = ""
        said: ClassVar[list[str]] = []

        def tell(self, lines: list[str]) -> None:
            self.said.extend(lines)

    screen: Any = Screen()
    answers: list[str] = ["locked", "locked", "", "locked"]

    def act() -> None:
        if sentence := answers.pop(0):
            raise JournalError(sentence)

    for _ in range(4):
        LinearScreen._guarded(screen, act)
    assert screen.said == ["locked", "locked"], "once for each time that it began"


SCRIPT = """
import sys
from pathlib import Path
import msgspec
from incident_tui.config import Settings
from incident_tui.incident.entry import Author
from incident_tui.journal.presence import Presence
from incident_tui.ui.run import run
from incident_tui.ui.settings import Screen
place = Path(sys.argv[1])
status = run(settings=Settings(screen=Screen(linear=True)), directory=place, author=Author("ana"),
             start_watch=lambda: None, ask=lambda host, word: None, presence=Presence(place), demo=False,
             playbooks=[])
assert not [name for name in sys.modules if name.split(".")[0] == "textual"]
sys.exit(status)
"""
Open = Callable[..., Any]


@pytest.fixture
def begin(tmp_path: Path, terminals: Any) -> Open:
    """Opens the linear screen from an interactive shell."""
    program = tmp_path / "screen.py"
    program.write_text(SCRIPT)

    def start(**environment: str) -> Any:
        pane = terminals.open("bash", "--norc", "-i", environment={"PS1": "SHELL> ", **environment})
        pane.see("SHELL>")
        pane.keys("-l", f"clear; {shlex.join([sys.executable, str(program), str(tmp_path / 'journal')])}")
        pane.keys("Enter")
        pane.see("Incident screen in lines", "no incident")
        return pane

    return start


def child(pane: Any) -> int:
    return int(Path(f"/proc/{pane.pid}/task/{pane.pid}/children").read_text().split()[0])


def last(pane: Any) -> str:
    return str(pane.text.rstrip().split("\n")[-1])


def test_a_response_in_lines(begin: Open) -> None:
    pane = begin(TERM="dumb")
    for line, answer in (
        ("/declare /sev 1 gv0 split-brain", "declared; ana is commander"),
        ("! restarted glusterd", "a2 saved"),
        ("/help ic", "hand over command"),
        ("/sev one", "is not a severity"),
    ):
        pane.type(line, "Enter")
        pane.see(answer)
    assert last(pane) == "> /sev one"
    pane.keys("C-u")
    pane.type("/find gluster", "Enter")
    pane.see("1 of 2 entries fit", "ana ACTION restarted glusterd")
    pane.type("/update public Two sites are slow", "Enter")
    pane.see("UPDATE PUBLIC", "The PUBLIC will read", "answer >")
    pane.type("public", "Enter")
    pane.see("a3 saved")
    pane.keys("Enter")
    pane.see("SEV1 gv0 split-brain", "No hosts, no sites.")
    pane.keys("C-d")
    pane.see("SHELL>")


def test_verbs_about_the_screen_do_in_lines_what_their_help_says(tmp_path: Path, begin: Open) -> None:
    with Store.open(tmp_path / "journal") as store:
        now = datetime.now(UTC)
        for number, text in enumerate(("seen before", "came meanwhile", "and this")):
            store.append([Draft(Kind.NOTE, text, now, Author("bob"))], key=f"k{number}")
            if not number:
                LastSeen(tmp_path / "journal", "ana").mark(store.clock())
    seen = next((tmp_path / "journal" / "lines").glob("*seen"))
    with Store.open(tmp_path / "journal") as store:
        first = next(iter(store.read())).recorded_at.timestamp()
    os.utime(seen, (first, first))
    pane = begin()
    pane.type("/go unread", "Enter")
    pane.see("came meanwhile", "and this")
    assert "seen before" not in pane.text
    pane.type("/filter", "Enter")
    pane.see("In lines nothing is hidden")
    pane.type("/yank a2", "Enter")
    pane.see("clipboard")
    assert "bob NOTE came meanwhile" in next((tmp_path / "journal" / "yank").iterdir()).read_text()
    pane.type("/yank a9", "Enter")
    pane.see("There is no entry a9")


def test_half_a_line_survives_what_is_announced(tmp_path: Path, begin: Open) -> None:
    pane = begin()
    pane.type("half a li")
    with Store.open(tmp_path / "journal") as store:
        for number in range(3):
            store.append([Draft(Kind.NOTE, f"from bob {number}", datetime.now(UTC), Author("bob"))], key=f"k{number}")
    pane.see("bob NOTE from bob 0", "bob NOTE from bob 2")
    assert last(pane) == "> half a li"
    pane.type("ne", "Enter")
    pane.see("a4 saved")


@pytest.mark.parametrize("way", [signal.SIGHUP, signal.SIGTERM, signal.SIGKILL])
def test_the_draft_survives_each_end(begin: Open, way: signal.Signals) -> None:
    pane = begin()
    pane.type("half a li")
    os.kill(child(pane), way)
    pane.until(lambda: last(pane).endswith("SHELL>"))
    pane.keys("-l", "stty sane")
    pane.keys("Enter")
    again = begin()
    again.see("This line is not saved yet")
    again.until(lambda: last(again) == "> half a li")


def test_pastes_editor_shell_and_leaving(tmp_path: Path, begin: Open) -> None:
    script = tmp_path / "editor.py"
    script.write_text("import pathlib, sys\npathlib.Path(sys.argv[-1]).write_text('written there')")
    pane = begin(VISUAL=f"{sys.executable} {script}")
    pane.keys("C-e")
    pane.see("> written there")
    pane.keys("C-z")
    pane.see("Stopped")
    pane.keys("-l", "fg")
    pane.keys("Enter")
    pane.until(lambda: last(pane) == "> written there")
    pane.keys("C-u")
    subprocess.run([*pane._server, "set-buffer", "one\n/close\n"], check=True)
    pane.tmux("paste-buffer", "-p", "-t", pane.name)
    pane.see("Pasted 2 lines")
    pane.keys("Escape")
    pane.see("The paste was dropped")
    pane.keys("C-c")
    pane.see("Ctrl+C again leaves")
    pane.keys("C-c")
    pane.see("SHELL>")
