"""A fleet of 20,000 hosts divided among 50 bastions, what a death costs, and how long a takeover takes.

    python benchmarks/watching.py

The division is measured beside the baseline of asking each bastion for each host anew, which is what a death costs
without memory: goals are that a death and a joining take at most a tenth of that, and that a death moves no host but
those of the dead. The watch divides in a thread: the longest time for which its loop stood still meanwhile is printed
beside the whole; the goal is a tenth. The takeover is on a real cluster of three nats-servers where there are any: one
bastion is stopped without a word, and the time until the other has its hosts and the duty is printed beside the lease's
age; the goal is the age, a beat, and two seconds. Exit status 1 when a goal is missed.
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from incident_tui.journal.lease import boot_clock
from incident_tui.replica.bucket import Buckets
from incident_tui.replica.connection import Connection
from incident_tui.replica.duty import AGE, Beat, Duty, State
from incident_tui.replica.settings import Replica
from incident_tui.replica.shard import Shards
from incident_tui.watch.dividing import Dividing, Wanted
from tests.nats import Cluster

HOSTS = [f"web-{number}.example.org" for number in range(20_000)]
BASTIONS = [f"{number:016x}" for number in range(50)]
TENTH = 0.1
SLACK = 2.0


def division() -> bool:
    """Prints; whether the goals hold."""
    whole, death, joining, moved_others = [], [], [], 0
    for dead in BASTIONS[:5]:
        shards = Shards(HOSTS)
        began = time.perf_counter()
        shards.divide(BASTIONS)
        whole.append(time.perf_counter() - began)
        before = {host: shards.owner(host) for host in HOSTS}
        began = time.perf_counter()
        shards.divide([one for one in BASTIONS if one != dead])
        death.append(time.perf_counter() - began)
        moved_others += sum(before[host] not in (dead, shards.owner(host)) for host in HOSTS)
        began = time.perf_counter()
        shards.divide(BASTIONS)
        joining.append(time.perf_counter() - began)
    counts = Counter(before.values())
    all_of_it, gone, come = (statistics.median(one) for one in (whole, death, joining))
    least, most = min(counts.values()), max(counts.values())
    print(f"20,000 hosts among 50 bastions: {all_of_it * 1e3:.0f} ms, {least} to {most} each")
    print(f"a bastion dies:  {gone * 1e3:.1f} ms, {gone / all_of_it:.3f} of that; others' hosts moved: {moved_others}")
    print(f"a bastion comes: {come * 1e3:.1f} ms, {come / all_of_it:.3f} of that")
    return gone <= TENTH * all_of_it and come <= TENTH * all_of_it and not moved_others


async def pulse() -> bool:
    """Prints; whether the goal holds."""
    dividing = Dividing(BASTIONS[0], HOSTS, ())
    longest, done = 0.0, False
    began = last = time.perf_counter()
    while not done:
        done = dividing.step(Wanted(State.TOGETHER, tuple(BASTIONS), ()))
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    whole = last - began
    print(f"in the watch: {whole * 1e3:.0f} ms, of which its loop stood still for {longest * 1e3:.0f} ms at most")
    return longest <= TENTH * whole


class One:
    """A bastion: its duty and a connection."""

    def __init__(self, name: str, settings: Replica) -> None:
        self.duty = Duty(Beat(journal=name, letter=name, fleet="f"), boot_clock(), settings.lease_seconds)
        self.buckets = Buckets(settings, self.duty, boot_clock)
        self.connection = Connection(settings, name)
        self.connection.join("leases", self.buckets.part)
        self.stopped = False

    @property
    def holds(self) -> bool:
        return self.duty.holds(boot_clock())

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.connection.run())
            while not self.stopped:
                for put in self.duty.tick(boot_clock()):
                    self.buckets.carry_out(put)
                await asyncio.sleep(0.1)
            await asyncio.Event().wait()


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(120):
        while not done():  # noqa: ASYNC110 - of other processes
            await asyncio.sleep(0.02)


async def takeover(cluster: Cluster, age: float) -> bool:
    """Prints; whether the goal holds."""
    settings = Replica(servers=tuple(cluster.urls), stream="BENCH", lease_seconds=age)
    a, b = One("a", settings), One("b", settings)
    tasks = [asyncio.create_task(one.run()) for one in (a, b)]
    try:
        await until(lambda: sum(one.holds for one in (a, b)) == 1 and len(a.duty.fellows) == 2)
        first, second = (a, b) if a.holds else (b, a)
        first.stopped = True
        began = time.monotonic()
        await until(lambda: len(second.duty.fellows) == 1)
        hosts = time.monotonic() - began
        await until(lambda: second.holds)
        duty = time.monotonic() - began
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    print(f"stopped without a word, lease of {age:g} s: hosts after {hosts:.1f} s, duty after {duty:.1f} s")
    return max(hosts, duty) <= age * 4 / 3 + SLACK


def main() -> int:
    good = division()
    good = asyncio.run(pulse()) and good
    program = shutil.which("nats-server")
    if program is None:
        print("takeover: not measured, there is no nats-server (Debian: apt install nats-server)")
        return 0 if good else 1
    with tempfile.TemporaryDirectory() as directory:
        cluster = Cluster(program, Path(directory))
        try:
            good = asyncio.run(takeover(cluster, AGE)) and good
        finally:
            cluster.close()
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
