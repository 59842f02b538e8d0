"""What stands under entries of the timeline and is no part of them: states of tasks, deliveries of messages. Pure."""

from __future__ import annotations

from typing import Final

from incident_tui.incident.entry import Ref
from incident_tui.ui.reading_lines import bastion
from incident_tui.ui.timeline import Mark
from incident_tui.ui.times import clock
from incident_tui.ui.view import View

_DELIVERY: Final = {
    "waiting": ("warn", "NOT YET SENT to"),
    "sending": ("warn", "sending to"),
    "sent": ("", "sent to"),
    "accepted": ("", "accepted, not confirmed, by"),
    "maybe": ("warn", "MAYBE SENT to"),
    "dead": ("crit", "REFUSED by"),
    "dropped": ("", "not sent (purged) to"),
}
_TASK: Final = {"assigned": "not acked", "overdue": "OVERDUE"}


RESENDABLE: Final = frozenset({"waiting", "maybe", "accepted", "dead"})
"""States of a delivery that a person may have tried again by naming the entry (`watch.chat.outbox`)."""


def asked_to_resend(view: View, ref: Ref | None) -> str:
    """What is answered to whoever asks for that."""
    if not view.sinks:
        return "No chat is configured, so there is nothing to send again."
    if ref is None:
        dead = sum(chat.dead + chat.waiting for chat in view.chats.values())
        return "What was refused or waits is tried again." if dead else "Nothing was refused, and nothing waits."
    found = [(name, one.via) for name, chat in view.chats.items() for one in chat.deliveries if one.ref == ref]
    where = f"to {', '.join(dict.fromkeys(name for name, _ in found))}, " if found else ""
    whose = next((via for _, via in found if via), "")
    by = f"by {bastion(view, whose)}, in whose outbox it is, " if whose else ""
    return f"{view.handle(ref)} is sent again {where}{by}where it is not known to have arrived."


def marks(view: View) -> dict[Ref, tuple[Mark, ...]]:
    """By entry; a task's state first."""
    found: dict[Ref, list[Mark]] = {}
    for task in view.incident.tasks if view.incident is not None else ():
        state = task.state(view.now)
        found.setdefault(task.ref, []).append(Mark(f"[{_TASK.get(state, state)}]"))
    for one in view.incident.contested if view.incident is not None else ():
        first, second = view.handle(one.first), view.handle(one.second)
        found.setdefault(one.first, []).append(Mark(f"{one.second_by}, too, later: {second}", "warn", own_line=True))
        found.setdefault(one.second, []).append(Mark(f"{one.first_by} was first: {first}", "warn", own_line=True))
    for name, chat in view.chats.items():
        for delivery in chat.deliveries:
            style, words = _DELIVERY.get(delivery.state, ("warn", delivery.state))
            where = f"{name} by {delivery.via}" if delivery.via else name
            text = f"{words} {where} {clock(delivery.at)}"
            if delivery.problem and delivery.state == "waiting":
                style, text = "crit", f"NOT DELIVERED to {where} since {clock(delivery.at)}"
            if delivery.problem and delivery.state != "sent":
                text += f": {delivery.problem}"
            found.setdefault(delivery.ref, []).append(Mark(text, style, own_line=True))
    return {ref: tuple(each) for ref, each in found.items()}
