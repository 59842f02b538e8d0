"""How soon trouble on a real host is on the board: a container that dies, a brick process that is killed.

    python benchmarks/notice.py [DEATHS]

The lab of tests/lab (root; three peers with sshd, glusterd and dockerd in namespaces) and a watch on it. DEATHS (20)
times a container is killed: from the daemon's own time of its `die` event until the board says so. Goals: median 0.3 s,
95th percentile 1 s. Then a brick process is killed four times: until the board has the brick down; goal: one fast round
and a second. The baseline is the pace itself: what a watch without events would need.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from incident_tui.config import load
from incident_tui.hosts.readings import HostReading
from incident_tui.journal.board import Board

ROOT = Path(__file__).resolve().parents[1]
BRICK_DEATHS = 4


class Place:
    """The lab in a directory of its own, and the board of the watch on it."""

    def __init__(self, directory: Path) -> None:
        number = os.getpid()
        names = ["--prefix", f"itb{number % 100000}", "--subnet", f"10.{214 + number % 40}.{number // 40 % 256}"]
        self.directory = directory
        self._words = [sys.executable, "-m", "tests.lab.peers", "--directory", str(directory), *names]
        self._environment = {**os.environ, "HOME": str(directory), "LC_ALL": "C.UTF-8"}
        self._environment.pop("SSH_AUTH_SOCK", None)
        self._decoder = msgspec.json.Decoder(HostReading)

    def peers(self, *words: str, check: bool = True) -> str:
        done = subprocess.run([*self._words, *words], capture_output=True, text=True, timeout=240, cwd=ROOT)
        if check and done.returncode:
            raise SystemExit(f"{' '.join(words)}: {(done.stderr or done.stdout).strip()[-300:]}")
        return done.stdout.strip()

    def missing(self) -> str:
        return self.peers("missing", check=False)

    def run(self, *words: str) -> str:
        """Inside peer 2."""
        return self.peers("exec", "2", *words)

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        config = ["--config", str(self.directory / "config.toml")]
        with (self.directory / "watch.out").open("wb") as out:
            watch = subprocess.Popen(
                [sys.executable, "-m", "incident_tui", *config, "watch", "--service"],
                stdout=out,
                stderr=out,
                env=self._environment,
                start_new_session=True,
            )
        try:
            self.until(lambda: (self.directory / "journal" / "board.db").exists(), 20)
            self.board = Board.open(self.directory / "journal")
            yield
        finally:
            watch.terminate()
            watch.wait(20)

    def reading(self) -> HostReading | None:
        row = self.board.read().get("host/peer2")
        return self._decoder.decode(row.body) if row is not None else None

    def until(self, so: Callable[[], object], seconds: float) -> float:
        """The time at which it was so."""
        end = time.time() + seconds
        while not so():
            if time.time() > end:
                raise SystemExit(f"not within {seconds:g} s")
            time.sleep(0.005)
        return time.time()

    def container_is(self, state: str) -> bool:
        reading = self.reading()
        found = reading.docker.containers if reading is not None and reading.docker is not None else ()
        return any(one.name == "web" and one.state == state for one in found)

    def brick_alive(self) -> int:
        """The pid of the brick's process as the board has it; 0 when it is down or not known."""
        reading = self.reading()
        bricks = reading.gluster.bricks if reading is not None and reading.gluster is not None else ()
        return next((brick.pid for brick in bricks if brick.alive), 0)


def container_deaths(place: Place, count: int, dice: random.Random) -> list[float]:
    place.run("docker", "run", "-d", "--name", "web", "--network", "none", "busybox:lab", "sleep", "1000000")
    found = []
    for _ in range(count):
        place.until(lambda: place.container_is("running"), 60)
        time.sleep(dice.uniform(0.5, 1.5))
        began = int(time.time())
        killing = subprocess.Popen([*place._words, "exec", "2", "docker", "kill", "web"], stdout=subprocess.DEVNULL)
        seen = place.until(lambda: place.container_is("exited"), 60)
        killing.wait()
        events = place.run("docker", "events", "--since", str(began), "--until", str(int(time.time()) + 1),
                           "--filter", "event=die", "--format", "{{.TimeNano}}")  # fmt: skip
        died = int(re.findall(r"\d{16,}", events)[-1]) / 1e9
        found.append(seen - died)
        place.run("docker", "start", "web")
    return found


def brick_deaths(place: Place, dice: random.Random) -> list[float]:
    bricks = [f"peer{n}:{place.directory}/p{n}/bricks/gv0" for n in (1, 2, 3)]
    gluster = ("gluster", "--mode=script", "volume")
    place.run(*gluster, "create", "gv0", "replica", "3", *bricks, "force")
    found = []
    for _ in range(BRICK_DEATHS):
        place.run(*gluster, "start", "gv0", "force")
        place.until(place.brick_alive, 60)
        time.sleep(dice.uniform(1, 3))
        pid = place.brick_alive()
        place.run("kill", "-9", str(pid))
        died = time.time()
        found.append(place.until(lambda: not place.brick_alive(), 60) - died)
    return found


def report(name: str, value: float, goal: float, failed: list[str]) -> None:
    good = value <= goal
    print(f"{name}: {value:.2f} s (goal {goal:g}) {'ok' if good else 'MISSED'}")
    failed += [] if good else [name]


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    failed: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        place = Place(Path(scratch) / "lab")
        if why := place.missing():
            print(f"no lab here, not measured: {why}")
            return
        try:
            place.peers("up")
            fleet = load(place.directory / "config.toml").fleet
            with place.watched():
                died = container_deaths(place, count, random.Random(1))
                gone = brick_deaths(place, random.Random(2))
        finally:
            place.peers("down")
    print(f"baseline: a container is read each {fleet.slow_seconds:g} s, the files each {fleet.fast_seconds:g} s")
    report(f"die event to board, median of {count}", statistics.median(died), 0.3, failed)
    report("die event to board, 95th percentile", statistics.quantiles(died, n=20)[-1], 1.0, failed)
    report(f"brick killed to board, worst of {BRICK_DEATHS}", max(gone), fleet.fast_seconds + 1.0, failed)
    if failed:
        sys.exit(f"missed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
