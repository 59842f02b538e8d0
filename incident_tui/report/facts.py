"""The fold of one incident -> `Facts`: everything a report says, before it is words. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from incident_tui import text
from incident_tui.incident.entry import MILESTONES, Entry, Kind, Ref
from incident_tui.incident.metrics import impact, metrics
from incident_tui.incident.state import Fold
from incident_tui.incident.views import Incident, Promise, TimelineRow
from incident_tui.incident.work import Contested
from incident_tui.journal.chain import PROMISE
from incident_tui.report.board import moments, seen_at, site_times, spells
from incident_tui.report.charts import charts, charts_text, gantt
from incident_tui.report.escape import Redact, Safe
from incident_tui.report.source import (
    Before,
    Day,
    Decided,
    Exhibit,
    Facts,
    Held,
    Integrity,
    KeyTime,
    Line,
    OpenItem,
    Promised,
    Ran,
    Source,
)

_VERSION: Final = re.compile(r"[0-9A-Za-z.+]{1,40}")
_SECOND: Final = timedelta(minutes=1)
"""From so long on an entry has two times: it happened, and it was recorded."""
QUIET: Final = timedelta(minutes=15)
"""From so long without an entry on, the timeline says so."""
HOUSEKEEPING: Final = frozenset({Kind.LEASE, Kind.PRESENCE})
"""Left out of the one page, and counted there."""


def gather(source: Source, *, full: bool, redact: Redact = text.redact) -> Facts:
    """With `full` the timeline leaves nothing out; `redact` is what the template will use, for the count."""
    incident = source.fold.incident(source.incident)
    rows = incident.rows
    entries = entries_of(source.fold, incident)
    until = max((entry.recorded_at for entry in entries), default=None)
    moment = until or source.now
    shown = [row for row in rows if full or row.entry.kind not in HOUSEKEEPING]
    left_out = Counter(row.entry.kind.value for row in rows if not full and row.entry.kind in HOUSEKEEPING)
    lines = _lines(source, shown)
    timeline = [line for line in lines if source.chosen is None or source.chosen(line.row)]
    if len(timeline) < len(lines):
        left_out["not chosen for the timeline"] = len(lines) - len(timeline)
    found = spells(rows)
    drawn = charts(rows)
    return Facts(
        incident=incident,
        demo=source.demo,
        version=Safe(source.version) if _VERSION.fullmatch(source.version) else source.version,
        generated_at=source.now,
        until=until,
        impact=impact(incident),
        key_times=tuple(_key_time(incident, name) for name in MILESTONES),
        metrics=tuple(metrics(incident, moment)),
        roles=tuple(_roles(incident)),
        days=tuple(_days(timeline)),
        left_out=dict(sorted(left_out.items())),
        open_items=tuple(_open_items(incident, moment)),
        moments=moments(rows),
        spells=found,
        decisions=tuple(_decisions(source.fold, incident)),
        promises=tuple(_promised(promise, until) for promise in incident.promises),
        work=tuple(line for line in lines if line.row.entry.kind in (Kind.ACTION, Kind.RESULT) and not line.struck),
        first_sign=next((line for line in lines if _is_sign(line)), None),
        exhibits=tuple(_exhibits(rows)),
        commands=tuple(_commands(rows)),
        sites=site_times(rows, until),
        charts=drawn,
        charts_text=charts_text(drawn),
        gantt=gantt(incident, found, until, redact) if full else Safe(""),
        integrity=_integrity(source, lines, rows, entries, redact),
    )


def entries_of(fold: Fold, incident: Incident) -> list[Entry]:
    """The entries of an incident as stored, corrections included, in the order of their numbers."""
    found: dict[Ref, Entry] = {}
    todo = [row.entry for row in incident.rows]
    while todo:
        entry = todo.pop()
        if entry.id not in found:
            found[entry.id] = entry
            todo += [one for one in fold.about(entry.id) if one.kind in (Kind.AMEND, Kind.STRIKE, Kind.PIN, Kind.PURGE)]
    return [found[ref] for ref in sorted(found)]


def _key_time(incident: Incident, name: str) -> KeyTime:
    said = incident.milestones.get(name)
    if said is None:
        return KeyTime(name=name, at=None, why="not said")
    return KeyTime(
        name=name,
        at=said.at,
        why="known to be unknowable" if said.unknown else "",
        ref=said.ref,
        by=said.by,
        implied=said.implied,
        changes=said.changes,
    )


def _roles(incident: Incident) -> Iterable[Held]:
    for span in incident.commands:
        how = {"declared": "declared the incident", "taken": "took command", "claimed": "claimed command"}[span.how]
        if span.offered_by:
            how += f", offered by {span.offered_by}"
        if span.voice:
            how += f" (by voice, written by {span.by.name})"
        yield Held(role="commander", who=span.who, since=span.since, until=span.until, how=how, ref=span.ref)
    others = sorted([*incident.role_history, *incident.roles.values()], key=lambda one: (one.role, one.since))
    for held in others:
        by = "" if held.by.name.casefold() == held.who.casefold() else f"given by {held.by.name}"
        yield Held(role=held.role, who=held.who, since=held.since, until=held.until, how=by, ref=held.ref)


def _lines(source: Source, rows: Sequence[TimelineRow]) -> list[Line]:
    """With the gaps between them; that nobody said anything is no entry that would end one."""
    lines: list[Line] = []
    last: datetime | None = None
    second = {one.second: one for one in source.fold.incident(source.incident).contested}
    for row in rows:
        if row.entry.kind is Kind.GAP and row.entry.data.get("what") == "silence":
            lines.append(_line(source, row, None, None))
            continue
        gap = None if last is None or row.at - last < QUIET else row.at - last
        lines.append(_line(source, row, gap, second.get(row.ref)))
        last = row.at
    return lines


def _line(source: Source, row: TimelineRow, gap: timedelta | None, second: Contested | None) -> Line:
    entry = row.entry
    said = text.sanitise(row.text, lines=True).split("\n")
    strike = _strike(source.fold, row) if row.struck else None
    return Line(
        row=row,
        ref=row.ref,
        at=row.at,
        who=entry.author.name,
        claimed=row.claimed,
        word=row.word,
        text=said[0],
        more=len(said) - 1,
        late=row.late,
        recorded_at=entry.recorded_at,
        written=entry.recorded_at if not row.late and entry.recorded_at - row.at >= _SECOND else None,
        skew=row.skew,
        amended=tuple(_before(row)),
        struck=row.struck,
        struck_by=strike.author if strike else None,
        struck_at=strike.recorded_at if strike else None,
        struck_ref=strike.id if strike else None,
        struck_why=strike.text if strike else "",
        pinned=row.pinned,
        purged=row.purged,
        unmatched=row.unmatched,
        second=second,
        origin=row.origin,
        delivery=source.deliveries.get(row.ref, ""),
        gap=gap,
    )


def _strike(fold: Fold, row: TimelineRow) -> Entry | None:
    strikes = [one for one in fold.about(row.ref) if one.kind is Kind.STRIKE and one.data.get("step") != "restore"]
    return strikes[-1] if strikes else None


def _before(row: TimelineRow) -> Iterable[Before]:
    text_, at = row.entry.text or str(row.entry.data.get("title", "")), row.entry.at
    for one in row.amended:
        changed = one.text is not None and one.text != text_
        moved = one.moved_to is not None and one.moved_to != at
        yield Before(
            ref=one.ref,
            at=one.at,
            by=one.by,
            text=text_ if changed else None,
            moved_from=at if moved else None,
        )
        text_ = text_ if one.text is None else one.text
        at = one.moved_to or at


def _days(lines: Sequence[Line]) -> Iterable[Day]:
    day: list[Line] = []
    for line in lines:
        if day and day[-1].at.date() != line.at.date():
            yield Day(date=day[0].at, lines=tuple(day))
            day = []
        day.append(line)
    if day:
        yield Day(date=day[0].at, lines=tuple(day))


def _open_items(incident: Incident, moment: datetime) -> Iterable[OpenItem]:
    for task in incident.tasks:
        if task.done_at is None:
            note = "not acknowledged" if task.acked_at is None else f"acknowledged by {task.acked_by}"
            yield OpenItem(what="task", text=task.text, who=task.who, due=task.due, ref=task.ref, note=note)
    for item in incident.follow_ups:
        if item.done_at is None:
            yield OpenItem(what="follow-up", text=item.text, who=item.owner, due=None, ref=item.ref, note=item.priority)
    for guess in incident.hypotheses:
        if guess.state == "raised":
            yield OpenItem(what="hypothesis", text=guess.text, who=guess.by.name, due=None, ref=guess.ref)
    for promise in incident.promises:
        if promise.kept_at is None and promise.moved_at is None:
            text_ = f"update promised to {promise.audience}"
            yield OpenItem(what="update", text=text_, who=promise.by.name, due=promise.due, ref=promise.ref)
    for hold in incident.holds:
        if hold.active(moment):
            yield OpenItem(what="hold", text=hold.target, who=hold.by.name, due=hold.until, ref=hold.ref, note=hold.why)
    offer = incident.offered
    if offer is not None:
        yield OpenItem(what="command", text="offered, not taken", who=offer.who, due=None, ref=offer.ref)


def _decisions(fold: Fold, incident: Incident) -> Iterable[Decided]:
    for said in incident.decisions:
        row = fold.row(said.ref)
        yield Decided(said=said, seen=None if row is None else seen_at(row))


def _promised(promise: Promise, until: datetime | None) -> Promised:
    at = promise.kept_at or promise.moved_at
    missed = until is not None and until > promise.due
    if at is not None:
        state: str = promise.state(at)
    else:
        state = "missed: no update by the last entry" if missed else "no update so far"
    return Promised(audience=promise.audience, due=promise.due, ref=promise.ref, state=state, at=at)


def _is_sign(line: Line) -> bool:
    entry = line.row.entry
    if line.struck or line.purged:
        return False
    return entry.kind in (Kind.ALERT, Kind.OBSERVATION) and entry.data.get("level") != "ok"


def _exhibits(rows: Iterable[TimelineRow]) -> Iterable[Exhibit]:
    for row in rows:
        said = text.sanitise(row.text, lines=True)
        if "\n" in said and not row.struck:
            yield Exhibit(ref=row.ref, at=row.at, who=row.entry.author.name, text=said)


def _commands(rows: Iterable[TimelineRow]) -> Iterable[Ran]:
    kept = [row for row in rows if row.entry.kind is Kind.COMMAND and not row.struck and not row.purged]
    answers = [row for row in kept if row.entry.ref]
    outcomes = {row.entry.ref: row for row in answers if row.entry.data.get("step") == "outcome"}
    checks = {row.entry.ref: row for row in answers if row.entry.data.get("step") == "check"}
    for row in kept:
        if row.entry.data.get("step") in ("outcome", "check"):
            continue
        outcome = outcomes.get(row.ref)
        status = outcome.entry.data.get("exit") if outcome else None
        yield Ran(
            ref=row.ref,
            host=str(row.entry.data.get("host", "")),
            command=str(row.entry.data.get("command") or row.said),
            who=row.entry.author.name,
            at=row.at,
            ended=outcome.at if outcome else None,
            exit="not recorded" if status is None else str(status),
            expected=str(row.entry.data.get("expected") or ""),
            held=_held(checks.get(row.ref)),
            problem=str(outcome.entry.data.get("problem") or "") if outcome else "",
        )


def _held(check: TimelineRow | None) -> str:
    if check is None:
        return ""
    held = check.entry.data.get("held")
    return "it was so" if held is True else "it was not so" if held is False else "could not be asked"


def _integrity(
    source: Source, lines: Sequence[Line], rows: Sequence[TimelineRow], entries: Sequence[Entry], redact: Redact
) -> Integrity:
    refs = sorted(entry.id for entry in entries)
    order = [one.head.journal for one in source.journals] or sorted({one.journal for one in refs})
    named = [[one for one in refs if one.journal == journal] for journal in order]
    spans = tuple((found[0], found[-1]) for found in named if found)
    return Integrity(
        entries=len(entries),
        first=spans[0][0] if spans else None,
        last=spans[0][1] if spans else None,
        struck=sum(row.struck for row in rows),
        amended=sum(bool(row.amended) for row in rows),
        purged=sum(entry.purged and not entry.archive for entry in entries),
        archived=sum(bool(entry.archive) for entry in entries),
        signed=sum(source.fold.signed(entry.id) for entry in entries),
        claimed=sum(row.claimed for row in rows),
        late=sum(row.late is not None for row in rows),
        skewed=sum(row.skew is not None for row in rows),
        redacted=sum(redact(text.sanitise(row.text, lines=True))[1] > 0 for row in rows),
        head=source.head,
        journals=source.journals if len(source.journals) > 1 else (),
        spans=spans,
        apart=tuple(line for line in lines if line.row.entry.data.get("what") == "replica" and not line.struck),
        unread=source.unread,
        promise=PROMISE,
    )
