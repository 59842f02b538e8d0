"""The two key-value buckets of a cluster: the leases, which grow old, and what must not (ledgers, pools).

A part of the connection. It passes changes on to the duty and carries out what the duty wants written; whoever keeps a
ledger writes it here by compare-and-set. Nothing is waited for by a keystroke or by the pulse of the watch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, TypeVar

from incident_tui.replica.connection import Session, together
from incident_tui.replica.duty import AGE, Duty, Put
from incident_tui.replica.problem import SILENT, ReplicaError, said
from incident_tui.replica.settings import Replica

if TYPE_CHECKING:
    from nats.js.kv import KeyValue

AGES: Final = 4
"""What nobody renews goes from the bucket of leases after so many ages; per-key limits need nats-server 2.11."""
_LOOK: Final = 0.5
_DELETED: Final = ("DEL", "PURGE")

T = TypeVar("T")


class Refused(Exception):
    """Another revision is there than the writer knew."""


def lease_bucket(stream: str) -> str:
    return f"{stream}_watch"


def lasting_bucket(stream: str) -> str:
    return f"{stream}_sent"


class Buckets:
    """`part` joins a connection. `kept` is told of each change of what lasts: key, value (empty: none), revision."""

    def __init__(
        self,
        settings: Replica,
        duty: Duty,
        boot_clock: Callable[[], float],
        kept: Callable[[str, bytes, int], None] = lambda key, value, revision: None,
    ) -> None:
        self._settings = settings
        self._duty = duty
        self._clock = boot_clock
        self._kept = kept
        self._leases: KeyValue | None = None
        self._lasting: KeyValue | None = None
        self._where = ""
        self._writes: set[asyncio.Task[None]] = set()

    @property
    def reached(self) -> bool:
        return self._lasting is not None

    async def part(self, session: Session) -> None:
        """Until the connection is lost. Raises ReplicaError."""
        stream, duty_age = self._settings.stream, self._duty.age
        leases = await self._bucket(session, lease_bucket(stream), "leases of the watches", AGES * duty_age)
        lasting = await self._bucket(session, lasting_bucket(stream), "what was sent to chat, by sink", None)
        self._where = session.where
        try:
            self._leases, self._lasting = leases, lasting
            await together(self._watch_leases(session, leases), self._watch_lasting(session, lasting))
        finally:
            self._leases = self._lasting = None

    async def _bucket(self, session: Session, name: str, what: str, seconds: float | None) -> KeyValue:
        from nats.errors import Error
        from nats.js.api import KeyValueConfig
        from nats.js.errors import BucketNotFoundError

        try:
            try:
                return await session.js.key_value(name)
            except BucketNotFoundError:
                config = KeyValueConfig(
                    bucket=name, description=what, ttl=seconds, replicas=self._settings.replicas, max_value_size=1 << 20
                )
                return await session.js.create_key_value(config)
        except TimeoutError:
            if session.denied:
                raise ReplicaError(f"the bucket {name} is not there, and this bastion may not make it") from None
            raise ReplicaError(SILENT) from None
        except (Error, OSError) as error:
            raise said(error, session.where) from None

    async def _watch_leases(self, session: Session, leases: KeyValue) -> None:
        duty = self._duty

        def saw(key: str, value: bytes, revision: int) -> None:
            duty.saw(key, value, revision, self._clock())

        def synced() -> None:
            duty.synced(self._clock())

        while True:
            # Read anew when nothing comes any more: a watch on a bucket may end in silence when its leader goes.
            await self._watch(session, leases, saw, synced, lambda: duty.wants_sync(self._clock()))

    async def _watch_lasting(self, session: Session, lasting: KeyValue) -> None:
        loop = asyncio.get_running_loop()
        while True:
            end = loop.time() + 2 * AGE
            await self._watch(session, lasting, self._kept, lambda: None, lambda end=end: loop.time() > end)  # type: ignore[misc]

    async def _watch(
        self,
        session: Session,
        bucket: KeyValue,
        saw: Callable[[str, bytes, int], None],
        synced: Callable[[], None],
        over: Callable[[], bool],
    ) -> None:
        from nats.errors import Error
        from nats.errors import TimeoutError as Nothing

        watcher = None
        try:
            watcher = await bucket.watchall()
            begun, whole = self._clock(), False
            while not (whole and over()) and self._clock() - begun < (AGE if not whole else float("inf")):
                try:
                    entry = await watcher.updates(timeout=_LOOK)  # type: ignore[no-untyped-call]
                except Nothing:
                    continue
                if entry is None:
                    whole = True
                    synced()
                else:
                    value = b"" if entry.operation in _DELETED else entry.value or b""
                    saw(entry.key, value, entry.revision or 0)
        except TimeoutError:
            raise ReplicaError(SILENT) from None
        except (Error, OSError) as error:
            raise said(error, session.where) from None
        finally:
            if watcher is not None:
                await _stop(watcher)

    # ------------------------------------------------------------------ the duty's writes

    def carry_out(self, put: Put) -> None:
        """Writes, some time, and tells the duty what became of it."""
        leases = self._leases
        if leases is None:
            self._duty.failed(put)
            return
        task = asyncio.get_running_loop().create_task(self._write(leases, put))
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)

    async def _write(self, leases: KeyValue, put: Put) -> None:
        issued = self._clock()
        try:
            revision = await _set(leases, put.key, put.value, put.last)
        except Refused:
            try:
                value, revision = await _get(leases, put.key)
            except Exception:
                self._duty.failed(put)
            else:
                self._duty.refused(put, value, revision, self._clock())
        except Exception:  # whatever it was, there was no answer; the connection says why
            self._duty.failed(put)
        else:
            self._duty.written(put, issued, revision, self._clock())

    async def leave(self) -> None:
        """The duty's last words, if they can be said at once."""
        leases = self._leases
        if leases is None:
            return
        for put in self._duty.leave(self._clock()):
            try:
                async with asyncio.timeout(1.0):
                    await _set(leases, put.key, put.value, put.last)
            except Exception:
                return  # the others wait for its age

    # ------------------------------------------------------------------ what lasts

    async def get(self, key: str) -> tuple[bytes, int]:
        """Value (empty: none) and revision. Raises ReplicaError."""
        return await self._asked(lambda bucket: _get(bucket, key))

    async def set(self, key: str, value: bytes, last: int) -> int:
        """The new revision. Raises Refused when `last` is not what is there, and ReplicaError when it is not known
        whether it was written."""
        return await self._asked(lambda bucket: _set(bucket, key, value, last))

    async def _asked(self, ask: Callable[[KeyValue], Awaitable[T]]) -> T:
        from nats.errors import Error

        bucket = self._lasting
        if bucket is None:
            raise ReplicaError("the cluster is not reached")
        # In a task of its own: nats-py would lose a cancellation that comes with the answer (`connection.end`).
        task = asyncio.ensure_future(ask(bucket))
        try:
            await asyncio.wait({task})
            return task.result()
        except TimeoutError:
            raise ReplicaError(SILENT) from None
        except (Error, OSError) as error:
            raise said(error, self._where) from None
        finally:
            task.cancel()


async def _get(bucket: KeyValue, key: str) -> tuple[bytes, int]:
    from nats.js.errors import KeyNotFoundError

    try:
        entry = await bucket.get(key)
    except KeyNotFoundError as missing:
        return b"", (missing.entry.revision or 0) if missing.entry is not None else 0
    return entry.value or b"", entry.revision or 0


async def _set(bucket: KeyValue, key: str, value: bytes, last: int) -> int:
    """Raises Refused."""
    from nats.js.errors import KeyWrongLastSequenceError

    try:
        if not value:
            await bucket.delete(key, last=last)
            return last
        return await bucket.update(key, value, last=last)
    except KeyWrongLastSequenceError:
        raise Refused from None


async def _stop(watcher: KeyValue.KeyWatcher) -> None:
    try:
        async with asyncio.timeout(1.0):
            await watcher.stop()  # type: ignore[no-untyped-call]
    except Exception:
        return  # with the connection
