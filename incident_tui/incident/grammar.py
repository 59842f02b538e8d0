"""A typed line -> exactly one meaning, which can be echoed. Pure; nothing typed is ever lost.

A prefix counts only with a space after it; a verb only when it is known and whole; anything else is a note. A known
verb with wrong arguments is `Refused`, with one sentence that shows the right form, and keeps the line. The table of
verbs is `verbs.VERBS`, what follows a verb is in `arguments`, the meanings in `meanings`, the times in `when`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from incident_tui.incident import meanings as m
from incident_tui.incident import when
from incident_tui.incident.echo import echo
from incident_tui.incident.entry import Kind
from incident_tui.incident.meanings import Parsed
from incident_tui.incident.settings import Person
from incident_tui.incident.typed import Line, Wrong
from incident_tui.incident.verbs import ROLES, VERBS
from incident_tui.text import TEXT_LIMIT, sanitise

__all__ = ["VERBS", "Parsed", "echo", "parse"]

_KINDS: Final = {"!": Kind.ACTION, "=": Kind.RESULT, "?": Kind.HYPOTHESIS, "d:": Kind.DECISION, "todo:": Kind.FOLLOWUP}
# As text, compiled when first used: a plain note needs none of them.
_VERB: Final = r"(?s)/([A-Za-z]+)(?: +(.*))?"
_BREAKS: Final = "\r\n|[\n\r\v\f\u0085\u2028\u2029]"
"""None of them is printable."""


def parse(
    line: str,
    *,
    now: datetime,
    people: Sequence[Person] = (),
    zone: str = "UTC",
    roles: Sequence[str] = ROLES,
) -> Parsed:
    """The one meaning of a line at `now` (aware). `zone` is the writer's IANA zone, for doubtful times; `roles`
    are those besides the commander.

    The text is sanitised here: this is the border. A line holding line breaks is a paste, never a command: it becomes
    one evidence entry.
    """
    if len(line) > TEXT_LIMIT:
        return m.Refused(
            line=line,
            sentence=f"This line has {len(line)} characters, more than {TEXT_LIMIT} fit in one entry: log it in parts.",
        )
    if not line.isprintable() and re.search(_BREAKS, line.strip()):
        text = sanitise(line, lines=True).strip("\n")
        if text.strip():
            return m.Write(kind=Kind.EVIDENCE, text=text, at=now)
    said = sanitise(line, limit=TEXT_LIMIT).strip()
    if not said:
        return m.Nothing()
    rest, stamp = said, None
    first, _, tail = said.partition(" ")
    if tail.strip():
        stamp = when.read_time(first, now, zone)
        if stamp is not None:
            rest = tail.strip()
    context = Line(
        now=now,
        people=people,
        zone=zone,
        roles=roles,
        at=stamp.at if stamp else now,
        said=stamp is not None,
        question=stamp.question if stamp else "",
    )
    match = re.fullmatch(_VERB, rest) if rest.startswith("/") else None
    if match and match[1].lower() in VERBS:
        return _verb(match[1].lower(), (match[2] or "").strip(), line, context)
    return _write(rest, context, hint=f"no verb /{match[1]}" if match else "")


def _write(rest: str, context: Line, hint: str) -> m.Write:
    first, _, tail = rest.partition(" ")
    tail = tail.strip()
    kind = _KINDS.get(first.lower()) if tail else None
    if kind is None:
        return m.Write(kind=Kind.NOTE, text=rest, hint=hint, **context.timed)
    if kind is Kind.FOLLOWUP:
        from incident_tui.incident.follow_up import follow_up

        text, data = follow_up(tail, context.people, context.now)
        if not text:
            text, data = tail, {}  # only fields: nothing to follow up, so it is kept as it was typed
        return m.Write(kind=kind, text=text, data=data, **context.timed)
    data = {"state": "raised"} if kind is Kind.HYPOTHESIS else {}
    return m.Write(kind=kind, text=tail, data=data, **context.timed)


def _verb(name: str, arguments: str, line: str, context: Line) -> Parsed:
    from incident_tui.incident.arguments import PARSERS

    verb = VERBS[name]
    try:
        if context.said and not verb.timed:
            raise Wrong("it takes no time in front of it.")
        # `/declare -12m`, but in `/ms` and `/amend` the time is an argument of their own, and `/next` counts forward.
        if verb.timed and name != "ms" and not context.said:
            context, arguments = _leading_time(context, arguments)
        return PARSERS[name](arguments, context)
    except Wrong as wrong:
        why = f"{wrong.args[0]} " if wrong.args and wrong.args[0] else ""
        return m.Refused(line=line, sentence=f"/{name}: {why}Write {verb.form}, e.g. {verb.example}")


def _leading_time(context: Line, arguments: str) -> tuple[Line, str]:
    first, _, tail = arguments.partition(" ")
    stamp = when.read_time(first, context.now, context.zone)
    if stamp is None:
        return context, arguments
    return msgspec.structs.replace(context, at=stamp.at, said=True, question=stamp.question), tail.strip()
