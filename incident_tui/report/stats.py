"""Numbers over incidents: every data point, the median and the range, what is unknown; no trend, and no drills.

Lengths of incidents are few, skewed and say little of how reliable anything is (Davidovič, "Incident Metrics in SRE";
VOID reports), so a mean and an arrow would mislead.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from incident_tui.incident.metrics import Metric, metrics
from incident_tui.incident.views import Incident
from incident_tui.report.escape import span
from incident_tui.report.follow_ups import own

FEW = 5
"""Of fewer points even a median says next to nothing, and the text says so."""


class Point(msgspec.Struct, frozen=True):
    incident: str
    declared_at: datetime | None
    seconds: float


class Number(msgspec.Struct, frozen=True, kw_only=True):
    """One metric over all incidents. `median` and the range are None without points."""

    name: str
    points: tuple[Point, ...]
    median: float | None
    least: float | None
    most: float | None
    unknown: int
    """Incidents of which it is not known."""
    running: int
    """Incidents in which it still counts, left out."""


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    incidents: int
    drills_left_out: int
    undated_left_out: int
    """Whose declare entry is not here."""
    open: int
    by_severity: dict[str, int]
    """By the worst each was."""
    by_month: dict[str, int]
    numbers: tuple[Number, ...]


def stats(incidents: Sequence[Incident], now: datetime, since: datetime | None, until: datetime | None) -> Stats:
    """Of the incidents declared between the two moments."""
    alone = own(incidents)
    dated = [
        (one, one.declared_at)
        for one in alone
        if one.declared_at is not None
        and (since is None or one.declared_at >= since)
        and (until is None or one.declared_at <= until)
    ]
    counted = sorted(((one, at) for one, at in dated if not one.drill), key=lambda pair: (pair[1], pair[0].id))
    found = [(one, {metric.name: metric for metric in metrics(one, now)}) for one, _ in counted]
    names = list(dict.fromkeys(name for _, told in found for name in told if name != "time in each severity"))
    return Stats(
        incidents=len(counted),
        drills_left_out=sum(one.drill for one, _ in dated),
        undated_left_out=sum(one.declared_at is None for one in alone),
        open=sum(one.open for one, _ in counted),
        by_severity=dict(sorted(Counter(_severity(one) for one, _ in counted).items())),
        by_month=dict(sorted(Counter(f"{at:%Y-%m}" for _, at in counted).items())),
        numbers=tuple(_number(name, found) for name in names),
    )


def _severity(one: Incident) -> str:
    return "not said" if one.peak_severity is None else f"SEV{one.peak_severity}"


def _number(name: str, found: Sequence[tuple[Incident, dict[str, Metric]]]) -> Number:
    points: list[Point] = []
    unknown = running = 0
    for incident, told in found:
        metric = told.get(name)
        if metric is None and name.startswith("time in "):
            continue  # it never had that severity
        if metric is None or (metric.value is None and not metric.running):
            unknown += 1
        elif metric.running or metric.value is None:
            running += 1
        else:
            points.append(Point(incident.id, incident.declared_at, metric.value.total_seconds()))
    seconds = [point.seconds for point in points]
    return Number(
        name=name,
        points=tuple(points),
        median=statistics.median(seconds) if seconds else None,
        least=min(seconds, default=None),
        most=max(seconds, default=None),
        unknown=unknown,
        running=running,
    )


def lines(found: Stats) -> list[str]:
    """For a terminal: each point stands there, in the order of the incidents."""
    left = [f"{found.drills_left_out} drills left out"] if found.drills_left_out else []
    left += [f"{found.undated_left_out} without a declare entry left out"] if found.undated_left_out else []
    out = [", ".join([f"{found.incidents} incident{'s' * (found.incidents != 1)}, {found.open} open", *left])]
    if not found.incidents:
        return out
    out.append("by worst severity: " + ", ".join(f"{name} {count}" for name, count in found.by_severity.items()))
    out.append("by month declared: " + ", ".join(f"{name} {count}" for name, count in found.by_month.items()))
    for one in found.numbers:
        gaps = [f"{one.unknown} unknown"] if one.unknown else []
        gaps += [f"{one.running} still counting"] if one.running else []
        if one.median is None or one.least is None or one.most is None:
            out += ["", f"{one.name}: no known value ({', '.join(gaps)})"]
            continue
        few = f", too few to say more than that (under {FEW})" if len(one.points) < FEW else ""
        middle = f"median {_length(one.median)}, {_length(one.least)} to {_length(one.most)}"
        out += ["", f"{one.name}: {middle}; {len(one.points)} known{few}" + "".join(f", {gap}" for gap in gaps)]
        out += [f"  {point.incident}  {_length(point.seconds)}" for point in one.points]
    return [*out, "", "No trend is shown: lengths of incidents are few and skewed, and change for many reasons."]


def _length(seconds: float) -> str:
    """As the report has it, to the second."""
    return span(timedelta(seconds=round(seconds)))
