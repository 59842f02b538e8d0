"""Arguments of the verbs about work (tasks, follow-ups, hypotheses, companies, holds, playbooks) and about entries
-> their meanings. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

from incident_tui.incident import meanings as m
from incident_tui.incident import when
from incident_tui.incident.follow_up import SORTS, follow_up
from incident_tui.incident.meanings import Parsed
from incident_tui.incident.tokens import handle, maybe_minutes, minutes, needed_handle, none, short, text, word
from incident_tui.incident.typed import Line, Wrong


def assign(arguments: str, line: Line) -> Parsed:
    typed, rest = word(arguments, "the name")
    token, rest = word(rest, "the time box")
    return m.Assign(who=line.name(typed), minutes=minutes(token), text=text(rest), **line.timed)


def ack(arguments: str, line: Line) -> Parsed:
    about, rest = handle(arguments)
    if not rest:
        return m.Ack(handle=about, **line.timed)
    typed, rest = word(rest, "the name")
    if rest.lower() != "voice":
        raise Wrong("for somebody else, add the word voice.")
    return m.Ack(handle=about, who=line.name(typed), voice=True, **line.timed)


def done(arguments: str, line: Line) -> Parsed:
    about, rest = handle(arguments)
    return m.Done(handle=about, text=rest, **line.timed)


def confirm(arguments: str, line: Line) -> Parsed:
    about, rest = needed_handle(arguments)
    return m.Judge(state="confirmed", handle=about, text=rest, **line.timed)


def eliminate(arguments: str, line: Line) -> Parsed:
    about, rest = needed_handle(arguments)
    return m.Judge(state="eliminated", handle=about, text=rest, **line.timed)


def amend(arguments: str, line: Line) -> Parsed:
    about, rest = handle(arguments)
    first, _, tail = rest.partition(" ")
    stamp = when.read_time(first, line.now, line.zone)
    if stamp is not None:
        return m.Amend(handle=about, at=stamp.at, text=tail.strip(), question=stamp.question)
    return m.Amend(handle=about, text=text(rest))


def only_handle(make: Callable[[str], Parsed]) -> Callable[[str, Line], Parsed]:
    def parser(arguments: str, line: Line) -> Parsed:
        about, rest = handle(arguments)
        none(rest)
        return make(about)

    return parser


def purge(arguments: str, line: Line) -> Parsed:
    about, reason = needed_handle(arguments)
    if not reason:
        raise Wrong("the reason is missing; it stays on record.")
    return m.Purge(
        handle=about,
        reason=reason,
        question=f"Destroy the text of {about} for ever? Number, times and the reason stay. Write {about} to do it.",
        wants=about,
    )


def hold(arguments: str, line: Line) -> Parsed:
    target, rest = word(arguments, "what to hold")
    token, why = word(rest, "the time")
    return m.Hold(target=target, minutes=minutes(token), why=why, **line.timed)


def release(arguments: str, line: Line) -> Parsed:
    target, rest = word(arguments, "what to release")
    none(rest)
    return m.Release(target=target, **line.timed)


def _step(token: str) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", token) or int(token) == 0:
        raise Wrong(f"{short(token)} is not a step's number.")
    return int(token)


def tick(arguments: str, line: Line) -> Parsed:
    if not arguments:
        return m.Tick(**line.timed)
    token, said = word(arguments, "the step's number")
    return m.Tick(number=_step(token), text=said, **line.timed)


def begin(arguments: str, line: Line) -> Parsed:
    token, _, rest = arguments.partition(" ")
    none(rest.strip())
    return m.Begin(number=_step(token) if token else 0, **line.timed)


def skip(arguments: str, line: Line) -> Parsed:
    number, why = _step_and_why(arguments)
    return m.Skip(number=number, why=why, **line.timed)


def fail(arguments: str, line: Line) -> Parsed:
    number, why = _step_and_why(arguments)
    return m.Fail(number=number, why=why, **line.timed)


def _step_and_why(arguments: str) -> tuple[int, str]:
    token, why = word(arguments, "the step's number")
    number = _step(token)
    if not why:
        raise Wrong("say why.")
    return number, why


def drop(arguments: str, line: Line) -> Parsed:
    token, _, why = arguments.partition(" ")
    return m.Drop(number=_step(token) if token else 0, why=why.strip(), **line.timed)


def set_variable(arguments: str, line: Line) -> Parsed:
    name, value = word(arguments, "the variable's name")
    if "=" in name and not name.startswith("="):  # NAME=VALUE, as a shell's user writes it
        name, _, value = (part.strip() for part in arguments.partition("="))
    if not value:
        raise Wrong("the value is missing.")
    return m.SetVariable(name=name, value=value, **line.timed)


def one_word(make: Callable[[str], Parsed]) -> Callable[[str, Line], Parsed]:
    def parser(arguments: str, line: Line) -> Parsed:
        first, _, rest = arguments.partition(" ")
        none(rest.strip())
        return make(first)

    return parser


def pass_on(arguments: str, line: Line) -> Parsed:
    about, rest = handle(arguments)
    typed, rest = word(rest, "the name")
    box, why = maybe_minutes(rest)
    return m.Pass(handle=about, who=line.name(typed), minutes=box, text=why, **line.timed)


def todo(arguments: str, line: Line) -> Parsed:
    """Fields of a follow-up that are new."""
    about, rest = needed_handle(arguments)
    said, data = follow_up(rest, line.people, line.now)
    if not data:
        raise Wrong(f"say what changes: @owner, p1, due:2026-12-01 or due:+7d, or one of {', '.join(SORTS)}.")
    return m.ChangeFollowUp(handle=about, data=data, text=said, **line.timed)


def engage(arguments: str, line: Line) -> Parsed:
    """`VENDOR #TICKET 30m TEXT`: the name may have several words where a ticket or a time follows."""
    words = text(arguments).split()
    marks = [index for index, one in enumerate(words) if index and (one[0] == "#" or when.duration(one))]
    count = marks[0] if marks and marks[0] <= 4 else 1
    ticket, box, rest = _ticket_and_time(" ".join(words[count:]))
    return m.Engage(vendor=" ".join(words[:count]), ticket=ticket, minutes=box, text=rest, **line.timed)


def _ticket_and_time(rest: str) -> tuple[str, int, str]:
    ticket, box = "", 0
    while rest:
        first, _, tail = rest.partition(" ")
        if not ticket and len(first) > 1 and first[0] == "#":
            ticket = first[1:]
        elif not box and when.duration(first):
            box = minutes(first)
        else:
            break
        rest = tail.strip()
    return ticket, box, rest


def answered(arguments: str, line: Line) -> Parsed:
    about, rest = needed_handle(arguments)
    ticket, box, rest = _ticket_and_time(rest)
    return m.Answered(handle=about, ticket=ticket, minutes=box, text=rest, **line.timed)


def disengage(arguments: str, line: Line) -> Parsed:
    about, rest = needed_handle(arguments)
    return m.Answered(handle=about, text=rest, ended=True, **line.timed)
