"""What can be opened over the timeline, by what was asked for. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from functools import partial
from typing import Final

import msgspec

from incident_tui.desk import outcome as o
from incident_tui.incident.related import related
from incident_tui.incident.roster import on_call_now
from incident_tui.incident.sweep import Open, sweep
from incident_tui.incident.views import Incident, TimelineRow
from incident_tui.ui.commands import help_lines
from incident_tui.ui.detail import Kept, host_of, hosts_of, status_detail
from incident_tui.ui.entry_detail import entry_detail
from incident_tui.ui.groups import members, roles_of
from incident_tui.ui.lines import Line, fit
from incident_tui.ui.oncall_page import oncall_lines
from incident_tui.ui.page import list_lines
from incident_tui.ui.playbook_detail import next_step, playbook_lines
from incident_tui.ui.session import Session
from incident_tui.ui.state_page import state_lines
from incident_tui.ui.status_row import StatusRow
from incident_tui.ui.view import Parts, View
from incident_tui.watch.answers import LOG

STATE: Final = "state of the incident"
Content = Callable[[View, int], Sequence[Line]]
"""View and width -> lines; asked again whenever the view changes, so that what is open stays true."""


class Choice(msgspec.Struct, frozen=True):
    """A line that can be chosen: `key` is what it stays the same by, `take` what Enter does."""

    key: str
    take: Callable[[], None]


class Opened(msgspec.Struct, frozen=True):
    """`wide`: it takes the place of the left pane, too. `begin`: of its lines, the one to scroll to whenever that
    changes. `row`: the key of the left pane's row that it is about. `choices`: by number, those of the lines made last
    that can be chosen. `docked`: it stands beside the timeline where there is room for both."""

    title: str
    content: Content
    wide: bool = False
    begin: Callable[[Sequence[Line]], int] = lambda lines: 0
    row: str = ""
    choices: Callable[[], Mapping[int, Choice]] | None = None
    docked: bool = False


def of_effect(effect: o.Effect, session: Session) -> Opened | None:
    """What an effect of the desk opens; None when it opens nothing."""
    match effect:
        case o.ShowHelp(verb=verb):
            title = f"help /{verb}" if verb else "help"
            return Opened(title, lambda view, width: help_lines(verb, width, view.look), wide=True)
        case o.ListIncidents():
            shared = _shared(session)
            return Opened("incidents", lambda view, width: _incidents(session, shared, view, width))
        case o.ListPlaybooks():
            rows = [(f"/play {name}", book.title) for name, book in session.playbooks.items()]
            rows += [("cannot be used:", sentence) for sentence in session.broken_playbooks]
            return Opened("playbooks", lambda view, width: list_lines("", rows, width, view.look))
        case o.OpenPlaybook(name=name):
            return _playbook(session, name)
        case _:
            return None


def of_row(row: StatusRow, session: Session, rows: Callable[[View], Sequence[StatusRow]]) -> Opened:
    """The detail of a row of the left pane. `rows` are that pane's, among which it is found again."""
    made: list[Line] = []
    made_of: tuple[object, ...] = ()
    made_at = 0

    def content(view: View, width: int) -> list[Line]:
        nonlocal made, made_of, made_at
        of = (view.cluster, view.rows, view.incident)  # made anew when readings are judged and when entries came
        if width != made_at or not made_of or any(one is not other for one, other in zip(of, made_of, strict=True)):
            found = next((one for one in rows(view) if one.key == row.key), None)
            raws = {host: raw for host in hosts_of(row.key, view) if (raw := session.raw(host)) is not None}
            gone = StatusRow(row.section, row.key, None, row.name)
            host, _, ident = row.key.partition("/")[2].partition("/")
            log = session.answers(LOG + ident).get(host) if row.key.startswith("container/") else None
            around = session.history(f"host/{name}") if (name := host_of(row.key)) else None
            own = session.history(row.key) if not row.key.startswith("docker/") else None
            kept = Kept(own, raws, log, around)
            made, made_of, made_at = status_detail(found or gone, view, width, kept), of, width
        return made

    return Opened(row.name, content, row=row.key)


def of_group(
    group: StatusRow, rows: Callable[[View], Sequence[StatusRow]], open_row: Callable[[StatusRow], None]
) -> Opened:
    """The members of a row that stands for many; each can be chosen and opened."""
    shown: list[StatusRow] = []

    def content(view: View, width: int) -> list[Line]:
        nonlocal shown
        shown = members(group.key, rows(view), roles_of(view.hosts))
        return [fit(msgspec.structs.replace(row, width=width).line, width, view.look) for row in shown]

    def choices() -> dict[int, Choice]:
        return {at: Choice(row.key, partial(open_row, row)) for at, row in enumerate(shown)}

    return Opened(f"{group.name} {group.words}", content, choices=choices)


def of_state(parts: Parts) -> Opened:
    """The state of the incident, which stays true while it is open."""

    def content(view: View, width: int) -> list[Line]:
        return state_lines(view, width, on_call_now(parts.rosters, view.now), parts.people)

    return Opened(STATE, content, wide=True)


def of_oncall(parts: Parts) -> Opened:
    """Whom to call."""
    return Opened(
        "on call", lambda v, width: oncall_lines(parts.rosters, parts.people, v.now, width, v.look), wide=True
    )


def of_sweep(incident: str, session: Session, begin_line: Callable[[str], None]) -> Opened:
    """What is open of an incident; Enter on a line puts what settles it into the prompt."""
    shown: list[Open] = []
    rows: dict[int, Open] = {}

    def content(view: View, width: int) -> list[Line]:
        nonlocal rows
        shown[:] = sweep(session.fold.incident(incident), view.now)
        rows = {}
        lines = [fit([("Enter on a line begins what settles it.", "")], width, view.look)]
        for one in shown:
            rows[len(lines)] = one
            mark = "!" if one.needed else " "
            handle = f" {view.handle(one.ref)}" if one.ref is not None else ""
            lines.append(fit([(f" {mark}{handle} {one.sentence}", "warn" * one.needed)], width, view.look))
        if not shown:
            lines.append(fit([(" + nothing is open", "ok")], width, view.look))
        return lines

    def choices() -> dict[int, Choice]:
        def line_of(one: Open) -> str:
            return one.line(session.store.handle(one.ref) if one.ref is not None else "")

        return {at: Choice(one.sentence, partial(begin_line, line_of(one))) for at, one in rows.items()}

    return Opened("what is open (! the review needs it)", content, wide=True, choices=choices)


def of_entry(row: TimelineRow, session: Session, handle: str) -> Opened:
    """All of one entry."""
    return Opened(handle, lambda view, width: entry_detail(session.fold.row(row.ref) or row, view, width))


def of_paste(text: str) -> Opened:
    """The lines of a paste, before it is saved."""
    lines = text.splitlines()
    return Opened(
        "paste, not saved yet",
        lambda view, width: [fit([(f" {view.look.text(line)}", "")], width, view.look) for line in lines],
    )


def _incidents(session: Session, shared: Mapping[str, Sequence[str]], view: View, width: int) -> list[Line]:
    rows = _incident_rows(session.fold.incidents(), shared)
    return list_lines(
        "/incident ID chooses one; /link ID and /merge ID tie it to the one in force", rows, width, view.look
    )


def _shared(session: Session) -> dict[str, Sequence[str]]:
    """Of the other incidents, what they name that the one in force names, too."""
    here = session.incident
    if here is None:
        return {}
    others = [one for one in session.fold.incidents() if one.id != here.id]
    return {one.incident.id: one.shared for one in related([here.title], here.rows, others, session.clock())}


def _playbook(session: Session, name: str) -> Opened | None:
    book = session.playbook(name)
    if book is None:
        return None

    def content(view: View, width: int) -> list[Line]:
        runs = view.incident.runs if view.incident is not None else ()
        run = next((one for one in reversed(runs) if one.name == name), None)
        return playbook_lines(book, run, width, view.look, view.me.name)

    return Opened(name, content, begin=next_step, docked=True)


def _incident_rows(incidents: Sequence[Incident], shared: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    rows = []
    for one in incidents:
        since = f"{one.declared_at.astimezone(UTC):%Y-%m-%d %H:%M}Z" if one.declared_at is not None else ""
        level = f"SEV{one.severity}" if one.severity is not None else "SEV?"
        names = f"  (names {', '.join(shared[one.id][:4])}, too)" if one.id in shared else ""
        into = [f"  (part of {link.other})" for link in one.links if link.how == "duplicate"]
        state = one.status if one.open else "closed"
        rows.append((one.id, f"{since} {level} {state}  {one.title}{names}{''.join(into)}"))
    return rows
