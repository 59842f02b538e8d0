"""The sections of a full report, in order: which must be there, what the entries fill, what only people can answer.

The list merges the templates of Google SRE, PagerDuty, Atlassian, GitLab, Etsy, Howie and ICS 201; "must" means that
most of them have it. A question is printed where people have to write, and never answered here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final, NamedTuple

from incident_tui.report.document import QUESTION, Document, plain
from incident_tui.report.source import Facts

WANTED: Final = ("started", "detected", "mitigated", "resolved")
"""Milestones without which the key times are not filled; one that is known to be unknowable is filled."""


class Section(NamedTuple):
    """`name` is its template; `facts` tells whether the entries say anything; `complete` whether they say enough."""

    number: int
    name: str
    title: str
    facts: Callable[[Facts], bool]
    question: str = ""
    must: bool = False
    complete: Callable[[Facts], bool] | None = None
    """None: only people can complete it."""

    def unfilled(self, facts: Facts, answered: Collection[str]) -> bool:
        """Whether a must-section still waits for somebody."""
        return self.must and self.name not in answered and (self.complete is None or not self.complete(facts))


def _always(facts: Facts) -> bool:
    return True


def _never(facts: Facts) -> bool:
    return False


def _key_times(facts: Facts) -> bool:
    return all(name in facts.incident.milestones for name in WANTED)


def _detected(facts: Facts) -> bool:
    return facts.first_sign is not None or "detected" in facts.incident.milestones


def _worked(facts: Facts) -> bool:
    return bool(facts.work or facts.incident.runs or facts.incident.criteria)


def _evidence(facts: Facts) -> bool:
    said = any(moment.seen or moment.standing for moment in facts.moments)
    return said or bool(facts.spells or facts.exhibits or facts.charts)


def _lessons(facts: Facts) -> bool:
    return bool(facts.incident.lessons)


def _raised(facts: Facts) -> bool:
    return any(item.state == "raised" for item in facts.incident.hypotheses)


SECTIONS: Final = (
    Section(0, "front", "Front matter", _always, "Who owns this review, and when does it meet?"),
    Section(
        1,
        "summary",
        "Summary",
        _always,
        "In two or three sentences without acronyms: what happened, for how long, who felt it, and how did it end?",
        must=True,
    ),
    Section(
        2,
        "impact",
        "Impact",
        _always,
        "Who and which services were affected, in exact numbers? Was data lost: yes, no or not known?",
        must=True,
    ),
    Section(3, "times", "Key times and metrics", _always, must=True, complete=_key_times),
    Section(4, "roles", "Responders and roles", lambda f: bool(f.roles), must=True, complete=lambda f: bool(f.roles)),
    Section(
        5,
        "detection",
        "Detection",
        _detected,
        "What told us first: an alert, a user, or luck? How would we halve the time to detect?",
        must=True,
    ),
    Section(
        6,
        "trigger",
        "Trigger and background",
        lambda f: bool(f.incident.changes),
        "What changed before this, and when was it last known to be good?",
    ),
    Section(
        7,
        "factors",
        "Contributing factors",
        lambda f: bool(f.incident.hypotheses),
        "Which conditions, technical and of process, made this possible, and which made it worse?",
        must=True,
    ),
    Section(
        8,
        "response",
        "Response and resolution",
        _worked,
        "Which of these actions mattered, which did not work, and is what holds now temporary or permanent?",
        must=True,
    ),
    Section(9, "timeline", "Timeline (UTC)", lambda f: bool(f.days), must=True, complete=lambda f: bool(f.days)),
    Section(10, "decisions", "Decisions", lambda f: bool(f.decisions)),
    Section(11, "hypotheses", "Hypotheses", lambda f: bool(f.incident.hypotheses)),
    Section(12, "commands", "Commands run", lambda f: bool(f.commands)),
    Section(13, "communications", "Communications", lambda f: bool(f.incident.updates or f.promises)),
    Section(
        14,
        "lessons",
        "What went well, what went badly, where we were lucky",
        _lessons,
        "What went well? What went badly? Where were we lucky?",
        must=True,
    ),
    Section(
        15,
        "surprises",
        "What surprised us",
        _never,
        "Where did the systems or the response differ from what we expected?",
    ),
    Section(
        16,
        "actions",
        "Action items",
        lambda f: bool(f.incident.follow_ups or f.incident.tasks),
        "Which further actions prevent, detect, mitigate or repair this? Which will not be done, and why? Each wants a "
        "verb, an owner, a date and a ticket.",
        must=True,
    ),
    Section(17, "questions", "Open questions", _raised, "What could nobody answer yet?"),
    Section(
        18,
        "external",
        "External message",
        _never,
        "What do we say outside: what happened, and what are we doing about it?",
    ),
    Section(19, "evidence", "Supporting evidence", _evidence),
    Section(20, "integrity", "Integrity note", _always),
)

TITLES: Final = frozenset(
    {
        *(f"{section.number}. {section.title}" for section in SECTIONS),
        *(section.title for section in SECTIONS),
        *("Key times", "Roles", "What the board said", "Timeline", "Open actions", "Integrity", "Lessons learned"),
        *("Executive summary", "What happened", "What went well?", "What went badly?", "Root causes", "Resolution"),
        *("Action items", "Responders", "Charts", "Background", "Overview", "Internal messaging", "Measurements"),
    }
)
"""Headings of the shipped templates: what is not one of them somebody wrote."""


def answered(document: Document) -> frozenset[str]:
    """Names of the sections whose question people answered: they deleted it, or wrote below it."""
    found = set()
    here = {part.block for part in document.parts}
    lines = [line for part in document.parts for line in ((*part.lines, "#") if not part.block else ("#",))]
    for section in SECTIONS:
        if section.question and section.name in here:
            asked = plain(f"{QUESTION}{section.question}_")
            places = [at for at, line in enumerate(lines) if plain(line) == asked]
            if all(_answer(lines[at + 1 :]) for at in places):
                found.add(section.name)
    return frozenset(found)


def _answer(lines: list[str]) -> bool:
    for line in lines:
        if line.strip():
            return not line.startswith("#")
    return False
