"""The whole process of `incident-tui export` of 1,000 entries, against a Python that only imports what it needs.

    python benchmarks/export.py [ROUNDS] [ENTRIES]

Prints medians in milliseconds and their ratio, interleaved in one run, for the one page, the full report and JSON.
Goal: export of 1,000 entries <= 0.5 s. Exit status 1 when it misses.
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
BASE = ["-c", "import sqlite3, tomli, jinja2"]
SHAPES = {"page": [], "full": ["--full"], "json": ["--format", "json"]}
TEXT = "web3 does not answer ping from the bastion; called the hosting company, ticket 48213, they look at feed {}"


def fill(directory: Path, entries: int) -> None:
    """An incident of two days: people write, machines observe, one entry in fifty is amended."""
    start = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
    kinds = (Kind.NOTE, Kind.ACTION, Kind.RESULT, Kind.DECISION, Kind.OBSERVATION)
    drafts = [Draft(Kind.DECLARE, "bench", start, Author("ana"), "I", "cli", {"severity": 1})]
    with Store.open(directory) as store:
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
        for start_of in range(0, len(drafts), 500):
            store.append(drafts[start_of : start_of + 500], key=f"bench-{start_of}")


def run(arguments: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
    return (time.perf_counter() - began) * 1e3


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
    return 0 if statistics.median(times["page"]) <= LIMIT_MS else 1


if __name__ == "__main__":
    raise SystemExit(main())
