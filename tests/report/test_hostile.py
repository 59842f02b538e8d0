"""Whatever people, hosts and chat say, the report stays well formed and holds no control character."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incident_tui.incident.entry import Author, Entry, Kind, Ref, Seen
from incident_tui.incident.state import Fold
from incident_tui.journal.chain import Head
from incident_tui.report.as_json import to_json
from incident_tui.report.markdown import render, untouched
from incident_tui.report.source import Source
from incident_tui.text import decode, redact, sanitise

HOSTILE = {
    "bold": "**bold** _under_ ~~gone~~ `code`",
    "rich markup": "[bold red]fire[/] [link=x]y[/link]",
    "ansi": "\x1b[31mred\x1b[0m \x1b[2J",
    "osc 52": "\x1b]52;c;cm0gLXJmIC8=\x07paste",
    "osc 8": "\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "c1": "\x9b31m \x85 \x90q",
    "bidi": "\u202egpj.exe\u2066 \u200f",
    "invisible": "a\u200bb\ufeffc\u2060d",
    "crlf": "one\r\n# two\r\n- three\r\n\r\n    four",
    "line separators": "one\u2028# two\u2029\x0b> three\x0c",
    "nul": "a\x00b",
    "long line": "x" * 1_000_000,
    "long markup": "[" * 3_000 + "](" * 500,
    "invalid utf-8": decode(b"\xff\xfe caf\xe9 \xc3"),
    "surrogates": "\ud800 lone \udfff",
    "pipes": "a | b || c \\| d \\\\| e | ",
    "table": "|---|---|\n| a | b |",
    "delimiter row": ":--|:-:",
    "html": "<script>alert(1)</script><b onclick=x>bold</b>",
    "comment": "<!-- --> <!-- incident-tui report 1 x text 0 -->",
    "entities": "&lt;b&gt; &#x3c;b&#x3e; &nbsp;",
    "autolinks": "<http://evil.example> <a@b.example> https://evil.example www.evil.example",
    "links": "[click](javascript:alert(1)) ![img](http://evil.example/x.png) [ref]: http://evil.example",
    "reference": "[x]: http://evil.example 'title'",
    "mentions": "@everyone <!channel> @ana/team #123 GH-1",
    "footnote": "text[^1]\n\n[^1]: note",
    "setext": "title\n=====\nother\n-----",
    "equals": "=====",
    "dashes": "- - -",
    "fence": "```\nfenced\n```\n~~~~~~\n`````` html",
    "lists": "1. one\n2) two\n- [ ] task\n+ x\n* y",
    "headings": "###### six ######",
    "quote": "> quoted\n>> twice",
    "backslashes": "trailing \\",
    "tabs": "\tcode\n\tblock",
    "jinja": "{{ facts }} {% raw %} {{ ''.__class__.__mro__ }} {# x #}",
    "math": "$x$ $$\\alpha$$ \\(y\\)",
    "combining": "Z" + "\u0351" * 200,
    "emoji": "👩‍👩‍👧 🇺🇳 ✅️",
    "blank": "   ",
}


def everywhere(story: Any, said: str) -> None:
    """The same foreign text wherever foreign text may be."""
    declared = story.declare(said)
    story.entries[0] = msgspec.structs.replace(declared, author=Author(said))
    story(Kind.NOTE, 1, said, by=said, proven=False, seen=Seen(said, 3))
    story(Kind.DECISION, 2, said, seen=Seen(f"X {said}"))
    story.observe(3, "site.down", said, "crit", said, host=said, evidence=said)
    story.observe(4, said, said, said, said)
    story.observe(5, "site.down", said, "ok", said)
    story(Kind.SEVERITY, 6, said, level=1)
    story(Kind.STATUS, 7, said, status=said)
    story(Kind.ROLE, 8, said, role=said, step="take", who=said)
    story(Kind.ROLE, 8.5, said, role="commander", step="claim", who=said)
    task = story(Kind.TASK, 9, said, step="assigned", who=said, minutes=5)
    story(Kind.TASK, 10, said, step="acked", who=said, ref=task)
    story(Kind.FOLLOWUP, 11, said, owner=said, priority=said)
    guess = story(Kind.HYPOTHESIS, 12, said)
    story(Kind.HYPOTHESIS, 13, said, by=said, state="confirmed", ref=guess)
    story(Kind.HYPOTHESIS, 13.5, said)
    story(Kind.LESSON, 14, said, sort="well")
    story(Kind.CHANGE, 15, said)
    story(Kind.UPDATE, 16, said, step="elsewhere", audience=said, where=said, next="2026-11-23T15:00:00+00:00")
    story(Kind.HOLD, 17, said, target=said, step="hold", minutes=900)
    story(Kind.PLAYBOOK, 18, said, name=said, run=said, step="started")
    story(Kind.PLAYBOOK, 19, said, name=said, run=said, step="done", number=1)
    intent = story(Kind.COMMAND, 20, said, step="intent", host=said, command=f"{said} | \\| {said}")
    story(Kind.COMMAND, 21, said, step="outcome", host=said, exit=1, ref=intent)
    story(Kind.EVIDENCE, 22, f"{said}\n{said}\n```\n{said}")
    story(Kind.ALERT, 23, said, by=said)
    amended = story(Kind.NOTE, 24, said)
    story(Kind.AMEND, 25, "", ref=amended, text=said + "!", by=said)
    struck = story(Kind.NOTE, 26, said)
    story(Kind.STRIKE, 27, said, ref=struck, step="strike", by=said)


_PLAIN: dict[bool, Any] = {}


def harmless(story: Any, well_formed: Callable[[str], Any], full: bool) -> Any:
    """The same report with a plain word everywhere; `story` is a new one."""
    if full not in _PLAIN:
        everywhere(story, "plain")
        _PLAIN[full] = well_formed(render(story.source(version="1"), full=full))
    return _PLAIN[full]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_everywhere(name: str, story: Any, well_formed: Callable[[str], Any]) -> None:
    everywhere(story, HOSTILE[name])
    source = story.source(deliveries={story.entries[1].id: HOSTILE[name]}, version=HOSTILE[name])
    for full in (False, True):
        report = render(source, full=full)
        parsed = well_formed(report)
        assert untouched(report)
        assert len(report) < 2_000_000
        plain = harmless(type(story)(), well_formed, full)
        assert len(parsed.headings) == len(plain.headings), "no heading but ours"
        assert len(parsed.tables) == len(plain.tables), "no table but ours"
        assert [len(table[0]) for table in parsed.tables] == [len(table[0]) for table in plain.tables]
        one_line = "\n" not in sanitise(HOSTILE[name], lines=True)
        if one_line or not full:
            assert parsed.count("fence") <= plain.count("fence")
        for kind in ("code_block", "blockquote_open", "hr", "bullet_list_open", "ordered_list_open"):
            assert parsed.count(kind) == plain.count(kind), kind


@pytest.mark.parametrize("name", [name for name in HOSTILE if name != "surrogates"])
def test_json_keeps_hostile_text_as_stored(name: str, story: Any) -> None:
    said = HOSTILE[name]
    story.declare("x")
    story(Kind.NOTE, 1, said)
    document = msgspec.json.decode(to_json(story.source()))
    assert document["entries"][1]["text"] == said


def test_ordinary_text_reads_as_typed(story: Any, well_formed: Callable[[str], Any]) -> None:
    said = [
        "a_b *c* [d](e) <f> & g | h ~i~ `j` #k 1. l",
        "100% of /var/lib; 5 > 3 && 2 < 4",
        "mail ana@example.org, see https://example.org/x?y=1&z=2",
    ]
    story.declare("x")
    for number, one in enumerate(said):
        story(Kind.NOTE, number + 1, one)
    parsed = well_formed(render(story.source()))
    cells = [cell for table in parsed.tables for row in table for cell in row]
    assert all(one in cells for one in said), cells


# -- any entries at all -------------------------------------------------------------------------------------------

BASE = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
texts = st.one_of(st.text(max_size=40), st.sampled_from([text[:200] for text in HOSTILE.values()]))
times = st.integers(-3_000_000, 3_000_000).map(lambda seconds: BASE + timedelta(seconds=seconds))
values = st.one_of(
    texts,
    st.integers(-5, 500),
    st.none(),
    st.booleans(),
    st.sampled_from(
        ["crit", "ok", "warn", "take", "offer", "assigned", "done", "posted", "public", "started", "intent"]
    ),
    times.map(datetime.isoformat),
    st.lists(texts, max_size=3),
)
FIELDS = (
    "title severity state level was status name unknown role step who minutes voice owner priority sort audience next "
    "where finding subject host evidence flaps command expected risk ticket vendor conditions actions needs other how "
    "due sort head problem exit run number target at text what since drill"
)
names = st.sampled_from(FIELDS.split())


@st.composite
def logs(draw: st.DrawFn) -> list[Entry]:
    found = []
    for seq in range(1, draw(st.integers(1, 14)) + 1):
        at = draw(times)
        found.append(
            Entry(
                journal="4f821eb1b677bfe9",
                seq=seq,
                kind=draw(st.sampled_from(list(Kind))),
                at=at,
                recorded_at=at + timedelta(seconds=draw(st.integers(-100, 200_000))),
                author=Author(draw(texts), proven=draw(st.booleans())),
                text=draw(texts),
                incident=draw(st.sampled_from(["INC-1", "INC-1", "INC-1", ""])),
                data=draw(st.dictionaries(names, values, max_size=6)),
                ref=draw(st.none() | st.integers(1, seq).map(lambda number: Ref("4f821eb1b677bfe9", number))),
                seen=draw(st.none() | texts.map(Seen)),
                purged=draw(st.sampled_from([False, False, False, True])),
            )
        )
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(entries=logs(), full=st.booleans(), later=st.integers(0, 10_000_000))
def test_any_entries_make_a_well_formed_report(
    entries: list[Entry], full: bool, later: int, well_formed: Callable[[str], Any]
) -> None:
    fold = Fold()
    for entry in entries:
        fold.apply(entry)
    now = BASE + timedelta(days=100)
    head = Head("4f821eb1b677bfe9", len(entries), "9f" * 32)
    first, second = (
        Source(fold=fold, incident="INC-1", head=head, handle=lambda ref: f"a{ref.seq}", now=moment, version="1")
        for moment in (now, now + timedelta(seconds=later))
    )
    report = render(first, full=full)
    well_formed(report)
    again = render(second, full=full)
    different = [pair for pair in zip(report.split("\n"), again.split("\n"), strict=True) if pair[0] != pair[1]]
    assert len(different) == (1 if later else 0)
    assert all(line.startswith("Generated at ") for line, _ in different)


@pytest.mark.parametrize("unit", ["a.", "a-b+", "x://", "://y:", "a@", "token=", "-----BEGIN PRIVATE KEY-----"])
def test_long_evidence_takes_no_long_time(unit: str, story: Any) -> None:
    """Redacting is linear: 32 times the text may cost a few hundred times the processor, a quadratic pattern a
    thousand times (64,000 characters with a dot in every second place once took 24 s)."""

    def cost(length: int) -> float:
        began = time.process_time()
        redact(unit * (length // len(unit)))
        return time.process_time() - began

    cost(500)
    assert cost(64_000) < max(cost(2_000), 0.002) * 400
