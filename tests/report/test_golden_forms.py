"""The other forms of the three rich incidents, byte by byte: over midnight and the end of summer time in three zones, a
drill, and 10,000 entries. After a change on purpose: UPDATE_GOLDEN=1 pytest tests/report, and read the diff."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from incident_tui.incident.settings import Person
from incident_tui.report import follow_ups, ics214, timeline_csv
from incident_tui.report.as_csv import as_csv
from incident_tui.report.as_html import page
from incident_tui.report.markdown import render
from incident_tui.report.source import Source
from incident_tui.text import redact
from tests.report.test_golden import drill, ten_thousand, three_zones

GOLDEN = Path(__file__).parent / "golden" / "forms"
RICH = {"three-zones": three_zones, "drill": drill}
PEOPLE = {
    "ana": Person(name="ana", full_name="Ana Ruiz", organisation="web team", time_zone="Europe/Madrid"),
    "bob": Person(name="bob", full_name="Bob Otieno", organisation="hosting company", time_zone="Africa/Nairobi"),
    "cem": Person(name="cem", full_name="Cem Kaya", time_zone="America/New_York"),
}


def held(name: str, made: str) -> None:
    """It is what the golden file holds, line ends included."""
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(made.encode())
    assert made.encode() == path.read_bytes()


def rows(source: Source) -> str:
    return as_csv(timeline_csv.HEAD, timeline_csv.rows(source, source.fold.incident("INC-1").rows, redact))


def log_of(source: Source, who: str) -> str:
    return ics214.ics214(source, who, ics214.activities(source, who), PEOPLE.get(who), redact)


def ends(lines: list[str], first: int, last: int) -> list[str]:
    return [*lines[:first], f"({len(lines) - first - last} more)", *lines[len(lines) - last :]]


@pytest.mark.parametrize("full", [False, True], ids=["page", "full"])
@pytest.mark.parametrize("name", RICH)
def test_the_page(name: str, full: bool, story: Any) -> None:
    RICH[name](story)
    report = render(story.source(demo=name == "drill"), full=full)
    held(f"{name}{'-full' if full else ''}.html", page(report, "INC-1"))


@pytest.mark.parametrize("name", RICH)
def test_the_rows(name: str, story: Any) -> None:
    RICH[name](story)
    source = story.source()
    held(f"{name}-timeline.csv", rows(source))
    found = follow_ups.follow_ups([source.fold.incident("INC-1")], source.handle, source.now)
    held(f"{name}-follow-ups.csv", follow_ups.to_csv(found))


@pytest.mark.parametrize("name", RICH)
def test_the_activity_logs(name: str, story: Any, well_formed: Callable[[str], Any]) -> None:
    RICH[name](story)
    source = story.source(demo=name == "drill")
    for who in ics214.responders(source):
        held(f"{name}-ics214-{who}.md", log_of(source, who))


def test_ten_thousand_entries_by_both_ends_and_counts(story: Any) -> None:
    ten_thousand(story)
    source = story.source()
    shown = page(render(source, full=True), "INC-1")
    body = shown[shown.index("<body>") :]
    tags = Counter(re.findall(r"<([a-z0-9]+)[ >]", body))
    counts = [f"{tag}: {count}" for tag, count in sorted(tags.items())]
    lines = shown.split("\n")
    held("ten-thousand.html.txt", "\n".join([*ends(lines, 120, 40), "", *counts, ""]))
    table = rows(source).split("\r\n")
    kinds = Counter(line.split('","')[6] for line in table[1:-1])
    counts = [f"{kind}: {count}" for kind, count in sorted(kinds.items())]
    held("ten-thousand-timeline.csv.txt", "\n".join([*ends(table[:-1], 8, 4), "", *counts, ""]))
    log = log_of(source, "ana").split("\n")
    held("ten-thousand-ics214-ana.md.txt", "\n".join(ends(log, 24, 8)) + "\n")
