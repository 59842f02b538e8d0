"""Numbers, follow-ups and a week over many incidents, and the forms they go out in."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from incident_tui.incident.entry import Entry, Kind, Ref
from incident_tui.incident.roster import Shift
from incident_tui.incident.state import Fold
from incident_tui.report import digest, follow_ups, stats
from incident_tui.report.as_csv import as_csv, cell
from incident_tui.report.as_html import POLICY, page
from tests.report.conftest import Story

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
HOSTILE = (
    "<script>alert(1)</script> [x](javascript:alert(1)) ![i](http://e/x.png) | @channel `a` "
    "https://user:hunter2@h/ \x1b[31m"
)


def handle(ref: Ref) -> str:
    return f"a{ref.seq}"


def incidents(story: Story) -> Any:
    fold = Fold()
    for entry in story.entries:
        fold.apply(entry)
    return fold.incidents()


def resolved(story: Story, name: str, minutes: float | None, day: float = 0, drill: bool = False) -> Entry:
    at = day * 1440
    made = story(Kind.DECLARE, at, name, incident=name, title=name, severity=2, drill=drill)
    story(Kind.MILESTONE, at, incident=name, name="started")
    if minutes is not None:
        story(Kind.MILESTONE, at + minutes, incident=name, name="resolved")
    return made


@pytest.fixture
def story() -> Story:
    return Story(MONDAY)


def test_stats_show_each_point_and_say_what_is_unknown_and_leave_out_drills(story: Story) -> None:
    for number, minutes in enumerate((10, 30, 20)):
        resolved(story, f"INC-{number}", minutes, number)
    resolved(story, "INC-open", None, 3)
    resolved(story, "INC-drill", 999, 3, drill=True)
    found = stats.stats(incidents(story), NOW, None, None)
    assert (found.incidents, found.drills_left_out, found.open) == (4, 1, 4)
    length = next(one for one in found.numbers if one.name == "time to resolve")
    assert [point.seconds for point in length.points] == [600, 1800, 1200]
    assert (length.median, length.least, length.most, length.unknown) == (1200, 600, 1800, 1)
    said = "\n".join(stats.lines(found))
    assert "time to resolve: median 20 min, 10 min to 30 min; 3 known, too few to say more than that" in said
    assert "1 drills left out" in said and "999" not in said and "No trend is shown" in said
    assert "length of the impact: median" in said and "1 still counting" in said
    assert stats.stats(incidents(story), NOW, MONDAY + timedelta(days=1), None).incidents == 3
    assert stats.lines(stats.stats([], NOW, None, None)) == ["0 incidents, 0 open"]


def left(story: Story) -> list[follow_ups.Item]:
    resolved(story, "INC-1", 10)
    story(Kind.FOLLOWUP, 5, "check the disks", owner="ana", priority="p1", due="2026-11-26", sort="detect")
    done = story(Kind.FOLLOWUP, 6, "order a disk", owner="bob", due="2026-11-25")
    story(Kind.FOLLOWUP, 1440, "ordered", ref=done, step="done")
    story(Kind.FOLLOWUP, 7, '=HYPERLINK("http://e") /close\n/assign @me', owner="bob", due="2026-12-24")
    story(Kind.FOLLOWUP, 8, "nobody's")
    return follow_ups.follow_ups(incidents(story), handle, NOW)


def test_follow_ups_stand_by_due_with_age_and_what_is_overdue(story: Story) -> None:
    items = left(story)
    assert [(one.text[:8], one.owner, one.due, one.overdue, one.age_days) for one in items] == [
        ("check th", "ana", date(2026, 11, 26), True, 4),
        ("=HYPERLI", "bob", date(2026, 12, 24), False, 4),
        ("nobody's", "", None, False, 4),
        ("order a ", "bob", date(2026, 11, 25), False, 4),
    ]
    said = follow_ups.lines(items)
    assert "OVERDUE 2026-11-26" in said[0] and "NOBODY" in said[2] and "done 2026-11-24" in said[3]


def test_a_merged_duplicate_is_counted_once(story: Story) -> None:
    resolved(story, "INC-1", 10)
    resolved(story, "INC-2", 10)
    story(Kind.FOLLOWUP, 5, "check the disks", incident="INC-2")
    story(Kind.LINK, 6, incident="INC-2", other="INC-1", how="duplicate")
    assert len(follow_ups.follow_ups(incidents(story), handle, NOW)) == 1
    assert stats.stats(incidents(story), NOW, None, None).incidents == 1


def test_in_a_spreadsheet_nothing_is_computed(story: Story) -> None:
    rows = list(csv.reader(io.StringIO(follow_ups.to_csv(left(story)))))
    assert rows[0] == list(follow_ups.HEAD) and rows[2][4].startswith("'=HYPERLINK")
    assert rows[1][rows[0].index("due")] == "2026-11-26" and rows[1][rows[0].index("overdue")] == "true"


@given(st.text(max_size=40))
def test_no_cell_begins_a_formula_and_each_comes_back(said: str) -> None:
    for lead in ("", "=", "+", "-", "@", "\t=", "\r=", " =", "＝"):
        got = cell(lead + said)
        assert got.lstrip()[:1] not in tuple("=+-@＝＋－＠|%")
        assert list(csv.reader(io.StringIO(as_csv(("a",), [(lead + said,)]), newline="")))[1] == [got]
    assert cell(-3) == "-3"


@pytest.mark.parametrize("kind", ["github", "gitlab"])
def test_an_issue_mentions_nobody_and_orders_nothing_but_its_due_date(story: Story, kind: str) -> None:
    text = follow_ups.to_issues([one for one in left(story) if one.owner == "bob" and one.done_at is None], kind)
    assert text.startswith('Title: =HYPERLINK("http://e") /close /assign @me\n')
    orders = [line for line in text.splitlines() if line.lstrip().startswith("/")]
    assert orders == (["/due 2026-12-24"] if kind == "gitlab" else [])
    assert "@me" not in text.partition("\n")[2]


def week(said: str) -> digest.Week:
    found = digest.week_of(said, NOW)
    assert found is not None
    return found


def test_which_week_is_meant() -> None:
    assert [week(said).name for said in ("", "this", "last", "2026-W01", "2026w53", "2027-01-03")] == [
        "2026-W48",
        "2026-W48",
        "2026-W47",
        "2026-W01",
        "2026-W53",
        "2026-W53",
    ]
    assert week("this").since == MONDAY and week("this").until == MONDAY + timedelta(days=7)
    assert [digest.week_of(said, NOW) for said in ("soon", "2026-W54", "2026-13-01", "W")] == [None] * 4


def made(story: Story, said: str = "this", shifts: tuple[Shift, ...] = ()) -> str:
    return digest.markdown(digest.gather(incidents(story), [], shifts, handle, week(said), NOW))


def test_a_week_has_what_happened_in_it(story: Story) -> None:
    left(story)
    resolved(story, "INC-drill", 5, 1, drill=True)
    resolved(story, "INC-before", 5, -3)
    resolved(story, "INC-year", 5, -364)
    resolved(story, "INC-after", 5, 9)
    story(Kind.LESSON, 9, "the alarm came first", sort="well")
    for number in range(5):
        story(
            Kind.OBSERVATION,
            number,
            "brick down",
            finding="gluster.brick-down",
            level="crit",
            was="ok",
            subject="b",
            host="web3",
        )
    shift = Shift(roster="first", who="dan", since=MONDAY - timedelta(days=1), until=MONDAY + timedelta(days=2))
    late = Shift(roster="first", who="eve", since=MONDAY + timedelta(days=7), until=MONDAY + timedelta(days=9))
    text = made(story, shifts=(shift, late))
    assert "The week is not over" in text and "INC-after" not in text
    assert "- INC-1, **INC-1**: SEV2, felt for 10 min, open\n" in text
    assert "INC-before, **INC-before**: SEV2, felt for 5 min, open, declared 2026-11-20" in text
    assert "## Drills\n\n- DRILL INC-drill" in text
    assert "- check the disks (ana, OVERDUE, due 2026-11-26, 4 d old, INC-1)" in text
    assert "- order a disk (bob, done 2026-11-24, 4 d old, INC-1)" in text and "1 open without a due date." in text
    assert "- first: dan, Sun 2026-11-22 00:00Z to Wed 2026-11-25 00:00Z" in text and "eve" not in text
    assert "- web3: 5 changes" in text and "- went well: the alarm came first (INC-1)" in text
    assert "- A year ago: INC-year, INC-year" in text


def test_an_incident_that_goes_on_is_felt_since_it_began(story: Story) -> None:
    story(Kind.DECLARE, 0, "x", title="x", severity=2)
    assert "**x**: SEV2, length of the impact not known, open" in made(story)
    story(Kind.MILESTONE, -10, "", name="started")
    assert "**x**: SEV2, felt since 2026-11-22 23:50Z, open" in made(story)
    story(Kind.MILESTONE, 5, "", name="recovered", unknown=True)
    assert "**x**: SEV2, length of the impact not known, open" in made(story)


def test_an_empty_week_says_so() -> None:
    text = made(Story(MONDAY), "2020-W01")
    assert "No incident in this week." in text and "None is due." in text and "other years" not in text


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in ("meta", "br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parsed(text: str) -> Tags:
    tags = Tags()
    tags.feed(text)
    tags.close()
    assert not tags.open
    return tags


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_hostile_text_is_inert_in_both_forms(said: str) -> None:
    story = Story(MONDAY)
    for text in (HOSTILE, said):
        story(Kind.DECLARE, 0, text, title=text, severity=1)
        story(Kind.LESSON, 1, text, sort="badly")
        story(Kind.FOLLOWUP, 2, text, owner="x", due="2026-11-24")
    text = made(story)
    assert "hunter2" not in text and "\x1b" not in text
    tokens = [
        token for block in MarkdownIt("gfm-like", {"linkify": False}).parse(text) for token in (block.children or [])
    ]
    assert not [token for token in tokens if token.type in ("link_open", "image", "html_inline")]
    tags = parsed(page(text, HOSTILE + said))
    names = {tag for tag, _ in tags.seen}
    assert names <= {"html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "ul", "li", "strong"}
    assert ("meta", {"http-equiv": "Content-Security-Policy", "content": POLICY}) in tags.seen
    assert not [
        name
        for _, attributes in tags.seen
        for name in attributes
        if name.startswith("on") or name in ("href", "src", "style")
    ]


def test_a_table_scrolls_by_itself_and_comments_of_ours_are_no_text() -> None:
    text = page("<!-- incident-tui report 1 x -->\n# A\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n", "A")
    assert '<div class="wide"><table>' in text and "incident-tui report 1" not in text and "style=" not in text
    assert 'name="viewport"' in text and "@media print" in text and parsed(text)


def test_html_and_links_in_markdown_that_nobody_escaped_are_text_or_stay_in_the_page() -> None:
    tags = parsed(page("<b>x</b>\n\n<script>1</script>\n\n![i](http://e/x.png) <http://e/>\n", "</title><script>"))
    assert not {tag for tag, _ in tags.seen} & {"b", "script", "img"}
