"""What Enter opens on an entry of the timeline, as lines. Pure."""

from __future__ import annotations

from datetime import UTC

from incident_tui.incident.entry import MACHINE_KINDS, Kind
from incident_tui.incident.views import TimelineRow
from incident_tui.ui.lines import Line
from incident_tui.ui.marks import RESENDABLE
from incident_tui.ui.page import Page
from incident_tui.ui.times import clock, short
from incident_tui.ui.view import View


def entry_detail(row: TimelineRow, view: View, width: int) -> list[Line]:
    """One entry: all its text, when it happened and when it was learned, who says so, corrections, what was seen."""
    page = Page(width, view.look)
    entry = row.entry
    page.head(f"{view.handle(entry.id)}  {row.word}")
    page.text(row.text)
    if entry.kind is Kind.COMMAND and "\n" in row.said and not row.purged:
        page.gap()
        for line in row.said.split("\n"):
            page.text(line)
    page.gap()
    page.field("happened", f"{row.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z")
    late = f", {short(row.late)} later" if row.late is not None else ""
    page.field("recorded", f"{entry.recorded_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z{late}")
    if entry.id in view.came:
        page.field("came here", f"{view.came[entry.id]:%Y-%m-%d %H:%M:%S}Z, from another bastion")
    author = entry.author
    claim = "" if author.proven or entry.kind in MACHINE_KINDS else " (claimed)"
    account = f", account {author.account}" if author.account else ""
    page.field("author", f"{author.name}{claim}{account}, by {entry.source or 'unknown'}")
    if entry.ref is not None:
        page.field("about", view.handle(entry.ref) + (" (not here)" if row.unmatched else ""))
    if row.origin:
        page.field("came from", f"{row.origin}, which was merged into this incident")
    for one in row.amended:
        said = f": {one.text}" if one.text is not None else ""
        moved = f" to {one.moved_to.astimezone(UTC):%Y-%m-%d %H:%M}Z" if one.moved_to is not None else ""
        page.field("amended", f"{clock(one.at)}Z by {one.by.name}{moved}{said}")
    if row.amended and not entry.purged:
        page.field("at first", entry.text)
    if row.strike is not None:
        page.field("struck", f"{clock(row.strike.at)}Z by {row.strike.by.name}")
    if row.pinned:
        page.field("pinned", "yes")
    if row.purged and not entry.archive:
        page.field("purged", _tombstone(row, view))
    for key, value in sorted(entry.data.items()):
        if key not in ("text", "title") and value not in ("", None):
            page.field(view.look.text(str(key))[:11], _shown(value))
    resend = ""
    for name, chat in view.chats.items():
        for delivery in chat.deliveries:
            if delivery.ref == entry.id:
                if delivery.state in RESENDABLE:
                    resend = f"   F9 or /resend {view.handle(entry.id)}"
                problem = f": {delivery.problem}" if delivery.problem else ""
                by = f" by {view.look.text(delivery.via)}" if delivery.via else ""
                page.field("chat", f"{name} {delivery.state}{by} {clock(delivery.at)}Z{problem}")
    if entry.seen is not None:
        page.field("then seen", f"{entry.seen.digest} (oldest reading {short(entry.seen.age)})")
    if not row.purged:
        handle = view.handle(entry.id)
        page.gap()
        page.text(f"/amend {handle}   /strike {handle}   /pin {handle}{resend}")
    return page.lines


def _shown(value: object) -> str:
    """A field of an entry's data."""
    if isinstance(value, dict):
        return ", ".join(f"{name}={each}" for name, each in value.items())
    return ", ".join(str(each) for each in value) if isinstance(value, list) else str(value)


def _tombstone(row: TimelineRow, view: View) -> str:
    """Who destroyed the text, when and why, as far as this incident's timeline says."""
    about = (one for one in view.rows if one.entry.kind is Kind.PURGE and one.entry.ref == row.ref)
    one = next(about, None)
    if one is None:
        return "yes"
    return f"{clock(one.at)}Z by {one.entry.author.name}: {one.entry.text}"
