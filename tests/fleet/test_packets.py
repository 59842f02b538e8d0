"""What goes over the line for a poll: every packet is an encryption, a system call, and work on the other side."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from asyncssh.connection import SSHConnection
from asyncssh.constants import MSG_CHANNEL_DATA, MSG_GLOBAL_REQUEST, MSG_IGNORE

from incident_tui.fleet import ssh
from incident_tui.fleet.host import HostLink
from incident_tui.fleet.settings import Fleet
from incident_tui.fleet.terminal import opened
from incident_tui.hosts.readings import HostReading, LinkState
from tests.fleet.silent import Silent


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Counter[int]:
    """Packets by type, of all connections of this process."""
    count: Counter[int] = Counter()
    whole = SSHConnection.send_packet

    def send(self: SSHConnection, pkttype: int, *args: bytes, **options: Any) -> None:
        count[pkttype] += 1
        whole(self, pkttype, *args, **options)

    monkeypatch.setattr(SSHConnection, "send_packet", send)
    return count


def now() -> datetime:
    return datetime.now(UTC)


async def polled(host: Any, sent: Counter[int]) -> None:
    connection = await ssh.connect(host, Fleet(connect_timeout=5.0))
    try:
        channel = await opened(connection.ssh, host, "fast", now)
        sent.clear()
        for _ in range(3):
            await channel.ask(["clock", "proc"], 10)
    finally:
        connection.abort()


async def test_a_poll_is_one_packet_from_us(sshd: Any, sent: Counter[int]) -> None:
    await polled(sshd.host(), sent)
    assert sent == {MSG_CHANNEL_DATA: 3}


async def test_cbc_keeps_the_packets_that_guard_it(start_sshd: Any, sent: Counter[int]) -> None:
    await polled(start_sshd("Ciphers aes128-cbc").host(legacy_algorithms=True), sent)
    assert sent[MSG_CHANNEL_DATA] == 3 and sent[MSG_IGNORE] >= 3


async def test_rounds_are_signs_of_life_enough(sshd: Any, sent: Counter[int]) -> None:
    """The settings' own pace asks whether the host lives as often as it is read."""
    rounds, enough = list[datetime](), asyncio.Event()

    def read(reading: HostReading) -> None:
        if reading.load is not None and reading.load.at not in rounds:
            rounds.append(reading.load.at)
            if len(rounds) == 5:
                enough.set()

    fleet = Fleet(fast_seconds=0.3, keepalive_seconds=0.3)
    running = asyncio.create_task(HostLink(sshd.host(roles=()), fleet, now, read).run())
    try:
        await asyncio.wait_for(enough.wait(), 30)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert sent[MSG_GLOBAL_REQUEST] == 0


async def test_a_host_that_answers_late_is_asked_whether_it_lives_and_then_left_alone(
    start_sshd: Any, stand_ins: Any, sent: Counter[int]
) -> None:
    sshd = start_sshd(environment={"ITUI_PATH": stand_ins({"date": 'sleep 1; exec /bin/date "$@"'})})
    connection = await ssh.connect(sshd.host(), Fleet(connect_timeout=5.0, keepalive_seconds=0.2))
    try:
        channel = await opened(connection.ssh, sshd.host(), "fast", now)
        connection.ssh.set_keepalive(0)
        sent.clear()
        answer = await channel.ask_alive(connection.ssh, ["clock"], 30, 0.4)
        assert [section.name for section in answer.sections] == ["clock"]
        assert sent[MSG_GLOBAL_REQUEST] >= 1 and not connection.ssh.is_closed()
        sent.clear()
        await channel.ask(["clock"], 30)
        assert sent[MSG_GLOBAL_REQUEST] == 0
    finally:
        connection.abort()


async def test_a_line_that_falls_silent_is_lost_long_before_a_round_is_too_late(sshd: Any) -> None:
    async with Silent(sshd.port) as wire:
        host = sshd.host(roles=(), port=wire.port, known_hosts=wire.known(sshd))
        states: asyncio.Queue[LinkState] = asyncio.Queue()
        fleet = Fleet(fast_seconds=0.3, keepalive_seconds=0.4, connect_timeout=5.0)
        running = asyncio.create_task(HostLink(host, fleet, now, lambda r: states.put_nowait(r.link.state)).run())
        try:
            async with asyncio.timeout(30):
                while await states.get() is not LinkState.UP:
                    pass
                wire.fall_silent()
                while (state := await states.get()) is LinkState.UP:
                    pass
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    assert state is LinkState.LOST  # TIMEOUT would say that the host is there, and 15 s too late


async def test_a_read_makes_no_more_room_than_an_answer_needs(sshd: Any) -> None:
    connection = await ssh.connect(sshd.host(), Fleet(connect_timeout=5.0))
    try:
        assert connection.ssh._transport.max_size == ssh.READ_BYTES  # type: ignore[union-attr]
        done = await connection.ssh.run("head -c 300000 /dev/zero", encoding=None)
        assert len(done.stdout or b"") == 300000
    finally:
        connection.abort()
