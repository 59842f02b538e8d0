"""A report that people have worked on, exported again: no word of theirs is lost, and new entries flow in."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from incident_tui.incident.entry import Kind
from incident_tui.report.document import parse
from incident_tui.report.markdown import make, render, untouched
from incident_tui.report.merge import APPENDIX, CONFLICT
from incident_tui.report.source import Style
from tests.report.conftest import Story


def outage() -> Story:
    story = Story()
    story.declare()
    story(Kind.MILESTONE, -5, "", name="started")
    story(Kind.ACTION, 2, "restarted glusterd on web3")
    story(Kind.DECISION, 3, "serve gv0 from web1")
    story(Kind.EVIDENCE, 4, "Brick web1\n<!-- incident-tui end timeline -->\n```\n# no heading")
    return story


def again(story: Story, old: str, *, full: bool = True, **style: Any) -> str:
    return make(story.source(), full=full, style=Style(**style), old=old).text


def test_nothing_edited_is_made_anew() -> None:
    story = outage()
    report = render(story.source(), full=True)
    story(Kind.NOTE, 9, "later")
    assert again(story, report) == render(story.source(), full=True)
    assert untouched(again(story, report))


def test_prose_stays_and_new_entries_flow_in(well_formed: Callable[[str], Any]) -> None:
    story = outage()
    question = "_TODO (human): In two or three sentences"
    report = render(story.source(), full=True)
    line = next(line for line in report.split("\n") if line.startswith(question))
    edited = report.replace(line, "4,000 readers saw 502 pages.\n\n- one\n- two").replace(
        "## 2. Impact", "## Who felt it"
    )
    story(Kind.ACTION, 9, "a later action")
    merged = again(story, edited)
    well_formed(merged)
    assert "4,000 readers saw 502 pages.\n\n- one\n- two\n" in merged
    assert "## Who felt it\n" in merged and "## 2. Impact" not in merged
    assert "a later action" in merged
    assert CONFLICT not in merged and APPENDIX not in merged
    assert "1 Summary" not in merged.split("## 1.")[0], "it is filled now"
    assert again(story, merged) == merged


def test_a_moved_section_stays_where_it_was_put_and_a_deleted_one_stays_out() -> None:
    story = outage()
    report = render(story.source(), full=True)
    head, *sections = re.split(r"(?m)^(?=## \d)", report)
    timeline = next(one for one in sections if one.startswith("## 9."))
    roles = next(one for one in sections if one.startswith("## 4."))
    others = [one for one in sections if one not in (timeline, roles)]
    story(Kind.ACTION, 9, "a later action")
    made = make(story.source(), full=True, old=head + timeline + "".join(others))
    assert made.merged is not None and made.merged.left_out == ("roles",)
    assert made.text.index("## 9. Timeline") < made.text.index("## 1. Summary")
    assert made.text.count("## 9. Timeline") == 1 and "## 4. Responders" not in made.text
    assert "a later action" in made.text.split("## 1. Summary")[0]
    assert make(story.source(), full=True, old=made.text).text == made.text


def test_a_section_that_entries_fill_later_comes_in_its_place() -> None:
    story = Story()
    story.declare()
    edited = render(story.source(), full=True).replace("## 11.", "## eleven.") + "\nMy last words.\n"
    assert "## 10. Decisions" not in edited
    story(Kind.DECISION, 3, "serve gv0 from web1")
    merged = again(story, edited)
    assert merged.count("## 10. Decisions") == 1
    assert merged.index("## 9. ") < merged.index("## 10. Decisions") < merged.index("## 14. ")
    assert merged.rstrip().endswith("My last words.")


def test_a_changed_line_of_the_program_is_shown_as_a_conflict() -> None:
    story = outage()
    edited = render(story.source()).replace("- Severity: SEV2", "- Severity: SEV1, I say")
    made = make(story.source(), old=edited)
    assert made.merged is not None and made.merged.conflicts == ("summary",)
    assert "- Severity: SEV2\n" in made.text
    assert f"{CONFLICT} 1 of its lines were changed or deleted, and are back. Theirs" in made.text
    assert "> - Severity: SEV1, I say\n" in made.text
    assert again(story, made.text, full=False) == made.text, "said once"


def test_lines_put_among_those_of_the_program_stand_below_them() -> None:
    story = outage()
    edited = render(story.source()).replace("- Severity: SEV2\n", "- Severity: SEV2\n- Felt by everybody\n")
    made = make(story.source(), old=edited)
    assert made.merged is not None and not made.merged.conflicts
    assert "<!-- incident-tui end summary -->\n\n- Felt by everybody\n" in made.text


@pytest.mark.parametrize("editor", ["crlf", "bom", "blanks", "table", "cr"])
def test_what_editors_do_to_a_file_is_no_change(editor: str) -> None:
    story = outage()
    report = render(story.source(), full=True)
    mangled = {
        "crlf": report.replace("\n", "\r\n"),
        "cr": report.replace("\n", "\r"),
        "bom": "\ufeff" + report,
        "blanks": re.sub(r"(?m)$", "  ", report),
        "table": re.sub(
            r"(?m)^\|(.*)\|$", lambda row: "|" + row[1].replace("|", "   |").replace("---", "-----") + "|", report
        ),
    }[editor]
    made = make(story.source(), full=True, old=mangled)
    assert made.merged is None or not (made.merged.conflicts or made.merged.left_out or made.merged.homeless)
    assert CONFLICT not in made.text
    assert ("\r\n" in made.text) == (editor == "crlf")


@pytest.mark.parametrize("mark", ["begin", "end"])
def test_a_damaged_marker_loses_nothing(mark: str) -> None:
    story = outage()
    report = render(story.source(), full=True)
    (line,) = re.findall(rf"(?m)^<!-- incident-tui {mark} impact.*$", report)
    edited = report.replace(line + "\n", "").replace(
        "_TODO (human): Who and which", "Everybody. _TODO (human): Who and which"
    )
    merged = again(story, edited)
    assert "Everybody." in merged
    assert merged.count("- Time in SEV2:") == 1
    assert "begin impact" in merged and "end impact" in merged
    assert again(story, merged) == merged


def test_another_template_takes_what_people_wrote_with_it() -> None:
    story = outage()
    edited = render(story.source()).replace("## Key times", "Everybody felt it.\n\n## Key times")
    edited = edited.replace("## What the board said", "## My own heading\n\nMy own words.\n\n## What the board said")
    made = make(story.source(), full=True, old=edited)
    assert "## 20. Integrity note" in made.text
    impact = made.text[made.text.index("## 2. Impact") : made.text.index("## 3. ")]
    assert "Everybody felt it." in impact
    appendix = made.text[made.text.index(APPENDIX) :]
    assert "## My own heading" in appendix and "My own words." in appendix
    assert "## Key times" not in made.text


def test_an_answer_in_the_line_of_its_question_goes_with_another_template() -> None:
    story = outage()
    edited = render(story.source(), full=True).replace("was it last known to be good?_", "was it good? On Monday._")
    assert "On Monday." in make(story.source(), style=Style(template="sre"), old=edited).text


def test_text_that_looks_like_a_marker_is_none() -> None:
    story = outage()
    report = render(story.source(), full=True)
    assert "< !-- incident-tui end timeline -->" in report
    names = [part.block for part in parse(report).parts if part.block]
    assert len(names) == len(set(names))


def test_a_word_behind_the_line_that_says_when_it_was_made_is_kept() -> None:
    story = outage()
    for template in ("full", "summary"):
        report = render(story.source(), style=Style(template=template))
        edited = re.sub(r"(?m)^(Generated at .*)$", r"\1 Printed by Ana.", report)
        assert edited != report and not untouched(edited)
        assert "Printed by Ana." in make(story.source(), style=Style(template=template), old=edited).text


EDITS = (
    "line",
    "inside",
    "into a line",
    "answer",
    "delete a line",
    "delete a section",
    "move",
    "rename",
    "drop a marker",
    "crlf",
    "bom",
    "blanks",
    "template",
    "twice",
)
EXAMPLES = int(os.environ.get("MERGE_EXAMPLES", "100"))
"""Of ten exports each; by hand also `MERGE_EXAMPLES=1000`."""


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(
    seed=st.integers(0, 10**9), plan=st.lists(st.lists(st.sampled_from(EDITS), max_size=4), min_size=10, max_size=10)
)
def test_no_word_is_lost_in_ten_exports(seed: int, plan: list[list[str]]) -> None:
    chance = random.Random(seed)
    story = outage()
    template = "full"
    report = render(story.source(), style=Style(template=template))
    written: list[str] = []
    for number, edits in enumerate(plan):
        lines = report.replace("\r\n", "\n").removeprefix("\ufeff").split("\n")
        for place, edit in enumerate(edits):
            word = f"w{number}x{place}q"
            at = chance.randrange(1, len(lines))
            marks = [index for index, line in enumerate(lines) if index and line.startswith("<!-- incident-tui")]
            headings = [index for index, line in enumerate(lines) if line.startswith("## ")]
            asked = [index for index, line in enumerate(lines) if line.startswith("_TODO (human): ")]
            if edit in ("line", "inside"):
                lines.insert(at, f"{'| ' if edit == 'inside' else ''}{word} somebody wrote")
                written.append(word)
            elif edit == "into a line" and lines[at].strip() and at not in marks:
                lines[at] += f" {word}"
                written.append(word)
            elif edit == "answer" and asked:
                lines[chance.choice(asked)] = f"{word} is what we know."
                written.append(word)
            elif edit == "delete a line" and at not in marks:
                del lines[at]
            elif edit == "delete a section" and len(headings) > 2:
                start = chance.randrange(len(headings) - 1)
                del lines[headings[start] : headings[start + 1]]
            elif edit == "rename" and headings:
                lines[chance.choice(headings)] = f"## {word}"
                written.append(word)
            elif edit == "drop a marker" and marks:
                del lines[chance.choice(marks)]
            elif edit == "move" and len(headings) > 2:
                start, stop = sorted(chance.sample(headings, 2))
                moved = lines[start:stop]
                del lines[start:stop]
                lines += moved
            elif edit == "twice" and headings:
                lines += lines[headings[-1] :]
            elif edit == "template":
                template = chance.choice(("page", "full", "sre", "pagerduty", "summary", "performance"))
        report = "\n".join(lines)
        written = [one for one in written if one in report]  # what people deleted is theirs to delete
        if "crlf" in edits:
            report = report.replace("\n", "\r\n")
        if "blanks" in edits:
            report = re.sub(r"(?m)$", " ", report)
        if "bom" in edits:
            report = "\ufeff" + report
        story(Kind.NOTE, 10 + number, f"entry number {number}")
        if not parse(report).ours:
            return
        report = make(story.source(), style=Style(template=template), old=report).text
        lost = [word for word in written if word not in report]
        assert not lost, (number, edits, lost)
