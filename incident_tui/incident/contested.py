"""What two people did at the same moment and only one can have done: command taken, a task acknowledged, passed or
done, a handoff accepted. The rule: who is first in the order of the fold; the other's entry stays in the timeline,
changes nothing, and its author is told. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from incident_tui.incident.entry import Entry, Kind
from incident_tui.incident.said import same

if TYPE_CHECKING:
    from incident_tui.incident.views import Incident
    from incident_tui.incident.work import Task

CONTESTED: Final = frozenset({Kind.ROLE, Kind.TASK, Kind.HANDOFF, Kind.HOLD})
"""Kinds of which an author may have to be told that another was first (a hold: after a command on what is held)."""


def came_second(entry: Entry, incident: Incident) -> str:
    """Who was first, when this entry of the incident came second; empty when it did not."""
    who = str(entry.data.get("who") or entry.author.name)
    match entry.kind:
        case Kind.ROLE if entry.data.get("was") is not None:
            counts = any(span.ref == entry.id for span in incident.commands) or same(incident.commander, who)
            return "" if counts else f"{incident.commander} was first and is commander: /ic claim takes it all the same"
        case Kind.TASK:
            return next((_task(entry, who, one) for one in incident.tasks if one.ref == entry.ref), "")
        case Kind.HANDOFF if entry.data.get("step") == "accepted":
            found = next((one for one in incident.handoffs if one.ref == entry.ref), None)
            if found is None or found.accepted_at is None or found.accepted_at == entry.at:
                return ""
            return f"it was accepted at {found.accepted_at:%H:%M}Z by {found.accepted_by}"
        case _:
            return ""


def _task(entry: Entry, who: str, task: Task) -> str:
    match entry.data.get("step"):
        case "acked" if task.acked_at is not None and (task.acked_at != entry.at or not same(task.acked_by, who)):
            return f"{task.acked_by} acknowledged it first, at {task.acked_at:%H:%M}Z"
        case "done" if task.done_at is not None and task.done_at != entry.at:
            return f"it was done already at {task.done_at:%H:%M}Z"
        case "passed" if not same(task.who, who) and not any(same(name, who) for name in task.before):
            return f"it was passed to {task.who} first"
        case _:
            return ""
