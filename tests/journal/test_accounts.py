"""Several Unix accounts of one group write to one journal. Two real accounts, made and removed here."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from incident_tui.journal.store import Store
from tests.accounts import FIRST, GROUP, SECOND, STRANGER, as_account

Spawn = Callable[..., "subprocess.Popen[str]"]

SCRIPT = """
import os, sys
os.umask(0o077)
from datetime import datetime, UTC
from incident_tui.incident.entry import Author, Draft, Kind
from incident_tui.journal.errors import JournalError
from incident_tui.journal.lease import Lease
from incident_tui.journal.board import Board
from incident_tui.journal.notify import Listener
from incident_tui.journal.prompt import save_line
from incident_tui.journal.store import Store
directory, name = sys.argv[1:]
try:
    store = Store.open(directory)
    print("open", flush=True)
    for command in sys.stdin:
        command = command.strip()
        if command == "append":
            draft = Draft(kind=Kind.NOTE, text=name, at=datetime.now(UTC), author=Author(name, uid=os.getuid()))
            print(store.append([draft], key=os.urandom(8).hex())[0].seq)
        elif command == "lease":
            lease = Lease(directory, store)
            print(lease.take())
        elif command == "board":
            board = Board.open(directory)
            board.put({}, epoch=9)
            print(board.problem or "fine")
        elif command == "listen":
            bell = Listener(directory)
            print("listening")
        elif command == "heard":
            print(bell.drain())
        elif command == "line":
            print(save_line(directory, name, "half a li"))
        elif command == "close":
            store.close()
            print("closed")
        sys.stdout.flush()
except JournalError as error:
    print("refused", error.sentence, flush=True)
"""


def _ask(process: subprocess.Popen[str], command: str) -> str:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(command + "\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


def _first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_two_accounts_write_to_one_journal(shared: Path, spawn: Spawn) -> None:
    first = spawn(SCRIPT, shared / "j", FIRST, prefix=as_account(FIRST))
    assert _first_line(first) == "open"
    assert _ask(first, "append") == "1"
    second = spawn(SCRIPT, shared / "j", SECOND, prefix=as_account(SECOND))
    assert _first_line(second) == "open"
    assert _ask(second, "listen") == "listening"
    assert _ask(second, "append") == "2"
    assert _ask(first, "append") == "3"
    assert _ask(second, "heard") == "2", "a commit of one account rings the other"
    assert _ask(first, "board") == "fine" and _ask(second, "board") == "fine"
    assert _ask(first, "lease") == "1"
    assert _ask(second, "lease") == "None"
    assert _ask(first, "line") == "True" and _ask(second, "line") == "True"
    # The last one out removes -wal and -shm; the other account makes them anew.
    assert _ask(first, "close") == _ask(second, "close") == "closed"
    third = spawn(SCRIPT, shared / "j", SECOND, prefix=as_account(SECOND))
    assert _first_line(third) == "open" and _ask(third, "append") == "5"
    fourth = spawn(SCRIPT, shared / "j", FIRST, prefix=as_account(FIRST))
    assert _first_line(fourth) == "open" and _ask(fourth, "append") == "6"
    for process in (first, second, third, fourth):
        process.communicate()
    assert {path.stat().st_mode & 0o777 for path in (shared / "j").glob("*.db*")} == {0o660}
    assert {path.group() for path in (shared / "j").iterdir()} == {GROUP}
    with Store.open(shared / "j") as store:
        assert len({entry.author.uid for entry in store.read() if entry.text.startswith("itui")}) == 2
        assert store.verify().ok


def test_an_account_outside_the_group_is_told_so(shared: Path, spawn: Spawn) -> None:
    with Store.open(shared / "j"):
        pass
    stranger = spawn(SCRIPT, shared / "j", STRANGER, prefix=as_account(STRANGER))
    line = _first_line(stranger)
    assert line.startswith("refused") and "cannot be" in line and "group" in line, line


def test_a_reader_without_write_permission_can_read(shared: Path, spawn: Spawn, tmp_path: Path) -> None:
    """A directory that may be read but not written: export works, append says why not."""
    with Store.open(shared / "j"):
        pass
    (shared / "j").chmod(0o755)
    shared.chmod(0o755)
    for path in (shared / "j").iterdir():
        path.chmod(0o644)
    script = """
import sys
from datetime import datetime, UTC
from incident_tui.incident.entry import Author, Draft, Kind
from incident_tui.journal.errors import JournalError
from incident_tui.journal.store import Store
store = Store.open(sys.argv[1])
print(len(store.read()), store.verify().ok)
try:
    store.append([Draft(kind=Kind.NOTE, text="x", at=datetime.now(UTC), author=Author("x"))], key="k")
except JournalError as error:
    print(error.sentence)
"""
    reader = spawn(script, shared / "j", prefix=as_account(STRANGER))
    output, _ = reader.communicate()
    first, second = output.splitlines()
    assert first == "0 True"
    assert "cannot be written by this account" in second
