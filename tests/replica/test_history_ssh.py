"""Random histories over plain SSH: real watches, a real sshd, connections that are cut and programs that are killed.

`ENTRIES=10000 python -m pytest tests/replica/test_history_ssh.py` plays longer ones; SEED=… plays one again.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from incident_tui.journal.store import Store
from tests.relay import Relay
from tests.replica.history import play
from tests.replica.over_sshd import config, peer
from tests.simulation.seeds import seeds
from tests.sshd import Sshd

BASTIONS = 5
ENTRIES = int(os.environ.get("ENTRIES", "1000"))
LINKS = ((0, 1), (1, 2), (2, 3), (3, 4), (4, 0), (0, 2))
"""Who connects to whom: a ring with a chord, so that much goes through others."""


class Watches:
    """A watch for each bastion, and a relay for each link."""

    def __init__(self, sshd: Sshd, directories: Sequence[Path]) -> None:
        self.sshd = sshd
        self.directories = directories
        self.relays = {link: Relay(sshd.port) for link in LINKS}
        self.apart: set[tuple[int, int]] = set()
        self.dead: set[int] = set()
        self.processes: dict[int, subprocess.Popen[bytes]] = {}
        public = " ".join((sshd.directory / "host.pub").read_text().split()[:2])
        lines = [f"[127.0.0.1]:{relay.port} {public}\n" for relay in self.relays.values()]
        sshd.known_hosts.write_text("".join(lines))
        for number, directory in enumerate(directories):
            letter = "abcdefgh"[number]
            Store.open(directory, letter=letter).close()
            peers = [
                peer(sshd, directories[to], f"bastion-{to}", port=self.relays[of, to].port, seconds=1.0)
                for of, to in LINKS
                if of == number
            ]
            (directory / "config.toml").write_text(config(*peers, letter=letter))
            self.revive(number)

    def cut(self, one: int, other: int) -> None:
        self.apart.add((one, other))
        self._set()

    def heal(self, one: int, other: int) -> None:
        self.apart.discard((one, other))
        self._set()

    def kill(self, one: int) -> None:
        """The machine is gone: its watch, and what others have running on it."""
        self.dead.add(one)
        self.processes[one].kill()
        self.processes[one].wait()
        self._set()

    def revive(self, one: int) -> None:
        self.dead.discard(one)
        directory = self.directories[one]
        line = [sys.executable, "-m", "incident_tui", "watch", "--service", "--takeover-wait", "30"]
        line += ["--config", str(directory / "config.toml"), "--journal", str(directory)]
        self.processes[one] = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd="/")
        self._set()

    def step(self) -> None:
        """They run by themselves."""
        time.sleep(0.25)

    def _set(self) -> None:
        for ends, relay in self.relays.items():
            if self.dead & set(ends) or ends in self.apart or ends[::-1] in self.apart:
                relay.cut()
            else:
                relay.heal()

    def end(self) -> None:
        """Nobody has the files open any more."""
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(30)
        for relay in self.relays.values():
            relay.cut()
        children = Path(f"/proc/{self.sshd.process.pid}/task/{self.sshd.process.pid}/children")
        end = time.monotonic() + 30
        while children.read_text().strip() and time.monotonic() < end:
            time.sleep(0.05)


@pytest.fixture
def watches(sshd: Sshd, tmp_path: Path) -> Iterator[Watches]:
    directories = [tmp_path / f"bastion-{number}" for number in range(BASTIONS)]
    for directory in directories:
        directory.mkdir(mode=0o2770)
    one = Watches(sshd, directories)
    yield one
    for process in one.processes.values():
        if process.poll() is None:
            process.kill()
            process.wait()
    for relay in one.relays.values():
        relay.close()


@pytest.mark.parametrize("seed", seeds(1))
def test_five_bastions_have_one_history_in_the_end(watches: Watches, seed: int) -> None:
    history = play(seed, watches.directories, watches, entries=ENTRIES, dark=watches.end)
    assert len(history.acknowledged) + len(history.purged) >= ENTRIES
