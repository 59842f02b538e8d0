"""Pictures that a terminal, a Git host and a printer can show: lines of block characters, and a Mermaid gantt. Pure.

The numbers are those that the watch left in the journal (`Kind.EVIDENCE` with `series`); a gap stays a gap.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from incident_tui import text
from incident_tui.incident.entry import Kind, utc
from incident_tui.incident.views import Incident, TimelineRow
from incident_tui.incident.words import time_of
from incident_tui.report.escape import Redact, Safe
from incident_tui.report.source import Chart, Spell

_LEVELS: Final = "▁▂▃▄▅▆▇█"
GAP: Final = "·"
BARS: Final = 40
"""Findings in a gantt; the worst are drawn."""
_RANKS: Final = {"crit": 0, "warn": 1}


def spark(points: Sequence[float | None]) -> str:
    """A sign for each point, from the lowest to the highest that is there; of equal ones the lowest sign."""
    here = [one for one in points if one is not None]
    low, high = min(here, default=0.0), max(here, default=0.0)
    room = (high - low) or 1.0
    return "".join(GAP if one is None else _LEVELS[round((one - low) / room * 7)] for one in points)


def charts(rows: Iterable[TimelineRow]) -> tuple[Chart, ...]:
    """From the entries that have series, in the order of the timeline; what is no number is a gap."""
    found: list[Chart] = []
    for row in rows:
        said = row.entry.data.get("series")
        since, step = time_of(row.entry.data.get("since")), row.entry.data.get("step")
        if row.entry.kind is not Kind.EVIDENCE or row.struck or not isinstance(said, list) or since is None:
            continue
        if not isinstance(step, int) or not 0 < step < 86_400:
            continue
        for one in said:
            if not isinstance(one, dict) or not isinstance(one.get("points"), list):
                continue
            points = [_number(point) for point in one["points"][:240]]
            here = [point for point in points if point is not None]
            if here:
                unit = text.sanitise(str(one.get("unit", "")), limit=12)
                found.append(
                    Chart(
                        label=text.sanitise(f"{one.get('of', '')} {one.get('name', '')}", limit=60),
                        line=spark(points),
                        scale=f"{min(here):.4g} to {max(here):.4g}{unit}",
                        step=timedelta(seconds=step),
                        since=since,
                        ref=row.ref,
                    )
                )
    return tuple(found)


def _number(value: Any) -> float | None:
    good = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15
    return float(value) if good else None


def charts_text(found: Sequence[Chart]) -> str:
    """Plain lines, for a fenced block: a label, the line, its scale; a time line above those that begin together."""
    width = max((len(one.label) for one in found), default=0)
    lines: list[str] = []
    since: datetime | None = None
    for one in found:
        if one.since != since:
            since = one.since
            until = since + one.step * len(one.line)
            lines.append(
                f"{utc(since):%Y-%m-%d %H:%MZ} to {utc(until):%H:%MZ}, {int(one.step.total_seconds())} s a sign"
            )
        lines.append(f"{one.label:<{width}} {one.line} {one.scale}")
    return "\n".join(lines)


def gantt(incident: Incident, spells: Sequence[Spell], until: datetime | None, redact: Redact) -> Safe:
    """Severity, status, command, sites that failed, what was critical, milestones. What has no end ends at `until`.

    Mermaid reads ":", ";", "#", "," and line ends in a name as its own: names keep letters, digits and a few signs.
    """
    if until is None or incident.declared_at is None:
        return Safe("")
    made = _Gantt(until, redact)
    made.section("severity", [(f"SEV{one.level}", one.since, one.until) for one in incident.severities])
    made.section("status", [(f"is {one.status}", one.since, one.until) for one in incident.statuses])
    made.section("command", [(f"IC {one.who}", one.since, one.until) for one in incident.commands])
    sites = [one for one in spells if one.finding.startswith("site.")]
    made.section("sites", [(f"site {_what(one)}", one.since, one.until) for one in sites[:BARS]])
    others = sorted(
        (one for one in spells if not one.finding.startswith("site.")), key=lambda one: _RANKS.get(one.worst, 2)
    )[:BARS]
    others.sort(key=lambda one: (one.since, one.ref))
    made.section("findings", [(f"{one.worst} {_what(one)}", one.since, one.until) for one in others])
    said = [one for one in incident.milestones.values() if one.at is not None]
    made.milestones([(f"was {one.name}", one.at) for one in said if one.at is not None])
    return Safe("\n".join(made.lines))


def _what(spell: Spell) -> str:
    """Of what, and which of its troubles: "web2 (memory)"."""
    return f"{spell.subject[:40]} ({spell.finding.rpartition('.')[2][:24]})"


class _Gantt:
    def __init__(self, until: datetime, redact: Redact) -> None:
        self.until = until
        self.redact = redact
        self.lines = ["gantt", "    dateFormat YYYY-MM-DDTHH:mm:ss", "    axisFormat %H:%M", "    todayMarker off"]

    def _name(self, said: str) -> str:
        clean = self.redact(text.sanitise(said, limit=200))[0]
        return " ".join(re.sub(r"[^\w ./()+-]", " ", clean)[:72].split()) or "unnamed"

    def section(self, name: str, bars: Sequence[tuple[str, datetime, datetime | None]]) -> None:
        if bars:
            self.lines.append(f"    section {name}")
        for said, since, until in bars:
            stop = max(until or self.until, since + timedelta(seconds=1))
            self.lines.append(f"    {self._name(said)} :{_iso(since)}, {_iso(stop)}")

    def milestones(self, said: Sequence[tuple[str, datetime]]) -> None:
        if said:
            self.lines.append("    section milestones")
        for name, at in said:
            self.lines.append(f"    {self._name(name)} :milestone, {_iso(at)}, 0s")


def _iso(at: datetime) -> str:
    return f"{utc(at):%Y-%m-%dT%H:%M:%S}"
