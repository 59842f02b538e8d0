"""The arguments of each verb -> its meaning: one function for each, and the table of them. Pure.

Apart from `grammar`, which imports this only when a line is a verb: a plain note needs none of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import msgspec

from incident_tui.incident import meanings as m
from incident_tui.incident import when
from incident_tui.incident.entry import MILESTONES, Kind
from incident_tui.incident.meanings import Parsed
from incident_tui.incident.typed import Line, Wrong
from incident_tui.incident.verbs import AUDIENCES, ROLES, VERBS

_HANDLE: Final = r"[A-Za-z][0-9]{1,9}"
_PLACES: Final = ("status page", "mailing list", "phone bridge")
"""Places of two words, for `/sent` without a colon."""


def _text(arguments: str) -> str:
    if not arguments:
        raise Wrong("the text is missing.")
    return arguments


def _none(arguments: str) -> None:
    if arguments:
        raise Wrong(f"{_short(arguments)} is too much.")


def _short(value: str) -> str:
    return repr(value if len(value) <= 30 else value[:29] + "…")


def _word(arguments: str, what: str) -> tuple[str, str]:
    first, _, tail = arguments.partition(" ")
    if not first:
        raise Wrong(f"{what} is missing.")
    return first, tail.strip()


def _minutes(token: str) -> int:
    minutes = when.duration(token)
    if not minutes:
        raise Wrong(f"{_short(token)} is not a length of time such as 20m or 1h.")
    if minutes > 7 * 24 * 60:
        raise Wrong(f"{_short(token)} is more than a week.")
    return minutes


def _level(token: str) -> int:
    match = re.fullmatch(r"(?:sev(?:erity)?[=-]?)?([1-9])", token, re.I)
    if match is None:
        raise Wrong(f"{_short(token)} is not a severity; 1 is worst.")
    return int(match[1])


def _handle(arguments: str) -> tuple[str, str]:
    """A leading handle and the rest; no handle gives "" and everything."""
    first, _, tail = arguments.partition(" ")
    return (first.lower(), tail.strip()) if re.fullmatch(_HANDLE, first) else ("", arguments)


def _needed_handle(arguments: str) -> tuple[str, str]:
    handle, rest = _handle(arguments)
    if not handle:
        raise Wrong("a handle such as a17 is missing.")
    return handle, rest


def _declare(arguments: str, line: Line) -> Parsed:
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
        raise Wrong("the title is missing.")
    return m.Declare(title=arguments, severity=severity, drill=drill, **line.timed)


def _sev(arguments: str, line: Line) -> Parsed:
    token, why = _word(arguments, "the severity")
    level = _level(token)
    if not why:
        raise Wrong("say why, in a few words.")
    return m.SetSeverity(level=level, why=why, **line.timed)


def _status(arguments: str, line: Line) -> Parsed:
    first, rest = _word(arguments, "the status")
    if f"{arguments.lower()} ".startswith("stood down "):
        first, rest = "stood down", arguments[len("stood down") :].strip()
    return m.SetStatus(status=first.lower(), text=rest, **line.timed)


def _milestone(arguments: str, line: Line) -> Parsed:
    first, rest = _word(arguments, "the milestone")
    name = first.lower()
    if name == "declared":
        raise Wrong("declared is the time of the /declare entry; /amend that one.")
    if name not in MILESTONES:
        raise Wrong(f"{_short(first)} is none of {', '.join(x for x in MILESTONES if x != 'declared')}.")
    if not rest:
        return m.Milestone(name=name, **line.timed)
    if rest.lower() == "unknown" and not line.said:
        return m.Milestone(name=name, unknown=True, **line.timed)
    stamp = None if line.said else when.read_time(rest, line.now, line.zone)
    if stamp is None:
        raise Wrong(f"{_short(rest)} is not a time.")
    return m.Milestone(name=name, at=stamp.at, said=True, question=stamp.question)


def _ic(arguments: str, line: Line) -> Parsed:
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


def _role(arguments: str, line: Line) -> Parsed:
    first, rest = _word(arguments, "the role")
    role = first.lower()
    if role in ("commander", "ic"):
        raise Wrong("command is handed over with /ic.")
    if role not in ROLES:
        raise Wrong(f"{_short(first)} is none of {', '.join(ROLES)}.")
    typed, rest = _word(rest, "the name")
    _none(rest)
    if typed.lower() == "release":
        return m.Role(step="release", role=role, **line.timed)
    return m.Role(step="take", role=role, who=line.name(typed), **line.timed)


def _next(arguments: str, line: Line) -> Parsed:
    token, rest = _word(arguments, "the time")
    minutes = _minutes(token)
    audience = rest.lower() or "internal"
    if audience not in AUDIENCES:
        raise Wrong(f"{_short(rest)} is none of {', '.join(AUDIENCES)}.")
    return m.NextUpdate(minutes=minutes, audience=audience, **line.timed)


def _update(arguments: str, line: Line) -> Parsed:
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


def _sent(arguments: str, line: Line) -> Parsed:
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


def _assign(arguments: str, line: Line) -> Parsed:
    typed, rest = _word(arguments, "the name")
    token, rest = _word(rest, "the time box")
    minutes = _minutes(token)
    return m.Assign(who=line.name(typed), minutes=minutes, text=_text(rest), **line.timed)


def _ack(arguments: str, line: Line) -> Parsed:
    handle, rest = _handle(arguments)
    if not rest:
        return m.Ack(handle=handle, **line.timed)
    typed, rest = _word(rest, "the name")
    if rest.lower() != "voice":
        raise Wrong("for somebody else, add the word voice.")
    return m.Ack(handle=handle, who=line.name(typed), voice=True, **line.timed)


def _done(arguments: str, line: Line) -> Parsed:
    handle, rest = _handle(arguments)
    return m.Done(handle=handle, text=rest, **line.timed)


def _confirm(arguments: str, line: Line) -> Parsed:
    handle, rest = _needed_handle(arguments)
    return m.Judge(state="confirmed", handle=handle, text=rest, **line.timed)


def _eliminate(arguments: str, line: Line) -> Parsed:
    handle, rest = _needed_handle(arguments)
    return m.Judge(state="eliminated", handle=handle, text=rest, **line.timed)


def _amend(arguments: str, line: Line) -> Parsed:
    handle, rest = _handle(arguments)
    first, _, tail = rest.partition(" ")
    stamp = when.read_time(first, line.now, line.zone)
    if stamp is not None:
        return m.Amend(handle=handle, at=stamp.at, text=tail.strip(), question=stamp.question)
    return m.Amend(handle=handle, text=_text(rest))


def _only_handle(make: Callable[[str], Parsed]) -> Callable[[str, Line], Parsed]:
    def parser(arguments: str, line: Line) -> Parsed:
        handle, rest = _handle(arguments)
        _none(rest)
        return make(handle)

    return parser


def _purge(arguments: str, line: Line) -> Parsed:
    handle, reason = _needed_handle(arguments)
    if not reason:
        raise Wrong("the reason is missing; it stays on record.")
    return m.Purge(
        handle=handle,
        reason=reason,
        question=f"Destroy the text of {handle} for ever? Number, times and the reason stay. Write {handle} to do it.",
        wants=handle,
    )


def _hold(arguments: str, line: Line) -> Parsed:
    target, rest = _word(arguments, "what to hold")
    token, why = _word(rest, "the time")
    return m.Hold(target=target, minutes=_minutes(token), why=why, **line.timed)


def _release(arguments: str, line: Line) -> Parsed:
    target, rest = _word(arguments, "what to release")
    _none(rest)
    return m.Release(target=target, **line.timed)


def _step(token: str) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", token) or int(token) == 0:
        raise Wrong(f"{_short(token)} is not a step's number.")
    return int(token)


def _tick(arguments: str, line: Line) -> Parsed:
    if not arguments:
        return m.Tick(**line.timed)
    token, text = _word(arguments, "the step's number")
    return m.Tick(number=_step(token), text=text, **line.timed)


def _skip(arguments: str, line: Line) -> Parsed:
    token, why = _word(arguments, "the step's number")
    number = _step(token)
    if not why:
        raise Wrong("say why.")
    return m.Skip(number=number, why=why, **line.timed)


def _one_word(make: Callable[[str], Parsed]) -> Callable[[str, Line], Parsed]:
    def parser(arguments: str, line: Line) -> Parsed:
        first, _, rest = arguments.partition(" ")
        _none(rest.strip())
        return make(first)

    return parser


def _help(arguments: str, line: Line) -> Parsed:
    verb = arguments.removeprefix("/").lower()
    if verb and verb not in VERBS:
        raise Wrong(f"there is no verb {_short(arguments)}.")
    return m.ShowHelp(verb=verb)


def _quit(arguments: str, line: Line) -> Parsed:
    _none(arguments)
    return m.Quit()


def _on_screen(verb: str, *, alone: bool) -> Callable[[str, Line], Parsed]:
    def parser(arguments: str, line: Line) -> Parsed:
        if alone:
            _none(arguments)
        return m.OnScreen(verb=verb, argument=arguments)

    return parser


def _go(arguments: str, line: Line) -> Parsed:
    place, rest = _word(arguments, "where to go")
    _none(rest)
    return m.OnScreen(verb="go", argument=place)


def _writes(kind: Kind, **data: Any) -> Callable[[str, Line], Parsed]:
    def parser(arguments: str, line: Line) -> Parsed:
        return m.Write(kind=kind, text=_text(arguments), data=data, **line.timed)

    return parser


PARSERS: Final[dict[str, Callable[[str, Line], Parsed]]] = {
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
    "logs": _on_screen("logs", alone=False),
    "performance": _on_screen("performance", alone=False),
    "changes": _one_word(lambda host: m.OnScreen(verb="changes", argument=host)),
    "standdown": lambda arguments, line: m.StandDown(text=arguments, **line.timed),
    "close": lambda arguments, line: m.Close(text=arguments, **line.timed),
    "export": lambda arguments, line: m.Export(file=arguments),
    "incident": _one_word(lambda incident: m.Switch(incident=incident)),
    "note": _writes(Kind.NOTE),
    "filter": _on_screen("filter", alone=False),
    "find": _on_screen("find", alone=False),
    "go": _go,
    "zoom": _on_screen("zoom", alone=False),
    "yank": _only_handle(lambda handle: m.OnScreen(verb="yank", argument=handle)),
    "edit": _on_screen("edit", alone=True),
    "redraw": _on_screen("redraw", alone=True),
    "suspend": _on_screen("suspend", alone=True),
    "help": _help,
    "quit": _quit,
}
"""Every verb of `verbs.VERBS`."""
