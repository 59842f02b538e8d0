"""Which entries go to a sink, and the words they go with. Pure."""

from __future__ import annotations

from incident_tui.incident.entry import Entry, Kind
from incident_tui.incident.views import Incident, TimelineRow

_SENT_KINDS = {
    Kind.DECLARE: "declare",
    Kind.UPDATE: "update",
    Kind.SEVERITY: "severity",
    Kind.STATUS: "status",
}
CARD = "card"
"""The word of `send` for the break-glass card. It has phone numbers and codes of bridges: not every place gets it."""


def wanted(entry: Entry, send: tuple[str, ...]) -> bool:
    """Whether a sink with this `send` gets the entry. Promises and updates given elsewhere are not posted."""
    if entry.purged or not entry.incident:
        return False
    if entry.kind is Kind.ROLE:
        return (
            "commander" in send
            and entry.data.get("role") == "commander"
            and entry.data.get("step") in ("take", "claim")
        )
    if entry.kind is Kind.UPDATE and entry.data.get("step") != "posted":
        return False
    if entry.kind is Kind.CHAT:
        return CARD in send and bool(entry.data.get(CARD))
    return _SENT_KINDS.get(entry.kind, "") in send


def message(row: TimelineRow, incident: Incident, handle: str, *, demo: bool) -> str | None:
    """The text for the chat, tagged with incident and entry so that a duplicate shows; None when it must not go."""
    if row.purged or row.struck:
        return None
    entry, data = row.entry, row.entry.data
    marks = ("DEMO " if demo else "") + ("DRILL " if incident.drill else "")
    tag = f"{marks}[{incident.id} {handle}]"
    if entry.kind is Kind.DECLARE:
        severity = f"SEV{data['severity']} " if isinstance(data.get("severity"), int) else ""
        return (
            f"{tag} DECLARED {severity}{incident.title}. Incident commander: {incident.commander or entry.author.name}."
        )
    if entry.kind is Kind.CHAT:
        return f"{tag} {row.said}\n{data.get(CARD)}"
    if entry.kind is Kind.UPDATE:
        audience = str(data.get("audience", "internal"))
        due = incident.next_update.get(audience)
        promise = f" Next update by {due:%H:%MZ}." if due is not None else ""
        return f"{tag} UPDATE ({audience}) by {entry.author.name}: {row.said}{promise}"
    if entry.kind is Kind.SEVERITY:
        was = f" (was SEV{data['was']})" if isinstance(data.get("was"), int) else ""
        return f"{tag} SEV{data.get('level')}{was}: {row.said}"
    if entry.kind is Kind.STATUS:
        why = f": {row.said}" if row.said else ""
        return f"{tag} STATUS {data.get('status')}{why}"
    return f"{tag} {data.get('who') or entry.author.name} is incident commander."
