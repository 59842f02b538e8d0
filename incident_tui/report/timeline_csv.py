"""The timeline of an incident as rows for a spreadsheet: one entry each, as it stands now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from incident_tui.incident.entry import Kind
from incident_tui.incident.views import TimelineRow
from incident_tui.report.source import Source

HEAD: Final = (
    "incident", "at", "recorded_at", "handle", "who", "claimed", "kind", "word", "text", "host", "level",
    "late_seconds", "skew_seconds", "amended", "struck", "pinned", "purged", "origin",
)  # fmt: skip

_OF_MACHINES: Final = frozenset({Kind.OBSERVATION, Kind.ALERT})
"""Only their level is that of a finding; a severity is in the text."""


def rows(
    source: Source, chosen: Iterable[TimelineRow], redact: Callable[[str], tuple[str, int]]
) -> list[Sequence[object]]:
    """Times are UTC. Struck entries are there, and say so."""
    return [
        (
            source.incident,
            f"{row.at:%Y-%m-%dT%H:%M:%SZ}",
            f"{row.entry.recorded_at:%Y-%m-%dT%H:%M:%SZ}",
            source.handle(row.ref),
            row.entry.author.name,
            str(row.claimed).lower(),
            row.entry.kind.value,
            row.word,
            redact(row.text)[0],
            row.entry.data.get("host") or "",
            row.entry.data.get("level") or "" if row.entry.kind in _OF_MACHINES else "",
            None if row.late is None else row.late.total_seconds(),
            None if row.skew is None else row.skew.total_seconds(),
            len(row.amended),
            str(row.struck).lower(),
            str(row.pinned).lower(),
            str(row.purged).lower(),
            row.origin,
        )
        for row in chosen
    ]
