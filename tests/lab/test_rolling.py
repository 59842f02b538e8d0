"""Real peers by their playbooks: a backlog of heals, and three taken down and brought back while a client writes on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.played import Played

pytestmark = pytest.mark.lab


def pending(lab: Any) -> int:
    (count,) = [one["heals_pending"] for one in lab.status()["volumes"] if one["name"] == "gv0"]
    return count or 0


def test_files_that_wait_to_be_healed_are_found_and_healed_by_their_playbook(lab: Any) -> None:
    setting = ("volume", "set", "gv0", "cluster.self-heal-daemon")
    lab.undo.callback(lab.gluster, *setting, "on")
    lab.undo.callback(lab.gluster, "volume", "start", "gv0", "force")
    lab.gluster(*setting, "off")
    lab.run(3, "kill", "-9", lab.brick_pid(3, "gv0"))
    write(lab, "waiting", 20)
    lab.gluster("volume", "start", "gv0", "force")
    lab.until(lambda: pending(lab) >= 20, 40, "a backlog on the board; a finding only when it lasts 20 min")
    play = Played(lab, "gluster-heal-backlog", volume="gv0")
    assert "Number of entries: 2" in play.look(1, "Which bricks have how many?")
    lab.gluster(*setting, "on")
    play.do(1, "The self-heal daemon is missing")
    assert "Unsuccessful" in play.step("It stands still").text
    play.do(1, "It stands still with all daemons up", again="has been unsuccessful")
    lab.until(lambda: pending(lab) == 0, 40, "the board without a backlog")


def test_three_peers_go_down_and_come_back_one_by_one_and_nobody_notices(lab: Any) -> None:
    for n in (1, 2, 3):
        other = n % 3 + 1
        play = Played(lab, "gluster-rolling-reboot", volume="gv0", peer=f"peer{n}")
        play.verified(other, "All peers connected and all bricks up?")
        play.verified(other, "No heal pending?")
        lab.undo.callback(lab.gluster, "volume", "start", "gv0", "force")
        lab.undo.callback(lab.peers, "start", str(n), "glusterd")
        stop = next(block for block in play.step("Stop the bricks in order").blocks if block.only == "systemd")
        (line,) = [line for line in stop.text.splitlines() if line.startswith("pkill")]
        lab.run(n, "sh", "-c", f"kill $(cat /run/glusterd.pid); {line}", check=False)  # its service manager's part
        assert not lab.brick_pid(n, "gv0")
        write(lab, f"while-{n}-is-down", 5, mounted_on=other)
        lab.peers("start", str(n), "glusterd")  # the boot
        play.verified(other, "Stop the bricks in order")
        play.verified(other, "All bricks up again?")
        play.verified(other, "Wait until nothing is left to heal", 60)
    copies = [lab.run(n, "sh", "-c", f"cd {lab.directory}/p{n}/bricks/gv0 && md5sum while-*") for n in (1, 2, 3)]
    assert copies[0].count("while-") == 15 and copies[0] == copies[1] == copies[2]


def write(lab: Any, name: str, count: int, mounted_on: int = 1) -> None:
    """Files through a mount of gv0, made for this alone; removed after the test."""
    mount = f"mkdir -p /run/mnt && mount -t glusterfs peer{mounted_on}:/gv0 /run/mnt"
    script = f"for i in $(seq {count}); do echo $i >/run/mnt/{name}-$i || exit 1; done"

    def on_mount(what: str) -> bool:
        done = lab.peers(
            "exec", str(mounted_on), "sh", "-c", f"{mount} && ({what}); s=$?; umount /run/mnt; exit $s", check=False
        )
        return bool(done.returncode == 0)

    lab.undo.callback(on_mount, f"rm -f /run/mnt/{name}-*")
    lab.until(lambda: on_mount(script), 30, f"{count} files written")
