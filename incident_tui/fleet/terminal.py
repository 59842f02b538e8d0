"""Where sudo wants a terminal: each round has a session with a PTY of its own, which ends with it.

A PTY joins standard error to the output, may echo and translate, and a hang-up reaches what runs on it. So it carries
one round and never the loop, and docker's events are not followed there: containers are read at the slow pace.
"""

from __future__ import annotations

import asyncssh

from incident_tui.fleet.channel import Answer, Channel, Clock, WantsTerminal
from incident_tui.fleet.settings import Host
from incident_tui.fleet.ssh import LinkFailure
from incident_tui.hosts.readings import LinkState
from incident_tui.hosts.sections import ChildStarted

READY_TIMEOUT = 15.0


class OneShot(Channel):
    """As a Channel, with a new session for each `ask`."""

    def __init__(self, host: Host, mode: str, clock: Clock) -> None:
        super().__init__(host, mode, clock, terminal=True)
        self._ssh: asyncssh.SSHClientConnection | None = None
        self._session: Channel | None = None
        self._seconds = READY_TIMEOUT

    async def start(self, connection: asyncssh.SSHClientConnection, seconds: float) -> None:
        """Open the session of the first round. Raises as Channel.start."""
        self._ssh, self._seconds = connection, seconds
        self._session = await self._opened()
        self.chatter, self.installed = self._session.chatter, self._session.installed

    async def _opened(self) -> Channel:
        if self._ssh is None or self.closed.is_set():
            raise LinkFailure(LinkState.LOST, f"{self._where}: the channel is closed")
        session = Channel(self.host, self.mode, self._clock, terminal=True)
        try:
            await session.start(self._ssh, self._seconds)
        except BaseException:
            session.abort()
            raise
        return session

    async def ask(self, words: list[str], seconds: float) -> Answer:
        session = self._session
        if session is None or session.closed.is_set() or session.asked:
            if session is not None:
                session.close()
            session = self._session = await self._opened()
        answer = await session.ask(words, seconds)
        self._end()
        return answer

    async def late(self, seconds: float) -> Answer:
        assert self._session is not None
        answer = await self._session.late(seconds)
        self._end()
        return answer

    @property
    def last_child(self) -> ChildStarted | None:
        return self._session.last_child if self._session is not None else None

    def _end(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def close(self) -> None:
        self.closed.set()
        self._end()

    def abort(self) -> None:
        self.closed.set()
        if self._session is not None:
            self._session.abort()


async def opened(
    connection: asyncssh.SSHClientConnection,
    host: Host,
    mode: str,
    clock: Clock,
    *,
    terminal: bool = False,
    seconds: float = READY_TIMEOUT,
) -> Channel:
    """A started channel; through a terminal where that is known or where sudo asks for one. Raises LinkFailure."""
    if not terminal:
        channel = Channel(host, mode, clock)
        try:
            await channel.start(connection, seconds)
        except WantsTerminal:
            pass
        else:
            return channel
    shots = OneShot(host, mode, clock)
    await shots.start(connection, seconds)
    return shots
