"""Client CPU of one poll: our channel against others that get the same reading from a real sshd, in turn.

    python benchmarks/poll.py [ROUNDS]

Against `conn.run()` of asyncssh (goal: 0.25 at most), and against paramiko and parallel-ssh (goal: 0.3 at most of
each), with connections that are open already. One process, blocks of 25 polls in turn, medians. Parsing what came is
ours alone and is printed by itself.

Where a poll's CPU goes (a poll comes out of a sleep, with cold caches, so that code costs four to nine times what it
costs in a loop): of 235 us, framing, clocks and futures take 50, which are ours; the other 185 are asyncssh (encryption
and decryption, dispatch, the window), the loop and the kernel: asyncssh answered with one future and no framing costs
as much. Not in it any more: a line of log worded for each packet (15), a keepalive timer renewed with each (15), filler
packets, room for 256 KiB a read (8). uvloop would take 25 off ours and off `conn.run()` alike. The same wake-up over
bare TCP costs 90. Only fewer requests would save more, and a script that paces itself would cost the host a process
each round.

Needs sshd (package openssh-server); `pip install -e '.[bench]'` brings the others.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import asyncssh

from benchmarks.servers.sshd import Sshd, clean_home
from incident_tui.fleet import ssh
from incident_tui.fleet.channel import Answer
from incident_tui.fleet.settings import Fleet, Host
from incident_tui.fleet.terminal import opened
from incident_tui.hosts.assemble import Assembler
from incident_tui.hosts.readings import Link, LinkState

BLOCK = 25
WORDS = ["clock", "proc"]
"""A fast round as it is asked most of the time."""
ONE_SHOT = (
    "date '+%s.%N %z'; grep -sHE '^(MemTotal|MemFree|MemAvailable|Buffers|Cached|Shmem|SReclaimable|SwapTotal|SwapFree"
    "|some |full |cpu |btime |pswpin |pswpout |oom_kill |[0-9])' /proc/loadavg /proc/uptime /proc/stat /proc/meminfo "
    "/proc/vmstat /proc/pressure/memory /proc/pressure/io /proc/pressure/cpu"
)
"""The same reading as one command, at its cheapest: no framing, no limits."""
Poll = Callable[[], bytes]


def now() -> datetime:
    return datetime.now(UTC)


async def plainly(host: Host) -> asyncssh.SSHClientConnection:
    """As anybody connects with asyncssh: the library's own choices, and none of ours."""
    return await asyncssh.connect(
        host.address, host.port, username=host.user, client_keys=[host.identity_file], known_hosts=None
    )


def by_paramiko(host: Host) -> Poll | None:
    try:
        import paramiko
    except ImportError:
        return None
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    client.connect(host.address, host.port, host.user, key_filename=host.identity_file, allow_agent=False)
    return lambda: bytes(client.exec_command(ONE_SHOT)[1].read())


def by_parallel_ssh(host: Host) -> Poll | None:
    try:
        from pssh.clients import SSHClient
    except ImportError:
        return None
    client = SSHClient(host.address, user=host.user, port=host.port, pkey=host.identity_file, allow_agent=False)

    def poll() -> bytes:
        output = client.run_command(ONE_SHOT)
        said = "\n".join(output.stdout).encode()
        client.wait_finished(output)
        return said

    return poll


def block(poll: Poll) -> list[float]:
    """Seconds of CPU of each of so many polls."""
    times = []
    for _ in range(BLOCK):
        began = time.process_time()
        said = poll()
        times.append(time.process_time() - began)
        assert b"MemTotal" in said, said
    return times


async def awaited(poll: Callable[[], Awaitable[Any]]) -> list[float]:
    times = []
    for _ in range(BLOCK):
        began = time.process_time()
        said = await poll()
        times.append(time.process_time() - began)
        assert said
    return times


def parse(answer: Answer, rounds: int) -> float:
    """Seconds of CPU that understanding one round costs."""
    link = Link(state=LinkState.UP, sentence="", since=now(), at=now())
    assembler = Assembler("bench", (), link)
    began = time.process_time()
    for _ in range(rounds):
        assembler.take(answer.sections, answer.asked, answer.at, answer.clock_at)
    return (time.process_time() - began) / rounds


def measure(host: Host, rounds: int) -> list[str]:
    """The goals that were missed."""
    with asyncio.Runner() as runner:
        connection = runner.run(ssh.connect(host, Fleet()))
        plain = runner.run(plainly(host))
        channel = runner.run(opened(connection.ssh, host, "fast", now))
        connection.ssh.set_keepalive(0)  # as for every host from its first answer on

        async def by_exec() -> Any:
            return (await plain.run(ONE_SHOT, encoding=None)).stdout

        blocks: dict[str, Callable[[], list[float]]] = {
            "channel": lambda: runner.run(awaited(lambda: channel.ask_alive(connection.ssh, WORDS, 15, 5))),
            "conn.run()": lambda: runner.run(awaited(by_exec)),
        }
        for name, made in (("paramiko", by_paramiko), ("parallel-ssh", by_parallel_ssh)):
            if (poll := made(host)) is None:
                print(f"{name}: not installed, not measured (pip install -e '.[bench]')")
            else:
                blocks[name] = partial(block, poll)
        times: dict[str, list[float]] = {name: [] for name in blocks}
        for turn in range(1 + max(1, rounds // BLOCK)):
            for name, one in blocks.items():
                times[name] += one() if turn else one()[:0]  # the first warms up
        costs = {name: statistics.median(each) for name, each in times.items()}
        parsing = parse(runner.run(channel.ask(WORDS, 10)), rounds)
        runner.run(connection.close())
        plain.close()
        runner.run(plain.wait_closed())
    mine = costs.pop("channel")
    print(
        f"client CPU a poll, median of {rounds}: channel {mine * 1e3:.3f} ms; parsing what came {parsing * 1e3:.3f} ms"
    )
    missed = []
    for name, cost in costs.items():
        goal = 0.25 if name == "conn.run()" else 0.3
        good = mine / cost <= goal
        print(f"{name} {cost * 1e3:.3f} ms: ratio {mine / cost:.2f} (goal {goal:g}) {'ok' if good else 'MISSED'}")
        missed += [] if good else [name]
    return missed


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    with tempfile.TemporaryDirectory() as scratch:
        clean_home(Path(scratch))
        server = Sshd(Path(scratch))
        try:
            missed = measure(server.host(), rounds)
        finally:
            server.process.kill()
            server.process.wait()
    if missed:
        sys.exit(f"missed against {', '.join(missed)}")


if __name__ == "__main__":
    main()
