"""Real volumes of other kinds: arbiter, disperse, distributed with a rebalance, a brick on a full file system."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.lab.played import Played

pytestmark = pytest.mark.lab


def made(lab: Any, name: str, *words: str, peers: tuple[int, ...] = (1, 2, 3)) -> None:
    """A started volume, removed after the test."""
    bricks = [lab.brick(n, name) for n in peers]
    places = " ".join(str(lab.directory / f"p{n}" / "bricks" / name) for n in (1, 2, 3))
    lab.undo.callback(lab.peers, "exec", "1", "sh", "-c", f"rm -rf {places} 2>/dev/null; true")
    for verb in (("delete", name), ("stop", name, "force")):
        lab.undo.callback(lab.peers, "exec", "1", "gluster", "--mode=script", "volume", *verb, check=False)
    lab.gluster("volume", "create", name, *words, *bricks, "force")
    lab.gluster("volume", "start", name)


def test_arbiter_and_disperse_volumes_with_a_brick_down(lab: Any) -> None:
    made(lab, "arb", "replica", "3", "arbiter", "1")
    made(lab, "ec", "disperse", "3", "redundancy", "1")
    up = [("arb", 3), ("ec", 3), ("gv0", 3)]
    lab.until(lambda: [(one["name"], one["bricks_up"]) for one in lab.status()["volumes"]] == up, 30, "all bricks")
    downs = {"arb": "warn", "ec": "crit"}
    for name in downs:
        lab.until(lambda name=name: lab.brick_pid(3, name), 10)
        lab.run(3, "kill", "-9", lab.brick_pid(3, name))
    said = {name: lab.appears("gluster.brick-down", f"{name} {lab.brick(3, name)}", downs[name]) for name in downs}
    assert said["arb"] == f"arb: 2 of 3 bricks up; {lab.brick(3, 'arb')} is down (its process is gone)"
    assert said["ec"] == (
        f"ec: 2 of 3 bricks up; {lab.brick(3, 'ec')} is down (its process is gone), no redundancy left"
    )
    for name in downs:
        lab.run(2, "kill", "-9", lab.brick_pid(2, name))
    assert lab.appears("gluster.quorum-lost", "arb", "crit") == "arb: 1 of 3 bricks up, writes refused (client quorum)"
    assert lab.appears("gluster.quorum-lost", "ec", "crit") == "ec: 1 of 3 bricks up, data unavailable (redundancy 1)"


def test_a_rebalance_and_a_brick_on_a_full_file_system(lab: Any) -> None:
    place = f"{lab.directory}/p1/bricks/dist"
    lab.undo.callback(lab.peers, "exec", "1", "umount", "-l", place, check=False)
    lab.run(1, "sh", "-c", f"mkdir -p {place} && mount -t tmpfs -o size=24m,mode=755 tmpfs {place}")
    made(lab, "dist", peers=(1, 2))
    lab.gluster("volume", "add-brick", "dist", lab.brick(3, "dist"), "force")
    lab.gluster("volume", "rebalance", "dist", "start")
    lab.until(lambda: "completed" in lab.gluster("volume", "rebalance", "dist", "status"), 30, "a whole rebalance")
    lab.run(1, "sh", "-c", f"cat /dev/zero >{place}/fill 2>/dev/null; true")
    subject = f"dist {lab.brick(1, 'dist')}"
    sentence = lab.appears("gluster.brick-full", subject, "crit", 30)
    assert sentence == f"dist: {lab.brick(1, 'dist')} 100% full, 0 B left"
    read = json.loads(lab.program("read", "--json", check=1).stdout)
    (volume,) = [one for one in read["volumes"] if one["name"] == "dist"]
    assert volume["rebalance"] == "completed", volume
    play = Played(lab, "gluster-volume-full", volume="dist", brick=place, file=f"{place}/fill")
    assert "fill" in play.look(1, "What takes the room")
    play.do(1, "Beside the brick")
    lab.recovers("gluster.brick-full", subject)
