"""One channel: `/bin/sh` on the host with probe.sh on its standard input, asked one round at a time."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from datetime import datetime

import asyncssh
import msgspec

from incident_tui import text
from incident_tui.fleet.settings import Host
from incident_tui.fleet.ssh import LinkFailure, explain, place, unlogged
from incident_tui.hosts import probe
from incident_tui.hosts.readings import LinkState
from incident_tui.hosts.sections import (
    ChildStarted,
    EventLine,
    FollowerChanged,
    Framer,
    Ready,
    RoundEnded,
    Section,
)

Clock = Callable[[], datetime]
STDERR_LIMIT = 4096
FLOOD_LIMIT = 32 * 1024 * 1024
"""Bytes between two requests of ours: a host that sends more prints without end, and its channel is given up."""


def _expire(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_exception(TimeoutError())


class WantsTerminal(LinkFailure):
    """sudo there runs nothing without a terminal (`Defaults requiretty`, which CentOS 6 ships)."""


class Answer(msgspec.Struct, frozen=True):
    """One whole round: when it was asked, when its clock arrived (or the whole), when all of it had come."""

    sections: tuple[Section, ...]
    asked: datetime
    clock_at: datetime
    at: datetime


class _Session(asyncssh.SSHClientSession[bytes]):
    """Bytes from the host go straight into the framer: no stream, no task, which is most of the CPU saved."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        self._channel._received(data, datatype is not None)

    def exit_status_received(self, status: int) -> None:
        self._channel._status = status

    def connection_lost(self, exc: Exception | None) -> None:
        self._channel._lost(exc)


class Channel:
    """Open with `start`; `ask` one round after the other. After `closed` is set it is of no more use."""

    def __init__(
        self,
        host: Host,
        mode: str,
        clock: Clock,
        *,
        on_event: Callable[[EventLine | FollowerChanged], None] | None = None,
        idle: int | None = None,
        terminal: bool = False,
    ) -> None:
        self.host = host
        self.mode = mode
        self.terminal = terminal
        """The session runs on a PTY, because sudo wants one: for one round only (`terminal.OneShot`)."""
        self.closed = asyncio.Event()
        self.chatter = ""
        self.installed = ""
        """Which installed probe answers; empty where the script was sent."""
        self._child: ChildStarted | None = None
        self._clock = clock
        self._on_event = on_event
        self._idle = idle
        self._marker = secrets.token_hex(8)
        self._framer = Framer(self._marker)
        self._channel: asyncssh.SSHClientChannel[bytes] | None = None
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._answer: tuple[Section, ...] | None = None
        self._waiting: asyncio.Future[None] | None = None
        self._clock_at: datetime | None = None
        self._stderr = bytearray()
        self._status: int | None = None
        self._count = 0
        self._unasked = 0
        self.bytes = 0
        """Received and sent on this channel, without SSH's own."""
        self._terminal_set: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def last_child(self) -> ChildStarted | None:
        """The last command announced in the round that runs."""
        return self._child

    @property
    def asked(self) -> bool:
        """Whether a round was asked for, ever."""
        return self._count > 0

    @property
    def command(self) -> str:
        """What the account's login shell runs: words that a csh, too, takes as they are."""
        if self.terminal:
            # Echo and translation off before the script comes. The shell reads a pipe: on a terminal it would prompt.
            told = f'stty raw -echo -onlcr; echo "{self._marker} TTY"; cat | (sudo -n /bin/sh; kill 0)'
            return f"exec /bin/sh -c '{told}'"
        return "exec sudo -n /bin/sh" if self.host.sudo else "exec /bin/sh"

    async def start(self, connection: asyncssh.SSHClientConnection, seconds: float) -> None:
        """Send the script and wait for READY. Raises LinkFailure: wrong shell, sudo, no answer, connection lost."""
        try:
            async with asyncio.timeout(seconds):
                self._channel, _ = await connection.create_session(
                    lambda: _Session(self),
                    self.command,
                    encoding=None,
                    request_pty="force" if self.terminal else False,
                    term_type="dumb" if self.terminal else None,
                    env={},
                    send_env=[],
                )
                unlogged(self._channel)
                if self.terminal:
                    await self._terminal_set
                    if self.closed.is_set():
                        await self._ready
                self._write(probe.start(self.mode, self._marker, idle=self._idle))
                await self._ready
        except TimeoutError:
            self.abort()
            raise self._wrong("no answer from /bin/sh") from None
        except (asyncssh.Error, OSError) as problem:
            if connection.is_closed():
                raise self.failure from None
            if not isinstance(problem, asyncssh.ChannelOpenError):
                raise explain(problem, self.host) from problem
            if self.terminal:
                raise self._no_terminal() from None
            raise LinkFailure(LinkState.SHELL, f"{self._where}: no session: {text.sanitise(problem.reason)}") from None

    async def ask(self, words: list[str], seconds: float) -> Answer:
        """One round. Raises TimeoutError (the round may still come: `late`), LinkFailure when the channel is gone."""
        if self._channel is None or self.closed.is_set():
            raise LinkFailure(LinkState.LOST, f"{self._where}: the channel is closed")
        self._count += 1
        self._unasked = 0
        asked = self._clock()
        self._answer, self._clock_at, self._child = None, None, None
        request = probe.request(str(self._count), words)
        self.bytes += len(request)
        self._write(request)
        self._asked = asked
        return await self.late(seconds)

    async def late(self, seconds: float) -> Answer:
        """Wait (again) for the answer that was asked for."""
        if self._answer is None:
            if self.closed.is_set():
                raise self.failure
            # A future and a timer: asyncio.timeout and a shield cost a quarter of a poll more.
            loop = asyncio.get_running_loop()
            self._waiting = waiting = loop.create_future()
            timer = loop.call_later(seconds, _expire, waiting)
            try:
                await waiting
            finally:
                timer.cancel()
        assert self._answer is not None
        at = self._clock()
        return Answer(self._answer, self._asked, self._clock_at or at, at)

    async def ask_alive(
        self, connection: asyncssh.SSHClientConnection, words: list[str], seconds: float, patience: float
    ) -> Answer:
        """`ask` on a connection without keepalives: asyncssh renews their timer with each packet, and each answer is a
        sign of life by itself. One that is `patience` seconds late brings them, to tell a slow host from a lost one."""
        try:
            return await self.ask(words, min(patience, seconds))
        except TimeoutError:
            if patience >= seconds:
                raise
        connection.set_keepalive(patience / 2, count_max=2)
        answer = await self.late(seconds - patience)
        connection.set_keepalive(0)
        return answer

    def ping(self) -> None:
        """Tell the script that we are still there."""
        if self._channel is not None and not self.closed.is_set():
            self._unasked = 0
            self._write(b"0 ping\n")

    def _write(self, data: bytes) -> None:
        """What has ended there already says why by itself, in `_lost`: a refused sudo is no lost connection."""
        assert self._channel is not None
        with contextlib.suppress(BrokenPipeError):
            self._channel.write(data)

    def close(self) -> None:
        """End of input: the script stops its children and ends."""
        if self._channel is not None and not self.closed.is_set():
            self._channel.write_eof()
            self._channel.close()

    def abort(self) -> None:
        if self._channel is not None:
            self._channel.abort()

    @property
    def _where(self) -> str:
        return f"{self.host.name} ({place(self.host)})" if place(self.host) != self.host.name else self.host.name

    def _received(self, data: bytes, is_stderr: bool) -> None:
        self.bytes += len(data)
        self._unasked += len(data)
        if self.flooded:
            self.abort()
            return
        if is_stderr:
            if len(self._stderr) < STDERR_LIMIT:
                self._stderr += data[:STDERR_LIMIT]
            return
        if self.terminal:
            data = data.replace(b"\r", b"")
        for message in self._framer.feed(data):
            if isinstance(message, Section):
                if message.name == "clock":
                    self._clock_at = self._clock()
            elif isinstance(message, RoundEnded):
                if self._answer is None and message.id == str(self._count):
                    self._answer = message.sections
                    if self._waiting is not None and not self._waiting.done():
                        self._waiting.set_result(None)
            elif isinstance(message, ChildStarted):
                self._child = message
            elif isinstance(message, Ready):
                self.chatter, self.installed = message.chatter, message.installed
                if not self._ready.done():
                    self._ready.set_result(None)
            elif isinstance(message, (EventLine, FollowerChanged)) and self._on_event is not None:
                self._on_event(message)
        if self.terminal and not self._terminal_set.done() and f"{self._marker} TTY" in self._framer.chatter:
            self._framer = Framer(self._marker)
            self._terminal_set.set_result(None)

    def _lost(self, problem: Exception | None) -> None:
        self.closed.set()
        if not self._ready.done():
            if not self._terminal_set.done():
                self._terminal_set.set_result(None)
            early = self._wrong("it ended before the probe was ready")
            self._ready.set_exception(early if problem is None else self.failure)
            self._ready.exception()  # nobody may be waiting any more
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(self.failure)
            self._waiting.exception()

    @property
    def flooded(self) -> bool:
        """It printed without end and was given up; the whole connection should be."""
        return self._unasked > FLOOD_LIMIT

    @property
    def failure(self) -> LinkFailure:
        """Why it ended."""
        if self.flooded:
            return LinkFailure(LinkState.LOST, f"{self._where}: it prints without end; the channel was closed")
        return LinkFailure(LinkState.LOST, f"{self._where}: the connection was lost")

    def _no_terminal(self) -> WantsTerminal:
        mend = f"write Defaults:{self.host.user or 'the account'} !requiretty into sudoers"
        gives = " and sshd gives none" if self.terminal else ""
        return WantsTerminal(LinkState.SUDO, f"{self._where}: sudo wants a terminal{gives}; {mend}")

    def _wrong(self, what: str) -> LinkFailure:
        """Why there is no READY: sudo, or a login shell that is no shell."""
        said = text.sanitise(bytes(self._stderr)) + " " + self._framer.chatter
        if "incident-tui-probe: " in said:
            mend = f"renew it: incident-tui probe --install {self.host.name}"
            return LinkFailure(LinkState.SHELL, f"{self._where}: the installed probe has another protocol; {mend}")
        if self.host.sudo:
            user = self.host.user or "the account"
            if "must have a tty" in said:
                return self._no_terminal()
            if "password is required" in said or "a password" in said:
                mend = f"allow {user} NOPASSWD: /bin/sh, or set sudo = false"
                return LinkFailure(LinkState.SUDO, f"{self._where}: sudo wants a password; {mend}")
            if "sudo" in said:
                return LinkFailure(LinkState.SUDO, f"{self._where}: sudo: {text.sanitise(said.strip(), limit=120)}")
        first = text.sanitise(said.strip(), limit=100)
        quoted = f' It said: "{first}"' if first else ""
        return LinkFailure(
            LinkState.SHELL, f"{self._where}: wrong shell: {what}; give the account a login shell.{quoted}"
        )
