"""What `incident-tui log` costs as a whole process, against an interpreter that imports what it cannot do without.

    python benchmarks/start.py [ROUNDS] [DIRECTORY]

Interleaved in one run: `python -c "import sqlite3, tomli"`, then `incident-tui log TEXT` into a journal with one
incident and into one that holds 100,000 entries besides, both with the example configuration in force. Prints medians
in milliseconds and the ratio (goal: 2 at most); the journals lie in DIRECTORY (default: here), on a real disk, and each
line is synced to it. CPU time beside it tells a busy machine from a slow start. Exit status 1 when it misses.
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

from incident_tui.incident.entry import Author, Draft, Kind
from incident_tui.journal.store import Store
from incident_tui.shipped import shipped

LIMIT = 2.0
MANY = 100_000
LINE = "! restarted glusterd on web2"


def fill(place: Path, count: int) -> None:
    """A journal with an open incident and `count` more entries of it: work, observations, loose notes."""
    now = datetime.now(UTC) - timedelta(hours=1)
    who = Author("ana", uid=1000)
    with Store.open(place) as store:
        title = {"title": "gv0 split-brain", "severity": 1}
        declared = Draft(kind=Kind.DECLARE, text="gv0 split-brain", at=now, author=who, incident="INC-1", data=title)
        store.append([declared], key="declare")
        kinds = ((Kind.ACTION, "INC-1"), (Kind.OBSERVATION, ""), (Kind.NOTE, "INC-1"), (Kind.NOTE, ""))
        for block in range(0, count, 5000):
            drafts = [
                Draft(kind=kind, text=f"entry {number}", at=now, author=who, incident=incident)
                for number in range(block, min(block + 5000, count))
                for kind, incident in (kinds[number % len(kinds)],)
            ]
            store.append(drafts, key=f"block {block}")


def spend(words: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Wall and CPU milliseconds of one process."""
    began = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, env=environment)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{words[0]} ended with {process.returncode}")
    return (time.perf_counter() - began) * 1e3, (used.ru_utime + used.ru_stime) * 1e3


def main() -> int:
    rounds = max(15, int(sys.argv[1])) if len(sys.argv) > 1 else 25
    program = Path(sys.executable).with_name("incident-tui")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["INCIDENT_TUI_CONFIG"] = str(shipped("config.toml"))
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else ".") as scratch:
        commands = {"base": [sys.executable, "-c", "import sqlite3, tomli"]}
        for name, count in (("log", 0), (f"log, {MANY:,} entries", MANY)):
            place = Path(scratch) / str(count)
            fill(place, count)
            commands[name] = [str(program), "--journal", str(place), "log", LINE]
            first, _ = spend(commands[name], environment)  # writes byte code, and folds the journal once
            print(f"{name}: the first one, which folds the journal, {first:.0f} ms")
        spent: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, words in commands.items():
                spent[name].append(spend(words, environment))
    wall = {name: statistics.median(one[0] for one in runs) for name, runs in spent.items()}
    cpu = {name: statistics.median(one[1] for one in runs) for name, runs in spent.items()}
    ok = True
    for name in commands:
        ratio = wall[name] / wall["base"]
        ok = ok and ratio <= LIMIT
        print(
            f"{name:22} median {wall[name]:6.1f} ms, {ratio:.2f} of base   "
            f"CPU {cpu[name]:6.1f} ms, {cpu[name] / cpu['base']:.2f} of base"
        )
    print(f"goal <= {LIMIT:g}, {rounds} rounds: {'met' if ok else 'MISSED'}")
    return 0 if ok else 1


if __name__ == "__main__":
    raise SystemExit(main())
