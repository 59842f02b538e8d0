"""Sinks that are no platform: a program of the team's own, and a file."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from incident_tui.incident.entry import Ref
from incident_tui.watch.chat.compose import Composed
from incident_tui.watch.chat.outbox import Outbox
from incident_tui.watch.settings import ChatSink
from tests.chat.fakes import HOSTILE, START, composed, states, worker
from tests.chat.watched import until

Command = Callable[..., ChatSink]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """`command(python, *arguments)`: a sink whose program is this Python text."""

    def make(program: str, *arguments: str, seconds: float = 20.0) -> ChatSink:
        script = tmp_path / "program"
        script.write_text(f"#!{sys.executable}\nimport os, sys, time\n{program}\n")
        script.chmod(0o700)
        words = (str(script), *arguments)
        return ChatSink(name="ops", kind="command", command=words, seconds=seconds, seconds_between=0.001)

    return make


async def send(sink: ChatSink, outbox: Outbox, said: str = "") -> str:
    """Sends one message; the sink's problem after it."""
    outbox.enqueue("ops", "j", [1], 1, START)

    def compose(ref: Ref) -> Composed:
        return composed(ref, said)

    async with worker(sink, outbox, compose=compose) as one:
        await one.sender.step()
        return one.sender.row().problem


async def test_a_program_gets_the_text_and_its_arguments_and_no_shell_sees_them(
    command: Command, outbox: Outbox, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    program = f"open({str(out)!r}, 'w').write(repr(sys.argv[1:]) + sys.stdin.read())"
    said = f"$(touch {tmp_path}/x) `id` ; rm -rf / {HOSTILE}\nsecond line"
    assert await send(command(program, "{tag}", "x{tag}", "{sink}", "$HOME", "{incident}"), outbox, said) == ""
    assert out.read_text() == f"['[INC-1 a1]', 'x{{tag}}', 'ops', '$HOME', 'INC-1'][INC-1 a1] {said}\n"
    assert states(outbox) == ["sent"] and not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("program", "state", "words"),
    [
        ("sys.exit('no such \\x1b[31mroom')", "dead", "status 1: no such room"),
        ("sys.exit(75)", "waiting", "status 75"),
        ("os.kill(os.getpid(), 9)", "dead", "signal 9"),
        ("print('x' * 10_000_000, flush=True)", "sent", ""),
        ("sys.stdout.buffer.write(os.urandom(100_000)); sys.exit(3)", "dead", "status 3"),
    ],
)
async def test_how_it_ends_is_what_becomes_of_the_message(
    command: Command, outbox: Outbox, program: str, state: str, words: str
) -> None:
    problem = await send(command(program), outbox)
    assert states(outbox) == [state] and words in problem and len(problem) < 300 and "\x1b" not in problem


def gone(pid: str) -> bool:
    """It has ended, whether or not anybody has taken note."""
    try:
        return not Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return True


async def test_a_program_that_hangs_is_stopped_with_its_children_and_the_message_is_maybe_sent(
    command: Command, outbox: Outbox, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    child = f"import os,time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    program = f"import subprocess; subprocess.Popen([sys.executable, '-c', {child!r}]); time.sleep(600)"
    sending = asyncio.create_task(send(command(program, seconds=3.0), outbox))
    await until(lambda: pid.exists() and pid.read_text())
    assert "stopped after 3 s" in await sending and states(outbox) == ["maybe"]
    await until(lambda: gone(pid.read_text()), 10)


async def test_a_program_that_leaves_a_child_behind_has_ended(command: Command, outbox: Outbox, tmp_path: Path) -> None:
    """As mail programs do: the child delivers, and still holds the output."""
    done, go = tmp_path / "done", tmp_path / "go"
    child = f"import os,time\nwhile not os.path.exists({str(go)!r}): time.sleep(0.05)\nopen({str(done)!r}, 'w')"
    program = f"import subprocess; subprocess.Popen([sys.executable, '-c', {child!r}])"
    assert await send(command(program), outbox) == "" and states(outbox) == ["sent"]
    go.touch()
    await until(done.exists)


async def test_a_program_that_is_not_there_waits(outbox: Outbox) -> None:
    sink = ChatSink(name="ops", kind="command", command=("/no/such/program",))
    assert "there is no program /no/such/program" in await send(sink, outbox) and states(outbox) == ["waiting"]


async def test_a_program_of_another_machine_is_tried_again(outbox: Outbox, tmp_path: Path) -> None:
    (tmp_path / "program").write_bytes(b"\x7fELFnot really")
    (tmp_path / "program").chmod(0o700)
    sink = ChatSink(name="ops", kind="command", command=(str(tmp_path / "program"),))
    assert "cannot be started" in await send(sink, outbox) and states(outbox) == ["waiting"]


async def test_a_file_gets_a_line_each_readable_by_its_owner_only(outbox: Outbox, tmp_path: Path) -> None:
    path = tmp_path / "updates"
    sink = ChatSink(name="ops", kind="file", path=str(path))
    before = os.umask(0)
    try:
        assert await send(sink, outbox, "first\n2026-11-23T03:10:00Z [INC-9 z9] not a message") == ""
    finally:
        os.umask(before)
    line = "2026-11-23T03:10:00Z [INC-1 a1] first\n    2026-11-23T03:10:00Z [INC-9 z9] not a message\n"
    assert path.read_text() == line and path.stat().st_mode & 0o777 == 0o600


async def test_a_link_in_the_files_place_is_not_followed(outbox: Outbox, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    sink = ChatSink(name="ops", kind="file", path=str(tmp_path / "link"))
    assert "cannot be opened" in await send(sink, outbox) and states(outbox) == ["waiting"]
    assert not (tmp_path / "elsewhere").exists()


async def test_a_full_disk_leaves_no_half_line(outbox: Outbox, small_disk: Path) -> None:
    path = small_disk / "updates"
    sink = ChatSink(name="ops", kind="file", path=str(path))
    path.write_bytes(b"before\n")
    rest = small_disk / "rest"
    with rest.open("wb", buffering=0) as full, pytest.raises(OSError):
        while True:
            full.write(b"x" * 1000)
    assert "cannot be written" in await send(sink, outbox, "long " * 3000)
    assert path.read_bytes() == b"before\n" and states(outbox) == ["waiting"]
    rest.unlink()
    async with worker(sink, outbox) as one:
        one.clock.on(60)
        await one.steps()
    assert path.read_text().endswith("text 1\n") and states(outbox) == ["sent"]
