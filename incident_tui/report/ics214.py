"""ICS 214, the activity log of one responder, with the blocks of FEMA's form (training.fema.gov, ICS 214 v3).

What nobody said stays empty and says so: a form that was filled in by guesses is worth less than one with gaps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from incident_tui import text
from incident_tui.incident.entry import Kind
from incident_tui.incident.settings import Person
from incident_tui.incident.views import TimelineRow
from incident_tui.report.source import Source

_QUIET = frozenset({Kind.PRESENCE, Kind.LEASE, Kind.SIGNATURE})
_OF_MACHINES = frozenset({Kind.OBSERVATION, Kind.ALERT, Kind.GAP, Kind.LEASE})
_EMPTY = "not said"


def responders(source: Source) -> list[str]:
    """Who did anything in the incident, as they wrote their names."""
    found: dict[str, str] = {}
    for row in source.fold.incident(source.incident).rows:
        machine = row.entry.source == "watch" or row.entry.kind in _OF_MACHINES
        if not machine:
            found.setdefault(row.entry.author.name.casefold(), row.entry.author.name)
    return list(found.values())


def activities(source: Source, name: str) -> list[TimelineRow]:
    """What they wrote, and what others wrote of them: tasks and roles given to them."""
    mine = name.casefold()
    return [
        row
        for row in source.fold.incident(source.incident).rows
        if row.entry.kind not in _QUIET
        and not row.struck
        and (row.entry.author.name.casefold() == mine or str(row.entry.data.get("who", "")).casefold() == mine)
    ]


def ics214(
    source: Source,
    name: str,
    rows: Sequence[TimelineRow],
    person: Person | None,
    redact: Callable[[str], tuple[str, int]],
) -> str:
    """The form as Markdown. `rows` are `activities`, or those of them that were chosen."""
    incident = source.fold.incident(source.incident)

    def said(value: str) -> str:
        return text.markdown(redact(text.sanitise(value))[0])

    mine = name.casefold()
    held = [("incident commander", one.since, one.until) for one in incident.commands if one.who.casefold() == mine]
    held += [
        (one.role, one.since, one.until)
        for one in (*incident.role_history, *incident.roles.values())
        if one.who.casefold() == mine
    ]
    roles = "; ".join(
        f"{said(role)} from {since:%Y-%m-%d %H:%MZ}" + (f" to {until:%Y-%m-%d %H:%MZ}" if until else " on")
        for role, since, until in sorted(set(held), key=lambda one: one[1])
    )
    period = f"{rows[0].at:%Y-%m-%d %H:%MZ} to {rows[-1].at:%Y-%m-%d %H:%MZ}" if rows else _EMPTY
    others = sorted({one.by.name for one in incident.tasks if one.who.casefold() == mine} - {name})
    blocks = [
        ("1. Incident name", f"{'DRILL: ' if incident.drill else ''}{said(incident.title)} ({said(incident.id)})"),
        ("2. Operational period", period),
        ("3. Name", said(person.full_name if person is not None and person.full_name else name)),
        ("4. ICS position", roles or "responder; no role was said"),
        ("5. Home agency", said(person.organisation) if person is not None and person.organisation else _EMPTY),
        ("6. Resources assigned", "tasks by " + ", ".join(map(said, others)) if others else _EMPTY),
    ]
    out = ["# Activity log (ICS 214)", ""]
    if source.demo:
        out += ["**DEMO.** Recorded against embedded machines.", ""]
    out += ["| block | |", "|---|---|", *(f"| {head} | {value} |" for head, value in blocks)]
    out += ["", "## 7. Activity log", "", "| date, time (UTC) | notable activities | entry |", "|---|---|---|"]
    for row in rows:
        by = "" if row.entry.author.name.casefold() == mine else f" (by {said(row.entry.author.name)})"
        late = " (written later)" if row.late is not None else ""
        word = "" if row.word == "NOTE" else f"{row.word} "
        out.append(f"| {row.at:%Y-%m-%d %H:%M:%S} | {said(word + row.text)}{by}{late} | {source.handle(row.ref)} |")
    if not rows:
        out += ["", "No entry."]
    out += ["", f"8. Prepared by: incident-tui, {source.now:%Y-%m-%d %H:%MZ}; signature:", ""]
    return "\n".join(out)
