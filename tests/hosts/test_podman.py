"""Real podman, rootful and rootless, through the same probe: running, ended, killed, out of memory, by another name."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from incident_tui.hosts import docker, health
from incident_tui.hosts.assemble import Assembler
from incident_tui.hosts.readings import Container, Link, LinkState
from incident_tui.hosts.settings import Thresholds
from incident_tui.incident.finding import Level

ACCOUNT = 200_000 + os.getpid()
"""Somebody without a name and without subordinate ids: podman maps this one account into the container. All that runs
under it is this test's."""
# What podman would set otherwise needs a right that a container of CI may lack.
LIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=100:100", "--network", "none")


class Podman:
    """Its containers, in a directory of their own. `program` is a stand-in that calls it so, for the probe's PATH."""

    def __init__(self, place: Path, *, rootless: bool) -> None:
        self.place, self.rootless = place, rootless
        runtime = shutil.which("runc", path="/usr/sbin:/usr/bin") or "crun"
        options = f"--storage-driver vfs --cgroup-manager cgroupfs --runtime {runtime} --events-backend file"
        user = f"setpriv --reuid {ACCOUNT} --regid {ACCOUNT} --clear-groups " if rootless else ""
        podman = shutil.which("podman", path="/usr/bin:/bin")
        self.program = (
            f"cd {place}; export HOME={place} XDG_RUNTIME_DIR={place}/x PATH=/usr/sbin:/usr/bin:/sbin:/bin\n"
            f'exec {user}{podman} --root {place}/r --runroot {place}/x/r {options} "$@"\n'
        )

    def __call__(self, *words: str, check: bool = True) -> str:
        command = ["sh", "-c", self.program, "podman", *words]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        assert not check or done.returncode == 0, f"podman {words}: {done.stderr.strip()}"
        return done.stdout.strip()


def processes() -> list[int]:
    """What runs under the account."""
    found = []
    for place in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if place.name.isdecimal() and place.stat().st_uid == ACCOUNT:
                found.append(int(place.name))
    return found


@pytest.fixture(params=["rootful", "rootless"])
def podman(request: pytest.FixtureRequest, tmp_path: Path, needs_root: None) -> Iterator[Podman]:
    missing = [name for name in ("podman", "busybox") if shutil.which(name, path="/usr/bin:/bin") is None]
    if missing:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must have {', '.join(missing)}")
        pytest.skip(f"no {', '.join(missing)} on this machine")
    # Its sockets need a short path; one of its own, as what cleans up after the last test may still write to its.
    place = Path(tempfile.mkdtemp(prefix="itp", dir="/tmp"))
    (place / "x").mkdir(mode=0o700)
    engine = Podman(place, rootless=request.param == "rootless")
    with tarfile.open(place / "image.tar", "w") as tar:
        tar.add(os.path.realpath("/bin/busybox"), "bin/busybox")
        for applet in ("sh", "sleep", "tail"):
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    if engine.rootless:
        for path in (place, place / "x", place / "image.tar"):
            os.chown(path, ACCOUNT, ACCOUNT)
    try:
        engine("import", "image.tar", "busybox:lab")
        yield engine
    finally:
        engine("rm", "-a", "-f", "-t", "0", check=False)
        for mount in (place / "r" / "vfs", place / "r"):
            subprocess.run(["umount", "-l", str(mount)], capture_output=True, check=False)
        end = time.monotonic() + 20
        while place.exists() or processes():  # what cleans up after a container may still run
            for pid in processes():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            assert time.monotonic() < end, f"{place} cannot be removed"
            shutil.rmtree(place, ignore_errors=True)


def read(run_probe: Callable[..., Any], podman: Podman, programs: dict[str, str]) -> Assembler:
    """Two rounds of the probe on this machine, five seconds of its uptime apart as far as the reading knows."""
    running = run_probe(["dash"], programs=programs, ITUI_ROOT="")
    at = datetime.now(UTC)
    assembler = Assembler("web1", ("docker",), Link(state=LinkState.UP, sentence="", since=at, at=at))
    first = running.ask("hello", "clock", "proc", "docker")
    assembler.take(first.values(), at, at)
    known = assembler.reading.docker
    assert known is not None, assembler.reading.gaps
    words = [f"cg:{each.pid}:{each.id}" for each in known.containers if each.pid]
    for _ in range(2):
        at = datetime.now(UTC)
        assembler.take(running.ask("proc", "oom", *words).values(), at, at)
    return assembler


def containers(assembler: Assembler) -> dict[str, Container]:
    assert assembler.reading.docker is not None
    return {each.name: each for each in assembler.reading.docker.containers}


def found(assembler: Assembler) -> dict[str, tuple[Level, str]]:
    """The worst about each container."""
    said = health.findings([assembler.reading], Thresholds(), datetime.now(UTC))
    return {one.subject: (one.level, one.sentence) for one in reversed(said) if one.rule.startswith("docker.")}


def test_podman_running_ended_and_killed(run_probe: Callable[..., Any], podman: Podman) -> None:
    published = ("-e", "VIRTUAL_HOST=shop.example", "-e", "PASSWORD=hunter2", "-v", f"{podman.place}/x:/x:ro")
    podman("run", "-d", "--name", "web", *LIMITS, *published, "busybox:lab", "sleep", "1000000")
    podman("run", "--name", "gone", *LIMITS, "busybox:lab", "sh", "-c", "exit 3", check=False)
    podman("run", "--name", "done", *LIMITS, "busybox:lab", "sh", "-c", "exit 0")
    podman("run", "-d", "--name", "shot", *LIMITS, "busybox:lab", "sleep", "1000000")
    os.kill(int(podman("inspect", "-f", "{{.State.Pid}}", "shot")), 9)
    podman("wait", "shot")
    assembler = read(run_probe, podman, {"podman": podman.program})
    assert assembler.reading.system is not None and assembler.reading.system.docker.startswith("podman ")
    seen = containers(assembler)
    assert {name: (each.state, each.exit_code) for name, each in seen.items()} == {
        "web": ("running", 0),
        "gone": ("exited", 3),
        "done": ("exited", 0),
        "shot": ("exited", 137),
    }
    assert seen["web"].image == "localhost/busybox:lab"
    assert (seen["web"].names, seen["web"].mounts) == (("shop.example",), (f"{podman.place}/x",))
    assert seen["web"].started_at is not None and "hunter2" not in repr(assembler.reading)
    assert found(assembler) == {
        "web1 gone": (Level.WARN, "web1 gone: exited 3"),
        "web1 shot": (Level.WARN, "web1 shot: exited 137 (killed)"),
    }


@pytest.mark.parametrize("podman", ["rootful"], indirect=True)
def test_podman_memory_processor_time_and_a_kill_by_its_limit(run_probe: Callable[..., Any], podman: Podman) -> None:
    podman("run", "-d", "--name", "web", *LIMITS, "-m", "64m", "busybox:lab", "sleep", "1000000")
    memory = ("-m", "32m", "--memory-swap", "32m")
    podman("run", "--name", "hog", *LIMITS, *memory, "busybox:lab", "tail", "/dev/zero", check=False)
    assembler = read(run_probe, podman, {"podman": podman.program, "dmesg": "exec /usr/bin/dmesg"})
    web = containers(assembler)["web"]
    assert web.memory is not None and web.memory.limit == 64 << 20 and 0 < web.memory.working_set < 64 << 20
    assert web.cpu_percent is not None and web.cpu_percent < 50
    assert found(assembler)["web1 hog"] == (Level.CRIT, "web1 hog: killed, out of memory")


def test_podman_by_dockers_name(run_probe: Callable[..., Any], podman: Podman) -> None:
    """Package podman-docker: a `docker` that calls podman and says so on its standard error."""
    podman("run", "-d", "--name", "web", *LIMITS, "busybox:lab", "sleep", "1000000")
    greeting = "Emulate Docker CLI using podman. Create /etc/containers/nodocker to quiet msg."
    assembler = read(run_probe, podman, {"docker": f"echo '{greeting}' >&2\n{podman.program}"})
    assert assembler.reading.system is not None and assembler.reading.system.docker.startswith("podman ")
    assert containers(assembler)["web"].state == "running" and found(assembler) == {}


@pytest.mark.parametrize("podman", ["rootful"], indirect=True)
def test_podmans_events_are_followed(run_probe: Callable[..., Any], podman: Podman) -> None:
    podman("run", "-d", "--name", "web", *LIMITS, "busybox:lab", "sleep", "1000000")
    command = ["sh", "-c", podman.program, "podman", "events"]
    heard: list[docker.Event] = []
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as follower:
        assert follower.stdout is not None
        try:
            rest = b""
            end = time.monotonic() + 60
            killed = False
            while not {"die", "kill"} <= {event.action for event in heard}:
                assert time.monotonic() < end, heard
                if not heard:  # until it follows
                    podman("pause", "web")
                    podman("unpause", "web")
                elif not killed:
                    podman("kill", "web")
                    killed = True
                if select.select([follower.stdout], [], [], 0.5)[0]:
                    *lines, rest = (rest + os.read(follower.stdout.fileno(), 65536)).split(b"\n")
                    heard += [event for line in lines if (event := docker.parse_event(line.decode())) is not None]
        finally:
            follower.kill()
    died = next(event for event in heard if event.action == "die")
    assert (died.name, len(died.id)) == ("web", 64) and died.at is not None
    # It may have begun to follow between the two.
    assert {"pause", "unpause"} & {event.action for event in heard}
