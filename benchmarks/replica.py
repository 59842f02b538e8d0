"""Replication over a real cluster of three NATS servers on loopback, from one journal to the copy on another.

    python benchmarks/replica.py [ENTRIES] [DEATHS]

Printed with their goals: how long an entry takes from its append on one bastion until a reader of the other has it
(median at most 50 ms, 95 of 100 at most 250 ms); the append of a journal whose watch replicates against one whose watch
does not, in the same run, taken in turns (at most 1.1 times, median); the same while the stream has no leader, killed
in the middle, and until each entry written then has arrived (at most 10 s), so many times; a new bastion that catches
up with 10,000 entries, from before its watch connects (at most 3 s). Exit status 1 when a goal is missed. Each bastion
has the real watch, in a process of its own.
"""

from __future__ import annotations

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
from tests.nats import Cluster

MEDIAN_MS, P95_MS, APPEND_RATIO, LEADER_S, CATCH_UP_S = 50.0, 250.0, 1.1, 10.0, 3.0
REST = 0.12
"""Seconds until what an append set off has ended."""
WORDS = "restarted glusterd on web1, healing 12 entries, checked the bricks of gv0 "


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    deaths = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    program = shutil.which("nats-server")
    if program is None:
        print("needs nats-server (Debian: apt install nats-server)")
        return 1
    with tempfile.TemporaryDirectory() as place:
        cluster = Cluster(program, Path(place) / "nats")
        try:
            return measure(cluster, Path(place), count, deaths)
        finally:
            cluster.close()


def start(cluster: Cluster | None, directory: Path, letter: str) -> subprocess.Popen[bytes]:
    """The watch of this journal, which replicates where there is a cluster."""
    config = directory.with_suffix(".toml")
    servers = ", ".join(f'"{url}"' for url in cluster.urls) if cluster is not None else ""
    config.write_text(f'[journal]\nletter = "{letter}"\n[replica]\nservers = [{servers}]\nstream = "BENCH"\n')
    line = [sys.executable, "-m", "incident_tui", "watch", "--service"]
    line += ["--config", str(config), "--journal", str(directory)]
    return subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def append(store: Store, number: int) -> tuple[float, int]:
    """Seconds that an append took, and the entry's number."""
    draft = Draft(Kind.NOTE, f"{number} {WORDS}", datetime.now(UTC), Author("ana"))
    began = time.perf_counter()
    (entry,) = store.append([draft], key=f"bench-{number}")
    return time.perf_counter() - began, entry.seq


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


class Turns:
    """Appends in turns to a journal whose watch replicates and to one whose watch does not; between two, what the one
    before set off ends."""

    def __init__(self, replicates: Store, alone: Store, reader: Store) -> None:
        self._of, self._reader = replicates, reader
        self._turn = [(replicates, True), (alone, False)]
        self._count = 1_000_000

    def run(self, count: int) -> tuple[float, float]:
        """The median of the one as a ratio to that of the other, and the longest that an entry was on its way (s)."""
        times: dict[bool, list[float]] = {True: [], False: []}
        away: dict[int, float] = {}
        longest = 0.0
        for _ in range(count):
            self._turn.reverse()
            for store, replicates in self._turn:
                self._count += 1
                took, seq = append(store, self._count)
                times[replicates].append(took * 1e6)
                if replicates:
                    away[seq] = time.perf_counter()
                time.sleep(REST)
                longest = max(longest, self._arrived(away))
        end = time.perf_counter() + 60
        while away and time.perf_counter() < end:
            time.sleep(0.01)
            longest = max(longest, self._arrived(away))
        with_us, without_us = statistics.median(times[True]), statistics.median(times[False])
        print(f"    an append: {with_us:.0f} us where it replicates, {without_us:.0f} us where it does not")
        return with_us / without_us, float("inf") if away else longest

    def _arrived(self, away: dict[int, float]) -> float:
        here, now = have(self._reader, self._of), time.perf_counter()
        return max((now - away.pop(seq) for seq in list(away) if seq <= here), default=0.0)


def measure(cluster: Cluster, place: Path, count: int, deaths: int) -> int:
    missed: list[str] = []

    def say(what: str, value: float, unit: str, goal: float) -> None:
        print(f"{what:<64} {value:8.2f} {unit:<3} goal {goal:g}, {value / goal:.2f} of it", flush=True)
        if value > goal:
            missed.append(what)

    a, b = Store.open(place / "a", letter="a"), Store.open(place / "b", letter="b")
    alone = Store.open(place / "alone", letter="c")
    watches = [start(cluster, place / "a", "a"), start(cluster, place / "b", "b"), start(None, place / "alone", "c")]
    bell = Listener(place / "b")
    wait_for(b, a, append(a, 0)[1])
    # ------------------------------------------------ one entry at a time, as people write
    seen: list[float] = []
    for number in range(1, 201):
        began = time.perf_counter()
        seen.append((wait_for(b, a, append(a, number)[1], bell) - began) * 1000)
        append(alone, number)  # as long as the other, for what follows
    bell.close()
    say("an entry until it is read on another bastion, median", statistics.median(seen), "ms", MEDIAN_MS)
    say("the same, 95 of 100", sorted(seen)[int(len(seen) * 0.95)], "ms", P95_MS)
    # ------------------------------------------------ what replicating costs an append
    turns = Turns(a, alone, b)
    say("an append of a journal that replicates, against one that does not", turns.run(150)[0], "x", APPEND_RATIO)
    # ------------------------------------------------ a new bastion
    left = count - a.head().seq
    for first in range(0, left, 500):
        drafts = [
            Draft(Kind.NOTE, f"{each} {WORDS * 3}", datetime.now(UTC), Author("ana"))
            for each in range(min(500, left - first))
        ]
        for store in (a, alone):
            store.append(drafts, key=f"more-{first}")
    wait_for(b, a, a.head().seq)
    took = []
    for number in range(3):
        late = Store.open(place / f"late{number}", letter="d")
        watch = start(cluster, place / f"late{number}", "d")
        while not (place / f"late{number}" / "board.db").exists():
            time.sleep(0.002)
        began = time.perf_counter()
        took.append(wait_for(late, a, a.head().seq) - began)
        watch.kill()
        watch.wait()
        late.close()
    say(f"a new bastion has {a.head().seq} entries, from before it connects", statistics.median(took), "s", CATCH_UP_S)
    # ------------------------------------------------ the leader is gone
    ratios, longest = [], []
    for _ in range(deaths):
        wait_for(b, a, a.head().seq)
        cluster.a_leader("BENCH").kill()
        ratio, away = turns.run(20)
        ratios.append(ratio)
        longest.append(away)
        cluster.mend(streams=False)
    say("an append while there is no leader, against no replication", statistics.median(ratios), "x", APPEND_RATIO)
    print("    longest on its way in each:", " ".join(f"{one:.1f}" for one in longest), "s")
    say("from its append until an entry written then has arrived, longest", max(longest), "s", LEADER_S)
    for watch in watches:
        watch.kill()
        watch.wait()
    print("missed: " + "; ".join(missed) if missed else "all goals are met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
