"""Findings over time -> observations for the journal. Pure: called with the findings of each moment.

A change of level is written once it has lasted `hold` seconds, with the time at which it began; changes that went back
before that are counted and named in the next one. What cannot be seen is not well: while something hides what a
finding was about (`hosts.blind`), its disappearance is no recovery.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from incident_tui.hosts.blind import Hiding, Sight
from incident_tui.incident.entry import Author, Draft, Entry, Kind
from incident_tui.incident.finding import Finding, Level

Key = tuple[str, str]
_PATIENCE: Final = 3


class _Known(msgspec.Struct):
    """What the journal says about a finding, and what is being seen instead."""

    level: Level = Level.OK
    since: datetime | None = None
    last: Finding | None = None
    host: str = ""
    text: str = ""
    sites: tuple[str, ...] = ()
    """Which it touched when it was written."""
    seen: Level | None = None
    seen_since: datetime | None = None
    flaps: int = 0


class Recorder:
    """The memory between two moments. `author` signs the observations."""

    def __init__(self, hold: timedelta, author: Author) -> None:
        self._hold = hold
        self._author = author
        self._known: dict[Key, _Known] = {}

    def remember(
        self, entries: Iterable[Entry], watched: Callable[[str, str, str], bool] = lambda rule, subject, host: True
    ) -> None:
        """Takes observations of the journal, oldest first, so that a new watch goes on where the last one ended.

        Those about something that is not `watched` (rule, subject, host) any more are forgotten: that is no recovery.
        """
        for entry in entries:
            if entry.kind is not Kind.OBSERVATION or entry.purged:
                continue
            data = entry.data
            try:
                key, level = (str(data["finding"]), str(data["subject"])), Level(data["level"])
            except (KeyError, ValueError):
                continue
            if level is Level.OK:
                self._known.pop(key, None)
            else:
                sites = data.get("sites")
                names = tuple(str(site) for site in sites) if isinstance(sites, (list, tuple)) else ()
                self._known[key] = _Known(level, entry.at, None, str(data.get("host", "")), entry.text, names)
        self._known = {key: known for key, known in self._known.items() if watched(*key, known.host)}

    def observe(
        self,
        findings: Sequence[Finding],
        now: datetime,
        sight: Sight | None = None,
        touched: Callable[[Finding], Iterable[str]] = lambda finding: (),
    ) -> list[Draft]:
        """What has changed for long enough by `now`, worst first. Without `sight` all clusters count as seen.
        `touched` names the public sites that a finding touches; it is asked only of what is written."""
        present = {finding.key: finding for finding in findings}
        hiding = Hiding(findings)
        drafts: list[tuple[int, Draft]] = []
        for key in [*present, *(key for key in self._known if key not in present)]:
            before = self._known.get(key)
            last, touches = (before.last, before.sites) if before is not None else (None, ())
            draft = self._one(key, present.get(key), hiding, sight, now)
            if draft is not None:
                about = present.get(key) or last
                # Of what is over and was begun under an earlier watch, the journal alone says what it touched.
                names = list(touched(about)) if about is not None else list(touches)
                if names:
                    draft = msgspec.structs.replace(draft, data={**draft.data, "sites": names})
                if key in self._known:
                    self._known[key].sites = tuple(names)
                drafts.append((-Level(draft.data["level"]).rank, draft))
        return [draft for _, draft in sorted(drafts, key=lambda pair: pair[0])]

    def _one(
        self, key: Key, finding: Finding | None, hiding: Hiding, sight: Sight | None, now: datetime
    ) -> Draft | None:
        known = self._known.setdefault(key, _Known())
        if finding is not None:
            known.last, known.host = finding, finding.host
        elif _blind(key, known, hiding, sight):
            known.seen = known.seen_since = None
            return None
        level = Level.OK if finding is None else finding.level
        if level is known.level:
            if known.seen is not None:
                known.flaps += 1
                known.seen = known.seen_since = None
            if level is Level.OK and not known.flaps:
                del self._known[key]
            return None
        if known.seen is not level:
            known.flaps += known.seen is not None
            known.seen, known.seen_since = level, now
        # After a step back of our clock the change counts from now; else it would be held for as long as the step.
        began = known.seen_since = min(known.seen_since or now, now)
        if now - began < self._hold_of(key, level):
            return None
        draft = self._draft(key, known, level, finding, began)
        self._settle(key, known, level, finding, began)
        return draft

    def _hold_of(self, key: Key, level: Level) -> timedelta:
        """A host that cannot be reached is news; one reading among many that could not be had may take its time."""
        return self._hold if level is not Level.UNKNOWN or key[0] == "host.unreachable" else _PATIENCE * self._hold

    def _settle(self, key: Key, known: _Known, level: Level, finding: Finding | None, began: datetime) -> None:
        if level is Level.OK:
            del self._known[key]
        else:
            text = finding.sentence if finding is not None else known.text
            self._known[key] = _Known(level, began, finding, known.host, text)

    def _draft(self, key: Key, known: _Known, level: Level, finding: Finding | None, began: datetime) -> Draft:
        rule, subject = key
        data: dict[str, Any] = {
            "finding": rule,
            "level": level.value,
            "was": known.level.value,
            "subject": subject,
            "host": known.host,
        }
        if finding is not None:
            text = finding.sentence
            data["evidence"] = finding.evidence
        else:
            lasted = "" if known.since is None else f" (it lasted {_span(began - known.since)})"
            text = f"over: {known.text or subject}{lasted}"
        if known.flaps:
            data["flaps"] = known.flaps
            text += f" (flapped {known.flaps} times before)" if known.flaps > 1 else ""
        return Draft(kind=Kind.OBSERVATION, text=text, at=began, author=self._author, source="watch", data=data)


def _blind(key: Key, known: _Known, hiding: Hiding, sight: Sight | None) -> bool:
    """Whether the absence of this finding says nothing."""
    if sight is not None and not sight.sees(*key):
        return True
    return hiding.hides(*key, known.host)


def _span(value: timedelta) -> str:
    seconds = int(value.total_seconds())
    if seconds < 120:
        return f"{seconds}s"
    minutes = seconds // 60
    return f"{minutes}m" if minutes < 120 else f"{minutes // 60}h{minutes % 60:02d}m"
