"""What the board said: from the digests that entries carry, and from the observations of the watch. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from incident_tui.incident.entry import Kind
from incident_tui.incident.views import TimelineRow
from incident_tui.report.source import Moment, SeenAt, SiteTime, Spell, Standing

_RANKS: Final = {"crit": 3, "warn": 2, "unknown": 1}
_MARKS: Final = ("X ", "! ", "? ")
"""How `Seen.digest` marks crit, warn and unknown."""

_Key = tuple[str, str]
_Badness = tuple[int, int, int]


def seen_at(row: TimelineRow) -> SeenAt | None:
    """What the screen showed when the entry was made; None when it did not say."""
    seen = row.entry.seen
    if seen is None:
        return None
    return SeenAt(
        digest=seen.digest,
        age=timedelta(seconds=max(0, seen.age)),
        at=row.entry.recorded_at,
        who=row.entry.author.name,
        ref=row.ref,
    )


def _observations(rows: Iterable[TimelineRow]) -> Iterable[tuple[_Key, str, TimelineRow]]:
    for row in rows:
        data = row.entry.data
        if row.entry.kind is Kind.OBSERVATION and not row.struck and not row.purged:
            yield (str(data.get("finding", "")), str(data.get("subject", ""))), str(data.get("level", "")), row


def spells(rows: Sequence[TimelineRow]) -> tuple[Spell, ...]:
    """Each finding from its first bad level to its recovery, in the order they began."""
    found: list[Spell] = []
    current: dict[_Key, Spell] = {}

    def end(key: _Key, at: datetime | None, row: TimelineRow | None) -> None:
        spell = current.pop(key)
        found.append(
            Spell(
                finding=spell.finding,
                subject=spell.subject,
                host=spell.host,
                worst=spell.worst,
                text=spell.text,
                since=spell.since,
                until=at,
                ref=spell.ref,
                until_ref=row.ref if row else None,
            )
        )

    for key, level, row in _observations(rows):
        known = current.get(key)
        if level == "ok":
            if known is not None:
                end(key, row.at, row)
            continue
        if known is not None and _RANKS.get(level, 0) <= _RANKS.get(known.worst, 0):
            continue
        current[key] = Spell(
            finding=key[0],
            subject=key[1],
            host=str(row.entry.data.get("host", "")),
            worst=level,
            text=row.said,
            since=known.since if known else row.at,
            until=None,
            ref=known.ref if known else row.ref,
        )
    for key in list(current):
        end(key, None, None)
    return tuple(sorted(found, key=lambda spell: (spell.since, spell.ref)))


def _standing(rows: Sequence[TimelineRow], at: datetime | None) -> tuple[Standing, ...]:
    """What stood at `at` (None: at the end), worst first."""
    now: dict[_Key, Standing] = {}
    for key, level, row in _observations(rows):
        if at is not None and row.at > at:
            break
        if level == "ok":
            now.pop(key, None)
            continue
        now[key] = Standing(subject=key[1], level=level, text=row.said, since=row.at, ref=row.ref)
    return tuple(sorted(now.values(), key=lambda one: (-_RANKS.get(one.level, 0), one.since, one.ref)))


def _worst_moment(rows: Sequence[TimelineRow]) -> datetime | None:
    """When most was wrong: first by crit, then warn, then unknown; the earliest of equals. None: nothing was."""
    levels: dict[_Key, str] = {}
    counts = {"crit": 0, "warn": 0, "unknown": 0}
    worst: _Badness = (0, 0, 0)
    at: datetime | None = None
    for key, level, row in _observations(rows):
        before = levels.pop(key, "")
        if before in counts:
            counts[before] -= 1
        if level in counts:
            levels[key] = level
            counts[level] += 1
        badness = (counts["crit"], counts["warn"], counts["unknown"])
        if badness > worst:
            worst, at = badness, row.at
    return at


def _badness(digest: str) -> _Badness:
    parts = digest.split("; ")
    crit, warn, unknown = (sum(part.startswith(mark) for part in parts) for mark in _MARKS)
    return (crit, warn, unknown)


def moments(rows: Sequence[TimelineRow]) -> tuple[Moment, ...]:
    """At the declare, at the worst, at the last entry; those of which nothing is known are missing."""
    kept = [row for row in rows if not row.struck]
    if not kept:
        return ()
    seen = [one for row in kept if (one := seen_at(row)) is not None]
    declare = next((row for row in kept if row.entry.kind is Kind.DECLARE), None)
    found: list[Moment] = []
    if declare is not None:
        standing = _standing(kept, declare.at)
        found.append(Moment(name="at the declare", at=declare.at, seen=seen_at(declare), standing=standing))
    worst_at = _worst_moment(kept)
    worst_seen = max(seen, key=lambda one: (_badness(one.digest), -one.at.timestamp()), default=None)
    if worst_at is not None or (worst_seen is not None and _badness(worst_seen.digest) > (0, 0, 0)):
        at = worst_at if worst_at is not None else worst_seen.at if worst_seen is not None else kept[0].at
        standing = _standing(kept, worst_at) if worst_at is not None else ()
        found.append(Moment(name="at the worst", at=at, seen=worst_seen, standing=standing))
    last_seen = max(seen, key=lambda one: (one.at, one.ref), default=None)
    found.append(Moment(name="at the last entry", at=kept[-1].at, seen=last_seen, standing=_standing(kept, None)))
    return tuple(found)


class _Site:
    """Adds up while the observations of one site pass in order."""

    def __init__(self) -> None:
        self.totals = {"failing": timedelta(0), "slow": timedelta(0), "unknown": timedelta(0)}
        self.now: dict[str, str] = {}
        self.since: datetime | None = None
        self.spells = 0
        self.every: timedelta | None = None
        self.hold: timedelta | None = None

    @property
    def state(self) -> str:
        """Failing counts before not known, and that before slow."""
        states = set(self.now.values())
        return next((one for one in ("failing", "unknown", "slow") if one in states), "")

    def until(self, at: datetime) -> None:
        if self.since is not None and self.state:
            self.totals[self.state] += max(at - self.since, timedelta(0))
        self.since = at


def site_times(rows: Sequence[TimelineRow], until: datetime | None) -> tuple[SiteTime, ...]:
    """Of each public site that was observed; what goes on is counted until `until`. By name."""
    sites: dict[str, _Site] = {}
    for (finding, subject), level, row in _observations(rows):
        if finding not in ("site.down", "site.slow"):
            continue
        site = sites.setdefault(subject, _Site())
        site.until(row.at)
        failed = site.state == "failing"
        if level == "ok":
            site.now.pop(finding, None)
        else:
            site.now[finding] = "unknown" if level == "unknown" else "failing" if finding == "site.down" else "slow"
        site.spells += site.state == "failing" and not failed
        site.hold = _seconds(row.entry.data.get("hold")) or site.hold
        site.every = _seconds(row.entry.data.get("every")) or site.every
    for site in sites.values():
        if until is not None:
            site.until(until)
    return tuple(
        SiteTime(
            name=name,
            failing=site.totals["failing"],
            failing_now=site.state == "failing",
            spells=site.spells,
            slow=site.totals["slow"],
            unknown=site.totals["unknown"],
            every=site.every,
            hold=site.hold,
        )
        for name, site in sorted(sites.items())
    )


def _seconds(value: object) -> timedelta | None:
    good = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e6
    return timedelta(seconds=float(value)) if good and isinstance(value, int | float) else None
