"""Keeps the break-glass card of each open incident current: after a new entry, when what is wrong changes, and now and
then, so that its "last known state" is one. Written on a thread: a slow disk must not hold up the watch."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Final

from incident_tui.incident.entry import Ref
from incident_tui.incident.finding import Finding, Level
from incident_tui.incident.roster import on_call_now
from incident_tui.incident.views import Incident
from incident_tui.report.card import leave
from incident_tui.report.standing import Standing
from incident_tui.watch.plan import Plan

log = logging.getLogger("incident_tui.watch")

AT_MOST: Final = timedelta(seconds=15)
"""Between two of one incident."""
AT_LEAST: Final = timedelta(minutes=5)

_Known = tuple[bool, int, frozenset[tuple[str, str, str, Level]]]
"""What the card tells of: whether the incident is open, the newest entry, and what is wrong."""


class Cards:
    """Of one watch."""

    def __init__(self, plan: Plan, handle: Callable[[Ref], str]) -> None:
        self._plan = plan
        self._handle = handle
        self._written: dict[str, tuple[_Known, datetime]] = {}
        self._thread = ThreadPoolExecutor(1, "cards")
        self._problem = ""

    def keep(self, incidents: Sequence[Incident], findings: Sequence[Finding], seq: int, now: datetime) -> None:
        """Write the cards that are due. `seq` grows with each entry. One whose incident has ended is written
        once more, and then no more."""
        wrong = frozenset((one.rule, one.subject, one.host, one.level) for one in findings)
        for incident in incidents:
            before = self._written.get(incident.id)
            if incident.declared_at is None or (not incident.open and (before is None or not before[0][0])):
                continue
            known = (incident.open, seq, wrong)
            if before is not None:
                wait = AT_MOST if known != before[0] else AT_LEAST
                if timedelta(0) <= now - before[1] < wait:
                    continue
            self._written[incident.id] = (known, now)
            self._thread.submit(self._write, self._standing(incident, findings, now))

    def _standing(self, incident: Incident, findings: Sequence[Finding], now: datetime) -> Standing:
        return Standing(
            incident=incident,
            now=now,
            handle=self._handle,
            findings=sorted(findings, key=lambda one: (-one.level.rank, one.subject, one.rule)),
            board=f"as of {now:%H:%MZ}",
            people=self._plan.people,
            on_call=on_call_now(self._plan.rosters, now),
            command=self._plan.command,
            severities=self._plan.severities,
            demo=self._plan.demo,
        )

    def _write(self, standing: Standing) -> None:
        try:
            leave(self._plan.directory, standing)
        except OSError as error:
            problem = f"no break-glass card can be written: {error.strerror}"
            if problem != self._problem:
                log.warning("%s", problem)
            self._problem = problem
        except Exception:
            log.exception("the break-glass card of %s", standing.incident.id)
        else:
            self._problem = ""

    def close(self) -> None:
        """Waits for what is being written."""
        self._thread.shutdown()
