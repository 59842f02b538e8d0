"""Lines of block characters, the Mermaid chart, and how long each site failed."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from incident_tui.incident.entry import Kind
from incident_tui.report.charts import spark
from incident_tui.report.facts import gather
from incident_tui.report.markdown import render
from tests.report.test_hostile import HOSTILE

BAR = re.compile(
    r"    [\w ./()+-]+ :(?:milestone, )?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d, (?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d|0s)"
)


def chart_of(report: str) -> str:
    """The Mermaid chart of a report."""
    chart = report[report.index("```mermaid\n") + 11 :]
    return chart[: chart.index("\n```")]


@pytest.mark.parametrize(
    ("points", "line"),
    [((), ""), ((1, 1), "▁▁"), ((0, 7), "▁█"), ((0, None, 3.5, 7), "▁·▅█"), ((None,), "·"), ((-1, 0, 1), "▁▅█")],
)
def test_a_line(points: tuple[float | None, ...], line: str) -> None:
    assert spark(points) == line


def test_minutes_each_site_was_failing(story: Any) -> None:
    story.declare()
    story.observe(0, "site.down", "a.example", "crit", "502", hold=10, every=15)
    story.observe(4, "site.down", "a.example", "ok", "well")
    story.observe(5, "site.slow", "a.example", "warn", "slow")
    story.observe(6, "site.down", "a.example", "crit", "502")
    story.observe(9, "site.down", "a.example", "unknown", "not asked")
    story.observe(11, "site.down", "a.example", "ok", "well")
    story.observe(12, "site.slow", "a.example", "ok", "well")
    story.observe(20, "site.down", "b.example", "crit", "502")
    story(Kind.NOTE, 30, "end")
    first, second = gather(story.source(), full=True).sites
    assert (first.failing, first.slow, first.unknown) == tuple(timedelta(minutes=one) for one in (7, 2, 2))
    assert (first.spells, first.failing_now) == (2, False)
    assert (first.every, first.hold) == (timedelta(seconds=15), timedelta(seconds=10))
    assert (second.failing, second.failing_now, second.hold) == (timedelta(minutes=10), True, None)
    report = render(story.source())
    assert "| a.example | 7 min | 2 | 2 min | 2 min | checked each 15 s, changes shorter than 10 s not seen |" in report
    assert "| b.example | 10 min so far | 1 | 0 s | 0 s | interval not recorded, shortest" in report


@pytest.mark.parametrize("name", [name for name in HOSTILE if "long" not in name])
def test_hostile_names_stay_names_in_the_chart(name: str, story: Any) -> None:
    said = HOSTILE[name]
    story.declare(said)
    story(Kind.ROLE, 1, "", role="commander", step="claim", who=said, by=said)
    story(Kind.STATUS, 2, "", status=said)
    story.observe(3, "site.down", said, "crit", said)
    story.observe(3, "x", f"click {said}\nclick a href b; %% c # d: e", "crit", said)
    story(Kind.MILESTONE, 4, "", name="started")
    report = render(story.source(), full=True)
    lines = chart_of(report).split("\n")
    assert lines[0] == "gantt"
    for line in lines[4:]:
        assert BAR.fullmatch(line) or re.fullmatch(r"    section [a-z]+", line), line
    assert not any(line.strip().startswith(("click", "%%", "section ;")) for line in lines[4:])


@pytest.mark.parametrize("series", [None, "x", [1], [{}], [{"points": "x"}], [{"points": [None]}], [{"points": [{}]}]])
def test_damaged_series_are_no_chart(series: Any, story: Any) -> None:
    story.declare()
    story(Kind.EVIDENCE, 1, "x", since="2026-11-23T14:00:00+00:00", step=60, series=series)
    assert gather(story.source(), full=True).charts == ()
