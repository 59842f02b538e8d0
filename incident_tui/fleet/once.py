"""One host, once: a complete reading now (`read`, `probe`), and what works and what does not (`check`)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from incident_tui.fleet import ssh
from incident_tui.fleet.channel import Channel, Clock
from incident_tui.fleet.host import SLOW_DEADLINE
from incident_tui.fleet.locking import has_summary, moving
from incident_tui.fleet.settings import Fleet, Host
from incident_tui.fleet.ssh import LinkFailure
from incident_tui.fleet.terminal import READY_TIMEOUT, opened
from incident_tui.hosts import installed, probe
from incident_tui.hosts.assemble import Assembler
from incident_tui.hosts.readings import GapKind, HostReading, Link, LinkState, System
from incident_tui.hosts.sections import Section

RATE_SECONDS = 1.0
"""Between the two looks at counters that make rates."""


Ask = Callable[[Channel, list[str], float], Awaitable[None]]


class Shot(msgspec.Struct, frozen=True):
    """One reading and the sections it came from, as `probe HOST` prints them. `sections` may hold foreign text."""

    reading: HostReading
    sections: tuple[Section, ...]


async def probe_once(host: Host, fleet: Fleet, clock: Clock, *, locking: bool = False) -> HostReading:
    """Everything a host says, now. Never raises for a host's trouble: the link of the reading says it.

    `locking` also asks for volume status and heals, which take the cluster's lock: only for one peer.
    """
    return (await shot(host, fleet, clock, locking=locking)).reading


async def shot(host: Host, fleet: Fleet, clock: Clock, *, locking: bool = False) -> Shot:
    """As `probe_once`, with the sections as they came."""
    now = clock()
    assembler = Assembler(host.name, host.roles, Link(state=LinkState.CONNECTING, sentence="", since=now, at=now))
    sections: list[Section] = []
    connection: ssh.Connection | None = None
    try:
        connection = await ssh.connect(host, fleet)
        now = clock()
        fast = await opened(connection.ssh, host, "fast", clock)
        assembler.heard_login(fast.chatter, fast.installed, terminal=fast.terminal)

        async def ask(channel: Channel, words: list[str], seconds: float) -> None:
            answer = await channel.ask(words, seconds)
            sections.extend(answer.sections)
            assembler.take(answer.sections, answer.asked, answer.at, answer.clock_at)

        await ask(fast, ["hello", "clock", "proc", "disk", "oom"], READY_TIMEOUT)
        assembler.linked(Link(state=LinkState.UP, sentence="", since=now, at=clock()))
        await _slow(assembler, host, connection, clock, ask, locking=locking, terminal=fast.terminal)
        await asyncio.sleep(RATE_SECONDS)
        await ask(fast, ["clock", "proc", "oom", *probe.cgroup_words(assembler.reading.docker)], READY_TIMEOUT)
        fast.close()
    except (LinkFailure, TimeoutError) as problem:
        failure = problem if isinstance(problem, LinkFailure) else _silent(host)
        assembler.linked(Link(state=failure.state, sentence=failure.sentence, since=clock(), at=clock()))
    finally:
        if connection is not None:
            await connection.close()
    return Shot(assembler.reading, tuple(sections))


async def _slow(
    assembler: Assembler,
    host: Host,
    connection: ssh.Connection,
    clock: Clock,
    ask: Ask,
    *,
    locking: bool,
    terminal: bool,
) -> None:
    """Docker, GlusterFS, and with `locking` the commands that lock, one after the other."""
    roles = [role for role in ("docker", "gluster") if not host.roles or role in host.roles]
    channel = await opened(connection.ssh, host, "slow", clock, terminal=terminal)
    for role in roles:
        try:
            await ask(channel, [role], SLOW_DEADLINE)
        except TimeoutError:
            sentence = f"no answer within {SLOW_DEADLINE:.0f} s; a command is stuck"
            assembler.missing(role, GapKind.HUNG, sentence, clock())
            channel.abort()
            return
    gluster = assembler.reading.gluster
    if locking and gluster is not None and gluster.glusterd_alive:
        for volume in gluster.volumes:
            if volume.status != "started":
                continue
            kinds = ["status"]
            if volume.set_size > 1:
                kinds += ["summary", "split"] if has_summary(gluster.version) else ["heal", "split"]
            words = [word for kind in kinds if (word := probe.volume_word(kind, volume.name))]
            await ask(channel, words, 3 * SLOW_DEADLINE)
            if moving(assembler.reading, volume) and (word := probe.volume_word("rebalance", volume.name)):
                await ask(channel, [word], SLOW_DEADLINE)
    channel.close()


async def demand(host: Host, fleet: Fleet, clock: Clock, words: list[str], seconds: float) -> Shot:
    """What is read only when somebody asks ("asked:changes", "asked:performance"), with the host's clock and whatever
    other `words` are asked. Never raises for a host's trouble: the link of the reading says it."""
    now = clock()
    assembler = Assembler(host.name, host.roles, Link(state=LinkState.CONNECTING, sentence="", since=now, at=now))
    sections: tuple[Section, ...] = ()
    connection: ssh.Connection | None = None
    try:
        connection = await ssh.connect(host, fleet)
        channel = await opened(connection.ssh, host, "asked", clock)
        answer = await channel.ask(["hello", "clock", *words], seconds)
        sections = answer.sections
        assembler.take(sections, answer.asked, answer.at, answer.clock_at)
        assembler.linked(Link(state=LinkState.UP, sentence="", since=now, at=clock()))
        channel.close()
    except (LinkFailure, TimeoutError) as problem:
        failure = problem if isinstance(problem, LinkFailure) else _silent(host)
        assembler.linked(Link(state=failure.state, sentence=failure.sentence, since=clock(), at=clock()))
    finally:
        if connection is not None:
            await connection.close()
    return Shot(assembler.reading, sections)


def _silent(host: Host) -> LinkFailure:
    return LinkFailure(LinkState.TIMEOUT, f"{host.name}: logged in, but the probe gives no answer")


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """One row of `check`. `ok` None: it could not be tried because something before it failed, or does not apply."""

    host: str
    what: str
    ok: bool | None
    sentence: str


STEPS = ("network", "host key", "login", "shell", "sudo", "docker", "gluster")
_FAILS_AT = {
    LinkState.DNS: "network",
    LinkState.UNREACHABLE: "network",
    LinkState.REFUSED: "network",
    LinkState.TIMEOUT: "network",
    LinkState.LOST: "network",
    LinkState.CONFIG: "network",
    LinkState.ALGORITHMS: "host key",
    LinkState.HOST_KEY_UNKNOWN: "host key",
    LinkState.HOST_KEY_CHANGED: "host key",
    LinkState.KEY_REFUSED: "login",
    LinkState.AGENT_DEAD: "login",
    LinkState.SHELL: "shell",
    LinkState.SUDO: "sudo",
}


async def check(host: Host, fleet: Fleet, clock: Clock) -> list[Checked]:
    """What works on the way to this host, step by step, and how to mend what does not. Never raises for its trouble."""
    reading = await probe_once(host, fleet, clock)
    return rows_of(host, reading)


def rows_of(host: Host, reading: HostReading) -> list[Checked]:
    """A reading as rows: everything before the step that failed worked, everything after it is untried."""
    failed = _FAILS_AT.get(reading.link.state)
    rows: list[Checked] = []
    for step in STEPS:
        ok: bool | None = True
        sentence = ""
        if failed is not None and STEPS.index(step) >= STEPS.index(failed):
            ok, sentence = (False, reading.link.sentence) if step == failed else (None, "not tried")
        elif step == "shell" and reading.system is not None:
            sentence = _shell(reading.system, host.name)
        elif step == "sudo" and not host.sudo:
            ok, sentence = None, "not used"
        elif step == "sudo" and reading.system is not None and reading.system.terminal:
            sentence = f"wants a terminal: a session each round, no events; {host.user or 'USER'} !requiretty mends it"
        elif step in ("docker", "gluster"):
            ok, sentence = _service(reading, step, step in host.roles)
        rows.append(Checked(host=host.name, what=step, ok=ok, sentence=sentence))
    return rows


def _shell(system: System, host: str) -> str:
    if system.installed:
        old = f", of another version; renew it: incident-tui probe --install {host}"
        return f"the installed probe answers ({system.installed}){old * (system.installed != installed.version())}"
    said = system.chatter[:60]
    return f'the login prints "{said}"; harmless here' if said else "/bin/sh runs the probe"


def _service(reading: HostReading, name: str, wanted: bool) -> tuple[bool | None, str]:
    gap = reading.gaps.get(name) or (reading.gaps.get("glusterd") if name == "gluster" else None)
    if gap is not None:
        absent = gap.kind is GapKind.ABSENT and not wanted
        return (None if absent else False), gap.sentence
    value = reading.docker if name == "docker" else reading.gluster
    if value is None:
        return None, "not asked"
    return True, f"version {value.version}" if value.version else "answers"
