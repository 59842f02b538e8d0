"""Tasks acknowledged, done and passed on, follow-ups changed, hypotheses judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from incident_tui.desk.scene import No, Order, Scene
from incident_tui.incident import meanings as m
from incident_tui.incident import when
from incident_tui.incident.entry import Entry, Kind
from incident_tui.incident.said import same

if TYPE_CHECKING:
    from incident_tui.incident.views import Incident
    from incident_tui.incident.work import Task


def _task_of(entry: Entry, scene: Scene) -> tuple[Task, Incident] | None:
    """The task an entry is, or answers."""
    wanted = {entry.id, entry.ref}
    for incident in [scene.fold.incident(entry.incident)] if entry.incident else []:
        for task in incident.tasks:
            if task.ref in wanted:
                return task, incident
    return None


def ack(parsed: m.Ack, scene: Scene) -> Order:
    who = parsed.who or scene.me
    if parsed.handle:
        found = _task_of(scene.find(parsed.handle), scene)
        if found is None:
            raise No(f"{parsed.handle} is not a task.")
        task, incident = found
        who = parsed.who or task.who
    else:
        incident = scene.needed()
        waiting = [one for one in incident.tasks if same(one.who, who) and one.acked_at is None and one.done_at is None]
        if not waiting:
            raise No(f"No task of {who} waits for an answer.")
        task = waiting[-1]
    if task.acked_at is not None:
        raise No(f"{scene.handle(task.ref)} was acknowledged at {when.clock(task.acked_at, scene.now)}.")
    data: dict[str, Any] = {"step": "acked", "who": who}
    if parsed.voice or not same(who, scene.me):
        data["voice"] = True
    return Order(
        (scene.draft(Kind.TASK, "", parsed.at, data, ref=task.ref, incident=incident.id),),
        notice=f"{who} acknowledged {scene.handle(task.ref)}: {task.text}",
    )


def done(parsed: m.Done, scene: Scene) -> Order:
    if parsed.handle:
        entry = scene.find(parsed.handle)
        found = _task_of(entry, scene)
        if found is not None:
            return _task_done(found[0], found[1], parsed, scene)
        if entry.kind is Kind.FOLLOWUP:
            ref = entry.ref or entry.id
            draft = scene.draft(Kind.FOLLOWUP, parsed.text, parsed.at, {"step": "done"}, ref=ref)
            draft = msgspec.structs.replace(draft, incident=entry.incident)
            return Order((draft,), notice=f"Follow-up {scene.handle(ref)} done.")
        raise No(f"{parsed.handle} is neither a task nor a follow-up.")
    incident = scene.needed()
    mine = [one for one in incident.tasks if same(one.who, scene.me) and one.done_at is None]
    if not mine:
        raise No("You have no open task here: name one, /done a17.")
    return _task_done(mine[-1], incident, parsed, scene)


def _task_done(task: Task, incident: Incident, parsed: m.Done, scene: Scene) -> Order:
    if task.done_at is not None:
        raise No(f"{scene.handle(task.ref)} was done at {when.clock(task.done_at, scene.now)}.")
    data: dict[str, Any] = {"step": "done", "who": task.who}
    if not same(task.who, scene.me):
        data["voice"] = True
    return Order(
        (scene.draft(Kind.TASK, parsed.text, parsed.at, data, ref=task.ref, incident=incident.id),),
        notice=f"Done: {scene.handle(task.ref)} {task.who}: {task.text}",
    )


def pass_on(parsed: m.Pass, scene: Scene) -> Order:
    """A task goes to somebody else, who has to acknowledge it."""
    if parsed.handle:
        found = _task_of(scene.find(parsed.handle), scene)
        if found is None:
            raise No(f"{parsed.handle} is not a task.")
        task, incident = found
    else:
        incident = scene.needed()
        mine = [one for one in incident.tasks if same(one.who, scene.me) and one.done_at is None]
        if not mine:
            raise No("You have no open task here: name one, /pass a17 NAME.")
        task = mine[-1]
    if task.done_at is not None:
        raise No(f"{scene.handle(task.ref)} was done at {when.clock(task.done_at, scene.now)}.")
    if same(task.who, parsed.who):
        raise No(f"{scene.handle(task.ref)} is {task.who}'s already.")
    data: dict[str, Any] = {"step": "passed", "who": parsed.who, "minutes": parsed.minutes or task.minutes}
    if not parsed.said:
        data["was"] = task.who
    return Order(
        (scene.draft(Kind.TASK, parsed.text, parsed.at, data, ref=task.ref, incident=incident.id),),
        notice=f"{scene.handle(task.ref)} goes from {task.who} to {parsed.who}, who answers with /ack.",
    )


def change_follow_up(parsed: m.ChangeFollowUp, scene: Scene) -> Order:
    entry = scene.find(parsed.handle)
    if entry.kind is not Kind.FOLLOWUP:
        raise No(f"{parsed.handle} is not a follow-up: write one with `todo: text`.")
    data = {"step": "changed", **parsed.data}
    draft = scene.draft(Kind.FOLLOWUP, parsed.text, parsed.at, data, ref=entry.ref or entry.id, incident=entry.incident)
    return Order((draft,))


def judge(parsed: m.Judge, scene: Scene) -> Order:
    entry = scene.find(parsed.handle)
    if entry.kind is not Kind.HYPOTHESIS:
        raise No(f"{parsed.handle} is not a hypothesis: raise one with `? text`.")
    ref = entry.ref or entry.id
    draft = scene.draft(
        Kind.HYPOTHESIS, parsed.text, parsed.at, {"state": parsed.state}, ref=ref, incident=entry.incident
    )
    return Order((draft,))
