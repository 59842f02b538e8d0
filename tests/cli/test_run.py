"""`incident-tui run` as a process against a real sshd: input, output, exit status, entries, and what it refuses."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from incident_tui.incident.entry import Entry, Kind
from incident_tui.journal.store import Store
from tests.terminals import PROGRAM, Terminals

Program = Any


@pytest.fixture
def words(sshd: Any, tmp_path: Path) -> tuple[str, ...]:
    """Options of a journal and a configuration with one host; the own key is the only one that works."""
    own = Path(os.environ["HOME"], ".ssh")
    own.mkdir()
    (own / "id_ed25519").write_bytes(sshd.key.read_bytes())
    (own / "id_ed25519").chmod(0o600)
    host = sshd.host("web3", identity_file="/nowhere/key-of-the-watch")
    fields = {name: value for name, value in msgspec.structs.asdict(host).items() if isinstance(value, str) and value}
    body = "".join(f'{name} = "{value}"\n' for name, value in fields.items())
    config = tmp_path / "run.toml"
    config.write_text(f"[[hosts]]\n{body}port = {sshd.port}\n")
    return ("--config", str(config), "--journal", str(tmp_path / "journal"), "--as", "bob")


def steps(words: tuple[str, ...]) -> list[Entry]:
    with Store.open(Path(words[3]), create=False) as store:
        return [entry for entry in store.read() if entry.kind is Kind.COMMAND]


def test_reading_runs_and_stands_in_the_journal(program: Program, words: tuple[str, ...]) -> None:
    done = program("run", *words, "web3", "--", "cat", "/etc/hostname", "/no such", check=1)
    assert done.stdout == Path("/etc/hostname").read_text() and "/no such" in done.stderr
    intent, outcome = steps(words)
    assert intent.data["command"] == "cat /etc/hostname '/no such'" and intent.data["risk"] == "read"
    assert outcome.ref == intent.id and outcome.data["exit"] == 1 and "/no such" in outcome.text


def test_input_is_passed_on_and_the_status_comes_back(program: Program, words: tuple[str, ...]) -> None:
    expect = ("--expect", "seven", "--yes")
    done = program("run", *words, *expect, "web3", "--", "tr a-z A-Z; exit 7", text="from a pipe\n", check=7)
    assert done.stdout == "FROM A PIPE\n"
    assert program("run", *words, *expect, "web3", "--", "kill -TERM $$", check=128 + signal.SIGTERM)
    assert steps(words)[-1].data["signal"] == "TERM"


def test_what_may_change_something_wants_expect_and_a_terminal_or_yes(
    program: Program, words: tuple[str, ...], tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    refused = program("run", *words, "--yes", "web3", "--", "touch", str(mark), check=2)
    assert "--expect" in refused.stderr
    command = [*PROGRAM, "run", *words, "--expect", "it is there", "web3", "--", "touch", str(mark)]
    alone = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, start_new_session=True, timeout=60
    )
    assert alone.returncode == 2 and "--yes confirms it" in alone.stderr
    assert not mark.exists() and not steps(words)
    program("run", *words, "--yes", "--expect", "it is there", "web3", "--", "touch", str(mark))
    assert mark.exists()


def test_a_hold_is_said_and_secrets_are_not_stored(program: Program, words: tuple[str, ...]) -> None:
    program("declare", "sites down", *words)
    program("log", "/hold web3 10m disk swap", *words[:4], "--as", "ana")
    done = program("run", *words, "--yes", "--expect", "x", "web3", "--", "echo", "password=hunter2")
    assert "web3 is held by ana until" in done.stderr and done.stdout == "password=hunter2\n"
    assert "hunter2" not in str(steps(words))


def test_an_unknown_host_and_commands_that_are_off(program: Program, words: tuple[str, ...]) -> None:
    assert "there is no host 'web9'" in program("run", *words, "web9", "--", "uptime", check=2).stderr
    config = Path(words[1])
    config.write_text('[commands]\nmode = "off"\n' + config.read_text())
    assert "switched off" in program("run", *words, "web3", "--", "uptime", check=2).stderr


def test_a_host_that_cannot_be_reached(program: Program, words: tuple[str, ...]) -> None:
    config = Path(words[1])
    config.write_text(config.read_text().replace("port = ", "port = 1 #"))
    assert "connection refused" in program("run", *words, "web3", "--", "uptime", check=255).stderr
    assert "connection refused" in steps(words)[-1].data["problem"]


def test_a_process_that_is_killed_leaves_the_intent_and_nothing_there(
    words: tuple[str, ...], tmp_path: Path, until: Callable[..., Any]
) -> None:
    script = tmp_path / "a script of this test"
    script.write_text("sleep 600\n")
    command = [*PROGRAM, "run", *words, "--yes", "--expect", "x", "web3", "--", "sh", str(script)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    until(lambda: subprocess.run(["pgrep", "-f", f"^sh {script}"], capture_output=True).returncode == 0)
    process.kill()
    process.wait()
    until(lambda: subprocess.run(["pgrep", "-f", f"^sh {script}"], capture_output=True).returncode == 1)
    assert [entry.data["step"] for entry in steps(words)] == ["intent"]


def test_on_a_terminal(words: tuple[str, ...], terminals: Terminals) -> None:
    """The name is asked for there, what is typed goes to the command, and Ctrl+C ends it on the host."""
    command = "read a; echo got $a; printf '\\033[2J'; sleep 600"
    pane = terminals.open("incident-tui", "run", *words, "--expect", "x", "web3", "--", command)
    pane.see("Type web3 to run there")
    pane.type("web3", "Enter")
    pane.type("an answer", "Enter")
    pane.see("got an answer", "an answer")
    pane.keys("C-c")
    pane.see("stopped from here")
    pane.until(lambda: not pane.alive, what="the end")
    assert steps(words)[-1].data["signal"] == "TERM"


def test_two_desks_under_load_lose_nothing(words: tuple[str, ...], program: Program) -> None:
    """Processes of two people that run commands and write notes into one journal at once."""
    program("declare", "sites down", *words)
    runs, notes = [], []
    for number in range(4):
        who = ("--as", "ana" if number % 2 else "bob")
        command = ["--yes", "--expect", "x", "web3", "--", f"echo {number}; exit {number}"]
        run = [*PROGRAM, "run", *words[:4], *who, *command]
        runs.append(subprocess.Popen(run, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL))
        lines = "".join(f"note {number}.{line}\n" for line in range(20))
        log = [*PROGRAM, "log", *words[:4], *who, "-"]
        one = subprocess.Popen(log, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert one.stdin is not None
        one.stdin.write(lines)
        one.stdin.close()
        notes.append(one)
    # A line that a crowded journal does not take is refused aloud; what was given a handle is there.
    handles = [line for one in notes if one.stdout is not None for line in one.stdout.read().split()]
    assert [one.wait(120) for one in runs] == [0, 1, 2, 3]
    for one in notes:
        one.wait(120)
    with Store.open(Path(words[3]), create=False) as store:
        entries = list(store.read())
        saved = {store.handle(entry) for entry in entries if entry.text.startswith("note ")}
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    assert saved == set(handles) and len(handles) > 20
    intents = {entry.id: entry for entry in entries if entry.data.get("step") == "intent"}
    ends = {entry.ref: entry for entry in entries if entry.data.get("step") == "outcome" and entry.ref is not None}
    assert len(intents) == 4 and ends.keys() == intents.keys()
    assert all(intents[ref].data["command"].endswith(f"exit {end.data['exit']}") for ref, end in ends.items())
