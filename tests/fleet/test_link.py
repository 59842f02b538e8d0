"""HostLink against a real sshd: what it reads, why it cannot, and what it leaves behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from incident_tui.fleet.fleet import Fleet
from incident_tui.fleet.host import HostLink
from incident_tui.fleet.once import check, probe_once
from incident_tui.fleet.settings import Fleet as FleetSettings
from incident_tui.fleet.settings import Host
from incident_tui.hosts.readings import GapKind, HostReading, LinkState

QUICK = FleetSettings(fast_seconds=0.3, slow_seconds=0.5, connect_timeout=5.0)
ID = "ab" * 32

DOCKER = f"""
case "$1" in
--version) echo 'Docker version 1.6.2, build 7c8fca2' ;;
ps) [ "$*" = "ps -aq --no-trunc" ] || exit 2; echo {ID} ;;
inspect) cat "$STATE_DIR/inspect.json" ;;
events) echo $$ > "$STATE_DIR/follower"; exec tail -f "$STATE_DIR/events" ;;
*) exit 2 ;;
esac
"""


def now() -> datetime:
    return datetime.now(UTC)


def inspected(running: bool, code: int = 0) -> str:
    state = f'"Running": {str(running).lower()}, "ExitCode": {code}, "Pid": 0, "StartedAt": "2026-01-01T00:00:00Z"'
    return f'[{{"Id": "{ID}", "Name": "/drupal-a", "State": {{{state}}}}}]'


@asynccontextmanager
async def linked(host: Host, settings: FleetSettings = QUICK) -> AsyncIterator[tuple[HostLink, Any]]:
    """A running link, and `until(predicate)`: wait for the first reading that satisfies it."""
    changed = asyncio.Event()
    link = HostLink(host, settings, now, lambda reading: changed.set())

    async def until(predicate: Callable[[HostReading], bool]) -> HostReading:
        async with asyncio.timeout(20):
            while not predicate(link.reading):
                changed.clear()
                await changed.wait()
        return link.reading

    task = asyncio.create_task(link.run())
    try:
        yield link, until
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def alive(pid: int) -> bool:
    """Running, a zombie not counted."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def marked(mark: str) -> list[int]:
    """Processes whose environment holds the mark: all that this test's sshd sessions started."""
    found = []
    for directory in Path("/proc").iterdir():
        if directory.name.isdecimal():
            try:
                if mark.encode() in (directory / "environ").read_bytes() and alive(int(directory.name)):
                    found.append(int(directory.name))
            except OSError:
                continue
    return found


async def eventually(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether the condition comes true in time; asked again and again, since /proc tells nobody of its changes."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not (true := condition()) and loop.time() < end:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    return true


def start_client(program: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, str(program)])


def run_command(command: str) -> str:
    return subprocess.run(command, shell=True, check=True, capture_output=True, text=True).stdout


def pid_in(file: Path) -> int:
    return int(file.read_text())


@pytest.fixture
def docker_host(start_sshd: Any, stand_ins: Any, tmp_path: Path) -> Any:
    """An sshd whose sessions find a Docker 1.6.2 in tmp_path/state."""
    state = tmp_path / "state"
    state.mkdir()
    (state / "inspect.json").write_text(inspected(True))
    (state / "events").write_text("")
    path = stand_ins({"docker": DOCKER, "dmesg": "exit 0"})
    return start_sshd(environment={"ITUI_PATH": path, "STATE_DIR": str(state)})


async def test_reads_the_machine_and_docker(docker_host: Any) -> None:
    async with linked(docker_host.host(roles=("docker",))) as (_, until):
        reading = await until(lambda r: r.docker is not None and r.swapping is not None)
    assert reading.link.state is LinkState.UP
    assert reading.memory.total > 0 and 0 < reading.memory.available <= reading.memory.total
    assert reading.load.uptime_seconds > 0
    assert abs(reading.clock.skew_seconds) < 1
    assert any(disk.mount == "/" for disk in reading.disks.filesystems)
    assert reading.docker.version == "1.6.2"
    assert [(c.name, c.state) for c in reading.docker.containers] == [("drupal-a", "running")]


async def test_an_event_brings_a_docker_reading_at_once(docker_host: Any, tmp_path: Path) -> None:
    slow = FleetSettings(fast_seconds=5, slow_seconds=600)
    async with linked(docker_host.host(roles=("docker",)), slow) as (_, until):
        await until(lambda r: r.docker is not None)
        assert await eventually((tmp_path / "state" / "follower").exists, 10)
        await asyncio.sleep(0.5)  # the reading that the opened follower asked for
        (tmp_path / "state" / "inspect.json").write_text(inspected(False, 137))
        with (tmp_path / "state" / "events").open("a") as events:
            events.write(f"2026-11-23T10:00:00.000000000Z {ID}: (from drupal:7) die\n")
        reading = await until(lambda r: r.docker.containers[0].state == "exited")
        assert reading.docker.containers[0].exit_code == -1  # the event of 1.6 does not say
        await until(lambda r: r.docker.containers[0].exit_code == 137)


async def test_nothing_stays_after_the_client_is_killed(docker_host: Any, tmp_path: Path) -> None:
    """kill -9 of the client, with a follower and a hung `docker ps` outstanding."""
    state = tmp_path / "state"
    program = tmp_path / "client.py"
    host = docker_host.host(roles=("docker",))
    program.write_text(
        "import asyncio\nfrom datetime import UTC, datetime\n"
        "from incident_tui.fleet.host import HostLink\nfrom incident_tui.fleet.settings import *\n"
        f"host = {host!r}\n"
        "link = HostLink(host, Fleet(fast_seconds=0.3, slow_seconds=0.5), lambda: datetime.now(UTC), lambda r: None)\n"
        "asyncio.run(link.run())\n"
    )
    docker = tmp_path / "bin" / "docker"
    hung = f'[ "$1" != ps ] || {{ echo $$ > {state}/hung; exec sleep 600; }}\n'
    docker.write_text(docker.read_text().replace("#!/bin/sh\n", "#!/bin/sh\n" + hung, 1))
    mark = f"STATE_DIR={state}"
    client = start_client(program)
    try:
        assert await eventually(lambda: (state / "hung").exists() and (state / "follower").exists(), 20)
        follower, child = pid_in(state / "follower"), pid_in(state / "hung")
        assert alive(follower) and alive(child) and marked(mark)
    finally:
        client.send_signal(signal.SIGKILL)
        client.wait()
    assert await eventually(lambda: not alive(follower), 5)
    # The hung child has a limit of 12 s; whatever is left ends with it.
    assert await eventually(lambda: not marked(mark), 16), marked(mark)


async def test_nothing_stays_after_the_network_is_cut(docker_host: Any, tmp_path: Path) -> None:
    """No end of input ever comes: the script's own guard ends it after its idle time."""
    from incident_tui.fleet import ssh
    from incident_tui.fleet.channel import Channel

    host = docker_host.host(roles=("docker",))
    mark = f"STATE_DIR={tmp_path / 'state'}"
    connection = await ssh.connect(host, QUICK)
    channels = [Channel(host, mode, now, idle=1) for mode in ("fast", "slow", "events")]
    for channel in channels:
        await channel.start(connection.ssh, 10)
    assert await eventually(lambda: len(marked(mark)) >= 6, 5)
    assert await eventually(lambda: not marked(mark), 8), marked(mark)
    await connection.close()


async def test_a_channel_that_is_asked_lives_on(docker_host: Any) -> None:
    from incident_tui.fleet import ssh
    from incident_tui.fleet.channel import Channel

    host = docker_host.host()
    connection = await ssh.connect(host, QUICK)
    channel = Channel(host, "fast", now, idle=1)
    await channel.start(connection.ssh, 10)
    for _ in range(8):
        answer = await channel.ask(["clock"], 5)
        assert [section.name for section in answer.sections] == ["clock"]
        await asyncio.sleep(0.4)
    await connection.close()


async def test_a_hung_docker_is_killed_at_its_limit_and_said(start_sshd: Any, stand_ins: Any) -> None:
    path = stand_ins({"docker": 'case $1 in --version) echo "Docker version 1.6.2, build x";; ps) sleep 600;; esac'})
    sshd = start_sshd(environment={"ITUI_PATH": path})
    reading = await probe_once(sshd.host(roles=("docker",)), QUICK, now)
    assert reading.link.state is LinkState.UP
    assert reading.docker is None
    assert reading.gaps["docker"].kind is GapKind.HUNG
    assert reading.memory is not None


async def test_it_reconnects_and_says_since_when(sshd: Any) -> None:
    async with linked(sshd.host()) as (_, until):
        await until(lambda r: r.link.state is LinkState.UP)
        pids = run_command(f"pgrep -P {sshd.process.pid}").split()
        for pid in pids:
            os.kill(int(pid), signal.SIGKILL)
        lost = await until(lambda r: r.link.state is not LinkState.UP)
        assert lost.link.state is LinkState.LOST and lost.link.next_try is not None
        assert lost.memory is not None
        await until(lambda r: r.link.state is LinkState.UP)


async def test_one_hung_host_costs_the_others_nothing(sshd: Any, unused_listener: int) -> None:
    changed = asyncio.Event()
    hosts = [sshd.host("hung", port=unused_listener), sshd.host("web1")]
    fleet = Fleet(hosts, QUICK, now, lambda reading: changed.set())
    task = asyncio.create_task(fleet.run())
    async with asyncio.timeout(4):
        while fleet.readings["web1"].swapping is None:
            changed.clear()
            await changed.wait()
    assert fleet.readings["hung"].link.state is LinkState.CONNECTING
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_check_says_where_it_ends(sshd: Any) -> None:
    rows = {row.what: row for row in await check(sshd.host(identity_file=str(sshd.directory / "host")), QUICK, now)}
    assert rows["network"].ok is True and rows["host key"].ok is True
    assert rows["login"].ok is False and rows["login"].sentence
    assert rows["shell"].ok is None


GLUSTER = """case "$*" in
--version) echo 'glusterfs 3.7.9 built on Mar 20 2016' ;;
*'peer status') echo '<cliOutput><opRet>0</opRet><opErrstr>No peers present</opErrstr><peerStatus/></cliOutput>' ;;
*'volume info') cat "$STATE_DIR/volumes.xml" ;;
*'volume status gv0') cat "$STATE_DIR/status.xml"
    echo '2026-11-23T10:00:00Z abababababab: (from drupal:7) start' >> "$STATE_DIR/events"
    sleep 0.3 ;;
*'heal gv0 info'*) printf 'Brick web1:/b\\nStatus: Connected\\nNumber of entries: 0\\n' ;;
esac
"""
VOLUMES = (
    "<cliOutput><opRet>0</opRet><volInfo><volumes><volume><name>gv0</name><status>1</status><brickCount>2</brickCount>"
    "<replicaCount>2</replicaCount><bricks><brick>web1:/b</brick><brick>web2:/b</brick></bricks></volume></volumes>"
    "</volInfo></cliOutput>"
)
STATUS = (
    "<cliOutput><opRet>0</opRet><volStatus><volumes><volume><volName>gv0</volName><node><hostname>web1</hostname>"
    "<path>/b</path><status>1</status><pid>9</pid></node></volume></volumes></volStatus></cliOutput>"
)


async def test_only_the_elected_peer_locks_and_an_event_does_not_lose_the_heals(
    docker_host: Any, stand_ins: Any, tmp_path: Path
) -> None:
    stand_ins({"gluster": GLUSTER})
    (tmp_path / "state" / "volumes.xml").write_text(VOLUMES)
    (tmp_path / "state" / "status.xml").write_text(STATUS)
    async with linked(docker_host.host(roles=("docker", "gluster"))) as (link, until):
        await until(lambda r: r.gluster is not None)
        assert link.reading.gluster is not None
        first = link.reading.gluster.at
        await until(lambda r: r.gluster.at > first)
        assert not link.reading.volume_status and not link.reading.heals
        link.elected = True
        reading = await until(lambda r: "gv0" in r.volume_status and "gv0" in r.heals)
    assert reading.heals["gv0"].pending == 0
