"""Bastions that share a fleet, in one process and on a made-up clock: the real duty, shards and ledger; a model of
everything around them. One seed is one schedule of cuts, kills, pauses, drifting clocks, slow and lost answers.

`World(seed, ...).play()` raises Broken with a sentence when a promise does not hold. Nothing here waits or reads a
clock: the same seed gives the same schedule.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable

from incident_tui.incident.entry import Entry, Kind, Ref
from incident_tui.replica.duty import AGE, Put, State
from incident_tui.replica.shard import Division, Shards, digest, grouped
from tests.simulation.bastion import TICK, TIMEOUT, Bastion

BOUND = AGE * 1.1 + AGE / 3 + 3 * TICK
"""Seconds after which everything is as it should be: an age that nobody renews, a beat, and slack for slow answers."""


class Broken(AssertionError):
    """A promise that did not hold."""


class World:
    """The store, the stream, the chat platform, and all that goes wrong."""

    def __init__(self, seed: int, bastions: int = 4, hosts: int = 40, faults: int = 8, quiet: bool = False) -> None:
        self.dice = random.Random(seed)
        self.seed = seed
        self.now = 0.0
        self.writing = not quiet
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self.names = sorted(f"h{number}" for number in range(hosts))
        pools = [self.dice.sample(self.names, min(3, hosts)) for _ in range(hosts // 20)]
        self.groups = grouped(self.names, pools)
        self.all_names = frozenset(self.names)
        self.lost: dict[str, set[str]] = {f"b{number}": set() for number in range(bastions)}
        """By bastion, the hosts that it does not reach."""
        self.ever_lost: set[str] = set()
        self.digest = digest(self.groups)
        self._divisions: dict[tuple[str, ...], Shards] = {}
        self._kept: dict[str, tuple[bytes, int]] = {}
        self._written_at: dict[str, float] = {}
        self._revision = 0
        self._stream: dict[str, list[Entry]] = {}
        self.posted: dict[Ref, list[tuple[float, str]]] = {}
        self._platform_up = True
        self.cluster_up = True
        self.touched = 0.0
        """When something went wrong, or was mended, last."""
        self._checked: list[tuple[str, Division, State]] = []
        self._settled: dict[str, str] | None = None
        self.takeovers: list[float] = []
        self.bastions = [Bastion(self, f"b{number}") for number in range(bastions)]
        for one in self.bastions:
            self.after(self.dice.uniform(0, 20 if not quiet else 3), one.begin)
        at = 30.0
        for _ in range(faults):
            at += self.dice.choice((2.0, 10.0, 25.0, 60.0)) * self.dice.uniform(0.5, 1.5)
            self.after(at, self._fault)
        self.end = at + 60.0

    def divided(self, fellows: tuple[str, ...]) -> Shards:
        """Each bastion works it out by itself, and those that know the same come to the same: here it is done once."""
        known = self._divisions.get(fellows)
        if known is None:
            known = self._divisions[fellows] = Shards(set(self.groups.values()))
            known.divide(fellows)
        return known

    # ------------------------------------------------------------------ time

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._events, (self.now + seconds, self._count, act))

    def at(self, seconds: float, one: Bastion, act: Callable[[], None]) -> None:
        """In the process of a bastion: not when it has died, later when it is stopped."""
        life = one.life

        def run() -> None:
            if not one.running or one.life != life:
                return
            if one.paused_until > self.now:
                self.after(one.paused_until - self.now + self.dice.uniform(0, 0.01), run)
                return
            act()

        self.after(seconds, run)

    def play(self) -> None:
        """The schedule, then everything mended, then what must be so in the end."""
        self._run(self.end)
        self._mend()
        self._run(self.touched + 2 * BOUND + 90.0)
        self._check_end()

    def _run(self, until: float) -> None:
        while self._events and self._events[0][0] <= until:
            self.now, _, act = heapq.heappop(self._events)
            act()
            if self.now - self.touched > BOUND:
                self._check_division()
        self.now = until

    # ------------------------------------------------------------------ what goes wrong

    def _fault(self) -> None:
        dice, one = self.dice, self.dice.choice(self.bastions)
        sort = dice.choice(
            (
                "cut",
                "cut",
                "heal",
                "kill",
                "start",
                "pause",
                "slow",
                "platform",
                "cluster",
                "expire",
                "blind",
                "dark",
                "see",
            )
        )
        if sort == "cut":
            one.cut = True
        elif sort == "heal":
            for each in self.bastions:
                each.cut = each.cut and dice.random() < 0.3
        elif sort == "kill":
            one.running = False
        elif sort == "start" and not one.running:
            one.begin()
        elif sort == "pause":
            one.paused_until = self.now + dice.choice((1.0, 8.0, 20.0, 90.0))
        elif sort == "slow":
            one.slow = dice.choice((0.0, 0.5, 2.0))
        elif sort == "platform":
            self._platform_up = not self._platform_up
        elif sort == "cluster":
            self.cluster_up = not self.cluster_up
        elif sort == "expire":  # a server whose clock is wrong drops everything at once
            for key in [key for key in self._kept if key != "chat"]:
                del self._kept[key]
        elif sort == "blind":  # a route is gone, between one bastion and a part of the fleet
            self._lose(dice.sample(self.names, dice.randint(1, len(self.names) // 3)), [one])
        elif sort == "dark":  # some machines are down, for everybody
            self._lose(dice.sample(self.names, 3), self.bastions)
        elif sort == "see":
            for unseen in self.lost.values():
                unseen.difference_update(host for host in list(unseen) if dice.random() < 0.7)
        self.touched = max(self.touched, self.now, *(each.paused_until for each in self.bastions))

    def _lose(self, hosts: list[str], whose: list[Bastion]) -> None:
        self.ever_lost.update(hosts)
        for one in whose:
            self.lost[one.name].update(hosts)

    def unrest(self, seconds: float) -> None:
        """Something is about to change, as it should, and has `seconds` for it."""
        self.touched = max(self.touched, self.now - BOUND + seconds)

    def _mend(self) -> None:
        self.cluster_up = self._platform_up = True
        self.writing = False
        for one in self.bastions:
            one.cut, one.slow = False, 0.0
            self.lost[one.name].clear()
            if not one.running:
                one.begin()
        self.touched = max(self.now, *(one.paused_until for one in self.bastions))

    # ------------------------------------------------------------------ the store

    def reachable(self, one: Bastion) -> bool:
        return self.cluster_up and not one.cut

    def _latency(self, one: Bastion) -> float:
        return self.dice.uniform(0.001, 0.05) + self.dice.uniform(0, one.slow)

    def _ask(self, one: Bastion, act: Callable[[], Callable[[], None]], lost: Callable[[], None]) -> None:
        """`act` at the store, what it returns back in the process; or `lost` after the time limit."""
        answered: list[bool] = []
        due = self.now + TIMEOUT

        def arrive() -> None:
            if not self.reachable(one):
                # Sometimes what was on its way arrives after all, when the cut is over.
                if self.dice.random() < 0.3:
                    self.after(self.dice.uniform(1, 30), arrive)
                return
            if self.now > due:
                self.touched = max(self.touched, self.now)  # it came late
            reply = act()
            if self.reachable(one):
                self.at(self._latency(one), one, lambda: back(reply))

        def back(reply: Callable[[], None]) -> None:
            if not answered and self.reachable(one):
                answered.append(True)
                reply()

        def give_up() -> None:
            if not answered:
                answered.append(False)
                lost()

        self.after(self._latency(one), arrive)
        self.at(TIMEOUT, one, give_up)

    def write(self, one: Bastion, put: Put, issued: float) -> None:
        def act() -> Callable[[], None]:
            value, revision = self._kept.get(put.key, (b"", 0))
            if put.last != revision:
                return lambda: one.duty.refused(put, value, revision, one.clock())
            self._revision += 1
            mine = self._revision
            self._kept[put.key] = (put.value, mine)
            for other in self.bastions:
                self._push(other, put.key, put.value, mine)

            def reply() -> None:
                one.duty.written(put, issued, mine, one.clock())
                self._check_duty()

            return reply

        self._ask(one, act, lambda: one.duty.failed(put))

    def _push(self, one: Bastion, key: str, value: bytes, revision: int) -> None:
        if one.running and self.reachable(one):
            self.at(self._latency(one), one, lambda: one.duty.saw(key, value, revision, one.clock()))

    def snapshot(self, one: Bastion) -> None:
        def act() -> Callable[[], None]:
            kept = dict(self._kept)

            def reply() -> None:
                for key, (value, revision) in kept.items():
                    if key != "chat":
                        one.duty.saw(key, value, revision, one.clock())
                one.duty.synced(one.clock())

            return reply

        self._ask(one, act, lambda: None)

    def read(self, one: Bastion, key: str, then: Callable[[bytes, int], None]) -> None:
        def act() -> Callable[[], None]:
            value, revision = self._kept.get(key, (b"", 0))
            return lambda: then(value, revision)

        self._ask(one, act, lambda: None)

    def set(self, one: Bastion, key: str, value: bytes, last: int, then: Callable[[str, int], None]) -> None:
        def act() -> Callable[[], None]:
            revision = self._kept.get(key, (b"", 0))[1]
            if revision != last:
                return lambda: then("refused", revision)
            self._revision += 1
            mine = self._revision
            self._kept[key] = (value, mine)
            return lambda: then("written", mine)

        self._ask(one, act, lambda: then("lost", 0))

    # ------------------------------------------------------------------ entries and messages

    def publish(self, one: Bastion, acked: int) -> None:
        if self.writing and self.dice.random() < min(0.08, 0.3 / len(self.bastions)):
            one.append(Kind.UPDATE, {})
        whole = list(one.journal)

        def act() -> Callable[[], None]:
            kept = self._stream.setdefault(one.name, [])
            kept += whole[len(kept) :]
            mine = len(kept)

            def reply() -> None:
                one.acked = max(one.acked, mine)

            return reply

        if len(self._stream.get(one.name, ())) < len(whole) or acked < len(whole):
            self._ask(one, act, lambda: None)
        if self.reachable(one) and self.dice.random() < 0.7:
            for journal, entries in self._stream.items():
                have = len(one.known.get(journal, ()))
                if journal != one.name and len(entries) > have:
                    some = entries[have : have + 5]
                    self.at(self._latency(one), one, lambda j=journal, s=some: one.took(j, s))  # type: ignore[misc]

    def post(self, one: Bastion, ref: Ref, then: Callable[[bool | None], None]) -> None:
        """To the chat platform, which a bastion that is cut off from the cluster can reach."""
        if not self._platform_up:
            self.at(0.1, one, lambda: then(False))
            return
        fate = self.dice.random()
        if fate > 0.04:
            self.posted.setdefault(ref, []).append((self.now, one.name))
        self.at(0.1, one, lambda: then(True if fate > 0.08 else None))

    # ------------------------------------------------------------------ promises

    def _check_duty(self) -> None:
        holders = [
            one.name
            for one in self.bastions
            if one.running and one.paused_until <= self.now and one.duty.holds(one.clock())
        ]
        if len(holders) > 1:
            raise Broken(f"seed {self.seed}, at {self.now:.1f}: {' and '.join(holders)} both believe in the duty")

    def _check_division(self) -> None:
        """Nothing has happened for the bound: who is together reads everything once, who is not reads everything."""
        running = [one for one in self.bastions if one.running]
        together = [one for one in running if self.reachable(one) and one.slow < 1]
        if any(one.slow >= 1 for one in running):
            return
        self.touched = max(self.touched, self.now - BOUND + TICK)  # not at every event
        said = [(one.name, one.part, one.duty.state) for one in together]
        if said and said == self._checked:
            return
        self._checked = said
        read = sorted(host for one in together for host in one.reads())
        if together and read != self.names:
            raise Broken(f"seed {self.seed}, at {self.now:.1f}: {len(read)} hosts are read of {len(self.names)}")
        had = sorted(host for one in together for host in one.part.has)
        if together and had != self.names:
            raise Broken(f"seed {self.seed}, at {self.now:.1f}: {len(had)} hosts are judged of {len(self.names)}")
        for one in running:
            if not self.reachable(one) and one.reads() != self.all_names:
                raise Broken(f"seed {self.seed}, at {self.now:.1f}: {one.name} is alone and does not read all")
        for one in together:
            for host in one.reads() & self.lost[one.name]:
                better = [other.name for other in together if host not in self.lost[other.name] | other.said]
                if better:
                    raise Broken(f"seed {self.seed}, at {self.now:.1f}: {one.name} reads {host}, {better} would")
        self._check_movement({host: one.name for one in together for host in one.reads()})

    def _check_movement(self, owners: dict[str, str]) -> None:
        """Of hosts that nobody ever lost, nor one of their pool."""
        moved = {self.groups[host] for host in self.ever_lost}
        owners = {host: owner for host, owner in owners.items() if self.groups[host] not in moved}
        before, self._settled = self._settled, owners or None
        if not before or not owners or before == owners:
            return
        had, have = set(before.values()), set(owners.values())
        for host, owner in owners.items():
            if owner != before[host] and before[host] in have and owner in had:
                raise Broken(f"seed {self.seed}, at {self.now:.1f}: {host} moved from {before[host]} to {owner}")

    def _check_end(self) -> None:
        for one in self.bastions:
            if one.said:
                raise Broken(f"seed {self.seed}: {one.name} reaches {sorted(one.said)[:3]} again, and still says no")
        maybe = set().union(*(one.maybe for one in self.bastions))
        for ref, times in self.posted.items():
            if len(times) > 1 and ref not in maybe:
                raise Broken(f"seed {self.seed}: {ref} was sent {times} and nobody says maybe")
        for one in self.bastions:
            for entry in one.journal:
                if entry.kind is Kind.UPDATE and entry.id not in self.posted and entry.id not in maybe:
                    raise Broken(f"seed {self.seed}: {entry.id} was never sent, and nobody says so")
