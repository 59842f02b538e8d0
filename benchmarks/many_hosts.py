"""500 hosts with 2,000 containers: from a key to its echo while every row changes each second, beside a still board.

    python benchmarks/many_hosts.py [KEYS]

One screen in a pseudo-terminal of 80x24; another process plays the watch. KEYS (300) keys are pressed at odd moments
while the board stands still, and as many while all its rows change each second. Then what the screen does with a new
board, step by step, in this process. Goals: median at most 1.5 times the still one, 95th percentile at most 25 ms above
it, no step over 20 ms, and what is kept of 500 hosts' evidence costs the watch at most 5 % of a core. Exit status 1
when one is missed.
"""

from __future__ import annotations

import fcntl
import os
import pty
import random
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from incident_tui.config import Settings
from incident_tui.fleet.settings import Host
from incident_tui.hosts.health import Judge
from incident_tui.hosts.raw import RawKeeper, RawText
from incident_tui.hosts.readings import Clock, Container, Docker, HostReading, Link, LinkState, Load, Memory, Swapping
from incident_tui.hosts.sections import Section
from incident_tui.incident.entry import Author
from incident_tui.journal.board import Board
from incident_tui.ui.status import StatusRows
from incident_tui.ui.status_row import fitted
from incident_tui.ui.view import Decoder, assemble, machines
from incident_tui.watch.evidence import RATE
from incident_tui.watch.history import Histories, note_host

COUNT = 500
KEYS = 300
SCREEN = f"""
import sys
from pathlib import Path
import msgspec
from incident_tui.config import Settings
from incident_tui.fleet.settings import Host
from incident_tui.incident.entry import Author
from incident_tui.journal.presence import Presence
from incident_tui.ui.run import run
place = Path(sys.argv[1])
settings = msgspec.structs.replace(Settings(), hosts=[Host(name=f"node{{n:03}}") for n in range({COUNT})])
sys.exit(run(settings=settings, directory=place, author=Author("ana"), start_watch=lambda: None,
             ask=lambda host, word: None, presence=Presence(place), demo=False, playbooks=[]))
"""
failed: list[str] = []
T = TypeVar("T")


def reading(number: int, turn: int, at: datetime) -> HostReading:
    """One host; every number in it moves with each turn, and one in ten is in trouble at any time."""
    dice = random.Random(number * 1000 + turn)
    free = 0.05 if dice.random() < 0.1 else dice.uniform(0.2, 0.8)
    return HostReading(
        host=f"node{number:03}",
        at=at,
        roles=("docker",),
        link=Link(state=LinkState.UP, sentence="", since=at, at=at),
        clock=Clock(at=at, skew_seconds=0.0, error_seconds=0.1),
        load=Load(at=at, one=dice.uniform(0, 4), five=0.5, fifteen=0.6, cpus=4, uptime_seconds=864000.0),
        memory=Memory(at=at, total=4 << 30, available=int((4 << 30) * free), estimated=False),
        swapping=Swapping(at=at, pages_in=dice.uniform(0, 99), pages_out=0.0),
        docker=Docker(
            at=at,
            version="1.6.2",
            containers=tuple(
                Container(id=f"{number:060x}{one:04x}", name=name, state="running", image="example/web:latest")
                for one, name in enumerate(("drupal", "solr", "mysql", "cron"))
            ),
        ),
    )


def readings(turn: int) -> dict[str, HostReading]:
    now = datetime.now(UTC)
    return {f"host/node{number:03}": reading(number, turn, now) for number in range(COUNT)}


def play(place: Path) -> None:
    """The other process: all rows, each second."""
    board = Board.open(place)
    turn = 0
    while True:
        began = time.monotonic()
        turn += 1
        board.put(readings(turn), epoch=1)
        time.sleep(max(0.0, 1.0 - (time.monotonic() - began)))


class Terminal:
    """The screen on a pseudo-terminal of 80x24."""

    def __init__(self, place: Path) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        root = str(Path(__file__).resolve().parents[1])
        self.process = subprocess.Popen(
            [sys.executable, "-c", SCREEN, str(place)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "PYTHONPATH": root, "TERM": "xterm-256color"},
            start_new_session=True,
        )
        os.close(slave)

    def until(self, words: bytes, seconds: float = 30) -> float:
        """Seconds until the words were written."""
        began = time.monotonic()
        seen = b""
        while words not in seen:
            left = began + seconds - time.monotonic()
            if left <= 0 or not select.select([self.master], [], [], left)[0]:
                sys.exit(f"{words!r} never came: {seen[-500:]!r}")
            seen = seen[-len(words) :] + os.read(self.master, 65536)
        return time.monotonic() - began

    def quiet(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self.master], [], [], left)[0]:
                os.read(self.master, 65536)

    def keys(self, count: int) -> list[float]:
        """Milliseconds from a key to its echo. The letters stand nowhere else on the screen, nor end a sequence."""
        dice = random.Random(1)
        times = []
        for number in range(count):
            self.quiet(dice.uniform(0.03, 0.12))
            letter = b"QZ"[number % 2 : number % 2 + 1]
            os.write(self.master, letter)
            times.append(1e3 * self.until(letter, 10))
            if number % 20 == 19:
                os.write(self.master, b"\x15")
                self.quiet(0.5)  # or a letter that is drawn where it stood before makes no difference
        return times

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        os.close(self.master)


def at_the_keys(place: Path, count: int) -> None:
    board = Board.open(place)
    board.put(readings(0), epoch=1)
    board.close()
    terminal = Terminal(place)
    terminal.until(b"CONTAINERS")
    terminal.quiet(2)
    still = terminal.keys(count)
    player = subprocess.Popen([sys.executable, __file__, "--play", str(place)])
    terminal.quiet(3)
    busy = terminal.keys(count)
    player.kill()
    player.wait()
    terminal.end()
    median, above = statistics.median(busy) / statistics.median(still), percentile(busy) - percentile(still)
    for name, times in (("still board", still), (f"{COUNT} rows a second", busy)):
        print(f"key to echo, {name}: median {statistics.median(times):.1f} ms, p95 {percentile(times):.1f} ms")
    report("median, of the still one", median, 1.5, "")
    report("p95 above the still one", above, 25.0, " ms")


def percentile(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def steps(place: Path) -> None:
    """What a screen does with a board of which every row is new."""
    hosts = [Host(name=f"node{number:03}") for number in range(COUNT)]
    settings = msgspec.structs.replace(Settings(), hosts=hosts)
    board, decoder, judge, pane = Board.open(place), Decoder(), Judge(timedelta(seconds=5)), StatusRows()
    spent: dict[str, list[float]] = {}

    def timed(name: str, do: Callable[[], T]) -> T:
        began = time.perf_counter()
        made = do()
        spent.setdefault(name, []).append(1e3 * (time.perf_counter() - began))
        return made

    for turn in range(12):
        board.put(readings(turn), epoch=1)
        rows = timed("read the board", board.read)
        decoded = timed("decode", lambda rows=rows: decoder.read(rows))  # type: ignore[misc]
        now = datetime.now(UTC)
        made = timed("judge", lambda decoded=decoded, now=now: machines(decoded, settings, now, {}, judge))  # type: ignore[misc]
        view = assemble(made, settings, now=now, boot_now=0.0, me=Author("ana"), incident=None)
        listed = timed("rows of the pane", lambda view=view: pane.of(view, 31))  # type: ignore[misc]
        shown = timed("what fits of them", lambda listed=listed: fitted(listed, 19))  # type: ignore[misc]
        timed("draw", lambda shown=shown: [row.line for row in shown])  # type: ignore[misc]
    board.close()
    for name, times in spent.items():
        report(f"{name}, {COUNT} hosts", statistics.median(times), 20.0, " ms")


def evidence(place: Path) -> None:
    """CPU of the watch for histories and raw texts of all hosts, in percent of a core."""
    board, histories = Board.open(place), Histories()
    began = time.process_time()
    for turn in range(10):
        for one in readings(turn).values():
            note_host(histories, one)
    made = time.process_time() - began
    began = time.process_time()
    for turn in range(10):
        readings(turn)
    noted = (made - (time.process_time() - began)) / 10
    later = datetime.now(UTC) + timedelta(minutes=1)
    began = time.process_time()
    board.put({}, epoch=1, details=histories.due(later))
    written = time.process_time() - began
    inspect = b"[" + b",".join(msgspec.json.encode(container(number)) for number in range(4)) + b"]"
    sections = [
        Section(name="docker-inspect", body=inspect.decode(), rc=0),
        Section(name="proc", body="/proc/meminfo:MemTotal:        4194304 kB\n" * 40, rc=0),
        Section(name="oom-log", body="kernel: Out of memory: Killed process 4711 (php-fpm)\n" * 120, rc=0),
    ]
    keeper = RawKeeper("node000")
    keeper.take(sections, later)
    texts: list[RawText] = []
    began = time.process_time()
    for number in range(40):
        texts.append(keeper.text())
        board.put({}, epoch=1, details={f"raw/{number}": texts[-1]})
    raw = (time.process_time() - began) / 40
    size = len(msgspec.json.encode(texts[0]))
    board.close()
    share = 100 * (noted / 5 + written / 30 + raw * RATE)
    print(f"a point of {COUNT} hosts {written * 1e3:.0f} ms each 30 s; a raw text of {size} bytes {raw * 1e3:.1f} ms")
    report(f"histories and raw texts of {COUNT} hosts", share, 5.0, " % of a core")


def container(number: int) -> dict[str, object]:
    """Some 6 KB, as Docker prints them."""
    labels = {f"com.example.label{one}": "some value of it" for one in range(20)}
    settings = {f"Setting{one}": [one, "value", None, True] for one in range(80)}
    state = {"Running": True, "OOMKilled": False, "ExitCode": 0}
    environment = [f"NAME{one}=value" for one in range(30)]
    config = {"Env": environment, "Labels": labels, "Cmd": ["apache2-foreground"]}
    return {"Id": f"{number:064x}", "Name": f"/web{number}", "State": state, "Config": config, "HostConfig": settings}


def report(name: str, value: float, goal: float, unit: str) -> None:
    good = value <= goal
    print(f"{name}: {value:.2f}{unit} (goal {goal:g}) {'ok' if good else 'MISSED'}")
    if not good:
        failed.append(name)


def main() -> None:
    if sys.argv[1:2] == ["--play"]:
        play(Path(sys.argv[2]))
    with tempfile.TemporaryDirectory() as scratch:
        at_the_keys(Path(scratch) / "keys", int(sys.argv[1]) if len(sys.argv) > 1 else KEYS)
        steps(Path(scratch) / "steps")
        evidence(Path(scratch) / "evidence")
    if failed:
        sys.exit(f"missed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
