"""The state of an incident from its entries in order. One pure function, `derive`; `state.Fold` calls it.

The lines come sorted by effective time, without struck and purged ones, so any order of arrival gives the same state.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from incident_tui.incident import views as v
from incident_tui.incident import work
from incident_tui.incident.entry import MACHINE_KINDS, MILESTONES, Author, Kind, Ref
from incident_tui.incident.in_force import reopens
from incident_tui.incident.progress import KINDS, Progress, resolved
from incident_tui.incident.said import Line, as_taken, number, same
from incident_tui.incident.words import time_of

_PLAIN: Final = frozenset({Kind.NOTE, Kind.RESULT, Kind.EVIDENCE, Kind.CHAT, Kind.ARCHIVE})
STATEFUL: Final = frozenset(Kind) - (MACHINE_KINDS - {Kind.PRESENCE}) - _PLAIN
"""Kinds that may change the state; the others only make a row."""


Stretch = tuple[datetime, datetime | None]
"""From when until when (None: still) loose entries belong to an incident."""


def closings(lines: Iterable[Line]) -> tuple[datetime | None, tuple[datetime, ...], list[Stretch]]:
    """When it was closed (None while open), when it was reopened, and the stretches it was open after the first line
    that counts: each (from, until). Uses only the incident's own lines, in order."""
    closed: datetime | None = None
    reopened: list[datetime] = []
    stretches: list[Stretch] = []
    start: datetime | None = None
    for line in lines:
        kind, data = line.entry.kind, line.entry.data
        if kind is Kind.DECLARE and start is None and not stretches:
            start = line.at - timedelta(minutes=number(data.get("attach_minutes"), 60))
        elif kind is Kind.MILESTONE and data.get("name") == "closed" and not data.get("unknown"):
            if closed is None:
                closed = line.at
                if start is not None:
                    stretches.append((start, closed))
                    start = None
        elif closed is not None and line.at > closed and reopens(line.entry):
            closed = None
            start = line.at
            reopened.append(line.at)
    if start is not None:
        stretches.append((start, None))
    return closed, tuple(reopened), stretches


class _State:
    """Collects while the lines pass in order."""

    def __init__(self) -> None:
        self.declared: Line | None = None
        self.severities: list[v.SeveritySpan] = []
        self.statuses: list[v.StatusSpan] = []
        self.commands: list[v.CommandSpan] = []
        self.offered: v.Offer | None = None
        self.roles: dict[str, v.Holder] = {}
        self.role_history: list[v.Holder] = []
        self.milestones: list[Line] = []
        self.promises: list[v.Promise] = []
        self.updates: list[v.UpdatePosted] = []
        self.statements: dict[Kind, list[work.Statement]] = {Kind.DECISION: [], Kind.LESSON: [], Kind.CHANGE: []}
        self.progress = Progress()
        self.presence: dict[str, v.Presence] = {}
        self.review_owner = ""

    def take(self, line: Line) -> None:
        entry = line.entry
        match entry.kind:
            case Kind.DECLARE:
                self._declare(line)
            case Kind.SEVERITY:
                self._severity(line, entry.data.get("level"), line.text)
            case Kind.STATUS:
                self._status(line, str(entry.data.get("status", "")), line.text)
            case Kind.MILESTONE:
                self.milestones.append(line)
            case Kind.ROLE:
                self._role(line)
            case Kind.UPDATE:
                self._update(line)
            case Kind.DECISION | Kind.LESSON | Kind.CHANGE:
                sort = str(entry.data.get("sort", ""))
                self.statements[entry.kind].append(work.Statement(entry.id, line.text, line.at, entry.author, sort))
            case Kind.PRESENCE:
                here = entry.data.get("step") != "left"
                self.presence[entry.author.name] = v.Presence(entry.author.name, line.at, here)
            case kind if kind in KINDS:
                self.progress.take(line)
            case _:
                pass

    def _declare(self, line: Line) -> None:
        if self.declared is not None:
            return
        self.declared = line
        entry = line.entry
        if not self.severities:
            self._severity(line, entry.data.get("severity"), "declared")
        if not self.statuses:
            self._status(line, "declared", "")
        if not self.commands and "by" not in entry.data:
            self._command(line, entry.author.name, "declared")

    def _severity(self, line: Line, level: object, why: str) -> None:
        if not isinstance(level, int) or isinstance(level, bool):
            return
        if self.severities:
            self.severities[-1] = msgspec.structs.replace(self.severities[-1], until=line.at)
        self.severities.append(v.SeveritySpan(level, line.at, None, why, line.entry.author, line.entry.id))

    def _status(self, line: Line, status: str, text: str) -> None:
        if not status:
            return
        if self.statuses:
            self.statuses[-1] = msgspec.structs.replace(self.statuses[-1], until=line.at)
        self.statuses.append(v.StatusSpan(status, line.at, None, text, line.entry.author, line.entry.id))

    def _command(self, line: Line, who: str, how: Any, offered_by: str = "") -> None:
        if self.commands:
            self.commands[-1] = msgspec.structs.replace(self.commands[-1], until=line.at)
        self.commands.append(v.CommandSpan(who, line.at, None, how, line.entry.author, line.entry.id, offered_by))
        self.offered = None

    def _role(self, line: Line) -> None:
        entry = line.entry
        who = str(entry.data.get("who") or entry.author.name)
        role, step = str(entry.data.get("role", "commander")), entry.data.get("step")
        if role == "review":
            self.review_owner = "" if step == "release" else who
        elif role != "commander":
            self._other_role(line, role, who, step)
        elif step == "offer":
            self.offered = v.Offer(who, line.at, entry.author, entry.id)
        elif step in ("take", "claim"):
            was = entry.data.get("was")
            if was is not None and self.commands and not same(self.commands[-1].who, str(was)):
                self._second(line, who)
                return
            offered = self.offered if self.offered and same(self.offered.who, who) else None
            if self.commands and same(self.commands[-1].who, who):
                self.offered = None if offered else self.offered
            elif offered:
                self._command(line, who, "taken", offered.by.name)
            else:
                self._command(line, who, "claimed" if self.commands or step == "claim" else "taken")

    def _second(self, line: Line, who: str) -> None:
        """Somebody else took command first."""
        first = self.commands[-1]
        if not same(first.who, who):
            self.progress.contested.append(
                work.Contested(
                    *("command", first.ref, first.who, first.how, first.since),
                    *(line.entry.id, who, str(line.entry.data.get("step")), line.at),
                )
            )

    def _other_role(self, line: Line, role: str, who: str, step: object) -> None:
        if step not in ("take", "claim", "release"):
            return
        held = self.roles.pop(role, None)
        if held is not None:
            self.role_history.append(msgspec.structs.replace(held, until=line.at))
        if step != "release":
            self.roles[role] = v.Holder(role, who, line.at, None, line.entry.author, line.entry.id)

    def _update(self, line: Line) -> None:
        entry = line.entry
        audience, step = str(entry.data.get("audience", "")), entry.data.get("step")
        due = time_of(entry.data.get("next"))
        if step != "promised":
            self.updates.append(
                v.UpdatePosted(
                    audience, line.at, line.text, entry.author, entry.id, str(entry.data.get("where", "")), due
                )
            )
        for index, promise in enumerate(self.promises):
            if promise.audience != audience or promise.kept_at is not None or promise.moved_at is not None:
                continue
            if step != "promised":
                self.promises[index] = msgspec.structs.replace(promise, kept_at=line.at)
            elif due is not None:
                self.promises[index] = msgspec.structs.replace(promise, moved_at=line.at)
        if due is not None:
            self.promises.append(v.Promise(audience, line.at, due, entry.author, entry.id))


def _milestones(state: _State, closed: datetime | None) -> dict[str, v.MilestoneState]:
    found: dict[str, v.MilestoneState] = {}

    def implied(name: str, at: datetime, by: Author, ref: Ref) -> None:
        found[name] = v.MilestoneState(name, at, by, ref, implied=True)

    if state.declared is not None:
        implied("declared", state.declared.at, state.declared.entry.author, state.declared.entry.id)
    ended = None
    for status in state.statuses:
        if status.status == "resolved" and ended is None:
            ended = status
        elif status.status not in ("resolved", "stood down"):
            ended = None
    if ended is not None:
        implied("resolved", ended.since, ended.by, ended.ref)
    for line in sorted(state.milestones, key=lambda line: line.said):
        name = str(line.entry.data.get("name", ""))
        if name not in MILESTONES or name == "declared":
            continue
        before = found.get(name)
        found[name] = v.MilestoneState(
            name,
            None if line.entry.data.get("unknown") else line.at,
            line.entry.author,
            line.entry.id,
            changes=0 if before is None or before.implied else before.changes + 1,
        )
    if closed is None and "closed" in found and not found["closed"].unknown:
        del found["closed"]
    return {name: found[name] for name in MILESTONES if name in found}


def derive(incident: str, lines: Sequence[Line], own: Sequence[Line]) -> v.Incident:
    """The incident without its rows. `lines` are all that belong to it, `own` those that name it; both in order."""
    state = _State()
    taken = as_taken(lines, lambda one: one.entry.kind is Kind.ROLE and one.entry.data.get("was") is not None)
    for line in as_taken(taken, lambda one: one.entry.kind is Kind.PLAYBOOK):
        state.take(line)
    state.progress.answer()
    closed, reopened, _ = closings(own)
    declared = state.declared
    status = state.statuses[-1] if state.statuses else None
    command = state.commands[-1] if state.commands else None
    return v.Incident(
        id=incident,
        title=(declared.text or str(declared.entry.data.get("title", ""))) if declared else "",
        drill=bool(declared and declared.entry.data.get("drill")),
        declared_at=declared.at if declared else None,
        declared_by=declared.entry.author if declared else None,
        severity=state.severities[-1].level if state.severities else None,
        peak_severity=min((span.level for span in state.severities), default=None),
        severities=tuple(state.severities),
        status=status.status if status else "",
        statuses=tuple(state.statuses),
        commander=command.who if command else "",
        commander_since=command.since if command else None,
        commands=tuple(state.commands),
        offered=state.offered,
        roles=state.roles,
        role_history=tuple(state.role_history),
        milestones=_milestones(state, closed),
        next_update={
            promise.audience: promise.due
            for promise in state.promises
            if promise.kept_at is None and promise.moved_at is None
        },
        promises=tuple(state.promises),
        updates=tuple(state.updates),
        decisions=tuple(state.statements[Kind.DECISION]),
        lessons=tuple(state.statements[Kind.LESSON]),
        changes=tuple(state.statements[Kind.CHANGE]),
        **resolved(state.progress),
        presence=tuple(state.presence.values()),
        review_owner=state.review_owner,
        stood_down_at=status.since if status and status.status == "stood down" else None,
        closed_at=closed,
        reopened=reopened,
    )
