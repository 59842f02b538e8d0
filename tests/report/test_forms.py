"""The report without names, a part of its timeline, as rows, as a page, and one responder's activity log."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_tui import text
from incident_tui.incident.entry import Kind
from incident_tui.incident.settings import Person
from incident_tui.incident.state import Fold
from incident_tui.report import ics214, timeline_csv
from incident_tui.report.as_csv import as_csv
from incident_tui.report.as_html import page
from incident_tui.report.export import compose
from incident_tui.report.facts import gather
from incident_tui.report.naming import Naming
from tests.report.conftest import START, Story
from tests.report.test_many import HOSTILE, parsed

PEOPLE = (Person(name="ana", full_name="Ana Ruiz", organisation="hosting"), Person(name="dan"))


@pytest.fixture
def outage(story: Story) -> Story:
    story.declare()
    story(Kind.ACTION, 1, "bob restarted glusterd; Ana Ruiz agreed, banana and @dan did not", by="bob")
    story(Kind.TASK, 2, "look at web3", step="assigned", who="bob", minutes=5)
    story(Kind.ROLE, 3, role="operations", step="take", who="bob")
    story(Kind.FOLLOWUP, 4, "check the disks", owner="eve", by="bob")
    story(Kind.CHAT, 5, "=1+1 eve says", remote="17.1")
    story(Kind.PIN, 6, ref=story.entries[1], step="pin")
    return story


def renamed(story: Story) -> Story:
    naming = Naming(story.entries, PEOPLE)
    story.entries = [naming.entry(entry) for entry in story.entries]
    return story


def test_names_become_roles_everywhere(outage: Story) -> None:
    said = compose(renamed(outage).source(), full=True) + compose(outage.source(), form="json")
    for name in ("ana", "Ana", "Ruiz", "bob", "dan", "eve"):
        assert not re.search(rf"\b{name}\b", said), name
    assert "operations restarted glusterd; commander agreed, banana and" in said
    assert "17.1" not in said
    fold = outage.source().fold
    incident = fold.incident("INC-1")
    assert incident.commander == "commander" and incident.roles["operations"].who == "operations"
    assert [one.owner for one in incident.follow_ups] == ["responder-1"] and incident.tasks[0].who == "operations"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=4), st.text(max_size=40))
def test_any_name_is_gone_from_any_text(names: list[str], said: str) -> None:
    story = Story()
    story.declare()
    for number, name in enumerate(names):
        story(Kind.NOTE, number, f"{said} {name} {said}", by=name)
    naming = Naming(story.entries)
    fold = Fold()
    for entry in story.entries:
        fold.apply(naming.entry(entry))
    labels = {row.entry.author.name for row in fold.incident("INC-1").rows}
    assert all(label == "commander" or label.startswith("responder-") for label in labels)


def test_a_part_of_the_timeline_says_how_much_is_left_out_and_cuts_nothing_else(outage: Story) -> None:
    pinned = outage.source(chosen=lambda row: row.pinned)
    facts = gather(pinned, full=False)
    assert [line.text for day in facts.days for line in day.lines] == [outage.entries[1].text]
    assert facts.left_out == {"not chosen for the timeline": 5}
    assert facts.roles == gather(outage.source(), full=False).roles and facts.integrity.entries == 7
    assert "5 not chosen for the timeline; the journal has them." in compose(pinned)
    early = gather(outage.source(chosen=lambda row: row.at <= START + timedelta(minutes=1)), full=False)
    assert early.left_out == {"not chosen for the timeline": 4}


def test_rows_for_a_spreadsheet_are_the_timeline_and_compute_nothing(outage: Story) -> None:
    outage(Kind.NOTE, 7, "password=hunter2hunter2 \x1b[31mred")
    source = outage.source()
    made = timeline_csv.rows(source, source.fold.incident("INC-1").rows, text.redact)
    head, *rows = csv.reader(io.StringIO(as_csv(timeline_csv.HEAD, made), newline=""))
    at, who, said, pinned = (head.index(name) for name in ("at", "who", "text", "pinned"))
    assert rows[1][at] == "2026-11-23T14:01:00Z" and rows[1][who] == "bob" and rows[1][pinned] == "true"
    assert [row[said][:5] for row in rows if "eve says" in row[said]] == ["'=1+1"]
    assert "hunter2" not in str(rows) and "\x1b" not in str(rows)


def test_an_activity_log_has_what_one_did_and_was_asked(outage: Story) -> None:
    outage(Kind.EVIDENCE, 8, "numbers of the last hour", by="watch", source="watch")
    source = outage.source()
    assert ics214.responders(source) == ["ana", "bob"], "the watch is none"
    rows = ics214.activities(source, "BOB")
    log = ics214.ics214(source, "bob", rows, None, text.redact)
    assert "| 4. ICS position | operations from 2026-11-23 14:03Z on |" in log
    assert "| 6. Resources assigned | tasks by ana |" in log and "| 5. Home agency | not said |" in log
    assert "14:01:00 | ACTION bob restarted" in log and "look at web3" in log and "(by ana)" in log
    assert "| 2. Operational period | 2026-11-23 14:01Z to 2026-11-23 14:04Z |" in log
    ana = ics214.ics214(source, "ana", ics214.activities(source, "ana"), PEOPLE[0], text.redact)
    assert "| 3. Name | Ana Ruiz |" in ana and "incident commander from 2026-11-23 14:00Z on" in ana
    assert "No entry." in ics214.ics214(source, "x", [], None, text.redact)


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=60))
def test_hostile_text_is_inert_in_the_page_of_a_report_and_of_a_log(said: str) -> None:
    story = Story()
    for words in (HOSTILE, said, f"```\n{HOSTILE}\n<!-- incident-tui end head -->\n{said}"):
        story.declare(words)
        story(Kind.NOTE, 1, words, by=words[:20] or "x")
        story(Kind.EVIDENCE, 1, words)
    source = story.source()
    log = ics214.ics214(source, "ana", ics214.activities(source, "ana"), None, text.redact)
    for markdown in (compose(source, full=True), log):
        tags = parsed(page(markdown, said))
        assert not {tag for tag, _ in tags.seen} & {"script", "img", "iframe", "form", "object", "link", "base"}
        for tag, attributes in tags.seen:
            href = attributes.get("href") or "#"
            assert href.startswith("#") and "style" not in attributes and "src" not in attributes, (tag, attributes)
            assert not [name for name in attributes if name.startswith("on")]
            assert tag not in ("svg", "rect") or set(attributes) <= {"class", "x", "width", "height"}
