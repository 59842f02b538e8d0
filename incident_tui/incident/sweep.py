"""What is open when the response ends: shown at stand-down, which it never blocks, and walked item by item.

What the review waits for is `needed`: milestones that nobody said or called unknown, exit criteria, and follow-ups that
are nobody's. Sources: FireFighter (no close while a required milestone is missing), Google SRE's exit criteria. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

import msgspec

from incident_tui.incident.entry import Ref
from incident_tui.incident.views import Incident

WANTED: Final = ("started", "detected", "mitigated", "resolved")
"""Milestones that a review needs; that one is unknown is an answer."""


class Open(msgspec.Struct, frozen=True):
    """One thing that is open. `verb` begins the line that settles it, with "{}" where the handle of `ref` goes."""

    sentence: str
    verb: str
    ref: Ref | None = None
    needed: bool = False

    def line(self, handle: str) -> str:
        """What to type, up to what only a person knows."""
        return self.verb.replace("{}", handle)


def sweep(incident: Incident, now: datetime) -> tuple[Open, ...]:
    """In the order in which it is walked: what still runs, what was promised, what the review needs."""
    return (*_running(incident, now), *_promised(incident), *_for_the_review(incident))


def _running(incident: Incident, now: datetime) -> Iterator[Open]:
    for task in incident.tasks:
        if task.done_at is None:
            yield Open(f"task {task.who}: {task.text} ({task.state(now)})", "/done {} ", task.ref)
    for remote in incident.remotes:
        if remote.ended_at is None:
            said = f"{remote.by.name} runs on {remote.host}, or nobody knows how it ended: {remote.command}"
            yield Open(said, "= ", remote.ref)
    for run in incident.runs:
        if run.finished_at is None:
            yield Open(f"playbook {run.name} is not finished", f"/play {run.name}", run.ref)
    for hold in incident.holds:
        if hold.active(now):
            yield Open(f"{hold.target} is held by {hold.by.name}", f"/release {hold.target}", hold.ref)
    if incident.offered is not None:
        yield Open(f"command offered to {incident.offered.who}, not taken", "/ic ", incident.offered.ref)


def _promised(incident: Incident) -> Iterator[Open]:
    for audience in incident.next_update:
        yield Open(f"update promised to {audience}", f"/update {audience} ")
    for one in incident.engagements:
        if one.ended_at is None:
            yield Open(f"{one.vendor} {one.ticket}".strip() + " is still engaged", "/disengage {} ", one.ref)


def _for_the_review(incident: Incident) -> Iterator[Open]:
    for criterion in incident.criteria:
        if criterion.met_at is None:
            yield Open(f"exit criterion not met: {criterion.text}", "/met {} ", criterion.ref, needed=True)
    for guess in incident.hypotheses:
        if guess.state == "raised":
            yield Open(f"hypothesis: {guess.text}", "/eliminate {} ", guess.ref)
    for item in incident.follow_ups:
        if item.done_at is None and not item.owner:
            yield Open(f"follow-up without an owner: {item.text}", "/todo {} @", item.ref, needed=True)
    if not incident.review_owner:
        yield Open("nobody owns the review", "/review ", needed=True)
    for name in WANTED:
        if name not in incident.milestones:
            yield Open(f"{name}: when? (unknown is an answer)", f"/ms {name} ", needed=True)
