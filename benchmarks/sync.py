"""`incident-tui sync` of 10,000 missing entries over a real sshd on loopback, and scp of the same bytes.

    python benchmarks/sync.py [ENTRIES]

The journal that lacks them is new each time; both are measured in the same run, and the ratio is printed. Three runs
each, the median counts; sync is the whole command with its start and the start of the other side, as scp is. Goal: at
most 5 s. Printed, too: a second sync with nothing to do, how long one entry takes from one bastion to the other while
they are connected, and the most memory of the command; the goal there is that ten times the entries take less than 40
MB more. Exit status 1 when a goal is missed.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.servers.sshd import Sshd, clean_home
from incident_tui.fleet.settings import Fleet
from incident_tui.incident.entry import Author, Draft, Kind
from incident_tui.journal.everything import START
from incident_tui.journal.notify import Listener
from incident_tui.journal.store import Store
from incident_tui.replica.peers import Peers, Surroundings
from incident_tui.replica.sync_settings import Sync

LIMIT_S = 5.0
MORE_MB = 40.0
RUNS = 3
PROGRAM = (sys.executable, "-m", "incident_tui")
BEGAN = datetime(2026, 11, 20, tzinfo=UTC)
WORDS = ("gluster", "brick", "heal", "restarted", "container", "drupal", "web1", "split", "checked", "the", "log")


def fill(store: Store, count: int) -> None:
    """Lines of a busy week, some with evidence."""
    dice = random.Random(1)
    for first in range(0, count, 1000):
        drafts = []
        for number in range(first, min(count, first + 1000)):
            text = " ".join(dice.choices(WORDS, k=dice.randint(4, 30)))
            data = {"evidence": "".join(dice.choices("abcdef \n", k=600))} if number % 10 == 0 else {}
            drafts.append(Draft(Kind.NOTE, text, BEGAN + timedelta(seconds=number), Author("ana"), data=data))
        store.append(drafts, key=f"fill-{first}")


def run(words: list[str]) -> tuple[float, float]:
    """Seconds and the most memory (MB) of a command that must succeed."""
    began = time.monotonic()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        assert process.stderr is not None
        sys.exit(f"{words[0]}: {process.stderr.read().decode()[-400:]}")
    return time.monotonic() - began, usage.ru_maxrss / 1024


def synced(sshd: Sshd, here: Path, there: Path) -> tuple[float, float]:
    host = sshd.host()
    config = here.parent / f"{here.name}.toml"
    config.write_text(
        f'[journal]\nletter = "b"\n[[sync]]\nname = "other"\naddress = "{host.address}"\nport = {host.port}\n'
        f'user = "{host.user}"\nidentity_file = "{host.identity_file}"\nknown_hosts = "{host.known_hosts}"\n'
        f'journal = "{there}"\ncommand = {list(PROGRAM)}\n'.replace("'", '"')
    )
    return run([*PROGRAM, "sync", "--config", str(config), "--journal", str(here)])


def copied(sshd: Sshd, source: Path, target: Path) -> float:
    host = sshd.host()
    options = ["-O", "-q", "-F", "none", "-i", host.identity_file, "-o", f"UserKnownHostsFile={host.known_hosts}"]
    return run(["scp", *options, "-P", str(host.port), str(source), f"{host.user}@{host.address}:{target}"])[0]


class Nowhere:
    def each(self, pairs: Any) -> Future[Any]:
        return Future()


async def one_by_one(sshd: Sshd, here: Path, there: Path, count: int) -> list[float]:
    """Seconds from an append here until the other bastion's journal shows it, while they are connected."""
    host = sshd.host()
    peer = Sync(
        name="other",
        address=host.address,
        port=host.port,
        user=host.user,
        identity_file=host.identity_file,
        known_hosts=host.known_hosts,
        command=PROGRAM,
        journal=str(there),
    )
    store, other, bell = Store.open(here), Store.open(there), Listener(there)
    around = Surroundings(Store.open(here), Fleet(), Nowhere(), Author("w"), str, lambda: datetime.now(UTC))
    peers = Peers([peer], around, {})
    rang = asyncio.Event()

    def ring() -> None:
        bell.drain()
        rang.set()

    asyncio.get_running_loop().add_reader(bell.fileno(), ring)
    times = []
    async with asyncio.TaskGroup() as group:
        tasks = peers.tasks(group)
        while not peers.rows()["other"].reached:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        cursor = other.read_all(START)[1]
        for number in range(count):
            rang.clear()
            began = time.monotonic()
            store.append([Draft(Kind.NOTE, f"line {number}", datetime.now(UTC), Author("ana"))], key=f"n{number}")
            peers.rung()
            while not (found := other.read_all(cursor))[0]:
                await rang.wait()
                rang.clear()
            times.append(time.monotonic() - began)
            cursor = found[1]
        for task in tasks:
            task.cancel()
    asyncio.get_running_loop().remove_reader(bell.fileno())
    bell.close()
    peers.close()
    return times


def main() -> int:
    entries = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        clean_home(place)
        sshd = Sshd(place)
        with Store.open(place / "full", letter="a") as full:
            fill(full, entries)
        with Store.open(place / "small", letter="a") as small:
            fill(small, entries // 10)
        size = (place / "full/journal.db").stat().st_size
        sync, memory, scp = [], [], []
        for number in range(RUNS):
            seconds, peak = synced(sshd, place / f"new-{number}", place / "full")
            sync.append(seconds)
            memory.append(peak)
            scp.append(copied(sshd, place / "full/journal.db", place / f"copy-{number}"))
        nothing = synced(sshd, place / "new-0", place / "full")[0]
        little = synced(sshd, place / "new-small", place / "small")[1]
        with Store.open(place / "new-0") as store:
            assert store.others is not None and store.others.copies()[0].seq == entries, "not all came"
        latency = asyncio.run(one_by_one(sshd, place / "new-0", place / "full", 100))
        sshd.end()
    whole, plain, more = statistics.median(sync), statistics.median(scp), max(memory) - little
    latency.sort()
    print(f"{entries} missing entries, {size / 1e6:.1f} MB as a journal")
    print(f"sync               {whole:8.2f} s   {whole / plain:5.1f} x scp of the file   (goal <= {LIMIT_S:g} s)")
    print(f"scp                {plain:8.2f} s")
    print(f"sync of nothing    {nothing:8.2f} s   {nothing / whole:5.2f} x")
    print(
        f"one entry, while connected: median {1000 * latency[len(latency) // 2]:.1f} ms, "
        f"p95 {1000 * latency[len(latency) * 95 // 100]:.1f} ms"
    )
    print(f"memory             {max(memory):8.1f} MB, {more:+.1f} MB to a tenth of the entries   (goal <= {MORE_MB:g})")
    return 0 if whole <= LIMIT_S and more <= MORE_MB else 1


if __name__ == "__main__":
    sys.exit(main())
