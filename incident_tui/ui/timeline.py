"""The timeline's lines: one entry, a folded run, or a line that is not saved yet -> wrapped lines. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from incident_tui.incident.entry import MACHINE_KINDS, Kind, Ref
from incident_tui.incident.views import TimelineRow
from incident_tui.journal.everything import handle
from incident_tui.ui.folded import Alerts, Run
from incident_tui.ui.lines import Line, Look, Piece, cells, cut, fit, take, wrap
from incident_tui.ui.times import clock, short

_LONGEST: Final = 40
"""Lines of one entry that are shown in the timeline; Enter shows all of it."""
_MACHINE_LINES: Final = 2
"""Lines of what a machine or a playbook said, one where it is well again; Enter shows all of it."""
_HOSTS: Final = 3
"""Names of hosts in the line of a folded run; the others are counted."""
_NARROW: Final = 40
"""Columns below which seconds are left out and text hangs below the time: on a phone words need the room."""
_REMARK: Final = re.compile(r" \([^()]*\)")
_LASTED: Final = re.compile(r" \(it lasted ([^()]*)\)$")
_CLAUSE_LEAST: Final = 12
_MUCH: Final = 16_000
"""Characters of one entry that the timeline looks at."""

_KIND_STYLE: Final = {
    Kind.ACTION: "strong",
    Kind.DECISION: "mark",
    Kind.DECLARE: "mark",
    Kind.SEVERITY: "mark",
    Kind.STATUS: "mark",
    Kind.ROLE: "mark",
    Kind.UPDATE: "strong",
    Kind.TASK: "strong",
    Kind.RESULT: "strong",
}
_LEVEL_STYLE: Final = {"crit": "crit", "warn": "warn", "ok": "ok", "unknown": "unknown"}


class Mark(msgspec.Struct, frozen=True):
    """What stands under or behind an entry and is not part of it: a task's state, a message's delivery."""

    text: str
    style: str = ""
    own_line: bool = False


class Context(msgspec.Struct, frozen=True):
    """What the lines of a row depend on besides the row."""

    width: int
    look: Look = Look()
    letters: Mapping[str, str] = {}
    """How handles begin, by journal: `Store.letters`."""
    handle_width: int = 4

    def handle(self, ref: Ref) -> str:
        """As `View.handle`."""
        return handle(self.letters, ref)

    def clock(self, at: datetime) -> str:
        """Time of day, with seconds where there is room for them."""
        return clock(at)[: 5 if self.width < _NARROW else 8]


def entry_lines(row: TimelineRow, marks: Sequence[Mark], context: Context) -> list[Line]:
    """One entry, wrapped. The first line has handle, time, author and word; the rest hangs below the author."""
    look, width = context.look, context.width
    entry = row.entry
    if entry.kind is Kind.GAP and entry.data.get("what") == "silence":
        return [rule(f"{look.text(row.text)} ({clock(row.at)})", width, look)]
    handle = f" {context.handle(entry.id):>{context.handle_width}} "
    stamp = context.clock(row.at)
    if row.late is not None:
        stamp = f"{stamp[:5]} (+{short(row.late)})"
    machine = entry.kind in MACHINE_KINDS
    author = "" if machine else cut(look.text(entry.author.name), 8, look)
    blank = " " if width < _NARROW else "      "
    author = f" {author:<4} " if not machine else blank
    style = _style(row)
    indent = cells(handle) if width < _NARROW else cells(handle) + 9
    indent = min(indent, max(2, width - 12))
    head: list[Piece] = [(handle, ""), (stamp, ""), (author, "")]
    used = sum(cells(text) for text, _ in head)
    word = f"{look.text(row.word)} " if entry.kind is not Kind.NOTE else ""
    text = look.text(row.text[:_MUCH], lines=True).strip("\n")
    tail = _tail(row, marks)
    tail = f"  {look.text(tail)}" if tail and text else look.text(tail)
    body = "struck" if row.struck else ""
    parts = wrap(word + text + tail, width - used, width - indent)
    most = 1 if entry.data.get("level") == "ok" else _MACHINE_LINES
    brief = (machine or entry.kind is Kind.PLAYBOOK) and len(parts) > most
    if brief:
        parts = _briefly(word, text, tail, width - used, width - indent, look, most)
    first = parts[0]
    pieces = [*head]
    if word and first.startswith(word.rstrip()):
        split = len(word.rstrip())
        pieces += [(first[:split], style), (first[split:], body)]
    else:
        pieces.append((first, body))
    lines = [fit(pieces, width, look)]
    for part in parts[1:_LONGEST]:
        lines.append(fit([(" " * indent, ""), (part, body)], width, look))
    if not brief and (len(parts) > _LONGEST or len(row.text) > _MUCH):
        count = f"{len(parts) - _LONGEST} more lines" if len(row.text) <= _MUCH else "more"
        more = f"{count}: Enter shows all"
        lines.append(fit([(" " * indent, ""), (more, "strong")], width, look))
    for mark in marks:
        if mark.own_line:
            for part in wrap(look.text(mark.text), width - indent, width - indent):
                lines.append(fit([(" " * indent, ""), (part, mark.style)], width, look))
    return lines


def _briefly(word: str, text: str, tail: str, first: int, rest: int, look: Look, most: int) -> list[str]:
    """What was not typed, in at most so many lines: remarks in brackets go first, then clauses from the end. The
    mark says that Enter shows more."""
    lasted = _LASTED.search(text)
    if lasted is not None:
        span = lasted[0] if most > 1 else f" ({lasted[1]})"
        text, tail = text[: lasted.start()], f"{span}{tail}"
    text = _REMARK.sub("", text[: 8 * max(8, rest)]).strip()
    parts = wrap(word + text + tail, first, rest)
    while len(parts) > most:
        at = max(text.rfind(", "), text.rfind("; "))
        if at < _CLAUSE_LEAST:
            break
        text = text[:at]
        parts = wrap(f"{word}{text} {look.cut}{tail}", first, rest)
    if len(parts) > most:
        room = first if most == 1 else rest
        last = take(parts[most - 1], max(1, room - cells(tail) - 1))
        parts[most - 1] = f"{last}{look.cut}{tail}"
    return parts[:most]


def _style(row: TimelineRow) -> str:
    if row.struck:
        return "struck"
    if row.entry.kind in (Kind.OBSERVATION, Kind.ALERT):
        return _LEVEL_STYLE.get(str(row.entry.data.get("level", "")), "")
    if row.entry.kind is Kind.GAP:
        return "warn"
    return _KIND_STYLE.get(row.entry.kind, "")


def _tail(row: TimelineRow, marks: Sequence[Mark]) -> str:
    words = []
    if row.struck:
        words.append("(struck)")
    if row.amended:
        words.append("(amended)")
    if row.pinned:
        words.append("(pinned)")
    if row.skew is not None:
        words.append(f"(clock {short(row.skew)} ahead)")
    if row.origin:
        words.append(f"(from {row.origin})")
    words += [mark.text for mark in marks if not mark.own_line]
    return " ".join(words)


def rule(text: str, width: int, look: Look, style: str = "") -> Line:
    """A line across the timeline, with words in it."""
    text = f"{look.rule * 2} {text} "
    return fit([(text + look.rule * max(0, width - cells(text) - 1), style)], width, look)


def run_lines(run: Run, context: Context) -> list[Line]:
    """A folded run: when it began, how many more from where, and how bad they were. The mark says that it opens. What
    was critical is over, or it would stand for itself (`ui.folded`)."""
    look, width = context.look, context.width
    if isinstance(run, Alerts):
        return _alerts_lines(run, context)
    head = f" {'+':>{context.handle_width}} {context.clock(run.at)} "
    indent = min(cells(head), max(2, width - 12))
    size, levels, hosts = len(run.rows), run.levels, run.hosts
    words = {"crit": "crit (over)", "unknown": "unknown (over)"}
    said = [f"{levels[name]} {words.get(name, name)}" for name in ("crit", "unknown", "warn", "ok") if name in levels]
    other = size - sum(levels.values())
    said += [f"{other} other"] if other else []
    names = ", ".join(cut(look.text(host), 24, look) for host in hosts[:_HOSTS])
    names += f" +{len(hosts) - _HOSTS}" if len(hosts) > _HOSTS else ""
    parts = wrap(f"{size} more from {names}: {', '.join(said)}", width - cells(head), width - indent)
    lines = [fit([(head, ""), (parts[0], "")], width, look)]
    return lines + [fit([(" " * indent, ""), (part, "")], width, look) for part in parts[1:]]


def _alerts_lines(run: Alerts, context: Context) -> list[Line]:
    """Alerts of one group: how many there were, and what its last words leave firing."""
    look, width = context.look, context.width
    head = f" {'+':>{context.handle_width}} {context.clock(run.at)} "
    indent = min(cells(head), max(2, width - 12))
    last = run.last.values()
    fires, over = sum(level != "ok" for level in last), sum(level == "ok" for level in last)
    word = "ALERT" if fires or run.uncertain else "OK"
    level = next((one for one in ("crit", "warn") if one in last), "ok" if word == "OK" else "")
    said = [f"{fires} firing" if fires else "", f"{over} over" if over else "", "more counted" if run.uncertain else ""]
    about = f"{look.text(run.group)} x{run.count}: {', '.join(part for part in said if part)} ({look.text(run.source)})"
    parts = wrap(f"{word} {about}", width - cells(head), width - indent)
    first = parts[0].removeprefix(word)
    lines = [fit([(head, ""), (word, _LEVEL_STYLE.get(level, "")), (first, "")], width, look)]
    return lines + [fit([(" " * indent, ""), (part, "")], width, look) for part in parts[1:_MACHINE_LINES]]


def pending_lines(at: datetime, text: str, context: Context) -> list[Line]:
    """A line that is not saved yet."""
    look, width = context.look, context.width
    head = f" {'...':>{context.handle_width}} {context.clock(at)} NOT SAVED YET "
    parts = wrap(look.text(text), max(1, width - cells(head)), max(1, width - 4))
    lines = [fit([(head, "crit"), (parts[0], "")], width, look)]
    return lines + [fit([("    ", ""), (part, "")], width, look) for part in parts[1:6]]
