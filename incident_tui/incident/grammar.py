"""A typed line -> exactly one meaning, which can be echoed. Pure; nothing typed is ever lost.

A prefix counts only with a space after it; a verb only when it is known and whole; anything else is a note. A known
verb with wrong arguments is `Refused`, with one sentence that shows the right form, and keeps the line. The table of
verbs is `verbs.VERBS`, the meanings are in `meanings`, the times in `when`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from incident_tui.incident import meanings as m
from incident_tui.incident import people as people_
from incident_tui.incident import when
from incident_tui.incident.echo import echo
from incident_tui.incident.entry import MILESTONES, Kind
from incident_tui.incident.meanings import Parsed
from incident_tui.incident.settings import Person
from incident_tui.incident.verbs import AUDIENCES, ROLES, VERBS
from incident_tui.text import TEXT_LIMIT, sanitise

__all__ = ["VERBS", "Parsed", "echo", "parse"]

_KINDS: Final = {"!": Kind.ACTION, "=": Kind.RESULT, "?": Kind.HYPOTHESIS, "d:": Kind.DECISION, "todo:": Kind.FOLLOWUP}
# As text, compiled when first used: a plain note needs none of them.
_VERB: Final = r"(?s)/([A-Za-z]+)(?: +(.*))?"
_HANDLE: Final = r"[A-Za-z][0-9]{1,9}"
_BREAKS: Final = "\r\n|[\n\r\v\f\u0085\u2028\u2029]"
"""None of them is printable."""
_PLACES: Final = ("status page", "mailing list", "phone bridge")
"""Places of two words, for `/sent` without a colon."""


class _Wrong(Exception):
    """The arguments do not fit. `args[0]` says why in a few words, or is empty."""


class _Line(msgspec.Struct, frozen=True):
    """What every verb needs besides its arguments."""

    now: datetime
    people: Sequence[Person]
    zone: str
    at: datetime
    said: bool
    question: str

    def name(self, typed: str) -> str:
        found = people_.resolve(typed, self.people)
        if isinstance(found, people_.Ambiguous):
            raise _Wrong(found.sentence)
        if not found:
            raise _Wrong("a name is missing.")
        return found

    @property
    def timed(self) -> dict[str, Any]:
        return {"at": self.at, "said": self.said, "question": self.question}


def parse(line: str, *, now: datetime, people: Sequence[Person] = (), zone: str = "UTC") -> Parsed:
    """The one meaning of a line at `now` (aware). `zone` is the writer's IANA zone, for doubtful times.

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
    context = _Line(
        now=now,
        people=people,
        zone=zone,
        at=stamp.at if stamp else now,
        said=stamp is not None,
        question=stamp.question if stamp else "",
    )
    match = re.fullmatch(_VERB, rest) if rest.startswith("/") else None
    if match and match[1].lower() in VERBS:
        return _verb(match[1].lower(), (match[2] or "").strip(), line, context)
    return _write(rest, context, hint=f"no verb /{match[1]}" if match else "")


def _write(rest: str, context: _Line, hint: str) -> m.Write:
    first, _, tail = rest.partition(" ")
    tail = tail.strip()
    kind = _KINDS.get(first.lower()) if tail else None
    if kind is None:
        return m.Write(kind=Kind.NOTE, text=rest, hint=hint, **context.timed)
    if kind is Kind.FOLLOWUP:
        text, data = _followup(tail, context.people)
        return m.Write(kind=kind, text=text, data=data, **context.timed)
    data = {"state": "raised"} if kind is Kind.HYPOTHESIS else {}
    return m.Write(kind=kind, text=tail, data=data, **context.timed)


def _followup(tail: str, people: Sequence[Person]) -> tuple[str, dict[str, Any]]:
    """The first @owner and the first p0-p9 leave the text; a second of either stays in it."""
    data: dict[str, Any] = {}
    words = []
    for word in tail.split():
        if "owner" not in data and len(word) > 1 and word[0] == "@":
            found = people_.resolve(word, people)
            data["owner"] = found if isinstance(found, str) else word[1:]
        elif "priority" not in data and re.fullmatch(r"#?[pP][0-9]", word):
            data["priority"] = word[-2:].lower()
        else:
            words.append(word)
    if not words:
        return tail, {}
    return " ".join(words), data


def _verb(name: str, arguments: str, line: str, context: _Line) -> Parsed:
    verb = VERBS[name]
    try:
        if context.said and not verb.timed:
            raise _Wrong("it takes no time in front of it.")
        # `/declare -12m`, but in `/ms` and `/amend` the time is an argument of their own, and `/next` counts forward.
        if verb.timed and name != "ms" and not context.said:
            context, arguments = _leading_time(context, arguments)
        return _PARSERS[name](arguments, context)
    except _Wrong as wrong:
        why = f"{wrong.args[0]} " if wrong.args and wrong.args[0] else ""
        return m.Refused(line=line, sentence=f"/{name}: {why}Write {verb.form}, e.g. {verb.example}")


def _leading_time(context: _Line, arguments: str) -> tuple[_Line, str]:
    first, _, tail = arguments.partition(" ")
    stamp = when.read_time(first, context.now, context.zone)
    if stamp is None:
        return context, arguments
    return msgspec.structs.replace(context, at=stamp.at, said=True, question=stamp.question), tail.strip()


def _text(arguments: str) -> str:
    if not arguments:
        raise _Wrong("the text is missing.")
    return arguments


def _none(arguments: str) -> None:
    if arguments:
        raise _Wrong(f"{_short(arguments)} is too much.")


def _short(value: str) -> str:
    return repr(value if len(value) <= 30 else value[:29] + "…")


def _word(arguments: str, what: str) -> tuple[str, str]:
    first, _, tail = arguments.partition(" ")
    if not first:
        raise _Wrong(f"{what} is missing.")
    return first, tail.strip()


def _minutes(token: str) -> int:
    minutes = when.duration(token)
    if not minutes:
        raise _Wrong(f"{_short(token)} is not a length of time such as 20m or 1h.")
    if minutes > 7 * 24 * 60:
        raise _Wrong(f"{_short(token)} is more than a week.")
    return minutes


def _level(token: str) -> int:
    match = re.fullmatch(r"(?:sev(?:erity)?[=-]?)?([1-9])", token, re.I)
    if match is None:
        raise _Wrong(f"{_short(token)} is not a severity; 1 is worst.")
    return int(match[1])


def _handle(arguments: str) -> tuple[str, str]:
    """A leading handle and the rest; no handle gives "" and everything."""
    first, _, tail = arguments.partition(" ")
    return (first.lower(), tail.strip()) if re.fullmatch(_HANDLE, first) else ("", arguments)


def _needed_handle(arguments: str) -> tuple[str, str]:
    handle, rest = _handle(arguments)
    if not handle:
        raise _Wrong("a handle such as a17 is missing.")
    return handle, rest


def _declare(arguments: str, line: _Line) -> Parsed:
    severity: int | None = None
    drill = False
    while True:
        first, _, tail = arguments.partition(" ")
        if first.lower() == "/sev":
            token, tail = _word(tail.strip(), "the severity")
            severity = _level(token)
        elif re.match(r"sev(?:erity)?=", first, re.I):
            severity = _level(first)
        elif first.lower() == "drill" and tail.strip():
            drill = True
        else:
            break
        arguments = tail.strip()
    if not arguments:
        raise _Wrong("the title is missing.")
    return m.Declare(title=arguments, severity=severity, drill=drill, **line.timed)


def _sev(arguments: str, line: _Line) -> Parsed:
    token, why = _word(arguments, "the severity")
    level = _level(token)
    if not why:
        raise _Wrong("say why, in a few words.")
    return m.SetSeverity(level=level, why=why, **line.timed)


def _status(arguments: str, line: _Line) -> Parsed:
    first, rest = _word(arguments, "the status")
    if f"{arguments.lower()} ".startswith("stood down "):
        first, rest = "stood down", arguments[len("stood down") :].strip()
    return m.SetStatus(status=first.lower(), text=rest, **line.timed)


def _milestone(arguments: str, line: _Line) -> Parsed:
    first, rest = _word(arguments, "the milestone")
    name = first.lower()
    if name == "declared":
        raise _Wrong("declared is the time of the /declare entry; /amend that one.")
    if name not in MILESTONES:
        raise _Wrong(f"{_short(first)} is none of {', '.join(x for x in MILESTONES if x != 'declared')}.")
    if not rest:
        return m.Milestone(name=name, **line.timed)
    if rest.lower() == "unknown" and not line.said:
        return m.Milestone(name=name, unknown=True, **line.timed)
    stamp = None if line.said else when.read_time(rest, line.now, line.zone)
    if stamp is None:
        raise _Wrong(f"{_short(rest)} is not a time.")
    return m.Milestone(name=name, at=stamp.at, said=True, question=stamp.question)


def _ic(arguments: str, line: _Line) -> Parsed:
    first, rest = _word(arguments, "take, offer NAME, claim or a name")
    step = first.lower()
    if step == "take" or step == "claim":
        _none(rest)
        return m.Role(step="take" if step == "take" else "claim", **line.timed)
    if step == "offer":
        typed, rest = _word(rest, "the name")
        _none(rest)
        return m.Role(step="offer", who=line.name(typed), **line.timed)
    _none(rest)
    return m.Role(step="name", who=line.name(first), **line.timed)


def _role(arguments: str, line: _Line) -> Parsed:
    first, rest = _word(arguments, "the role")
    role = first.lower()
    if role in ("commander", "ic"):
        raise _Wrong("command is handed over with /ic.")
    if role not in ROLES:
        raise _Wrong(f"{_short(first)} is none of {', '.join(ROLES)}.")
    typed, rest = _word(rest, "the name")
    _none(rest)
    if typed.lower() == "release":
        return m.Role(step="release", role=role, **line.timed)
    return m.Role(step="take", role=role, who=line.name(typed), **line.timed)


def _next(arguments: str, line: _Line) -> Parsed:
    token, rest = _word(arguments, "the time")
    minutes = _minutes(token)
    audience = rest.lower() or "internal"
    if audience not in AUDIENCES:
        raise _Wrong(f"{_short(rest)} is none of {', '.join(AUDIENCES)}.")
    return m.NextUpdate(minutes=minutes, audience=audience, **line.timed)


def _update(arguments: str, line: _Line) -> Parsed:
    first, _, tail = arguments.partition(" ")
    audience = "internal"
    if first.lower() in AUDIENCES:
        audience, arguments = first.lower(), tail.strip()
    minutes = 0
    first, _, tail = arguments.partition(" ")
    if first.startswith("+") and when.duration(first[1:]) is not None:
        minutes, arguments = _minutes(first[1:]), tail.strip()
    text = _text(arguments)
    update = m.Update(audience=audience, text=text, next_minutes=minutes, **line.timed)
    if audience != "public":
        return update
    ask = f"{line.question} " if line.question else ""
    return msgspec.structs.replace(
        update, question=f'{ask}The PUBLIC will read: "{text}" Write public to send it.', wants="public"
    )


def _sent(arguments: str, line: _Line) -> Parsed:
    audience = "public"
    first, _, tail = arguments.partition(" ")
    if first.lower() in AUDIENCES:
        audience, arguments = first.lower(), tail.strip()
    text = _text(arguments)
    where, colon, said = text.partition(": ")
    if not colon:
        place = next((one for one in _PLACES if f"{text.lower()} ".startswith(one + " ")), text.partition(" ")[0])
        where, said = text[: len(place)], text[len(place) :]
    return m.Sent(audience=audience, where=where.strip(), text=said.strip(), **line.timed)


def _assign(arguments: str, line: _Line) -> Parsed:
    typed, rest = _word(arguments, "the name")
    token, rest = _word(rest, "the time box")
    minutes = _minutes(token)
    return m.Assign(who=line.name(typed), minutes=minutes, text=_text(rest), **line.timed)


def _ack(arguments: str, line: _Line) -> Parsed:
    handle, rest = _handle(arguments)
    if not rest:
        return m.Ack(handle=handle, **line.timed)
    typed, rest = _word(rest, "the name")
    if rest.lower() != "voice":
        raise _Wrong("for somebody else, add the word voice.")
    return m.Ack(handle=handle, who=line.name(typed), voice=True, **line.timed)


def _done(arguments: str, line: _Line) -> Parsed:
    handle, rest = _handle(arguments)
    return m.Done(handle=handle, text=rest, **line.timed)


def _confirm(arguments: str, line: _Line) -> Parsed:
    handle, rest = _needed_handle(arguments)
    return m.Judge(state="confirmed", handle=handle, text=rest, **line.timed)


def _eliminate(arguments: str, line: _Line) -> Parsed:
    handle, rest = _needed_handle(arguments)
    return m.Judge(state="eliminated", handle=handle, text=rest, **line.timed)


def _amend(arguments: str, line: _Line) -> Parsed:
    handle, rest = _handle(arguments)
    first, _, tail = rest.partition(" ")
    stamp = when.read_time(first, line.now, line.zone)
    if stamp is not None:
        return m.Amend(handle=handle, at=stamp.at, text=tail.strip(), question=stamp.question)
    return m.Amend(handle=handle, text=_text(rest))


def _only_handle(make: Callable[[str], Parsed]) -> Callable[[str, _Line], Parsed]:
    def parser(arguments: str, line: _Line) -> Parsed:
        handle, rest = _handle(arguments)
        _none(rest)
        return make(handle)

    return parser


def _purge(arguments: str, line: _Line) -> Parsed:
    handle, reason = _needed_handle(arguments)
    if not reason:
        raise _Wrong("the reason is missing; it stays on record.")
    return m.Purge(
        handle=handle,
        reason=reason,
        question=f"Destroy the text of {handle} for ever? Number, times and the reason stay. Write {handle} to do it.",
        wants=handle,
    )


def _hold(arguments: str, line: _Line) -> Parsed:
    target, rest = _word(arguments, "what to hold")
    token, why = _word(rest, "the time")
    return m.Hold(target=target, minutes=_minutes(token), why=why, **line.timed)


def _release(arguments: str, line: _Line) -> Parsed:
    target, rest = _word(arguments, "what to release")
    _none(rest)
    return m.Release(target=target, **line.timed)


def _step(token: str) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", token) or int(token) == 0:
        raise _Wrong(f"{_short(token)} is not a step's number.")
    return int(token)


def _tick(arguments: str, line: _Line) -> Parsed:
    if not arguments:
        return m.Tick(**line.timed)
    token, text = _word(arguments, "the step's number")
    return m.Tick(number=_step(token), text=text, **line.timed)


def _skip(arguments: str, line: _Line) -> Parsed:
    token, why = _word(arguments, "the step's number")
    number = _step(token)
    if not why:
        raise _Wrong("say why.")
    return m.Skip(number=number, why=why, **line.timed)


def _one_word(make: Callable[[str], Parsed]) -> Callable[[str, _Line], Parsed]:
    def parser(arguments: str, line: _Line) -> Parsed:
        first, _, rest = arguments.partition(" ")
        _none(rest.strip())
        return make(first)

    return parser


def _help(arguments: str, line: _Line) -> Parsed:
    verb = arguments.removeprefix("/").lower()
    if verb and verb not in VERBS:
        raise _Wrong(f"there is no verb {_short(arguments)}.")
    return m.ShowHelp(verb=verb)


def _quit(arguments: str, line: _Line) -> Parsed:
    _none(arguments)
    return m.Quit()


def _writes(kind: Kind, **data: Any) -> Callable[[str, _Line], Parsed]:
    def parser(arguments: str, line: _Line) -> Parsed:
        return m.Write(kind=kind, text=_text(arguments), data=data, **line.timed)

    return parser


_PARSERS: Final[dict[str, Callable[[str, _Line], Parsed]]] = {
    "declare": _declare,
    "sev": _sev,
    "status": _status,
    "ms": _milestone,
    "ic": _ic,
    "role": _role,
    "next": _next,
    "update": _update,
    "sent": _sent,
    "assign": _assign,
    "ack": _ack,
    "done": _done,
    "well": _writes(Kind.LESSON, sort="well"),
    "badly": _writes(Kind.LESSON, sort="badly"),
    "luck": _writes(Kind.LESSON, sort="luck"),
    "change": _writes(Kind.CHANGE),
    "confirm": _confirm,
    "eliminate": _eliminate,
    "amend": _amend,
    "strike": _only_handle(lambda handle: m.Strike(handle=handle)),
    "pin": _only_handle(lambda handle: m.Pin(handle=handle)),
    "undo": _only_handle(lambda handle: m.Undo(handle=handle)),
    "purge": _purge,
    "hold": _hold,
    "release": _release,
    "play": _one_word(lambda name: m.Play(name=name)),
    "tick": _tick,
    "skip": _skip,
    "read": _one_word(lambda host: m.ReadNow(host=host)),
    "standdown": lambda arguments, line: m.StandDown(text=arguments, **line.timed),
    "close": lambda arguments, line: m.Close(text=arguments, **line.timed),
    "export": lambda arguments, line: m.Export(file=arguments),
    "incident": _one_word(lambda incident: m.Switch(incident=incident)),
    "note": _writes(Kind.NOTE),
    "help": _help,
    "quit": _quit,
}
