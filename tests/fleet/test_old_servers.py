"""Servers shaped as old ones are: a real sshd that offers only what they offered."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from incident_tui.fleet.once import probe_once
from incident_tui.fleet.settings import Fleet
from incident_tui.hosts.readings import LinkState

QUICK = Fleet(connect_timeout=5.0)
EL6 = (
    "KexAlgorithms diffie-hellman-group-exchange-sha256,diffie-hellman-group-exchange-sha1,"
    "diffie-hellman-group14-sha1,diffie-hellman-group1-sha1",
    "Ciphers aes128-ctr,aes192-ctr,aes256-ctr,aes128-cbc,3des-cbc,aes192-cbc,aes256-cbc",
    "MACs hmac-md5,hmac-sha1,umac-64@openssh.com",
    "HostKeyAlgorithms ssh-ed25519,ssh-rsa",
    "PubkeyAcceptedAlgorithms ssh-ed25519,ssh-rsa",
)
EL7 = (
    "KexAlgorithms curve25519-sha256,ecdh-sha2-nistp256,diffie-hellman-group14-sha256,diffie-hellman-group14-sha1",
    "Ciphers chacha20-poly1305@openssh.com,aes128-ctr,aes256-ctr,aes256-gcm@openssh.com",
    "MACs umac-64-etm@openssh.com,hmac-sha2-256,hmac-sha1",
)


def now() -> datetime:
    return datetime.now(UTC)


@pytest.mark.parametrize("lines", [EL6, EL7, ()], ids=["5.3", "7.4", "9.x"])
async def test_servers_of_each_time_need_no_setting(start_sshd: Any, lines: tuple[str, ...]) -> None:
    reading = await probe_once(start_sshd(*lines).host(roles=("docker",)), QUICK, now)
    assert reading.link.state is LinkState.UP, reading.link.sentence
    assert reading.memory is not None


@pytest.mark.parametrize(
    "line",
    [
        "KexAlgorithms diffie-hellman-group1-sha1",
        "KexAlgorithms diffie-hellman-group-exchange-sha1",
        "Ciphers aes128-cbc,aes256-cbc",
        "Ciphers 3des-cbc",
        "MACs hmac-md5",
    ],
)
async def test_what_is_too_old_needs_the_setting_of_that_host(start_sshd: Any, line: str) -> None:
    # aes-ctr: a cipher with a MAC of its own would leave the MACs out of the question
    sshd = start_sshd(*([line] if line.startswith("Ciphers") else [line, "Ciphers aes128-ctr"]))
    refused = await probe_once(sshd.host(roles=("docker",)), QUICK, now)
    assert refused.link.state is LinkState.ALGORITHMS
    assert "legacy_algorithms = true" in refused.link.sentence
    taken = await probe_once(sshd.host(roles=("docker",), legacy_algorithms=True), QUICK, now)
    assert taken.link.state is LinkState.UP, taken.link.sentence
