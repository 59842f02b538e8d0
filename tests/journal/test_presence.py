"""Presence: a screen that lives is here, one that was killed is gone since when, one that left is not shown."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from incident_tui.journal.presence import SHOWN_SECONDS, Presence

_SCREEN = """
import sys
from incident_tui.journal.presence import Presence
presence = Presence(sys.argv[1])
presence.enter(sys.argv[2])
print("here", flush=True)
sys.stdin.read()
presence.leave()
"""


def screen(directory: Path, name: str) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", _SCREEN, str(directory), name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None and child.stdout.readline() == "here\n"
    return child


def shown(directory: Path) -> list[tuple[str, bool]]:
    return [(one.name, one.alive) for one in Presence(directory).people()]


def test_here_gone_and_left(tmp_path: Path) -> None:
    ana, dan = screen(tmp_path, "ana"), screen(tmp_path, "dan")
    assert sorted(shown(tmp_path)) == [("ana", True), ("dan", True)]
    assert Presence(tmp_path).screens() == 2
    dan.send_signal(signal.SIGKILL)
    dan.wait()
    assert shown(tmp_path) == [("ana", True), ("dan", False)]
    assert Presence(tmp_path).screens() == 1
    ana.communicate("")
    assert shown(tmp_path) == [("dan", False)]


def test_a_person_with_two_screens_is_one_and_here(tmp_path: Path) -> None:
    first, second = screen(tmp_path, "ana"), screen(tmp_path, "ana")
    first.kill()
    first.wait()
    assert shown(tmp_path) == [("ana", True)]
    second.communicate("")


def test_after_an_hour_the_lost_are_cleared_away(tmp_path: Path) -> None:
    dan = screen(tmp_path, "dan")
    dan.kill()
    dan.wait()
    (card,) = (tmp_path / "screens").iterdir()
    old = time.time() - SHOWN_SECONDS - 1
    os.utime(card, (old, old))
    assert shown(tmp_path) == [] and not card.exists()


def test_hostile_names_and_files_do_no_harm(tmp_path: Path) -> None:
    presence = Presence(tmp_path)
    presence.enter("\x1b]0;x\x07bob\u202e")
    folder = tmp_path / "screens"
    (folder / "garbage.json").write_bytes(b"\xff\x00{")
    (folder / "link.json").symlink_to("/etc/passwd")
    assert shown(tmp_path) == [("bob", True)]
    presence.leave()


def test_who_is_needed_is_shown_as_gone_by_leaving_in_order_too(tmp_path: Path) -> None:
    presence = Presence(tmp_path)
    presence.enter("ana")
    presence.needed = True
    presence.leave()
    assert shown(tmp_path) == [("ana", False)]


def test_files_are_for_the_group(tmp_path: Path) -> None:
    presence = Presence(tmp_path)
    presence.enter("ana")
    (card,) = (tmp_path / "screens").iterdir()
    assert card.stat().st_mode & 0o777 == 0o660
    presence.leave()
