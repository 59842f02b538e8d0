"""What fires now, by source and key. Pure: told of each alert, asked for the board's row."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

import msgspec

from incident_tui.incident.entry import Entry, Kind
from incident_tui.incident.words import time_of
from incident_tui.watch.alerts.judging import Judged
from incident_tui.watch.alerts.rows import SHOWN, Firing, FiringGroup, Firings

MOST: Final = 10_000
"""Alerts that are kept as firing; of more, the latest."""
KEPT: Final = 2_000
"""Of these, the latest that the next watch is told of by the board."""
_LATELY: Final = timedelta(minutes=10)
"""So long the end of an alert is known, for the same told again without an episode."""
_RANK: Final = {"crit": 0, "warn": 1, "info": 2}

Thing = tuple[str, str]


class FiringTable:
    """All that fires; bounded."""

    def __init__(self) -> None:
        self._firing: dict[Thing, Firing] = {}
        self._ended: dict[Thing, tuple[str, datetime]] = {}
        self.changed = True
        """Set by whatever changes; the reader clears it."""

    def __len__(self) -> int:
        return len(self._firing)

    def get(self, thing: Thing) -> Firing | None:
        return self._firing.get(thing)

    def of(self, source: str) -> list[Firing]:
        return [one for one in self._firing.values() if one.source == source]

    def remember(self, entries: Iterable[Entry], kept: Firings | None) -> None:
        """After a start: what the journal and the last watch's board say still fires."""
        for entry in entries:
            if entry.kind is not Kind.ALERT or entry.purged:
                continue
            data = entry.data
            thing = (str(data.get("from", "")), str(data.get("key", "")))
            if data.get("status") == "resolved":
                self._firing.pop(thing, None)
                self._end(thing, str(data.get("episode", "")), entry.recorded_at)
            elif data.get("status") == "firing" and not self._over(thing, str(data.get("episode", ""))):
                self._firing[thing] = _of_entry(entry)
        for one in kept.alerts if kept is not None else ():
            known = self._firing.get((one.source, one.key))
            if known is None or known.seen_at <= one.seen_at:
                self._firing[one.source, one.key] = one
        self._bound()

    def _end(self, thing: Thing, episode: str, at: datetime) -> None:
        self._ended.pop(thing, None)
        self._ended[thing] = (episode, at)
        if len(self._ended) > MOST:
            del self._ended[next(iter(self._ended))]

    def _over(self, thing: Thing, episode: str) -> bool:
        ended = self._ended.get(thing)
        return ended is not None and ended[0] == episode

    def episode(self, judged: Judged) -> str:
        """The episode of an alert whose source tells none: that of what fires or has ended, else a new one."""
        alert = judged.alert
        known = self._firing.get(alert.thing)
        ended = self._ended.get(alert.thing)
        if alert.status == "resolved":
            if known is not None:
                return known.episode
            if ended is not None and alert.seen_at - ended[1] < _LATELY:
                return ended[0]
        elif known is not None and alert.status == "firing" and known.level == judged.level:
            return known.episode
        return f"{alert.seen_at.isoformat()} {judged.level}"

    def take(self, judged: Judged) -> None:
        """One alert, new or told again."""
        alert = judged.alert
        known = self._firing.get(alert.thing)
        if alert.status == "resolved":
            # What ends an earlier episode than the one that fires came late.
            if known is not None and (known.episode == alert.episode or known.since <= alert.at):
                del self._firing[alert.thing]
                self.changed = True
            self._end(alert.thing, alert.episode, alert.seen_at)
        elif alert.status == "acknowledged" and known is not None:
            self._firing[alert.thing] = msgspec.structs.replace(known, acknowledged=True, seen_at=alert.seen_at)
            self.changed = True
        elif alert.status == "firing":
            self._fires(judged, known)

    def _fires(self, judged: Judged, known: Firing | None) -> None:
        alert = judged.alert
        if self._over(alert.thing, alert.episode):
            return  # it was told late or again
        self._firing.pop(alert.thing, None)
        fresh = Firing(
            source=alert.source,
            key=alert.key,
            episode=alert.episode,
            title=alert.title,
            text=alert.text[:300],
            level=judged.level,
            severity=alert.severity,
            since=alert.at,
            seen_at=alert.seen_at,
            group=judged.group,
            host=judged.host,
            link=alert.link,
            silenced=alert.silenced,
            acknowledged=known is not None and known.acknowledged and known.episode == alert.episode,
        )
        self._firing[alert.thing] = fresh
        if known is None or msgspec.structs.replace(known, seen_at=fresh.seen_at) != fresh:
            self.changed = True
        self._bound()

    def forget(self, now: datetime, kept: Callable[[str], timedelta | None]) -> None:
        """What was not heard of for longer than `kept` says of its source: it has been shown as not known for long, and
        nobody will tell its end any more. None: never."""
        lengths = {source: kept(source) for source in {one.source for one in self._firing.values()}}
        for thing, one in list(self._firing.items()):
            length = lengths[one.source]
            if length is not None and now - one.seen_at > length:
                del self._firing[thing]
                self.changed = True

    def _bound(self) -> None:
        while len(self._firing) > MOST:
            del self._firing[next(iter(self._firing))]

    def kept(self) -> Firings:
        """For the next watch: the latest."""
        return Firings(tuple(self._firing.values())[-KEPT:])

    def groups(self) -> tuple[tuple[FiringGroup, ...], int, int, int]:
        """The worst groups, how many there are beyond, how many alerts fire, and how many of all are silenced."""
        found: dict[tuple[str, str], list[Firing]] = {}
        silenced = 0
        for one in self._firing.values():
            if one.silenced:
                silenced += 1
            else:
                found.setdefault((one.source, one.group), []).append(one)
        groups = sorted((_group(ones) for ones in found.values()), key=lambda one: (_RANK.get(one.level, 1), one.since))
        return tuple(groups[:SHOWN]), max(0, len(groups) - SHOWN), len(self._firing) - silenced, silenced


def _group(ones: list[Firing]) -> FiringGroup:
    first = min(ones, key=lambda one: (_RANK.get(one.level, 1), one.since))
    return FiringGroup(
        source=first.source,
        group=first.group,
        level=first.level,
        title=first.title if len(ones) == 1 else (first.group.removeprefix("alertname=") or first.title)[:200],
        text=first.text,
        count=len(ones),
        since=min(one.since for one in ones),
        heard_at=max(one.seen_at for one in ones),
        hosts=tuple(dict.fromkeys(one.host for one in ones if one.host))[:8],
        acknowledged=all(one.acknowledged for one in ones),
    )


def _of_entry(entry: Entry) -> Firing:
    data = entry.data
    return Firing(
        source=str(data.get("from", "")),
        key=str(data.get("key", "")),
        episode=str(data.get("episode", "")),
        title=str(data.get("title", "")) or entry.text,
        text="",
        level=str(data.get("level", "warn")),
        severity=str(data.get("severity", "")),
        since=time_of(data.get("episode")) or entry.at,
        seen_at=entry.recorded_at,
        group=str(data.get("group", "")),
        host=str(data.get("host", "")),
        link=str(data.get("link", "")),
    )
