"""What reading a host costs it, measured there over real rounds: processes started, CPU and bytes, a minute.

Rounds of each kind are run one after the other, and what they used is taken times the pace of the settings. CPU is what
the probe's shell says of itself and of all it has waited for (`times`, a builtin, in ticks of 10 ms in some shells: so
many rounds). Processes are the growth of the kernel's own counter between two readings; others start processes, too, so
the smallest growth counts, and it is "at most". Not in it: sshd, the daemons that answer, and the commands that lock.
"""

from __future__ import annotations

import re

import msgspec

from incident_tui.fleet import ssh
from incident_tui.fleet.channel import Channel, Clock
from incident_tui.fleet.host import SLOW_DEADLINE
from incident_tui.fleet.settings import Fleet, Host
from incident_tui.fleet.ssh import LinkFailure
from incident_tui.fleet.terminal import READY_TIMEOUT, opened
from incident_tui.hosts.probe import brick_words, cgroup_words
from incident_tui.hosts.readings import GapKind, HostReading, LinkState
from incident_tui.hosts.sections import Section

FAST_ROUNDS, DISK_ROUNDS, SLOW_ROUNDS = 10, 3, 2
_TIMES = re.compile(r"(\d{1,9})m(\d{1,2}\.\d{1,6})s")
_PROCESSES = re.compile(r"(?m)^\S*/proc/stat:processes (\d{1,18})$")


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """Of one minute at the configured pace. None: not known."""

    processes: int | None
    """At most so many."""
    cpu_seconds: float | None
    bytes: int
    """Both ways, without what SSH and TCP add."""

    @property
    def sentence(self) -> str:
        started = "?" if self.processes is None else f"at most {self.processes}"
        cpu = "?" if self.cpu_seconds is None else f"{self.cpu_seconds:.2f}"
        return f"{started} processes, {cpu} s of CPU and {self.bytes / 1000:.0f} kB a minute"


async def measure(host: Host, fleet: Fleet, clock: Clock, reading: HostReading) -> Cost | None:
    """On a connection of its own, some seconds long. None where a round cannot be measured: the host is not connected,
    each round has a session of its own (sudo's terminal), or an installed probe does not know the question."""
    system = reading.system
    if reading.link.state is not LinkState.UP or (system is not None and system.terminal):
        return None
    connection: ssh.Connection | None = None
    try:
        connection = await ssh.connect(host, fleet)
        fast = await opened(connection.ssh, host, "fast", clock)
        usual = ["clock", "proc", *cgroup_words(reading.docker), *brick_words(reading.gluster)]
        rounds = await _used(fast, fast, usual, FAST_ROUNDS)
        disks = await _used(fast, fast, [*usual, "disk", "oom"], DISK_ROUNDS)
        a_minute = [
            (rounds, max(0.0, 60 / fleet.fast_seconds - 60 / fleet.slow_seconds)),
            (disks, 60 / fleet.slow_seconds),
        ]
        if words := [role for role in ("docker", "gluster") if _there(host, reading, role)]:
            slow = await opened(connection.ssh, host, "slow", clock)
            a_minute.append((await _used(slow, fast, words, SLOW_ROUNDS), 60 / fleet.slow_seconds))
            slow.close()
        fast.close()
    except (LinkFailure, TimeoutError):
        return None
    finally:
        if connection is not None:
            await connection.close()
    return _summed(a_minute)


class _Used(msgspec.Struct, frozen=True):
    """By one round."""

    processes: int | None
    cpu_seconds: float | None
    bytes: float


async def _used(channel: Channel, counter: Channel, words: list[str], count: int) -> _Used:
    """Rounds of these words on `channel`; the kernel's count of processes is read on `counter` around each."""
    own = await _growth(counter, counter, ["proc"], count) if channel is not counter else 0
    cpu, size = await _cpu(channel), channel.bytes
    growth = await _growth(channel, counter, words, count)
    size = channel.bytes - size
    after = await _cpu(channel)
    return _Used(
        None if growth is None or own is None else max(0, growth - own),
        None if cpu is None or after is None else (after - cpu) / count,
        size / count,
    )


async def _growth(channel: Channel, counter: Channel, words: list[str], count: int) -> int | None:
    """The smallest growth of the number of processes ever started from one round to the next."""
    grown: list[int | None] = []
    before = _processes((await counter.ask(["proc"] if channel is not counter else words, READY_TIMEOUT)).sections)
    for _ in range(count):
        answer = await channel.ask(words, SLOW_DEADLINE)
        if channel is not counter:
            answer = await counter.ask(["proc"], READY_TIMEOUT)
        now = _processes(answer.sections)
        grown.append(None if before is None or now is None else now - before)
        before = now
    known = [each for each in grown if each is not None]
    return min(known) if known else None


def _processes(sections: tuple[Section, ...]) -> int | None:
    body = next((section.body for section in sections if section.name == "proc"), "")
    found = _PROCESSES.search(body)
    return int(found[1]) if found else None


async def _cpu(channel: Channel) -> float | None:
    """Seconds the probe's shell and what it waited for have used so far. None: an installed probe that cannot say."""
    sections = (await channel.ask(["cost"], READY_TIMEOUT)).sections
    return next((parse_times(section.body) for section in sections if section.name == "cost"), None)


def parse_times(body: str) -> float | None:
    """Sum of the four times that the builtin `times` prints, in seconds."""
    found = _TIMES.findall(body)
    return sum(60 * int(minutes) + float(seconds) for minutes, seconds in found) if len(found) == 4 else None


def _there(host: Host, reading: HostReading, role: str) -> bool:
    gap = reading.gaps.get(role)
    return role in host.roles if host.roles else gap is None or gap.kind is not GapKind.ABSENT


def _summed(a_minute: list[tuple[_Used, float]]) -> Cost:
    processes = _total([(used.processes, times) for used, times in a_minute])
    return Cost(
        processes=None if processes is None else round(processes),
        cpu_seconds=_total([(used.cpu_seconds, times) for used, times in a_minute]),
        bytes=round(sum(used.bytes * times for used, times in a_minute)),
    )


def _total(parts: list[tuple[float | None, float]]) -> float | None:
    """None as soon as one part is not known."""
    known = [value * times for value, times in parts if value is not None]
    return sum(known) if len(known) == len(parts) else None
