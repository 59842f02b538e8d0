"""Many alerts at once: so many are entries of their own, the rest are counted, and each count is one entry. Pure.

Nothing that matters is lost in a count: how many, how many fired and ended, how many different ones, the first, the
last, the worst, and the keys of some. What fires then is known all the same (`firing`).
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Any, Final

from incident_tui.incident.entry import Author, Draft, Kind
from incident_tui.text import sanitise
from incident_tui.watch.alerts.judging import Judged

WINDOW: Final = timedelta(seconds=10)
"""One entry for each group counts for so long."""
QUIET: Final = timedelta(seconds=3)
"""A count that nothing was added to for so long is written."""
AT_ONCE: Final = 10
"""Groups that are counted each for itself; more of one source are counted together."""
_KEYS: Final = 20
_DISTINCT: Final = 50_000

ALL: Final = (40.0, 20 / 60)
"""Alerts that are entries of their own: so many at once, and so many a second after that; of all sources …"""
GROUP: Final = (8.0, 4 / 60)
"""… and of one group."""

Cluster = tuple[str, str]


class _Bucket:
    """A token bucket by the wall clock; a step back of it takes nothing away."""

    __slots__ = ("at", "tokens")

    def __init__(self, most: float, at: datetime) -> None:
        self.tokens, self.at = most, at

    def fill(self, most: float, each: float, now: datetime) -> float:
        self.tokens = min(most, self.tokens + max(0.0, (now - self.at).total_seconds()) * each)
        self.at = now
        return self.tokens


class Budget:
    """Which alerts are entries of their own."""

    def __init__(self, now: datetime, groups: int = 2_000) -> None:
        self._all = _Bucket(ALL[0], now)
        self._groups: OrderedDict[Cluster, _Bucket] = OrderedDict()
        self._most = groups

    def spend(self, cluster: Cluster, now: datetime) -> bool:
        bucket = self._groups.pop(cluster, None) or _Bucket(GROUP[0], now)
        self._groups[cluster] = bucket
        if len(self._groups) > self._most:
            self._groups.popitem(last=False)
        if bucket.fill(*GROUP, now) < 1 or self._all.fill(*ALL, now) < 1:
            return False
        bucket.tokens -= 1
        self._all.tokens -= 1
        return True


class _Count:
    def __init__(self, judged: Judged) -> None:
        self.began = judged.alert.seen_at
        self.last = judged
        self.first = judged
        self.level = "info"
        self.count = self.firing = self.resolved = 0
        self.distinct: set[int] = set()
        self.keys: dict[str, None] = {}
        self.groups: set[str] = set()

    def add(self, judged: Judged) -> None:
        alert = judged.alert
        self.last = judged
        self.count += 1
        self.firing += alert.status == "firing"
        self.resolved += alert.status == "resolved"
        if alert.status == "firing":
            self.level = min(self.level, judged.level, key=_BAD.index)
        if len(self.distinct) < _DISTINCT:
            self.distinct.add(hash(alert.key))
            self.groups.add(judged.group)
        if len(self.keys) < _KEYS:
            self.keys[alert.key] = None


_BAD: Final = ("crit", "warn", "info")


class Storms:
    """Counts that are not written yet."""

    def __init__(self) -> None:
        self._counts: dict[Cluster, _Count] = {}

    def __bool__(self) -> bool:
        return bool(self._counts)

    def add(self, judged: Judged) -> None:
        cluster = judged.cluster
        if cluster not in self._counts and len(self._counts) >= AT_ONCE:
            cluster = (judged.alert.source, "")
        if cluster not in self._counts:
            self._counts[cluster] = _Count(judged)
        self._counts[cluster].add(judged)

    def due(self, now: datetime, *, all_of_them: bool = False) -> list[tuple[Cluster, Draft]]:
        """The entries of what has been counted long enough, or of everything; each is given once."""
        found = []
        for cluster, count in list(self._counts.items()):
            quiet, age = now - count.last.alert.seen_at, now - count.began
            if all_of_them or age >= WINDOW or quiet >= QUIET or age < timedelta(0):
                del self._counts[cluster]
                found.append((cluster, _draft(cluster, count)))
        return found


def _draft(cluster: Cluster, count: _Count) -> Draft:
    source, group = cluster
    first, last = count.first.alert, count.last.alert
    distinct = f"{len(count.distinct)}{'+' if len(count.distinct) >= _DISTINCT else ''}"
    about = group or f"{len(count.groups)} groups"
    seconds = max(1, round((last.seen_at - first.seen_at).total_seconds()))
    parts = [f"{count.count} alerts of {about} in {seconds}s from {source}: {count.firing} firing"]
    parts += [f"{count.resolved} resolved"] if count.resolved else []
    parts.append(f"{distinct} different")
    text = f"{', '.join(parts)}; first {first.title}, last {last.title}"
    data: dict[str, Any] = {
        "from": source,
        "status": "storm",
        "level": count.level if count.firing else "ok",
        "group": group,
        "count": count.count,
        "firing": count.firing,
        "resolved": count.resolved,
        "distinct": len(count.distinct),
        "keys": list(count.keys),
        "until": last.seen_at.isoformat(),
    }
    return Draft(
        kind=Kind.ALERT,
        text=sanitise(text, limit=1_000),
        at=first.seen_at,
        author=author_of(source),
        source="alert",
        data={name: value for name, value in data.items() if value not in ("", None)},
    )


def author_of(source: str) -> Author:
    """A source of alerts as an author: the configuration names it, and its token or address was checked."""
    return Author(name=source, account="alert", proven=True)
