"""What is said back into a room to who wrote an `/inc` line: plain, and nobody is called by it. Pure."""

from __future__ import annotations

from typing import Final

from incident_tui.text import sanitise

_GAP: Final = "\u200b"
"""Breaks what a platform would read as more than text; `sanitise` has taken all others out."""
_LIMIT: Final = 900


def plain(text: str) -> str:
    """For platforms without escapes: no mention, no link with another name, no entity in angle brackets."""
    text = sanitise(text, limit=_LIMIT)
    return text.replace("@", f"@{_GAP}").replace("<", f"<{_GAP}").replace("](", f"]{_GAP}(")


def slack(text: str) -> str:
    """For Slack, which reads entities."""
    text = sanitise(text, limit=_LIMIT).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("@", f"@{_GAP}")
