"""A parsed line and the scene it was typed in -> drafts of entries. Asks and writes nothing: `Desk` does."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from incident_tui.desk import outcome as o
from incident_tui.desk.scene import No, Order, Scene
from incident_tui.incident import meanings as m
from incident_tui.incident import when
from incident_tui.incident.entry import Draft, Kind
from incident_tui.incident.meanings import Parsed
from incident_tui.incident.said import same

if TYPE_CHECKING:
    from incident_tui.hosts.changes import Change
    from incident_tui.incident.related import Related
    from incident_tui.incident.views import Incident

ATTACH_MINUTES = 60
_RELATED = 2
"""Incidents that may have to do with a new one, named when it is declared; /incident names all."""


def write(parsed: m.Write, scene: Scene) -> Draft:
    """A line that is an entry as it stands."""
    return scene.draft(parsed.kind, parsed.text, parsed.at, dict(parsed.data))


def change(found: Change, scene: Scene) -> Draft:
    """What a host told of itself; who says so is the author."""
    data = {"host": found.host, "what": found.what} | ({} if found.exact else {"about": True})
    draft = scene.draft(Kind.CHANGE, f"{found.host}: {found.what}", found.at, data)
    return msgspec.structs.replace(draft, source=f"{scene.source}, read on {found.host}")


def order(parsed: Parsed, scene: Scene) -> Order:
    """Raises No."""
    if isinstance(parsed, m.Write):
        return Order((write(parsed, scene),))
    from incident_tui.desk import (
        coordination,
        corrections,
        playing,
        tasks,
        updates,
    )  # `log TEXT` does not wait for them

    match parsed:
        case m.Declare():
            return _declare(parsed, scene)
        case m.SetSeverity():
            return _severity(parsed, scene)
        case m.SetStatus(status=status, text=text, at=at):
            unmet = [one for one in scene.needed().criteria if one.met_at is None]
            notice = ""
            if unmet and status == "resolved":
                notice = f"Not met: {'; '.join(one.text for one in unmet[:4])}. /met HANDLE says what shows it."
            return Order((scene.draft(Kind.STATUS, text, at, {"status": status}),), notice=notice)
        case m.Milestone(name=name, unknown=unknown, at=at):
            scene.needed()
            data: dict[str, Any] = {"name": name, "unknown": True} if unknown else {"name": name}
            return Order((scene.draft(Kind.MILESTONE, "", at, data),))
        case m.Role(role="commander"):
            return _command(parsed, scene)
        case m.Role(role=role, step=step, who=who, at=at):
            held = scene.needed().roles.get(role)
            if step == "release" and held is None:
                raise No(f"Nobody is {role} now.")
            who = held.who if held is not None and step == "release" else who
            return Order((scene.draft(Kind.ROLE, "", at, {"role": role, "step": step, "who": who}),))
        case m.NextUpdate(minutes=minutes, audience=audience, at=at):
            due = at + timedelta(minutes=minutes or coordination.usual_minutes(audience, scene))
            promise = {"step": "promised", "audience": audience, "next": due.isoformat()}
            return Order((scene.draft(Kind.UPDATE, "", at, promise),))
        case m.Update() | m.DraftUpdate():
            return updates.order(parsed, scene)
        case m.Sent(audience=audience, where=where, text=text, at=at):
            scene.needed()
            sent = {"step": "elsewhere", "audience": audience, "where": where}
            return Order((scene.draft(Kind.UPDATE, text, at, sent),))
        case m.Assign(who=who, minutes=minutes, text=text, at=at):
            scene.needed()
            return Order((scene.draft(Kind.TASK, text, at, {"step": "assigned", "who": who, "minutes": minutes}),))
        case m.Ack():
            return tasks.ack(parsed, scene)
        case m.Done():
            return tasks.done(parsed, scene)
        case m.Pass():
            return tasks.pass_on(parsed, scene)
        case m.ChangeFollowUp():
            return tasks.change_follow_up(parsed, scene)
        case m.Can() | m.Criterion() | m.Meet() | m.Engage() | m.Answered() | m.Handoff() | m.LinkTo():
            return coordination.order(parsed, scene)
        case m.Judge():
            return tasks.judge(parsed, scene)
        case m.Amend():
            return corrections.amend(parsed, scene)
        case m.Strike(handle=handle):
            return corrections.strike(corrections.target(handle, scene, "strike"), scene)
        case m.Pin(handle=handle):
            return corrections.pin(corrections.target(handle, scene, "pin"), scene)
        case m.Undo(handle=handle):
            return corrections.undo(handle, scene)
        case m.Hold():
            return _hold(parsed, scene)
        case m.Release(target=name, at=at):
            holds = scene.incident.holds if scene.incident else ()
            if scene.incident and not any(same(hold.target, name) and hold.active(at) for hold in holds):
                raise No(f"{name} is not held.")
            return Order((scene.draft(Kind.HOLD, "", at, {"target": name, "step": "release"}),))
        case m.Play() | m.Begin() | m.Tick() | m.Skip() | m.Fail() | m.Drop() | m.SetVariable():
            return playing.order(parsed, scene)
        case m.StandDown(text=text, at=at):
            incident = scene.needed()
            draft = scene.draft(Kind.STATUS, text, at, {"status": "stood down"})
            return Order((draft,), notice=_left(incident, scene.now))
        case m.Close():
            return _close(parsed, scene)
        case m.Sweep():
            return Order(effect=o.Sweep(scene.needed().id))
        case _:
            raise AssertionError(parsed)


def _left(incident: Incident, now: datetime) -> str:
    """What is open at stand-down, which it never blocks."""
    from incident_tui.incident.sweep import sweep

    left = sweep(incident, now)
    owner = f" The review is {incident.review_owner}'s." if incident.review_owner else ""
    if not left:
        return f"Stood down. Nothing is open.{owner}"
    shown = "; ".join(one.sentence for one in left[:4])
    more = f"; and {len(left) - 4} more" if len(left) > 4 else ""
    return f"Stood down.{owner} Still open: {shown}{more}. /sweep walks them."


def _close(parsed: m.Close, scene: Scene) -> Order:
    """The review is gated: it is not done while what it needs was neither said nor called unknown."""
    from incident_tui.incident.sweep import sweep

    incident = scene.needed()
    missing = [one for one in sweep(incident, scene.now) if one.needed]
    if missing and not parsed.anyway:
        shown = "; ".join(one.sentence for one in missing[:4])
        more = f"; and {len(missing) - 4} more" if len(missing) > 4 else ""
        raise No(f"The review waits for: {shown}{more}. /sweep walks them; /close anyway WHY closes it without.")
    data: dict[str, Any] = {"name": "closed"}
    if missing:
        data["without"] = len(missing)
    draft = scene.draft(Kind.MILESTONE, parsed.text, parsed.at, data)
    return Order((draft,), notice=f"{incident.id} closed; /export writes the report.", choose="")


def _declare(parsed: m.Declare, scene: Scene) -> Order:
    _known_severity(parsed.severity, scene)
    letters = "".join(one for one in scene.new_id().lower() if one.isascii() and one.isalnum())[-4:]
    incident = f"INC-{parsed.at:%Y%m%d}-{letters}"
    data: dict[str, Any] = {"title": parsed.title, "attach_minutes": ATTACH_MINUTES}
    if parsed.severity is not None:
        data["severity"] = parsed.severity
    if parsed.drill:
        data["drill"] = True
    question = ""
    running = scene.incident
    if running is not None and running.open and running.stood_down_at is None and running.declared_at is not None:
        age = when.span(scene.now - running.declared_at)
        question = f"{running.id} ({running.title}) has been open for {age}. Declare another one? (yes/no)"
    notice = f"{incident} declared; {scene.me} is commander."
    if parsed.severity is None:
        notice += " No severity yet: /sev N why."
    for one in _related(parsed, scene)[:_RELATED]:
        notice += (
            f" {one.incident.id} ({one.incident.title}) names {', '.join(one.shared[:4])}, too: /link or /merge it?"
        )
    draft = scene.draft(Kind.DECLARE, parsed.title, parsed.at, data, incident=incident)
    return Order((draft,), notice=notice, question=question, choose=incident)


def _related(parsed: m.Declare, scene: Scene) -> list[Related]:
    from incident_tui.incident.related import related  # only who declares pays

    rows = scene.fold.loose(scene.now - timedelta(minutes=ATTACH_MINUTES))
    return related([parsed.title], rows, scene.fold.incidents(), scene.now)


def _known_severity(level: int | None, scene: Scene) -> None:
    levels = [one.level for one in scene.settings.severities]
    if level is not None and levels and level not in levels:
        known = ", ".join(f"{one.level} {one.name}" for one in scene.settings.severities)
        raise No(f"There is no severity {level}: {known}.")


def _severity(parsed: m.SetSeverity, scene: Scene) -> Order:
    incident = scene.needed()
    _known_severity(parsed.level, scene)
    data: dict[str, Any] = {"level": parsed.level}
    if incident.severity is not None:
        data["was"] = incident.severity
    return Order((scene.draft(Kind.SEVERITY, parsed.why, parsed.at, data),))


def _command(parsed: m.Role, scene: Scene) -> Order:
    incident = scene.needed()
    who = parsed.who or scene.me
    offered = incident.offered is not None and same(incident.offered.who, who)
    holds = same(incident.commander, who)
    step: str = parsed.step
    notice = ""
    if step == "name":
        mine = same(incident.commander, scene.me)
        step = "take" if offered else "offer" if mine and not same(who, scene.me) else "take"
    if step == "offer":
        if holds:
            raise No(f"{who} is commander already.")
        if same(who, scene.me):
            raise No("To take command yourself: /ic take.")
        notice = f"Command offered to {who}, who takes it with /ic take, or /ic {who} by voice."
        if not same(incident.commander, scene.me):
            notice += f" {incident.commander or 'Nobody'} is commander now."
    elif holds:
        raise No(f"{who} is commander already.")
    elif offered:
        step = "take"
        notice = f"{who} is commander now."
    elif incident.commander:
        step = "claim"
        notice = f"Command was not offered to {who}: recorded as a claim. {incident.commander} was commander."
    else:
        step = "take"
    data = {"role": "commander", "step": step, "who": who}
    if step != "offer" and not parsed.said:
        data["was"] = incident.commander
    return Order((scene.draft(Kind.ROLE, "", parsed.at, data),), notice=notice)


def _hold(parsed: m.Hold, scene: Scene) -> Order:
    question = ""
    data = {"target": parsed.target, "step": "hold", "minutes": parsed.minutes}
    for hold in scene.incident.holds if scene.incident else ():
        if same(hold.target, parsed.target) and hold.active(scene.now) and not same(hold.by.name, scene.me):
            why = f" ({hold.why})" if hold.why else ""
            until = when.clock(hold.until, scene.now)
            question = f"{hold.target} is held by {hold.by.name} until {until}{why}. Hold it all the same? (yes/no)"
            data["was"] = hold.by.name
    return Order((scene.draft(Kind.HOLD, parsed.why, parsed.at, data),), question=question)
