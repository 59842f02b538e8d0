"""Folded runs, the sieve of a filter, and what both do while rows come."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_tui.incident.entry import Author, Entry, Kind
from incident_tui.incident.filter import Filter, matcher, read_filter
from incident_tui.incident.views import TimelineRow
from incident_tui.ui import folded
from incident_tui.ui.folded import Folds, Item, Run
from incident_tui.ui.lines import plain
from incident_tui.ui.listing import Listing, Sieve
from incident_tui.ui.timeline import Context, run_lines
from incident_tui.ui.window import Window

START = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


def row(
    number: int, level: str = "", host: str = "web2", rule: str = "a", text: str = "", by: str = "bob"
) -> TimelineRow:
    """A row at so many seconds; without a level, a note."""
    at = START + timedelta(seconds=number)
    data = {"level": level, "host": host, "finding": rule, "subject": host} if level else {}
    entry = Entry(
        journal="0123456789abcdef",
        seq=number + 1,
        kind=Kind.OBSERVATION if level else Kind.NOTE,
        at=at,
        recorded_at=at,
        author=Author("watch" if level else by),
        text=text or f"row {number}",
        data=data,
    )
    return TimelineRow(entry=entry, at=at, text=entry.text, word=(level or "note").upper(), said=entry.text)


def flat(items: Sequence[Item]) -> list[TimelineRow]:
    """All rows, folded or not, in order."""
    rows = [one for item in items for one in (item.rows if isinstance(item, Run) else (item,))]
    return sorted(rows, key=lambda one: one.order)


def shape(rows: Sequence[TimelineRow], folds: Folds | None = None) -> list[int | tuple[int, ...]]:
    """What is shown: an entry's number, or the numbers of a run."""
    folds = folds or Folds()
    folds.feed(rows, still=False)
    return [tuple(row.ref.seq for row in one.rows) if isinstance(one, Run) else one.ref.seq for one in folds.items]


def test_a_run_keeps_what_it_leaves_critical_and_is_broken_by_people() -> None:
    levels = ["warn", "crit", "ok", "ok", "crit", "warn", "ok"]
    rows = [row(number, level) for number, level in enumerate(levels)]
    rows += [row(7), *(row(number, "ok") for number in range(8, 13)), row(13, "crit"), *map(row, range(14, 18))]
    folds = Folds()
    assert shape(rows, folds) == [(1, 2, 3, 4, 5, 6, 7), 8, (9, 10, 11, 12, 13), 14, 15, 16, 17, 18]
    run = folds.items[0]
    assert isinstance(run, Run)
    assert plain(run_lines(run, Context(68))) == "    + 14:00:00 7 more from web2: 2 crit (over), 2 warn, 3 ok"
    folds.open(run)
    assert [item.ref.seq for item in folds.items[:8]] == [1, 2, 3, 4, 5, 6, 7, 8]
    folds.close()
    assert folds.items[0] == run


def test_unknown_and_alerts_stay_and_each_finding_has_a_last_word_of_its_own() -> None:
    rows = [
        row(0, "crit", rule="down"),
        row(1, "crit", rule="oom"),
        row(2, "unknown", rule="heals"),
        row(3, "warn", rule="load"),
        row(4, "warn", rule="oom"),
        row(5, "warn", rule="disk"),
        row(6, "ok", rule="load"),
    ]
    alert = msgspec.structs.replace(rows[5], entry=msgspec.structs.replace(rows[5].entry, kind=Kind.ALERT))
    assert shape([*rows, *map(row, range(7, 11))]) == [1, (2, 4, 5, 6, 7), 3, 8, 9, 10, 11]
    assert shape([*rows[:5], alert, rows[6], *map(row, range(7, 11))]) == [1, (2, 4, 5, 7), 3, 6, 8, 9, 10, 11]
    assert shape([*rows[:3], *map(row, range(7, 11))]) == [1, 2, 3, 8, 9, 10, 11], "nothing of it may fold"


def test_a_run_names_its_hosts_and_few_rows_do_not_fold() -> None:
    rows = [row(number, "ok", host=("web1", "web2", "web3", "gv0")[number % 4 % 3]) for number in range(12)]
    folds = Folds()
    assert shape([*rows, *map(row, range(12, 16))], folds)[0] == tuple(range(1, 13))
    run = folds.items[0]
    assert isinstance(run, Run)
    assert plain(run_lines(run, Context(80))) == "    + 14:00:00 12 more from web1, web2, web3: 12 ok"
    other = Run((*run.rows, row(12, "warn", host="gv0"), row(13, "unknown", host="gv1")))
    assert "14 more from web1, web2, web3 +2: 1 unknown (over), 1 warn, 12 ok" in plain(run_lines(other, Context(99)))
    assert shape([*rows[:1], *map(row, range(12, 16))])[0] == 1


def test_nothing_folds_away_while_somebody_reads() -> None:
    rows = [row(number, "ok") for number in range(60)]
    listing, window = Listing(), Window()

    def feed(count: int) -> None:
        listing.feed(rows[:count], still=not window.follow)
        window.feed(listing.items, {}, Context(48))

    feed(5)
    window.lines(4)
    window.scroll(-1)
    before = plain(window.lines(4))
    for count in range(6, 60):
        feed(count)
        assert plain(window.lines(4)) == before
    assert window.below == 54
    window.to_end()
    feed(60)
    assert plain(window.lines(4)).split("\n")[-1].endswith("row 59")
    assert any(isinstance(item, Run) for item in listing.items)


@given(st.integers(0, 10_000))
def test_whatever_comes_the_items_are_those_of_a_fresh_fold(seed: int) -> None:
    """Appended, late, changed and taken out rows, in any order; nothing is ever lost from view."""
    chance = random.Random(seed)
    before, folded.SLICE = folded.SLICE, 30  # type: ignore[misc]
    try:
        rows: list[TimelineRow] = []
        folds, sieve = Folds(), Sieve(Filter(words=("row 1",)))
        spare = [
            row(number * 97 % 9_000, chance.choice(["", "ok", "ok", "ok", "warn", "crit"])) for number in range(200)
        ]
        for _ in range(25):
            for _ in range(chance.choice([0, 1, 1, 8, 40])):
                if spare:
                    rows.append(spare.pop())
            if rows and chance.random() < 0.3:
                at = chance.randrange(len(rows))
                rows[at] = msgspec.structs.replace(rows[at], pinned=True)
            if rows and chance.random() < 0.2:
                rows.pop(chance.randrange(len(rows)))
            rows.sort(key=lambda one: one.order)
            now = list(rows)
            folds.feed(now, still=chance.random() < 0.4)
            sieve.feed(now)
            if chance.random() < 0.3:
                folds.step()
            assert flat(folds.items) == now
            assert sieve.found == [one for one in now if sieve.fits(one)]
        folds.feed(rows, still=False)
        while folds.step():
            pass
        fresh = Folds()
        fresh.feed(rows, still=False)
        while fresh.step():
            pass
        assert folds.items == fresh.items
    finally:
        folded.SLICE = before  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "fitting"),
    [
        ("", [0, 1, 2, 3, 4]),
        ("kind:people", [0, 3, 4]),
        ("kind:machine", [1, 2]),
        ("kind:crit", [1]),
        ("kind:note by:ana", [4]),
        ("by:ana by:bob kind:people", [0, 3, 4]),
        ("host:web2", [1, 3]),
        ("HOST:Web1 slow", [2]),
        ("brick down", [1]),
        ("brick nothing", []),
    ],
)
def test_what_fits(text: str, fitting: list[int]) -> None:
    rows = [
        row(0, text="looked at web22"),
        row(1, "crit", text="Brick web2:/b/gv0 is down"),
        row(2, "warn", host="web1", text="slow"),
        row(3, text="restarted web2."),
        row(4, by="ana"),
    ]
    wanted = read_filter(text, lambda: ("Ana", "bob"))
    assert isinstance(wanted, Filter)
    assert [number for number, one in enumerate(rows) if matcher(wanted)(one)] == fitting
    assert read_filter(str(wanted), lambda: ("Ana", "bob")) == wanted


@given(st.text())
def test_any_text_is_a_filter_or_a_sentence(text: str) -> None:
    made: Any = read_filter(text, lambda: ("ana",))
    assert (isinstance(made, str) and made) or isinstance(made, Filter)
