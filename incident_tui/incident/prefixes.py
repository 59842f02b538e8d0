"""What a line may start with: for help and the README; `grammar` reads them. Pure."""

from __future__ import annotations

from typing import Final

PREFIXES: Final[tuple[tuple[str, str, str], ...]] = (
    ("text", "note", "a note, now"),
    ("! text", "action", "action taken"),
    ("= text", "result", "result of an action"),
    ("? text", "hypothesis", "hypothesis or question"),
    ("d: text", "decision", "decision"),
    ("todo: text @ana p1 due:+7d #prevent", "follow-up", "follow-up with owner, priority, due date, kind"),
    ("@14:05 text", "", "it happened at 14:05 UTC, nearest past"),
    ("-10m text", "", "it happened 10 minutes ago; also -1h5m; goes before another prefix"),
)
"""Form, kind and meaning of what a line may start with. A prefix counts only with a space after it."""
