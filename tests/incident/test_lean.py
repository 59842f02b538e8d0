"""Kept entries share what is equal, and stay what they were."""

from __future__ import annotations

from datetime import UTC

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from incident_tui.incident.entry import Author, Entry, Kind
from incident_tui.incident.lean import Lean

VALUES = st.one_of(st.text(max_size=3), st.integers(0, 2), st.booleans(), st.just(1.0), st.lists(st.text(max_size=2)))
TIMES = st.datetimes(timezones=st.just(UTC))
ENTRIES = st.builds(
    Entry,
    journal=st.sampled_from(["j1", "j2"]),
    seq=st.integers(1, 5),
    kind=st.sampled_from(Kind),
    at=TIMES,
    recorded_at=TIMES,
    author=st.builds(Author, name=st.sampled_from(["ana", "bob"]), uid=st.integers(0, 1), proven=st.booleans()),
    text=st.text(max_size=5),
    data=st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES, max_size=3),
)


@given(st.lists(ENTRIES, max_size=30))
def test_a_lean_entry_is_the_entry(entries: list[Entry]) -> None:
    lean = Lean()
    for entry in entries:
        # As JSON: 1, 1.0 and true are equal to Python, and different things in a journal.
        assert msgspec.json.encode(lean.entry(entry)) == msgspec.json.encode(entry)


def test_equal_parts_are_one_object() -> None:
    def entry(seq: int) -> Entry:
        body = b'{"journal":"j","seq":%d,"kind":"observation","author":{"name":"watch"},'
        body += b'"at":"2026-11-23T03:10:00Z","recorded_at":"2026-11-23T03:10:00Z",'
        body += b'"data":{"finding":"disk.full","level":"crit"}}'
        return msgspec.json.decode(body % seq, type=Entry)

    lean = Lean()
    one, other = lean.entry(entry(1)), lean.entry(entry(2))
    assert one.author is other.author and one.data is other.data and one.journal is other.journal
    assert one.recorded_at is one.at
