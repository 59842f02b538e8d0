"""A scratch root and stand-in programs, so that the very probe.sh that hosts run can be run here."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from incident_tui.hosts import probe
from incident_tui.hosts.sections import Framer, Message, Ready, RoundEnded, Section

MARKER = "0123456789abcdef"
SHELLS = {"dash": ["dash"], "bash": ["bash", "--posix"], "busybox": ["busybox", "ash"]}
TOOLS = "awk stat sh cat date df find grep sed tail head tr ls id sleep timeout nice dmesg true printf"
FIXTURES = Path(__file__).parent / "fixtures"


def read_until(stream: int, framer: Framer, kind: type[Message]) -> Message:
    while True:
        data = os.read(stream, 65536)
        if not data:
            raise EOFError(framer.chatter)
        for message in framer.feed(data):
            if isinstance(message, kind):
                return message


class Probe:
    """A running probe.sh."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None and process.stdout is not None
        self.process = process
        self._in, self._out = process.stdin, process.stdout.fileno()
        self._framer = Framer(MARKER)
        self._round = 0

    def start(self, mode: str, idle: int) -> None:
        self._in.write(probe.start(mode, MARKER, idle=idle))
        self._in.flush()
        read_until(self._out, self._framer, Ready)

    def ask(self, *words: str) -> dict[str, Section]:
        self._round += 1
        self._in.write(probe.request(str(self._round), list(words)))
        self._in.flush()
        ended = read_until(self._out, self._framer, RoundEnded)
        assert isinstance(ended, RoundEnded)
        return {section.name: section for section in ended.sections}

    def end(self) -> int:
        self._in.close()
        return self.process.wait(10)


@pytest.fixture(params=sorted(SHELLS))
def shell(request: pytest.FixtureRequest) -> list[str]:
    words = SHELLS[request.param]
    if shutil.which(words[0]) is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must have {words[0]}")
        pytest.skip(f"no {words[0]} on this machine")
    return words


@pytest.fixture
def root(tmp_path: Path) -> Callable[[dict[str, str]], Path]:
    """Write files under a scratch root."""

    def make(files: dict[str, str]) -> Path:
        for name, body in files.items():
            path = tmp_path / "root" / name.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(body)
        return tmp_path / "root"

    return make


@pytest.fixture
def run_probe(tmp_path: Path) -> Iterator[Callable[..., Probe]]:
    running: list[subprocess.Popen[bytes]] = []

    def run(
        shell: list[str], mode: str = "fast", *, programs: dict[str, str] | None = None, idle: int = 60, **env: str
    ) -> Probe:
        directory = tmp_path / "bin"
        directory.mkdir(exist_ok=True)
        for name, body in (programs or {}).items():
            (directory / name).write_text("#!/bin/sh\n" + body)
            (directory / name).chmod(0o755)
        scratch = tmp_path / "root"
        scratch.mkdir(exist_ok=True)
        environment = {"ITUI_ROOT": str(scratch), "ITUI_PATH": f"{directory}:{basic_tools(tmp_path)}", **env}
        process = subprocess.Popen(
            [shutil.which(shell[0]) or shell[0], *shell[1:]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )
        running.append(process)
        started = Probe(process)
        started.start(mode, idle)
        return started

    yield run
    for process in running:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None and not stream.closed:
                stream.close()


def basic_tools(tmp_path: Path) -> Path:
    """A PATH with what every host has and no docker, podman or gluster of this machine."""
    directory = tmp_path / "tools"
    if not directory.exists():
        directory.mkdir()
        for name in TOOLS.split():
            found = shutil.which(name, path="/usr/bin:/bin:/usr/sbin:/sbin")
            if found:
                (directory / name).symlink_to(found)
    return directory


@pytest.fixture
def fixture() -> Callable[[str], str]:
    return lambda name: (FIXTURES / name).read_text(encoding="utf-8")
