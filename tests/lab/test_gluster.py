"""Real GlusterFS: a brick killed, glusterd stopped, a split-brain made and mended."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.lab


def volume(lab: Any, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in lab.status()["volumes"] if one["name"] == name)
    return found


def test_a_killed_brick_is_found_and_its_restart_seen(lab: Any) -> None:
    lab.undo.callback(lab.gluster, "volume", "start", "gv0", "force")
    subject = f"gv0 {lab.brick(2, 'gv0')}"
    lab.run(2, "kill", "-9", lab.brick_pid(2, "gv0"))
    sentence = lab.appears("gluster.brick-down", subject, "warn")
    assert sentence == f"gv0: 2 of 3 bricks up; {lab.brick(2, 'gv0')} is down (its process is gone)"
    seen = volume(lab, "gv0")
    assert seen["bricks_up"] == 2 and [brick["up"] for brick in seen["bricks"]] == [True, False, True]
    lab.gluster("volume", "start", "gv0", "force")
    lab.recovers("gluster.brick-down", subject)
    lab.tell(("gluster.brick-down", subject), also=("gluster.heal-unknown", "gluster.heal-backlog"))


def test_two_killed_bricks_of_three_lose_the_quorum(lab: Any) -> None:
    lab.undo.callback(lab.gluster, "volume", "start", "gv0", "force")
    for n in (2, 3):
        lab.run(n, "kill", "-9", lab.brick_pid(n, "gv0"))
    assert "writes refused" in lab.appears("gluster.quorum-lost", "gv0", "crit")
    downs = [("gluster.brick-down", f"gv0 {lab.brick(n, 'gv0')}") for n in (2, 3)]
    for down in downs:
        lab.appears(*down, "crit")
    lab.gluster("volume", "start", "gv0", "force")
    lab.recovers("gluster.quorum-lost", "gv0")
    for down in downs:
        lab.recovers(*down)
    lab.tell(("gluster.quorum-lost", "gv0"), *downs, also=("gluster.heal-unknown", "gluster.heal-backlog"))


def test_a_stopped_glusterd_is_found_while_its_bricks_still_serve(lab: Any) -> None:
    lab.undo.callback(lab.peers, "start", "2", "glusterd")
    lab.run(2, "sh", "-c", "kill $(cat /run/glusterd.pid)")
    sentence = lab.appears("gluster.glusterd-down", "peer2", "crit")
    assert sentence == "peer2: glusterd does not run; 1 of its bricks still run"
    said = lab.appears("gluster.peer-disconnected", "peer peer2", "warn")
    assert said.startswith("peer peer2 disconnected, says peer") and said.endswith("; 2 of 3 peers connected")
    assert volume(lab, "gv0")["bricks_up"] == 3
    checked = lab.program("check", check=1).stdout
    assert [line.split()[2:4] for line in checked.splitlines() if line.startswith("X FAIL")] == [["peer2", "gluster"]]
    lab.peers("start", "2", "glusterd")
    lab.recovers("gluster.glusterd-down", "peer2")
    lab.recovers("gluster.peer-disconnected", "peer peer2")
    lab.tell(
        ("gluster.glusterd-down", "peer2"),
        ("gluster.peer-disconnected", "peer peer2"),
        also=("gluster.heal-unknown", "gluster.brick-down", "gluster.self-heal-down"),
    )


def write(lab: Any, name: str, text: str) -> None:
    """Write one file through a mount of the volume, made for this alone."""
    script = f"mkdir -p /run/mnt && mount -t glusterfs peer1:/{name} /run/mnt && echo {text} >/run/mnt/report.txt"
    lab.until(
        lambda: (
            lab.peers("exec", "1", "sh", "-c", f"{script}; s=$?; umount /run/mnt; exit $s", check=False).returncode == 0
        ),
        20,
    )


def test_a_true_split_brain_is_found_and_its_repair_seen(lab: Any) -> None:
    bricks = [lab.brick(n, "pair") for n in (1, 2)]
    lab.undo.callback(lab.peers, "exec", "1", "sh", "-c", f"rm -rf {lab.directory}/p[12]/bricks/pair")
    lab.undo.callback(lab.peers, "exec", "1", "gluster", "--mode=script", "volume", "delete", "pair", check=False)
    lab.undo.callback(
        lab.peers, "exec", "1", "gluster", "--mode=script", "volume", "stop", "pair", "force", check=False
    )
    lab.gluster("volume", "create", "pair", "replica", "2", *bricks, "force")
    lab.gluster("volume", "set", "pair", "cluster.quorum-type", "none")
    for heal in ("self-heal-daemon", "data-self-heal", "metadata-self-heal", "entry-self-heal"):
        lab.gluster("volume", "set", "pair", f"cluster.{heal}", "off")
    lab.gluster("volume", "start", "pair")
    write(lab, "pair", "first")
    for n in (2, 1):  # each copy is written while the other is away, so each accuses the other
        lab.run(n, "kill", "-9", lab.brick_pid(n, "pair"))
        write(lab, "pair", f"without-{n}")
        lab.gluster("volume", "start", "pair", "force")
        lab.until(lambda n=n: lab.brick_pid(n, "pair"), 20)
        lab.until(lambda: "not connected" not in lab.gluster("volume", "heal", "pair", "info"), 20)
    assert "Is in split-brain" in lab.gluster("volume", "heal", "pair", "info")
    sentence = lab.appears("gluster.split-brain", "pair", "crit", 45)
    assert sentence.startswith("pair: SPLIT-BRAIN, 1 entry, first ")
    assert volume(lab, "pair")["split_brain"] == 1
    lab.gluster("volume", "heal", "pair", "split-brain", "source-brick", bricks[1], "/report.txt")
    lab.recovers("gluster.split-brain", "pair", 45)
    lab.tell(
        ("gluster.split-brain", "pair"),
        also=("gluster.brick-down", "gluster.heal-unknown", "gluster.heal-backlog", "gluster.brick-unknown"),
    )
