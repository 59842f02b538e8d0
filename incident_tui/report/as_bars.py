"""The Mermaid chart of a report as HTML, for a page that may run no script: a line of text and a bar for each of its
rows. The bars are SVG with lengths in percent, so that they fit a phone and paper. Pure.
"""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Final

_SECTION: Final = re.compile(r"    section ([a-z]+)")
_AT: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
_ROW: Final = re.compile(rf"    ([^:;#\n]+) :(milestone, )?({_AT}), ({_AT}|0s)")
_HEAD: Final = "gantt\n    dateFormat YYYY-MM-DDTHH:mm:ss\n"
_HEIGHT: Final = 8
_LEAST: Final = 0.6
"""So much of the width, in percent, has whatever is short."""


def bars(chart: str) -> str:
    """HTML for a chart of `charts.gantt`; empty when it is not one of those."""
    if not chart.startswith(_HEAD):
        return ""
    try:
        rows = _rows(chart)
    except ValueError:  # a date that is none
        return ""
    if not rows:
        return ""
    first, last = min(row[2] for row in rows), max(row[3] for row in rows)
    whole = (last - first) or timedelta(seconds=1)
    clock = "%H:%M" if first.date() == last.date() else "%m-%d %H:%M"
    out = [f'<div class="chart">\n<p>From {first:%Y-%m-%d %H:%MZ} to {last:%Y-%m-%d %H:%MZ}:</p>\n']
    before = ""
    for section, name, since, until, moment in rows:
        if section != before:
            out.append(f"<h3>{section}</h3>\n")
            before = section
        when = f"{since:{clock}}" if moment else f"{since:{clock}} to {until:{clock}}"
        width = max((until - since) / whole * 100, _LEAST)
        place = min((since - first) / whole * 100, 100 - width)
        out.append(
            f"<p>{html.escape(name)}, {when}</p>\n"
            f'<svg width="100%" height="{_HEIGHT}"><rect width="100%" height="{_HEIGHT}"></rect>'
            f'<rect class="{section}" x="{place:.2f}%" width="{width:.2f}%" height="{_HEIGHT}"></rect></svg>\n'
        )
    out.append("</div>\n")
    return "".join(out)


def _rows(chart: str) -> list[tuple[str, str, datetime, datetime, bool]]:
    """Section, name, from, to, and whether it is a moment. Raises ValueError."""
    section = ""
    rows: list[tuple[str, str, datetime, datetime, bool]] = []
    for line in chart.split("\n"):
        if found := _SECTION.fullmatch(line):
            section = found[1]
        elif found := _ROW.fullmatch(line):
            since = _time(found[3])
            rows.append((section, found[1], since, since if found[2] else _time(found[4]), bool(found[2])))
    return rows


def _time(said: str) -> datetime:
    return datetime.fromisoformat(said).replace(tzinfo=UTC)
