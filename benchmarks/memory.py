"""Memory of a watched host above the bare SSH connection to it, many of each, in a process of its own.

    python benchmarks/memory.py [HOSTS]

HOSTS (60) connections to a real sshd: one process only opens them, the other runs a link on each, with the real probe,
ten rounds and the raw texts that are kept. What each process has grown by since its first five, by connection. Goal: at
most 100 KiB more than the bare connection.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from benchmarks.fleet import resident
from benchmarks.poll import now
from benchmarks.servers.sshd import Sshd, clean_home
from incident_tui.fleet import ssh
from incident_tui.fleet.host import HostLink
from incident_tui.fleet.settings import Fleet, Host
from incident_tui.hosts.readings import HostReading

WARM = 5
ROUNDS = 10
GOAL = 100.0
SETTINGS = Fleet(fast_seconds=0.5, slow_seconds=2.0)


async def bare(hosts: list[Host]) -> None:
    """Prints how far the process has grown with the first and with all."""
    connections = []
    for number, host in enumerate(hosts, 1):
        connections.append(await ssh.connect(host, SETTINGS))
        if number in (WARM, len(hosts)):
            print(resident_here())
    for connection in connections:
        await connection.close()


async def watched(hosts: list[Host]) -> None:
    """The same with links, after so many rounds of each."""
    rounds = dict.fromkeys((host.name for host in hosts), 0)
    wanted = asyncio.Event()

    def heard(reading: HostReading) -> None:
        if reading.memory is not None:
            rounds[reading.host] += 1
        if all(rounds[task.get_name()] >= ROUNDS for task in tasks):
            wanted.set()

    tasks: list[asyncio.Task[None]] = []
    for number, host in enumerate(hosts, 1):
        tasks.append(asyncio.create_task(HostLink(host, SETTINGS, now, heard).run(), name=host.name))
        await asyncio.sleep(0.05)
        if number in (WARM, len(hosts)):
            wanted.clear()
            async with asyncio.timeout(60):
                await wanted.wait()
            print(resident_here())
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def resident_here() -> float:
    return resident(os.getpid())


def grown(what: str, server: Sshd, count: int) -> float:
    """KiB a connection, of a fresh process that runs this file."""
    hosts = [server.host(f"node{number:03}") for number in range(count)]
    words = [sys.executable, __file__, "--part", what, msgspec.json.encode(hosts).decode()]
    done = subprocess.run(words, capture_output=True, text=True, timeout=110)
    if done.returncode:
        sys.exit(done.stderr[-400:])
    first, last = map(float, done.stdout.split())
    return (last - first) / (count - WARM)


def main() -> None:
    if sys.argv[1:2] == ["--part"]:
        hosts = msgspec.json.decode(sys.argv[3], type=list[Host])
        asyncio.run((bare if sys.argv[2] == "bare" else watched)(hosts))
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    with tempfile.TemporaryDirectory() as scratch:
        clean_home(Path(scratch))
        server = Sshd(Path(scratch))
        try:
            alone, whole = grown("bare", server, count), grown("watched", server, count)
        finally:
            server.process.kill()
            server.process.wait()
    above = whole - alone
    print(f"memory a host: bare connection {alone:.0f} KiB, watched {whole:.0f} KiB")
    print(f"above it: {above:.0f} KiB, {whole / max(1.0, alone):.1f} times (goal {GOAL:.0f} KiB more at most)")
    if above > GOAL:
        sys.exit("missed: memory a host")


if __name__ == "__main__":
    main()
