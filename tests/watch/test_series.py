"""The numbers of an incident's hours become entries of the journal, bounded, and the report draws them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from incident_tui.incident.entry import Author, Draft, Entry, Kind
from incident_tui.incident.state import Fold
from incident_tui.journal.chain import Head
from incident_tui.report.markdown import render
from incident_tui.report.source import Source
from incident_tui.watch.history import STEP, Histories
from incident_tui.watch.series import SERIES, due
from incident_tui.watch.settings import Site
from incident_tui.watch.sites import with_resolution

START = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
WATCH = Author("watch", proven=True)


def entry(number: int, kind: Kind, at: datetime, **data: object) -> Entry:
    return Entry("j", number, kind, at, at, WATCH, "x", "I-1", data=data)


def histories(hosts: int = 1, until: int = 120) -> Histories:
    made = Histories()
    for slot in range(until):
        at = START + timedelta(seconds=STEP * slot)
        for host in range(hosts):
            if slot < 20 or slot > 30:
                made.note(f"history/host/web{host}", "memory", 50 + slot / 4, at)
                made.note(f"history/host/web{host}", "running", 8 - (slot == 60), at)
    made.due(START + timedelta(seconds=STEP * until))
    return made


def test_an_hour_and_the_end_are_written_once_each() -> None:
    fold = Fold()
    fold.apply(entry(1, Kind.DECLARE, START, title="x", severity=1))
    known = histories().known
    assert due(fold.incident("I-1"), known, START + timedelta(minutes=59), WATCH) == []
    (first,) = due(fold.incident("I-1"), known, START + timedelta(minutes=61), WATCH)
    (again,) = due(fold.incident("I-1"), known, START + timedelta(minutes=70), WATCH)
    assert first.key == again.key == "series:I-1:hour-1"
    fold.apply(entry(2, Kind.STATUS, START + timedelta(minutes=80), status="resolved"))
    (end,) = due(fold.incident("I-1"), known, START + timedelta(minutes=81), WATCH)
    assert end.key == "series:I-1:end-20261123T152000"
    assert due(fold.incident("I-1"), known, START + timedelta(minutes=141), WATCH) == []


def test_it_is_bounded_and_true_and_the_report_draws_it() -> None:
    fold = Fold()
    fold.apply(entry(1, Kind.DECLARE, START, title="x", severity=1))
    now = START + timedelta(minutes=60)
    (many,) = due(fold.incident("I-1"), histories(hosts=40).known, now, WATCH)
    assert len(many.draft.data["series"]) == SERIES and "56 that changed less left out" in many.draft.text
    assert len(msgspec.json.encode(many.draft)) < 16_000
    (one,) = due(fold.incident("I-1"), histories().known, now, WATCH)
    memory, running = one.draft.data["series"]
    assert (memory["of"], memory["name"], memory["unit"]) == ("host web0", "memory", "%")
    assert memory["points"][0] == 50.2 and memory["points"][10:15] == [None] * 5
    assert min(point for point in running["points"] if point is not None) == 7
    assert one.draft.data["step"] == 60 and one.draft.data["since"] == START.isoformat()
    saved = entry(2, Kind.EVIDENCE, now, **one.draft.data)
    fold.apply(msgspec.structs.replace(saved, text=one.draft.text))
    source = Source(fold=fold, incident="I-1", head=Head("j", 2, "0" * 64), handle=lambda ref: f"a{ref.seq}", now=now)
    report = render(source, full=True)
    (line,) = [line for line in report.split("\n") if line.startswith("host web0 memory ")]
    assert line.endswith("█ 50.2 to 79.8%") and line.count("·") == 5 and "▁" in line
    assert "2026-11-23 14:00Z to 15:00Z, 60 s a sign" in report


def test_an_observation_of_a_site_says_how_exact_its_times_are() -> None:
    sites = (Site(name="s", url="https://s/", seconds=15),)
    draft = Draft(Kind.OBSERVATION, "x", START, WATCH, data={"finding": "site.down", "subject": "s"})
    assert with_resolution(draft, sites, 10.0).data == {**draft.data, "hold": 10.0, "every": 15}
    other = msgspec.structs.replace(draft, data={"finding": "host.memory", "subject": "s"})
    assert with_resolution(other, sites, 10.0) is other
