"""Whom to call: who is on call, the escalation order, and everybody, with the time it is for them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from incident_tui.incident.roster import local_time, on_call_now, told
from incident_tui.incident.settings import Person, Roster
from incident_tui.ui.lines import Line, Look
from incident_tui.ui.page import Page


def oncall_lines(
    rosters: Sequence[Roster], people: Sequence[Person], now: datetime, width: int, look: Look
) -> list[Line]:
    page = Page(width, look)
    for one in on_call_now(rosters, now):
        page.head(f"on call: {one.roster}")
        for name, said in told(one, people):
            page.field(name, said, "strong" if name == "now" and one.now is not None else "")
        page.gap()
    if not rosters:
        page.text("There is no roster: add a [[rosters]] table to config.toml.")
        page.gap()
    for organisation in dict.fromkeys(person.organisation for person in people):
        page.head(organisation or "no organisation said")
        for person in (one for one in people if one.organisation == organisation):
            about = ", ".join(part for part in (person.full_name, person.role) if part)
            contact = person.contact or "no contact said"
            page.field(person.name, f"{contact}, {local_time(person, now)} there" + (f" ({about})" if about else ""))
    if not people:
        page.text("Nobody is in the configuration: add a [[people]] table for each person who may be called.")
    return page.lines
