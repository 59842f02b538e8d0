"""What people are working on, collected from an incident's entries in order: tasks, follow-ups, hypotheses, holds,
playbooks, commands on hosts, reports, criteria, companies, handoffs, links. Pure; `chronicle.derive` calls it.

What answers something (acked, done, confirmed, met, …) waits until all is known: a backdated answer may sort before
what it answers.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Final

import msgspec

from incident_tui.incident import work as w
from incident_tui.incident.entry import Kind, Ref
from incident_tui.incident.holds import Holds
from incident_tui.incident.played import Played
from incident_tui.incident.said import Line, as_taken, number, one_line, same

_replace = msgspec.structs.replace

OPENING: Final = frozenset(
    {
        *(Kind.TASK, Kind.FOLLOWUP, Kind.HYPOTHESIS, Kind.CRITERION),
        *(Kind.ENGAGEMENT, Kind.HANDOFF, Kind.COMMAND),
    }
)
"""Kinds of which the first entry opens something and later ones answer it by `ref`."""
KINDS: Final = OPENING | {Kind.HOLD, Kind.PLAYBOOK, Kind.CAN, Kind.LINK}


class Progress:
    """Collects while the lines pass in order; `answer` when all have passed."""

    def __init__(self) -> None:
        self.tasks: dict[Ref, w.Task] = {}
        self.follow_ups: dict[Ref, w.FollowUp] = {}
        self.hypotheses: dict[Ref, w.Hypothesis] = {}
        self.criteria: dict[Ref, w.Criterion] = {}
        self.engagements: dict[Ref, w.Engagement] = {}
        self.handoffs: dict[Ref, w.Handoff] = {}
        self.remotes: dict[Ref, w.Remote] = {}
        self.cans: dict[str, w.Can] = {}
        self.links: dict[str, w.Link] = {}
        self.holds = Holds()
        self.played = Played()
        self.contested: list[w.Contested] = []
        self._answers: list[Line] = []
        self._acts: dict[tuple[Ref, str], Line] = {}
        """What counted of a task or a handoff: the last of each step."""

    def take(self, line: Line) -> None:
        """A line whose kind is one of `KINDS`."""
        match line.entry.kind:
            case Kind.HOLD:
                self.holds.take(line)
            case Kind.PLAYBOOK:
                self.played.take(line)
            case Kind.CAN:
                self._can(line)
            case Kind.LINK:
                self._link(line)
            case _:
                self._opened(line)

    def _opened(self, line: Line) -> None:
        entry, data, step = line.entry, line.entry.data, line.entry.data.get("step")
        head = (entry.id, line.text, line.at, entry.author)
        match entry.kind:
            case Kind.TASK if step == "assigned":
                who, minutes = str(data.get("who", "")), number(data.get("minutes"), 0)
                self.tasks[entry.id] = w.Task(entry.id, who, minutes, line.text, line.at, entry.author)
            case Kind.FOLLOWUP if not step:
                self.follow_ups[entry.id] = _with_fields(w.FollowUp(*head), data)
            case Kind.HYPOTHESIS if data.get("state", "raised") == "raised":
                self.hypotheses[entry.id] = w.Hypothesis(*head)
            case Kind.CRITERION if not step:
                self.criteria[entry.id] = w.Criterion(*head)
            case Kind.ENGAGEMENT if not step:
                vendor, ticket = str(data.get("vendor", "")), str(data.get("ticket", ""))
                due = _minutes_on(line, data)
                self.engagements[entry.id] = w.Engagement(
                    entry.id, vendor, line.at, entry.author, line.text, ticket, due
                )
            case Kind.HANDOFF if step in (None, "offered"):
                self.handoffs[entry.id] = w.Handoff(entry.id, str(data.get("who", "")), line.at, entry.author)
            case Kind.COMMAND if step == "intent":
                self.remotes[entry.id] = w.Remote(
                    ref=entry.id,
                    host=str(data.get("host", "")),
                    command=one_line(str(data.get("command", "")) or line.text),
                    at=line.at,
                    by=entry.author,
                    changes=data.get("risk") == "change",
                    expected=str(data.get("expected", "")),
                    verify=str(data.get("verify", "")),
                    verify_minutes=number(data.get("minutes"), 0),
                    run=str(data.get("run", "")),
                    number=number(data.get("number"), 0),
                )
            case _ if entry.ref is not None:
                self._answers.append(line)
            case _:
                pass

    def answer(self) -> None:
        """Apply what answered something."""
        for line in as_taken(self._answers, lambda line: line.entry.kind in (Kind.TASK, Kind.HANDOFF)):
            ref = line.entry.ref
            assert ref is not None
            match line.entry.kind:
                case Kind.TASK if ref in self.tasks:
                    self._task(ref, line)
                case Kind.FOLLOWUP if ref in self.follow_ups:
                    self.follow_ups[ref] = _follow_up(self.follow_ups[ref], line)
                case Kind.HYPOTHESIS if ref in self.hypotheses:
                    self.hypotheses[ref] = _replace(
                        self.hypotheses[ref],
                        state=str(line.entry.data.get("state")),
                        judged_at=line.at,
                        judged_by=line.entry.author.name,
                        why=line.text,
                    )
                case Kind.CRITERION if ref in self.criteria:
                    self.criteria[ref] = _criterion(self.criteria[ref], line)
                case Kind.ENGAGEMENT if ref in self.engagements:
                    self.engagements[ref] = _engagement(self.engagements[ref], line)
                case Kind.HANDOFF if ref in self.handoffs and line.entry.data.get("step") == "accepted":
                    if self.handoffs[ref].accepted_at is not None:
                        self._second("handoff", ref, "accepted", line)
                        continue
                    self._acts[ref, "accepted"] = line
                    self.handoffs[ref] = _replace(self.handoffs[ref], accepted_at=line.at, accepted_by=_who(line))
                case Kind.COMMAND if ref in self.remotes:
                    self.remotes[ref] = _remote(self.remotes[ref], line)
                case _:
                    pass

    def _task(self, ref: Ref, line: Line) -> None:
        task, step = self.tasks[ref], str(line.entry.data.get("step"))
        after = _task(task, line)
        if after is task and step in ("acked", "passed", "done"):
            ended = task.done_at is not None and step != "acked"
            self._second(f"task {task.text}", ref, "done" if ended else step, line)
        else:
            self._acts[ref, step] = line
        self.tasks[ref] = after

    def _second(self, what: str, ref: Ref, before: str, line: Line) -> None:
        """`line` comes second to what counts already; not worth a word when both are the same person's."""
        first, who = self._acts.get((ref, before)), _who(line)
        if first is None or same(_who(first), who):
            return
        self.contested.append(
            w.Contested(
                *(what, first.entry.id, _who(first), before, first.at),
                *(line.entry.id, who, str(line.entry.data.get("step")), line.at),
            )
        )

    def _can(self, line: Line) -> None:
        data = line.entry.data
        who = str(data.get("who") or line.entry.author.name)
        said = (str(data.get(part, "")) for part in ("conditions", "actions", "needs"))
        self.cans[who] = w.Can(line.entry.id, who, line.at, line.entry.author, *said)

    def _link(self, line: Line) -> None:
        data = line.entry.data
        other, how = str(data.get("other", "")), str(data.get("how", "related"))
        self.links.pop(other, None)
        if how in ("related", "duplicate"):
            self.links[other] = w.Link(line.entry.id, other, how, line.at, line.entry.author, line.text)


def _who(line: Line) -> str:
    """Whose act it is: of an acknowledgement or an acceptance the person's it is said of, else the author's."""
    data = line.entry.data
    return str((data.get("who") if data.get("step") in ("acked", "accepted") else "") or line.entry.author.name)


def _minutes_on(line: Line, data: dict[str, Any]) -> datetime | None:
    minutes = number(data.get("minutes"), 0)
    return line.at + timedelta(minutes=minutes) if minutes else None


def _task(task: w.Task, line: Line) -> w.Task:
    data, step = line.entry.data, line.entry.data.get("step")
    if step == "passed" and task.done_at is None:
        if "was" in data and not same(str(data["was"]), task.who):
            return task  # somebody else was first: `contested`
        who, minutes = str(data.get("who", "")), number(data.get("minutes"), task.minutes)
        return _replace(
            task,
            who=who,
            minutes=minutes,
            given_at=line.at,
            before=(*task.before, task.who),
            acked_at=None,
            acked_voice=False,
            acked_by="",
            overdue_said=None,
        )
    if step == "acked" and task.acked_at is None:
        who = str(data.get("who") or line.entry.author.name)
        return _replace(task, acked_at=line.at, acked_voice=bool(data.get("voice")), acked_by=who)
    if step == "done" and task.done_at is None:
        return _replace(task, done_at=line.at, done_text=line.text)
    if step == "overdue" and task.overdue_said is None:
        return _replace(task, overdue_said=line.at)
    return task


def _with_fields(item: w.FollowUp, data: dict[str, Any]) -> w.FollowUp:
    """Owner, priority, due date and sort, of those that `data` says."""
    changed: dict[str, Any] = {name: str(data[name]) for name in ("owner", "priority") if data.get(name)}
    if data.get("sort") in w.FOLLOWUP_SORTS:
        changed["sort"] = str(data["sort"])
    try:
        if data.get("due"):
            changed["due"] = date.fromisoformat(str(data["due"]))
    except ValueError:
        pass
    return _replace(item, **changed)


def _follow_up(item: w.FollowUp, line: Line) -> w.FollowUp:
    match line.entry.data.get("step"):
        case "done":
            return _replace(item, done_at=line.at, done_text=line.text)
        case "changed":
            return _with_fields(item, line.entry.data)
        case _:
            return item


def _criterion(criterion: w.Criterion, line: Line) -> w.Criterion:
    if line.entry.data.get("step") == "unmet":
        return _replace(criterion, met_at=None, met_by="", how=line.text)
    return _replace(criterion, met_at=line.at, met_by=line.entry.author.name, how=line.text)


def _engagement(engagement: w.Engagement, line: Line) -> w.Engagement:
    data = line.entry.data
    match data.get("step"):
        case "answered":
            return _replace(
                engagement,
                answered_at=line.at,
                answers=engagement.answers + 1,
                last=line.text or engagement.last,
                due=_minutes_on(line, data),
                ticket=str(data.get("ticket") or engagement.ticket),
                overdue_said=None,
            )
        case "ended":
            return _replace(engagement, ended_at=line.at, last=line.text or engagement.last, due=None)
        case "overdue":
            return _replace(engagement, overdue_said=line.at)
        case _:
            return engagement


def _remote(remote: w.Remote, line: Line) -> w.Remote:
    data = line.entry.data
    if data.get("step") == "check":
        held = data.get("held")
        return _replace(remote, checked_at=line.at, held=held if isinstance(held, bool) else None, check=line.text)
    if data.get("step") != "outcome":
        return remote
    status, seconds, held = data.get("exit"), data.get("seconds"), data.get("held")
    return _replace(
        remote,
        held=held if isinstance(held, bool) else remote.held,
        ended_at=line.at,
        exit=status if isinstance(status, int) else None,
        seconds=float(seconds) if isinstance(seconds, int | float) else None,
        problem=str(data.get("problem", "")),
    )


def resolved(progress: Progress) -> dict[str, Any]:
    """The fields of `views.Incident` that come from here."""
    return {
        "tasks": tuple(progress.tasks.values()),
        "follow_ups": tuple(progress.follow_ups.values()),
        "hypotheses": tuple(progress.hypotheses.values()),
        "criteria": tuple(progress.criteria.values()),
        "engagements": tuple(progress.engagements.values()),
        "handoffs": tuple(progress.handoffs.values()),
        "remotes": tuple(progress.played.ran(one) for one in progress.remotes.values()),
        "cans": progress.cans,
        "links": tuple(progress.links.values()),
        "holds": tuple(progress.holds.found()),
        "contested": tuple(
            sorted(
                [*progress.contested, *progress.holds.contested, *progress.played.contested],
                key=lambda one: (one.second_at, one.second),
            )
        ),
        "runs": tuple(progress.played.runs.values()),
    }
