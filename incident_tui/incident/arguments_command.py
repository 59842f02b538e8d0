"""Arguments of the verbs that say who commands, how bad it is, and what is told to whom -> their meanings. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import msgspec

from incident_tui.incident import meanings as m
from incident_tui.incident import when
from incident_tui.incident.entry import MILESTONES
from incident_tui.incident.meanings import Parsed
from incident_tui.incident.tokens import level, maybe_minutes, minutes, needed_handle, none, short, text, word
from incident_tui.incident.typed import Line, Wrong
from incident_tui.incident.verbs import AUDIENCES

_PLACES: Final = ("status page", "mailing list", "phone bridge")
"""Places of two words, for `/sent` without a colon."""
_SEVERITY: Final = re.compile(r"sev(?:erity=|=|-?[1-9][:,]?$)", re.I)
"""However people write it: a title that says "sev1" must not leave the incident without a severity."""


def declare(arguments: str, line: Line) -> Parsed:
    severity: int | None = None
    drill = False
    while True:
        first, _, tail = arguments.partition(" ")
        if first.lower() == "/sev" or (first.lower() == "sev" and re.match(r"\s*[1-9](\s|$)", tail)):
            token, tail = word(tail.strip(), "the severity")
            severity = level(token)
        elif _SEVERITY.match(first):
            severity = level(first.rstrip(":,"))
        elif first.lower() == "drill" and tail.strip():
            drill = True
        else:
            break
        arguments = tail.strip()
    title, _, last = arguments.rpartition(" ")
    if severity is None and title and re.fullmatch(r"sev-?[1-9]", last, re.I):
        severity, arguments = level(last), title.strip().rstrip(",")
    if not arguments:
        raise Wrong("the title is missing.")
    return m.Declare(title=arguments, severity=severity, drill=drill, **line.timed)


def sev(arguments: str, line: Line) -> Parsed:
    token, why = word(arguments, "the severity")
    number = level(token)
    if not why:
        raise Wrong("say why, in a few words.")
    return m.SetSeverity(level=number, why=why, **line.timed)


def status(arguments: str, line: Line) -> Parsed:
    first, rest = word(arguments, "the status")
    if f"{arguments.lower()} ".startswith("stood down "):
        first, rest = "stood down", arguments[len("stood down") :].strip()
    return m.SetStatus(status=first.lower(), text=rest, **line.timed)


def milestone(arguments: str, line: Line) -> Parsed:
    first, rest = word(arguments, "the milestone")
    name = first.lower()
    if name == "declared":
        raise Wrong("declared is the time of the /declare entry; /amend that one.")
    if name not in MILESTONES:
        raise Wrong(f"{short(first)} is none of {', '.join(x for x in MILESTONES if x != 'declared')}.")
    if not rest:
        return m.Milestone(name=name, **line.timed)
    if rest.lower() == "unknown" and not line.said:
        return m.Milestone(name=name, unknown=True, **line.timed)
    stamp = None if line.said else when.read_time(rest, line.now, line.zone)
    if stamp is None:
        raise Wrong(f"{short(rest)} is not a time.")
    return m.Milestone(name=name, at=stamp.at, said=True, question=stamp.question)


def ic(arguments: str, line: Line) -> Parsed:
    first, rest = word(arguments, "take, offer NAME, claim or a name")
    step = first.lower()
    if step == "take" or step == "claim":
        none(rest)
        return m.Role(step="take" if step == "take" else "claim", **line.timed)
    if step == "offer":
        typed, rest = word(rest, "the name")
        none(rest)
        return m.Role(step="offer", who=line.name(typed), **line.timed)
    none(rest)
    return m.Role(step="name", who=line.name(first), **line.timed)


def role(arguments: str, line: Line) -> Parsed:
    first, rest = word(arguments, "the role")
    wanted = first.lower()
    if wanted in ("commander", "ic"):
        raise Wrong("command is handed over with /ic.")
    if wanted not in line.roles:
        raise Wrong(f"{short(first)} is none of {', '.join(line.roles)}; [command] roles of config.toml has more.")
    typed, rest = word(rest, "the name")
    none(rest)
    if typed.lower() == "release":
        return m.Role(step="release", role=wanted, **line.timed)
    return m.Role(step="take", role=wanted, who=line.name(typed), **line.timed)


def next_update(arguments: str, line: Line) -> Parsed:
    box, rest = maybe_minutes(arguments)
    audience = rest.lower() or "internal"
    if audience not in AUDIENCES:
        raise Wrong(f"{short(rest)} is none of {', '.join(AUDIENCES)}.")
    return m.NextUpdate(minutes=box, audience=audience, **line.timed)


def update(arguments: str, line: Line) -> Parsed:
    audiences, arguments = _audiences(arguments)
    promised = 0
    first, _, tail = arguments.partition(" ")
    if first.startswith("+") and when.duration(first[1:]) is not None:
        promised, arguments = minutes(first[1:]), tail.strip()
    if not arguments:
        if line.said:
            raise Wrong("the text is missing.")
        return m.DraftUpdate(audiences=audiences, next_minutes=promised)
    made = m.Update(audiences=audiences, text=arguments, next_minutes=promised, **line.timed)
    if "public" not in audiences:
        return made
    ask = f"{line.question} " if line.question else ""
    also = " So will " + " and ".join(one for one in audiences if one != "public") + "." if len(audiences) > 1 else ""
    return msgspec.structs.replace(
        made, question=f'{ask}The PUBLIC will read: "{arguments}"{also} Write public to send it.', wants="public"
    )


def _audiences(arguments: str) -> tuple[tuple[str, ...], str]:
    """`public,exec` in front, and the rest; without any: the team."""
    first, _, tail = arguments.partition(" ")
    named = tuple(dict.fromkeys(first.lower().split(",")))
    if all(one in AUDIENCES for one in named):
        return named, tail.strip()
    return ("internal",), arguments


def sent(arguments: str, line: Line) -> Parsed:
    audience = "public"
    first, _, tail = arguments.partition(" ")
    if first.lower() in AUDIENCES:
        audience, arguments = first.lower(), tail.strip()
    whole = text(arguments)
    where, colon, said = whole.partition(": ")
    if not colon:
        place = next((one for one in _PLACES if f"{whole.lower()} ".startswith(one + " ")), whole.partition(" ")[0])
        where, said = whole[: len(place)], whole[len(place) :]
    return m.Sent(audience=audience, where=where.strip(), text=said.strip(), **line.timed)


_CAN: Final = re.compile(r"(?i)(?:^|(?<=\s))(c|conditions|a|actions|n|needs):(?:\s+|$)")
_PARTS: Final = {"c": "conditions", "a": "actions", "n": "needs"}


def can(arguments: str, line: Line) -> Parsed:
    """`c: … a: … n: …` in any order; a name in front is whose report it is."""
    found = list(_CAN.finditer(arguments))
    if not found:
        raise Wrong("say c: conditions, a: actions, n: needs, at least one of them.")
    who = arguments[: found[0].start()].strip().removesuffix(":").strip()
    if " " in who:
        raise Wrong(f"{short(who)} is not one name.")
    parts: dict[str, str] = {}
    for index, match in enumerate(found):
        end = found[index + 1].start() if index + 1 < len(found) else len(arguments)
        said = arguments[match.end() : end].strip().rstrip(";,").rstrip()  # however people part them
        name = _PARTS[match[1][0].lower()]
        if said:
            parts[name] = f"{parts[name]} {said}" if name in parts else said
    if not parts:
        raise Wrong("the text is missing.")
    return m.Can(who=line.name(who) if who else "", parts=parts, **line.timed)


def criterion(arguments: str, line: Line) -> Parsed:
    return m.Criterion(text=text(arguments), **line.timed)


def met(arguments: str, line: Line) -> Parsed:
    about, rest = needed_handle(arguments)
    return m.Meet(handle=about, text=rest, **line.timed)


def handoff(arguments: str, line: Line) -> Parsed:
    typed, rest = word(arguments, "the name, or accept,")
    none(rest)
    if typed.lower() == "accept":
        return m.Handoff(accept=True, **line.timed)
    return m.Handoff(who=line.name(typed), **line.timed)


def link(how: str) -> Callable[[str, Line], Parsed]:
    def parser(arguments: str, line: Line) -> Parsed:
        other, why = word(arguments, "the incident")
        return m.LinkTo(other=other, how=how, why=why, **line.timed)

    return parser


def close(arguments: str, line: Line) -> Parsed:
    first, _, why = arguments.partition(" ")
    if first.lower() != "anyway":
        return m.Close(text=arguments, **line.timed)
    if not why.strip():
        raise Wrong("say why it is closed anyway.")
    return m.Close(text=why.strip(), anyway=True, **line.timed)


def review(arguments: str, line: Line) -> Parsed:
    typed, rest = word(arguments, "the name")
    none(rest)
    return m.Role(step="take", role="review", who=line.name(typed), **line.timed)
