"""Why a host is not reached or not read: each failure of a real sshd has its state and its sentence."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from incident_tui.fleet import hello
from incident_tui.fleet.locking import _due
from incident_tui.fleet.once import probe_once
from incident_tui.fleet.settings import Fleet as FleetSettings
from incident_tui.fleet.settings import Host
from incident_tui.hosts.readings import LinkState
from tests.fleet.test_link import QUICK, now, run_command


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


async def test_what_ended_before_anything_was_sent_still_says_why(
    start_sshd: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sshd = start_sshd('ForceCommand echo "sudo: a password is required" >&2; exit 1')
    create = asyncssh.SSHClientConnection.create_session

    async def slowly(self: asyncssh.SSHClientConnection, *args: Any, **named: Any) -> Any:
        channel, session = await create(self, *args, **named)
        await channel.wait_closed()
        return channel, session

    monkeypatch.setattr(asyncssh.SSHClientConnection, "create_session", slowly)
    state, sentence = await failure(sshd.host(sudo=True))
    assert state is LinkState.SUDO and "password" in sentence


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
