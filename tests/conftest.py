"""Shared by all tests: a stage of embedded peers, and the program run as a process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import hypothesis
import msgspec
import pytest

from incident_tui.config import load
from incident_tui.demo.stage import Stage
from incident_tui.shipped import shipped

pytest_plugins = [
    "tests.accounts",
    "tests.alertmanager",
    "tests.nats",
    "tests.browser",
    "tests.sshd",
    "tests.agents",
    "tests.synapse",
    "tests.terminals",
]

# No test asserts a wall-clock time, not even by the library's own default.
hypothesis.settings.register_profile(
    "unhurried", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("unhurried")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The lab comes last: its three peers stay up to the end, and the other tests need not share the machine."""
    items.sort(key=lambda item: item.get_closest_marker("lab") is not None)


@pytest.fixture(autouse=True)
def private_home(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test reads or writes the tester's own configuration, logs or agent."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "SSH_AUTH_SOCK", "SUDO_UID"):
        monkeypatch.delenv(variable, raising=False)
    for variable in [name for name in os.environ if name.startswith("INCIDENT_TUI_")]:
        monkeypatch.delenv(variable)


Result = subprocess.CompletedProcess[str]


class Program(Protocol):
    """`incident-tui` with these words, as a process of its own."""

    def __call__(
        self, *words: str, check: int | None = 0, text: str | None = None, cwd: Path | None = None
    ) -> Result: ...


@pytest.fixture
def program() -> Program:
    def run(*words: str, check: int | None = 0, text: str | None = None, cwd: Path | None = None) -> Result:
        done = subprocess.run(
            [sys.executable, "-m", "incident_tui", *words],
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            cwd=cwd or "/",
        )
        if check is not None:
            assert done.returncode == check, done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done

    return run


class Started:
    """A running stage and the watches started on it, each ended with the test."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.words = ("--config", str(stage.config), "--journal", str(stage.journal))
        self.processes: list[subprocess.Popen[str]] = []

    def watch(self, *more: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "incident_tui", "watch", *self.words, *more],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.processes.append(process)
        return process


@pytest.fixture
def staged(tmp_path: Path) -> Iterator[Callable[..., Started]]:
    """`staged("healthy")` starts the embedded peers and returns them; `change` edits the settings first."""
    started: list[Started] = []

    def start(scenario: str, change: Callable[[Any], Any] = lambda settings: settings, speed: float = 1.0) -> Started:
        stage = Stage(tmp_path / "stage", None, change(load(shipped("config.toml"))), scenario, speed)
        started.append(Started(stage.__enter__()))
        return started[-1]

    yield start
    for one in started:
        for process in one.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        one.stage.__exit__()


@pytest.fixture
def until() -> Callable[..., Any]:
    """`until(ask, seconds)` asks until the answer is true, and fails when it never is, with what `why` says then."""

    def wait(ask: Callable[[], Any], seconds: float = 20.0, why: Callable[[], Any] = lambda: "") -> Any:
        end = time.monotonic() + seconds
        while True:
            answer = ask()
            if answer:
                return answer
            assert time.monotonic() < end, f"not within {seconds:g} s; the last answer was {answer!r} {why()}"
            time.sleep(0.05)

    return wait


@pytest.fixture
def status_of(program: Program) -> Callable[[Started], dict[str, Any]]:
    """`status --json` of a stage, decoded."""

    def read(one: Started) -> dict[str, Any]:
        fields: dict[str, Any] = msgspec.json.decode(program("status", "--json", *one.words, check=None).stdout)
        return fields

    return read


@pytest.fixture
def needs_root() -> None:
    if os.geteuid() != 0:
        if os.environ.get("CI") == "true":
            pytest.fail("this test must run as root in CI")
        pytest.skip("needs root: it makes accounts or mounts a small file system")


@pytest.fixture
def small_disk(tmp_path: Path, needs_root: None) -> Iterator[Path]:
    """A tmpfs of 2 MB, mounted for this test."""
    target = tmp_path / "disk"
    target.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=0755", "tmpfs", str(target)], check=True)
    try:
        yield target
    finally:
        subprocess.run(["umount", "-l", str(target)], check=True)
