"""Hosts that hang, say nothing or print without end: the others are read as if they were not there."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import asyncssh
import pytest

from incident_tui.fleet import channel
from incident_tui.fleet.fleet import Fleet
from incident_tui.fleet.settings import Fleet as Settings
from incident_tui.fleet.settings import Host
from incident_tui.fleet.turns import Turns
from incident_tui.hosts.readings import HostReading, LinkState

ROUNDS = 12
SETTINGS = Settings(fast_seconds=0.1, slow_seconds=60.0, connect_timeout=1.0)
Process = asyncssh.SSHServerProcess[bytes]
Answer = Callable[[Process, str, int], Awaitable[None]]


def now() -> datetime:
    return datetime.now(UTC)


async def well(process: Process, mark: str, number: int) -> None:
    body = f"{mark} SECTION clock\n{now().timestamp():f} +0000\n\n{mark} END clock 0 0 0\n"
    process.stdout.write(f"{mark} ROUND {number}\n{body}{mark} DONE {number}\n".encode())


async def hang(process: Process, mark: str, number: int) -> None:
    await asyncio.Event().wait()


class Flood:
    """A section without end; `sent` counts its bytes."""

    sent = 0

    async def __call__(self, process: Process, mark: str, number: int) -> None:
        process.stdout.write(f"{mark} ROUND {number}\n{mark} SECTION proc\n".encode())
        while not process.channel.is_closing():
            process.stdout.write(b"y\n" * 16384)
            self.sent += 32768
            await process.stdout.drain()


@asynccontextmanager
async def served(directory: Path, name: str, answer: Answer) -> AsyncIterator[Host]:
    """An embedded server whose shell speaks the probe's framing and answers each request in this way."""
    key, host_key = asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-ed25519")
    key.write_private_key(str(directory / f"{name}.key"))

    async def session(process: Process) -> None:
        mark = ""
        async for line in process.stdin:
            if started := re.match(rb"itui_main \w+ (\w+) ", line):
                mark = started[1].decode()
                process.stdout.write(f"\n{mark} READY 1 fast\n".encode())
            elif mark and (asked := re.match(rb"(\d+) (?!ping)", line)):
                await answer(process, mark, int(asked[1]))

    acceptor = await asyncssh.create_server(
        asyncssh.SSHServer,
        "127.0.0.1",
        0,
        server_host_keys=[host_key],
        authorized_client_keys=asyncssh.import_authorized_keys(key.export_public_key().decode()),
        process_factory=session,
        encoding=None,
    )
    public = host_key.export_public_key().decode()
    (directory / f"{name}.known").write_text(f"[127.0.0.1]:{acceptor.get_port()} {public}")
    yield host(directory, name, acceptor.get_port())
    acceptor.close()


def host(directory: Path, name: str, port: int) -> Host:
    return Host(
        name=name,
        address="127.0.0.1",
        port=port,
        user="u",
        roles=("none",),
        identity_file=str(directory / f"{name}.key"),
        known_hosts=str(directory / f"{name}.known"),
    )


@asynccontextmanager
async def mute(directory: Path) -> AsyncIterator[Host]:
    """Accepts and never says a word."""
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    (directory / "mute.known").write_text("")
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(str(directory / "mute.key"))
    yield host(directory, "mute", server.sockets[0].getsockname()[1])
    server.close()


async def test_a_host_in_trouble_costs_the_others_no_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "FLOOD_LIMIT", 1 << 20)
    flood = Flood()
    rounds: dict[str, int] = {}
    states: dict[str, list[tuple[LinkState, str]]] = {}
    done = asyncio.Event()

    def heard(reading: HostReading) -> None:
        if reading.clock is not None:
            rounds[reading.host] = rounds.get(reading.host, 0) + 1
        states.setdefault(reading.host, []).append((reading.link.state, reading.link.sentence))
        bad = {state for name in ("mute", "flood") for state, _ in states.get(name, [])}
        if min(rounds.get(f"good{n}", 0) for n in range(3)) >= ROUNDS and bad >= {LinkState.TIMEOUT, LinkState.LOST}:
            done.set()

    async with (
        served(tmp_path, "good0", well) as good0,
        served(tmp_path, "hang", hang) as hanging,
        mute(tmp_path) as silent,
        served(tmp_path, "flood", flood) as flooding,
        served(tmp_path, "good1", well) as good1,
        served(tmp_path, "good2", well) as good2,
    ):
        fleet = Fleet([silent, hanging, flooding, good0, good1, good2], SETTINGS, now, heard)
        task = asyncio.create_task(fleet.run())
        try:
            async with asyncio.timeout(20):
                await done.wait()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    good = [rounds[f"good{n}"] for n in range(3)]
    assert max(good) - min(good) <= ROUNDS / 3, rounds
    assert "hang" not in rounds and "mute" not in rounds and "flood" not in rounds
    assert {state for n in range(3) for state, _ in states[f"good{n}"]} <= {LinkState.CONNECTING, LinkState.UP}
    assert any("prints without end" in sentence for _, sentence in states["flood"])
    # What was on its way when the channel was given up is bounded by SSH's window, some MiB, at each of a few tries.
    assert flood.sent < 60 * (1 << 20)


async def test_connections_take_turns_and_nobody_keeps_one(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    turns = Turns()
    for _ in range(4):
        await turns.take()
    assert len(waits) == 3 and waits == sorted(waits) and 0.1 < waits[-1] <= 0.15
