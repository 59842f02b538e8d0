"""The situation for who comes in, on a phone: at most 24 lines of 80 columns, each saying what it is about. Pure.

What is left out is counted. With `Standing.since` it begins with what came since that person looked last.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from incident_tui import text
from incident_tui.incident.views import TimelineRow
from incident_tui.report.standing import SYMBOL, Standing, due_words, short

LINES: Final = 24
COLUMNS: Final = 80


def brief(standing: Standing) -> list[str]:
    """The lines, worst and newest first within each part."""
    head = [_title(standing), _command(standing), _clocks(standing)]
    tail = list(_call(standing, 3))
    room = LINES - len(head) - len(tail)
    parts = [_wrong(standing), _events(standing), _work(standing), _thoughts(standing), _exits(standing)]
    return [cut(line) for line in [*head, *_shared(parts, room), *tail] if line]


def cut(line: str, columns: int = COLUMNS) -> str:
    """The line in at most so many columns of a terminal, without control characters; a mark where it was cut."""
    line = text.sanitise(line)
    used = 0
    for index, character in enumerate(line):
        used += _width(character)
        if used > columns:
            kept = line[:index]
            while kept and columns_of(kept) > columns - 1:
                kept = kept[:-1]
            return kept + "…"
    return line


def columns_of(line: str) -> int:
    return sum(map(_width, line))


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _shared(parts: Sequence[list[str]], room: int) -> list[str]:
    """Lines of all parts in their order: each part may have its first two, then the first parts take what is left."""
    kept = [min(2, len(part)) for part in parts]
    while sum(kept) > room:
        kept[max(index for index, count in enumerate(kept) if count)] -= 1
    for index, part in enumerate(parts):
        kept[index] += min(len(part) - kept[index], room - sum(kept))
    out: list[str] = []
    for part, count in zip(parts, kept, strict=True):
        left = len(part) - count
        lines = part[:count]
        if left and lines:
            lines[-1] = f"{cut(lines[-1], COLUMNS - 12)}  +{left} more"
        out += lines
    return out


def _title(standing: Standing) -> str:
    one, now = standing.incident, standing.now
    marks = "DEMO " * standing.demo + "DRILL " * one.drill
    level = f"SEV{one.severity}" if one.severity is not None else "SEV?"
    age = f"  {short(now - one.declared_at)}" if one.declared_at else ""
    state = "closed" if not one.open else one.status or "declared"
    end = f"{age}  {state}  {now:%Y-%m-%d %H:%MZ}"
    return cut(f"{marks}{level} {one.title or one.id}", COLUMNS - columns_of(end)) + end


def _command(standing: Standing) -> str:
    one = standing.incident
    since = f" since {one.commander_since:%H:%MZ}" if one.commander_since else ""
    offered = f", offered to {one.offered.who}" if one.offered else ""
    others = "".join(f", {role} {held.who}" for role, held in sorted(one.roles.items()))
    return f"IC {one.commander or 'NOBODY'}{since}{offered}{others}  ({one.id})"


def _clocks(standing: Standing) -> str:
    due = [f"{audience} {due_words(at, standing.now)}" for at, audience in standing.updates]
    return f"next update: {'; '.join(due) or 'none promised'}"


def _wrong(standing: Standing) -> list[str]:
    found = [f" {SYMBOL[one.level]} {one.sentence}" for one in standing.findings]
    board = f"NOW ({standing.board})" if standing.board else "NOW"
    nothing = "nothing wrong is known" if standing.watched else "NOT KNOWN"
    return [f"{board}:{found[0]}", *found[1:]] if found else [f"{board}: {nothing}"]


def _events(standing: Standing) -> list[str]:
    rows = standing.news[::-1]
    since = f"SINCE {standing.since:%H:%MZ}" if standing.since else "LAST"
    if not rows:
        return [f"{since}: nothing new"]
    return [f"{since} (newest first):", *(_row(standing, row) for row in rows)]


def _row(standing: Standing, row: TimelineRow) -> str:
    return f" {standing.handle(row.ref)} {row.at:%H:%M} {row.entry.author.name}: {row.word} {row.text}"


def _work(standing: Standing) -> list[str]:
    one, now = standing.incident, standing.now
    said = [f"task {t.who}, {due_words(t.due, now)}: {t.text}" for t in one.tasks if t.done_at is None]
    said += [f"{h.target} held by {h.by.name} until {h.until:%H:%MZ}" for h in one.holds if h.active(now)]
    for r in one.remotes:
        if r.ended_at is None:
            said.append(f"{r.by.name} on {r.host}: {r.command} (runs, or nobody knows how it ended)")
        elif r.unverified(now):
            said.append(f"not verified on {r.host}, {r.by.name}: {r.expected}")
    for company in one.engagements:
        if company.ended_at is None:
            back = f", back {due_words(company.due, now)}" if company.due else ""
            said.append(f"{company.vendor} {company.ticket}".strip() + f"{back}: {company.last or company.text}")
    said += [f"{can.who} needs: {can.needs}" for can in one.cans.values() if can.needs]
    return _headed("DOING", said)


def _thoughts(standing: Standing) -> list[str]:
    """Open hypotheses, and those that were eliminated: nobody should think them again."""
    guesses = standing.incident.hypotheses
    said = [f"? {standing.handle(one.ref)} {one.text}" for one in guesses if one.state == "raised"]
    said += [f"= {standing.handle(one.ref)} {one.text}: confirmed" for one in guesses if one.state == "confirmed"]
    out = [f"not {standing.handle(one.ref)} {one.text}" for one in guesses if one.state == "eliminated"]
    return _headed("THOUGHTS", said + out)


def _exits(standing: Standing) -> list[str]:
    criteria = standing.incident.criteria
    if not criteria:
        return []
    unmet = [one.text for one in criteria if one.met_at is None]
    return [f"EXIT WHEN ({len(criteria) - len(unmet)} of {len(criteria)} met): {'; '.join(unmet) or 'all met'}"]


def _headed(name: str, said: Iterable[str]) -> list[str]:
    lines = list(said)
    return [f"{name}: {lines[0]}", *(f" {line}" for line in lines[1:])] if lines else []


def _call(standing: Standing, count: int) -> Iterable[str]:
    for index, (who, contact) in enumerate(standing.contacts()):
        if index == count:
            return
        yield f"{'CALL: ' if not index else '      '}{who} {contact}"
