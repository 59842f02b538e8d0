"""A search in all incidents at 100,000 entries, against reading the same journal from end to end, in the same run.

    python benchmarks/search.py [ENTRIES]

Goal: each question answered within 200 ms once the index is there, and when one more entry has come; the whole command
with its start is printed, too. The first search makes the index. Exit status 1 when it misses.
"""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from incident_tui.incident.entry import Author, Draft, Kind, Ref
from incident_tui.incident.filter import Filter
from incident_tui.journal.search import Search, search
from incident_tui.journal.store import Store

LIMIT_MS = 200.0
START = datetime(2026, 11, 20, tzinfo=UTC)
ANA, BOB, WATCH = Author("ana", 1000), Author("bob", 1001), Author("watch", 1000)
WORDS = (
    *("gluster", "brick", "heal", "restarted", "container", "drupal", "solr", "web1", "web2", "web3", "split", "brain"),
    *("checked", "the", "log", "copied", "file", "volume", "gv0", "gv1", "peer", "reading", "memory", "swap", "load"),
)
HOUR = timedelta(hours=1)
QUESTIONS = {
    "a word that is nowhere": Search(wanted=Filter(words=("xyzzy",))),
    "a rare word": Search(wanted=Filter(words=("zebra",))),
    "a common word": Search(wanted=Filter(words=("gluster",))),
    "four words": Search(wanted=Filter(words=("gluster", "brick", "heal", "zeb"))),
    "kind, author, host": Search(wanted=Filter(kinds=("action",), by=("bob",), hosts=("web3",), words=("peer",))),
    "an hour long ago": Search(wanted=Filter(words=("gluster",)), since=START + HOUR, until=START + 2 * HOUR),
    "one incident": Search(wanted=Filter(words=("gluster",)), incident="INC-3"),
    "no word, a level": Search(wanted=Filter(kinds=("crit",))),
}


def fill(store: Store, count: int) -> None:
    """Half are observations; three of a hundred correct an earlier entry; ten incidents."""
    dice = random.Random(1)
    for first in range(0, count, 1_000):
        drafts = []
        for number in range(first, min(count, first + 1_000)):
            text, at = " ".join(dice.choices(WORDS, k=dice.randint(4, 20))), START + timedelta(seconds=number)
            incident, author = f"INC-{10 * number // count}", ANA if number % 3 else BOB
            sort = dice.random()
            about = Ref(store.journal, max(1, number - dice.randint(0, 400)))
            if number == count // 3:
                drafts.append(Draft(Kind.NOTE, "the zebra was seen", at, author, incident))
            elif sort < 0.5:
                data = {"level": "crit", "host": "web3", "subject": "gv0/web3:/b/gv0", "finding": "gluster.brick-down"}
                drafts.append(Draft(Kind.OBSERVATION, text, at, WATCH, incident, "watch", data))
            elif sort < 0.97:
                drafts.append(Draft(Kind.NOTE if sort < 0.8 else Kind.ACTION, text, at, author, incident, "tui"))
            elif sort < 0.985:
                drafts.append(Draft(Kind.AMEND, "", at, author, incident, data={"text": f"not {text}"}, ref=about))
            else:
                drafts.append(Draft(Kind.STRIKE, "", at, author, incident, data={"step": "strike"}, ref=about))
        store.append(drafts, key=str(first))


def timed(asked: Search, store: Store) -> float:
    began = time.perf_counter()
    search(store, asked)
    return (time.perf_counter() - began) * 1e3


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    worst = 0.0
    with tempfile.TemporaryDirectory() as scratch, Store.open(Path(scratch) / "journal") as store:
        fill(store, count)
        began = time.perf_counter()
        for seq in range(0, count, 2_000):
            store.read(seq, 2_000)
        whole = (time.perf_counter() - began) * 1e3
        first = timed(QUESTIONS["a rare word"], store)
        size = Path(store.place.search).stat().st_size / Path(store.place.journal).stat().st_size
        print(f"{count} entries; read from end to end {whole:.0f} ms; the first search {first:.0f} ms, ", end="")
        print(f"{first / whole:.1f} of that; the index is {size:.2f} of the journal")
        for name, asked in QUESTIONS.items():
            times = []
            for turn in range(9):
                store.append([Draft(Kind.NOTE, "one more", START, ANA, "INC-9")], key=f"{name} {turn}")
                times.append(timed(asked, store))
            middle = statistics.median(times)
            worst = max(worst, *times)
            print(f"{name:<24} {middle:7.1f} ms, worst {max(times):6.1f}, {middle / whole:.3f} of reading it")
        command = [sys.executable, "-m", "incident_tui", "search", "zebra", "--journal", store.place.directory]
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, cwd=Path(__file__).resolve().parents[1])
        print(f"{'the command':<24} {(time.perf_counter() - began) * 1e3:7.1f} ms")
    print(f"worst {worst:.1f} ms; goal {LIMIT_MS:.0f} ms: {'met' if worst <= LIMIT_MS else 'MISSED'}")
    return 0 if worst <= LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
