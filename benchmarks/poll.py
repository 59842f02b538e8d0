"""Client CPU of one poll: our channel against `conn.run()` that gets the same reading, interleaved on a real sshd.

    python benchmarks/poll.py [ROUNDS]

Needs sshd (package openssh-server). Prints the ratio (target: 0.35 at most) and how many processes one round starts on
the host, counted in /proc/stat, which counts every fork of the machine: run it on a quiet one.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from incident_tui.fleet import ssh
from incident_tui.fleet.channel import Channel
from incident_tui.fleet.settings import Fleet, Host

TARGET = 0.35
WORDS = ["clock", "proc"]
"""A fast round as it is asked most of the time."""
ONE_SHOT = (
    "date '+%s.%N %z'; grep -sHE '^(MemTotal|MemFree|MemAvailable|Buffers|Cached|Shmem|SReclaimable|SwapTotal|SwapFree"
    "|some |full |cpu |btime |pswpin |pswpout |oom_kill |[0-9])' /proc/loadavg /proc/uptime /proc/stat /proc/meminfo "
    "/proc/vmstat /proc/pressure/memory /proc/pressure/io /proc/pressure/cpu"
)
"""The same reading as one command, at its cheapest: no framing, no limits."""


def serve(directory: Path) -> tuple[subprocess.Popen[bytes], Host]:
    """A real sshd on a free port of 127.0.0.1 with keys of its own."""
    program = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin")
    if program is None:
        sys.exit("no sshd on this machine; install openssh-server")
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    for name in ("host", "key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / name)], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    public = " ".join((directory / "host.pub").read_text().split()[:2])
    (directory / "known_hosts").write_text(f"[127.0.0.1]:{port} {public}\n")
    lines = [
        f"Port {port}",
        "ListenAddress 127.0.0.1",
        f"HostKey {directory}/host",
        f"AuthorizedKeysFile {directory}/key.pub",
        "PermitRootLogin yes",
        "UsePAM no",
        "StrictModes no",
        "PidFile none",
    ]
    (directory / "config").write_text("\n".join(lines) + "\n")
    server = subprocess.Popen([program, "-D", "-f", str(directory / "config"), "-E", str(directory / "log")])
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            time.sleep(0.05)
    user = "root" if os.getuid() == 0 else os.environ.get("USER", "")
    host = Host(
        name="bench",
        address="127.0.0.1",
        port=port,
        user=user,
        identity_file=str(directory / "key"),
        known_hosts=str(directory / "known_hosts"),
    )
    return server, host


def forks() -> int:
    return next(int(line.split()[1]) for line in Path("/proc/stat").read_text().splitlines() if line[:9] == "processes")


async def measure(host: Host, rounds: int) -> None:
    connection = await ssh.connect(host, Fleet())
    channel = Channel(host, "fast", lambda: datetime.now(UTC))
    await channel.start(connection.ssh, 10)

    async def ours() -> None:
        answer = await channel.ask(WORDS, 10)
        assert len(answer.sections) == len(WORDS)

    async def by_exec() -> None:
        result = await connection.ssh.run(ONE_SHOT, encoding=None)
        assert isinstance(result.stdout, bytes) and b"MemTotal" in result.stdout

    costs: dict[str, list[float]] = {"ours": [], "exec": []}
    started: dict[str, list[int]] = {"ours": [], "exec": []}
    for turn in range(rounds + 5):
        for name, poll in (("ours", ours), ("exec", by_exec)):
            before, cpu = forks(), time.process_time()
            await poll()
            spent = time.process_time() - cpu
            if turn >= 5:
                costs[name].append(spent)
                started[name].append(forks() - before)
    await connection.close()
    mine, other = statistics.mean(costs["ours"]), statistics.mean(costs["exec"])
    ratio = mine / other
    print(f"client CPU a poll: channel {mine * 1e3:.3f} ms, conn.run() {other * 1e3:.3f} ms, {rounds} rounds each")
    print(f"ratio {ratio:.2f} (target {TARGET} at most): {'ok' if ratio <= TARGET else 'TOO SLOW'}")
    print(
        f"processes started a round (median): channel {statistics.median(started['ours']):.0f}, "
        f"conn.run() {statistics.median(started['exec']):.0f}"
    )
    if ratio > TARGET:
        raise SystemExit(1)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        os.environ["HOME"] = scratch
        os.environ.pop("SSH_AUTH_SOCK", None)
        server, host = serve(directory)
        try:
            asyncio.run(measure(host, rounds))
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
