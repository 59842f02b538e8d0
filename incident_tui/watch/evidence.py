"""Which hosts' raw texts are written next: each every few seconds where there are few, and at once when a finding of a
host changes, so that the evidence for it is there; never more than the rate, however many hosts there are. Pure.

The texts are details of the board: "raw/NAME" -> hosts.raw.RawText.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from incident_tui.hosts.readings import HostReading
from incident_tui.incident.finding import Finding

RATE: Final = 5.0
"""Texts written a second, at most."""
EVERY: Final = timedelta(seconds=5)
"""A text of a host is not written more often, unless a finding changed."""
_SAVED_UP: Final = 16.0

_Said = frozenset[tuple[str, str, str]]


class RawPace:
    """Remembers what was written when. All times are the caller's."""

    def __init__(self) -> None:
        self._written: dict[str, tuple[datetime, datetime, _Said]] = {}
        self._asked: datetime | None = None
        self._may = _SAVED_UP

    def due(self, readings: Mapping[str, HostReading], findings: Iterable[Finding], now: datetime) -> list[str]:
        """The hosts to write now, in order; they count as written. Without a new reading a host is never due."""
        said: dict[str, set[tuple[str, str, str]]] = {}
        for one in findings:
            said.setdefault(one.host, set()).add((one.rule, one.subject, one.level.value))
        waited = (now - self._asked).total_seconds() if self._asked is not None else 0.0
        self._asked, self._may = now, min(_SAVED_UP, self._may + RATE * max(0.0, waited))
        ranked = []
        for host, reading in readings.items():
            written, read, before = self._written.get(host, (None, None, None))
            if read == reading.at:
                continue
            changed = before != frozenset(said.get(host, ()))
            if changed or written is None or not timedelta(0) <= now - written < EVERY:
                ranked.append((not changed, written.timestamp() if written is not None else 0.0, host))
        chosen = [host for *_, host in sorted(ranked)[: int(self._may)]]
        self._may -= len(chosen)
        for host in chosen:
            self._written[host] = (now, readings[host].at, frozenset(said.get(host, ())))
        return chosen
