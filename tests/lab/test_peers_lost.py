"""Real peers that go while they are needed: the elected one in the middle of its command, two of three by quorum."""

from __future__ import annotations

import time
from typing import Any

import pytest

pytestmark = pytest.mark.lab


def test_the_elected_peer_cut_off_in_the_middle_of_its_command_costs_no_wait(lab: Any) -> None:
    """What the others say without a lock is enough: nobody waits until a reading is too old or a command gives up."""
    n = lab.asking()
    lab.undo.callback(lab.peers, "join", str(n))
    lab.peers("cut", str(n))
    subject = f"gv0 {lab.brick(n, 'gv0')}"
    lab.until(lambda: ("gluster.brick-down", subject) in lab.findings(), 30, "its brick down")
    assert ("host.stale", f"peer{n}") not in lab.findings()
    sentence = lab.appears("gluster.brick-down", subject, "warn", 5)
    assert sentence == f"gv0: 2 of 3 bricks up; {lab.brick(n, 'gv0')} is down (its peer does not answer)"
    assert lab.asking(other_than=n) != n
    lab.peers("join", str(n))
    lab.recovers("gluster.brick-down", subject, 90)
    lab.tell(
        ("gluster.brick-down", subject),
        also=(
            *("host.unreachable", "host.stale", "gluster.peer-disconnected", "gluster.heal-unknown", "gluster.unknown"),
            *("gluster.brick-unknown", "gluster.self-heal-down", "gluster.heal-backlog", "gluster.volume-unknown"),
        ),
    )


def test_a_brick_that_dies_while_the_elected_glusterd_is_frozen_is_seen_at_once(lab: Any) -> None:
    n = lab.asking()
    frozen = lab.run(n, "cat", "/run/glusterd.pid").strip()
    victim = n % 3 + 1
    started = ("exec", str(victim), "gluster", "--mode=script", "volume", "start", "gv0", "force")
    lab.undo.callback(lab.until, lambda: lab.peers(*started, check=False).returncode == 0, 60, "the brick's start")
    lab.undo.callback(lab.run, n, "kill", "-CONT", frozen)
    lab.run(n, "kill", "-STOP", frozen)
    lab.run(victim, "kill", "-9", lab.brick_pid(victim, "gv0"))
    subject = f"gv0 {lab.brick(victim, 'gv0')}"
    lab.until(lambda: ("gluster.brick-down", subject) in lab.findings(), 20, "the dead brick")
    # before anybody had to wait for the frozen one
    assert ("gluster.glusterd-hung", f"peer{n}") not in lab.findings()
    lab.appears("gluster.glusterd-hung", f"peer{n}", "warn", 40)
    said = lab.findings()
    assert ("gluster.brick-unknown", f"gv0 {lab.brick(n, 'gv0')}") not in said
    assert said["gluster.brick-down", subject]["sentence"].startswith("gv0: 2 of 3 bricks up; ")
    lab.run(n, "kill", "-CONT", frozen)
    lab.until(lambda: lab.peers(*started, check=False).returncode == 0, 60, "the brick's start")
    lab.recovers("gluster.brick-down", subject, 60)
    lab.recovers("gluster.glusterd-hung", f"peer{n}", 40)


def test_server_quorum_lost_stops_the_last_peers_brick_and_is_named_as_the_reason(lab: Any) -> None:
    """glusterd itself ends the bricks of a peer that is alone."""
    lab.undo.callback(lab.gluster, "volume", "start", "gv0", "force")
    lab.undo.callback(lab.gluster, "volume", "reset", "gv0", "cluster.server-quorum-type")
    for n in (2, 3):
        lab.undo.callback(lab.peers, "start", str(n), "glusterd")
    lab.gluster("volume", "set", "gv0", "cluster.server-quorum-type", "server")
    lab.run(2, "sh", "-c", "kill $(cat /run/glusterd.pid)")
    said = lab.appears("gluster.server-quorum", "gv0", "warn", 30)
    assert said == "gv0: 2 of 3 peers connected; if one more is lost, bricks of gv0 stop (server quorum)"
    lab.run(3, "sh", "-c", "kill $(cat /run/glusterd.pid)")
    said = lab.appears("gluster.server-quorum", "gv0", "crit", 40)
    assert said == "gv0: server quorum lost, 1 of 3 peers connected, 2 needed: bricks of gv0 on peer1 stop"
    subject = f"gv0 {lab.brick(1, 'gv0')}"
    assert lab.appears("gluster.brick-down", subject, "warn", 40).endswith("is down (its process is gone)")
    assert not lab.brick_pid(1, "gv0")
    for n in (2, 3):
        lab.peers("start", str(n), "glusterd")
    lab.until(lambda: lab.brick_pid(1, "gv0"), 40, "the brick back with the quorum")
    lab.recovers("gluster.server-quorum", "gv0", 40)
    lab.recovers("gluster.brick-down", subject, 40)
    lab.tell(
        ("gluster.server-quorum", "gv0"),
        ("gluster.brick-down", subject),
        also=(
            *("gluster.glusterd-down", "gluster.peer-disconnected", "gluster.heal-unknown", "gluster.heal-backlog"),
            *("gluster.brick-down", "gluster.self-heal-down", "gluster.volume-unknown", "gluster.quorum-lost"),
            *("gluster.peers-disagree", "gluster.brick-unknown"),
        ),
    )


def test_a_status_loop_that_holds_the_lock_leaves_the_last_value_with_its_age(lab: Any) -> None:
    """Somebody else's monitor on one peer, made slow by a glusterd that works by fits and starts on another, so that it
    nearly always holds the lock; ours asks on the third and is told that GlusterFS is busy."""
    asks = lab.asking()
    slow, monitored = [k for k in (1, 2, 3) if k != asks]
    pid = lab.run(slow, "cat", "/run/glusterd.pid").strip()
    loop = "while [ -e /run/loop ]; do gluster volume status gv0 >/dev/null 2>&1; done"
    fits = f"while [ -e /run/loop ]; do kill -STOP {pid}; sleep 3; kill -CONT {pid}; sleep 0.5; done; kill -CONT {pid}"
    for k, script in ((monitored, loop), (slow, fits)):
        lab.undo.callback(lab.run, k, "rm", "-f", "/run/loop")
        lab.run(k, "sh", "-c", f"touch /run/loop; ({script}) </dev/null >/dev/null 2>&1 &")
    lab.undo.callback(lab.run, slow, "kill", "-CONT", pid)
    field = "volume_status:gv0"

    def busy() -> list[dict[str, Any]]:
        board = lab.status()
        bad = [f for f in board["findings"] if f["rule"].startswith("gluster.") and f["level"] in ("warn", "crit")]
        assert not bad, bad
        (volume,) = [one for one in board["volumes"] if one["name"] == "gv0"]
        assert volume["bricks_up"] == 3 and volume["status"] == "started", volume
        return [volume for host in board["hosts"] if "is busy" in host["not_available"].get(field, "")]

    first = lab.until(busy, 150, "an answer that GlusterFS is busy")[0]
    time.sleep(1.0)
    later = lab.until(busy, 10)[0]
    assert first["age"] > 0 and later["age"] > first["age"], "it is not said to be newer than it is"
    for k in (monitored, slow):
        lab.run(k, "rm", "-f", "/run/loop")
    since = time.monotonic()

    def answered() -> bool:
        """Whoever is asked now has had an answer since; a peer that is asked no more keeps what it last said."""
        (volume,) = [one for one in lab.status()["volumes"] if one["name"] == "gv0"]
        return bool(volume["age"] < time.monotonic() - since)

    lab.until(answered, 90, "an answer without busy")
