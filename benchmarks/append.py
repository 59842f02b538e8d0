"""A durable append as the desk does it, against a bare fdatasync of the same bytes, interleaved in one run.

    python benchmarks/append.py [ROUNDS] [DIRECTORY]

Prints medians and 99th percentiles in milliseconds. Goal: append <= fdatasync + 0.4 ms (median); the append includes
salt, chain, lock, index, the idempotency key, and the ring of one listener. Exit status 1 when it misses.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from incident_tui.incident.entry import Author, Draft, Kind
from incident_tui.journal.notify import Listener
from incident_tui.journal.store import Store

LIMIT_MS = 0.4
TEXT = (
    "web3 does not answer ping from the bastion; called the hosting company, ticket 48213, they look at the power feed"
)


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else ".") as scratch:
        place = Path(scratch) / "journal"
        store = Store.open(place)
        bell = Listener(place)
        flat = os.open(Path(scratch) / "flat.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        append_ms: list[float] = []
        sync_ms: list[float] = []
        for number in range(rounds):
            draft = Draft(
                kind=Kind.ACTION, text=TEXT, at=datetime.now(UTC), author=Author("ana", uid=1000), incident="i1"
            )
            began = time.perf_counter()
            entry = store.append([draft], key=f"screen-{number}")[0]
            append_ms.append((time.perf_counter() - began) * 1e3)
            body = msgspec.json.encode(entry)
            began = time.perf_counter()
            os.write(flat, body + b"\n")
            os.fdatasync(flat)
            sync_ms.append((time.perf_counter() - began) * 1e3)
            bell.drain()
        ok = store.verify([store.head()]).ok
        bell.close()
        store.close()
        os.close(flat)
    for name, values in (("append", append_ms), ("fdatasync", sync_ms)):
        p99 = statistics.quantiles(values, n=100)[98]
        print(f"{name:10} median {statistics.median(values):.3f} ms   p99 {p99:.3f} ms")
    difference = statistics.median(append_ms) - statistics.median(sync_ms)
    print(
        f"difference of medians {difference:.3f} ms (goal <= {LIMIT_MS}), {rounds} rounds, "
        f"verify {'ok' if ok else 'FAILED'}"
    )
    return 0 if difference <= LIMIT_MS and ok else 1


if __name__ == "__main__":
    raise SystemExit(main())
