"""Incidents to report on: entries by hand, so that every byte of a report is known beforehand."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import cmarkgfm
import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from incident_tui.incident.entry import Author, Entry, Kind, Ref, Seen
from incident_tui.incident.state import Fold
from incident_tui.journal.chain import Head
from incident_tui.report.source import Source

START = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
JOURNAL = "4f821eb1b677bfe9"
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


OURS = re.compile(r"<!-- incident-tui (begin [a-z]+( [A-Za-z0-9_.-]+)?|end [a-z]+) -->")


class Story:
    """Entries of one incident "INC-1"; times are minutes after 2026-11-23 14:00Z."""

    def __init__(self, start: datetime = START) -> None:
        self.start = start
        self.entries: list[Entry] = []

    def __call__(
        self,
        kind: Kind,
        at: float = 0,
        text: str = "",
        /,
        *,
        by: str = "ana",
        proven: bool = True,
        ref: Entry | Ref | None = None,
        recorded: float | None = None,
        seen: Seen | None = None,
        incident: str = "INC-1",
        source: str = "",
        **data: Any,
    ) -> Entry:
        entry = Entry(
            journal=JOURNAL,
            seq=len(self.entries) + 1,
            kind=kind,
            at=self.start + timedelta(minutes=at),
            recorded_at=self.start + timedelta(minutes=at if recorded is None else recorded),
            author=Author(by, proven=proven),
            text=text,
            incident=incident,
            source=source,
            data=data,
            ref=ref.id if isinstance(ref, Entry) else ref,
            seen=seen,
        )
        self.entries.append(entry)
        return entry

    def declare(self, title: str = "gv0 split-brain, sites 502", /, *, at: float = 0, **data: Any) -> Entry:
        fields: dict[str, Any] = {"title": title, "severity": 2} | data
        return self(Kind.DECLARE, at, title, **fields)

    def observe(self, at: float, finding: str, subject: str, level: str, text: str, **data: Any) -> Entry:
        data = {"finding": finding, "subject": subject, "level": level, "host": "", **data}
        return self(Kind.OBSERVATION, at, text, by="watch", proven=False, incident="", recorded=at + 0.5, **data)

    def purge(self, entry: Entry, at: float) -> Entry:
        """As the journal does it: the entry is emptied, and an order to purge it is appended."""
        import msgspec

        self.entries[entry.seq - 1] = msgspec.structs.replace(entry, text="", data={}, seen=None, purged=True)
        return self(Kind.PURGE, at, "a password", ref=entry, kind=entry.kind.value, tombstone="0" * 64)

    def source(self, **changes: Any) -> Source:
        fold = Fold()
        for entry in self.entries:
            fold.apply(entry)
        fields: dict[str, Any] = {
            "fold": fold,
            "incident": "INC-1",
            "head": Head(JOURNAL, len(self.entries), "9f" * 32),
            "handle": lambda ref: f"a{ref.seq}",
            "now": datetime(2026, 12, 1, 9, 0, tzinfo=UTC),
            "version": "0.1.0",
        }
        return Source(**(fields | changes))


@pytest.fixture
def story() -> Story:
    return Story()


@pytest.fixture
def new_story() -> Callable[[datetime], Story]:
    return Story


def bare(report: str) -> str:
    """Without the program's markers and the blank lines around them."""
    kept = re.sub(r"(?m)^<!-- incident-tui (?:begin|end) .*-->\n\n?", "", report)
    return re.sub(r"\n{3,}", "\n\n", kept)


class Parsed:
    """A report as a CommonMark and GFM parser sees it."""

    def __init__(self, report: str) -> None:
        parser = MarkdownIt("gfm-like")
        assert parser.linkify is not None
        parser.linkify.set({"fuzzy_link": False, "fuzzy_email": False})
        self.tokens: list[Token] = parser.parse(report)
        self.inline = [child for token in self.tokens for child in token.children or ()]

    def count(self, kind: str) -> int:
        return sum(token.type == kind for token in (*self.tokens, *self.inline))

    @property
    def headings(self) -> list[str]:
        found = []
        for index, token in enumerate(self.tokens):
            if token.type == "heading_open":
                found.append(self.text(self.tokens[index + 1]))
        return found

    @property
    def tables(self) -> list[list[list[str]]]:
        """Each table's rows of cells, as they read."""
        tables: list[list[list[str]]] = []
        for index, token in enumerate(self.tokens):
            if token.type == "table_open":
                tables.append([])
            elif token.type == "tr_open":
                tables[-1].append([])
            elif token.type in ("th_open", "td_open"):
                tables[-1][-1].append(self.text(self.tokens[index + 1]))
        return tables

    @staticmethod
    def text(token: Token) -> str:
        return "".join(child.content for child in token.children or ())


def assert_well_formed(report: str) -> Parsed:
    """Valid, with no markup but ours and no control character; returns it parsed."""
    assert not CONTROL.search(report), repr(CONTROL.search(report))
    assert report.startswith("<!-- incident-tui report ")
    assert report.endswith("\n")
    parsed = Parsed(report)
    html = [token.content.strip() for token in parsed.tokens if token.type == "html_block"]
    assert html[0].startswith("<!-- incident-tui report"), "our first line"
    assert all(OURS.fullmatch(one) for one in html[1:]), "only our markers"
    for kind in ("html_inline", "link_open", "image"):
        assert not parsed.count(kind), kind
    lines = report.split("\n")
    delimiters = [line for line in _outside_fences(lines) if re.fullmatch(r"\|(---\|)+", line)]
    assert parsed.count("table_open") == len(delimiters), "every table"
    assert parsed.count("tr_open") == sum(
        line.startswith("|") and not re.fullmatch(r"\|(---\|)+", line) for line in _outside_fences(lines)
    )
    for line in _table_rows(lines):
        cells = len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) - 1
        assert cells == line.width, line
    _well_formed_on_github(report, len(html), parsed.count("table_open"))
    return parsed


def _well_formed_on_github(report: str, comments: int, tables: int) -> None:
    """As GitHub's own parser sees it: the same tables, no link but to addresses, no image, no HTML but ours."""
    shown = cmarkgfm.github_flavored_markdown_to_html(report)
    assert shown.count("<!-- raw HTML omitted -->") == comments
    assert shown.count("<table>") == tables
    # It makes a link of an address however that is escaped, which does no harm.
    assert not re.search(r"<(?:a (?!href=\"mailto:)|(?:img|script|iframe|svg)\b)", shown)


class _Row(str):
    width: int = 0


def _table_rows(lines: Sequence[str]) -> list[_Row]:
    """The rows of tables, each knowing how many columns its table has."""
    found: list[_Row] = []
    outside = _outside_fences(lines)
    width = 0
    for index, line in enumerate(outside):
        if not line.startswith("|"):
            width = 0
            continue
        if not width:
            width = outside[index + 1].count("|") - 1
        row = _Row(line)
        row.width = width
        found.append(row)
    return found


def _outside_fences(lines: Sequence[str]) -> list[str]:
    found: list[str] = []
    fence = ""
    for line in lines:
        ticks = line[: len(line) - len(line.lstrip("`"))]
        if fence:
            if line.rstrip() == ticks and len(ticks) >= len(fence):
                fence = ""
        elif len(ticks) >= 3:
            fence = ticks
        else:
            found.append(line)
    return found


@pytest.fixture
def well_formed() -> Callable[[str], Parsed]:
    return assert_well_formed
