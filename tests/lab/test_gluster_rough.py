"""Real GlusterFS in rougher company: bricks stopped and killed, a frozen glusterd, other watchers and their locks."""

from __future__ import annotations

import time
from pathlib import Path
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


def test_two_watchers_and_somebody_elses_status_loop_make_nothing_bad(lab: Any, tmp_path: Path) -> None:
    """Another watch with a journal of its own, and a monitor that asks without a pause on another peer: what both have
    stays, and nothing is red for it."""
    loop = "while [ $(date +%s) -lt $end ]; do gluster volume status gv0 >/dev/null 2>&1; done"
    other = ("--journal", str(tmp_path / "journal"))
    watch = lab.watch(*other)
    try:
        lab.until((tmp_path / "journal" / "board.db").exists, 20)
        end = time.monotonic() + 15
        lab.run(3, "sh", "-c", f"end=$(($(date +%s) + 16)); ({loop}) </dev/null >/dev/null 2>&1 &")

        def whole(board: dict[str, Any]) -> bool:
            return [one["bricks_up"] for one in board["volumes"] if one["name"] == "gv0"] == [3]

        while time.monotonic() < end:
            for board in (lab.status(), lab.status(*other)):
                assert not [f for f in board["findings"] if f["level"] == "crit"], board["findings"]
                bricks = [brick for one in board["volumes"] if one["name"] == "gv0" for brick in one["bricks"]]
                assert not [brick for brick in bricks if brick["up"] is False], bricks
            assert whole(lab.status()), "what was read before stays"
        lab.until(lambda: whole(lab.status(*other)), 90, "the other watch reads the volume, too")
    finally:
        watch.terminate()
        watch.wait(20)
    lab.healthy()


def test_a_frozen_glusterd_is_said_while_its_brick_serves_and_another_peer_asks(lab: Any) -> None:
    n = lab.asking()
    pid = lab.run(n, "cat", "/run/glusterd.pid").strip()
    lab.undo.callback(lab.run, n, "kill", "-CONT", pid)
    lab.run(n, "kill", "-STOP", pid)
    sentence = lab.appears("gluster.glusterd-hung", f"peer{n}", "warn", 40)
    assert sentence == f"peer{n}: glusterd gave no answer within 20 s; 1 of its bricks still run"
    assert next(one for one in lab.status()["volumes"] if one["name"] == "gv0")["bricks_up"] == 3
    lab.asking(other_than=n)
    lab.run(n, "kill", "-CONT", pid)
    lab.recovers("gluster.glusterd-hung", f"peer{n}", 40)
    lab.tell(
        ("gluster.glusterd-hung", f"peer{n}"),
        also=(
            *("gluster.peer-disconnected", "gluster.heal-unknown", "gluster.heal-backlog", "gluster.brick-down"),
            *("gluster.self-heal-down", "gluster.volume-unknown", "host.stale", "gluster.brick-unknown"),
        ),
    )


def small_group(lab: Any, limit: str) -> Path:
    """A cgroup of peer 2 with this limit of memory, of whichever version the kernel has; removed after the test."""
    first = Path("/sys/fs/cgroup/memory")
    old = first.is_dir()
    top = first if old else Path("/sys/fs/cgroup")
    group: Path = top / lab.space(2) / "brick"
    if not old:
        assert "memory" in (top / "cgroup.controllers").read_text(), "this kernel limits nobody's memory"
        for above in (top, group.parent):
            (above / "cgroup.subtree_control").write_text("+memory")
    group.mkdir()
    lab.undo.callback(group.rmdir)
    (group / ("memory.limit_in_bytes" if old else "memory.max")).write_text(limit)
    if (swap := group / "memory.swap.max").exists():
        swap.write_text("0")
    return group


def test_a_brick_killed_by_the_kernel_for_memory_is_named(lab: Any) -> None:
    """Really: its process in a cgroup of its own that is too small, and then some files to remember."""
    group = small_group(lab, "1M")
    lab.undo.callback(lab.forget_kills, 2)
    lab.undo.callback(lab.gluster, "volume", "start", "gv0", "force")
    brick = next(pid for pid, (_, words) in lab.processes(2).items() if f"--brick-name {lab.directory}" in words)
    (group / "cgroup.procs").write_text(str(brick))
    files = "for i in $(seq 1 500); do echo $i >/run/mnt/f$i; done; rm -f /run/mnt/f*"
    script = f"mount -t glusterfs peer1:/gv0 /run/mnt && {{ {files}; umount /run/mnt; }}"
    lab.run(1, "sh", "-c", f"mkdir -p /run/mnt; {script}")
    subject = f"gv0 {lab.brick(2, 'gv0')}"
    sentence = lab.appears("gluster.brick-oom", subject, "crit", 30)
    assert sentence == f"{subject}: its brick process was killed, out of memory"
    assert lab.appears("gluster.brick-down", subject, "warn").endswith("is down (its process is gone)")
    lab.gluster("volume", "start", "gv0", "force")
    lab.recovers("gluster.brick-down", subject)
    lab.forget_kills(2)
    lab.recovers("gluster.brick-oom", subject)
    lab.tell(
        ("gluster.brick-oom", subject),
        ("gluster.brick-down", subject),
        also=("machine.oom", "gluster.heal-unknown", "gluster.heal-backlog"),
    )
