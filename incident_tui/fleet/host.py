"""One host: a connection, up to four channels, and its latest HostReading, kept up for as long as `run` runs.

Rounds: **fast** /proc and files; **slow** Docker and GlusterFS without locks; on the one elected peer, on a channel of
their own, the Gluster commands that lock, one after the other, at least 30 s apart. **events** follows `docker events`
and asks for a Docker reading at once. A round that does not come by its deadline makes the host unknown, never well.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import timedelta

from incident_tui.fleet import ssh
from incident_tui.fleet.channel import Answer, Channel, Clock
from incident_tui.fleet.locking import Locking, field_of
from incident_tui.fleet.settings import Fleet, Host
from incident_tui.fleet.ssh import LinkFailure
from incident_tui.fleet.stuck import Stuck
from incident_tui.fleet.terminal import READY_TIMEOUT, OneShot, opened
from incident_tui.fleet.turns import Turns
from incident_tui.hosts import docker
from incident_tui.hosts.assemble import Assembler
from incident_tui.hosts.probe import brick_words, cgroup_words
from incident_tui.hosts.raw import RawText
from incident_tui.hosts.readings import GapKind, HostReading, Link, LinkState
from incident_tui.hosts.sections import EventLine, FollowerChanged, Section

FIRST_RETRY, LAST_RETRY = 1.0, 60.0
SLOW_DEADLINE, LOCK_DEADLINE = 75.0, 165.0
"""Client-side limits of a slow round, without and with locks: the sum of its commands' own limits, and some."""
PING_SECONDS = 25.0
BRIEF_FOLLOWS = 3
"""Followers of docker's events that end within PING_SECONDS, one after the other: from so many on, they do not last."""
SETTLE_SECONDS = 0.15
"""After an event, so that a burst (kill, die, stop, start) makes one reading."""
_WAKING = frozenset(
    {
        *("die", "oom", "start", "stop", "kill", "pause", "unpause"),
        *("restart", "create", "destroy", "remove", "health_status"),
    }
)


class HostLink:
    """`run()` until cancelled. `on_reading(reading)` after every change, on the event loop."""

    def __init__(
        self,
        host: Host,
        fleet: Fleet,
        clock: Clock,
        on_reading: Callable[[HostReading], None],
        *,
        dice: random.Random | None = None,
        turns: Turns | None = None,
    ) -> None:
        self.host = host
        self.elected = False
        """Set by the fleet: this peer runs the Gluster commands that lock."""
        self._fleet = fleet
        self._clock = clock
        self._on_reading = on_reading
        self._dice = dice or random.Random()
        self._turns = turns or Turns()
        now = clock()
        self._assembler = Assembler(host.name, host.roles, Link(state=LinkState.NEVER, sentence="", since=now, at=now))
        self._wake = asyncio.Event()
        self._hurry = asyncio.Event()
        self._full = False
        self._stuck = Stuck()
        self.locking = Locking(fleet, self._dice)
        self._connection: ssh.Connection | None = None
        self._terminal = False

    @property
    def reading(self) -> HostReading:
        return self._assembler.reading

    @property
    def raw(self) -> RawText:
        """What the host's commands printed last."""
        return self._assembler.raw.text()

    def forget(self, gaps: set[str]) -> HostReading:
        """What could not be had here, and another peer has read since."""
        return self._assembler.forget(gaps)

    def refresh(self) -> None:
        """Read everything now that takes no lock; connect now when it is between two tries."""
        self._full = True
        self._hurry.set()
        self._wake.set()

    async def demand(self, words: list[str], seconds: float) -> tuple[Section, ...]:
        """What is read only when asked for ("asked:log:ID", …), on a channel that is closed afterwards; the rounds go
        on meanwhile. Raises LinkFailure, also when the host is not connected, and TimeoutError."""
        connection = self._connection
        if connection is None:
            raise LinkFailure(LinkState.LOST, f"{self.host.name}: not connected")
        channel = await opened(connection.ssh, self.host, "asked", self._clock, terminal=self._terminal)
        try:
            return (await channel.ask(words, seconds)).sections
        finally:
            channel.close()

    async def _wait(self, seconds: float) -> bool:
        """Sleep, or less when somebody asks for a fresh reading; then True."""
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._hurry.wait()
        except TimeoutError:
            return False
        self._hurry.clear()
        return True

    def _link(self, state: LinkState, sentence: str = "", retry: float | None = None) -> None:
        now = self._clock()
        later = None if retry is None else now + timedelta(seconds=retry)
        link = Link(state=state, sentence=sentence, since=now, at=now, next_try=later)
        self._on_reading(self._assembler.linked(link))

    async def run(self) -> None:
        """Connect, read, reconnect with jittered back-off. Ends only by cancellation, and leaves nothing behind."""
        failures = 0
        while True:
            began = self._clock()
            failure = LinkFailure(LinkState.LOST, f"{self.host.name}: the connection was lost")
            try:
                await self._connected()
            except LinkFailure as problem:
                failure = problem
            if self._clock() - began > timedelta(seconds=60):
                failures = 0
            failures += 1
            wait = min(LAST_RETRY, FIRST_RETRY * 2 ** min(failures - 1, 8)) * self._dice.uniform(0.5, 1.5)
            self._link(failure.state, failure.sentence, wait)
            await self._wait(wait)

    async def _connected(self) -> None:
        """One connection's life."""
        if self.reading.link.state is LinkState.NEVER:
            self._link(LinkState.CONNECTING, f"{self.host.name}: connecting")
        await self._turns.take()
        self._connection = connection = await ssh.connect(self.host, self._fleet)
        try:
            fast = await opened(connection.ssh, self.host, "fast", self._clock)
            self._terminal = fast.terminal
            self._assembler.heard_login(fast.chatter, fast.installed, terminal=fast.terminal)
            first = await self._ask(fast, ["hello", *self._fast_words(everything=True)], READY_TIMEOUT)
            self._assembler.take(first.sections, first.asked, first.at, first.clock_at)
            self._assembler.follows(not self._terminal)
            self._link(LinkState.UP)
            connection.ssh.set_keepalive(0)  # from here each fast round is a sign of life
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._fast(fast))
                if self._has("docker") or self._has("gluster"):
                    tasks.create_task(self._slow())
                if self._has("gluster"):
                    tasks.create_task(self._lock())
                if self._has("docker") and not self._terminal:
                    tasks.create_task(self._events())
        except BaseExceptionGroup as group:
            ours, other = group.split(LinkFailure)
            if ours is None or other is not None:
                raise
            raise _first(ours) from None
        finally:
            self._stuck.clear()
            self._connection = None
            if connection.ssh.is_closed():
                connection.abort()
            else:
                await connection.close()

    def _has(self, role: str) -> bool:
        """Whether to ask for it: by role, or, where no role is given, by what was found."""
        if self.host.roles:
            return role in self.host.roles
        gap = self.reading.gaps.get(role)
        return gap is None or gap.kind is not GapKind.ABSENT

    async def _ask(self, channel: Channel, words: list[str], seconds: float) -> Answer:
        assert self._connection is not None
        try:
            return await channel.ask_alive(self._connection.ssh, words, seconds, self._fleet.keepalive_seconds)
        except TimeoutError:
            sentence = f"{self.host.name}: logged in, but no answer for {seconds:.0f} s"
            raise LinkFailure(LinkState.TIMEOUT, sentence) from None

    def _fast_words(self, *, everything: bool) -> list[str]:
        words = ["clock", "proc"]
        if everything:
            words += ["disk", "oom"]
        words += cgroup_words(self.reading.docker) + brick_words(self.reading.gluster)
        return words + self._stuck.words()

    async def _fast(self, channel: Channel) -> None:
        """Every fast_seconds; disks and the kernel log every slow_seconds, the log also when its counter moved."""
        loop = asyncio.get_running_loop()
        # A phase of its own: many hosts must not answer in the same instant.
        next_round = loop.time() + self._fleet.fast_seconds * self._dice.uniform(0.5, 1.0)
        next_disk = loop.time() + self._fleet.slow_seconds * self._dice.uniform(0.8, 1.0)
        counter = self._assembler.oom_counter
        while True:
            asked = await self._wait(next_round - loop.time())
            if not asked:  # one that was asked for comes between, or all would go on in step
                next_round = max(next_round, loop.time()) + self._fleet.fast_seconds
            everything = asked or loop.time() >= next_disk
            if everything:
                next_disk = loop.time() + self._fleet.slow_seconds
            deadline = max(15.0, 2 * self._fleet.fast_seconds)
            served = len(brick_words(self.reading.gluster))
            answer = await self._ask(channel, self._fast_words(everything=everything), deadline)
            self._assembler.take(answer.sections, answer.asked, answer.at, answer.clock_at)
            self._stuck.look(answer, self._assembler)
            if len(brick_words(self.reading.gluster)) < served:
                self._full = True
                self._wake.set()
            if self._assembler.oom_counter != counter:
                counter = self._assembler.oom_counter
                answer = await self._ask(channel, ["oom"], deadline)
                self._assembler.take(answer.sections, answer.asked, answer.at)
                self._wake.set()
            self._on_reading(self.reading)

    async def _slow(self) -> None:
        while True:
            channel = await self._open("slow")
            if channel is None:
                none = "the host gives us no second session (MaxSessions?)"
                for role in ("docker", "gluster"):
                    self._assembler.missing(role, GapKind.FAILED, none, self._clock())
                self._on_reading(self.reading)
                await asyncio.sleep(self._fleet.slow_seconds)
                continue
            try:
                await self._slow_rounds(channel)
            finally:
                channel.close()
            await asyncio.sleep(self._dice.uniform(1, 3))

    async def _open(
        self, mode: str, on_event: Callable[[EventLine | FollowerChanged], None] | None = None
    ) -> Channel | None:
        """None when the host refuses one more channel; the others go on. Raises only when the connection is gone."""
        assert self._connection is not None
        channel = Channel(self.host, mode, self._clock, on_event=on_event)
        if self._terminal:
            channel = OneShot(self.host, mode, self._clock)
        try:
            await channel.start(self._connection.ssh, READY_TIMEOUT)
        except LinkFailure:
            if self._connection is None or self._connection.ssh.is_closed():
                raise
            return None
        return channel

    async def _slow_rounds(self, channel: Channel) -> None:
        """Returns when the channel has to be opened anew."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            woken = await self._sleep_or_wake(due - loop.time())
            words = [role for role in ("docker", "gluster") if self._has(role)]
            if woken and not self._full:
                words = ["docker"]
            else:
                self._full = False
                due = loop.time() + self._fleet.slow_seconds * self._dice.uniform(0.9, 1.1)
            for word in words:  # each a round: a glusterd that hangs does not hold up what Docker says
                if not await self._slow_round(channel, [word], SLOW_DEADLINE):
                    return

    async def _lock(self) -> None:
        """While this peer is elected: the commands that lock, on a channel of their own. One of them waits for as long
        as any glusterd of the cluster hangs, and must not hold up what is read here without a lock."""
        while True:
            if self.elected and (channel := await self._open("slow")) is not None:
                try:
                    await self._lock_rounds(channel)
                finally:
                    channel.close()
            await asyncio.sleep(self._dice.uniform(1, 3))

    async def _lock_rounds(self, channel: Channel) -> None:
        """Returns when the channel has to be opened anew, or another peer is elected."""
        while self.elected:
            for words in self.locking.due(self.reading, self._clock()):
                if self.elected and not await self._slow_round(channel, words, LOCK_DEADLINE):
                    return
            await asyncio.sleep(self._fleet.slow_seconds * self._dice.uniform(0.9, 1.1))

    async def _sleep_or_wake(self, seconds: float) -> bool:
        """True when an event asked for a reading before the time was up."""
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._wake.wait()
        except TimeoutError:
            return False
        await asyncio.sleep(SETTLE_SECONDS)
        self._wake.clear()
        return True

    async def _slow_round(self, channel: Channel, words: list[str], deadline: float) -> bool:
        """False when the channel is of no more use. A late round is waited for, not asked for again."""
        try:
            answer = await channel.ask(words, deadline)
        except TimeoutError:
            if (late := await self._outlived(channel, words, deadline)) is None:
                return False
            answer = late
        except LinkFailure:
            if self._connection is None or self._connection.ssh.is_closed() or channel.flooded:
                raise
            return False
        self._assembler.take(answer.sections, answer.asked, answer.at)
        self._on_reading(self.reading)
        return True

    async def _outlived(self, channel: Channel, words: list[str], deadline: float) -> Answer | None:
        """A command outlived its own limit (state D): say so, and wait for as long as it lives."""
        child = channel.last_child
        for word in words:
            what = child.section if child else word
            sentence = f"{what}: no answer within {deadline:.0f} s; the command is stuck"
            self._assembler.missing(field_of(word), GapKind.HUNG, sentence, self._clock())
        self._on_reading(self.reading)
        if child is None:
            return None
        self._stuck.hold(channel, child.section, child.pid)
        while self._stuck.holds(channel):
            try:
                answer = await channel.late(self._fleet.fast_seconds)
            except TimeoutError:
                continue
            except LinkFailure:
                return None
            self._stuck.release(channel, self._assembler)
            return answer
        return None

    async def _events(self) -> None:
        """Follow docker's events; where that ends (daemon restarted), start again and read at once. Where it ends at
        once again and again, or no session is left for it, containers are polled, and the reading says so."""
        wait, brief = 5.0, 0
        while True:
            ended = asyncio.Event()
            nothing = False

            def heard(message: EventLine | FollowerChanged, ended: asyncio.Event = ended) -> None:
                nonlocal nothing
                if isinstance(message, FollowerChanged):
                    nothing = message.state == "none"
                    if message.state != "on":
                        ended.set()
                elif (event := docker.parse_event(message.line)) is not None:
                    before = self.reading
                    self._assembler.follows(True)
                    self._assembler.event(event, self._clock())
                    if self.reading.docker != before.docker:
                        self._on_reading(self.reading)
                    if event.action in _WAKING:
                        self._wake.set()

            channel = await self._open("events", heard)
            if channel is None:
                self._assembler.follows(False)
                await asyncio.sleep(60.0)
                continue
            began = self._clock()
            self._wake.set()
            try:
                while not ended.is_set() and not channel.closed.is_set():
                    try:
                        async with asyncio.timeout(PING_SECONDS):
                            await ended.wait()
                    except TimeoutError:
                        brief = 0
                        self._assembler.follows(True)
                        channel.ping()
            finally:
                channel.close()
            if channel.flooded:
                raise channel.failure
            if nothing:
                return
            brief += 1
            if brief >= BRIEF_FOLLOWS:
                self._assembler.follows(False)
            self._wake.set()
            wait = 5.0 if self._clock() - began > timedelta(seconds=60) else min(60.0, wait * 2)
            await asyncio.sleep(wait * self._dice.uniform(0.5, 1.5))


def _first(group: BaseExceptionGroup[LinkFailure]) -> LinkFailure:
    problem = group.exceptions[0]
    return _first(problem) if isinstance(problem, BaseExceptionGroup) else problem
