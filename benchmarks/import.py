"""How fast what was read elsewhere is saved, against a bare SQLite of the same rows in the same batches, in one run.

    python benchmarks/import.py [ENTRIES] [DIRECTORY]

Both commit durably (synchronous=FULL) each batch of `keep.BATCH`. Goal: 20,000 entries a second, with numbers, chain,
salts and encoding. Also prints what a whole import costs: reading the log of a chat, telling what is here, saving.
Exit status 1 when it misses.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from incident_tui.desk.importing import keep
from incident_tui.desk.importing.days import times
from incident_tui.desk.importing.read import of_text
from incident_tui.incident.entry import Author
from incident_tui.journal.store import Store

GOAL = 20_000
BEGAN = datetime(2026, 11, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    log = "".join(
        f"{BEGAN + timedelta(seconds=10 * n):%Y-%m-%d %H:%M:%S}\tana\tweb3 does not answer ping, {n} packets lost\n"
        for n in range(count)
    )
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else ".") as scratch:
        with Store.open(Path(scratch) / "journal") as store:
            began = time.perf_counter()
            timed = times(found := of_text(log), NOW, UTC, None)
            plan = keep.plan(keep.pieces(found, timed, NOW, Author("bob"), ()), keep.Known(store.read(), NOW))
            drafts = [piece.draft for piece in plan.pieces if piece.draft is not None]
            read = time.perf_counter() - began
            began = time.perf_counter()
            saved = keep.save(store, drafts, "INC-1", "bench", "log", 0)
            save = time.perf_counter() - began
            began = time.perf_counter()
            again = keep.plan(keep.pieces(found, timed, NOW, Author("bob"), ()), keep.Known(store.read(), NOW))
            repeat = time.perf_counter() - began
            ok = store.verify().ok and len(saved) == count and again.here == count
            rows = store.connection.execute("SELECT seq, commitment, link, salt, body FROM entries").fetchall()
        bare = _bare(Path(scratch) / "bare.db", rows)
    print(f"saved  {count / save:9,.0f} entries a second (goal {GOAL:,}), {save:.2f} s for {count:,}")
    print(f"bare   {count / bare:9,.0f} rows a second by SQLite alone; ours takes {save / bare:.1f} times as long")
    print(f"read   {count / read:9,.0f} lines a second; telling that all of them are here already takes {repeat:.1f} s")
    print("verify", "ok" if ok else "FAILED")
    return 0 if ok and count / save >= GOAL else 1


def _bare(path: Path, rows: list[tuple[int, bytes, bytes, bytes, bytes]]) -> float:
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE entries(seq INTEGER PRIMARY KEY, commitment BLOB, link BLOB, salt BLOB, body BLOB)")
    began = time.perf_counter()
    for begin in range(0, len(rows), keep.BATCH):
        db.execute("BEGIN IMMEDIATE")
        db.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?)", rows[begin : begin + keep.BATCH])
        db.execute("COMMIT")
    taken = time.perf_counter() - began
    db.close()
    return taken


if __name__ == "__main__":
    raise SystemExit(main())
