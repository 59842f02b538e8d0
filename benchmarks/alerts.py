"""A storm of alerts: 1,000 a second for 10 s to the listener of a real watch, while somebody types on a screen.

    python benchmarks/alerts.py [SECONDS]

A watch, a screen of 80x24 in a pseudo-terminal on the same journal, and a process that posts 20 bodies of 50 alerts of
20 groups each second, each alert a different one. Goals: the median of key to echo at most 1.5 times the still one (and
10 ms); 95 of 100 answers within 100 ms; none lost: the entries stand for every alert that was acknowledged; at most 120
entries; the watch's memory at most 48 MiB above what it was. Exit status 1 when one is missed.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from benchmarks.people import PROGRAM, ROOT, Screen, echoes
from incident_tui.incident.entry import Kind
from incident_tui.journal.store import Store

EACH, BODIES = 50, 20
TOKEN = "benchmark-token"


def body(number: int) -> bytes:
    now = datetime.now(UTC).isoformat()
    alerts = [
        {
            "status": "firing",
            "labels": {
                "alertname": f"Storm{one % 20}",
                "instance": f"host{number * EACH + one}:9100",
                "severity": "critical",
            },
            "annotations": {
                "summary": "the disk of this machine is nearly full",
                "runbook_url": "https://example.org/x",
            },
            "startsAt": now,
            "endsAt": "0001-01-01T00:00:00Z",
            "fingerprint": f"{number * EACH + one:016x}",
        }
        for one in range(EACH)
    ]
    return json.dumps({"version": "4", "alerts": alerts}).encode()


async def post(port: int, seconds: float) -> tuple[list[float], int]:
    """Milliseconds of each answer, and how many alerts were acknowledged; what was not is posted again."""
    taken: list[float] = []
    acknowledged = 0
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with aiohttp.ClientSession(headers=headers) as session:

        async def one(raw: bytes) -> None:
            nonlocal acknowledged
            while True:
                begun = time.monotonic()
                async with session.post(f"http://127.0.0.1:{port}/alerts/am", data=raw) as response:
                    await response.read()
                    taken.append(1000 * (time.monotonic() - begun))
                    if response.status == 200:
                        acknowledged += EACH
                        return
                await asyncio.sleep(0.5)

        begun, tasks = time.monotonic(), []
        for number in range(int(seconds * BODIES)):
            tasks.append(asyncio.create_task(one(body(number))))
            await asyncio.sleep(max(0.0, begun + (number + 1) / BODIES - time.monotonic()))
        await asyncio.gather(*tasks)
    return taken, acknowledged


def resident(pid: int) -> float:
    """MiB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20


def counted(journal: Path) -> tuple[int, int]:
    """Entries of alerts, and how many alerts they stand for."""
    with Store.open(journal) as store:
        found = [entry for entry in store.read() if entry.kind is Kind.ALERT]
    return len(found), sum(entry.data.get("count", 1) for entry in found)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> int:
    if sys.argv[1:2] == ["--post"]:
        print(json.dumps(asyncio.run(post(int(sys.argv[2]), float(sys.argv[3])))))
        return 0
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    with tempfile.TemporaryDirectory() as scratch:
        home, journal, config, port = (
            Path(scratch, "home"),
            Path(scratch, "journal"),
            Path(scratch, "c.toml"),
            free_port(),
        )
        home.mkdir()
        config.write_text(
            f'[journal]\ndirectory = "{journal}"\n[listener]\nbind = "127.0.0.1:{port}"\n'
            '[[alerts]]\nname = "am"\ntoken_env = "AM_TOKEN"\n'
        )
        environment = {**os.environ, "PYTHONPATH": ROOT, "HOME": str(home), "TERM": "xterm-256color", "NO_COLOR": "1"}
        environment |= {"AM_TOKEN": TOKEN, "INCIDENT_TUI_CONFIG": str(config)}
        subprocess.run([*PROGRAM, "declare", "storm", "--as", "ana"], env=environment, check=True, cwd="/")
        watch = subprocess.Popen([*PROGRAM, "watch", "--service"], env=environment, cwd="/", stdout=subprocess.DEVNULL)
        screen = Screen(journal, "ana", environment)
        try:
            screen.until("storm")
            wait_for(port)
            time.sleep(3)
            return measure(port, seconds, screen, watch.pid, journal, environment)
        finally:
            for process in (screen.process, watch):
                process.send_signal(signal.SIGTERM)
                process.wait(20)


def wait_for(port: int) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise SystemExit("the watch does not listen") from None
            time.sleep(0.1)


def measure(port: int, seconds: float, screen: Screen, watch: int, journal: Path, environment: dict[str, str]) -> int:
    keys = int(seconds * 8)
    before = resident(watch)
    still = echoes(screen, keys)
    poster = subprocess.Popen(
        [sys.executable, __file__, "--post", str(port), str(seconds)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    busy = echoes(screen, keys)
    taken, acknowledged = json.loads(poster.communicate(timeout=120)[0])
    end = time.monotonic() + 20
    while counted(journal)[1] < acknowledged and time.monotonic() < end:
        time.sleep(0.5)
    after = resident(watch)
    entries, stands_for = counted(journal)
    one, other = statistics.median(still), statistics.median(busy)
    answers = sorted(taken)
    late = answers[-max(1, len(answers) // 20)]
    print(f"{acknowledged:,} alerts in {seconds:g} s; {entries} entries stand for {stands_for:,}")
    print(f"answers: median {statistics.median(answers):.1f} ms, 95th percentile {late:.1f}, slowest {answers[-1]:.1f}")
    print(f"key to echo: median {one:.1f} ms still, {other:.1f} ms in the storm: {other / one:.2f}x")
    print(f"memory of the watch: {before:.0f} MiB before, {after:.0f} MiB after")
    failed = [
        name
        for name, missed in (
            ("nobody's key waits", other > 1.5 * one + 10),
            ("answers within 100 ms", late > 100),
            ("none lost", stands_for != acknowledged or acknowledged != int(seconds * BODIES) * EACH),
            ("few entries", entries > 120),
            ("memory flat", after - before > 48),
        )
        if missed
    ]
    print("all goals met" if not failed else "missed: " + ", ".join(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
