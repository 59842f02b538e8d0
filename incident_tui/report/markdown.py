"""The report as Markdown (CommonMark with GFM tables).

Its first line is a comment that says whose report it is and carries a fingerprint of what follows, so that an export
to the same file can tell its own output from a text that people have worked on.
"""

from __future__ import annotations

import re
from typing import Final

from incident_tui.journal.chain import sha256
from incident_tui.report.facts import gather
from incident_tui.report.sections import SECTIONS
from incident_tui.report.source import Source
from incident_tui.report.template import Templates

MARKER: Final = "<!-- incident-tui report"
GENERATED: Final = "Generated at "
"""How the only line begins that differs between two exports of the same entries."""
_FIRST_LINE: Final = re.compile(re.escape(MARKER) + r" 1 [^\n]* text ([0-9a-f]{16}) -->\n")


def render(source: Source, *, full: bool = False) -> str:
    """The report: one page, or with `full` every section that the entries or people can fill."""
    facts = gather(source, full=full)
    body = Templates(source.handle).fill("full.md.j2" if full else "page.md.j2", facts=facts, sections=SECTIONS)
    name = re.sub(r"[^A-Za-z0-9._]+|-{2,}", "-", source.incident)[:80].strip("-")
    return f"{MARKER} 1 {name} text {_fingerprint(body)} -->\n{body}"


def untouched(report: str) -> bool:
    """Whether a text is a report as this program wrote it, and nobody has changed it since."""
    first = _FIRST_LINE.match(report)
    return first is not None and first.group(1) == _fingerprint(report[first.end() :])


def _fingerprint(body: str) -> str:
    """Of everything but the generated-at line."""
    kept = "\n".join(line for line in body.split("\n") if not line.startswith(GENERATED))
    return str(sha256(kept.encode()).hexdigest())[:16]
