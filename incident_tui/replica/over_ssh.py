"""The side that connects: an exchange with `incident-tui sync --serve` on another bastion, over one SSH session.

What is sent is bounded by the exchange itself, so that writing never waits and reading never stands behind it. All
work on the journal goes through `work`, which may do it in another thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import asyncssh

from incident_tui.fleet import ssh
from incident_tui.fleet.settings import Fleet
from incident_tui.fleet.ssh import LinkFailure
from incident_tui.journal.errors import JournalError
from incident_tui.journal.notify import BURST
from incident_tui.replica.exchange import Side
from incident_tui.replica.frames import ExchangeError
from incident_tui.replica.sync_settings import Sync
from incident_tui.text import sanitise

Work = Callable[[Callable[[], bytes]], Awaitable[bytes]]
Process = asyncssh.SSHClientProcess[bytes]

ANSWER_SECONDS: Final = 30.0
"""So long an answer that is due may take; its disk may be slow, and its login, too."""
PING_SECONDS: Final = 30.0
"""At least so often a session that stays says something; `serve.QUIET_SECONDS` is longer."""
_START_SECONDS: Final = 15.0
_END_SECONDS: Final = 3.0
_LOOK_SECONDS: Final = 0.5
_CHUNK: Final = 1 << 16
_ERRORS: Final = 4096


class Kept:
    """A session that stays: `news` is set when something may be new here; `settled` is called each time when both sides
    have all, or the other one has answered that it is there, and says whether to go on."""

    def __init__(self, seconds: float, settled: Callable[[], bool]) -> None:
        self.seconds = seconds
        self.settled = settled
        self.news = asyncio.Event()


async def directly(act: Callable[[], bytes]) -> bytes:
    """Work in this thread, for who has nothing else to do meanwhile."""
    return act()


class Link:
    """One session with one bastion."""

    def __init__(self, peer: Sync, fleet: Fleet, side: Side, work: Work, kept: Kept | None = None) -> None:
        self._peer = peer
        self._fleet = fleet
        self._side = side
        self._work = work
        self._kept = kept
        self._errors = bytearray()
        self._heard = 0.0
        self._pinged = False

    async def run(self) -> None:
        """Exchange once; with `kept`, until it is cancelled or one of the sides ends it. Raises ExchangeError with one
        sentence, JournalError when the journal here cannot be read."""
        try:
            connection = await ssh.connect(self._peer.host, self._fleet)
        except LinkFailure as failure:
            raise ExchangeError(failure.sentence) from None
        ended = False
        try:
            process = await self._start(connection.ssh)
            await self._talk(process)
            ended = True
        finally:
            if ended:
                await connection.close()
            else:
                connection.abort()

    async def _start(self, connection: asyncssh.SSHClientConnection) -> Process:
        try:
            async with asyncio.timeout(_START_SECONDS):
                return await connection.create_process(
                    self._peer.line, encoding=None, request_pty=False, env={}, send_env=[]
                )
        except (TimeoutError, asyncssh.Error, OSError) as problem:
            why = "no answer in time" if isinstance(problem, TimeoutError) else sanitise(str(problem), limit=120)
            raise ExchangeError(f"{self._peer.name}: no session could be had: {why}") from None

    async def _talk(self, process: Process) -> None:
        self._heard = asyncio.get_running_loop().time()
        try:
            async with asyncio.TaskGroup() as group:
                beside = [group.create_task(self._read_errors(process)), group.create_task(self._keep(process))]
                await self._exchange(process)
                for task in beside:
                    task.cancel()
        except* (ExchangeError, JournalError) as problems:
            raise problems.exceptions[0] from None

    async def _exchange(self, process: Process) -> None:
        side = self._side
        self._send(process, await self._work(side.begin))
        while True:
            data = await self._read(process)
            if not data:
                raise await self._cut(process)
            self._heard, self._pinged = asyncio.get_running_loop().time(), False
            try:
                out = await self._work(lambda data=data: side.feed(data))  # type: ignore[misc]
            except ExchangeError as error:
                self._send(process, side.bye(error.sentence))
                raise
            self._send(process, out)
            if side.over:
                return
            if side.settled and (self._kept is None or not self._kept.settled()):
                self._send(process, side.bye())
                process.stdin.write_eof()
                return

    async def _read(self, process: Process) -> bytes:
        try:
            return await process.stdout.read(_CHUNK)
        except (asyncssh.Error, OSError):
            return b""

    async def _read_errors(self, process: Process) -> None:
        """Keeps the first of what is said on standard error; the rest is read, so that nobody waits there."""
        while True:
            try:
                data = await process.stderr.read(_CHUNK)
            except (asyncssh.Error, OSError):
                return
            if not data:
                return
            self._errors += data[: max(0, _ERRORS - len(self._errors))]

    async def _keep(self, process: Process) -> None:
        """Sends what is new, asks whether the other side is there, and ends it when an answer does not come."""
        loop, kept = asyncio.get_running_loop(), self._kept
        looked = loop.time()
        while True:
            if kept is None or not self._side.begun:
                await asyncio.sleep(_LOOK_SECONDS)
            else:
                try:
                    async with asyncio.timeout(_LOOK_SECONDS):
                        await kept.news.wait()
                    await asyncio.sleep(BURST)
                except TimeoutError:
                    pass
            now = loop.time()
            if (self._side.waits or self._pinged) and now - self._heard > ANSWER_SECONDS:
                raise ExchangeError(
                    f"{self._peer.name}: it does not answer, though it is connected; is the disk there hung?"
                )
            if kept is None or not self._side.begun:
                continue
            due = now - looked >= min(kept.seconds, PING_SECONDS)
            if kept.news.is_set() or due:
                kept.news.clear()
                self._send(process, await self._work(self._side.news))
            if due:
                looked = now
                if not self._pinged:
                    self._pinged = True
                    self._send(process, self._side.ping())

    def _send(self, process: Process, data: bytes) -> None:
        if data:
            try:
                process.stdin.write(data)
            except (asyncssh.Error, OSError):  # the reader finds out why
                return

    async def _cut(self, process: Process) -> ExchangeError:
        """The other end closed before all was done: why."""
        try:
            async with asyncio.timeout(_END_SECONDS):
                await process.wait_closed()
        except TimeoutError:
            pass
        if self._side.begun:
            return ExchangeError(
                f"{self._peer.name}: the connection was cut in the middle; what was acknowledged is kept, and the next "
                "exchange goes on from there."
            )
        return ExchangeError(
            f"{self._peer.name}: {not_begun(process.exit_status, self._side.said, bytes(self._errors), self._peer)}"
        )


def not_begun(status: int | None, said: str, errors: bytes, peer: Sync) -> str:
    """Why nobody answered as incident-tui does, by how what was run there ended and by what it said."""
    program = sanitise(peer.command[0], limit=80)
    lines = [line.strip() for line in sanitise(errors, lines=True, limit=2000).splitlines() if line.strip()]
    last = sanitise(lines[-1], limit=200) if lines else ""
    if status == 127:
        return (
            f"there is no program {program} for a login without a terminal there; install it, or name it with its "
            'whole path: command = ["/…/incident-tui"] in [[sync]], or --command.'
        )
    if status == 126:
        return f"{program} cannot be run there ({last}); mend its rights."
    if status == 2 and "no command" in last:
        return f"the incident-tui there is too old to sync ({last}): install the same version on both."
    if last:
        return f"it said: {last.removeprefix('incident-tui: ')}"
    if said:
        return f"nobody answered as incident-tui does{said}"
    if status is None:
        return "the connection was cut before the exchange began."
    return f"{program} ended there with status {status} and said nothing."
