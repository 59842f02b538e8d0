"""The report as JSON: lossless. Its fields are documented in `FIELDS`; they are only ever added to.

Nothing is redacted in it and nothing left out: it is the form to keep and to move an incident with.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from incident_tui.incident.metrics import metrics
from incident_tui.journal.chain import PROMISE
from incident_tui.report.facts import entries_of
from incident_tui.report.source import Source

FORMAT: Final = "incident-tui report 1"

FIELDS: Final = {
    "format": f'always "{FORMAT}"',
    "generated_at": "when this was made; the only field that differs between two exports of the same entries",
    "version": "of incident-tui",
    "demo": "true: recorded against embedded machines",
    "until": "when the last entry was recorded; what is `running` is counted until then; null without entries",
    "head": "of the journal: `journal`, `seq`, `hash`, and `text`, which `incident-tui verify` takes",
    "journals": "with several bastions each one's `name` and `head`, and `missing`: entries that had not arrived",
    "promise": "what the head proves, and what not",
    "incident": "the incident as it stands: every field of incident.views.Incident but `rows`; times are ISO 8601, UTC",
    "metrics": "each `name`, `formula`, `seconds` or null, `why_unknown`, `running`",
    "timeline": "in the order in which it happened: `handle`, effective `at`, `text`, `said`, `word`, and the marks "
    "`late_seconds`, `skew_seconds`, `amended` (handles), `struck`, `pinned`, `purged`, `claimed`, `unmatched`, "
    "and `origin`: the incident that it came from by a merge",
    "entries": "as stored (incident.entry.Entry), corrections included, by number, each with its `handle`",
}
"""The top-level fields, in order."""


def to_json(source: Source) -> str:
    """The document, indented, with the same bytes for the same entries (but `generated_at`)."""
    incident = source.fold.incident(source.incident)
    entries = entries_of(source.fold, incident)
    until = max((entry.recorded_at for entry in entries), default=None)
    state = msgspec.to_builtins(msgspec.structs.replace(incident, rows=()))
    del state["rows"]
    document: dict[str, Any] = {
        "format": FORMAT,
        "generated_at": source.now,
        "version": source.version,
        "demo": source.demo,
        "until": until,
        "head": {
            "journal": source.head.journal,
            "seq": source.head.seq,
            "hash": source.head.hash,
            "text": str(source.head),
        },
        "journals": [
            {"name": one.name, "head": str(one.head), "missing": one.missing, "problem": one.problem}
            for one in source.journals
        ],
        "promise": PROMISE,
        "incident": state,
        "metrics": [
            {
                "name": one.name,
                "formula": one.formula,
                "seconds": None if one.value is None else one.value.total_seconds(),
                "why_unknown": one.why_unknown,
                "running": one.running,
            }
            for one in metrics(incident, until or source.now)
        ],
        "timeline": [
            {
                "handle": source.handle(row.ref),
                "at": row.at,
                "word": row.word,
                "text": row.text,
                "said": row.said,
                "late_seconds": None if row.late is None else row.late.total_seconds(),
                "skew_seconds": None if row.skew is None else row.skew.total_seconds(),
                "amended": [source.handle(one.ref) for one in row.amended],
                "struck": row.struck,
                "pinned": row.pinned,
                "purged": row.purged,
                "claimed": row.claimed,
                "unmatched": row.unmatched,
                "origin": row.origin,
            }
            for row in incident.rows
        ],
        "entries": [{"handle": source.handle(entry.id), **msgspec.to_builtins(entry)} for entry in entries],
    }
    encoded = msgspec.json.encode(document)
    return msgspec.json.format(encoded, indent=2).decode() + "\n"
