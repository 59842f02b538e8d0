"""The HTML page: its tables are what the library makes of them, its chart is drawn, its policy fits what is in it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from incident_tui.incident.entry import Kind
from incident_tui.incident.state import Fold
from incident_tui.journal.chain import Head
from incident_tui.report.as_bars import bars
from incident_tui.report.as_html import page
from incident_tui.report.markdown import render
from incident_tui.report.source import Source, Style
from tests.report.test_charts import chart_of
from tests.report.test_golden import STORIES
from tests.report.test_hostile import BASE, HOSTILE, everywhere, logs


def body(text: str) -> str:
    return text[text.index("<body>\n") + 7 : text.rindex("</body>")]


def by_the_library(markdown: str) -> str:
    """The page's body as markdown-it alone makes it."""
    reader = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable(["image", "autolink"])
    made = str(reader.render(re.sub(r"(?m)^<!-- incident-tui [^\n]*-->\n", "", markdown)))
    return re.sub(r' style="text-align:\w+"', "", made)


def plain(made: str) -> str:
    """Without what a phone needs to know of the cells."""
    made = re.sub(r'<td(?: (?:class|data-of)="[^"]*")+>', "<td>", made)
    made = made.replace('<table class="cards">', "<table>")
    return made.replace('<div class="wide"><table>', "<table>").replace("</table></div>", "</table>")


def assert_same(markdown: str) -> None:
    wanted = by_the_library(markdown)
    made = plain(body(page(markdown, "x")))
    if "```mermaid" in markdown:  # drawn: compared elsewhere
        chart = re.compile(
            r'<pre><code class="language-mermaid">[^<]*</code></pre>\n|<div class="chart">.*?</div>\n', re.S
        )
        wanted, made = chart.sub("", wanted), chart.sub("", made)
    assert made == wanted


@pytest.mark.parametrize("name", [name for name in HOSTILE if "long" not in name])
def test_hostile_rows_are_what_the_library_makes_of_them(name: str, story: Any) -> None:
    everywhere(story, HOSTILE[name])
    for full in (False, True):
        assert_same(render(story.source(), full=full))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(entries=logs(), full=st.booleans())
def test_any_rows_are_what_the_library_makes_of_them(entries: Any, full: bool) -> None:
    fold = Fold()
    for entry in entries:
        fold.apply(entry)
    head = Head("4f821eb1b677bfe9", len(entries), "9f" * 32)
    source = Source(fold=fold, incident="INC-1", head=head, handle=lambda ref: f"a{ref.seq}", now=BASE, version="1")
    assert_same(render(source, full=full))


cells = st.lists(st.text("ab|\\`*_ -:&<>[]()~!.#1\"'", max_size=8), min_size=1, max_size=5)
table_rows = cells.map(lambda row: "| " + " | ".join(row) + " |")
odd = st.sampled_from(
    ["", "|---|---|---|---|", "|---|---|", "| a | b |", "```", "- x", "> y", "    |a|", "x", "|a|b", "---"]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.one_of(odd, odd, table_rows), max_size=12))
def test_tables_that_are_none_are_what_the_library_makes_of_them(lines: list[str]) -> None:
    assert_same("\n".join(lines) + "\n")


@pytest.mark.parametrize("name", STORIES)
def test_the_chart_is_drawn_with_each_of_its_rows(name: str, story: Any) -> None:
    STORIES[name](story)
    markdown = render(story.source(), full=True)
    chart = chart_of(markdown)
    made = bars(chart)
    names = re.findall(r"(?m)^    (.+?) :", chart)
    assert [said.rpartition(", ")[0] for said in re.findall(r"(?m)^<p>(.*, .*)</p>$", made)] == names
    assert re.findall(r"<h3>(.*)</h3>", made) == re.findall(r"(?m)^    section (.*)$", chart)
    drawn = re.findall(r'x="([\d.]+)%" width="([\d.]+)%"', made)
    assert len(drawn) == len(names)
    assert all(float(place) >= 0 and float(place) + float(width) <= 100.01 for place, width in drawn)
    shown = page(markdown, "x")
    assert made in shown and "language-mermaid" not in shown


def test_a_bar_lies_where_its_time_is() -> None:
    head = (
        "gantt\n    dateFormat YYYY-MM-DDTHH:mm:ss\n    axisFormat %H:%M\n    todayMarker off\n    section severity\n"
    )
    made = bars(
        f"{head}    SEV2 :2026-11-23T14:00:00, 2026-11-23T15:00:00\n"
        "    SEV1 :2026-11-23T15:00:00, 2026-11-24T00:00:00\n    x :milestone, 2026-11-23T19:00:00, 0s"
    )
    assert re.findall(r'x="([\d.]+)%" width="([\d.]+)%"', made) == [
        ("0.00", "10.00"),
        ("10.00", "90.00"),
        ("50.00", "0.60"),
    ]
    assert "<p>SEV1, 11-23 15:00 to 11-24 00:00</p>" in made and "<p>x, 11-23 19:00</p>" in made


@pytest.mark.parametrize(
    "chart",
    [
        "",
        "graph TD\n a-->b",
        "gantt\n    dateFormat YYYY-MM-DDTHH:mm:ss\n    x :milestone, 2026-99-99T99:99:99, 0s",
        "gantt",
    ],
)
def test_a_chart_of_somebody_else_stays_text(chart: str) -> None:
    shown = page(f"```mermaid\n{chart}\n```\n", "x")
    assert "<rect " not in shown and "language-mermaid" in shown


def test_a_table_that_a_team_wrote_loses_no_row(story: Any) -> None:
    shown = body(page("| a | b | c | d |\n|---|:--|---|--:|\n| 1 | x \\| y | `z` | **w** |\n| 2 |\n|3|4|5|6|7|\n", "x"))
    assert re.findall(r"<td[^>]*>(.*)</td>", shown) == [
        "1",
        "x | y",
        "<code>z</code>",
        "<strong>w</strong>",
        "2",
        "",
        "",
        "",
        *"3456",
    ]
    assert 'data-of="b"' in shown and "style=" not in shown


def test_the_performance_page_says_what_was_not_recorded(story: Any) -> None:
    story.declare()
    story(Kind.NOTE, 1, "slow")
    report = render(story.source(), style=Style(template="performance"))
    sections = [one.strip() for one in re.split(r"(?m)^## .*$|^<!-- .* -->$", report)]
    for nothing in (
        "No numbers were",
        "No site was",
        "No change was",
        "No hypothesis was",
        "No command was",
        "No evidence",
    ):
        assert any(one.startswith(nothing) for one in sections), nothing
