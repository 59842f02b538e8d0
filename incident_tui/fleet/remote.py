"""One command on one host, for whoever runs it: with their own keys, without a terminal, and nothing left behind.

Two sessions of one connection. The first runs the command in a process group of its own; the second guards it: it
holds the time limit and waits for a word from us. When the word does not come, because the connection was lost or
because somebody stopped the command, it ends the whole group there. What a command puts into the background stays when
the command itself has ended by itself, as after `ssh HOST COMMAND`.
"""

from __future__ import annotations

import asyncio
import secrets
import shlex
import time
from collections.abc import Awaitable, Callable
from typing import Final, Protocol, TypeVar

import asyncssh
import msgspec

from incident_tui import text
from incident_tui.fleet import ssh
from incident_tui.fleet.output import Output
from incident_tui.fleet.settings import Fleet, Host
from incident_tui.fleet.ssh import LinkFailure

T = TypeVar("T")
START_SECONDS: Final = 15.0
END_SECONDS: Final = 8.0
"""How long a command that is being stopped may take to end; the guard kills after 3."""
LINGER_SECONDS: Final = 1.0
"""How long output is waited for after the end, where something in the background holds it open."""
_GRACE: Final = 10
"""Seconds after which the guard ends by itself what we should have stopped."""

# Says which process group it is, waits for the word, and becomes the command. sshd gives each session a group of its
# own; where a server does not, setsid does.
_BEGIN: Final = (
    'read -r stat </proc/$$/stat; set -- "$1" "$2" ${stat##*) }; [ "$5" = $$ ] && new= || new=setsid; '
    'exec $new /bin/sh -c \'echo "$2 $$" >&2; read -r go || exit 1; exec /bin/sh -c "$1"\' sh "$1" "$2"'
)
_GUARD: Final = (
    'exec 2>/dev/null; limit=; command -v timeout >&2 && limit="timeout $2"; echo "$3 $limit"; '
    'said=$($limit head -n 1); [ "$said" = done ] && exit 0; kill -TERM -$1; n=0; '
    "while kill -0 -$1 && [ $n -lt 3 ]; do sleep 1; n=$((n+1)); done; kill -KILL -$1"
)


def command_in(line: str) -> str:
    """The command in the line that sshd is given to begin it, for whoever stands in for a host; empty in any other."""
    begin = f"exec /bin/sh -c {text.shell(_BEGIN)} sh "
    return shlex.split(line)[5] if line.startswith(begin) else ""


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """How it went. Without `exit` and `signal`, `problem` says in one sentence why neither was had."""

    started: bool
    """False: it never ran."""
    exit: int | None = None
    signal: str = ""
    """Name of the signal that ended it, without SIG."""
    problem: str = ""
    stopped: bool = False
    """It was stopped from here, by somebody or at its time limit."""
    lingers: bool = False
    """Something that it started still held its output open."""
    seconds: float = 0.0
    bytes: int = 0
    sha256: str = ""
    text: str = ""
    """The kept part of its output."""


class Input(Protocol):
    """What feeds a command. `attach` is called once, when it runs."""

    def attach(self, channel: asyncssh.SSHClientChannel[bytes]) -> None: ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def detach(self) -> None: ...


class _Session(asyncssh.SSHClientSession[bytes]):
    """Finds the line "MARK GROUP" on one of the streams; everything else goes to `taken`."""

    def __init__(self, mark: str, taken: Callable[[bytes, bool], None], feed: Input | None = None) -> None:
        loop = asyncio.get_running_loop()
        self.marked: asyncio.Future[str] = loop.create_future()
        self.ended: asyncio.Future[None] = loop.create_future()
        """The exit status came, or the channel was closed without."""
        self.closed: asyncio.Future[None] = loop.create_future()
        self.status: int | None = None
        self.signal = ""
        self._mark = mark.encode()
        self._before = b""
        self._taken = taken
        self._feed = feed

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        if not self.marked.done():
            self._before += data
            head, found, rest = self._before.partition(self._mark)
            if not found or b"\n" not in rest:
                self._before = self._before[-65536:]
                return
            group, _, data = rest.partition(b"\n")
            self.marked.set_result(group.decode("ascii", "replace").strip())
            data = head + data
        if data:
            self._taken(data, datatype is not None)

    def exit_status_received(self, status: int) -> None:
        self.status = status
        _set(self.ended)

    def exit_signal_received(self, signal: str, core_dumped: bool, msg: str, lang: str) -> None:
        self.signal = text.sanitise(signal, limit=20)
        _set(self.ended)

    def pause_writing(self) -> None:
        if self._feed is not None:
            self._feed.pause()

    def resume_writing(self) -> None:
        if self._feed is not None:
            self._feed.resume()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.marked.done():
            self.marked.set_result("")
        _set(self.ended)
        _set(self.closed)

    @property
    def said(self) -> str:
        """What came instead of the mark."""
        return text.sanitise(self._before, limit=120).strip()


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


async def run(
    host: Host,
    fleet: Fleet,
    command: str,
    *,
    seconds: float,
    stop: asyncio.Event,
    output: Callable[[bytes, bool], None] = lambda data, is_error: None,
    feed: Input | None = None,
) -> Finished:
    """Run `command` with the host's /bin/sh. Never raises for a host's trouble. `output` gets what it prints as it
    comes, and whether that is standard error. Setting `stop` ends it there. Without `feed` its input is empty."""
    try:
        connection = await _unless(stop, ssh.connect(host, fleet))
    except LinkFailure as failure:
        return Finished(started=False, problem=failure.sentence)
    if connection is None:
        return Finished(started=False, stopped=True, problem="stopped before it ran")
    try:
        return await _Run(host, command, seconds, stop, output, feed).on(connection.ssh)
    finally:
        await connection.close()


async def _unless(stop: asyncio.Event, act: Awaitable[T]) -> T | None:
    """What `act` gives, or None when `stop` is set first."""
    doing = asyncio.ensure_future(act)
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return doing.result() if doing.done() else None
    finally:
        stopping.cancel()
        doing.cancel()


class _Run:
    """One command on an open connection."""

    def __init__(
        self,
        host: Host,
        command: str,
        seconds: float,
        stop: asyncio.Event,
        output: Callable[[bytes, bool], None],
        feed: Input | None,
    ) -> None:
        self.host = host
        self.command = command
        self.seconds = seconds
        self.stop = stop
        self.output = output
        self.feed = feed
        self.kept = Output()
        self.ends_there = False
        """The guard has a limit of its own: the host has timeout(1)."""

    def _taken(self, data: bytes, is_error: bool) -> None:
        self.kept.feed(data)
        self.output(data, is_error)

    async def on(self, connection: asyncssh.SSHClientConnection) -> Finished:
        mark = f"itui-{secrets.token_hex(8)}"
        try:
            async with asyncio.timeout(START_SECONDS):
                channel, session = await self._open(
                    connection, _BEGIN, (self.command, mark), mark, self._taken, self.feed
                )
                group = await session.marked
                if not group.isdecimal():
                    said = f': it said "{session.said}"' if session.said else ""
                    return Finished(started=False, problem=f"{self.host.name}: no /bin/sh could be started{said}")
                words = (group, str(int(self.seconds) + _GRACE), mark)
                guard, watching = await self._open(connection, _GUARD, words, mark, lambda data, is_error: None, None)
                self.ends_there = bool(await watching.marked)
                if watching.closed.done():
                    return Finished(started=False, problem=f"{self.host.name}: no second session to guard the command")
        except (TimeoutError, asyncssh.Error, OSError) as problem:
            why = "no answer in time" if isinstance(problem, TimeoutError) else text.sanitise(str(problem), limit=120)
            return Finished(started=False, problem=f"{self.host.name}: it could not be started: {why}")
        began = time.monotonic()
        channel.write(b"go\n")
        if self.feed is None:
            channel.write_eof()
        else:
            self.feed.attach(channel)
        try:
            why = await self._ended(session)
            if why:
                guard.write_eof()
                await asyncio.wait({session.ended}, timeout=END_SECONDS)
            elif not watching.closed.done():
                guard.write(b"done\n")
                guard.write_eof()
        finally:
            if self.feed is not None:
                self.feed.detach()
        await asyncio.wait({session.closed}, timeout=LINGER_SECONDS)
        if why:
            await asyncio.wait({watching.closed}, timeout=END_SECONDS)
        return self._finished(session, why, time.monotonic() - began)

    async def _open(
        self,
        connection: asyncssh.SSHClientConnection,
        script: str,
        words: tuple[str, ...],
        mark: str,
        taken: Callable[[bytes, bool], None],
        feed: Input | None,
    ) -> tuple[asyncssh.SSHClientChannel[bytes], _Session]:
        line = " ".join(["exec /bin/sh -c", text.shell(script), "sh", *(text.shell(word) for word in words)])
        session = _Session(mark, taken, feed)
        channel, _ = await connection.create_session(
            lambda: session, line, encoding=None, request_pty=False, env={}, send_env=[]
        )
        return channel, session

    async def _ended(self, session: _Session) -> str:
        """Wait for the end. Why it has to be stopped; empty when it ended by itself."""
        try:
            async with asyncio.timeout(self.seconds):
                await _unless(self.stop, asyncio.shield(session.ended))
        except TimeoutError:
            return f"stopped at its limit of {self.seconds:g} s"
        return "" if session.ended.done() else "stopped from here"

    def _finished(self, session: _Session, why: str, seconds: float) -> Finished:
        problem = why
        if session.status is None and not session.signal and not why:
            until = f"until {self.seconds + _GRACE:g} s after its start" if self.ends_there else "without a limit"
            problem = f"outcome unknown: the connection to {self.host.name} was lost, and it may run there {until}"
        elif why and not session.ended.done():
            problem = f"{why}, and {self.host.name} did not say that it ended"
        return Finished(
            started=True,
            exit=session.status,
            signal=session.signal,
            problem=problem,
            stopped=bool(why),
            lingers=not session.closed.done() and not why,
            seconds=seconds,
            bytes=self.kept.count,
            sha256=self.kept.sha256,
            text=self.kept.text(),
        )
