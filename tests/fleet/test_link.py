"""HostLink against a real sshd: what it reads, why it cannot, and what it leaves behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from incident_tui.fleet import hello
from incident_tui.fleet.fleet import Fleet
from incident_tui.fleet.host import HostLink
from incident_tui.fleet.locking import _due
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


async def failure(host: Host, settings: FleetSettings = QUICK) -> tuple[LinkState, str]:
    reading = await probe_once(host, settings, now)
    return reading.link.state, reading.link.sentence


async def test_each_failure_has_its_state_and_sentence(sshd: Any, tmp_path: Path) -> None:
    state, sentence = await failure(sshd.host(port=1))
    assert state is LinkState.REFUSED and "sshd" in sentence
    state, sentence = await failure(sshd.host(address="no-such-name.invalid"))
    assert state is LinkState.DNS
    (tmp_path / "empty").touch()
    state, sentence = await failure(sshd.host(known_hosts=str(tmp_path / "empty")))
    assert state is LinkState.HOST_KEY_UNKNOWN
    assert f"-p {sshd.port}" in sentence and str(tmp_path / "empty") in sentence
    other = (sshd.directory / "key.pub").read_text().split()[:2]
    (tmp_path / "changed").write_text(f"[127.0.0.1]:{sshd.port} {' '.join(other)}\n")
    state, sentence = await failure(sshd.host(known_hosts=str(tmp_path / "changed")))
    assert state is LinkState.HOST_KEY_CHANGED
    assert f"ssh-keygen -R '[127.0.0.1]:{sshd.port}'" in sentence
    state, sentence = await failure(sshd.host(identity_file=str(sshd.directory / "host")))
    assert state is LinkState.KEY_REFUSED and "authorized_keys" in sentence


async def test_the_command_that_mends_a_changed_key_mends_it(sshd: Any, tmp_path: Path) -> None:
    other = (sshd.directory / "key.pub").read_text().split()[:2]
    changed = tmp_path / "changed"
    changed.write_text(f"[127.0.0.1]:{sshd.port} {' '.join(other)}\n")
    _, sentence = await failure(sshd.host(known_hosts=str(changed)))
    run_command(sentence.partition("run: ")[2])
    state, _ = await failure(sshd.host(known_hosts=str(changed)))
    assert state is LinkState.HOST_KEY_UNKNOWN


async def test_ssh_config_cannot_switch_the_host_key_check_off(sshd: Any) -> None:
    config = Path(os.environ["HOME"]) / ".ssh" / "config"
    config.parent.mkdir()
    config.write_text("Host *\n  StrictHostKeyChecking no\n  UserKnownHostsFile none\n")
    state, _ = await failure(sshd.host(known_hosts=""))
    assert state is LinkState.HOST_KEY_UNKNOWN


async def test_ssh_config_is_honoured(sshd: Any) -> None:
    config = Path(os.environ["HOME"]) / ".ssh" / "config"
    config.parent.mkdir()
    config.write_text(
        f"Host web-alias\n  HostName 127.0.0.1\n  Port {sshd.port}\n  User {sshd.host().user}\n"
        f"  IdentityFile {sshd.key}\n  UserKnownHostsFile {sshd.known_hosts}\n"
    )
    reading = await probe_once(Host(name="web-alias"), QUICK, now)
    assert reading.link.state is LinkState.UP, reading.link.sentence


async def test_jump(sshd: Any) -> None:
    host = sshd.host(jump=f"{sshd.host().user}@127.0.0.1:{sshd.port}")
    reading = await probe_once(host, QUICK, now)
    assert reading.link.state is LinkState.UP, reading.link.sentence


async def test_a_dead_agent_is_said(sshd: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "gone"))
    state, sentence = await failure(sshd.host(identity_file=""))
    assert state is LinkState.AGENT_DEAD and "SSH_AUTH_SOCK" in sentence


async def test_a_host_that_never_answers(unused_listener: int, sshd: Any) -> None:
    host = sshd.host(port=unused_listener)
    state, sentence = await failure(host, FleetSettings(connect_timeout=1.0))
    assert state is LinkState.TIMEOUT, sentence


@pytest.fixture
async def unused_listener() -> AsyncIterator[int]:
    """A port that accepts and says nothing."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


@pytest.mark.parametrize(
    ("shell", "said"), [("echo This account is currently not available.; exit 1", "not available"), ("exit 0", "shell")]
)
async def test_a_wrong_shell(start_sshd: Any, shell: str, said: str) -> None:
    sshd = start_sshd(f"ForceCommand {shell}")
    state, sentence = await failure(sshd.host())
    assert state is LinkState.SHELL and said in sentence


async def test_a_chatty_login_is_no_trouble(start_sshd: Any) -> None:
    sshd = start_sshd("ForceCommand echo Welcome to web1; exec /bin/sh")
    reading = await probe_once(sshd.host(), QUICK, now)
    assert reading.link.state is LinkState.UP
    assert reading.system is not None and "Welcome" in reading.system.chatter


@pytest.mark.parametrize(
    ("said", "part"),
    [("sudo: a password is required", "password"), ("sudo: sorry, you must have a tty to run sudo", "requiretty")],
)
async def test_sudo_refused(start_sshd: Any, said: str, part: str) -> None:
    sshd = start_sshd(f'ForceCommand echo "{said}" >&2; exit 1')
    state, sentence = await failure(sshd.host(sudo=True))
    assert state is LinkState.SUDO and part in sentence


def test_a_clock_that_is_set_back_stops_no_reading() -> None:
    hour, spacing = timedelta(hours=1), timedelta(seconds=30)
    assert _due(None, now(), spacing) and _due(now() + hour, now(), spacing) and _due(now() - hour, now(), spacing)
    assert not _due(now() - timedelta(seconds=5), now(), spacing)


async def test_only_old_algorithms_need_the_setting(start_sshd: Any) -> None:
    sshd = start_sshd("Ciphers aes128-cbc", "KexAlgorithms diffie-hellman-group1-sha1", "MACs hmac-md5")
    state, sentence = await failure(sshd.host())
    assert state is LinkState.ALGORITHMS and "legacy_algorithms" in sentence
    reading = await probe_once(sshd.host(legacy_algorithms=True), QUICK, now)
    assert reading.link.state is LinkState.UP, reading.link.sentence


async def test_a_server_that_hangs_up_before_it_is_heard_is_still_explained(
    start_sshd: Any, sshd: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its reset may overtake its list of algorithms; asyncssh then says only that the connection was lost."""
    old = start_sshd("Ciphers aes128-cbc", "KexAlgorithms diffie-hellman-group1-sha1", "MACs hmac-md5")

    async def lost(*args: Any, **options: Any) -> None:
        raise asyncssh.ConnectionLost("Connection lost")

    monkeypatch.setattr(asyncssh, "connect", lost)
    assert (await failure(old.host()))[0] is LinkState.ALGORITHMS
    assert (await failure(old.host(legacy_algorithms=True)))[0] is LinkState.LOST
    assert (await failure(sshd.host()))[0] is LinkState.LOST


@pytest.mark.parametrize("packet", [b"", b"\x04", b"\x04" + b"\x14" + bytes(20), b"\x00\x14" + bytes(16) + b"\xff" * 9])
def test_a_first_packet_that_is_damaged_says_nothing(packet: bytes) -> None:
    assert hello.parse(packet) is None


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
