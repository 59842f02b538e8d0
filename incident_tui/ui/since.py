"""What came while somebody was away: the line above it in the timeline, and one sentence. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from incident_tui.incident import when
from incident_tui.incident.entry import MACHINE_KINDS, Kind, Ref
from incident_tui.incident.finding import Level
from incident_tui.incident.views import TimelineRow
from incident_tui.ui.folded import Order
from incident_tui.ui.view import View


def since_rows(
    rows: Sequence[TimelineRow], left: datetime, came: Mapping[Ref, datetime] = MappingProxyType({})
) -> list[TimelineRow]:
    """What was recorded, or came late from another bastion, after somebody left; in the order of the timeline."""
    return [row for row in rows if max(row.entry.recorded_at, came.get(row.ref, row.entry.recorded_at)) > left]


def unread_line(new: Sequence[TimelineRow], left: datetime, now: datetime) -> tuple[Order, str] | None:
    """The entry above which the line stands, and its words; None when nothing is new."""
    return (new[0].order, f"since you left {when.clock(left, now)} ({len(new)} new)") if new else None


def since_words(new: Sequence[TimelineRow], view: View, left: datetime, how: str = "Ctrl+G goes there.") -> str:
    """One sentence: how many entries, by whom, and what became critical and is so now; then how one gets to them. Empty
    when nothing is new."""
    if not new:
        return ""
    people = Counter(
        row.entry.author.name
        for row in new
        if row.entry.kind not in MACHINE_KINDS and row.entry.author.name.casefold() != view.me.name.casefold()
    )
    parts = [f"{len(new)} entr{'y' if len(new) == 1 else 'ies'}"]
    parts += [f"{count} by {name}" for name, count in people.most_common(2)]
    told = {str(row.entry.data.get("subject", "")) for row in new if row.entry.kind is Kind.OBSERVATION}
    critical = dict.fromkeys(one.subject for one in view.findings if one.level is Level.CRIT and one.subject in told)
    parts += [f"{subject} now critical" for subject in list(critical)[:2]]
    if len(critical) > 2:
        parts[-1] += f" and {len(critical) - 2} more"
    return f"Since you left at {when.clock(left, view.now)}: {', '.join(parts)}. {how}"
