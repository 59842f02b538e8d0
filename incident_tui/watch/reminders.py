"""Silence as data: what did not happen in time becomes an entry, once. Pure.

Each reminder has a key made of what it is about, and the journal stores a key only once: a watch that is restarted, or
another one that takes over, repeats nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from incident_tui.incident.entry import MACHINE_KINDS, Author, Draft, Entry, Kind, Ref
from incident_tui.incident.settings import DEFAULT_SEVERITIES, Command, Severity
from incident_tui.incident.updates import first_update
from incident_tui.incident.views import Incident

ELSEWHERE: Final = timedelta(minutes=2)
"""So long the watch of the bastion that declared an incident has to say it before another one does."""


class Reminder(msgspec.Struct, frozen=True):
    """One entry to append, with its idempotency key."""

    key: str
    draft: Draft


class Clocks(msgspec.Struct, frozen=True, kw_only=True):
    """After how long each silence is said, and who says it."""

    author: Author
    silence: timedelta
    command: Command = Command()
    severities: Sequence[Severity] = DEFAULT_SEVERITIES


def due(incident: Incident, now: datetime, clocks: Clocks, unseen: Mapping[str, datetime] = {}) -> list[Reminder]:
    """What is overdue in one incident that is open and not stood down. `unseen`: hosts that cannot be read, and since
    when they were read last."""
    if not incident.open or incident.stood_down_at is not None or incident.declared_at is None:
        return []
    made = _Maker(incident, now, clocks)
    return [
        *made.silence(),
        *made.updates(),
        *made.first_update(incident.declared_at),
        *made.tasks(),
        *made.companies(),
        *made.tired(),
        *made.hosts(unseen, incident.declared_at),
    ]


class Turns:
    """Which reminders the watch beside `journal` is to write, each once. With several bastions that is the one on which
    the incident was declared; another one writes what is not there a while later, since that bastion may be cut off or
    lost. With the duty for all of them nothing is to `wait` for.

    The key alone would do, but for a journal that was recovered from other bastions: their copies have no keys."""

    def __init__(self, journal: str) -> None:
        self._journal = journal
        self._done: set[str] = set()

    def take(
        self, reminders: Sequence[Reminder], incident: Incident, now: datetime, wait: timedelta = ELSEWHERE
    ) -> list[Reminder]:
        fresh = [one for one in reminders if one.key not in self._done]
        if not fresh:
            return []
        said = {_said(row.entry) for row in incident.rows if row.entry.kind is Kind.GAP}
        self._done.update(one.key for one in fresh if _said(one.draft) in said)
        declared = incident.milestones.get("declared")
        mine = declared is None or declared.ref.journal == self._journal
        turn = [one for one in fresh if one.key not in self._done and (mine or now - one.draft.at > wait)]
        self._done.update(one.key for one in turn)
        return turn


def _said(one: Draft | Entry) -> tuple[object, ...]:
    return one.kind, one.text, one.data.get("since"), one.ref


class _Maker:
    def __init__(self, incident: Incident, now: datetime, clocks: Clocks) -> None:
        self.incident = incident
        self.now = now
        self.clocks = clocks
        self.command = clocks.command

    def _gap(self, key: str, at: datetime, text: str, what: str, since: datetime, ref: Ref | None = None) -> Reminder:
        return Reminder(key, self._draft(Kind.GAP, at, text, {"what": what, "since": since.isoformat()}, ref))

    def _draft(self, kind: Kind, at: datetime, text: str, data: dict[str, str], ref: Ref | None) -> Draft:
        return Draft(
            kind=kind,
            text=text,
            at=at,
            author=self.clocks.author,
            incident=self.incident.id,
            source="watch",
            data=dict(data),
            ref=ref,
        )

    def silence(self) -> Iterator[Reminder]:
        """Nobody has written anything for so long. Backdated lines count by when they were recorded."""
        people = [
            row.entry
            for row in self.incident.rows
            if row.entry.kind not in MACHINE_KINDS and row.entry.incident and "series" not in row.entry.data
        ]
        last = max(people, key=lambda entry: entry.recorded_at, default=None)
        if last is None or self.now < last.recorded_at + self.clocks.silence:
            return
        text = f"no entry for {_minutes(self.clocks.silence)} min"
        key = f"silence:{self.incident.id}:{_key(last.id)}"
        yield self._gap(key, last.recorded_at + self.clocks.silence, text, "silence", last.recorded_at)

    def updates(self) -> Iterator[Reminder]:
        for promise in self.incident.promises:
            if promise.kept_at is None and promise.moved_at is None and self.now > promise.due:
                text = f"{promise.audience} update promised for {promise.due:%H:%MZ} was not given"
                key = f"missed:{_key(promise.ref)}:{promise.due:%H%M}"
                yield self._gap(key, promise.due, text, "update", promise.at)

    def first_update(self, declared: datetime) -> Iterator[Reminder]:
        """Nothing was said to the public, and nothing promised, so long after the declare."""
        at = first_update(self.incident, self.command, self.clocks.severities)
        if at is not None and self.now > at:
            text = f"no public update within {self.command.first_update_minutes} min of the declare"
            yield self._gap(f"first:{self.incident.id}", at, text, "update", declared)

    def tasks(self) -> Iterator[Reminder]:
        for task in self.incident.tasks:
            if task.done_at is not None:
                continue
            given = task.given_at or task.at
            answer_by = given + timedelta(minutes=self.command.ack_minutes)
            if self.command.ack_minutes and task.acked_at is None and answer_by < min(self.now, task.due):
                text = f"{task.who} has not acknowledged: {task.text}"
                yield self._gap(
                    f"unacked:{_key(task.ref)}:{given:%H%M%S}", answer_by, text, "task", given, ref=task.ref
                )
            if task.state(self.now) == "overdue" and task.overdue_said is None:
                acked = "" if task.acked_at is not None else ", never acknowledged"
                text = f"time box of {task.minutes} min is over{acked}"
                draft = self._draft(Kind.TASK, task.due, text, {"step": "overdue", "who": task.who}, task.ref)
                again = f":{given:%H%M%S}" if task.given_at else ""
                yield Reminder(f"overdue:{_key(task.ref)}{again}", draft)

    def companies(self) -> Iterator[Reminder]:
        """An outside company did not answer by the time it promised: escalate."""
        for one in self.incident.engagements:
            if one.state(self.now) == "overdue" and one.overdue_said is None and one.due is not None:
                ticket = f", ticket {one.ticket}" if one.ticket else ""
                text = f"not back by {one.due:%H:%MZ}{ticket}: escalate"
                draft = self._draft(Kind.ENGAGEMENT, one.due, text, {"step": "overdue", "vendor": one.vendor}, one.ref)
                yield Reminder(f"late:{_key(one.ref)}:{one.due:%d%H%M}", draft)

    def tired(self) -> Iterator[Reminder]:
        """Somebody has held a role for too many hours. Sources: PagerDuty's and Google SRE's advice on handing over."""
        hours = self.command.fatigue_hours
        held = [("commander", self.incident.commander, self.incident.commander_since)]
        held += [(one.role, one.who, one.since) for one in self.incident.roles.values()]
        for role, who, since in held:
            if not hours or not who or since is None:
                continue
            count = int((self.now - since) / timedelta(hours=hours))
            if count >= 1:
                at = since + timedelta(hours=hours * count)
                text = f"{who} has been {role} for {hours * count} h: hand over?"
                key = f"tired:{self.incident.id}:{role}:{since:%d%H%M%S}:{count}"
                yield self._gap(key, at, text, "fatigue", since)

    def hosts(self, unseen: Mapping[str, datetime], declared: datetime) -> Iterator[Reminder]:
        minutes = self.command.host_silent_minutes
        for host, since in unseen.items() if minutes else ():
            at = max(since, declared) + timedelta(minutes=minutes)
            if self.now > at:
                text = f"{host} has not been seen for {_minutes(at - since)} min"
                yield self._gap(f"unseen:{self.incident.id}:{host}:{since:%d%H%M%S}", at, text, "host", since)


def _minutes(length: timedelta) -> int:
    return int(length.total_seconds() // 60)


def _key(ref: Ref) -> str:
    return f"{ref.journal}:{ref.seq}"
