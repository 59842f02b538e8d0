"""Real containers of a real Docker Engine: killed, out of memory, crashing, paused; and the engine itself stopped."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.played import Played

pytestmark = pytest.mark.lab


def container(lab: Any, host: str, name: str) -> dict[str, Any] | None:
    return next((one for one in lab.status()["containers"] if (one["host"], one["name"]) == (host, name)), None)


def test_a_killed_container_is_found_and_its_start_seen(lab: Any) -> None:
    lab.undo.callback(lab.docker, 2, "start", "web")
    pid = lab.docker(2, "inspect", "-f", "{{.State.Pid}}", "web")
    lab.run(2, "kill", "-9", pid)
    sentence = lab.appears("docker.container-down", "peer2 web", "warn")
    assert sentence == "peer2 web: exited 137 (killed)"
    lab.docker(2, "start", "web")
    lab.recovers("docker.container-down", "peer2 web")
    lab.tell(("docker.container-down", "peer2 web"))


def test_a_container_out_of_memory_is_found_by_the_kernel_log(lab: Any) -> None:
    lab.undo.callback(lab.forget_kills, 1)
    lab.undo.callback(lab.docker, 1, "rm", "-f", "hog", check=False)
    options = ("--network", "none", "-m", "32m", "--memory-swap", "32m")
    eater = "dd if=/dev/zero of=/dev/shm/eaten bs=1M count=48 && exec sleep 1000000"
    lab.docker(1, "run", "-d", "--name", "hog", *options, "busybox:lab", "sh", "-c", eater)
    assert lab.appears("docker.container-oom", "peer1 hog", "crit").startswith("peer1 hog: killed, out of memory")
    findings = lab.findings()
    assert "Killed process" in findings["docker.container-oom", "peer1 hog"]["evidence"]
    assert "memory limit reached" in findings["machine.oom", "peer1"]["sentence"]
    seen = container(lab, "peer1", "hog")
    assert seen is not None and seen["oom_killed"] and seen["exit_code"] == 137
    assert seen["memory_limit"] in (None, 32 << 20)
    play = Played(lab, "container-out-of-memory", container="hog", limit="96")
    assert "oom true exit 137" in play.look(1, "What does Docker say?")
    play.do(1, "raise it in place")
    play.do(1, "Start the victim")
    lab.docker(1, "rm", "-f", "hog")
    lab.forget_kills(1)
    lab.recovers("docker.container-oom", "peer1 hog")
    lab.recovers("machine.oom", "peer1")
    lab.tell(("docker.container-oom", "peer1 hog"), ("machine.oom", "peer1"), also=("docker.container-down",))


def test_a_crash_loop_is_found(lab: Any) -> None:
    lab.undo.callback(lab.docker, 2, "rm", "-f", "looper", check=False)
    wants = lab.directory / "p2" / "wants"
    wants.mkdir()
    lab.undo.callback(wants.rmdir)
    options = ("--network", "none", "--restart", "always", "-v", f"{wants}:/wants")
    script = "test -e /wants/settings || { echo no settings; exit 3; }; exec sleep 1000000"
    lab.docker(2, "run", "-d", "--name", "looper", "--stop-signal", "KILL", *options, "busybox:lab", "sh", "-c", script)
    lab.appears("docker.container-restarting", "peer2 looper", "crit")
    play = Played(lab, "container-crash-loop", container="looper")
    lab.until(
        lambda: "exit 3 oom false" in play.look(2, "How does it end", only="today"), 20, "its end between two starts"
    )
    assert "no settings" in play.look(2, "Its last words.")
    play.do(2, "Stop the loop")
    lab.undo.callback((wants / "settings").unlink)
    (wants / "settings").touch()
    play.do(2, "Start it once")
    lab.recovers("docker.container-restarting", "peer2 looper")
    lab.docker(2, "rm", "-f", "looper")
    lab.tell(("docker.container-restarting", "peer2 looper"), also=("docker.container-down",))


def test_a_paused_container_is_found(lab: Any) -> None:
    lab.undo.callback(lab.docker, 1, "unpause", "web", check=False)
    lab.docker(1, "pause", "web")
    lab.appears("docker.container-paused", "peer1 web", "warn")
    lab.docker(1, "unpause", "web")
    lab.recovers("docker.container-paused", "peer1 web")
    lab.tell(("docker.container-paused", "peer1 web"))


def test_a_stopped_docker_daemon_is_found_and_what_it_ran_comes_back(lab: Any) -> None:
    lab.undo.callback(lab.peers, "start", "3", "dockerd")
    lab.run(3, "sh", "-c", "kill $(cat /run/docker.pid)")
    assert lab.appears("docker.daemon-down", "peer3", "crit") == "peer3: the Docker daemon does not run"
    assert lab.program("check", check=1).stdout.count("X FAIL") == 1
    lab.until(lambda: not lab.run(3, "pgrep", "-x", "dockerd", check=False).strip(), 30, "the daemon's end")
    lab.peers("start", "3", "dockerd")
    lab.recovers("docker.daemon-down", "peer3")
    lab.until(lambda: (seen := container(lab, "peer3", "web")) and seen["state"] == "running", 20)
    lab.tell(("docker.daemon-down", "peer3"), also=("docker.container-down",))


def test_a_frozen_docker_daemon_hangs_and_its_files_and_the_kernel_say_what_runs(lab: Any) -> None:
    pid = lab.run(2, "cat", "/run/docker.pid").strip()
    lab.undo.callback(lab.run, 2, "kill", "-CONT", pid)
    lab.run(2, "kill", "-STOP", pid)
    sentence = lab.appears("docker.daemon-hung", "peer2", "warn", 40)
    assert sentence == "peer2: the Docker daemon gave no answer within 12 s"
    lab.until(lambda: (seen := container(lab, "peer2", "web")) and seen["state"] == "running", 5)
    play = Played(lab, "docker-daemon-hung")
    stopped = play.look(2, "Which version, does it run", only="today")
    assert [line.split()[1][0] for line in stopped.splitlines() if "dockerd" in line] == ["T"]
    play.do(2, "It is stopped (T)")
    lab.recovers("docker.daemon-hung", "peer2")
    lab.tell(("docker.daemon-hung", "peer2"))
