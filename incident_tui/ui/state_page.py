"""The state of the incident on one page, most urgent first, after the incident state document of Google's SRE book
(chapter 14): what it is, what is due, who has which role, what must be true before it ends, who does what, who said
what, what is thought and decided. Made from the fold. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from incident_tui.incident.roster import OnCall, whom
from incident_tui.incident.settings import Person
from incident_tui.incident.views import Incident
from incident_tui.ui import clocks
from incident_tui.ui.lines import Line
from incident_tui.ui.page import Page
from incident_tui.ui.times import short, stepped
from incident_tui.ui.view import View

_LAST: Final = 3
"""Of what is over or was decided, so many, the newest; the timeline has all."""

Said = tuple[str, str]
"""Words and their style."""


def state_lines(view: View, width: int, on_call: Sequence[OnCall] = (), people: Sequence[Person] = ()) -> list[Line]:
    """`on_call` and `people`: who may be called; who is on call is told also when no incident is open."""
    page = Page(width, view.look)
    incident = view.incident
    if incident is None:
        page.text("No incident is open: /declare TITLE opens one.")
        for words, _ in _on_call(on_call, people):
            page.field("on call", words)
        return page.lines
    for name, said in _parts(incident, view, _on_call(on_call, people)):
        for words, style in said:
            page.field(name, words, style)
            name = ""
    return page.lines


def _parts(incident: Incident, view: View, on_call: Iterable[Said]) -> Iterator[tuple[str, Iterable[Said]]]:
    now = view.now
    yield "what", _what(incident, now)
    yield "status", _status(incident, now)
    yield "next update", _due(incident, view)
    yield "IC", _command(incident, view)
    yield "roles", _roles(incident, now)
    yield "on call", on_call
    yield "exit when", _criteria(incident)
    yield "tasks", _tasks(incident, view)
    yield "companies", _companies(incident, now)
    yield (
        "held",
        [
            (f"{one.target} by {one.by.name}, {_left(one.until, now)}", "warn")
            for one in incident.holds
            if one.active(now)
        ],
    )
    yield "running", _running(incident, now)
    yield "reports", _reports(incident, now)
    yield "thoughts", _thoughts(incident, view)
    yield (
        "decided",
        _newest([f"{view.handle(one.ref)} {one.text} ({one.by.name}, {one.at:%H:%M}Z)" for one in incident.decisions]),
    )
    yield "links", _links(incident)


def _what(incident: Incident, now: datetime) -> Iterator[Said]:
    level = f"SEV{incident.severity}" if incident.severity is not None else "SEV?"
    age = f", declared {short(now - incident.declared_at)} ago" if incident.declared_at is not None else ""
    yield f"{level} {incident.title or incident.id}{age}", "strong"


def _status(incident: Incident, now: datetime) -> Iterator[Said]:
    status = incident.statuses[-1] if incident.statuses else None
    state = "closed" if not incident.open else incident.status or "declared"
    since = f" for {short(now - status.since)}" if status is not None and incident.open else ""
    yield f"{state}{since}" + (f": {status.text}" if status is not None and status.text else ""), ""


def _due(incident: Incident, view: View) -> Iterator[Said]:
    due = clocks.updates(view)
    for at, audience in due:
        late = at < view.now
        yield f"{audience} {at:%H:%M}Z, {_left(at, view.now)}", "crit" if late else ""
    if not due and incident.open:
        yield "none promised", "warn"


def _command(incident: Incident, view: View) -> Iterator[Said]:
    since = f" since {incident.commander_since:%H:%M}Z" if incident.commander_since is not None else ""
    away = clocks.gone(view)
    gone = f", GONE {short(away)}" if away is not None else ""
    deputy = incident.roles.get("deputy")
    following = "nobody"
    if incident.offered is not None:
        following = f"{incident.offered.who}, offered {short(view.now - incident.offered.at)} ago and not taken"
    elif deputy is not None:
        following = f"{deputy.who}, the deputy"
    style = "" if incident.commander and not gone else "crit"
    yield f"{incident.commander or 'NOBODY'}{since}{gone}; next: {following}", style


def _roles(incident: Incident, now: datetime) -> Iterator[Said]:
    held = [f"{role} {one.who} {short(now - one.since)}" for role, one in sorted(incident.roles.items())]
    if held:
        yield ", ".join(held), ""


def _on_call(rosters: Sequence[OnCall], people: Sequence[Person]) -> Iterator[Said]:
    for one in rosters:
        now = f"{whom(one.now.who, people, one.at)}" if one.now is not None else "nobody"
        then = f"; then {one.escalation[0]}" if one.escalation else ""
        yield f"{one.roster}: {now}{then} (/oncall has all)", "" if one.now is not None else "warn"


def _criteria(incident: Incident) -> Iterator[Said]:
    unmet = [one for one in incident.criteria if one.met_at is None]
    yield from ((f"[ ] {one.text}", "strong") for one in unmet)
    for one in incident.criteria:
        if one.met_at is not None:
            yield f"[x] {one.text}" + (f" ({one.how})" if one.how else ""), ""


def _tasks(incident: Incident, view: View) -> Iterator[Said]:
    for task in sorted((one for one in incident.tasks if one.done_at is None), key=lambda one: one.due):
        acked = "" if task.acked_at is not None else ", not acked"
        style = "warn" if task.due < view.now else ""
        yield f"{view.handle(task.ref)} {task.who}, {_left(task.due, view.now)}{acked}: {task.text}", style
    done = sum(one.done_at is not None for one in incident.tasks)
    if done:
        yield f"{done} done", ""


def _companies(incident: Incident, now: datetime) -> Iterator[Said]:
    for one in incident.engagements:
        if one.ended_at is None:
            back = f"back {_left(one.due, now)}" if one.due is not None else "promised no time"
            name = f"{one.vendor} {one.ticket}".strip()
            yield f"{name}, {back}: {one.last or one.text}".rstrip(": "), "warn" * (one.state(now) == "overdue")


def _running(incident: Incident, now: datetime) -> Iterator[Said]:
    for remote in incident.remotes:
        if remote.ended_at is None:
            yield (
                f"{remote.command} on {remote.host}, {remote.by.name}, {short(now - remote.at)}",
                "warn" * remote.changes,
            )
    for run in incident.runs:
        if run.finished_at is None:
            done = sum(one.step in ("done", "skipped") for one in run.steps)
            busy = [f"step {one.number} {one.by.name}" for one in run.steps if one.step == "begun"]
            count = f" of {run.count}" if run.count else ""
            yield f"/play {run.name}: {done}{count} steps over" + "".join(f", {one}" for one in busy), ""


def _reports(incident: Incident, now: datetime) -> Iterator[Said]:
    for can in sorted(incident.cans.values(), key=lambda one: one.at, reverse=True):
        parts = (("needs", can.needs), ("conditions", can.conditions), ("actions", can.actions))
        said = "; ".join(f"{name}: {text}" for name, text in parts if text)
        yield f"{can.who} {short(now - can.at)} ago: {said}", "strong" if can.needs else ""


def _thoughts(incident: Incident, view: View) -> Iterator[Said]:
    words = {"raised": "?", "confirmed": "confirmed", "eliminated": "not"}
    order = list(words)
    known = [one for one in incident.hypotheses if one.state in words]
    over = [one for one in known if one.state == "eliminated"][:-_LAST]
    for one in sorted(known, key=lambda guess: order.index(guess.state)):
        if one not in over:
            why = f" ({one.why})" if one.why else ""
            yield f"{words[one.state]} {view.handle(one.ref)} {one.text}{why}", "strong" * (one.state == "raised")
    if over:
        yield f"{len(over)} more eliminated", ""


def _links(incident: Incident) -> Iterator[Said]:
    for link in incident.links:
        how = "part of" if link.how == "duplicate" else "related:"
        yield f"{how} {link.other}" + (f", {link.why}" if link.why else ""), ""
    if incident.absorbed:
        yield f"merged into this: {', '.join(incident.absorbed)}", ""


def _newest(said: Sequence[str]) -> Iterator[Said]:
    yield from ((one, "") for one in said[: -_LAST - 1 : -1])
    if len(said) > _LAST:
        yield f"{len(said) - _LAST} before", ""


def _left(at: datetime, now: datetime) -> str:
    left = at - now
    return f"{stepped(left)} {'OVER' if left < timedelta(0) else 'left'}"
