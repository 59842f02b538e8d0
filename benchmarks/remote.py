"""What one round costs the host: CPU of sshd and all it starts, beside other ways to get the same reading from it.

    python benchmarks/remote.py [ROUNDS]

Each way has an sshd of its own, and the kernel says what that and its sessions have used when they have ended; a first
run with one round is taken off, so that a connection that stays open is not counted again. Ours: one channel. The
others: `ssh HOST` in a loop, `clush`, `ansible -m shell` (which keeps its connection open for a minute). What is not
installed is named; `pip install -e '.[bench]'` brings clush and ansible. No goal: the numbers stand beside each other.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.poll import ONE_SHOT, WORDS, now
from benchmarks.servers.sshd import Sshd, clean_home
from incident_tui.fleet import ssh
from incident_tui.fleet.channel import Channel
from incident_tui.fleet.settings import Fleet, Host

Way = Callable[[Host, int], None]


def ours(host: Host, rounds: int) -> None:
    async def run() -> None:
        connection = await ssh.connect(host, Fleet())
        channel = Channel(host, "fast", now)
        await channel.start(connection.ssh, 10)
        for _ in range(rounds):
            await channel.ask(WORDS, 10)
        channel.close()
        await channel.closed.wait()
        await connection.close()

    asyncio.run(run())


def options(host: Host) -> list[str]:
    known = f"UserKnownHostsFile={host.known_hosts}"
    return ["-i", host.identity_file, "-p", str(host.port), "-l", host.user, "-o", known, "-o", "BatchMode=yes"]


def call(words: list[str], **environment: str) -> None:
    done = subprocess.run(words, capture_output=True, env={**os.environ, **environment})
    if done.returncode or b"MemTotal" not in done.stdout:
        sys.exit(f"{words[0]}: status {done.returncode}: {(done.stderr or done.stdout)[-300:].decode()}")


def by_ssh(host: Host, rounds: int) -> None:
    for _ in range(rounds):
        call(["ssh", *options(host), host.address, ONE_SHOT])


def program(name: str) -> str | None:
    """Beside this interpreter, or on the path."""
    return shutil.which(name, path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")


def by_clush(host: Host, rounds: int) -> None:
    for _ in range(rounds):
        call([program("clush") or "", "-S", "-w", host.address, "-o", shlex.join(options(host)), ONE_SHOT])


def by_ansible(host: Host, rounds: int) -> None:
    arguments = shlex.join(options(host)[4:])
    words = [program("ansible") or "", "all", "-i", f"{host.address},", "-m", "shell", "-a", ONE_SHOT]
    words += ["-e", f"ansible_port={host.port} ansible_python_interpreter={sys.executable}", "-u", host.user]
    words += ["--private-key", host.identity_file, f"--ssh-extra-args={arguments}"]
    control = Path(host.known_hosts).parent / "cp"
    for _ in range(rounds):
        call(words, ANSIBLE_SSH_CONTROL_PATH_DIR=str(control), ANSIBLE_LOCALHOST_WARNING="False")
    for socket in control.glob("*"):
        subprocess.run(["ssh", "-O", "exit", "-o", f"ControlPath={socket}", host.address], capture_output=True)


def a_round(way: Way, rounds: int) -> float:
    """Seconds of the host's CPU."""
    used = []
    for count in (1, 1 + rounds):
        with tempfile.TemporaryDirectory(prefix="b") as scratch:  # short: a socket's path is 107 bytes at most
            clean_home(Path(scratch))
            server = Sshd(Path(scratch))
            try:
                way(server.host(), count)
            finally:
                used.append(server.end())
    return (used[1] - used[0]) / rounds


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    mine = a_round(ours, rounds)
    print(f"the host's CPU a round: ours {mine * 1e3:.2f} ms ({rounds} rounds)")
    for name, way, tool in (
        ("ssh loop", by_ssh, "ssh"),
        ("clush", by_clush, "clush"),
        ("ansible", by_ansible, "ansible"),
    ):
        if program(tool) is None:
            print(f"{tool}: not installed, not measured (pip install -e '.[bench]')")
            continue
        other = a_round(way, max(2, rounds // 20))
        print(f"{name}: {other * 1e3:.1f} ms; ours is {mine / other:.3f} of it")


if __name__ == "__main__":
    main()
