"""The journal and the copies for a transport that runs in an event loop: all their files are used by one thread here,
so that a disk that takes its time delays nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from incident_tui.incident.entry import Kind, Ref
from incident_tui.journal.chain import Head
from incident_tui.journal.errors import JournalError
from incident_tui.journal.record import Record, decode, own_records
from incident_tui.journal.store import Store
from incident_tui.journal.take_in import take_in

if TYPE_CHECKING:
    from incident_tui.journal.others import Copy, Taken

T = TypeVar("T")
BATCH_BYTES: Final = 2 << 20
_TOMBSTONES: Final = "SELECT seq FROM tombstones ORDER BY seq"
_SPAN: Final = 100
"""Records read at once while their bytes are counted."""


class Keeper:
    """Opens a `Store` of its own, in its own thread. Methods raise JournalError."""

    def __init__(self, open_store: Callable[[], Store], clock: Callable[[], datetime]) -> None:
        self._open = open_store
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, "replica")
        self._store: Store | None = None
        self._head = Head("", 0, "")
        self._version = -1

    async def _do(self, what: Callable[[Store], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: what(self._opened()))

    def _opened(self) -> Store:
        if self._store is None:
            self._store = self._open()
        return self._store

    async def head(self) -> Head:
        """Of the own journal; read only when something was committed."""

        def read(store: Store) -> Head:
            version = store.data_version()
            if version != self._version or not self._head.journal:
                self._head, self._version = store.head(), version
            return self._head

        return await self._do(read)

    async def head_at(self, seq: int) -> Head | None:
        return await self._do(lambda store: store.head_at(seq))

    async def own(self, first: int, last: int, limit: int) -> list[Record]:
        """Own records from `first` on: at most `limit` of them, and about BATCH_BYTES."""

        def read(store: Store) -> list[Record]:
            found: list[Record] = []
            size = 0
            while len(found) < limit and size < BATCH_BYTES:
                start = found[-1].seq + 1 if found else first
                more = own_records(store, start, last, min(_SPAN, limit - len(found)))
                if not more:
                    break
                found += more
                size += sum(len(one.body) + len(one.kept) for one in more)
            return found

        return await self._do(read)

    async def purged(self) -> list[int]:
        """Numbers of own entries whose text was destroyed."""

        def read(store: Store) -> list[int]:
            with store.guard:
                return [seq for (seq,) in store.connection.execute(_TOMBSTONES).fetchall()]

        return await self._do(read)

    async def take(self, wires: Sequence[tuple[str, bytes]]) -> Taken:
        """Take in what came: (the journal by its subject, the record's bytes). What names another journal than its
        subject is refused: under a subject only its own bastion may write."""

        def run(store: Store) -> Taken:
            records: list[Record] = []
            refused: list[str] = []
            for journal, wire in wires:
                try:
                    record = decode(wire)
                except JournalError as error:
                    refused.append(f"of {journal}: {error.sentence}")
                    continue
                if record.journal != journal:
                    refused.append(f"an entry of {record.journal[:40]!r} came under the name of {journal}: not taken.")
                elif journal != store.journal:
                    records.append(record)
            taken = take_in(store, records, self._clock())
            return msgspec.structs.replace(taken, refused=(*taken.refused, *refused)) if refused else taken

        return await self._do(run)

    async def copies(self) -> list[Copy]:
        return await self._do(lambda store: [] if store.others is None else store.others.copies())

    async def missing(self, journal: str) -> list[tuple[int, int]]:
        return await self._do(lambda store: [] if store.others is None else store.others.missing(journal))

    def close(self) -> None:
        """Waits for what is being written."""
        self._thread.submit(self._end)
        self._thread.shutdown(wait=True)

    def _end(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None


def orders(records: Sequence[Record]) -> list[Ref]:
    """Which own entries these own records order to purge."""
    found = []
    for record in records:
        body = record.kept or record.body
        if b'"purge"' in body:
            head = msgspec.json.decode(body, type=_Order)
            if head.kind == Kind.PURGE and head.ref is not None and head.ref.journal == record.journal:
                found.append(head.ref)
    return found


class _Order(msgspec.Struct):
    kind: str
    ref: Ref | None = None
