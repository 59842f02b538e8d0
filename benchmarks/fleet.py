"""500 hosts from one watch on one core, a round each 5 s, beside a screen: rounds in time, keys, CPU and memory.

    python benchmarks/fleet.py [HOSTS]

HOSTS (500) addresses of 127.0.0.0/8, each served by a real sshd (16 addresses a daemon) that runs the real probe. The
watch and the screen, two processes, share one core; the sshds have the others, where there are others. Keys are pressed
before the watch starts, while it reads all hosts, and after it has ended, because machines change their speed. For root
the watch, the screen and whoever presses keys go before all else that runs here; without, that is measured, too. Goals:
key to echo at most 1.2 times the still one, 99 % of the rounds that were due. Printed beside: seconds until all were
connected, the CPU of both, and the watch's memory a host.

What the screen does with the rows by itself leaves the median as it is (1.03). A watch that took a fifth of the same
core made 1.14 and more of it, by caches and turns on the core; neither a nice value nor SCHED_BATCH changed that. With
a rest after each of its rounds (incident_tui/watch/pulse.py) it takes a tenth: 0.90, 1.03, 1.06, 1.20 in four runs.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

import msgspec

from benchmarks.many_hosts import Terminal
from benchmarks.servers.sshd import ADDRESSES, Sshd, clean_home
from incident_tui.journal.board import Board

KEYS = 100
FAST, SLOW = 5.0, 60.0
WINDOW = 20.0
"""Seconds over which rounds are counted."""
CORES = sorted(os.sched_getaffinity(0))


class Row(msgspec.Struct):
    """What is looked at of a host's reading."""

    at: datetime
    link: dict[str, object]


def pinned(pid: int, cores: set[int]) -> None:
    """On these cores, and before all other sessions there: those share a core equally, whatever their nice values."""
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text("-20")
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), cores)


def addresses(count: int) -> list[str]:
    return [f"127.0.{1 + number // 250}.{1 + number % 250}" for number in range(count)]


def serve(place: Path, count: int) -> list[Sshd]:
    every = addresses(count)
    servers = [Sshd(place, *every[start : start + ADDRESSES]) for start in range(0, count, ADDRESSES)]
    for server in servers:  # in truth they are other machines: here they make way for whoever presses keys
        os.setpriority(os.PRIO_PROCESS, server.process.pid, 19)
    return servers


def configuration(place: Path, servers: list[Sshd]) -> Path:
    """Each host with a line of its own in known_hosts, as people have it."""
    public = (place / "known_hosts").read_text().removeprefix("* ")
    lines = [f"[fleet]\nfast_seconds = {FAST}\nslow_seconds = {SLOW}\n"]
    known = []
    places = [(server, address) for server in servers for address in server.addresses]
    for number, (server, address) in enumerate(places):
        host = server.host(f"node{number:03}", address)
        known.append(f"[{address}]:{server.port} {public}")
        lines.append(
            f'[[hosts]]\nname = "{host.name}"\naddress = "{address}"\nport = {server.port}\nuser = "{host.user}"\n'
            f'identity_file = "{host.identity_file}"\nknown_hosts = "{host.known_hosts}"\n'
        )
    (place / "known_hosts").write_text("".join(known))
    path = place / "config.toml"
    path.write_text("\n".join(lines))
    return path


def rows(board: Board) -> dict[str, Row]:
    decoder = msgspec.json.Decoder(Row)
    return {key: decoder.decode(row.body) for key, row in board.read().items() if key.startswith("host/")}


def connected(board: Board) -> int:
    return sum(row.link["state"] == "connected" for row in rows(board).values())


def resident(pid: int) -> float:
    """KiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return float(status.partition("VmRSS:")[2].split()[0])


def cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rounds(board: Board, seconds: float) -> int:
    """Rounds that reached the board in so many seconds: a row of another time each second at most."""
    last = {key: row.at for key, row in rows(board).items()}
    found, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(1.0)
        for key, row in rows(board).items():
            found += row.at != last.get(key)
            last[key] = row.at
    return found


def measure(place: Path, count: int) -> list[str]:
    """The goals that were missed."""
    servers = serve(place, count)
    journal = place / "journal"
    config = configuration(place, servers)
    watch: subprocess.Popen[bytes] | None = None
    Board.open(journal).close()
    terminal = Terminal(journal)
    try:
        ours = {CORES[0]}
        terminal.until(b">")
        terminal.quiet(3)
        pinned(terminal.process.pid, ours)
        still = terminal.keys(KEYS)
        began = time.monotonic()
        words = [sys.executable, "-m", "incident_tui", "--config", str(config), "--journal", str(journal)]
        with (place / "watch.out").open("wb") as out:
            watch = subprocess.Popen([*words, "watch", "--service"], stdout=out, stderr=out, start_new_session=True)
        pinned(watch.pid, ours)
        board = Board.open(journal)
        while connected(board) < 1:
            terminal.quiet(0.1)
        first = resident(watch.pid)
        while (up := connected(board)) < count and time.monotonic() - began < 90:
            terminal.quiet(0.5)
        took = time.monotonic() - began
        terminal.quiet(FAST)
        grown = (resident(watch.pid) - first) / max(1, up - 1)
        busy = statistics.median(terminal.keys(KEYS))
        used, drew = cpu(watch.pid), cpu(terminal.process.pid)
        made = rounds(board, WINDOW)
        share, drawing = (cpu(watch.pid) - used) / WINDOW, (cpu(terminal.process.pid) - drew) / WINDOW
        board.close()
        watch.terminate()
        watch.wait(20)
        terminal.quiet(3)
        still += terminal.keys(KEYS)
    finally:
        terminal.end()
        for process in [watch, *(server.process for server in servers)]:
            if process is not None:
                process.terminate()
                process.wait(20)
    due = count * WINDOW / FAST
    print(f"{up} of {count} hosts connected after {took:.0f} s")
    print(f"watch: {100 * share:.0f} % of a core, {grown:.0f} KiB a host; screen: {100 * drawing:.0f} %")
    print(f"rounds on the board: {made} of {due:.0f} due in {WINDOW:.0f} s")
    ratio = busy / statistics.median(still)
    print(
        f"key to echo: {statistics.median(still[:KEYS]):.1f} ms before, {busy:.1f} ms while all are read, "
        f"{statistics.median(still[KEYS:]):.1f} ms after: ratio {ratio:.2f} (goal 1.2)"
    )
    missed = [] if ratio <= 1.2 else ["key to echo"]
    missed += [] if made >= 0.99 * due else ["rounds in time"]
    return missed + ([] if up == count else ["all connected"])


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    with tempfile.TemporaryDirectory() as scratch:
        clean_home(Path(scratch))
        pinned(os.getpid(), set(CORES))
        if len(CORES) > 1:
            os.sched_setaffinity(0, set(CORES[1:]))  # what we start inherits it; watch and screen get the first
        missed = measure(Path(scratch), count)
    if missed:
        sys.exit(f"missed: {', '.join(missed)}")


if __name__ == "__main__":
    main()
