"""What is worth a bell: critical findings, updates overdue, tasks and command that come to me, what another did as
well. Pure; no clock.

The first rings at once; what comes within a minute of a bell is rung together after it. What was so when the screen
opened never rings, and what comes and goes does not ring at each turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from incident_tui.incident.finding import Level
from incident_tui.text import sanitise
from incident_tui.ui.clocks import updates
from incident_tui.ui.lines import cut
from incident_tui.ui.view import View

GAP: Final = timedelta(minutes=1)
"""Between two bells."""
FORGET: Final = timedelta(minutes=10)
"""What was gone for so long rings again when it returns."""
_LONGEST: Final = 120
_ESC: Final = "\x1b"

Cause = tuple[str, str]
"""Its sort, one of _SORTS, and what tells it from others of that sort."""
_SORTS: Final = {
    "critical": ("critical", "critical"),
    "overdue": ("update overdue", "updates overdue"),
    "task": ("task for you", "tasks for you"),
    "command": ("offer of command", "offers of command"),
    "conflict": ("done by another, too", "done by others, too"),
}


def causes(view: View) -> dict[Cause, str]:
    """What is worth a bell now, each with its sentence. Foreign text in it is not sanitised yet."""
    found: dict[Cause, str] = {}
    for one in view.findings:
        if one.level is Level.CRIT:
            found["critical", f"{one.rule} {one.subject}"] = one.sentence
    for two in view.conflicts:
        found["conflict", str(two.second)] = two.sentence
    incident = view.incident
    if incident is None or not incident.open:
        return found
    for at, audience in updates(view):
        if at < view.now:
            found["overdue", f"{audience} {at.isoformat()}"] = f"update overdue ({audience})"
    me = view.me.name.casefold()
    for task in incident.tasks:
        if task.who.casefold() == me and task.by.name.casefold() != me and task.acked_at is None and not task.done_at:
            found["task", str(task.ref)] = f"task for you: {task.text}"
    offered = incident.offered
    if offered is not None and offered.who.casefold() == me:
        found["command", str(offered.ref)] = f"{offered.by.name} offers you command"
    return found


class Alarm:
    """Tells when to ring, once for each cause."""

    def __init__(self) -> None:
        self._known: dict[Cause, datetime] | None = None
        self._waiting: dict[Cause, str] = {}
        self._rang_at: datetime | None = None

    def rings(self, found: Mapping[Cause, str], now: datetime) -> str:
        """What to ring for at `now`, in words; empty when there is nothing, or not yet. Call it about once a second
        with all `causes`, first when everything has been read."""
        if self._known is None:
            self._known = dict.fromkeys(found, now)
            return ""
        self._known = {cause: at for cause, at in self._known.items() if now - at < FORGET}
        new = {cause: text for cause, text in found.items() if cause not in self._known}
        self._known.update(dict.fromkeys(found, now))
        # What is over before it was rung for needs no bell any more.
        self._waiting = {cause: text for cause, text in (self._waiting | new).items() if cause in found}
        waits = self._rang_at is not None and timedelta(0) <= now - self._rang_at < GAP
        if not self._waiting or waits:
            return ""
        words = _words(self._waiting)
        self._waiting, self._rang_at = {}, now
        return words


def _words(ringing: Mapping[Cause, str]) -> str:
    if len(ringing) == 1:
        return cut(sanitise(next(iter(ringing.values()))), _LONGEST)
    counts = {sort: sum(one == sort for one, _ in ringing) for sort in _SORTS}
    return ", ".join(f"{count} {_SORTS[sort][count > 1]}" for sort, count in counts.items() if count)


def notification(words: str, environ: Mapping[str, str]) -> str:
    """OSC 9 with these words, in an envelope that tmux or screen hands on."""
    said = "".join(one for one in cut(sanitise(words), _LONGEST) if one.isprintable())
    sequence = f"{_ESC}]9;incident-tui: {said}\a"
    if environ.get("TMUX"):
        return f"{_ESC}Ptmux;{sequence.replace(_ESC, _ESC * 2)}{_ESC}\\"
    if environ.get("STY"):
        return f"{_ESC}P{sequence}{_ESC}\\"
    return sequence
