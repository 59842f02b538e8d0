"""What the watches of several bastions do as one, over a cluster: who reads which host, who has the duty, one board.

Without contact to the cluster this bastion is alone and reads everything, as one without a cluster does.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from incident_tui.fleet.fleet import clusters
from incident_tui.fleet.settings import Host
from incident_tui.hosts.readings import HostReading
from incident_tui.incident.entry import Ref
from incident_tui.journal.lease import BootClock, boot_clock
from incident_tui.journal.store import Store
from incident_tui.replica.bucket import Buckets, Refused
from incident_tui.replica.connection import Connection, Session
from incident_tui.replica.duty import Beat, Duty, State
from incident_tui.replica.problem import ReplicaError, said
from incident_tui.replica.settings import Replica
from incident_tui.replica.shard import digest, grouped, packed, unpacked
from incident_tui.text import sanitise
from incident_tui.watch.dividing import Dividing, Pools, Wanted
from incident_tui.watch.rows import BastionSeen, BastionsRow, ChatRow, Resend, SiteRow
from incident_tui.watch.settings import Site
from incident_tui.watch.shared_rows import Frames, Pace, encoded, pack
from incident_tui.watch.unreached import Unreached

log = logging.getLogger("incident_tui.watch")

KEY: Final = "bastions"
"""On the board."""
POOLS: Final = "pools"
"""In the lasting bucket: hosts that belong together, as whoever has the duty found out."""
_SECOND: Final = 1.0
_POOLS_EVERY: Final = 10.0
_SAID: Final = 8.0
"""Seconds for which a word to another bastion is to be said: less than `shared_rows.AGAIN`, so that it is said once."""
_NAMED: Final = 1000
"""Hosts of which the board says who cannot reach them."""


class Together:
    """One holding of the lease. `tick` is called with each pulse of the watch."""

    def __init__(
        self,
        settings: Replica,
        connection: Connection,
        store: Store,
        hosts: Sequence[Host],
        sites: Sequence[Site],
        clock: Callable[[], datetime],
        *,
        boot_clock: BootClock = boot_clock,
    ) -> None:
        """Joins the connection, which must not run yet."""
        self._stream = settings.stream
        self._letter, self._journal = store.letter, store.journal
        self._clock = clock
        self._boot = boot_clock
        self._hosts = sorted(host.name for host in hosts)
        self._dividing = Dividing(self._journal, self._hosts, [f"site/{site.name}" for site in sites])
        places = {host.name: f"{host.address or host.name}:{host.port}" for host in hosts}
        fleet = digest(places | {f"site/{site.name}": site.url for site in sites})
        node = sanitise(settings.name or os.uname().nodename, limit=60)
        me = Beat(journal=self._journal, letter=self._letter, node=node, fleet=fleet)
        self.duty = Duty(me, boot_clock(), settings.lease_seconds)
        self.buckets = Buckets(settings, self.duty, boot_clock, self._kept)
        self._pools: Pools = ()
        self._pools_revision = 0
        self._pools_looked = 0.0
        self._unreached = Unreached(settings.retry_seconds)
        self._said: frozenset[str] = frozenset()
        self._who: tuple[tuple[tuple[str, str], ...], dict[str, tuple[str, ...]]] = (), {}
        self._pace = Pace()
        self._frames: dict[str, Frames] = {}
        self._came: dict[str, msgspec.Struct] = {}
        self._shared: dict[str, bytes] = {}
        self._theirs: dict[str, msgspec.Struct] = {}
        """The holder's rows of chat, rooms and alerts."""
        self._words: dict[str, tuple[float, Resend]] = {}
        """To other bastions, on their way, and until when."""
        self._heard_words: deque[tuple[str, int]] = deque(maxlen=1000)
        self.asked: list[Resend] = []
        """Words of other bastions, for whoever takes them out."""
        self._refused = ""
        self._state = State.JOINING
        self._since = clock()
        self._tasks: set[asyncio.Task[None]] = set()
        connection.join("leases", self.buckets.part)
        connection.join("board", self._share)

    # ------------------------------------------------------------------ who does what

    def tick(self) -> bool:
        """Whether what this watch reads, or has to judge, has changed."""
        now = self._boot()
        for put in self.duty.tick(now):
            self.buckets.carry_out(put)
        state = self.duty.state
        if state is not self._state:
            self._state = state
            self._since = self._clock() - timedelta(seconds=max(0.0, now - self.duty.since))
        said = self._unreached.step(self.reads, now)
        if said != self._said:
            self._said = said
            self.duty.tell(packed(said, self._hosts), now)
        before = self._dividing.part
        if not self._dividing.step(Wanted(state, self.duty.fellows, self._pools, self._blind())):
            return False
        self.duty.me = msgspec.structs.replace(self.duty.me, count=self._count)
        return before != self._dividing.part

    def _blind(self) -> tuple[tuple[str, str], ...]:
        """What each of those among whom the hosts are divided has said it cannot reach."""
        me = self.duty.me
        told = [(one.journal, one.unreached) for one in (me, *self.duty.others) if one.fleet == me.fleet]
        return tuple(sorted(one for one in told if one[1]))

    @property
    def reads(self) -> frozenset[str]:
        """What this watch reads itself: names of hosts, and of sites as site/NAME."""
        return self._dividing.part.reads

    @property
    def has(self) -> frozenset[str]:
        """What this watch joins and judges, whoever reads it."""
        return self._dividing.part.has

    def heard(self, reading: HostReading) -> None:
        """What this watch itself reads."""
        self._unreached.heard(reading.host, reading.link, self._boot())

    @property
    def tries(self) -> frozenset[str]:
        """Hosts that others read, to be tried again from here."""
        return self._unreached.tries

    @property
    def _count(self) -> int:
        return sum(name in self.reads for name in self._hosts)

    @property
    def whole(self) -> bool:
        """Whether this watch judges all there is."""
        return len(self.has) == len(self._dividing.names)

    @property
    def alone(self) -> bool:
        return self.duty.state is State.ALONE

    @property
    def on_duty(self) -> bool:
        """Whether this bastion may act for all of them. To be asked before each act."""
        return self.duty.holds(self._boot())

    @property
    def joined(self) -> bool:
        return self.duty.state is State.TOGETHER

    @property
    def reads_rooms(self) -> bool:
        """What is said in a room may be carried out, so that only one reads it: alone, who had the duty last."""
        return self.on_duty or (self.alone and self.duty.holder in ("", self._journal))

    @property
    def acts(self) -> bool:
        """Whether what needs no duty among others may be done here: on duty, or alone."""
        return self.alone or self.on_duty

    def _kept(self, key: str, value: bytes, revision: int) -> None:
        if key != POOLS or revision < self._pools_revision:
            return
        self._pools_revision = revision
        try:
            pools = msgspec.json.decode(value or b"[]", type=Pools)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return
        self._pools = pools

    def look_for_pools(self, readings: Mapping[str, HostReading]) -> None:
        """On duty: tells all bastions which hosts are peers of one trusted pool, when that has changed. `readings` are
        of all hosts, whoever read them."""
        now = self._boot()
        if not self.on_duty or now - self._pools_looked < _POOLS_EVERY:
            return
        self._pools_looked = now
        pools = pools_of(readings, self._pools)
        if pools == self._pools:
            return

        async def tell() -> None:
            try:
                revision = await self.buckets.set(POOLS, msgspec.json.encode(pools), self._pools_revision)
            except (Refused, ReplicaError):
                return  # it is looked at again soon
            self._kept(POOLS, msgspec.json.encode(pools), revision)

        task = asyncio.get_running_loop().create_task(tell(), name="pools")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ------------------------------------------------------------------ one board

    def share(self, rows: Mapping[str, msgspec.Struct]) -> None:
        """Rows of this board that have changed."""
        on_duty = self.on_duty
        mine = {
            key: row
            for key, row in rows.items()
            if (isinstance(row, HostReading | SiteRow) and not row.via)
            or (on_duty and key.partition("/")[0] in ("chat", "room", "alerts"))
        }
        now = self._boot()
        self._words = {key: (until, row) for key, (until, row) in self._words.items() if now < until}
        mine |= {key: row for key, (_, row) in self._words.items()}
        self._shared |= encoded(mine.items(), self._letter)
        self._shared = {key: body for key, body in self._shared.items() if self._tells(key, on_duty)}
        self._pace.keep(self._shared)

    def _tells(self, key: str, on_duty: bool) -> bool:
        first, _, name = key.partition("/")
        if first == "resend":
            return key in self._words
        return name in self.reads if first == "host" else key in self.reads if first == "site" else on_duty

    def mixed(self, rows: Mapping[str, msgspec.Struct]) -> dict[str, msgspec.Struct]:
        """Rows of what is done once for all bastions: those of the holder, with what of one's own is left to see to."""
        if self.acts:
            self._theirs.clear()
        found = dict(rows)
        for key, theirs in self._theirs.items():
            own = rows.get(key)
            both = isinstance(theirs, ChatRow) and isinstance(own, ChatRow)
            found[key] = chat_of_both(own, theirs) if both else theirs  # type: ignore[arg-type]
        return found

    def pass_on(self, sink: str, ref: Ref | None) -> None:
        """A person's word about what the holder of the duty has in its outbox, and only about that."""
        row = self._theirs.get(f"chat/{sink}")
        known = row.deliveries if isinstance(row, ChatRow) else ()
        if self.joined and not self.on_duty and (ref is None or any(one.ref == ref for one in known)):
            now = self._boot()
            word = Resend(self.duty.holder, int(now * 1000), sink, ref)
            self._words[f"resend/{word.number}/{sink}"] = now + _SAID, word

    def came(self) -> dict[str, msgspec.Struct]:
        """Rows that others have read since the last call, by key."""
        came, self._came = self._came, {}
        return came

    async def _share(self, session: Session) -> None:
        """A part of the connection. Raises ReplicaError."""
        from nats.errors import Error

        try:
            subscription = await session.client.subscribe(self._subject("*"), cb=self._hear)
            try:
                while True:
                    for rows in self._pace.due(self._boot()):
                        await session.client.publish(self._subject(self._journal), pack(rows, self._clock()))
                    await asyncio.sleep(_SECOND)
            finally:
                if not session.client.is_closed:
                    await subscription.unsubscribe()
        except (Error, OSError) as error:
            raise said(error, session.where) from None

    def _subject(self, journal: str) -> str:
        return f"incident.{self._stream}.board.{journal}"

    async def _hear(self, message: object) -> None:
        journal = str(getattr(message, "subject", "")).rpartition(".")[2]
        beat = next((one for one in self.duty.others if one.journal == journal), None)
        if beat is None:
            return  # its own, or of one that is not there
        frames = self._frames.get(journal)
        if frames is None or frames.letter != beat.letter:
            frames = self._frames[journal] = Frames(beat.letter, self._wants)
        taken = frames.take(getattr(message, "data", b""), self._clock())
        if taken.refused and taken.refused != self._refused:
            log.warning("the board of %s: %s", sanitise(beat.node, limit=60), taken.refused)
        self._refused = taken.refused
        holder = journal == self.duty.holder
        for key, row in taken.rows.items():
            # What only the holder of the duty does, only its holder tells of.
            if isinstance(row, HostReading | SiteRow):
                self._came[key] = row
            elif isinstance(row, Resend):
                if row.to == self._journal and (journal, row.number) not in self._heard_words:
                    self._heard_words.append((journal, row.number))
                    self.asked.append(row)
            elif holder and not self.on_duty:
                self._theirs[key] = told_by(row, frames.letter)

    def _wants(self, key: str) -> bool:
        first, _, name = key.partition("/")
        if first == "host":
            return name in self._dividing.names and name not in self.reads
        return key not in self.reads if first != "site" else key in self._dividing.names and key not in self.reads

    def row(self) -> BastionsRow:
        """For the board."""
        duty = self.duty
        letters = {one.journal: one.letter for one in duty.others} | {self._journal: self._letter}
        return BastionsRow(
            at=self._clock(),
            state=duty.state.value,
            since=self._since,
            reads=self._count,
            hosts=len(self._hosts),
            duty="" if self.alone else letters.get(duty.holder, ""),
            on_duty=self.on_duty,
            others=tuple(
                BastionSeen(
                    sanitise(one.letter, limit=8), sanitise(one.node, limit=60), one.count, one.fleet == duty.me.fleet
                )
                for one in duty.others
            ),
            unreached=(unreached := self._who_does_not_reach(letters)),
            why={host: why for host, why in self._unreached.why.items() if host in unreached},
            problem=self._refused,
        )

    def _who_does_not_reach(self, letters: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
        """By host the letters of the bastions that say so; of the first hosts where there are very many."""
        blind = self._blind()
        if blind != self._who[0]:
            found: dict[str, list[str]] = {}
            for journal, told in blind:
                for host in unpacked(told, self._hosts):
                    found.setdefault(host, []).append(sanitise(letters.get(journal, "?"), limit=8))
            self._who = blind, {host: tuple(sorted(found[host])) for host in sorted(found)[:_NAMED]}
        return self._who[1]

    async def get(self, key: str) -> tuple[bytes, int]:
        """See `Buckets.get`."""
        return await self.buckets.get(key)

    async def set(self, key: str, value: bytes, last: int) -> int:
        """See `Buckets.set`."""
        return await self.buckets.set(key, value, last)

    async def leave(self) -> None:
        """The others need not wait."""
        await self.buckets.leave()


def told_by(row: msgspec.Struct, letter: str) -> msgspec.Struct:
    """With whose outbox a message is in."""
    if not isinstance(row, ChatRow):
        return row
    told = tuple(msgspec.structs.replace(one, via=letter) for one in row.deliveries)
    return msgspec.structs.replace(row, deliveries=told)


def chat_of_both(own: ChatRow, holders: ChatRow) -> ChatRow:
    """A sink's row as the holder of the duty has it, with what this bastion's outbox knows of its own messages."""
    return msgspec.structs.replace(
        holders,
        waiting=holders.waiting + own.waiting,
        maybe=holders.maybe + own.maybe,
        dead=holders.dead + own.dead,
        deliveries=(*(one for one in own.deliveries if one.state in ("maybe", "dead")), *holders.deliveries),
    )


def pools_of(
    readings: Mapping[str, HostReading], before: Collection[Sequence[str]] = ()
) -> tuple[tuple[str, ...], ...]:
    """Hosts that are peers of one trusted pool, in order. A pool of `before` of which not every host says anything of
    Gluster now is still one: silence is no sign of having left."""
    told = {name: one for name, one in readings.items() if one.gluster is not None}
    found = [members for members in clusters(told.values()) if len(members) > 1]
    kept = [list(pool) for pool in before if not all(name in told for name in pool)]
    groups: dict[str, list[str]] = {}
    for name, group in grouped({name for pool in [*found, *kept] for name in pool}, [*found, *kept]).items():
        groups.setdefault(group, []).append(name)
    return tuple(sorted(tuple(sorted(members)) for members in groups.values()))
