"""What a finished report is checked for. Pure. Each rule has its source, and can be turned off by its name.

Machine text is checked only where a rule says so: what entries say is amended, not edited.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import msgspec

from incident_tui.report.document import QUESTION, Document, fenced, plain
from incident_tui.report.merge import CONFLICT
from incident_tui.report.sections import SECTIONS, answered
from incident_tui.text import redact


class Flaw(msgspec.Struct, frozen=True, order=True):
    """`line` as an editor counts."""

    line: int
    rule: str
    sentence: str


class Row(NamedTuple):
    """A line of the report. `block`: the part of the program that it is in; empty: people's. `section`: the heading
    above it, without number."""

    number: int
    said: str
    block: str
    code: bool
    section: str


class Report(NamedTuple):
    document: Document
    rows: tuple[Row, ...]
    known: Callable[[str], bool] | None
    """Whether the journal has an entry of this handle; None without a journal."""


Found = Iterator[tuple[int, str]]


class Rule(NamedTuple):
    what: str
    source: str
    check: Callable[[Report], Found]


def rows_of(document: Document) -> tuple[Row, ...]:
    found: list[Row] = []
    section = ""
    for part in document.parts:
        for at, (said, code) in enumerate(zip(part.lines, fenced(part.lines), strict=True)):
            heading = None if code or part.block else re.match(r" {0,3}#{1,6}\s+(?:\d+\.\s+)?(.*?)\s*#*\s*$", said)
            section = heading[1] if heading else section
            found.append(Row(part.first + at, said, part.block, code, section))
    return tuple(found)


def check(report: Report, skip: tuple[str, ...] = ()) -> list[Flaw]:
    """In the order of the lines."""
    return sorted(
        Flaw(line, name, sentence)
        for name, rule in RULES.items()
        if name not in skip
        for line, sentence in rule.check(report)
    )


def _must_sections(report: Report) -> Found:
    done = answered(report.document)
    asked = {plain(f"{QUESTION}{section.question}_"): section for section in SECTIONS if section.question}
    here = {part.block for part in report.document.parts}
    waiting = set()
    for row in report.rows:
        section = asked.get(plain(row.said)) if not row.block else None
        if section is not None and section.name not in done:
            waiting.add(section.name)
            if section.must:
                yield row.number, f"{section.title}: nobody has answered the question"
    if "waiting" not in here and report.document.template != "full":
        return  # another template has other sections
    titles = {row.section for row in report.rows}
    for section in SECTIONS:
        if section.must and section.name not in here | waiting and section.title not in titles:
            yield 1, f"{section.title}: this section is missing"


def _items(report: Report) -> Iterator[tuple[int, str, str, str]]:
    """Follow-ups of the program's table, and items that people wrote under Action items: line, text, owner, due."""
    columns: list[str] = []
    for row in report.rows:
        if row.block == "actions" and row.said.startswith("|"):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", row.said.strip().strip("|"))]
            if cells[:2] == ["Entry", "Follow-up"]:
                columns = cells
            elif cells[0] == "Entry":
                columns = []
            elif columns and not set(row.said) <= set("|-: "):
                item = dict(zip(columns, cells, strict=False))
                if item.get("State", "").startswith("open"):
                    owner = item.get("Owner", "")
                    yield row.number, item["Follow-up"], "" if owner == "nobody yet" else owner, item.get("Due", "")
        elif not row.block and not row.code and row.section.casefold() == "action items":
            item_ = re.match(r"\s*(?:[-*+]|\d+[.)])\s+(?:\[[ xX]\]\s+)?(.+)", row.said)
            if item_ and not item_[1].startswith(QUESTION):
                owner_ = re.search(r"@([\w.-]+)|\bowner:\s*([\w.-]+)", item_[1], re.I)
                due = re.search(r"\d{4}-\d\d-\d\d", item_[1])
                yield row.number, item_[1], owner_[0] if owner_ else "", due[0] if due else ""


def _verb_first(report: Report) -> Found:
    for number, said, _, _ in _items(report):
        word = re.sub(r"^[^\w]*(?:@[\w.-]+\s*[:,]?\s*)?", "", said).split(" ")[0].strip(".,:;").casefold()
        if word not in VERBS:
            yield number, f'"{said[:60]}" does not begin with a verb: say what is to be done'


def _owner(report: Report) -> Found:
    for number, said, owner, _ in _items(report):
        if not owner:
            yield number, f'"{said[:60]}" has no owner'


def _due(report: Report) -> Found:
    for number, said, _, due in _items(report):
        if not due:
            yield number, f'"{said[:60]}" has no date'


def _phrases(pattern: str, why: str, *, machine: bool = True) -> Callable[[Report], Found]:
    def check(report: Report) -> Found:
        for row in report.rows:
            if row.code or (row.block and (not machine or row.block in ("evidence", "commands", "integrity", "state"))):
                continue
            for match in re.finditer(pattern, row.said, re.I):
                yield row.number, f'"{match[0]}": {why}'

    return check


def _metrics(report: Report) -> Found:
    for row in report.rows:
        match = re.match(r"\| (time to [^|]+|length of [^|]+) \| unknown: (.*?) \|", row.said)
        if row.block == "times" and match:
            yield row.number, f"{match[1]} is not known: {match[2].rstrip('.')}"


_CLAIM: Final = re.compile(
    r"\b\d[\d,.]*\s*(?:%|percent\b|users?\b|readers?\b|visitors?\b|requests?\b|sites?\b|min|hours?\b)"
)
_HANDLE: Final = re.compile(r"\b([a-z])(\d{1,7})\b")


def _claims(report: Report) -> Found:
    """A paragraph of people that has a number or a time, and names no entry."""
    for start, said in _paragraphs(report):
        claim = _CLAIM.search(said) or re.search(r"(?<![\d:])\d{1,2}:\d\d", said)
        if claim and not _HANDLE.search(said) and "://" not in said:
            yield start, f'"{claim[0]}" names no entry that says so, such as (a12)'


def _paragraphs(report: Report) -> Iterator[tuple[int, str]]:
    start, gathered = 0, ""
    for row in (*report.rows, Row(0, "", "", False, "")):
        mine = (
            not row.block
            and not row.code
            and row.said.strip()
            and not row.said.lstrip().startswith(("#", ">", "_TODO"))
        )
        if mine:
            start, gathered = (start, f"{gathered} {row.said}") if gathered else (row.number, row.said)
        elif gathered:
            yield start, gathered
            gathered = ""


def _handles(report: Report) -> Found:
    if report.known is None:
        return
    for row in report.rows:
        if row.block or row.code:
            continue
        for match in re.finditer(r"\(((?:[a-z]\d{1,7})(?:,\s*[a-z]\d{1,7})*)\)", row.said):
            for handle in re.split(r",\s*", match[1]):
                if not report.known(handle):
                    yield row.number, f"there is no entry {handle} in this journal"


def _secrets(report: Report) -> Found:
    for row in report.rows:
        # As it is read: "\[redacted\]" is what the program put in the place of one.
        said = row.said if row.code else html.unescape(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", row.said))
        if redact(said.replace("`", " "))[1]:
            yield row.number, "something that looks like a secret"


def _criteria(report: Report) -> Found:
    said = [row.said for row in report.rows if row.block in ("front", "summary")]
    if any(re.search(r"(?i)status[ |:*]+(?:resolved|stood down)", one) for one in said):
        for row in report.rows:
            if row.block == "response" and row.said.startswith("- [ ] "):
                yield row.number, f"resolved, and this exit criterion is not met: {row.said[6:]}"


def _local_times(report: Report) -> Found:
    time = r"(?<![\d:.T+-])(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?![\d:])"
    for row in report.rows:
        if row.block or row.code or "http" in row.said:
            continue
        for match in re.finditer(time + r"(?!\s?(?:Z\b|UTC|GMT|[+-]\d\d:?\d\d)|:\d\d)", row.said):
            yield row.number, f"{match[0]} has no zone: write {match[0]}Z, in UTC"


def _conflicts(report: Report) -> Found:
    for row in report.rows:
        if not row.block and row.said.startswith(CONFLICT):
            yield row.number, "a conflict between people's words and the entries is not settled"


_PD: Final = "PagerDuty, Postmortems: How to write a postmortem"
_SRE: Final = "Google SRE, Postmortem culture and its example postmortem"
_ETSY: Final = "Etsy, Debriefing facilitation guide, ch. 2 and 4"

RULES: Final[dict[str, Rule]] = {
    "must-section": Rule(
        "a section that every review needs is missing, or its question is not answered",
        "at least three of Google SRE, PagerDuty, Atlassian, GitLab, Etsy and Howie have it",
        _must_sections,
    ),
    "action-verb": Rule(
        "an action item does not begin with a verb", f"{_PD}: actionable, specific, bounded", _verb_first
    ),
    "action-owner": Rule("an action item has no owner", f"{_SRE}: each action has an owner", _owner),
    "action-due": Rule("an action item has no date", f"{_PD}: a date, or it will not happen", _due),
    "counterfactual": Rule(
        "a sentence about what did not happen (should have, would have, if only)",
        f"{_ETSY}: counterfactuals explain nothing that happened",
        _phrases(
            r"\b(?:should|could|would|might|ought to)(?:n't| not)? have\b|\bif only\b|\bhad (?:we|he|she|they) only\b",
            "say what happened and why it made sense then, not what did not happen",
        ),
    ),
    "blame": Rule(
        "a sentence that blames somebody",
        f"{_SRE}: blameless; {_PD}: an individual's action is never the cause",
        _phrases(
            r"\b(?:careless(?:ly|ness)?|negligen(?:t|ce)|incompeten(?:t|ce)|reckless(?:ly)?|stupid(?:ly)?|sloppy|"
            r"(?:is|was|were|are) to blame|blame[sd]?\b(?! ?less)|(?:his|her|their|\w+'s) (?:fault|mistake)|"
            r"forgot to|neglected to|did not bother|didn't bother)\b",
            "name the conditions that made this possible, not a person's failing",
        ),
    ),
    "human-error": Rule(
        "human error as a cause",
        "Dekker, The field guide to understanding human error: a label that ends the search for causes",
        _phrases(
            r"\b(?:human|operator|user|pilot|manual|personnel) error\b",
            "it is where the search begins: what made the action likely?",
        ),
    ),
    "metric": Rule(
        "a metric is not known because a milestone is missing", "Kehoe; FireFighter: no close without", _metrics
    ),
    "claim": Rule(
        "people's text has a number or a time, and names no entry",
        f"{_PD}: for each item a link to where the data came from",
        _claims,
    ),
    "handle": Rule("an entry that is named is not in the journal", "the journal is the evidence", _handles),
    "secret": Rule("a string that looks like a secret", "a report is read by more people than the journal", _secrets),
    "criteria": Rule(
        "resolved, with exit criteria that are not met", f"{_SRE}, incident state document: exit criteria", _criteria
    ),
    "local-time": Rule("a time without a zone", "RFC 3339, 4.4: unqualified local time", _local_times),
    "conflict": Rule("a conflict of an export into an edited report is not settled", "this program", _conflicts),
}
"""By name."""

_WORDS: Final = """
add adjust agree alert allow analyse analyze announce archive arrange ask assess assign audit automate back
backup balance benchmark block bring build buy calculate call cap catch change check choose clarify clean clear
close collect compare complete configure confirm connect consolidate convert copy correct create cut decide
decommission decouple define delete deploy deprecate describe design detect determine develop disable discuss
document drain drill drop enable encrypt enforce ensure establish estimate evaluate exercise expand explain
export expose extend file find finish fix follow force forward gather get give handle harden hide hire identify
implement import improve include increase inform install instrument integrate introduce inventory investigate
invite isolate keep label limit link list load log lower maintain make map mark measure merge migrate mitigate
model modify monitor mount move name negotiate notify obtain offer open order organise organize page patch pin
plan practise practice prepare prevent prioritise prioritize procure propose protect prove provide provision
publish purchase put raise reach read rebalance reboot rebuild record recover reduce refactor refuse rehearse
reject release reload remind remove rename renew reorder repair repeat replace replicate report reproduce
request require research resize resolve restart restore restrict retire return reuse review revise revoke
rewrite roll rotate run save scale schedule script secure see send separate serve set share ship show shrink
simplify simulate size snapshot split standardise standardize start stop store streamline subscribe support
switch sync take tag talk teach tell test throttle tidy track train transfer trial trim try tune turn unify
uninstall unmount update upgrade use validate verify visit wait warn watch widen wire wrap write
"""
VERBS: Final = frozenset(_WORDS.split())
"""What action items begin with."""
