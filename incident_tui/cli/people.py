"""Commands about people: contacts and the on-call roster. They read the configuration and nothing else."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import msgspec

from incident_tui.cli.context import Context, Failure
from incident_tui.incident import roster as r
from incident_tui.incident.settings import Person

WEEKS = 13
"""Of a calendar, when nobody says how many."""


class Contact(msgspec.Struct, frozen=True):
    """The fields of `contacts --json`."""

    name: str
    full_name: str
    organisation: str
    role: str
    time_zone: str
    local_time: str
    contact: str


def contacts(context: Context) -> int:
    """Everybody who may be called, by organisation, with the time it is for them."""
    now, people = context.clock(), context.essentials.people
    rows = [_contact(one, now) for one in people]
    if context.call.flag("json"):
        print(msgspec.json.format(msgspec.json.encode(rows), indent=2).decode())
        return 0
    if not rows:
        raise Failure("nobody is in the configuration: add a [[people]] table for each person who may be called", 2)
    for organisation in dict.fromkeys(row.organisation for row in rows):
        print(organisation or "no organisation said")
        for row in (one for one in rows if one.organisation == organisation):
            title = f"{row.full_name} ({row.role})" if row.role and row.full_name else row.full_name or row.role
            print(f"  {row.name:<10} {row.contact or 'no contact said':<28} {row.local_time:<10} {title}".rstrip())
    return 0


def _contact(one: Person, now: datetime) -> Contact:
    return Contact(
        one.name, one.full_name, one.organisation, one.role, one.time_zone, r.local_time(one, now), one.contact
    )


def oncall(context: Context) -> int:
    """Who is on call, who is next and whom to call after them. Status 1 when nobody is."""
    settings, now = context.settings, context.clock()
    if not settings.rosters:
        raise Failure("there is no roster: add a [[rosters]] table with a name, the first day and people", 2)
    at = _at(context.call.options.get("at", ""), now)
    if context.call.flag("ics"):
        weeks = context.call.number("weeks")
        return _calendar(context, at, WEEKS if weeks is None else weeks)
    said = r.on_call_now(settings.rosters, at)
    if context.call.flag("json"):
        print(msgspec.json.format(msgspec.json.encode(said), indent=2).decode())
    else:
        for one in said:
            _print(one, settings.people)
    return 0 if all(one.now is not None for one in said) else 1


def _at(text: str, now: datetime) -> datetime:
    if not text:
        return now
    found = r.local(text, "UTC")
    if found is None:
        raise Failure(f"--at {text}: write a time in UTC such as 2026-12-24T09:00, or one with its zone", 2)
    return found


def _print(one: r.OnCall, people: tuple[Person, ...]) -> None:
    print(f"{one.roster} at {one.at.astimezone(UTC):%Y-%m-%d %H:%MZ}")
    for name, said in r.told(one, people):
        print(f"  {name:<6} {said}" if name.startswith("then") else f"  {name:<5} {said}")


def _calendar(context: Context, at: datetime, weeks: float) -> int:
    from incident_tui.report.calendar import calendar  # costs what only a calendar needs

    if not 0 < weeks <= 520:
        raise Failure(f"--weeks {context.call.options['weeks']}: write a number from 1 to 520", 2)
    until = at + timedelta(weeks=weeks)
    shifts = [one for roster in context.settings.rosters for one in r.shifts(roster, at, until)]
    sys.stdout.buffer.write(calendar(shifts, context.settings.people, context.clock()))
    return 0
