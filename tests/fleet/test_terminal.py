"""sudo that wants a terminal (requiretty): one PTY session a round, on a real sshd; with the real sudo, too."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from incident_tui.fleet import ssh
from incident_tui.fleet.once import check, demand, probe_once
from incident_tui.fleet.settings import Fleet
from incident_tui.fleet.terminal import opened
from incident_tui.hosts.readings import LinkState
from tests.accounts import FIRST
from tests.sshd import Sshd

QUICK = Fleet(connect_timeout=5.0)
STAND_IN = """echo "$*" >> "$ASKED"
if ! (: </dev/tty) 2>/dev/null; then echo 'sudo: sorry, you must have a tty to run sudo' >&2; exit 1; fi
[ "$1" = -n ] && shift
exec "$@"
"""


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def wants_terminal(start_sshd: Callable[..., Sshd], stand_ins: Callable[[dict[str, str]], str], tmp_path: Path) -> Sshd:
    """Its sudo does exactly what CentOS 6's does without a terminal."""
    path = stand_ins({"sudo": STAND_IN})
    return start_sshd(environment={"PATH": path, "ASKED": str(tmp_path / "asked")})


async def test_the_reading_comes_through_a_terminal_and_says_so(wants_terminal: Sshd) -> None:
    host = wants_terminal.host(sudo=True, roles=("docker",))
    reading = await probe_once(host, QUICK, now)
    assert reading.link.state is LinkState.UP, reading.link.sentence
    assert reading.system is not None and reading.system.terminal and reading.system.chatter == ""
    assert reading.memory is not None and reading.swapping is not None
    assert reading.disks is not None and all("\r" not in disk.mount for disk in reading.disks.filesystems)
    rows = {row.what: row for row in await check(host, QUICK, now)}
    assert rows["sudo"].ok and "!requiretty" in rows["sudo"].sentence


async def test_each_round_is_a_session_of_its_own_and_leaves_nothing(wants_terminal: Sshd, tmp_path: Path) -> None:
    host = wants_terminal.host(sudo=True)
    connection = await ssh.connect(host, QUICK)
    channel = await opened(connection.ssh, host, "fast", now)
    assert channel.terminal
    for _ in range(3):
        (section,) = (await channel.ask(["proc"], 10)).sections
        assert section.body.startswith("/proc/loadavg:") and "\r" not in section.body
    # Once without a terminal, which is refused; then each round.
    assert len((tmp_path / "asked").read_text().splitlines()) == 4
    channel.close()
    await connection.close()


async def test_what_is_asked_for_comes_too(wants_terminal: Sshd) -> None:
    taken = await demand(wants_terminal.host(sudo=True), QUICK, now, ["asked:performance"], 60)
    assert taken.reading.link.state is LinkState.UP, taken.reading.link.sentence
    assert "asked:free" in {section.name for section in taken.sections}


async def test_without_terminals_one_sentence_says_what_mends_it(
    start_sshd: Callable[..., Sshd], stand_ins: Callable[[dict[str, str]], str], tmp_path: Path
) -> None:
    path = stand_ins({"sudo": STAND_IN})
    sshd = start_sshd("PermitTTY no", environment={"PATH": path, "ASKED": str(tmp_path / "asked")})
    reading = await probe_once(sshd.host(sudo=True), QUICK, now)
    assert reading.link.state is LinkState.SUDO
    assert "sshd gives none" in reading.link.sentence and "!requiretty" in reading.link.sentence


@pytest.fixture
def real_requiretty(accounts: None) -> Iterator[str]:
    """An account that the real sudo wants a terminal of."""
    if shutil.which("sudo") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have sudo")
        pytest.skip("no sudo on this machine")
    rules = Path("/etc/sudoers.d") / FIRST
    rules.write_text(f"Defaults:{FIRST} requiretty\n{FIRST} ALL=(root) NOPASSWD: /bin/sh\n")
    rules.chmod(0o440)
    subprocess.run(["usermod", "-p", "*", FIRST], check=True)  # "!" would mean locked: no login by key either
    yield FIRST
    rules.unlink()


async def test_the_real_sudo(start_sshd: Any, real_requiretty: str) -> None:
    sshd: Sshd = start_sshd()
    for parent in [sshd.directory, *sshd.directory.parents]:
        if parent != Path("/") and parent.stat().st_mode & 0o005 != 0o005:
            parent.chmod(parent.stat().st_mode | 0o005)
    (sshd.directory / "authorized_keys").chmod(0o644)
    reading = await probe_once(sshd.host(sudo=True, user=real_requiretty, roles=("docker",)), QUICK, now)
    assert reading.link.state is LinkState.UP, reading.link.sentence + (sshd.directory / "log").read_text()
    assert reading.system is not None and reading.system.terminal and reading.system.uid == 0
