"""Real sshd and network: reading healthy peers, a peer cut off and back, and what stays on the hosts afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from incident_tui.fleet import ssh
from incident_tui.fleet.channel import Channel
from incident_tui.fleet.settings import Fleet, Host
from incident_tui.watch.asks import ask

pytestmark = pytest.mark.lab

NAMES = ["peer1", "peer2", "peer3"]


def test_healthy_peers_are_read_whole(lab: Any) -> None:
    lab.healthy()
    # what a brick missed while it was down in the test before is healed by GlusterFS in its own time
    lab.until(lambda: [one["heals_pending"] for one in lab.status()["volumes"]] == [0], 90, "nothing left to heal")
    board = lab.healthy()
    assert [(host["name"], host["state"]) for host in board["hosts"]] == [(name, "connected") for name in NAMES]
    for host in board["hosts"]:
        assert host["docker_version"] and host["gluster_version"] and host["memory_used_percent"] > 0
        assert host["age"] < 20 and abs(host["clock_skew_seconds"]) < 1
    containers = sorted((one["host"], one["name"], one["state"]) for one in board["containers"])
    assert containers == [(name, "web", "running") for name in NAMES]
    assert all(one["memory_limit"] == 64 << 20 and one["memory_working_set"] for one in board["containers"])
    assert [(peer["name"], peer["connected"], peer["not_reached_by"]) for peer in board["peers"]] == [
        (name, True, []) for name in NAMES
    ]
    (volume,) = board["volumes"]
    assert (volume["name"], volume["status"], volume["bricks_up"]) == ("gv0", "started", 3)
    assert volume["split_brain"] == 0 and volume["heals_pending"] == 0
    assert [brick["host"] for brick in volume["bricks"]] == NAMES
    assert lab.program("status").stdout.endswith("0 findings; hosts 3/3 connected, containers 3/3 running, volumes 1\n")


def test_check_read_and_probe_of_healthy_peers(lab: Any) -> None:
    checked = json.loads(lab.program("check", "--json").stdout)
    assert not [row for row in checked if row["ok"] is False]
    assert [row["subject"] for row in checked if row["what"] == "gluster" and row["ok"]] == NAMES
    read = json.loads(lab.program("read", "--json").stdout)
    assert not read["findings"] and len(read["hosts"]) == 3 and read["volumes"][0]["bricks_up"] == 3
    probed = json.loads(lab.program("probe", "peer2", "--json").stdout)
    assert probed["host"] == "peer2" and probed["link"]["state"] == "connected"
    assert "== docker-inspect (status 0" in lab.program("probe", "peer2").stdout
    assert "did you mean peer1" in lab.program("probe", "peer11", check=2).stderr


def test_a_peer_cut_off_is_unknown_and_comes_back(lab: Any) -> None:
    """Cut while one of our locking commands, run on another peer, asks it."""
    n = 2 if lab.asking() == 3 else 3
    peer = f"peer{n}"
    lab.undo.callback(lab.peers, "join", str(n))
    brick = f"gv0 {lab.brick(n, 'gv0')}"
    lab.peers("cut", str(n))
    lab.appears("host.unreachable", peer, "unknown", 30)
    said = lab.appears("gluster.peer-disconnected", f"peer {peer}", "warn", 30)
    assert said.startswith(f"peer {peer} disconnected, says peer") and said.endswith("; 2 of 3 peers connected")
    checked = lab.program("check", check=1).stdout
    assert [line.split()[2:4] for line in checked.splitlines() if line.startswith("X FAIL")] == [[peer, "network"]]
    assert "no answer in time" in lab.program("probe", peer, check=1).stdout
    lab.program("read", peer, check=1)
    sentence = lab.appears("gluster.brick-down", brick, "warn", 30)
    assert sentence.endswith("is down (its peer does not answer)")
    lab.peers("join", str(n))
    ask(lab.journal, peer)  # as a person who presses refresh, who need not wait for the next try
    lab.recovers("host.unreachable", peer, 40)
    lab.recovers("gluster.peer-disconnected", f"peer {peer}", 40)
    lab.recovers("gluster.brick-down", brick, 60)
    lab.tell(
        ("host.unreachable", peer),
        ("gluster.peer-disconnected", f"peer {peer}"),
        ("gluster.brick-down", brick),
        # the others, too, as it sees them itself in the first seconds after its return
        also=(
            *("gluster.peer-disconnected", "gluster.brick-unknown", "gluster.heal-unknown"),
            *("gluster.self-heal-down", "gluster.unknown"),
        ),
    )


def test_a_killed_watch_leaves_no_process_on_the_hosts(lab: Any, tmp_path: Path) -> None:
    before = {n: set(lab.sessions(n)) for n in (1, 2, 3)}

    def new() -> list[str]:
        return [
            words
            for n in before
            for session, all in lab.sessions(n).items()
            if session not in before[n]
            for words in all
        ]

    journal = ("--journal", str(tmp_path / "journal"))
    watch = lab.watch(*journal)
    try:

        def followers() -> int:
            return sum(words.startswith("docker events") for words in new())

        lab.until(lambda: followers() == 3, 30, "following the events of three hosts")
        lab.until(lambda: len(lab.status(*journal)["volumes"]) == 1, 30)
    finally:
        watch.kill()
        watch.wait()
    # what a round was about to ask ends by itself, at its own limit at last
    lab.until(lambda: not new(), 60, "nothing of ours on the hosts")


async def test_a_cut_network_leaves_no_process_on_the_host_beyond_the_deadline(lab: Any) -> None:
    """A follower and a hung child among them; the client's end of the connection is never heard of."""
    idle, limit = 4, 12  # seconds without a request; of docker ps
    host = Host(
        name="peer3",
        address=f"{lab.subnet}.3",
        user="root",
        identity_file=str(lab.directory / "key"),
        known_hosts=str(lab.directory / "known_hosts"),
    )
    dockerd = lab.run(3, "cat", "/run/docker.pid").strip()
    lab.undo.callback(ask, lab.journal, "peer3")
    lab.undo.callback(lab.peers, "join", "3")
    lab.undo.callback(lab.run, 3, "kill", "-CONT", dockerd)
    connection = await ssh.connect(host, Fleet())
    ours = f"{lab.subnet}.254 {connection.ssh.get_extra_info('sockname')[1]} {lab.subnet}.3 22"
    channels = {}
    for mode in ("fast", "slow", "events"):
        channels[mode] = Channel(host, mode, lambda: datetime.now(UTC), idle=idle)
        await channels[mode].start(connection.ssh, 15)
    lab.run(3, "kill", "-STOP", dockerd)
    hung = asyncio.create_task(channels["slow"].ask(["docker"], 60))
    end = time.monotonic() + 10
    while not any("docker ps" in words for words in lab.sessions(3).get(ours, [])):
        assert time.monotonic() < end, lab.sessions(3)
        await asyncio.sleep(0.1)
    assert any(words.startswith("docker events") for words in lab.sessions(3)[ours])
    lab.peers("cut", "3")
    connection.abort()
    with contextlib.suppress(Exception):
        await hung
    lab.until(lambda: not lab.sessions(3).get(ours), idle + limit + 5, "nothing of ours on the host")
