"""Commands on a real sshd: how they end, what is kept of what they print, and that nothing of them is left."""

from __future__ import annotations

import asyncio
import hashlib
import os
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from incident_tui.fleet import remote, ssh
from incident_tui.fleet.output import HEAD, LINES, TAIL, Lines, Output
from incident_tui.fleet.remote import Finished
from incident_tui.fleet.settings import Fleet, Host
from tests.fleet.silent import Silent

FLEET = Fleet(connect_timeout=5.0, keepalive_seconds=1.0)


async def run(host: Host, command: str, seconds: float = 30.0, **more: Any) -> Finished:
    return await remote.run(host, FLEET, command, seconds=seconds, stop=more.pop("stop", asyncio.Event()), **more)


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str], str]:
    """Write a shell script and give its path, by which its processes are known."""

    def write(body: str) -> str:
        path = tmp_path / "script-of-a-command"
        path.write_text(body)
        return str(path)

    return write


def processes(word: str) -> list[str]:
    """Command lines of running processes that have just this word, but for our own."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                words = (entry / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
            except OSError:
                continue
            if word in words:
                found.append(" ".join(words))
    return found


async def gone(word: str) -> bool:
    for _ in range(200):
        if not processes(word):
            return True
        await asyncio.sleep(0.05)
    return False


async def there(word: str) -> None:
    """The script itself runs: its name stands in the command lines of the shells before it, too."""
    for _ in range(200):
        if any(line.startswith(f"sh {word}") for line in processes(word)):
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"{word} never ran")


async def test_exit_status_output_and_hash(sshd: Any) -> None:
    streams: list[tuple[bytes, bool]] = []
    done = await run(
        sshd.host(), "echo one; echo two >&2; exit 3", output=lambda data, error: streams.append((data, error))
    )
    assert (done.started, done.exit, done.signal, done.problem) == (True, 3, "", "")
    assert sorted(done.text.split("\n")) == ["one", "two"]
    assert (b"one\n", False) in streams and (b"two\n", True) in streams
    assert done.bytes == 8
    in_order = b"".join(data for data, _ in streams)
    assert done.sha256 == hashlib.sha256(in_order).hexdigest()


async def test_quotes_arrive_as_they_were_typed(sshd: Any) -> None:
    done = await run(sshd.host(), """printf '%s|' "a b" 'c"d' $((1+1)) it\\'s; echo "$0" $#""")
    assert done.text == """a b|c"d|2|it's|/bin/sh 0"""


async def test_a_signal_is_told(sshd: Any) -> None:
    done = await run(sshd.host(), "kill -SEGV $$")
    assert (done.exit, done.signal) == (None, "SEGV")


async def test_what_asks_for_input_finds_its_end(sshd: Any) -> None:
    done = await run(sshd.host(), 'read -r answer || echo "no input"; cat; echo over', seconds=10)
    assert done.text == "no input\nover"
    assert done.exit == 0


async def test_stopping_ends_all_of_it_on_the_host(sshd: Any, script: Callable[[str], str]) -> None:
    word = script("trap '' TERM INT HUP; while :; do sleep 1; done\n")  # only KILL ends it
    stop = asyncio.Event()
    running = asyncio.create_task(run(sshd.host(), f"sh {word} & sh {word} | cat", stop=stop))
    await there(word)
    stop.set()
    done = await running
    assert done.stopped and done.problem.startswith("stopped from here")
    assert done.signal in ("TERM", "KILL")
    assert await gone(word)


async def test_the_time_limit_stops_it(sshd: Any, script: Callable[[str], str]) -> None:
    word = script("sleep 600\n")
    done = await run(sshd.host(), f"echo begun; sh {word}; true", seconds=1)
    assert done.stopped and done.problem == "stopped at its limit of 1 s"
    assert done.text == "begun"
    assert await gone(word)


async def test_a_cut_connection_ends_it_there(
    sshd: Any, script: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    word = script("trap '' TERM HUP PIPE; while :; do sleep 1; done\n")
    opened: list[Any] = []
    connect = ssh.connect

    async def remembered(host: Host, fleet: Fleet) -> Any:
        opened.append(await connect(host, fleet))
        return opened[-1]

    monkeypatch.setattr(ssh, "connect", remembered)
    running = asyncio.create_task(run(sshd.host(), f"sh {word}"))
    await there(word)
    opened[0].abort()
    done = await running
    assert done.exit is None and not done.stopped
    assert done.problem == (
        "outcome unknown: the connection to web1 was lost, and it may run there until 40 s after its start"
    )
    assert await gone(word)


async def test_a_caller_that_ends_leaves_nothing(sshd: Any, script: Callable[[str], str]) -> None:
    word = script("sleep 600\n")
    running = asyncio.create_task(run(sshd.host(), f"sh {word}; true"))
    await there(word)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await gone(word)


async def test_a_host_that_falls_silent_midway(start_sshd: Callable[..., Any], script: Callable[[str], str]) -> None:
    """The network goes without a word: what is between us and the host takes everything and gives nothing back."""
    sshd, word = start_sshd(), script("sleep 600\n")
    async with Silent(sshd.port) as between:
        running = asyncio.create_task(
            run(sshd.host(port=between.port, known_hosts=between.known(sshd)), f"sh {word}; true")
        )
        await there(word)
        between.fall_silent()
        done = await asyncio.wait_for(running, 15)
    assert done.exit is None and done.seconds < 10, "keepalives find it long before the limit"
    assert done.problem.startswith("outcome unknown: the connection to web1 was lost")
    assert await gone(word)


async def test_what_it_leaves_in_the_background_stays_and_is_told(sshd: Any, script: Callable[[str], str]) -> None:
    word = script("sleep 2\n")
    done = await run(sshd.host(), f"sh {word} & echo started")
    assert (done.exit, done.text, done.lingers) == (0, "started", True)
    assert processes(word)
    assert await gone(word)


async def test_a_host_that_cannot_be_reached(sshd: Any) -> None:
    done = await run(sshd.host(port=1), "true")
    assert not done.started and "connection refused" in done.problem


async def test_one_session_a_connection_is_not_enough(start_sshd: Callable[..., Any]) -> None:
    done = await run(start_sshd("MaxSessions 1").host(), "echo ran >&2")
    assert not done.started and done.text == "" and "could not be started" in done.problem


async def test_much_output_in_little_memory(sshd: Any) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    size = 1024**3
    done = await run(sshd.host(), f"head -c {size} /dev/zero; echo; echo last line", seconds=300)
    assert (done.exit, done.bytes) == (0, size + 11)
    assert done.text.endswith("last line") and len(done.text) < HEAD + TAIL + 200
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40 * 1024


def test_kept_output_is_whole_lines_without_secrets() -> None:
    kept = Output()
    kept.feed(b"password=hunter2\n" + b"".join(b"line %d password=hunter2\n" % n for n in range(20_000)))
    text = kept.text()
    assert "hunter2" not in text and "[redacted]" in text
    assert "the middle of" in text and text.endswith("line 19999 password=[redacted]")


def test_the_end_of_a_private_key_is_not_kept() -> None:
    kept = Output()
    key = b"-----BEGIN RSA PRIVATE KEY-----\n" + b"SECRETSECRETSECRET\n" * 400 + b"-----END RSA PRIVATE KEY-----\n"
    kept.feed(b"x\n" * (HEAD // 2 + 100) + key + b"y\n" * ((TAIL - 2000) // 2))
    assert "SECRET" not in kept.text() and kept.text().endswith("y")


def test_control_characters_never_reach_the_terminal() -> None:
    kept, shown = Output(), Lines()
    for one in (kept, shown):
        one.feed(b"\x1b]0;title\x07\x1b[31mred\x1b[0m \x9b2J \xe2\x80\xae\r\n10%\r50%\r100%\nrest")
    assert kept.text().split("\n")[0].startswith("red")
    assert "\x1b" not in kept.text() + "".join(shown.now())
    assert shown.now()[1:] == ["100%", "rest"]


def test_lines_are_bounded() -> None:
    shown = Lines()
    for _ in range(30):
        shown.feed(b"x\n" * 1000 + b"y" * 9000)
    assert len(shown.lines) == LINES and shown.dropped > 28_000
    assert max(len(line) for line in shown.now()) <= 4000
