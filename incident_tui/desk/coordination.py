"""Reports, exit criteria, outside companies, handoffs, links between incidents: parsed lines -> drafts of entries."""

from __future__ import annotations

from typing import Any

from incident_tui.desk import outcome as o
from incident_tui.desk.scene import No, Order, Scene
from incident_tui.incident import meanings as m
from incident_tui.incident import when
from incident_tui.incident.entry import Kind
from incident_tui.incident.said import same


def order(parsed: m.Can | m.Criterion | m.Meet | m.Engage | m.Answered | m.Handoff | m.LinkTo, scene: Scene) -> Order:
    """Raises No."""
    match parsed:
        case m.Can(who=who, parts=parts, at=at):
            scene.needed()
            data: dict[str, Any] = {**parts, "who": who} if who and not same(who, scene.me) else dict(parts)
            return Order((scene.draft(Kind.CAN, "", at, data),))
        case m.Criterion(text=text, at=at):
            scene.needed()
            return Order((scene.draft(Kind.CRITERION, text, at),))
        case m.Meet():
            return _meet(parsed, scene)
        case m.Engage(vendor=vendor, ticket=ticket, minutes=minutes, text=text, at=at):
            scene.needed()
            said = {"vendor": vendor, "ticket": ticket, "minutes": minutes}
            data = {name: value for name, value in said.items() if value}
            late = "" if minutes else " They promised no time: /answered HANDLE 30m says when they are back."
            return Order((scene.draft(Kind.ENGAGEMENT, text, at, data),), notice=f"{vendor} engaged.{late}")
        case m.Answered():
            return _answered(parsed, scene)
        case m.Handoff():
            return _handoff(parsed, scene)
        case m.LinkTo():
            return _link(parsed, scene)


def usual_minutes(audience: str, scene: Scene) -> int:
    """Minutes to the next update where nobody said them: the severity's for the public, else `[command]`'s."""
    incident, settings = scene.needed(), scene.settings
    if audience == "public":
        found = [one.update_minutes for one in settings.severities if one.level == incident.severity]
        return found[0] if found else min((one.update_minutes for one in settings.severities), default=30)
    return settings.command.exec_minutes if audience == "exec" else settings.command.internal_minutes


def _meet(parsed: m.Meet, scene: Scene) -> Order:
    entry = scene.find(parsed.handle)
    if entry.kind is not Kind.CRITERION:
        raise No(f"{parsed.handle} is not an exit criterion: write one with /criterion TEXT.")
    ref = entry.ref or entry.id
    criteria = scene.fold.incident(entry.incident).criteria
    met = any(one.ref == ref and one.met_at is not None for one in criteria)
    if met and not parsed.text:
        raise No(f"{parsed.handle} is met: say why it is not after all, /met {parsed.handle} why.")
    draft = scene.draft(
        Kind.CRITERION, parsed.text, parsed.at, {"step": "unmet" if met else "met"}, ref=ref, incident=entry.incident
    )
    left = [one.text for one in criteria if (one.met_at is None) != (one.ref == ref)]
    return Order((draft,), notice=f"To be met: {'; '.join(left[:4])}." if left else "All exit criteria are met.")


def _answered(parsed: m.Answered, scene: Scene) -> Order:
    entry = scene.find(parsed.handle)
    ref = entry.ref or entry.id
    incident = scene.fold.incident(entry.incident)
    found = next((one for one in incident.engagements if one.ref == ref), None)
    if entry.kind is not Kind.ENGAGEMENT or found is None:
        raise No(f"{parsed.handle} is no company that was engaged: /engage VENDOR #TICKET 30m.")
    if found.ended_at is not None:
        raise No(f"{found.vendor} was released at {when.clock(found.ended_at, scene.now)}.")
    data: dict[str, Any] = {"step": "ended" if parsed.ended else "answered", "vendor": found.vendor}
    data |= {"ticket": parsed.ticket} if parsed.ticket else {}
    data |= {"minutes": parsed.minutes} if parsed.minutes else {}
    return Order((scene.draft(Kind.ENGAGEMENT, parsed.text, parsed.at, data, ref=ref, incident=incident.id),))


def _handoff(parsed: m.Handoff, scene: Scene) -> Order:
    """Offered with a briefing, accepted by name: the second entry moves command."""
    incident = scene.needed()
    if not parsed.accept:
        if same(parsed.who, incident.commander):
            raise No(f"{parsed.who} is commander already.")
        handoff = scene.draft(Kind.HANDOFF, "", parsed.at, {"step": "offered", "who": parsed.who})
        offer = scene.draft(Kind.ROLE, "", parsed.at, {"role": "commander", "step": "offer", "who": parsed.who})
        notice = f"Offered to {parsed.who}, who accepts with /handoff accept."
        return Order((handoff, offer), effect=o.WriteHandoff(incident.id, parsed.who), notice=notice)
    waiting = [one for one in incident.handoffs if one.accepted_at is None and same(one.to, scene.me)]
    if not waiting:
        others = [one.to for one in incident.handoffs if one.accepted_at is None]
        raise No(f"The handoff is for {others[-1]}." if others else "No handoff waits for you: /ic take takes command.")
    data = {"step": "accepted", "who": scene.me}
    accepted = scene.draft(Kind.HANDOFF, "", parsed.at, data, ref=waiting[-1].ref)
    if same(incident.commander, scene.me):
        return Order((accepted,))
    taken = {"role": "commander", "step": "take", "who": scene.me}
    taken |= {} if parsed.said else {"was": incident.commander}
    take = scene.draft(Kind.ROLE, "", parsed.at, taken)
    return Order((accepted, take), notice=f"{scene.me} is commander now.")


def _link(parsed: m.LinkTo, scene: Scene) -> Order:
    incident = scene.needed()
    other = scene.which(parsed.other)
    if other == incident.id:
        raise No("That is this incident.")
    known = next((one for one in incident.links if one.other == other), None)
    how = "none" if known is not None and known.how == parsed.how else parsed.how
    draft = scene.draft(Kind.LINK, parsed.why, parsed.at, {"other": other, "how": how})
    if how == "none" and known is not None and known.how == "duplicate":
        closed_ = "" if incident.open else " It is closed: /status investigating opens it again."
        return Order((draft,), notice=f"{incident.id} stands for itself again.{closed_}")
    if how != "duplicate":
        return Order((draft,))
    question = (
        f"{incident.id} becomes part of {other} ({scene.fold.incident(other).title}) and is closed. Do it? (yes/no)"
    )
    closed = scene.draft(Kind.MILESTONE, f"duplicate of {other}", scene.now, {"name": "closed"})
    return Order((draft, closed), question=question, choose=other, notice=f"Working in {other}.")
