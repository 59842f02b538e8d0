"""A week in one page for the team's newsletter: incidents, follow-ups, who was on call, what flapped, lessons.

Weeks are those of ISO 8601, in UTC. What looks like a secret is replaced: a newsletter goes further than a journal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import msgspec

from incident_tui import text
from incident_tui.incident.entry import Kind, Ref
from incident_tui.incident.metrics import impact
from incident_tui.incident.retention import hint
from incident_tui.incident.roster import Shift
from incident_tui.incident.views import Incident, TimelineRow
from incident_tui.incident.when import span
from incident_tui.report.escape import Redact
from incident_tui.report.follow_ups import Item, follow_ups, own

FLAPPED: Final = 4
"""Changes of level in a week from which on a thing is named."""
_MOST: Final = 10
_SORTS: Final = {"well": "went well", "badly": "went badly", "luck": "was luck"}


class Week(msgspec.Struct, frozen=True):
    """`since` is a Monday's first moment, `until` the next one's."""

    name: str
    since: datetime
    until: datetime

    def has(self, at: datetime | None) -> bool:
        return at is not None and self.since <= at < self.until


class Digest(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of a week. Foreign text in them is as typed, but for secrets."""

    week: Week
    now: datetime
    incidents: tuple[Incident, ...]
    """Declared in it, or going on in it."""
    due: tuple[Item, ...]
    """Open, and due before its end."""
    done: tuple[Item, ...]
    undated: int
    """Open follow-ups without a due date."""
    shifts: tuple[Shift, ...]
    flapping: tuple[tuple[str, int], ...]
    lessons: tuple[tuple[str, str, str], ...]
    """Sort, text, incident."""
    anniversaries: tuple[tuple[int, Incident], ...]
    """How many years ago, and what."""
    redact: Redact
    """For what is printed as it is in these."""
    retention: str = ""
    """What could be archived by now, a sentence; or empty."""


def week_of(said: str, now: datetime) -> Week | None:
    """The week named by "this", "last", "2026-W48" or a day in it; None when it is none."""
    today = now.astimezone(UTC).date()
    try:
        if said in ("", "this"):
            day = today
        elif said == "last":
            day = today - timedelta(days=7)
        elif "W" in said.upper():
            year, _, number = said.upper().partition("W")
            day = date.fromisocalendar(int(year.rstrip("-")), int(number), 1)
        else:
            day = date.fromisoformat(said)
    except ValueError:
        return None
    monday = day - timedelta(days=day.weekday())
    since = datetime.combine(monday, time(), UTC)
    return Week(f"{monday:%G-W%V}", since, since + timedelta(days=7))


def gather(
    incidents: Iterable[Incident],
    loose: Sequence[TimelineRow],
    shifts: Iterable[Shift],
    handle: Callable[[Ref], str],
    week: Week,
    now: datetime,
    redact: Redact = text.redact,
    keep: str = "",
) -> Digest:
    """`loose` are rows of no incident. `redact`: the team's, in [report]; `keep`: as [journal] has it."""
    alone = own(incidents)
    items = follow_ups(alone, handle, now, redact)
    open_items = [one for one in items if one.done_at is None]
    rows = [row for one in alone for row in one.rows if not one.drill] + list(loose)
    return Digest(
        week=week,
        now=now,
        incidents=tuple(one for one in reversed(alone) if _touches(one, week)),
        due=tuple(one for one in open_items if one.due is not None and one.due < week.until.date()),
        done=tuple(one for one in items if week.has(one.done_at)),
        undated=sum(one.due is None for one in open_items),
        shifts=tuple(one for one in shifts if one.since < week.until and one.until > week.since),
        flapping=_flapping(rows, week),
        lessons=tuple(
            (said.sort, redact(said.text)[0], one.id)
            for one in reversed(alone)
            for said in one.lessons
            if week.has(said.at)
        ),
        anniversaries=tuple(_anniversaries(alone, week)),
        redact=redact,
        retention=hint(alone, now, keep),
    )


def _touches(one: Incident, week: Week) -> bool:
    end = one.closed_at or one.stood_down_at
    return one.declared_at is not None and one.declared_at < week.until and (end is None or end >= week.since)


def _flapping(rows: Iterable[TimelineRow], week: Week) -> tuple[tuple[str, int], ...]:
    changes: Counter[str] = Counter()
    for row in rows:
        entry = row.entry
        if (
            entry.kind is Kind.OBSERVATION
            and week.has(row.at)
            and not row.struck
            and (not row.purged or row.entry.archive)
        ):
            flaps = entry.data.get("flaps")
            changes[str(entry.data.get("host") or entry.data.get("subject") or "?")] += max(
                flaps if isinstance(flaps, int) else 1, 1
            )
    return tuple((name, count) for name, count in changes.most_common() if count >= FLAPPED)


def _anniversaries(incidents: Iterable[Incident], week: Week) -> Iterable[tuple[int, Incident]]:
    """Incidents that were declared on these days of an earlier year. February 29 is remembered on the 28th."""
    days = {(day.month, day.day): day.year for day in (week.since + timedelta(days=n) for n in range(7))}
    for one in incidents:
        at = one.declared_at
        if at is None or one.drill:
            continue
        year = days.get((2, 28) if (at.month, at.day) == (2, 29) else (at.month, at.day))
        if year is not None and at.year < year:
            yield year - at.year, one


def markdown(digest: Digest) -> str:
    """The page as Markdown (CommonMark with GFM tables)."""
    week = digest.week
    last = week.until - timedelta(days=1)
    out = [f"# Week {week.name}", "", f"{week.since:%Y-%m-%d} to {last:%Y-%m-%d}, UTC."]
    if digest.now < week.until:
        out[-1] += f" The week is not over: as of {digest.now:%Y-%m-%d %H:%MZ}."
    real = [one for one in digest.incidents if not one.drill]
    out += _section("Incidents", [_incident(one, week, digest.redact) for one in real], "No incident in this week.")
    drills = [_incident(one, week, digest.redact) for one in digest.incidents if one.drill]
    if drills:
        out += _section("Drills", drills, "")
    out += _section("Follow-ups due", [_item(one) for one in digest.due], "None is due.")
    if digest.undated:
        out += ["", f"{digest.undated} open without a due date."]
    out += _section("Follow-ups done", [_item(one) for one in digest.done], "None was done.")
    out += _section("On call", [_shift(one) for one in digest.shifts], "No roster is configured.")
    flapping = [f"{_md(digest.redact(name)[0])}: {count} changes" for name, count in digest.flapping[:_MOST]]
    if len(digest.flapping) > _MOST:
        flapping.append(f"and {len(digest.flapping) - _MOST} more")
    out += _section("What flapped", flapping, f"Nothing changed {FLAPPED} times or more.")
    lessons = [
        f"{_SORTS.get(sort, 'lesson')}: {_md(said)} ({_md(incident)})" for sort, said, incident in digest.lessons
    ]
    out += _section("Lessons", lessons, "None was written down.")
    past = [
        f"{'A year' if years == 1 else f'{years} years'} ago: {_md(one.id)}, {_md(digest.redact(one.title)[0])}"
        for years, one in digest.anniversaries
    ]
    if past:
        out += _section("This week in other years", past, "")
    if digest.retention:
        out += ["", _md(digest.retention)]
    return "\n".join(out) + "\n"


def _section(name: str, points: Sequence[str], nothing: str) -> list[str]:
    return ["", f"## {name}", "", *([f"- {point}" for point in points] or [nothing])]


def _md(said: str) -> str:
    return text.markdown(text.redact(text.sanitise(said))[0])


def _incident(one: Incident, week: Week, redact: Redact) -> str:
    severity = "severity not said" if one.peak_severity is None else f"SEV{one.peak_severity}"
    start, end = impact(one)
    felt = f"felt for {span(end - start)}" if start and end and end >= start else "length of the impact not known"
    if start and one.open and not {"recovered", "resolved"} & one.milestones.keys():
        felt = f"felt since {start:%Y-%m-%d %H:%MZ}"
    closed = "open" if one.open else f"closed {one.closed_at:%Y-%m-%d}"
    since = "" if week.has(one.declared_at) else f", declared {one.declared_at:%Y-%m-%d}"
    title = _md(redact(one.title)[0])
    return f"{'DRILL ' if one.drill else ''}{_md(one.id)}, **{title}**: {severity}, {felt}, {closed}{since}"


def _item(one: Item) -> str:
    state = f"done {one.done_at:%Y-%m-%d}" if one.done_at else f"{'OVERDUE, ' if one.overdue else ''}due {one.due}"
    return f"{_md(one.text)} ({_md(one.owner or 'nobody')}, {state}, {one.age_days} d old, {_md(one.incident)})"


def _shift(one: Shift) -> str:
    instead = f", instead of {_md(one.instead_of)}" if one.instead_of else ""
    return (
        f"{_md(one.roster)}: {_md(one.who)}, {one.since:%a %Y-%m-%d %H:%MZ} to {one.until:%a %Y-%m-%d %H:%MZ}{instead}"
    )
