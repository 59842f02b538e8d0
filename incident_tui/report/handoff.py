"""The briefing for who takes command: Markdown after ICS form 201 (situation, objectives, organisation, resources,
actions, constraints, communications, potential)."""

from __future__ import annotations

from incident_tui.report.standing import Standing
from incident_tui.report.template import Templates


def handoff(standing: Standing, to: str) -> str:
    """The text, ending with a newline. All foreign text in it is escaped and redacted."""
    return Templates(standing.handle).fill("handoff.md.j2", s=standing, to=to, contacts=list(standing.contacts()))
