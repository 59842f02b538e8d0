"""Which entries go to a sink, and the words they go with. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from incident_tui.incident.entry import Entry, Kind
from incident_tui.incident.views import Incident, TimelineRow
from incident_tui.watch.chat.platform import Facts
from incident_tui.watch.settings import ChatSink

_BY_WORD: Final = {
    "declare": Kind.DECLARE,
    "update": Kind.UPDATE,
    "severity": Kind.SEVERITY,
    "status": Kind.STATUS,
    "milestones": Kind.MILESTONE,
    "decisions": Kind.DECISION,
    "pinned": Kind.PIN,
}
CARD: Final = "card"
"""The word of `send` for the break-glass card. It has phone numbers and codes of bridges: not every place gets it, and
never one whose audiences are not the team."""
SENDS: Final = (*_BY_WORD, "commander", CARD, "roles", "all")
"""The words of `[[chat]] send`. "all": every entry of an incident that says something, but the card."""
_NEVER: Final = frozenset(
    {Kind.AMEND, Kind.STRIKE, Kind.PURGE, Kind.PRESENCE, Kind.LEASE, Kind.SIGNATURE, Kind.ARCHIVE}
)
"""Corrections are of the journal."""
TOGETHER: Final = 50
"""At most so many go out as one."""


class Composed(msgspec.Struct, frozen=True, kw_only=True):
    """A message as it would go out now. `tag` names incident and entry, so that a duplicate shows."""

    tag: str
    said: str
    incident: str = ""
    title: str = ""
    mark: str = ""
    """"DEMO " or "DRILL ", in front of the tag."""
    at: datetime
    """When it happened."""

    def text(self, *, late: bool) -> str:
        """`late`: it waited, so its time is said."""
        return f"{self.mark}{self.tag}{f' ({self.at:%H:%MZ}, sent late)' if late else ''} {self.said}"


def takes_card(sink: ChatSink) -> bool:
    return CARD in sink.send and "internal" in sink.audiences


def wanted(entry: Entry, sink: ChatSink) -> bool:
    """Whether the sink gets the entry. Promises and updates given elsewhere are not posted, unless all is."""
    if entry.purged or not entry.incident or entry.kind in _NEVER:
        return False
    send, data = sink.send, entry.data
    if entry.kind is Kind.CHAT:  # but for the card, it came from a chat and does not go back into one
        return bool(data.get(CARD)) and takes_card(sink)
    everything = "all" in send
    if entry.kind is Kind.UPDATE:
        if str(data.get("audience", "internal")) not in sink.audiences:
            return False
        return everything or ("update" in send and data.get("step") == "posted")
    if entry.kind is Kind.PIN:
        return data.get("step") != "unpin" and (everything or "pinned" in send)
    if entry.kind is Kind.ROLE and not everything:
        commands = data.get("role", "commander") == "commander" and data.get("step") in ("take", "claim")
        return "roles" in send or (commands and "commander" in send)
    return everything or any(_BY_WORD.get(word) is entry.kind for word in send)


def message(
    row: TimelineRow, incident: Incident, handle: str, *, demo: bool, about: TimelineRow | None = None
) -> Composed | None:
    """The message of an entry as it stands now; None when it must not go. `about`: the row that a pin is on."""
    if row.purged or row.struck:
        return None
    said = _said(row, incident, about)
    if said is None:
        return None
    return Composed(
        tag=f"[{incident.id} {handle}]",
        said=said,
        incident=incident.id,
        title=incident.title,
        mark=("DEMO " if demo else "") + ("DRILL " if incident.drill else ""),
        at=row.at,
    )


def _said(row: TimelineRow, incident: Incident, about: TimelineRow | None) -> str | None:
    entry, data = row.entry, row.entry.data
    if entry.kind is Kind.DECLARE:
        severity = f"SEV{data['severity']} " if isinstance(data.get("severity"), int) else ""
        commander = incident.commander or ("" if "by" in data else entry.author.name)
        who = f"Incident commander: {commander}." if commander else "Declared by an alert; nobody commands it yet."
        return f"DECLARED {severity}{incident.title}. {who}"
    if entry.kind is Kind.CHAT:
        return f"{row.said}\n{data.get(CARD)}"
    if entry.kind is Kind.UPDATE and data.get("step") == "posted":
        audience = str(data.get("audience", "internal"))
        due = incident.next_update.get(audience)
        promise = f" Next update by {due:%H:%MZ}." if due is not None else ""
        return f"UPDATE ({audience}) by {entry.author.name}: {row.said}{promise}"
    if entry.kind is Kind.SEVERITY:
        was = f" (was SEV{data['was']})" if isinstance(data.get("was"), int) else ""
        return f"SEV{data.get('level')}{was}: {row.said}"
    if entry.kind is Kind.STATUS:
        return f"STATUS {data.get('status')}{f': {row.said}' if row.said else ''}"
    if entry.kind is Kind.MILESTONE:
        when = "unknown when" if data.get("unknown") else f"{row.at:%H:%MZ}"
        return f"MILESTONE {data.get('name')}: {when}{f', {row.said}' if row.said else ''}"
    if entry.kind is Kind.ROLE and data.get("role") == "commander" and data.get("step") in ("take", "claim"):
        return f"{data.get('who') or entry.author.name} is incident commander."
    if entry.kind is Kind.PIN:
        if about is None or about.purged or about.struck or not about.pinned:
            return None
        return f"PINNED by {entry.author.name}: {about.word} {about.entry.author.name}: {about.text}"
    return f"{row.word} {entry.author.name}: {row.text}"


def together(messages: Sequence[Composed], facts: Facts) -> tuple[str, int]:
    """As many of the first messages as fit, as one text with a line each, and how many. Each line is whole: what is too
    long for that, or has lines of its own, goes alone: then there is no text. All are of one incident."""
    first = messages[0]
    count = 0
    for one in messages[:TOGETHER]:
        if "\n" in one.said or one.incident != first.incident:
            break
        if facts.size(as_one(messages[: count + 1])) > facts.limit:
            break
        count += 1
    return (as_one(messages[:count]), count) if count > 1 else ("", 1)


def as_one(messages: Sequence[Composed]) -> str:
    """One text with a line for each of them."""
    first = messages[0]
    head = f"{first.mark}[{first.incident or 'TEST'}] {len(messages)} messages that had to wait:"
    lines = (f"{one.at:%H:%MZ} {one.tag} {' '.join(one.said.split())}" for one in messages)
    return "\n".join([head, *lines])
