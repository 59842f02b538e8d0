"""kill -9 at any moment: no acknowledged entry is lost, none is doubled by the retry."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from incident_tui.journal.store import Store

Spawn = Callable[..., "subprocess.Popen[str]"]
KILLS = 200

# A nursery forks each appender, so that 200 of them do not pay 200 starts of Python. Each appends entry after entry
# with the keys n, n+1, … and acknowledges each through the pipe; the test kills it and starts the next at the first
# key without acknowledgement: the same key again, as the desk would.
NURSERY = """
import os, sys
from datetime import datetime, UTC
from incident_tui.incident.entry import Author, Draft, Kind
from incident_tui.journal.store import Store

for line in sys.stdin:
    first = int(line)
    pid = os.fork()
    if pid == 0:
        store = Store.open(sys.argv[1])
        os.write(1, f"pid {os.getpid()}\\n".encode())
        for number in range(first, first + 1_000_000):
            text = f"entry {number} " + "x" * (number % 700)
            draft = Draft(kind=Kind.NOTE, text=text, at=datetime.now(UTC), author=Author("ana"))
            store.append([draft], key=f"key {number}")
            os.write(1, f"{number}\\n".encode())
    os.waitpid(pid, 0)
    os.write(1, b"dead\\n")
"""


def test_200_kills_lose_nothing_and_double_nothing(place: Path, spawn: Spawn) -> None:
    Store.open(place).close()
    nursery = spawn(NURSERY, place)
    assert nursery.stdin is not None and nursery.stdout is not None
    rng = random.Random(20261123)
    acknowledged: set[int] = set()
    stored_but_not_acknowledged = 0
    following = 0
    for _ in range(KILLS):
        nursery.stdin.write(f"{following}\n")
        nursery.stdin.flush()
        pid = int(nursery.stdout.readline().split()[1])
        victim = rng.randrange(1, 8)
        killed = False
        for line in nursery.stdout:
            if line == "dead\n":
                break
            acknowledged.add(int(line))
            if not killed and int(line) - following + 1 >= victim:
                os.kill(pid, signal.SIGKILL)
                killed = True
        following = max(acknowledged) + 1
        with Store.open(place) as store:
            stored_but_not_acknowledged += store.head().seq > following
    with Store.open(place) as store:
        entries = store.read()
        numbers = Counter(int(entry.text.split()[1]) for entry in entries)
        assert acknowledged <= set(numbers), "an acknowledged entry was lost"
        assert set(numbers.values()) == {1}, "a retry doubled an entry"
        assert len(acknowledged) >= KILLS
        assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
        verdict = store.verify()
        assert verdict.ok, verdict.problems
    print(
        f"{KILLS} kills, {len(acknowledged)} acknowledged, {stored_but_not_acknowledged} stored without acknowledgement"
    )
