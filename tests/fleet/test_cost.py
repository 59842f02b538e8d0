"""What we cost a host, measured on a real sshd; what cannot be measured is not known."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from incident_tui.fleet.cost import Cost, measure, parse_times
from incident_tui.fleet.once import probe_once
from incident_tui.fleet.settings import Fleet

SETTINGS = Fleet(fast_seconds=5, slow_seconds=15)
QUICK_DOCKER = "exit 0\n"
SLOW_DOCKER = "for i in 1 2 3 4; do /bin/true; done; i=0; while [ $i -lt 300000 ]; do i=$((i + 1)); done\n"


def now() -> datetime:
    return datetime.now(UTC)


async def cost_of(host: Any, settings: Fleet = SETTINGS) -> Cost:
    reading = await probe_once(host, settings, now)
    cost = await measure(host, settings, now, reading)
    assert cost is not None
    return cost


async def test_cost_is_measured_on_the_host_at_the_pace_of_the_settings(start_sshd: Any, stand_ins: Any) -> None:
    sshd = start_sshd(environment={"ITUI_PATH": stand_ins({"dmesg": "exit 0"})})
    cost = await cost_of(sshd.host(roles=("gluster",)))
    # 8 fast rounds of a subshell, date and grep, and 4 with disks and the kernel log, at the least.
    assert cost.processes is not None and 12 * 3 < cost.processes < 2000
    assert cost.cpu_seconds is not None and 0 < cost.cpu_seconds < 10
    assert 12 * 500 < cost.bytes < 1_000_000
    seldom = await cost_of(sshd.host(roles=("gluster",)), Fleet(fast_seconds=50, slow_seconds=150))
    assert seldom.bytes == pytest.approx(cost.bytes / 10, rel=0.2)
    assert str(cost.processes) in cost.sentence and "a minute" in cost.sentence


async def test_what_docker_is_asked_is_in_it(start_sshd: Any, stand_ins: Any) -> None:
    sshd = start_sshd(environment={"ITUI_PATH": stand_ins({"dmesg": "exit 0", "docker": QUICK_DOCKER})})
    quick = await cost_of(sshd.host(roles=("docker",)))
    stand_ins({"docker": SLOW_DOCKER})
    slow = await cost_of(sshd.host(roles=("docker",)))
    assert slow.cpu_seconds is not None and quick.cpu_seconds is not None
    assert slow.processes is not None and quick.processes is not None
    # Four slow rounds a minute; a loop of 300,000 turns takes a tenth of a second on any machine of today.
    assert slow.cpu_seconds > quick.cpu_seconds + 4 * 0.05
    assert slow.processes > 4 * 4


async def test_a_host_that_is_not_connected_has_no_cost(start_sshd: Any) -> None:
    host = start_sshd().host(identity_file="/nonexistent")
    reading = await probe_once(host, SETTINGS, now)
    assert await measure(host, SETTINGS, now, reading) is None


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("0m0.004s 0m0.010s\n1m2.500s 0m0.250s\n", 62.764),  # bash
        ("0m0.00s 0m0.01s\n0m0.02s 0m0.03s\n", 0.06),  # dash, busybox
        ("", None),
        ("0m0.00s 0m0.01s\n", None),
        ("sh: times: not found\n", None),
    ],
)
def test_what_times_prints(said: str, seconds: float | None) -> None:
    found = parse_times(said)
    assert found is None if seconds is None else found == pytest.approx(seconds)
