"""The timeline of 100,000 entries against one of 1,000, and against a bare Line-API list, in the same run.

    python benchmarks/timeline.py [ENTRIES]

Targets: the first screen at most 3x the bare list's; the fold complete in 2 s (it runs in the background); 60 MiB above
the empty program; appending and scrolling as with 1,000 entries (the fold's own share is printed beside it).
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from rich.segment import Segment
from textual.strip import Strip

from incident_tui.incident.entry import Author, Entry, Kind
from incident_tui.incident.filter import Filter, matcher, read_filter
from incident_tui.incident.state import Fold
from incident_tui.incident.views import TimelineRow
from incident_tui.ui.lines import Line
from incident_tui.ui.listing import Listing
from incident_tui.ui.timeline import Context
from incident_tui.ui.window import Window

MANY, FEW, HEIGHT = 100_000, 1_000, 20
START = datetime(2026, 11, 23, tzinfo=UTC)
JOURNAL = "0123456789abcdef"
CONTEXT = Context(48, letters={JOURNAL: "a"})
PEOPLE = (Author("ana", 1000, "ana", proven=True), Author("bob", 1001, "bob", proven=True))
WATCH = Author("watch", 1000)


def entry(number: int) -> Entry:
    """Every fifth is a person's, the others are observations of three hosts."""
    at = START + timedelta(seconds=number)
    machine = number % 5 != 0
    host = f"web{number % 3}"
    data = {"finding": "host.memory", "level": ("ok", "warn", "crit")[number % 3], "subject": host, "host": host}
    return Entry(
        journal=JOURNAL,
        seq=number + 1,
        kind=Kind.OBSERVATION if machine else Kind.NOTE if number else Kind.DECLARE,
        at=at,
        recorded_at=at,
        author=WATCH if machine else PEOPLE[number % 2],
        text=f"{host}: memory {number % 100}% used" if machine else f"looked at {host}, number {number}",
        incident="INC-1",
        source="watch" if machine else "tui",
        data=data if machine else {},
    )


class Screen:
    """What a screen does with rows, without a terminal."""

    def __init__(self) -> None:
        self.listing, self.window = Listing(), Window()

    def show(self, rows: Sequence[TimelineRow]) -> list[Line]:
        self.listing.feed(rows, still=not self.window.follow)
        self.window.feed(self.listing.items, {}, CONTEXT)
        return self.window.lines(HEIGHT)

    def scroll(self, lines: int) -> list[Line]:
        self.window.scroll(lines)
        return self.window.lines(HEIGHT)


def bare(rows: Sequence[TimelineRow]) -> list[Strip]:
    """A list that shows what is visible, one line for each entry, as a Line-API widget with nothing else does: the
    text of all of them is at hand, as it would be in memory."""
    texts = [row.text for row in rows]
    return [Strip([Segment(text)]).adjust_cell_length(CONTEXT.width) for text in texts[-HEIGHT:]]


def median(act: Callable[[], object], times: int = 15) -> float:
    """Milliseconds."""
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        act()
        taken.append(1000 * (time.perf_counter() - begun))
    return statistics.median(taken)


def resident() -> float:
    """MiB of this process."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20


def measured(count: int) -> dict[str, float]:
    fold = Fold()
    entries = [entry(number) for number in range(count + 40)]
    begun = time.perf_counter()
    for one in entries[:count]:
        fold.apply(one)
    rows = fold.incident("INC-1").rows
    folded = time.perf_counter() - begun
    first = median(lambda: Screen().show(rows), 5)
    found = {"fold s": folded, "first screen ms": first, "bare list ms": median(lambda: bare(rows), 5)}
    screen = Screen()
    screen.show(rows)
    begun = time.perf_counter()
    while screen.listing.folds.step():
        pass
    found["runs folded later ms"] = 1000 * (time.perf_counter() - begun)
    late = iter(entries[count:])
    shown: list[float] = []
    taken: list[float] = []
    for one in late:
        begun = time.perf_counter()
        fold.apply(one)
        rows = fold.incident("INC-1").rows
        taken.append(1000 * (time.perf_counter() - begun))
        begun = time.perf_counter()
        screen.show(rows)
        shown.append(1000 * (time.perf_counter() - begun))
    found["append, fold ms"] = statistics.median(taken)
    found["append, screen ms"] = statistics.median(shown)
    found["scroll a page ms"] = median(lambda: screen.scroll(-HEIGHT))
    for text in ("glusterd", "kind:people", "host:web2"):
        wanted = read_filter(text, lambda: ())
        assert isinstance(wanted, Filter)
        fits = matcher(wanted)
        found[f"filter {text} ms"] = median(lambda fits=fits, rows=rows: [row for row in rows if fits(row)], 5)  # type: ignore[misc]
    return found


def memory(count: int) -> float:
    """MiB that a process with so many entries has, as its screen keeps them."""
    code = f"import benchmarks.timeline as t; print(t.kept({count}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=_ROOT)
    return float(done.stdout)


def kept(count: int) -> float:
    import msgspec

    fold = Fold()
    for number in range(count):
        fold.apply(msgspec.json.decode(msgspec.json.encode(entry(number)), type=Entry))
    screen = Screen()
    screen.show(fold.incident("INC-1").rows)
    return resident()


_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else MANY
    few, many = measured(FEW), measured(count)
    print(f"{'':24}{FEW:>12,}{count:>12,}{'ratio':>9}")
    for name in many:
        print(f"{name:24}{few[name]:12.3f}{many[name]:12.3f}{many[name] / max(few[name], 1e-6):9.1f}")
    ratio = many["first screen ms"] / many["bare list ms"]
    print(f"first screen / bare list {ratio:.1f} (target 3); fold {many['fold s']:.2f} s (target 2)")
    empty, full = memory(1), memory(count)
    print(f"memory {full - empty:.0f} MiB above the empty program's {empty:.0f} (target 60)")


if __name__ == "__main__":
    main()
