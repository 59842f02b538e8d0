"""Which incident is in force: asking about each new entry gives what a whole fold gives."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from incident_tui.incident.entry import Author, Entry, Kind, Ref
from incident_tui.incident.in_force import InForce, find, keeps
from incident_tui.incident.state import Fold

START = datetime.fromisoformat("2026-11-23T14:00:00+00:00")
DECIDING = [Kind.DECLARE, Kind.MILESTONE, Kind.ACTION, Kind.STATUS, Kind.TASK, Kind.AMEND, Kind.STRIKE, Kind.PURGE]
DATA: dict[Kind, list[dict[str, Any]]] = {
    Kind.DECLARE: [{"title": "t"}],
    Kind.MILESTONE: [{"name": "closed"}, {"name": "closed", "unknown": True}, {"name": "detected"}],
    Kind.STATUS: [{"status": "resolved"}, {"status": "mitigating"}, {"status": "stood down"}],
    Kind.TASK: [{"step": "assigned", "who": "a"}, {"step": "acked"}],
    Kind.AMEND: [{"at": "2026-11-23T14:01:00+00:00"}, {"text": "x"}],
    Kind.STRIKE: [{"step": "strike"}, {"step": "restore"}],
}


def entry(seq: int, kind: Kind, at: int, incident: str = "I", ref: int | None = None, /, **data: Any) -> Entry:
    return Entry(
        journal="j",
        seq=seq,
        kind=kind,
        at=START + timedelta(minutes=at),
        recorded_at=START + timedelta(minutes=seq),
        author=Author("a"),
        incident=incident,
        data=data,
        ref=None if ref is None else Ref("j", ref),
    )


@st.composite
def histories(draw: st.DrawFn) -> list[Entry]:
    entries = []
    for seq in range(1, draw(st.integers(1, 14)) + 1):
        kind = draw(st.sampled_from(DECIDING) | st.sampled_from(sorted(Kind)))
        at, incident = draw(st.integers(0, 4)), draw(st.sampled_from(["I", "I", "J", ""]))
        ref = draw(st.none() | st.integers(1, seq))  # in one journal, what an entry is about was there before
        entries.append(entry(seq, kind, at, incident, ref, **draw(st.sampled_from(DATA.get(kind, [{}])))))
    return entries


# Closed twice, reopened at the very time of the second close: work backdated between the two closes it again.
TIES = [
    entry(1, Kind.DECLARE, 0, title="t"),
    entry(2, Kind.MILESTONE, 1, name="closed"),
    entry(3, Kind.MILESTONE, 3, name="closed"),
    entry(4, Kind.ACTION, 3),
    entry(5, Kind.ACTION, 2),
]


@settings(max_examples=400)
@example(TIES)
@given(histories())
def test_what_is_kept_is_what_a_fold_finds(entries: list[Entry]) -> None:
    fold = Fold()
    found = InForce()
    for one in entries:
        fold.apply(one)
        if not keeps(found, one, fold.get):
            found = find(fold)
        assert found.incident == find(fold).incident


def test_a_note_and_work_on_the_running_incident_need_no_fold() -> None:
    running, known = InForce("I"), dict[Ref, Entry]()
    for kind in (Kind.NOTE, Kind.ACTION, Kind.RESULT, Kind.OBSERVATION, Kind.UPDATE, Kind.PIN):
        one = entry(2, kind, 1)
        known[one.id] = one
        assert keeps(running, one, known.get)
        assert keeps(running, entry(3, Kind.AMEND, 1, "I", 2), known.get)
    assert not keeps(running, entry(4, Kind.AMEND, 1, "I", 3), known.get)
    assert not keeps(running, entry(4, Kind.ACTION, 1, "closed one"), known.get)
    assert not keeps(InForce("I", never_closed=False), entry(4, Kind.ACTION, 1), known.get)
