"""Real GlusterFS: a brick killed, glusterd stopped, a split-brain made; each mended by the commands of its playbook."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.played import Played

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
    play = Played(lab, "gluster-brick-down", volume="gv0", brick=lab.brick(2, "gv0").partition(":")[2])
    assert " N " in play.look(1, "What runs and what does not?")
    assert "trusted.glusterfs.volume-id=0x" in play.look(2, "Is the brick's file system there")
    play.do(1, "Start what is missing.")
    assert "Number of entries in split-brain: 0" in play.look(1, "No split-brain?")
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
    play = Played(lab, "gluster-quorum-lost", volume="gv0")
    assert "Number of Bricks: 1 x 3" in play.look(1, "Which quorum is it?")
    play.do(1, "Start the bricks that are missing")
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
    cut = Played(lab, "gluster-peer-disconnected", peer="peer2")
    assert "(Disconnected)" in cut.look(1, "What does each peer see?")
    assert "glusterd" not in cut.look(2, "Does its glusterd run?").split()
    play = Played(lab, "gluster-glusterd-down")
    play.look(2, "What does its log say?")
    play.do(2, "Start it", only="without a service manager")
    cut.verified(1, "Mend what the look has shown")
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
    play = Played(
        lab,
        "gluster-split-brain",
        volume="pair",
        file="/report.txt",
        source=bricks[1],
        bad_brick=bricks[0].partition(":")[2],
    )
    assert "/report.txt" in play.look(1, "Which files?")
    assert "trusted.afr.pair-client-1=0x" in play.look(1, "Which kind?")
    lab.undo.callback(lab.run, 1, "rm", "-rf", "/root/split-brain")
    play.do(1, "Keep every copy outside")
    play.do(1, "Say which copy is good")
    lab.recovers("gluster.split-brain", "pair", 45)
    lab.tell(
        ("gluster.split-brain", "pair"),
        # One brick after the other is away: a look may find the first not back yet and the second gone.
        also=(
            *("gluster.brick-down", "gluster.heal-unknown", "gluster.heal-backlog", "gluster.brick-unknown"),
            "gluster.quorum-lost",
        ),
    )
