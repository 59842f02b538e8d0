"""`report check`: each rule finds what it is for, on the right line, and nothing in a report that is done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from incident_tui.cli import main
from incident_tui.incident.entry import Author, Draft, Kind
from incident_tui.journal.store import Store
from incident_tui.report.document import parse
from incident_tui.report.markdown import render
from incident_tui.report.rules import RULES, Flaw, Report, check, rows_of
from incident_tui.report.sections import SECTIONS
from incident_tui.text import markdown
from tests.report.test_export import AT
from tests.report.test_redacting import lines


def flaws(text: str, skip: tuple[str, ...] = (), known: Any = None) -> list[Flaw]:
    document = parse(text)
    return check(Report(document, rows_of(document), known), skip)


@pytest.fixture
def done(story: Any) -> str:
    """A report in which every question was answered and every milestone said."""
    story(Kind.MILESTONE, -5, "", name="started")
    story(Kind.MILESTONE, -4, "", name="detected")
    story.declare()
    story(Kind.MILESTONE, 1, "", name="acknowledged")
    story(Kind.MILESTONE, 5, "", name="mitigated")
    story(Kind.MILESTONE, 6, "", name="recovered")
    story(Kind.FOLLOWUP, 7, "add an alert for bricks", owner="dan", priority="p1", due="2026-12-01")
    story(Kind.UPDATE, 8, "all is well", step="posted", audience="public")
    story(Kind.STATUS, 9, "", status="resolved")
    report = render(story.source(), full=True)
    for section in SECTIONS:
        report = report.replace(f"_TODO (human): {section.question}_", "It is answered.")
    return report


def test_a_finished_report_has_nothing_to_mend(done: str) -> None:
    assert flaws(done) == []


def test_an_unanswered_question_is_found_where_it_stands(story: Any) -> None:
    story.declare()
    report = render(story.source(), full=True)
    found = [flaw for flaw in flaws(report) if flaw.rule == "must-section"]
    lines = report.split("\n")
    assert {lines[flaw.line - 1][:14] for flaw in found} == {"_TODO (human):"}
    assert len(found) == sum(bool(section.must and section.question) for section in SECTIONS)


def test_a_deleted_must_section_is_missing(done: str) -> None:
    start, stop = done.index("## 7. "), done.index("## 8. ")
    assert flaws(done[:start] + done[stop:]) == [
        Flaw(1, "must-section", "Contributing factors: this section is missing")
    ]


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ("We should have seen it.", "counterfactual"),
        ("If only the alert had fired.", "counterfactual"),
        ("They could not have known.", "counterfactual"),
        ("It was bob's fault.", "blame"),
        ("He carelessly typed it.", "blame"),
        ("She forgot to mount it.", "blame"),
        ("The cause was human error.", "human-error"),
        ("4,000 users saw it.", "claim"),
        ("At 14:05Z it broke.", "claim"),
        ("At 14:05 it broke (a1).", "local-time"),
        ("Log in with password=hunter2.", "secret"),
        ("It broke (a999).", "handle"),
        ("> **Conflict.** Somebody changed what the program wrote here. Theirs", "conflict"),
    ],
)
def test_each_rule_of_words(said: str, rule: str, done: str) -> None:
    text = done.replace("It is answered.", said, 1)
    line = text.split("\n").index(said) + 1
    found = flaws(text, known=lambda handle: handle == "a1")
    assert [(flaw.line, flaw.rule) for flaw in found] == [(line, rule)]
    assert flaws(text, skip=(rule,), known=lambda handle: handle == "a1") == []


def test_what_was_taken_out_is_no_secret_any_more_and_an_escaped_one_is(story: Any, done: str) -> None:
    story.declare()
    for number, (_, line, _) in enumerate(lines(7)):
        story(Kind.NOTE, number, line)
        story(Kind.EVIDENCE, number, f"{line}\n{line}")
        story(Kind.COMMAND, number, "", step="intent", host="web1", command=line)
    report = render(story.source(), full=True)
    assert report.count("redacted") > 100
    found = [flaw.line for flaw in flaws(report) if flaw.rule == "secret"]
    assert [report.split("\n")[line - 1] for line in found] == []
    typed = markdown("token: abc_def*ghi_jkl~mno")
    assert "\\*" in typed
    assert [flaw.rule for flaw in flaws(done.replace("It is answered.", typed, 1))] == ["secret"]


@pytest.mark.parametrize(
    "said",
    [
        "4,000 users saw it (a1).",
        "At 14:05Z it broke (a1).",
        "At 14:05 UTC it broke (a1).",
        "At 14:05:10+02:00 it broke (a1).",
        "A blameless review.",
        "He had the key of the rack.",
        "```\nwe should have, 14:05\n```",
    ],
)
def test_what_is_fine_is_not_found(said: str, done: str) -> None:
    assert flaws(done.replace("It is answered.", said, 1), known=lambda handle: True) == []


@pytest.mark.parametrize(
    ("item", "rules"),
    [
        ("- Add an alert @dan 2026-12-01", []),
        ("- [ ] Add an alert, owner: dan, due 2026-12-01", []),
        ("1. The alert @dan 2026-12-01", ["action-verb"]),
        ("- Add an alert 2026-12-01", ["action-owner"]),
        ("- Add an alert @dan", ["action-due"]),
    ],
)
def test_action_items_that_people_wrote(item: str, rules: list[str], done: str) -> None:
    at = done.index("It is answered.", done.index("## 16. "))
    assert [flaw.rule for flaw in flaws(done[:at] + item + done[at + 15 :])] == rules


def test_action_items_of_the_journal(story: Any) -> None:
    story.declare()
    story(Kind.FOLLOWUP, 7, "the disk of web1")
    item = story(Kind.FOLLOWUP, 8, "a done one")
    story(Kind.FOLLOWUP, 9, "", step="done", ref=item)
    found = flaws(render(story.source(), full=True))
    assert [flaw.rule for flaw in found if flaw.rule.startswith("action")] == [
        "action-due",
        "action-owner",
        "action-verb",
    ]


def test_missing_milestones_and_unmet_criteria(story: Any) -> None:
    story.declare()
    story(Kind.CRITERION, 1, "no entry in split-brain")
    story(Kind.STATUS, 9, "", status="resolved")
    found = {flaw.rule: flaw for flaw in flaws(render(story.source(), full=True))}
    assert "this exit criterion is not met: no entry in split-brain" in found["criteria"].sentence
    assert "is not known" in found["metric"].sentence


def test_each_rule_has_a_source() -> None:
    assert all(rule.what and rule.source for rule in RULES.values())


def test_the_command(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with Store.open(tmp_path / "j") as store:
        draft = Draft(Kind.DECLARE, "x", AT, Author("ana", proven=True), "I-1", data={"title": "x", "severity": 1})
        store.append([draft], key="1")
    journal = ["--journal", str(tmp_path / "j")]
    path = tmp_path / "r.md"
    assert main(["export", "--full", "-o", str(path), *journal]) == 0
    assert main(["report", "check", str(path), *journal]) == 1
    said = capfd.readouterr()
    assert f"{path}:" in said.out and ": must-section: Summary: nobody has answered the question" in said.out
    assert main(["report", "check", *journal]) == 1
    assert capfd.readouterr().out.replace("report:", f"{path}:") == said.out
    config = tmp_path / "config.toml"
    config.write_text(f"[report]\nskip = {list(RULES)!r}\n")
    assert main(["report", "check", str(path), "--config", str(config), *journal]) == 0
    assert "nothing to mend" in capfd.readouterr().err
    config.write_text('[report]\nskip = ["huma-error"]\n')
    assert main(["report", "check", str(path), "--config", str(config), *journal]) == 2
    assert "report.skip: 'huma-error' is not known; did you mean human-error?" in capfd.readouterr().err
    assert main(["report", "check", "--rules"]) == 0
    listed = capfd.readouterr().out
    assert all(f"{name}: " in listed for name in RULES)
    (tmp_path / "other.md").write_text("# hello\n")
    assert main(["report", "check", str(tmp_path / "other.md"), *journal]) == 2
    assert main(["report", "check", str(tmp_path / "none.md"), *journal]) == 2
    assert main(["report", "nothing"]) == 2
