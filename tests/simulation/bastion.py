"""One bastion of the simulation: the real duty, shards and ledger, and a model of its watch around them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from incident_tui.hosts.readings import Link, LinkState
from incident_tui.incident.entry import Author, Entry, Kind, Ref
from incident_tui.replica.duty import Beat, Duty, State
from incident_tui.replica.ledger import Apart, Ledger, Share, alone_data, share, together_data
from incident_tui.replica.shard import Division, division, packed, unpacked
from incident_tui.watch.unreached import TRIES, Unreached

if TYPE_CHECKING:
    from tests.simulation.leases import World

TICK = 1.5
TIMEOUT = 3.0
SINK = "ops"
SETTLE = 9.0
"""Seconds until all know what one says of what it does not reach, and do as it follows."""
RETRY = 20.0
"""Seconds until a host that is not reached is tried again."""
_AT = datetime(2026, 1, 1, tzinfo=UTC)


class Bastion:
    """One machine: what its disk keeps, and the process that runs or does not."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        dice = world.dice
        self.offset, self.drift = dice.uniform(-1e6, 1e6), dice.uniform(0.98, 1.02)
        self.running = False
        self.life = 0
        self.paused_until = 0.0
        self.cut = False
        self.slow = 0.0
        # on disk
        self.journal: list[Entry] = []
        self.maybe: set[Ref] = set()
        self.sent: set[Ref] = set()
        """Of its own, alone."""
        self.sending: Ref | None = None

    def begin(self) -> None:
        """The process starts: all it knows is what the disk has."""
        self.life += 1
        self.running = True
        me = Beat(journal=self.name, letter=self.name, fleet=self.world.digest)
        self.duty = Duty(me, self.clock())
        self.unreached = Unreached(RETRY)
        self.said: frozenset[str] = frozenset()
        self.failing: frozenset[str] = frozenset()
        self.part = Division()
        self._divided: object = None
        self.known: dict[str, list[Entry]] = {self.name: list(self.journal)}
        self.acked = len(self.journal)
        self.copied: dict[str, int] = {}
        self.apart = Apart()
        for entry in self.journal:
            self.apart.take(entry)
        self.ledger: tuple[Ledger, int] | None = None
        self.busy_until = 0.0
        self.version = 0
        if self.sending is not None:
            self.maybe.add(self.sending)
            self.sending = None
        self.world.at(self.world.dice.uniform(0, TICK), self, self.tick)

    def clock(self) -> float:
        """Its own boot clock."""
        return self.offset + self.world.now * self.drift

    # ------------------------------------------------------------------ each tick

    def tick(self) -> None:
        now, world = self.clock(), self.world
        world.at(TICK, self, self.tick)
        if self.duty.wants_sync(now):
            world.snapshot(self)
        for put in self.duty.tick(now):
            world.write(self, put, now)
        self._publish()
        self._turn()
        self._look(now)
        self._divide()
        if world.now >= self.busy_until:
            self._send()

    def _look(self, now: float) -> None:
        """At the hosts that it reads or tries; those that never failed for anybody are always there."""
        world = self.world
        for host in (self.part.reads | self.unreached.tries) & world.ever_lost:
            state = LinkState.TIMEOUT if host in world.lost[self.name] else LinkState.UP
            at = _AT + timedelta(seconds=world.now)
            self.unreached.heard(host, Link(state=state, sentence="", since=at, at=at), now)
        failing = (self.part.reads & world.lost[self.name]) - self.unreached.tries
        if failing - self.failing:
            world.unrest(TRIES * TICK * 1.1 + SETTLE)
        self.failing = failing
        said = self.unreached.step(self.part.reads, now)
        if said != self.said:
            self.said = said
            self.duty.tell(packed(said, world.names), now)
            world.unrest(SETTLE)

    def _divide(self) -> None:
        state, fellows, me = self.duty.state, self.duty.fellows, self.duty.me
        told = {one.journal: one.unreached for one in (me, *self.duty.others) if one.unreached}
        if self._divided == (state, fellows, told):
            return
        self._divided = state, fellows, told
        if state is State.TOGETHER:
            blind = {journal: unpacked(bits, self.world.names) for journal, bits in told.items()}
            self.part = division(self.world.divided(fellows), self.name, self.world.groups, blind)
        else:
            everything = self.world.all_names if state is State.ALONE else frozenset()
            self.part = Division(everything, everything)

    def reads(self) -> frozenset[str]:
        """Hosts."""
        return self.part.reads

    def _turn(self) -> None:
        """Says when it begins and ends to be alone."""
        running = self.apart.running(self.name)
        if self.duty.state is State.ALONE and running is None:
            self.append(Kind.LEASE, alone_data(min(self.acked, len(self.journal)) + 1))
        elif self.duty.state is State.TOGETHER and running is not None and self.sending is None:
            unsent = [one for one in self._own_to_send(running.first)]
            self.append(Kind.LEASE, together_data({SINK: unsent[0].seq} if unsent else {}))

    def append(self, kind: Kind, data: dict[str, Any]) -> Ref:
        ref = Ref(self.name, len(self.journal) + 1)
        entry = Entry(
            journal=self.name, seq=ref.seq, kind=kind, at=_AT, recorded_at=_AT, author=Author(name="x"), data=data
        )
        self.journal.append(entry)
        self.known[self.name].append(entry)
        self.apart.take(entry)
        return ref

    def _publish(self) -> None:
        """Gives the cluster what it has not acknowledged, and takes what others gave."""
        self.world.publish(self, self.acked)

    def took(self, journal: str, entries: list[Entry]) -> None:
        have = self.known.setdefault(journal, [])
        for entry in entries:
            if entry.id.seq == len(have) + 1:
                have.append(entry)
                self.apart.take(entry)

    # ------------------------------------------------------------------ messages

    def _own_to_send(self, first: int) -> list[Ref]:
        return [
            one.id
            for one in self.journal[first - 1 :]
            if one.kind is Kind.UPDATE and one.id not in self.sent and one.id not in self.maybe
        ]

    def _send(self) -> None:
        running = self.apart.running(self.name)
        if running is not None:
            if self.duty.state is State.ALONE and self.sending is None:
                waiting = self._own_to_send(running.first)
                if waiting:
                    self.sending = waiting[0]
                    self._post(waiting[0], lambda arrived: self._sent_alone(waiting[0], arrived))
            return
        if not self.duty.holds(self.clock()):
            self.ledger = None
            return
        if self.ledger is None:
            self._take_over()
            return
        ledger = self.ledger[0]
        found = self._share(ledger)
        self.maybe |= set(found.twice)
        todo = [one for one in found.queue if one not in self.maybe]
        if not todo:
            if found.told.items() - ledger.told.items():
                self._put(msgspec.structs.replace(ledger, told={**ledger.told, **found.told}), lambda: None)
            return
        self._claim(todo[0], msgspec.structs.replace(ledger, told={**ledger.told, **found.told}))

    def _share(self, ledger: Ledger) -> Share:
        wanted = {
            name: [one.id.seq for one in entries if one.kind is Kind.UPDATE] for name, entries in self.known.items()
        }
        return share(SINK, ledger, wanted, {name: len(entries) for name, entries in self.known.items()}, self.apart)

    def _take_over(self) -> None:
        def came(value: bytes, revision: int) -> None:
            ledger = msgspec.json.decode(value, type=Ledger) if value else Ledger()
            self.maybe |= set(ledger.under_way)
            mine = msgspec.structs.replace(ledger.settle(ledger.under_way, done=True), journal=self.name)
            self.ledger = (mine, revision)
            self._put(mine, lambda: None)

        self._busy()
        self.world.read(self, "chat", came)

    def _put(self, ledger: Ledger, then: Callable[[], None]) -> None:
        assert self.ledger is not None
        revision = self.ledger[1]

        def answered(outcome: str, found: int) -> None:
            if outcome == "written":
                self.ledger = (ledger, found)
                self.busy_until = 0.0
                then()
            else:
                self.ledger = None

        self._busy()
        self.world.set(self, "chat", msgspec.json.encode(ledger), revision, answered)

    def _busy(self) -> None:
        self.busy_until = self.world.now + 2 * TIMEOUT

    def _claim(self, ref: Ref, ledger: Ledger) -> None:
        def claimed() -> None:
            self._busy()
            # Here the process may be stopped, and wake up an hour later: the message leaves then.
            self.world.at(0.01, self, lambda: self._post(ref, lambda arrived: self._sent(ref, arrived)))

        self._put(ledger.claim([ref]), claimed)

    def _post(self, ref: Ref, then: Callable[[bool | None], None]) -> None:
        self._busy()
        self.world.post(self, ref, then)

    def _sent(self, ref: Ref, arrived: bool | None) -> None:
        if arrived is None:
            self.maybe.add(ref)
        if self.ledger is not None:
            self._put(self.ledger[0].settle([ref], done=arrived is not False), lambda: None)

    def _sent_alone(self, ref: Ref, arrived: bool | None) -> None:
        self.busy_until = 0.0
        self.sending = None
        if arrived is None:
            self.maybe.add(ref)
        elif arrived:
            self.sent.add(ref)
