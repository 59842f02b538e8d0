"""What a report says, and that it is true."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from incident_tui.incident.entry import MILESTONES, Kind, Ref, Seen
from incident_tui.incident.metrics import metrics
from incident_tui.incident.views import Incident
from incident_tui.report.as_json import FIELDS, to_json
from incident_tui.report.escape import span
from incident_tui.report.markdown import render
from incident_tui.report.sections import SECTIONS
from incident_tui.report.template import TEMPLATES
from tests.report.conftest import bare

LATER = datetime(2030, 1, 1, tzinfo=UTC)


def rows(report: str, handle: str) -> list[str]:
    """The timeline's rows of an entry."""
    return [line for line in report.split("\n") if re.match(rf"\| [0-9:]{{8}} \| {handle} \|", line)]


def test_backdated_entry_keeps_its_time_and_place(story: Any) -> None:
    """Peer bug 1: exports that print and sort by when an entry was made."""
    story.declare()
    story(Kind.ACTION, 5, "second")
    story(Kind.ACTION, 2, "first", recorded=60)
    report = render(story.source())
    (row,) = rows(report, "a3")
    assert row.startswith("| 14:02:00 | a3 | ana | ACTION | first ")
    assert "late: recorded 2026-11-23 15:00:00Z, 58 min later" in row
    assert report.index(row) < report.index(rows(report, "a2")[0])


def test_rows_of_a_merged_duplicate_say_where_they_come_from(story: Any) -> None:
    story.declare()
    story(Kind.NOTE, 2, "502 on two sites", incident="INC-other")
    assert "502 on two sites" not in render(story.source())
    story(Kind.LINK, 3, "the same", incident="INC-other", other="INC-1", how="duplicate")
    (row,) = rows(render(story.source()), "a2")
    assert row.endswith("NOTE | 502 on two sites _(from INC-other)_ |")
    exported = msgspec.json.decode(to_json(story.source()))
    assert [line["origin"] for line in exported["timeline"]] == ["", "INC-other", "INC-other"]


def test_durations_over_a_day_do_not_wrap(story: Any) -> None:
    """Peer bug 2: timedelta.seconds, and durations that run until somebody exports."""
    story(Kind.MILESTONE, 0, name="started")
    story.declare(at=0)
    story(Kind.STATUS, 26 * 60 + 11, status="resolved")
    report = render(story.source(now=LATER))
    assert "| time to resolve | 1 d 2 h 11 min | resolved - started |" in report
    assert "2030" not in report.replace(next(line for line in report.split("\n") if line.startswith("Generated")), "")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (86_399, "23 h 59 min 59 s"),
        (86_400, "1 d"),
        (400 * 86_400 + 1, "400 d 1 s"),
        (-90, "-1 min 30 s"),
    ],
)
def test_span(seconds: float, said: str) -> None:
    assert span(timedelta(seconds=seconds)) == said


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("running", [False, True])
def test_two_exports_differ_in_one_line(story: Any, full: bool, running: bool) -> None:
    story(Kind.MILESTONE, -5, name="started")
    story.declare()
    story(Kind.TASK, 1, "look", step="assigned", who="bob", minutes=5)
    story(Kind.UPDATE, 2, "", step="promised", audience="public", next="2026-11-23T14:20:00+00:00")
    story(Kind.HOLD, 3, "", target="web3", step="hold", minutes=30)
    if not running:
        story(Kind.STATUS, 10, status="resolved")
        story(Kind.MILESTONE, 11, name="closed")
    one, two = (render(story.source(now=now), full=full).split("\n") for now in (story.start, LATER))
    different = [(a, b) for a, b in zip(one, two, strict=True) if a != b]
    assert different == [
        (
            "Generated at 2026-11-23 14:00:00Z by incident-tui 0.1.0.",
            "Generated at 2030-01-01 00:00:00Z by incident-tui 0.1.0.",
        )
    ]
    first, second = (msgspec.json.decode(to_json(story.source(now=now))) for now in (story.start, LATER))
    assert first.pop("generated_at") != second.pop("generated_at")
    assert first == second


def test_what_still_runs_is_counted_until_the_last_entry(story: Any) -> None:
    story.declare()
    story(Kind.NOTE, 25, "still looking")
    report = render(story.source(now=LATER))
    assert "| time in SEV2 | 25 min so far | sum of its stretches, until now |" in report
    assert '"So far" and "now" mean: until the last entry was recorded, 2026-11-23 14:25:00Z.' in report


def test_every_metric_is_there_as_the_one_function_says(story: Any) -> None:
    story(Kind.MILESTONE, -5, name="started")
    story.declare()
    story(Kind.STATUS, 30, status="resolved")
    source = story.source()
    report = render(source)
    found = metrics(source.fold.incident("INC-1"), LATER)
    assert len(found) >= 9
    for metric in found:
        said = f"unknown: {metric.why_unknown}" if metric.value is None else span(metric.value)
        assert f"| {metric.name} | {said} | {metric.formula} |" in report


def test_marks(story: Any) -> None:
    story.declare()
    note = story(Kind.NOTE, 1, "old words", by="bob", proven=False)
    story(Kind.AMEND, 2, "", ref=note, text="new words")
    gone = story(Kind.NOTE, 3, "wrong incident")
    story(Kind.STRIKE, 4, "not ours", ref=gone, step="strike", by="dan")
    back = story(Kind.NOTE, 5, "struck by mistake")
    story(Kind.STRIKE, 6, "", ref=back, step="strike")
    story(Kind.STRIKE, 7, "", ref=back, step="restore")
    story.purge(story(Kind.NOTE, 8, "hunter2"), 9)
    delivered = story(Kind.UPDATE, 10, "working on it", step="posted", audience="public")
    report = render(story.source(deliveries={delivered.id: "sent chat 14:10:02Z"}))
    assert '| bob? | NOTE | new words _(amended 2026-11-23 14:02:00Z by ana, a3; before: "old words")_ |' in report
    assert "| ~~wrong incident~~ _(struck 2026-11-23 14:04:00Z by dan, a5: not ours)_ |" in report
    assert "| NOTE | struck by mistake |" in report
    assert "hunter2" not in report + to_json(story.source())
    assert "working on it _(sent chat 14:10:02Z)_ |" in report
    assert "- 11 entries, a1 to a11: 1 struck, 1 amended, 1 purged, 0 late, 1 under a claimed name," in report


def test_two_times_where_it_was_recorded_after_it_happened(story: Any) -> None:
    story.declare()
    story(Kind.NOTE, 1, "at once", recorded=1.5)
    story(Kind.NOTE, 2, "five minutes later", recorded=7)
    story(Kind.NOTE, 3, "much later", recorded=20)
    report = render(story.source())
    assert "| NOTE | at once |" in report
    assert "| 14:02:00 | a3 | ana | NOTE | five minutes later _(recorded 14:07:00Z)_ |" in report
    assert "much later _(late: recorded 2026-11-23 14:20:00Z, 17 min later)_ |" in report


def test_a_line_at_each_date_and_at_each_gap(story: Any, well_formed: Callable[[str], Any]) -> None:
    story.declare(at=595)
    story(Kind.NOTE, 599, "before midnight")
    story(Kind.NOTE, 601, "after midnight")
    story(Kind.NOTE, 616, "a quarter of an hour later")
    report = render(story.source())
    parsed = well_formed(report)
    assert [line for line in report.split("\n") if line.endswith("UTC**")] == [
        "**2026-11-23 UTC**",
        "**2026-11-24 UTC**",
    ]
    assert ["", "", "", "", "15 min with no entry"] in parsed.tables[-1]


def test_housekeeping_is_left_out_of_the_page_and_counted(story: Any) -> None:
    story.declare()
    story(Kind.PRESENCE, 1, "", by="bob", step="joined")
    story(Kind.LEASE, 2, "bastion", by="watch", epoch=1)
    page, full = render(story.source()), render(story.source(), full=True)
    assert not rows(page, "a2") and not rows(page, "a3")
    assert "Left out here: 1 lease, 1 presence; the full report has them." in page
    assert rows(full, "a2") and rows(full, "a3")
    assert "- Left out of the timeline: none;" in full


def test_what_the_board_said(story: Any) -> None:
    story.observe(-2, "gluster.brick-down", "gv0/b1", "crit", "brick b1 is down")
    declared = story.declare()
    story.entries[declared.seq - 1] = msgspec.structs.replace(declared, seen=Seen("X gv0 bricks 2/3", 65))
    story.observe(3, "site.down", "s1", "crit", "s1 answers 502")
    story(Kind.DECISION, 4, "fail over", seen=Seen("X gv0 bricks 2/3; X s1 502", 2))
    story.observe(5, "gluster.brick-down", "gv0/b1", "ok", "well again: b1")
    story(Kind.NOTE, 6, "better", seen=Seen("X s1 502", 1))
    report = render(story.source(), full=True)
    assert (
        "| at the declare | 2026-11-23 14:00:00Z | crit: brick b1 is down (a1) | "
        "X gv0 bricks 2/3 (readings up to 1 min 5 s old; ana, a2, 2026-11-23 14:00:00Z) |" in report
    )
    assert (
        "| at the worst | 2026-11-23 14:03:00Z | crit: brick b1 is down (a1); crit: s1 answers 502 (a3) | "
        "X gv0 bricks 2/3; X s1 502 (readings up to 2 s old; ana, a4, 2026-11-23 14:04:00Z) |" in report
    )
    assert "| at the last entry | 2026-11-23 14:06:00Z | crit: s1 answers 502 (a3) | X s1 502 (" in report
    assert "ana: fail over (a4)\n  - The board said: X gv0 bricks 2/3; X s1 502 (readings up to 2 s old)\n" in report
    assert (
        "| gv0/b1 | brick b1 is down | crit | 2026-11-23 13:58:00Z | 2026-11-23 14:05:00Z | 7 min | a1, a5 |" in report
    )
    assert "| s1 | s1 answers 502 | crit | 2026-11-23 14:03:00Z | still at the last entry | | a3 |" in report


def test_promises_kept_late_moved_and_open(story: Any) -> None:
    story.declare()

    def promise(at: float, audience: str, due: str, step: str = "promised") -> None:
        story(Kind.UPDATE, at, "", step=step, audience=audience, next=f"2026-11-23T{due}:00+00:00")

    promise(1, "public", "14:10", "posted")
    promise(9, "public", "14:30", "posted")
    story(Kind.UPDATE, 40, "sorry", step="posted", audience="public")
    promise(41, "exec", "14:50")
    promise(45, "exec", "15:30")
    report = render(story.source(now=LATER), full=True)
    table = report[report.index("| Promised to |") : report.index("## 14.")]
    assert [line.split(" | ")[3] for line in table.split("\n")[2:6]] == ["kept", "late", "moved", "no update so far"]


def test_open_actions(story: Any) -> None:
    story.declare()
    task = story(Kind.TASK, 1, "done one", step="assigned", who="bob", minutes=5)
    story(Kind.TASK, 2, "", step="done", who="bob", ref=task)
    story(Kind.TASK, 3, "open one", step="assigned", who="bob", minutes=5)
    story(Kind.FOLLOWUP, 4, "buy a disk")
    report = render(story.source())
    table = report[report.index("## Open actions") : report.index("## Integrity")]
    assert "done one" not in table
    assert "| task | bob | 2026-11-23 14:08:00Z | a4 | open one (not acknowledged) |" in table
    assert "| follow-up | nobody yet |  | a5 | buy a disk |" in table


def test_demo_and_drill_stand_above_everything(story: Any, well_formed: Callable[[str], Any]) -> None:
    story.declare(drill=True)
    report = bare(render(story.source(demo=True)))
    assert report.split("\n")[1].startswith("> **DEMO.**")
    assert report.index("> **DRILL.**") < report.index("# gv0")
    assert well_formed(report).count("blockquote_open") == 2
    assert "DEMO" not in render(story.source())


def test_full_has_every_section_or_names_it(story: Any, well_formed: Callable[[str], Any]) -> None:
    story.declare()
    report = render(story.source(), full=True)
    headings = well_formed(report).headings
    folded = next(line for line in report.split("\n") if line.startswith("> Left out, because no entry"))
    for section in SECTIONS:
        title = f"{section.number}. {section.title}"
        assert (title in headings) != (f"{section.number} {section.title}" in folded), title
        if section.question:
            after = report[report.index(f"## {title}\n") :]
            assert "_TODO (human): " in after[: after.find("\n## ") if "\n## " in after else None]
    assert "12 Commands run" in folded and "10 Decisions" in folded


def test_unfilled_must_sections_are_named_on_top(story: Any) -> None:
    story.declare()
    unfilled = bare(render(story.source(), full=True)).split("\n")[3]
    assert unfilled.startswith("> **Not filled yet**")
    assert "3 Key times and metrics" in unfilled
    for name in ("started", "detected", "mitigated"):
        story(Kind.MILESTONE, 1, name=name, unknown=True)
    story(Kind.STATUS, 5, status="resolved")
    filled = bare(render(story.source(), full=True)).split("\n")[3]
    assert "3 Key times and metrics" not in filled
    assert "7 Contributing factors" in filled


def test_the_machine_never_answers_for_people(story: Any) -> None:
    """Sections of judgement hold the question and nothing else, however much there is to tell."""
    story.declare()
    story(Kind.ACTION, 1, "did a thing")
    report = bare(render(story.source(), full=True))
    bodies = dict(re.findall(r"\n## (\d+)\. [^\n]*\n+(.*?)(?=\n## |\Z)", report, re.S))
    for number in (6, 7, 14, 15, 17, 18):
        body = bodies[str(number)].strip()
        assert re.fullmatch(r"_TODO \(human\): [^\n]*_", body), body


def test_integrity_counts_redactions_and_gives_the_head(story: Any) -> None:
    story.declare()
    story(Kind.NOTE, 1, "token=abcdef and password: hunter2")
    report = render(story.source())
    assert "abcdef" not in report and "hunter2" not in report
    assert "with secrets redacted: 1" in report
    assert str(story.source().head) in report
    assert "It detects damage and naive edits; truncation or rewriting only against a head recorded elsewhere" in report


def test_an_incident_nobody_declared_here(story: Any, well_formed: Callable[[str], Any]) -> None:
    story(Kind.NOTE, 1, "from another journal")
    for full in (False, True):
        report = render(story.source(), full=full)
        well_formed(report)
        assert "its declare entry is not in this journal" in report


def test_no_entries_at_all(story: Any, well_formed: Callable[[str], Any]) -> None:
    for full in (False, True):
        well_formed(render(story.source(), full=full))


# -- JSON ---------------------------------------------------------------------------------------------------------


def test_json_is_lossless_and_documented(story: Any) -> None:
    story.declare()
    note = story(Kind.NOTE, 1, "password=hunter2\nsecond line", seen=Seen("X", 1))
    story(Kind.AMEND, 2, "", ref=note, text="better")
    story(Kind.STRIKE, 3, "", ref=Ref(note.journal, 3), step="strike")
    story.observe(4, "site.down", "s", "crit", "s is down")
    document = msgspec.json.decode(to_json(story.source()))
    assert list(document) == list(FIELDS)
    from incident_tui.incident.entry import Entry

    found = [
        msgspec.convert({key: value for key, value in entry.items() if key != "handle"}, Entry)
        for entry in document["entries"]
    ]
    assert found == story.entries
    assert [entry["handle"] for entry in document["entries"]] == ["a1", "a2", "a3", "a4", "a5"]
    state = set(document["incident"])
    assert state == set(Incident.__struct_fields__) - {"rows"}
    assert {one["name"] for one in document["metrics"]} >= {"time to detect", "length of the impact"}
    assert document["head"]["text"] == str(story.source().head)


def test_every_section_that_can_have_facts_has_a_template() -> None:
    for section in SECTIONS:
        if section.name not in ("surprises", "external"):
            assert (TEMPLATES / "section" / f"{section.name}.md.j2").is_file()


def test_key_times_come_in_the_order_they_should_happen(story: Any) -> None:
    story.declare()
    for name in reversed(MILESTONES):
        if name != "declared":
            story(Kind.MILESTONE, 1, name=name)
    report = render(story.source())
    table = report[report.index("| Milestone |") :].split("\n")[2:10]
    assert [line.split(" | ")[0].strip("| ") for line in table] == list(MILESTONES)
