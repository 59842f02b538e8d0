"""Docker's events that cannot be followed: the reading says that containers are polled, until they can."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from incident_tui.fleet.host import BRIEF_FOLLOWS, HostLink
from incident_tui.fleet.settings import Fleet, Host
from incident_tui.hosts.readings import HostReading
from tests.fleet.test_terminal import STAND_IN
from tests.sshd import Sshd

QUICK = Fleet(fast_seconds=0.3, slow_seconds=0.5, connect_timeout=5.0)
ID = "ab" * 32
DOCKER = f"""
case "$1" in
--version) echo 'Docker version 1.6.2, build 7c8fca2' ;;
ps) echo ;;
events)
    echo >>"$STATE_DIR/follows"
    [ -e "$STATE_DIR/lasts" ] || exit 1
    echo '2026-11-23T10:00:00.000000000Z {ID}: (from drupal:7) start'
    exec sleep 60 ;;
*) exit 2 ;;
esac
"""


class Impatient(random.Random):
    """Waits a hundredth as long between two followers."""

    def uniform(self, a: float, b: float) -> float:
        return 0.01 if (a, b) == (0.5, 1.5) else super().uniform(a, b)


async def until(host: Host, *predicates: Callable[[HostReading], bool]) -> None:
    """A link to the host, whose reading satisfies one predicate after the other."""
    changed = asyncio.Event()
    link = HostLink(host, QUICK, lambda: datetime.now(UTC), lambda _: changed.set(), dice=Impatient())
    task = asyncio.create_task(link.run())
    try:
        async with asyncio.timeout(30):
            for predicate in predicates:
                while not predicate(link.reading):
                    changed.clear()
                    await changed.wait()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_events_that_end_at_once_again_and_again_are_said_until_they_last(
    start_sshd: Callable[..., Sshd], stand_ins: Callable[[dict[str, str]], str], tmp_path: Path
) -> None:
    path = stand_ins({"docker": DOCKER, "dmesg": "exit 0"})
    sshd = start_sshd(environment={"ITUI_PATH": path, "STATE_DIR": str(tmp_path)})

    def polled(reading: HostReading) -> bool:
        return reading.docker is not None and reading.docker.polled

    def polled_after_several(reading: HostReading) -> bool:
        if not polled(reading):
            return False
        assert (tmp_path / "follows").read_text().count("\n") >= BRIEF_FOLLOWS
        (tmp_path / "lasts").touch()
        return True

    await until(
        sshd.host(roles=("docker",)),
        lambda reading: reading.docker is not None and not reading.docker.polled,
        polled_after_several,
        lambda reading: not polled(reading),
    )


async def test_a_sudo_that_wants_a_terminal_leaves_containers_polled(
    start_sshd: Callable[..., Sshd], stand_ins: Callable[[dict[str, str]], str], tmp_path: Path
) -> None:
    path = stand_ins({"sudo": STAND_IN, "docker": DOCKER, "dmesg": "exit 0"})
    sshd = start_sshd(environment={"PATH": path, "ITUI_PATH": path, "ASKED": str(tmp_path / "asked")})
    host = sshd.host(sudo=True, roles=("docker",))
    await until(host, lambda reading: reading.docker is not None and reading.docker.polled)
