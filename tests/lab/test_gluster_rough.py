"""Real GlusterFS in rougher company: a brick that is stopped and not dead, a stopped volume, somebody else's lock."""

from __future__ import annotations

import time
from typing import Any

import pytest

pytestmark = pytest.mark.lab


def test_a_brick_that_is_stopped_and_not_dead_is_down(lab: Any) -> None:
    pid = lab.brick_pid(2, "gv0")
    lab.undo.callback(lab.run, 2, "kill", "-CONT", pid)
    subject = f"gv0 {lab.brick(2, 'gv0')}"
    lab.run(2, "kill", "-STOP", pid)
    sentence = lab.appears("gluster.brick-down", subject, "warn")
    assert sentence.endswith("is down (its process is stopped)")
    lab.run(2, "kill", "-CONT", pid)
    lab.recovers("gluster.brick-down", subject)
    lab.tell(("gluster.brick-down", subject), also=("gluster.heal-unknown", "gluster.heal-backlog"))


def test_a_stopped_volume_is_found_and_its_start_seen(lab: Any) -> None:
    lab.undo.callback(lab.gluster, "volume", "start", "gv0", "force")
    lab.gluster("volume", "stop", "gv0")
    assert lab.appears("gluster.volume-stopped", "gv0", "crit") == "gv0: the volume is stopped"
    lab.gluster("volume", "start", "gv0")
    lab.recovers("gluster.volume-stopped", "gv0")
    lab.tell(
        ("gluster.volume-stopped", "gv0"),
        also=("gluster.heal-unknown", "gluster.heal-backlog", "gluster.brick-down", "gluster.self-heal-down"),
    )


def test_somebody_elses_status_loop_takes_the_lock_and_makes_nothing_bad(lab: Any) -> None:
    """Another monitor asks without a pause, on another peer: what we have stays, and nothing is red for it."""
    loop = "while [ $(date +%s) -lt $end ]; do gluster volume status gv0 >/dev/null 2>&1; done"
    end = time.monotonic() + 15
    lab.run(3, "sh", "-c", f"end=$(($(date +%s) + 20)); ({loop}) </dev/null >/dev/null 2>&1 &")
    while time.monotonic() < end:
        assert not [f for f in lab.findings().values() if f["level"] == "crit"]
        found = next(one for one in lab.status()["volumes"] if one["name"] == "gv0")
        assert found["bricks_up"] == 3
    lab.healthy()
