"""The numbers of an incident, each with its formula, or the reason why it is not known. Nothing is invented. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from incident_tui.incident.views import Incident


class Metric(msgspec.Struct, frozen=True):
    """`value` None: unknown, and `why_unknown` is one sentence. `running`: still counting, measured until now."""

    name: str
    formula: str
    value: timedelta | None = None
    why_unknown: str = ""
    running: bool = False


_SPANS: Final = (
    ("time to detect", "detected", "started"),
    ("time to declare", "declared", "detected"),
    ("time to acknowledge", "acknowledged", "detected"),
    ("time to mitigate", "mitigated", "started"),
    ("time to recover", "recovered", "started"),
    ("time to resolve", "resolved", "started"),
    ("length of the response", "resolved", "declared"),
)
"""Name, later and earlier milestone."""


def metrics(incident: Incident, now: datetime) -> list[Metric]:
    """In the order of the report: spans between milestones, impact, time in each severity, first public update."""
    found = [_between(incident, name, later, earlier) for name, later, earlier in _SPANS]
    found.append(_impact(incident, now))
    found += _severities(incident, now)
    found.append(_first_update(incident))
    return found


def _between(incident: Incident, name: str, later: str, earlier: str) -> Metric:
    formula = f"{later} - {earlier}"
    missing = [_missing(incident, one) for one in (earlier, later)]
    if any(missing):
        return Metric(name, formula, why_unknown="; ".join(one for one in missing if one) + ".")
    end, start = incident.milestones[later].at, incident.milestones[earlier].at
    assert end is not None and start is not None
    if end < start:
        return Metric(name, formula, why_unknown=f"{later} lies before {earlier}: one of them is wrong.")
    return Metric(name, formula, end - start)


def _missing(incident: Incident, name: str) -> str:
    milestone = incident.milestones.get(name)
    if milestone is None:
        return f"{name} was not said"
    return f"{name} is known to be unknowable" if milestone.unknown else ""


def impact(incident: Incident) -> tuple[datetime | None, datetime | None]:
    """When people felt it: from `started` to `recovered`, or `resolved` when recovered was not said. None: unknown."""
    start = incident.milestones.get("started")
    end = incident.milestones.get("recovered") or incident.milestones.get("resolved")
    return (start.at if start else None, end.at if end else None)


def _impact(incident: Incident, now: datetime) -> Metric:
    ended_by = "recovered" if "recovered" in incident.milestones else "resolved"
    formula = f"{ended_by} - started"
    start, end = impact(incident)
    if start is None:
        return Metric("length of the impact", formula, why_unknown=_missing(incident, "started") + ".")
    if end is None:
        if ended_by in incident.milestones or not incident.open:
            return Metric("length of the impact", formula, why_unknown=_missing(incident, ended_by) + ".")
        return Metric("length of the impact", "now - started", max(now - start, timedelta(0)), running=True)
    if end < start:
        return Metric("length of the impact", formula, why_unknown=f"{ended_by} lies before started: one is wrong.")
    return Metric("length of the impact", formula, end - start)


def _severities(incident: Incident, now: datetime) -> list[Metric]:
    """Time in each severity, worst first, from the declare to the resolve, stand-down or close, whichever is first."""
    if not incident.severities:
        return [Metric("time in each severity", "sum of its stretches", why_unknown="no severity was said.")]
    resolved = incident.milestones.get("resolved")
    ends = [resolved.at if resolved else None, incident.stood_down_at, incident.closed_at]
    ended = min((at for at in ends if at is not None), default=None)
    until = ended if ended is not None else now
    totals: dict[int, timedelta] = {}
    for span in incident.severities:
        stop = min(span.until or until, until)
        totals[span.level] = totals.get(span.level, timedelta(0)) + max(stop - span.since, timedelta(0))
    end = "resolved, stood down or closed, the first of them" if ended is not None else "now"
    return [
        Metric(f"time in SEV{level}", f"sum of its stretches, until {end}", totals[level], running=ended is None)
        for level in sorted(totals)
    ]


def _first_update(incident: Incident) -> Metric:
    formula = "first public update - declared"
    if incident.declared_at is None:
        return Metric("time to the first public update", formula, why_unknown="declared was not said.")
    first = min((one.at for one in incident.updates if one.audience == "public"), default=None)
    if first is None:
        return Metric("time to the first public update", formula, why_unknown="no public update was recorded.")
    if first < incident.declared_at:
        return Metric("time to the first public update", formula, why_unknown="it was posted before the declare.")
    return Metric("time to the first public update", formula, first - incident.declared_at)
