"""Two whole watches, each a process with its own journal and configuration, over the real cluster."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from incident_tui.replica.settings import Replica
from tests.conftest import Program
from tests.nats import Cluster

Start = Callable[[str], Path]


@pytest.fixture
def watched(on_cluster: Replica, tmp_path: Path, program: Program) -> Iterator[Start]:
    """`watched("a")` makes a journal of that letter and a watch for it; returns its configuration."""
    running: list[subprocess.Popen[bytes]] = []

    def start(letter: str) -> Path:
        directory = tmp_path / letter
        directory.mkdir()
        config = directory / "config.toml"
        servers = ", ".join(f'"{url}"' for url in on_cluster.servers)
        config.write_text(
            f'[journal]\ndirectory = "{directory / "journal"}"\nletter = "{letter}"\n'
            f'[replica]\nservers = [{servers}]\nstream = "{on_cluster.stream}"\nname = "bastion-{letter}"\n'
        )
        program("--config", str(config), "log", f"from {letter}")
        command = [sys.executable, "-m", "incident_tui", "watch", "--service", "--config", str(config)]
        running.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL))
        return config

    yield start
    for process in running:
        process.terminate()
    for process in running:
        process.wait(30)


def until(done: Callable[[], object], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.2)


def test_what_is_logged_here_is_listed_there(watched: Start, program: Program, nats_cluster: Cluster) -> None:
    a, b = watched("a"), watched("b")

    def status(config: Path) -> dict[str, object]:
        (way,) = json.loads(program("--config", str(config), "status", "--json", check=None).stdout)["replicas"]
        assert isinstance(way, dict)
        return way

    def copies(config: Path) -> str:
        return program("--config", str(config), "replica", check=None).stdout

    until(lambda: "b  2 entries" in copies(a) and "a  2 entries" in copies(b))
    program("--config", str(a), "log", "and a second one")
    until(lambda: "missing" not in copies(b) and "jetstream nats: entries go both ways" in copies(b))
    until(lambda: (status(a)["problem"], status(a)["way"], status(a)["waiting"]) == (None, "jetstream", 0))
    checked = program("--config", str(a), "check", check=1).stdout
    assert "any other" in checked, "a cluster without users is named"
    assert checked.count("X FAIL") == 1, checked
    for node in nats_cluster.nodes:
        node.kill()
    until(lambda: "not reached" in str(status(a)["problem"]))
    program("--config", str(a), "log", "saved all the same")
    until(lambda: int(str(status(a)["waiting"])) >= 1)  # the watch may have said that it is alone, too
    assert "not reached" in program("--config", str(a), "status", check=1).stdout
