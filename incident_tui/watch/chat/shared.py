"""One sink among several bastions: which messages wait here, and the word of all of them before one leaves.

On duty, what is not done waits here, and each message is claimed in the sink's ledger first (`replica.ledger`). Off
duty nothing waits. Alone, the own entries since contact was lost wait, and need nobody's word. What a person asked for
goes from the bastion in whose outbox it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol

import msgspec

from incident_tui.incident.entry import Ref
from incident_tui.replica.bucket import Refused
from incident_tui.replica.ledger import Apart, Ledger, share
from incident_tui.replica.problem import ReplicaError
from incident_tui.replica.shard import number
from incident_tui.watch.chat.outbox import Outbox

_OPEN: Final = ("waiting", "sending")
_LOST: Final = "another bastion was sending it when it was lost"
_TWICE: Final = "its own bastion was cut off and may have sent it, too"


class Gate(Protocol):
    """Asked before messages leave, and told what became of them."""

    async def claim(self, refs: Sequence[Ref]) -> bool: ...

    async def settled(self, refs: Sequence[Ref], *, done: bool) -> None:
        """`done`: they need no more. Otherwise none of them has arrived."""


class Open:
    """The gate of a bastion without others."""

    async def claim(self, refs: Sequence[Ref]) -> bool:
        return True

    async def settled(self, refs: Sequence[Ref], *, done: bool) -> None:
        return


class Others(Protocol):
    """How this bastion stands to the others, and where ledgers are. `watch.together.Together` is one."""

    @property
    def alone(self) -> bool: ...
    @property
    def on_duty(self) -> bool: ...
    async def get(self, key: str) -> tuple[bytes, int]: ...
    async def set(self, key: str, value: bytes, last: int) -> int: ...


class Known(Protocol):
    """What is known of all journals. `watch.post.Entries` is one."""

    @property
    def apart(self) -> Apart: ...
    @property
    def upto(self) -> Mapping[str, int]: ...
    def wanted(self, sink: str) -> Mapping[str, Sequence[int]]: ...
    def begins(self, journal: str) -> int:
        """The last number that is too old to be sent by a sink that never heard of this journal."""


class SharedSink:
    """A gate. `step` is called about every second and when something is new; raises sqlite3.Error."""

    def __init__(
        self,
        sink: str,
        journal: str,
        outbox: Outbox,
        others: Others,
        known: Known,
        clock: Callable[[], datetime],
        *,
        repeatable: bool,
    ) -> None:
        self.sink = sink
        self._journal = journal
        self._outbox = outbox
        self._others = others
        self._known = known
        self._clock = clock
        self._repeatable = repeatable
        self._key = f"chat.{number(sink):016x}"
        self._ledger: Ledger | None = None
        self._revision = 0
        self._turn = asyncio.Lock()

    async def step(self) -> bool:
        """Whether something new waits here."""
        span = self._known.apart.running(self._journal)
        if span is not None:
            self._ledger = None
            if not self._others.alone:
                return False  # what waits goes back to the others, with the word that it is over
            own = self._known.wanted(self.sink).get(self._journal, ())
            refs = [Ref(self._journal, seq) for seq in own if seq >= span.first]
            return self._outbox.keep_waiting(self.sink, refs, self._clock())
        if not self._others.on_duty:
            self._ledger = None
            if not self._others.alone:
                self._outbox.keep_waiting(self.sink, (), self._clock())
            return False
        async with self._turn:
            try:
                if self._ledger is None:
                    await self._adopt()
                return await self._take_share()
            except (Refused, ReplicaError):
                self._ledger = None
                return False

    async def _adopt(self) -> None:
        """The ledger becomes this bastion's, with what its last keeper left open."""
        value, revision = await self._others.get(self._key)
        ledger = _read(value)
        states = self._outbox.states(self.sink, ledger.under_way)
        if "sending" in states.values():
            raise Refused  # an attempt of its own is not over yet
        settled = [ref for ref in ledger.under_way if states.get(ref, "waiting") not in _OPEN]
        left = [ref for ref in ledger.under_way if ref not in settled]
        if ledger.journal == self._journal:
            left = []  # its own outbox knows: it did not leave, or waits to go as the same message
        elif self._repeatable:
            self._outbox.again_together(self.sink, left, self._clock())
        else:
            self._outbox.unsure(self.sink, left, self._clock(), _LOST)
            settled, left = [*settled, *left], []
        ledger = ledger.settle(settled, done=True)
        await self._put(msgspec.structs.replace(ledger, journal=self._journal, under_way=tuple(left)), revision)

    async def _put(self, ledger: Ledger, revision: int) -> None:
        """Raises Refused or ReplicaError; then it must be read again."""
        self._revision = await self._others.set(self._key, msgspec.json.encode(ledger), revision)
        self._ledger = ledger

    async def _take_share(self) -> bool:
        assert self._ledger is not None
        known, now = self._known, self._clock()
        new = {name: known.begins(name) for name in known.upto if name not in self._ledger.done}
        ledger = msgspec.structs.replace(self._ledger, done={**self._ledger.done, **new})
        found = share(self.sink, ledger, known.wanted(self.sink), known.upto, known.apart)
        states = self._outbox.states(self.sink, found.queue)
        settled = [ref for ref in found.queue if states.get(ref, "waiting") not in _OPEN]
        self._outbox.unsure(self.sink, found.twice, now, _TWICE)
        waits = [ref for ref in found.queue if states.get(ref, "waiting") in _OPEN]
        fresh = self._outbox.keep_waiting(self.sink, [*ledger.under_way, *waits], now)
        self._outbox.passed(self.sink, self._journal, known.upto.get(self._journal, 0))
        told = found.told.items() - ledger.told.items()
        if new or told or settled:
            under_way = ledger.under_way
            ledger = msgspec.structs.replace(ledger.settle(settled, done=True), under_way=under_way)
            ledger = msgspec.structs.replace(ledger, told={**ledger.told, **found.told})
            await self._put(ledger, self._revision)
        return fresh

    # ------------------------------------------------------------------ the gate

    async def claim(self, refs: Sequence[Ref]) -> bool:
        span = self._known.apart.running(self._journal)
        if span is not None and self._others.alone:
            return all(ref.journal == self._journal and ref.seq >= span.first for ref in refs) or self._asked(refs)
        async with self._turn:
            if self._ledger is None or not self._others.on_duty:
                return self._asked(refs)
            states = self._outbox.states(self.sink, refs)
            if any(states.get(ref) != "waiting" for ref in refs):
                return False  # it became another's to send while this waited
            try:
                await self._put(self._ledger.claim(refs), self._revision)
            except (Refused, ReplicaError):
                self._ledger = None
                return False
        # A process that was stopped here goes on too late for its duty; the claim says that it may be under way.
        return self._others.on_duty

    def _asked(self, refs: Sequence[Ref]) -> bool:
        return self._outbox.asked_for(self.sink, refs)

    async def settled(self, refs: Sequence[Ref], *, done: bool) -> None:
        async with self._turn:
            if self._ledger is None or self._ledger.under_way != tuple(refs):
                return
            try:
                await self._put(self._ledger.settle(refs, done=done), self._revision)
            except (Refused, ReplicaError):
                self._ledger = None  # whoever adopts it sees by the outbox, or says maybe


def _read(value: bytes) -> Ledger:
    try:
        return msgspec.json.decode(value, type=Ledger) if value else Ledger()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Ledger()
