"""The on-call roster as an iCalendar file (RFC 5545), for the calendars of those who are on it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from icalendar import Calendar, Event

from incident_tui.incident.people import find
from incident_tui.incident.roster import Shift
from incident_tui.incident.settings import Person


def calendar(shifts: Sequence[Shift], people: Sequence[Person], made: datetime) -> bytes:
    """One event a shift, in UTC. The uid is the same in each export, so that a calendar replaces what it had."""
    book = Calendar()
    book.add("prodid", "-//incident-tui//on call//EN")
    book.add("version", "2.0")
    for shift in shifts:
        person = find(shift.who, people)
        event = Event()
        event.add("uid", f"{shift.roster}-{shift.since:%Y%m%dT%H%MZ}@incident-tui")
        event.add("dtstamp", made.astimezone(UTC))
        event.add("dtstart", shift.since)
        event.add("dtend", shift.until)
        event.add("summary", f"on call: {person.full_name or person.name if person else shift.who} ({shift.roster})")
        instead = f"instead of {shift.instead_of}" if shift.instead_of else ""
        said = ", ".join(part for part in (instead, shift.why) if part)
        if said:
            event.add("description", said)
        book.add_component(event)
    return bytes(book.to_ical())
