"""Silence as data: what did not happen in time becomes an entry, once. Pure.

Each reminder has a key made of what it is about, and the journal stores a key only once: a watch that is restarted, or
another one that takes over, repeats nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from incident_tui.incident.entry import MACHINE_KINDS, Author, Draft, Kind
from incident_tui.incident.views import Incident


class Reminder(msgspec.Struct, frozen=True):
    """One entry to append, with its idempotency key."""

    key: str
    draft: Draft


def due(incident: Incident, now: datetime, silence: timedelta, author: Author) -> list[Reminder]:
    """What is overdue in one incident that is open and not stood down."""
    if not incident.open or incident.stood_down_at is not None or incident.declared_at is None:
        return []
    return [
        *_silence(incident, now, silence, author),
        *_updates(incident, now, author),
        *_tasks(incident, now, author),
    ]


def _draft(incident: Incident, author: Author, at: datetime, text: str, what: str, since: datetime) -> Draft:
    data = {"what": what, "since": since.isoformat()}
    return Draft(kind=Kind.GAP, text=text, at=at, author=author, incident=incident.id, source="watch", data=data)


def _silence(incident: Incident, now: datetime, silence: timedelta, author: Author) -> list[Reminder]:
    """Nobody has written anything for `silence`. Backdated lines count by when they were recorded."""
    people = [row.entry for row in incident.rows if row.entry.kind not in MACHINE_KINDS and row.entry.incident]
    if not people:
        return []
    last = max(people, key=lambda entry: entry.recorded_at)
    at = last.recorded_at + silence
    if now < at:
        return []
    minutes = int(silence.total_seconds() // 60)
    text = f"no entry for {minutes} min"
    draft = _draft(incident, author, at, text, "silence", last.recorded_at)
    return [Reminder(f"silence:{incident.id}:{last.journal}:{last.seq}", draft)]


def _updates(incident: Incident, now: datetime, author: Author) -> list[Reminder]:
    found = []
    for promise in incident.promises:
        if promise.kept_at is None and promise.moved_at is None and now > promise.due:
            text = f"{promise.audience} update promised for {promise.due:%H:%MZ} was not given"
            draft = _draft(incident, author, promise.due, text, "update", promise.at)
            found.append(Reminder(f"missed:{promise.ref.journal}:{promise.ref.seq}:{promise.due:%H%M}", draft))
    return found


def _tasks(incident: Incident, now: datetime, author: Author) -> list[Reminder]:
    found = []
    for task in incident.tasks:
        if task.state(now) != "overdue" or task.overdue_said is not None:
            continue
        acked = "" if task.acked_at is not None else ", never acknowledged"
        draft = Draft(
            kind=Kind.TASK,
            text=f"time box of {task.minutes} min is over{acked}",
            at=task.due,
            author=author,
            incident=incident.id,
            source="watch",
            data={"step": "overdue", "who": task.who},
            ref=task.ref,
        )
        found.append(Reminder(f"overdue:{task.ref.journal}:{task.ref.seq}", draft))
    return found
