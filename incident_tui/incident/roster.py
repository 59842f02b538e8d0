"""Who is on call: a weekly rotation in local time, with overrides, and whom to call after them. Pure.

A shift begins at the same wall-clock time every week, so that a shift over a change to or from daylight-saving time is
an hour shorter or longer. Where the clock skips that time, the shift begins when it would have been without the skip;
where it shows that time twice, at the first. An override counts from its beginning to its end; of two that overlap,
the later one in the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from incident_tui.incident.people import find
from incident_tui.incident.settings import Override, Person, Roster

DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEK: Final = timedelta(days=7)


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """One person from `since` until `until` (aware UTC, until exclusive). `instead_of`: whom an override relieves."""

    roster: str
    who: str
    since: datetime
    until: datetime
    instead_of: str = ""
    why: str = ""


class OnCall(msgspec.Struct, frozen=True, kw_only=True):
    """One roster at one moment. `now` is None before the rotation's first day. `escalation`: whom to call when who is
    on call does not answer, in order."""

    roster: str
    at: datetime
    now: Shift | None
    next: Shift | None
    escalation: tuple[str, ...]


def handover(text: str) -> tuple[int, time] | None:
    """ "monday 09:00" -> (0, 09:00). None for anything else."""
    weekday, _, clock = text.strip().lower().partition(" ")
    found = [number for number, name in enumerate(DAYS) if len(weekday) >= 3 and name.startswith(weekday)]
    try:
        said = time.fromisoformat(clock.strip())
    except ValueError:
        return None
    return (found[0], said) if len(found) == 1 and said.tzinfo is None else None


def day(text: str) -> date | None:
    """ "2026-01-05". None for anything else."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def local(text: str, zone: str) -> datetime | None:
    """ "2026-03-29 09:00" in `zone`, or an ISO time that names its own, as aware UTC. None for anything else."""
    try:
        said = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return _utc(said, zone) if said.tzinfo is None else said.astimezone(UTC)


def _utc(wall: datetime, zone: str) -> datetime:
    # fold=0: in a skipped hour the offset from before the change, of a doubled one the first.
    return wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def shifts(roster: Roster, since: datetime, until: datetime) -> Iterator[Shift]:
    """Who is on call between the two moments, in order, without holes from the rotation's first day on. A shift is
    never longer than a turn, and is cut where an override begins or ends."""
    for turn in _turns(roster, since, until):
        pieces: list[Shift] = []
        edges = {turn.since, turn.until}
        for override in roster.overrides:
            edges |= {edge for edge in _stretch(override, roster) if turn.since < edge < turn.until}
        ordered = sorted(edges)
        for begin, end in pairwise(ordered):
            piece = _piece(turn, _in_force(roster, begin), begin, end)
            last = pieces[-1] if pieces else None
            if last is not None and msgspec.structs.replace(last, since=begin, until=end) == piece:
                pieces[-1] = msgspec.structs.replace(last, until=end)
            else:
                pieces.append(piece)
        yield from (one for one in pieces if one.until > since and one.since < until)


def _piece(turn: Shift, override: Override | None, since: datetime, until: datetime) -> Shift:
    if override is None:
        return msgspec.structs.replace(turn, since=since, until=until)
    relieved = turn.who if turn.who != override.who else ""
    return Shift(roster=turn.roster, who=override.who, since=since, until=until, instead_of=relieved, why=override.why)


def _turns(roster: Roster, since: datetime, until: datetime) -> Iterator[Shift]:
    """The rotation itself, without overrides."""
    parsed = handover(roster.handover)
    if parsed is None or not roster.people:
        return
    first = _first(roster, parsed)
    weeks = max(0, (since.astimezone(ZoneInfo(roster.time_zone)).replace(tzinfo=None) - first) // _WEEK - 1)
    while True:
        begin = _utc(first + weeks * _WEEK, roster.time_zone)
        end = _utc(first + (weeks + 1) * _WEEK, roster.time_zone)
        if begin >= until:
            return
        if end > since:
            who = roster.people[weeks % len(roster.people)]
            yield Shift(roster=roster.name, who=who, since=begin, until=end)
        weeks += 1


def _first(roster: Roster, parsed: tuple[int, time]) -> datetime:
    """The wall-clock time of the first handover on or after the rotation's first day."""
    weekday, clock = parsed
    start = date.fromisoformat(roster.first.strip())
    return datetime.combine(start + timedelta(days=(weekday - start.weekday()) % 7), clock)


def _stretch(override: Override, roster: Roster) -> tuple[datetime, datetime]:
    begin, end = local(override.since, roster.time_zone), local(override.until, roster.time_zone)
    assert begin is not None and end is not None, "config.py has checked it"
    return begin, end


def _in_force(roster: Roster, at: datetime) -> Override | None:
    for override in reversed(roster.overrides):
        begin, end = _stretch(override, roster)
        if begin <= at < end:
            return override
    return None


def on_call(roster: Roster, at: datetime) -> OnCall:
    """Who is on call at `at` (aware), and who is next."""
    ahead = [one for one in shifts(roster, at, at + 3 * _WEEK) if one.until > at]
    now = ahead[0] if ahead and ahead[0].since <= at else None
    later = next((one for one in ahead if one.since > at and (now is None or one.who != now.who)), None)
    if now is not None and later is not None:
        now = msgspec.structs.replace(now, until=later.since)
    order = [name for name in roster.escalation if now is None or name != now.who]
    return OnCall(roster=roster.name, at=at, now=now, next=later, escalation=tuple(dict.fromkeys(order)))


def on_call_now(rosters: Sequence[Roster], at: datetime) -> tuple[OnCall, ...]:
    return tuple(on_call(roster, at) for roster in rosters)


def told(one: OnCall, people: Sequence[Person]) -> Iterator[tuple[str, str]]:
    """("now", who until when), ("next", …), ("then 1", …): whom to call, in order, and what time it is there."""
    if one.now is None:
        yield "now", "nobody: the rotation has not begun"
    else:
        relieved = f", instead of {one.now.instead_of}" if one.now.instead_of else ""
        why = f" ({one.now.why})" if one.now.why else ""
        yield "now", f"{whom(one.now.who, people, one.at)}, until {one.now.until:%Y-%m-%d %H:%MZ}{relieved}{why}"
    if one.next is not None:
        yield "next", f"{whom(one.next.who, people, one.at)}, from {one.next.since:%Y-%m-%d %H:%MZ}"
    for number, name in enumerate(one.escalation, start=1):
        yield f"then {number}", whom(name, people, one.at)


def whom(name: str, people: Sequence[Person], at: datetime) -> str:
    """ "bob +254 700, 05:10 Tue there"."""
    person = find(name, people)
    if person is None:
        return name
    return f"{person.name} {person.contact or '(no contact said)'}, {local_time(person, at)} there"


def local_time(person: Person, at: datetime) -> str:
    """The time where the person is, for who is about to call: "05:10 Tue"."""
    return f"{at.astimezone(ZoneInfo(person.time_zone)):%H:%M %a}"
