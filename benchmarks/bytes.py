"""What the screen writes to the terminal: each act in bytes, beside Textual's own output and beside other programs.

    python benchmarks/bytes.py [SECONDS]

In one run, in real pseudo-terminals of 80x24 and 200x50: ours, the same with `changed_cells = false` (stock), and
`watch -n1 date`, htop and glances where they are installed. First each act alone, then SECONDS (12) in which nobody
does anything and SECONDS of the demo's outage, with the CPU of the screens; last the time to the first frame, against
a bare Textual app with the same widgets. Sums are scaled to a minute. Exit status 1 when a goal is missed.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pyte

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from incident_tui.hosts.readings import Clock, HostReading, Link, LinkState, Load, Memory
from incident_tui.incident.entry import Author, Draft, Kind
from incident_tui.journal.board import Board
from incident_tui.journal.notify import ring
from incident_tui.journal.store import Store
from incident_tui.shipped import shipped

SCREEN = """
from incident_tui.cli.process import start
start()  # as the command begins
import sys
from pathlib import Path
import msgspec
from incident_tui.config import Settings
from incident_tui.fleet.settings import Host
from incident_tui.incident.entry import Author
from incident_tui.journal.presence import Presence
from incident_tui.ui.run import run
from incident_tui.ui.settings import Screen
place = Path(sys.argv[1])
hosts = [Host(name=f"web{n}") for n in range(1, 7)]
settings = msgspec.structs.replace(Settings(), hosts=hosts, screen=Screen(changed_cells=sys.argv[2] == "ours"))
sys.exit(run(settings=settings, directory=place, author=Author("ana"), start_watch=lambda: None,
             ask=lambda host, word: None, presence=Presence(place), demo=False, playbooks=[]))
"""
BARE = """
import os
os.environ.update(TEXTUAL_ANIMATIONS="none", TEXTUAL_COLOR_SYSTEM="standard", TEXTUAL_DISABLE_KITTY_KEY="1")
from textual.app import App
from textual.containers import Horizontal
from textual.strip import Strip
from textual.widget import Widget
from rich.segment import Segment
class Rows(Widget):
    def __init__(self, height, width="1fr"):
        super().__init__()
        self.styles.height, self.styles.width = height, width
    def render_line(self, y):
        return Strip([Segment(f"line {y}")]).adjust_cell_length(self.size.width)
class Bare(App):
    CSS = "Screen { layout: vertical; overflow: hidden; } #body { height: 1fr; }"
    def compose(self):
        yield Rows(2)
        with Horizontal(id="body"):
            yield Rows("1fr", 32)
            yield Rows("1fr")
        yield Rows(1)
        yield Rows(1)
        yield Rows(1)
Bare(ansi_color=True).run(mouse=False)
"""
SIZES = ((80, 24), (200, 50))
GOALS = {
    "first frame": {80: 8000.0, 200: 20000.0},
    "typed key": {80: 80.0, 200: 80.0},
    "changed host row": {80: 60.0 + 4, 200: 60.0 + 4},
    "entry, with room": {80: 3.0 * 70, 200: 3.0 * 70},
    "entry, full": {80: 1500.0},
    "help opened": {80: 4000.0},
    "clock tick": {80: 40.0, 200: 40.0},
    "ages moving": {80: 150.0, 200: 150.0},
    "quiet minute": {80: 3000.0, 200: 3000.0},
    "outage minute": {80: 15000.0, 200: 15000.0},
    "idle CPU %": {80: 1.0, 200: 1.0},
    "outage CPU %": {80: 8.0, 200: 8.0},
}
PEOPLE = Author("bob", uid=1001)
LINE = "saw the disk alarm on web3, forty characters"
failed: list[str] = []


class Terminal:
    """A program on a pseudo-terminal; what it writes is counted and shown to pyte."""

    def __init__(self, words: list[str], size: tuple[int, int], **environment: str) -> None:
        self.width, height = size
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", height, self.width, 0, 0))
        root = str(Path(__file__).resolve().parents[1])
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environ = {**inherited, "PYTHONPATH": root, "TERM": "xterm-256color", "NO_COLOR": "", **environment}
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            words, stdin=slave, stdout=slave, stderr=slave, env=environ, start_new_session=True
        )
        os.close(slave)
        self.count = 0
        self.chunks: list[tuple[float, int, int]] = []
        self.screen = pyte.Screen(self.width, height)
        self.stream = pyte.ByteStream(self.screen)

    def take(self) -> None:
        """What is there now."""
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return
        before = list(self.screen.display)
        try:
            self.stream.feed(data)
        except Exception:  # pyte does not know all that other programs write; the bytes are counted all the same
            self.stream = pyte.ByteStream(self.screen)
        rows = sum(one != other for one, other in zip(before, self.screen.display, strict=True))
        self.count += len(data)
        self.chunks.append((time.monotonic(), len(data), rows))

    def cpu(self) -> float:
        """Seconds of CPU so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def until(self, words: str, seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while words not in "\n".join(self.screen.display):
            if time.monotonic() > end:
                sys.exit(f"{words!r} never came:\n" + "\n".join(self.screen.display))
            read([self], 0.02)

    def act(self, do: Callable[[], object], words: str) -> int:
        """Bytes of what follows an act, until its words are shown and nothing comes for a moment."""
        self.settle()
        before = self.count
        do()
        self.until(words)
        read([self], 0.15)
        return self.count - before

    def settle(self) -> None:
        """Just after a tick, so that none falls into an act."""
        before = self.count
        end = time.monotonic() + 1.5
        while self.count == before and time.monotonic() < end:
            read([self], 0.02)
        read([self], 0.1)

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        end = time.monotonic() + 20
        while self.process.poll() is None and time.monotonic() < end:
            read([self], 0.05)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)


def read(terminals: Iterable[Terminal], seconds: float) -> None:
    by_fd = {one.master: one for one in terminals}
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        for fd in select.select(list(by_fd), [], [], left)[0]:
            by_fd[fd].take()


def board(place: Path, percent: int = 40, down: timedelta | None = None) -> None:
    """Six hosts; with `down` all but the first two have been silent for so long."""
    now = datetime.now(UTC)
    rows = {}
    for number in range(1, 7):
        at = now - down if down and number > 2 else now
        state = LinkState.TIMEOUT if down and number > 2 else LinkState.UP
        used = percent if number == 2 else 50
        memory = Memory(at=at, total=4 << 30, available=(4 << 30) * (100 - used) // 100, estimated=False)
        rows[f"host/web{number}"] = HostReading(
            host=f"web{number}",
            at=at,
            link=Link(state=state, sentence="" if state == LinkState.UP else "no answer", since=at, at=now),
            clock=Clock(at=at, skew_seconds=0.0, error_seconds=0.1),
            load=Load(at=at, one=0.4, five=0.5, fifteen=0.6, cpus=4, uptime_seconds=864000.0),
            memory=memory,
        )
    opened = Board.open(place)
    opened.put(rows, epoch=1)
    opened.close()


def append(place: Path, *texts: str) -> None:
    now = datetime.now(UTC)
    with Store.open(place) as store:
        drafts = [Draft(kind=Kind.NOTE, text=text, at=now, author=PEOPLE, incident="INC-1") for text in texts]
        store.append(drafts, key=f"{time.monotonic()}")
    ring(place)


def journal(place: Path) -> None:
    now = datetime.now(UTC) - timedelta(minutes=12)
    with Store.open(place) as store:
        title = {"title": "gv0 split-brain", "severity": 1}
        store.append(
            [Draft(kind=Kind.DECLARE, text="gv0 split-brain", at=now, author=PEOPLE, incident="INC-1", data=title)],
            key="declare",
        )
    board(place)


def acts(place: Path, kind: str, size: tuple[int, int]) -> tuple[Terminal, dict[str, float]]:
    """A screen, and what each act costs on it."""
    journal(place)
    terminal = Terminal([sys.executable, "-c", SCREEN, str(place), kind], size)
    found: dict[str, float] = {}
    terminal.until("gv0 split-brain")
    keys = []
    for number, letter in enumerate("saw the"):
        keys.append(terminal.act(partial(terminal.type, letter), "> " + "saw the"[: number + 1].rstrip()))
    found["typed key"] = statistics.median(keys)
    terminal.act(lambda: terminal.type("\x15"), " >")
    found["changed host row"] = terminal.act(lambda: board(place, 63), "63%")
    found["entry, with room"] = terminal.act(lambda: append(place, LINE), LINE[:16])
    terminal.act(lambda: append(place, *(f"entry number {number} of many" for number in range(80))), "number 79")
    found["entry, full"] = terminal.act(lambda: append(place, "the one that moves them all up"), "the one that moves")
    found["help opened"] = terminal.act(lambda: terminal.type("\x1bOP"), "help")
    terminal.act(lambda: terminal.type("\x1b"), "the one that moves")
    again = Terminal([sys.executable, "-c", SCREEN, str(place), kind], size)
    again.until("the one that moves")
    read([again], 0.5)
    found["first frame"] = again.count
    again.end()
    return terminal, found


def quiet(screens: dict[tuple[str, int], Terminal], others: dict[tuple[str, int], Terminal], seconds: float) -> None:
    """Nobody does anything. Fills RESULTS with ticks, sums and CPU."""
    everybody = [*screens.values(), *others.values()]
    read(everybody, 3.5)
    for one in everybody:
        one.chunks.clear()
    before = {key: one.cpu() for key, one in screens.items()}
    read(everybody, seconds)
    for (name, width), one in {**screens, **others}.items():
        put(name, width, "quiet minute", sum(size for _, size, _ in one.chunks) * 60 / seconds)
    for key, one in screens.items():
        moments = merged(one.chunks)
        put(*key, "idle CPU %", (one.cpu() - before[key]) / seconds * 100)
        put(*key, "clock tick", statistics.median(size for size, rows in moments if rows <= 1))
        if ages := [size for size, rows in moments if rows > 1]:
            put(*key, "ages moving", max(ages))
        put(*key, "writes a second", len(moments) / seconds)


def merged(chunks: list[tuple[float, int, int]]) -> list[tuple[int, int]]:
    """Bytes and changed rows of what came together, within 100 ms."""
    moments: list[tuple[float, int, int]] = []
    for at, size, rows in chunks:
        if moments and at - moments[-1][0] < 0.1:
            moments[-1] = (at, moments[-1][1] + size, moments[-1][2] + rows)
        else:
            moments.append((at, size, rows))
    return [(size, rows) for _, size, rows in moments]


def outage(scratch: Path, seconds: float) -> None:
    """The demo, as `make demo` runs it, from its first frame on."""
    demos: dict[tuple[str, int], Terminal] = {}
    for kind, size in (("ours", (80, 24)), ("stock", (80, 24)), ("ours", (200, 50))):
        home = scratch / f"home-{kind}-{size[0]}"
        home.mkdir()
        config = home / "config.toml"
        text = shipped("config.toml").read_text()
        config.write_text(text if kind == "ours" else text.replace("changed_cells = true", "changed_cells = false"))
        words = [sys.executable, "-m", "incident_tui", "demo", "--config", str(config)]
        demos[kind, size[0]] = Terminal(words, size, HOME=str(home), XDG_RUNTIME_DIR=str(home))
    for one in demos.values():
        one.until("HOSTS", 60)
    read(demos.values(), 2)
    before = {key: (one.count, one.cpu()) for key, one in demos.items()}
    read(demos.values(), seconds)
    for key, one in demos.items():
        count, cpu = before[key]
        put(*key, "outage minute", (one.count - count) * 60 / seconds)
        put(*key, "outage CPU %", (one.cpu() - cpu) / seconds * 100)
    for one in demos.values():
        one.end()


def first_frames(scratch: Path, rounds: int = 11) -> None:
    """Wall and CPU time to the first frame, each round beside a bare app of the same widgets: of the ratios the median,
    as this machine may have been busy in some. The first round only writes byte code."""
    place = scratch / "first"
    journal(place)
    spent: dict[str, list[tuple[float, float]]] = {"ours": [], "stock": [], "bare": []}
    for number in range(1 + rounds):
        for kind, times in spent.items():
            words = [sys.executable, "-c", BARE] if kind == "bare" else [sys.executable, "-c", SCREEN, str(place), kind]
            terminal = Terminal(words, (80, 24))
            terminal.until("line 3" if kind == "bare" else "HOSTS")
            if number:
                times.append((time.monotonic() - terminal.began, terminal.cpu()))
            terminal.end()
    base = [statistics.median(of) * 1e3 for of in zip(*spent["bare"], strict=True)]
    for kind in ("ours", "stock"):
        pairs = zip(spent[kind], spent["bare"], strict=True)
        ratio, cpu = (
            statistics.median(of)
            for of in zip(*((one[0] / bare[0], one[1] / bare[1]) for one, bare in pairs), strict=True)
        )
        print(
            f"first frame, {kind}: {ratio:.2f} of a bare Textual app ({base[0]:.0f} ms), goal 1.5; "
            f"CPU {cpu:.2f} of {base[1]:.0f} ms"
        )
        if kind == "ours" and ratio > 1.5:
            failed.append("first frame, time")


RESULTS: dict[str, dict[tuple[str, int], float]] = {}


def put(name: str, width: int, what: str, value: float) -> None:
    RESULTS.setdefault(what, {})[name, width] = value


def show() -> None:
    columns = sorted({key for row in RESULTS.values() for key in row}, key=lambda one: (one[1], one[0] != "ours", one))
    print(f"{'':18}" + "".join(f"{name + ' ' + str(width):>12}" for name, width in columns) + "   goals")
    for what, row in RESULTS.items():
        cells = []
        for key in columns:
            value = row.get(key)
            cells.append(" " * 12 if value is None else f"{value:12,.1f}" if value < 10 else f"{value:12,.0f}")
        goals = GOALS.get(what, {})
        missed = [width for width, goal in goals.items() if row.get(("ours", width), 0) > goal]
        failed.extend(f"{what} at {width}" for width in missed)
        print(f"{what:18}" + "".join(cells) + "   " + " ".join(f"{goal:,.0f}" for goal in goals.values()))


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 12.0
    screens: dict[tuple[str, int], Terminal] = {}
    others: dict[tuple[str, int], Terminal] = {}
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        for size in SIZES:
            for kind in ("ours", "stock"):
                place = scratch / f"{kind}-{size[0]}"
                screens[kind, size[0]], found = acts(place, kind, size)
                for what, value in found.items():
                    put(kind, size[0], what, value)
        for size in SIZES:
            for kind in ("ours", "stock"):
                board(scratch / f"{kind}-{size[0]}", down=timedelta(minutes=2))
            for words in (["watch", "-n1", "date"], ["htop"], ["glances"]):
                if shutil.which(words[0]):
                    others[words[0], size[0]] = Terminal(words, size)
        read([*screens.values(), *others.values()], 4)
        for key, one in others.items():
            put(*key, "first frame", sum(size for at, size, _ in one.chunks if at - one.began < 3))
        quiet(screens, others, seconds)
        for one in [*screens.values(), *others.values()]:
            one.end()
        outage(scratch, seconds)
        show()
        first_frames(scratch)
    print("all goals met" if not failed else f"MISSED: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
