"""Damage never makes trouble look well, for what only people paste: the check of test_never_better, other parsers."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from incident_tui.hosts import docker_compose, explain_machine, gluster_state, gluster_tasks
from incident_tui.hosts.errors import Unreadable
from incident_tui.hosts.explain_words import Read
from tests.hosts.test_never_better import Verdicts, better, containers, damages, rebalance
from tests.hosts.test_pastes import SAMPLES

NOW = datetime(2026, 11, 24, 3, 10, tzinfo=UTC)


def memory(read: Callable[[str, datetime], Read]) -> Callable[[str], Verdicts]:
    return lambda body: {row.what: row.left < 0.1 * row.total for row in read(body, NOW)[0]}


def swapping(body: str) -> Verdicts:
    rows = list(explain_machine.vmstat(body, NOW)[0])
    return {"swapping": rows[-1]["si"] + rows[-1]["so"] > 0}


def full(body: str) -> Verdicts:
    rows = gluster_state.snapshot_bricks(body)
    return {f"{row.name} {row.brick}": None if row.percent is None else row.percent >= 90 for row in rows}


def soft(body: str) -> Verdicts:
    return {row.path: row.soft_exceeded for row in gluster_tasks.quota(body)}


def not_copied(body: str) -> Verdicts:
    return {
        row.primary_node: None if row.failures is None else row.failures > 0
        for row in gluster_tasks.geo_replication(body)
    }


def xml_of(text: str) -> str:
    """The same bricks as `snapshot status --xml` prints them."""
    bricks = re.findall(r"Brick Path +: +(\S+).*?Running +: +(\S+).*?Percentage +: +(\S+)", text, re.S)
    inner = "\n".join(
        f"<brick>\n<path>{path}</path>\n<brick_running>{runs}</brick_running>\n<pid>7</pid>\n"
        f"<data_percentage>{percent}</data_percentage>\n</brick>"
        for path, runs, percent in bricks
    )
    snapshot = f"<snapshot>\n<name>snap1</name>\n<volume>\n<brickCount>2</brickCount>\n{inner}\n</volume>\n</snapshot>"
    return (
        "<cliOutput>\n<opRet>0</opRet>\n<opErrno>0</opErrno>\n<opErrstr/>\n<snapStatus>\n<snapshots>\n"
        f"{snapshot}\n</snapshots>\n</snapStatus>\n</cliOutput>\n"
    )


def paste(name: str) -> str:
    return SAMPLES[name][0]


LAYOUT = paste("gluster reb-fixlayout").replace("fix-layout in progress ", "fix-layout failed      ")
CASES: dict[str, tuple[str, Callable[[str], Verdicts]]] = {
    "compose 1": (paste("docker compose-v1-2"), lambda body: containers(docker_compose.parse_ps(body))),
    "snapshot status": (paste("gluster snap-status"), full),
    "snapshot status xml": (xml_of(paste("gluster snap-status")), full),
    "fix-layout": (LAYOUT, rebalance),
    "quota of 3.5": (paste("gluster quota-35"), soft),
    "geo-replication detail": (paste("gluster georep-detail"), not_copied),
    "meminfo of 2.6.32": (paste("machine meminfo-2.6.32"), memory(explain_machine.meminfo)),
    "top of CentOS 6": (paste("machine top-el6"), memory(explain_machine.top)),
    "top": (paste("machine top-new"), memory(explain_machine.top)),
    "free": (paste("machine free-m-el7"), memory(explain_machine.free)),
    "vmstat": (paste("machine vmstat"), swapping),
}


@pytest.mark.parametrize("name", CASES)
def test_damage_never_makes_a_bad_row_well(name: str) -> None:
    body, verdicts = CASES[name]
    before = verdicts(body)
    assert any(before.values()), "a case must have something bad"
    source = damages(body, random.Random(name))
    for _ in range(1200):
        damaged = next(source)
        try:
            after = verdicts(damaged)
        except Unreadable:
            continue
        assert not better(before, after), damaged
