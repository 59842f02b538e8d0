"""Random histories over a real NATS cluster: real watches; nodes and watches that are killed or cut off.

`ENTRIES=10000 python -m pytest tests/replica/test_history_nats.py` plays longer ones; SEED=… plays one again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from platformdirs import user_state_path

from incident_tui.journal.store import Store
from tests.nats import Cluster
from tests.replica.history import play
from tests.simulation.seeds import seeds

BASTIONS = 5
ENTRIES = int(os.environ.get("ENTRIES", "2000"))


class Watches:
    """A watch for each bastion. The first three bastions have a server of the cluster on them, which dies with them."""

    def __init__(self, cluster: Cluster, directories: Sequence[Path]) -> None:
        self.cluster = cluster
        self.directories = directories
        self.ways = [[cluster.way(node) for node in range(3)] for _ in directories]
        self.apart: set[tuple[int, int]] = set()
        self.processes: dict[int, subprocess.Popen[bytes]] = {}
        for number, directory in enumerate(directories):
            letter = "abcdefgh"[number]
            Store.open(directory, letter=letter).close()
            servers = ", ".join(f'"nats://127.0.0.1:{way.port}"' for way in self.ways[number])
            (directory / "config.toml").write_text(
                f'[journal]\nletter = "{letter}"\n[replica]\nservers = [{servers}]\nstream = "HISTORY"\n'
            )
            self.revive(number)

    def cut(self, one: int, other: int) -> None:
        """Between machines with a server, their servers; else the one without any is cut off from the cluster."""
        self.apart.add((one, other))
        if other < 3:
            self.cluster.part(one, other)
        self._set()

    def heal(self, one: int, other: int) -> None:
        self.apart.discard((one, other))
        if other < 3:
            self.cluster.join(one, other)
        self._set()

    def kill(self, one: int) -> None:
        self.processes[one].kill()
        self.processes[one].wait()
        if one < 3:
            self.cluster.nodes[one].kill()

    def revive(self, one: int) -> None:
        if one < 3 and not self.cluster.nodes[one].running:
            self.cluster.nodes[one].start()
        directory = self.directories[one]
        line = [sys.executable, "-m", "incident_tui", "watch", "--service", "--takeover-wait", "30"]
        line += ["--config", str(directory / "config.toml"), "--journal", str(directory)]
        self.processes[one] = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd="/")

    def step(self) -> None:
        """They run by themselves."""
        time.sleep(0.25)

    def _set(self) -> None:
        off = Counter(other for _, other in self.apart if other >= 3)
        for number, ways in enumerate(self.ways):
            for way in ways:
                way.cut() if off[number] else way.heal()

    def state(self) -> str:
        """What each watch and each server says, for whoever has to find out why something is not everywhere."""
        said = [(node.name, json.dumps(node.told("jsz?streams=true&consumers=true"))) for node in self.cluster.nodes]
        for number, directory in enumerate(self.directories):
            line = [sys.executable, "-m", "incident_tui", "replica", "status", "--json"]
            line += ["--config", str(directory / "config.toml"), "--journal", str(directory)]
            status = subprocess.run(line, capture_output=True, text=True, cwd="/", timeout=60)
            ended = self.processes[number].poll()
            said.append((f"{directory.name}, watch ended: {ended}", status.stdout + status.stderr))
        log = user_state_path("incident-tui") / "watch.log"
        said.append((log.name, log.read_text()[-20_000:] if log.exists() else "none"))
        return "\n".join(f"{name}: {text}" for name, text in said)

    def end(self) -> None:
        """Nobody has the files open any more."""
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(30)


@pytest.fixture
def watches(own_cluster: Callable[..., Cluster], tmp_path: Path) -> Iterator[Watches]:
    directories = [tmp_path / f"bastion-{number}" for number in range(BASTIONS)]
    for directory in directories:
        directory.mkdir()
    made = Watches(own_cluster(), directories)
    yield made
    made.end()


@pytest.mark.lab
@pytest.mark.parametrize("seed", seeds(1))
def test_every_entry_is_everywhere_once_after_cuts_and_kills(watches: Watches, seed: int) -> None:
    try:
        play(seed, watches.directories, watches, entries=ENTRIES, dark=watches.end)
    except AssertionError:
        print(watches.state())
        raise
