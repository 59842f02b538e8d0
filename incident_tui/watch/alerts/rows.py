"""What the watch puts on the board about alerts, and the findings of it. Pure; imports no asyncio.

Key on the board: "alerts" -> AlertsRow; among its details "alerts" -> Firings, for the next watch.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from incident_tui.hosts.readings import CLOCK_TOLERANCE
from incident_tui.incident.finding import Finding, Level
from incident_tui.watch.alerts.settings import AlertSource, Listener

SHOWN: Final = 30
"""Groups of firing alerts that are shown; the others are counted."""
REFRESH: Final = timedelta(seconds=10)
"""So often the row is put anew though nothing changed."""
MAX_AGE: Final = timedelta(seconds=45)
"""An older row is no news of anything."""

ALERT_RULES: Final = {
    "alert.firing": "an alert from outside fires",
    "alert.stale": "a firing alert was not heard of for long",
    "alert.source": "a source of alerts, or the listener for them, does not work",
}
"""Rule ids of this module, with what they mean; playbooks name them in `when`."""


class Firing(msgspec.Struct, frozen=True, kw_only=True):
    """One alert that fires, as it was last told."""

    source: str
    key: str
    episode: str
    title: str
    text: str
    level: str
    severity: str = ""
    since: datetime
    seen_at: datetime
    group: str = ""
    host: str = ""
    link: str = ""
    silenced: bool = False
    acknowledged: bool = False


class Firings(msgspec.Struct, frozen=True):
    """All that fires, bounded."""

    alerts: tuple[Firing, ...] = ()


class FiringGroup(msgspec.Struct, frozen=True, kw_only=True):
    """What fires of one group, as one line."""

    source: str
    group: str
    level: str
    title: str
    """Of the worst, oldest one."""
    text: str = ""
    count: int = 1
    since: datetime
    heard_at: datetime
    """When one of them was last told."""
    hosts: tuple[str, ...] = ()
    acknowledged: bool = False


class SourceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One source. Of one that is only posted to nothing is known between two posts."""

    name: str
    heard_at: datetime | None = None
    """When it last answered, or posted something well-formed."""
    problem: str = ""
    """Why nothing comes, or what was wrong with the last thing; empty when it is well."""
    since: datetime | None = None
    """Since when there is a problem."""
    polled: bool = False


class AlertsRow(msgspec.Struct, frozen=True, kw_only=True):
    """What fires now."""

    at: datetime
    groups: tuple[FiringGroup, ...] = ()
    """Worst first."""
    firing: int = 0
    """Alerts, of all groups, without those that are silenced."""
    more: int = 0
    """Groups that are not in `groups`."""
    silenced: int = 0
    sources: tuple[SourceRow, ...] = ()
    listener: str = ""
    """Why the listener does not work; empty when it does, or there is none."""


def alert_findings(
    sources: Sequence[AlertSource], listener: Listener, row: AlertsRow | None, now: datetime
) -> list[Finding]:
    """What fires, and what is not known of alerts."""
    if row is None:
        if not sources:
            return []
        return [Finding("alert.source", Level.UNKNOWN, "alerts", "alerts: nothing heard yet", now)]
    found: list[Finding] = []
    age = now - row.at
    if (sources or row.groups) and not -CLOCK_TOLERANCE <= age <= MAX_AGE:
        said = f"alerts: last heard of {_span(age)} ago; what fires is not known"
        found.append(Finding("alert.source", Level.UNKNOWN, "alerts", said, row.at))
    if row.listener and listener.bind:
        found.append(Finding("alert.source", Level.UNKNOWN, "listener", f"listener: {row.listener}", row.at))
    known = {source.name for source in sources}
    found += [
        Finding("alert.source", Level.UNKNOWN, one.name, f"{one.name}: {one.problem}{_since(one, now)}", row.at)
        for one in row.sources
        if one.problem and one.name in known
    ]
    patience = {source.name: timedelta(minutes=source.stale_minutes) for source in sources}
    groups = (_group(one, patience.get(one.source, _PATIENCE), now) for one in row.groups)
    found += [one for one in groups if one is not None]
    if row.more:
        sentence = f"{row.more} more groups of alerts fire ({row.firing} alerts in all)"
        found.append(Finding("alert.firing", Level.WARN, "more alerts", sentence, row.at))
    return found


_PATIENCE: Final = timedelta(minutes=300)
_LEVEL: Final = {"crit": Level.CRIT, "warn": Level.WARN}


def _group(one: FiringGroup, patience: timedelta, now: datetime) -> Finding | None:
    """None for what is only information: that is no trouble, until nothing is heard of it."""
    subject = f"{one.source}/{one.group}"
    many = f" x{one.count}" if one.count > 1 else ""
    where = f" on {', '.join(one.hosts[:4])}" if one.count > 1 and one.hosts else ""
    text = f": {one.text}" if one.text and one.count == 1 else ""
    acked = ", acknowledged" if one.acknowledged else ""
    sentence = f"{one.title}{many}{where}{text} ({one.source}, for {_span(now - one.since)}{acked})"
    host = one.hosts[0] if len(one.hosts) == 1 else ""
    evidence = f"told by {one.source} at {one.heard_at:%Y-%m-%d %H:%M:%SZ}"
    silent = now - one.heard_at
    if silent > patience:
        sentence = f"{sentence}; not heard of for {_span(silent)}"
        return Finding("alert.stale", Level.UNKNOWN, subject, sentence, one.heard_at, host, evidence)
    if one.level not in _LEVEL:
        return None
    return Finding("alert.firing", _LEVEL[one.level], subject, sentence, one.heard_at, host, evidence)


def _since(one: SourceRow, now: datetime) -> str:
    return "" if one.since is None else f" (for {_span(now - one.since)})"


def _span(value: timedelta) -> str:
    seconds = max(0, int(value.total_seconds()))
    if seconds < 120:
        return f"{seconds}s"
    minutes = seconds // 60
    return f"{minutes}m" if minutes < 120 else f"{minutes // 60}h{minutes % 60:02d}m"
