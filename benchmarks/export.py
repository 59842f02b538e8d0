"""The whole process of `incident-tui export`, against a Python that only imports what it needs.

    python benchmarks/export.py [ROUNDS] [ENTRIES]

Prints medians in milliseconds and their ratio, interleaved in one run, for the one page, the full report, the full
report as HTML and JSON of 1,000 entries; then the page of 10,000 and of 100,000, with the time an entry and the memory;
then all 21 sections of 10,000 entries that were recorded as they happened, as Markdown and as HTML.
Goals: 1,000 entries <= 0.5 s; 10,000 <= 1.5 s, in each of these forms; an entry of 100,000 costs at most 1.5 times the
processor's time of one of 10,000. Exit status 1 when one is missed.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from incident_tui.incident.entry import Author, Draft, Kind, Seen
from incident_tui.journal.store import Store

ROOT = Path(__file__).resolve().parents[1]
LIMIT_MS = 500
LARGE = (10_000, 100_000)
LARGE_MS = 1_500
LINEAR = 1.5
BASE = ["-c", "import sqlite3, tomli, jinja2"]
HTML = ["--full", "--format", "html"]
SHAPES = {"page": [], "full": ["--full"], "html": HTML, "json": ["--format", "json"]}
TEXT = "web3 does not answer ping from the bastion; called the hosting company, ticket 48213, they look at feed {}"


def fill(directory: Path, entries: int, *, late: bool = True) -> None:
    """An incident of days: people write, machines observe. `late`: all of it was recorded now, and each row says so."""
    start = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
    kinds = (Kind.NOTE, Kind.ACTION, Kind.RESULT, Kind.DECISION, Kind.OBSERVATION)
    drafts = [Draft(Kind.DECLARE, "bench", start, Author("ana"), "I", "cli", {"severity": 1})]
    for number in range(1, entries):
        at = start + timedelta(seconds=number * 170)
        kind = kinds[number % len(kinds)]
        data: dict[str, object] = {}
        seen = Seen("X gv0 bricks 2/3; ! web2 mem 93%", 3)
        if kind is Kind.OBSERVATION:
            level = ("crit", "ok")[number // 5 % 2]
            data = {"finding": "gluster.brick-down", "level": level, "subject": f"gv{number % 7}", "host": "web3"}
        author = Author(("ana", "bob", "dan")[number % 3])
        drafts.append(Draft(kind, TEXT.format(number), at, author, "I", "cli", data, None, seen))
    size, now = (500, datetime.now(UTC)) if late else (3, start)
    with Store.open(directory, clock=lambda: now) as store:
        for first in range(0, len(drafts), size):
            batch = drafts[first : first + size]
            now = now if late else batch[-1].at
            store.append(batch, key=f"bench-{first}")


def run(arguments: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
    return (time.perf_counter() - began) * 1e3


def large(rounds: int) -> bool:
    """Whether long journals are exported in time and in proportion."""
    medians: dict[int, float] = {}
    costs: dict[int, float] = {}
    for entries in LARGE:
        with tempfile.TemporaryDirectory() as scratch:
            journal = Path(scratch) / "journal"
            fill(journal, entries)
            command = [sys.executable, "-m", "incident_tui", "export", "--journal", str(journal)]
            times, processor, memory = [], [], 0
            for _ in range(rounds if entries < 50_000 else 1):
                began = time.perf_counter()
                process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=ROOT)
                _, status, usage = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
                if process.returncode:
                    raise SystemExit(f"export failed: {process.returncode}")
                times.append((time.perf_counter() - began) * 1e3)
                processor.append((usage.ru_utime + usage.ru_stime) * 1e3)
                memory = max(memory, usage.ru_maxrss // 1024)
        medians[entries], costs[entries] = statistics.median(times), statistics.median(processor)
        each = costs[entries] / entries * 1e3
        print(
            f"  page of {entries:>7,} entries {medians[entries]:9.1f} ms, of the processor {costs[entries]:9.1f} ms, "
            f"{each:6.1f} us an entry, {memory:5d} MiB"
        )
    small, big = (costs[entries] / entries for entries in LARGE)
    print(f"  an entry of {LARGE[1]:,} costs {big / small:.2f} times one of {LARGE[0]:,}")
    return medians[LARGE[0]] <= LARGE_MS and big / small <= LINEAR


def full(rounds: int) -> bool:
    """Whether all sections of a long incident are made in time."""
    good = True
    with tempfile.TemporaryDirectory() as scratch:
        journal = Path(scratch) / "journal"
        fill(journal, LARGE[0], late=False)
        for name in ("full", "html"):
            command = ["-m", "incident_tui", "export", "--journal", str(journal), *SHAPES[name]]
            median = statistics.median(run(command) for _ in range(rounds))
            print(f"  {name} of {LARGE[0]:>7,} entries {median:9.1f} ms")
            good = good and median <= LARGE_MS
    return good


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    entries = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000
    times: dict[str, list[float]] = {name: [] for name in ("imports", *SHAPES)}
    with tempfile.TemporaryDirectory() as scratch:
        journal = Path(scratch) / "journal"
        fill(journal, entries)
        os.environ["INCIDENT_TUI_CONFIG"] = str(ROOT / "config.toml")
        for _ in range(rounds):
            times["imports"].append(run(BASE))
            for name, options in SHAPES.items():
                times[name].append(run(["-m", "incident_tui", "export", "--journal", str(journal), *options]))
    base = statistics.median(times["imports"])
    print(f"{entries} entries, {rounds} rounds, medians of the whole process")
    print(f"  python {BASE[0]} {BASE[1]!r:<36} {base:7.1f} ms")
    for name in SHAPES:
        median = statistics.median(times[name])
        print(f"  export {name:<40} {median:7.1f} ms  {median / base:5.2f} x")
    linear = large(min(rounds, 3))
    whole = full(min(rounds, 3))
    return 0 if statistics.median(times["page"]) <= LIMIT_MS and linear and whole else 1


if __name__ == "__main__":
    raise SystemExit(main())
