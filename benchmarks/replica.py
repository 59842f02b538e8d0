"""Replication over a real cluster of three NATS servers on loopback, from one journal to the copy on another.

    python benchmarks/replica.py [ENTRIES]

Printed with their goals: how long an entry takes from its append on one bastion until a reader of the other has it
(median at most 50 ms, 95 of 100 at most 250 ms); the append of a journal that replicates against one that does not, in
the same run, taken in turns (at most 1.1 times, median); the same while the stream has no leader, killed in the middle,
and until what was written meanwhile arrived (at most 10 s); a new bastion that catches up with 10,000 entries (at most
3 s). Exit status 1 when a goal is missed. Each bastion replicates in a process of its own, as the watch does.
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from incident_tui.incident.entry import Author, Draft, Kind
from incident_tui.journal.notify import Listener
from incident_tui.journal.store import Store
from incident_tui.replica.jetstream import JetStream
from incident_tui.replica.settings import Replica
from tests.nats import Cluster

MEDIAN_MS, P95_MS, APPEND_RATIO, LEADER_S, CATCH_UP_S = 50.0, 250.0, 1.1, 10.0, 3.0
WORDS = "restarted glusterd on web1, healing 12 entries, checked the bricks of gv0 "


def main() -> int:
    if sys.argv[1:2] == ["--bastion"]:
        asyncio.run(replicate(Path(sys.argv[2]), sys.argv[3], tuple(sys.argv[4:])))
        return 0
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    program = shutil.which("nats-server")
    if program is None:
        print("needs nats-server (Debian: apt install nats-server)")
        return 1
    with tempfile.TemporaryDirectory() as place:
        cluster = Cluster(program, Path(place) / "nats")
        try:
            return measure(cluster, Path(place), count)
        finally:
            cluster.close()


async def replicate(directory: Path, letter: str, servers: tuple[str, ...]) -> None:
    """One bastion, until it is killed; says so when it begins."""
    with Store.open(directory, letter=letter) as store:
        settings = Replica(servers=servers, stream="BENCH")
        jet = JetStream(settings, store, lambda: datetime.now(UTC), lambda draft, key: None, Author("w"), lambda: "")
        print("begins", flush=True)
        await jet.run()


def start(cluster: Cluster, directory: Path, letter: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, __file__, "--bastion", str(directory), letter, *cluster.urls]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None and process.stdout.readline()
    return process


def append(store: Store, number: int, words: int = 1) -> float:
    """Seconds that an append took."""
    draft = Draft(Kind.NOTE, f"{number} {WORDS * words}", datetime.now(UTC), Author("ana"))
    began = time.perf_counter()
    store.append([draft], key=f"bench-{number}")
    return time.perf_counter() - began


def have(reader: Store, of: Store) -> int:
    """The last number here of another's journal."""
    if reader.others is None:
        return 0
    head = reader.others.copies()
    return next((one.seq for one in head if one.journal == of.journal), 0)


def wait_for(reader: Store, of: Store, number: int, bell: Listener | None = None, seconds: float = 60.0) -> float:
    """When the reader has it, by this process's clock; woken by the bell as a screen is."""
    import select

    end = time.perf_counter() + seconds
    while have(reader, of) < number:
        if time.perf_counter() > end:
            raise SystemExit(f"entry {number} did not arrive within {seconds:.0f} s")
        if bell is not None:
            select.select([bell], [], [], 0.05)
            bell.drain()
        else:
            time.sleep(0.005)
    return time.perf_counter()


def measure(cluster: Cluster, place: Path, count: int) -> int:
    missed: list[str] = []

    def say(what: str, value: float, unit: str, goal: float) -> None:
        print(f"{what:<64} {value:8.2f} {unit:<3} goal {goal:g}, {value / goal:.2f} of it")
        if value > goal:
            missed.append(what)

    a, b = Store.open(place / "a", letter="a"), Store.open(place / "b", letter="b")
    alone = Store.open(place / "alone", letter="c")
    bastions = [start(cluster, place / "a", "a"), start(cluster, place / "b", "b")]
    bell = Listener(place / "b")
    watches = [Listener(place / "a"), Listener(place / "alone")]
    append(a, 0)
    wait_for(b, a, 1)
    # ------------------------------------------------ one entry at a time, as people write
    seen: list[float] = []
    for number in range(1, 201):
        began = time.perf_counter()
        append(a, number)
        seen.append((wait_for(b, a, number + 1, bell) - began) * 1000)
        append(alone, number)  # as long as the other, for what follows
    say("an entry until it is read on another bastion, median", statistics.median(seen), "ms", MEDIAN_MS)
    say("the same, 95 of 100", sorted(seen)[int(len(seen) * 0.95)], "ms", P95_MS)
    # ------------------------------------------------ what replicating costs an append

    def in_turns(first: int, count: int) -> float:
        """Each has a watch that listens; between two appends what the one before set off has ended."""
        with_it: list[float] = []
        without: list[float] = []
        turn = [(a, watches[0], with_it), (alone, watches[1], without)]
        for number in range(count):
            for store, watch, times in turn:
                times.append(append(store, first + number) * 1e6)
                watch.drain()
                time.sleep(0.03)
            turn.reverse()
        with_us, without_us = statistics.median(with_it), statistics.median(without)
        print(f"an append: {with_us:.0f} us where it replicates, {without_us:.0f} us where it does not")
        return with_us / without_us

    say("an append of a journal that replicates, against one that does not", in_turns(1000, 200), "x", APPEND_RATIO)
    # ------------------------------------------------ the leader is gone
    wait_for(b, a, a.head().seq)
    cluster.a_leader("BENCH").kill()
    began = time.perf_counter()
    last = a.head().seq
    ratio = in_turns(5000, 50)
    arrived = wait_for(b, a, last + 50, bell) - began
    say("an append while there is no leader, against no replication", ratio, "x", APPEND_RATIO)
    say("from the leader's death until what was written then arrived", arrived, "s", LEADER_S)
    cluster.mend()
    # ------------------------------------------------ a new bastion
    left = count - a.head().seq
    for first in range(0, left, 500):
        drafts = [
            Draft(Kind.NOTE, f"{each} {WORDS * 3}", datetime.now(UTC), Author("ana"))
            for each in range(min(500, left - first))
        ]
        a.append(drafts, key=f"more-{first}")
    wait_for(b, a, a.head().seq)
    took = []
    for number in range(3):
        late = Store.open(place / f"late{number}", letter="d")
        bastion = start(cluster, place / f"late{number}", "d")
        began = time.perf_counter()
        took.append(wait_for(late, a, a.head().seq) - began)
        bastion.kill()
        bastion.wait()
        late.close()
    say(
        f"a new bastion has {a.head().seq} entries, from before it connects",
        statistics.median(took),
        "s",
        CATCH_UP_S,
    )
    for bastion in bastions:
        bastion.kill()
        bastion.wait()
    for listener in (bell, *watches):
        listener.close()
    print("missed: " + "; ".join(missed) if missed else "all goals are met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
