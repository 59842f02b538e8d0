"""A duplicate that was merged is seen in the other incident, in any order of arrival, until it is taken back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from incident_tui.incident.entry import Author, Entry, Kind, Ref
from incident_tui.incident.state import Fold

START = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


def folded(entries: list[Entry]) -> Fold:
    fold = Fold()
    for entry in entries:
        fold.apply(entry)
    return fold


def pair(make: Any) -> list[Entry]:
    return [
        make(Kind.DECLARE, 0, "gv0 split-brain", incident="I", title="gv0 split-brain", severity=2),
        make(Kind.OBSERVATION, -20, "brick down", incident=""),
        make(Kind.DECLARE, 5, "sites slow", incident="D", title="sites slow", severity=1, by="bob"),
        make(Kind.TASK, 6, "look at the load", incident="D", step="assigned", who="dan", minutes=5),
        make(Kind.NOTE, 7, "502 on two sites", incident="D"),
        make(Kind.NOTE, 8, "gv0 it is", incident="I"),
        make(Kind.OBSERVATION, -58, "swap", incident=""),
    ]


def test_the_rows_and_the_work_of_a_duplicate_are_seen_in_the_other(make: Any) -> None:
    merged = [*pair(make), make(Kind.LINK, 9, "same", incident="D", other="I", how="duplicate")]
    incident = folded(merged).incident("I")
    assert [(row.said, row.origin) for row in incident.rows] == [
        ("swap", ""),
        ("brick down", ""),
        ("gv0 split-brain", ""),
        ("sites slow", "D"),
        ("look at the load", "D"),
        ("502 on two sites", "D"),
        ("gv0 it is", ""),
        ("same", "D"),
    ]
    assert [task.who for task in incident.tasks] == ["dan"] and incident.absorbed == ("D",)


def test_who_commands_and_how_bad_it_is_is_said_by_the_incident_itself(make: Any) -> None:
    merged = [*pair(make), make(Kind.LINK, 9, incident="D", other="I", how="duplicate")]
    merged.append(make(Kind.MILESTONE, 10, incident="D", name="closed"))
    incident = folded(merged).incident("I")
    assert (incident.commander, incident.severity, incident.title) == ("ana", 2, "gv0 split-brain")
    assert incident.open and incident.links == ()


def test_a_merge_that_is_taken_back_or_struck_leaves_nothing(make: Any) -> None:
    entries = pair(make)
    link = make(Kind.LINK, 9, incident="D", other="I", how="duplicate")
    before = folded(entries).incident("I")
    for back in (
        make(Kind.LINK, 10, incident="D", other="I", how="none"),
        make(Kind.STRIKE, 10, incident="D", ref=link, step="strike"),
        make(Kind.PURGE, 10, incident="D", ref=link, kind="link"),
    ):
        fold = folded([*entries, link])
        assert fold.incident("I").absorbed == ("D",)
        fold.apply(back)
        assert fold.incident("I") == before


def test_duplicates_of_duplicates_and_circles(make: Any) -> None:
    entries = [*pair(make), make(Kind.DECLARE, 6, "again", incident="E", title="again")]
    entries.append(make(Kind.LINK, 9, incident="E", other="D", how="duplicate"))
    entries.append(make(Kind.LINK, 9, incident="D", other="I", how="duplicate"))
    assert folded(entries).incident("I").absorbed == ("D", "E")
    entries.append(make(Kind.LINK, 10, incident="I", other="E", how="duplicate"))
    fold = folded(entries)
    assert fold.incident("I").absorbed == ("D", "E") and fold.incident("E").absorbed == ("D", "I")


def test_what_was_corrected_in_the_duplicate_is_corrected_here(make: Any) -> None:
    entries = pair(make)
    fold = folded([*entries, make(Kind.LINK, 9, incident="D", other="I", how="duplicate")])
    assert fold.incident("I").corrections == 0
    fold.apply(make(Kind.AMEND, 11, incident="D", ref=entries[4], text="503 on two sites"))
    incident = fold.incident("I")
    assert "503 on two sites" in [row.said for row in incident.rows] and incident.corrections == 1


def test_what_comes_after_it_was_read_stands_where_it_belongs(make: Any) -> None:
    entries = [*pair(make), make(Kind.LINK, 20, incident="D", other="I", how="duplicate")]
    fold = folded(entries)
    fold.incident("I")
    for late in (
        make(Kind.NOTE, 15, "before the last of the duplicate", incident="I"),
        make(Kind.NOTE, 25, "after all of it", incident="I"),
        make(Kind.OBSERVATION, 26, "in both stretches", incident=""),
        make(Kind.TASK, 27, "more", incident="I", step="assigned", who="eve", minutes=5),
        make(Kind.MILESTONE, 28, incident="I", name="closed"),
        make(Kind.OBSERVATION, 35, "in the duplicate alone", incident=""),
        make(Kind.ACTION, 30, "open again, so that it is in both", incident="I"),
    ):
        entries.append(late)
        fold.apply(late)
        assert fold.incident("I") == folded(entries).incident("I")
    assert [task.who for task in fold.incident("I").tasks] == ["dan", "eve"]


_DATA: dict[Kind, list[dict[str, Any]]] = {
    Kind.NOTE: [{}],
    Kind.DECLARE: [{"title": "t", "severity": 2, "attach_minutes": 2}],
    Kind.LINK: [{"other": other, "how": how} for other in "IDE" for how in ("duplicate", "none", "related")],
    Kind.MILESTONE: [{"name": "closed"}],
    Kind.TASK: [{"step": "assigned", "who": "a", "minutes": 2}, {"step": "done"}],
    Kind.AMEND: [{"text": "z"}, {"at": "2026-11-23T14:03:00+00:00"}],
    Kind.STRIKE: [{"step": "strike"}, {"step": "restore"}],
    Kind.PURGE: [{"kind": "note"}],
    Kind.OBSERVATION: [{"finding": "gluster.brick-down", "level": "crit"}],
}


@st.composite
def histories(draw: st.DrawFn) -> list[Entry]:
    count = draw(st.integers(1, 14))
    return [
        Entry(
            journal=draw(st.sampled_from("jk")),
            seq=seq,
            kind=(kind := draw(st.sampled_from(sorted(_DATA)))),
            at=START + timedelta(minutes=draw(st.integers(-3, 9))),
            recorded_at=START + timedelta(minutes=draw(st.integers(0, 9))),
            author=Author(draw(st.sampled_from("ab"))),
            text=draw(st.sampled_from(["", "x"])),
            incident=draw(st.sampled_from(["I", "D", "E", ""])),
            data=draw(st.sampled_from(_DATA[kind])),
            ref=draw(st.none() | st.builds(Ref, st.sampled_from("jk"), st.integers(1, count))),
        )
        for seq in range(1, count + 1)
    ]


@settings(max_examples=300)
@given(histories(), st.randoms(use_true_random=False), st.data())
def test_any_order_of_arrival_gives_the_same(entries: list[Entry], random: Any, data: st.DataObject) -> None:
    whole = folded(entries)
    shuffled = list(entries)
    random.shuffle(shuffled)
    fold = Fold()
    for entry in shuffled:
        fold.apply(entry)
        if data.draw(st.booleans()):
            fold.incident(data.draw(st.sampled_from("IDE")))  # what was read on the way must not show
    for name in "IDE":
        incident = fold.incident(name)
        assert incident == whole.incident(name)
        refs = [row.ref for row in incident.rows]
        assert len(set(refs)) == len(refs)
        assert [row.order for row in incident.rows] == sorted(row.order for row in incident.rows)
        assert {row.origin for row in incident.rows} <= {"", *incident.absorbed}
