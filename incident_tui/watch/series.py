"""The numbers of an incident's hours into its journal: the board keeps the last hour only, and is a cache. Pure.

One evidence entry an hour while an incident is open, and one when it is resolved, stood down or closed: for each host
memory and containers up, for each volume entries to heal, for each site latency and whether it failed. Bounded: a point
a minute, at most `SERIES` series, those that changed most first.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from incident_tui.incident.entry import Author, Draft, Kind
from incident_tui.incident.views import Incident
from incident_tui.watch.history import LOW_IS_WORSE, POINTS, STEP, History, Series
from incident_tui.watch.reminders import Reminder

SERIES: Final = 24
"""In one entry: about 6 kB with 60 points each."""
_EVERY: Final = timedelta(hours=1)
_FOLDED: Final = 2
"""Points of the board to one of the journal."""
_WANTED: Final = {
    "host": {"memory": "%", "running": " up", "swap": " pages/s"},
    "volume": {"pending": " to heal", "up": " bricks up"},
    "site": {"latency": " ms", "failing": ""},
}


def due(incident: Incident, histories: Mapping[str, History], now: datetime, author: Author) -> list[Reminder]:
    """The entry whose time has come; its key is the same however often this is asked."""
    if incident.declared_at is None:
        return []
    ended = _ended(incident)
    if ended is None:
        number = (now - incident.declared_at) // _EVERY
        return _one(incident, histories, now, author, f"hour-{number}") if number > 0 else []
    return _one(incident, histories, now, author, f"end-{ended:%Y%m%dT%H%M%S}") if now - ended < _EVERY else []


def _ended(incident: Incident) -> datetime | None:
    resolved = incident.statuses[-1].since if incident.status == "resolved" else None
    return min((at for at in (resolved, incident.stood_down_at, incident.closed_at) if at is not None), default=None)


def _one(
    incident: Incident, histories: Mapping[str, History], now: datetime, author: Author, name: str
) -> list[Reminder]:
    until = datetime.fromtimestamp(int(now.timestamp()) // STEP * STEP, UTC)
    series: list[tuple[float, dict[str, Any]]] = []
    for key, history in sorted(histories.items()):
        _, sort, of = key.split("/", 2)
        for number, unit in _WANTED.get(sort, {}).items():
            points = _folded(history.until(now, number), number)
            if any(one is not None for one in points):
                said = {"of": f"{sort} {of}", "name": number, "unit": unit, "points": points}
                series.append((_moved(points), said))
    if not series:
        return []
    kept = sorted(series, key=lambda one: -one[0])[:SERIES]
    kept.sort(key=lambda one: (one[1]["of"], one[1]["name"]))
    left = f", {len(series) - SERIES} that changed less left out" if len(series) > SERIES else ""
    length = max(len(one["points"]) for _, one in kept)
    since = until - timedelta(seconds=STEP * _FOLDED * length)
    draft = Draft(
        kind=Kind.EVIDENCE,
        text=f"numbers of {since:%H:%M} to {until:%H:%M}Z for the report: {len(kept)} series{left}",
        at=now,
        author=author,
        incident=incident.id,
        source="watch",
        data={
            "since": since.isoformat(),
            "step": STEP * _FOLDED,
            "series": [{**one, "points": [*[None] * (length - len(one["points"])), *one["points"]]} for _, one in kept],
        },
    )
    return [Reminder(f"series:{incident.id}:{name}", draft)]


def _folded(points: Series, name: str) -> list[float | None]:
    """The worst of each two, aligned at the newest."""
    worst = min if name in LOW_IS_WORSE else max
    points = (*([None] * (len(points) % _FOLDED)), *points)[-POINTS:]
    pairs = [[one for one in points[at : at + _FOLDED] if one is not None] for at in range(0, len(points), _FOLDED)]
    return [worst(pair) if pair else None for pair in pairs]


def _moved(points: list[float | None]) -> float:
    """How much it changed, as a part of its highest; what stood still is worth least."""
    here = [one for one in points if one is not None]
    return (max(here) - min(here)) / (abs(max(here, key=abs)) or 1.0)
