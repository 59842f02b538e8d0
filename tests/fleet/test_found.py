"""What a host can do is found once a connection and again with the next; what is asked for has a channel of its own."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from incident_tui.fleet.host import HostLink
from incident_tui.fleet.ssh import LinkFailure
from incident_tui.hosts.readings import GapKind, LinkState
from tests.fleet.test_link import ID, QUICK, eventually, inspected, linked, marked, now, run_command
from tests.sshd import Sshd

DOCKER = """case "$1" in
--version) echo "Docker version $(cat "$STATE_DIR/version"), build 7c8fca2" ;;
ps) echo ID ;;
inspect) cat "$STATE_DIR/inspect.json" ;;
events) exec tail -f /dev/null ;;
logs)
    while [ -e "$STATE_DIR/hold" ]; do sleep 0.1; done
    echo "2026-11-23T10:00:00Z a line of $5"
    ;;
esac
""".replace("ID", ID)

COREUTILS = "sh cat date grep sed df head tail sleep timeout id tr find awk nice stat kill"


def drop(sshd: Sshd) -> None:
    for pid in run_command(f"pgrep -P {sshd.process.pid}").split():
        os.kill(int(pid), signal.SIGKILL)


async def test_a_host_upgraded_between_two_connections(
    start_sshd: Callable[..., Sshd], stand_ins: Callable[[dict[str, str]], str], tmp_path: Path
) -> None:
    """Docker absent, then installed, then of another version: nothing is configured."""
    path = f"{tmp_path}/bin:{tmp_path}/coreutils"
    stand_ins({"dmesg": "exit 0"})
    (tmp_path / "coreutils").mkdir()
    for each in COREUTILS.split():
        program = next(p for p in (Path("/usr/bin") / each, Path("/bin") / each) if p.exists())
        (tmp_path / "coreutils" / each).symlink_to(program)
    sshd = start_sshd(environment={"ITUI_PATH": path, "STATE_DIR": str(tmp_path)})
    (tmp_path / "inspect.json").write_text(inspected(True))
    (tmp_path / "version").write_text("1.6.2")
    async with linked(sshd.host()) as (_, until):
        reading = await until(lambda r: r.system is not None and r.link.state is LinkState.UP)
        assert reading.system.docker == "" and reading.gaps["docker"].kind is GapKind.ABSENT
        stand_ins({"docker": DOCKER})
        drop(sshd)
        reading = await until(lambda r: r.docker is not None)
        assert reading.system.docker == "1.6.2" and "docker" not in reading.gaps
        (tmp_path / "version").write_text("29.0.1")
        drop(sshd)
        await until(lambda r: r.system.docker == "29.0.1" and r.docker.version == "29.0.1")


async def test_what_is_asked_for_comes_on_a_channel_of_its_own_that_is_closed(
    start_sshd: Callable[..., Sshd], stand_ins: Callable[[dict[str, str]], str], tmp_path: Path
) -> None:
    (tmp_path / "inspect.json").write_text(inspected(True))
    (tmp_path / "version").write_text("1.6.2")
    path = stand_ins({"docker": DOCKER, "dmesg": "exit 0"})
    sshd = start_sshd(environment={"ITUI_PATH": path, "STATE_DIR": str(tmp_path)})
    async with linked(sshd.host(roles=("docker",))) as (link, until):
        await until(lambda r: r.docker is not None)
        (section,) = await link.demand([f"asked:log:{ID}"], 10)
        assert (section.name, section.body) == (f"asked:log:{ID}", f"2026-11-23T10:00:00Z a line of {ID}\n")
        before = (await until(lambda r: r.clock is not None)).clock.at
        await until(lambda r: r.clock.at > before)
        mark = f"STATE_DIR={tmp_path}"
        rest = len(marked(mark))
        (tmp_path / "hold").touch()
        asked = asyncio.create_task(link.demand([f"asked:log:{ID}"], 30))
        assert await eventually(lambda: len(marked(mark)) > rest, 20)
        (tmp_path / "hold").unlink()
        await asked
        assert await eventually(lambda: len(marked(mark)) <= rest, 5)


async def test_what_is_asked_of_a_host_that_is_not_connected_is_said(sshd: Sshd) -> None:
    link = HostLink(sshd.host(), QUICK, now, lambda reading: None)
    with pytest.raises(LinkFailure, match="not connected"):
        await link.demand(["asked:performance"], 5)
