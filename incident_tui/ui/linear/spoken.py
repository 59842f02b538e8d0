"""What a screen shows, as sentences: all of it in order of trouble, and what has changed since. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

from incident_tui.incident.entry import MACHINE_KINDS, Entry, Kind
from incident_tui.incident.finding import Finding, Level
from incident_tui.incident.state import Fold
from incident_tui.incident.views import TimelineRow
from incident_tui.ui import clocks
from incident_tui.ui.lines import SYMBOL, plain
from incident_tui.ui.present import (
    alarms,
    alerts_piece,
    chat_piece,
    copies_piece,
    header,
    notices,
    replica_piece,
    saved_piece,
)
from incident_tui.ui.status import status_rows
from incident_tui.ui.times import clock, short
from incident_tui.ui.view import View

SOON: Final = timedelta(minutes=2)
"""A promised update is announced so long before it is due."""
_WIDE: Final = 2_000
_BLOCK: Final = 8
"""Machine entries of one moment that are told one by one; the rest is counted."""
_MACHINE_MOST: Final = 12
"""Changed findings that are told at once, the worst first; the rest is counted."""
_WORDS: Final = {Level.CRIT: "critical", Level.WARN: "warning", Level.UNKNOWN: "not known", Level.OK: "well"}


def overview(view: View) -> list[str]:
    """What the header and the left pane say, worst first; what is well is counted."""
    said = [f"Alarm: {view.look.text(sentence)}" for sentence, _ in alarms(view)]
    lines = header(view, _WIDE)
    said += [_spaced(plain([line])) for line in lines[: len(lines) - len(said)] if plain([line]).strip()]
    rows = status_rows(view, _WIDE)
    for level in (Level.CRIT, Level.WARN, Level.UNKNOWN):
        for row in rows:
            if row.level is level:
                words = _spaced(plain([row.line])).lstrip("".join(SYMBOL.values())).strip(" ,")
                said.append(f"{_WORDS[level]}: {words}")
                said += [f"  {view.look.text(one.sentence)}" for one in row.findings if one.level is level]
    well = sum(row.count for row in rows if row.level is Level.OK)
    known = sum(row.count for row in rows if row.level is not None)
    said.append(f"{well} of {known} sites, hosts, containers and volumes are well." if known else "No hosts, no sites.")
    running = _spaced(plain([notices(view, _WIDE)]))
    return [*said, running] if running else said


def _spaced(line: str) -> str:
    return re.sub(r" {2,}", ", ", line.strip())


def entry_line(row: TimelineRow, view: View) -> str:
    """One entry: handle, time, author, word, text."""
    author = "" if row.entry.kind in MACHINE_KINDS else f" {row.entry.author.name}"
    late = f" ({short(row.late)} later)" if row.late is not None else ""
    marks = "".join(f" ({word})" for word, so in (("struck", row.struck), ("amended", bool(row.amended))) if so)
    text = " / ".join(row.text.strip("\n").split("\n"))
    return view.look.text(f"{view.handle(row.ref)} {clock(row.at)}{late}{author} {row.word} {text}{marks}").rstrip()


class Announcer:
    """Tells what has changed from one view to the next."""

    def __init__(self) -> None:
        self._findings: dict[tuple[str, str], Finding] | None = None
        self._states: dict[str, str] | None = None
        self._told: set[tuple[str, str, str]] = set()

    def machines(self, view: View) -> list[str]:
        """Findings whose level changed."""
        now = {one.key: one for one in view.findings}
        before, self._findings = self._findings, now
        if before is None:
            return []
        said: list[tuple[int, str]] = []
        for key, one in now.items():
            if key not in before or before[key].level is not one.level:
                said.append((-one.level.rank, f"now {_WORDS[one.level]}: {one.sentence}"))
                self._told.add((*key, one.level.value))
        for key, gone in before.items():
            if key not in now:
                said.append((1, f"over: {gone.sentence}"))
                self._told.add((*key, Level.OK.value))
        texts = [text for _, text in sorted(said, key=lambda pair: pair[0])]
        if len(texts) > _MACHINE_MOST:
            texts = [
                *texts[:_MACHINE_MOST],
                f"{len(texts) - _MACHINE_MOST} more changes: Enter alone tells how things are",
            ]
        return [view.look.text(f"{clock(view.now)}Z {text}") for text in texts]

    def entries(self, new: Iterable[Entry], view: View, fold: Fold) -> list[str]:
        """Entries of the timeline that is shown. What was said as a finding already is not said again."""
        said: list[str] = []
        machine: list[str] = []
        here = view.incident.id if view.incident is not None else ""
        for entry in new:
            row = fold.row(entry.ref if entry.kind in (Kind.AMEND, Kind.STRIKE, Kind.PIN) and entry.ref else entry.id)
            if row is None or row.entry.incident != here or entry.kind in (Kind.LEASE, Kind.SIGNATURE, Kind.ARCHIVE):
                continue
            if entry.kind in (Kind.AMEND, Kind.STRIKE, Kind.PIN):
                said.append(f"{view.look.text(entry.author.name)} changed {entry_line(row, view)}")
            elif entry.kind is Kind.OBSERVATION:
                key = tuple(str(entry.data.get(name, "")) for name in ("finding", "subject", "level"))
                if key in self._told:
                    self._told.discard((key[0], key[1], key[2]))
                else:
                    machine.append(entry_line(row, view))
            else:
                said.append(entry_line(row, view))
        if len(machine) > _BLOCK:
            machine = [*machine[:_BLOCK], f"{len(machine) - _BLOCK} more from the machines: /filter kind:machine"]
        return said + machine

    def states(self, view: View) -> list[str]:
        """What the header says in words when it changes; never the clock, and no ages."""
        before, self._states = self._states, _states(view)
        if before is None:
            return []
        names = [*self._states, *(name for name in before if name not in self._states)]
        said = [
            self._states.get(name) or _ENDED.get(name.split(":")[0], "")
            for name in names
            if self._states.get(name, "") != before.get(name, "")
        ]
        return [view.look.text(f"{clock(view.now)}Z {text}") for text in said if text]


_ENDED: Final = {
    "saved": "everything is saved",
    "watch": "the watch is back",
    "chat": "chat is well again",
    "alerts": "no critical alert fires",
    "apart": "entries go to every bastion again",
    "lacking": "all known entries of other bastions are here",
}


def _states(view: View) -> dict[str, str]:
    found: dict[str, str] = {}
    if saved_piece(view)[0][1] == "crit":
        reason = view.writer.problem or "the disk has not answered"
        found["saved"] = f"NOT SAVED, kept and retried: {reason}"
    if not view.watch.fresh:
        found["watch"] = "nobody watches" if view.watch.age is None else "the watch is STALE"
    chat = chat_piece(view)
    if chat is not None and chat[1] == "crit":
        found["chat"] = "chat does not take messages"
    alerts = alerts_piece(view)
    if alerts is not None and alerts[1] in ("crit", "unknown"):
        found["alerts"] = "critical alerts fire" if alerts[1] == "crit" else "what alerts fire is not known"
    apart = replica_piece(view)
    if apart is not None:
        found["apart"] = apart[0].removeprefix("? ").partition(" since ")[0]
    lacking = copies_piece(view)
    if lacking is not None:
        name, state = lacking[0].split()[1:3]
        found["lacking"] = f"journal {name} {state}" if lacking[1] == "crit" else f"not all of journal {name} is here"
    for two in view.conflicts:
        found[f"conflict:{two.second}"] = two.sentence
    incident = view.incident
    if incident is not None and incident.open:
        for at, audience in clocks.updates(view):
            left = at - view.now
            if left < timedelta(0):
                found[f"due:{audience} {at}"] = f"update OVERDUE ({audience})"
            elif left <= SOON:
                found[f"due:{audience} {at}"] = f"update due in 2 min ({audience})"
        for task in incident.tasks:
            if task.state(view.now) == "overdue":
                found[f"task:{task.ref}"] = f"task of {task.who} is over its time: {task.text}"
    if incident is not None and incident.offered is not None:
        found[f"offer:{incident.offered.ref}"] = f"command is offered to {incident.offered.who}"
    if clocks.gone(view) is not None and incident is not None:
        found["commander"] = f"the commander, {incident.commander}, is gone: {clocks.takes_over(view)}"
    for piece in clocks.called(view):
        found[f"clock:{piece}"] = piece
    for one in view.people:
        found[f"person:{one.name}"] = f"{one.name} is here" if one.alive else f"{one.name} is gone"
    return found


def timeline(rows: Sequence[TimelineRow], view: View, most: int) -> list[str]:
    """The last of these entries; what is left out is counted."""
    left = len(rows) - most
    said = [f"{left} older ones are not told: /go a time, or /filter"] if left > 0 else []
    return [*said, *(entry_line(row, view) for row in rows[-most:])]
