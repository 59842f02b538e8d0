"""Completion of the line: verbs, people, hosts, containers, volumes, handles, playbooks. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from incident_tui.incident.entry import MILESTONES
from incident_tui.incident.filter import KINDS
from incident_tui.incident.verbs import AUDIENCES, ROLES, STATUSES, VERBS
from incident_tui.ui.view import Parts, View


class Words(msgspec.Struct, frozen=True):
    """What can be completed, by the names that `Verb.completes` uses. Each list has the likeliest first."""

    people: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    handles: tuple[str, ...] = ()
    playbooks: tuple[str, ...] = ()
    incidents: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    roles: tuple[str, ...] = ROLES

    def of(self, sort: str) -> Sequence[str]:
        match sort:
            case "verbs":
                return tuple(VERBS)
            case "milestones":
                return tuple(name for name in MILESTONES if name != "declared")
            case "statuses":
                return STATUSES
            case "audiences":
                return AUDIENCES
            case "hosts":
                return (*self.hosts, *self.containers)
            case "filters":
                return (
                    *(f"kind:{kind}" for kind in KINDS),
                    *(f"by:{name}" for name in self.people),
                    *(f"host:{name}" for name in self.hosts),
                )
            case "places":
                return ("unread", "first", "last", *self.handles)
            case "panes":
                return ("hosts", "timeline")
            case "files" | "":
                return ()
            case _:
                found: Sequence[str] = getattr(self, sort, ())
                return found


def words_of(view: View, parts: Parts, playbooks: Iterable[str], incidents: tuple[str, ...]) -> Words:
    """What can be completed on this screen now."""
    containers = [
        container.name
        for reading in view.hosts.values()
        for container in (reading.docker.containers if reading.docker is not None else ())
        if container.name
    ]
    known = [person.name for person in parts.people]
    here = [one.name for one in view.people]
    return Words(
        people=tuple(dict.fromkeys([*known, *here])),
        hosts=view.host_names,
        containers=tuple(dict.fromkeys(containers)),
        volumes=tuple(volume.name for volume in view.cluster.volumes),
        handles=tuple(view.handle(row.ref) for row in list(view.rows)[-200:][::-1]),
        playbooks=tuple(dict.fromkeys([*view.suggested, *playbooks])),
        incidents=incidents,
        severities=tuple(str(one.level) for one in parts.severities),
        roles=parts.command.roles,
    )


class Completion(msgspec.Struct, frozen=True):
    """`text` and `cursor` are the line after it; `choices` are all that fit, one when it is certain."""

    text: str
    cursor: int
    choices: tuple[str, ...]


def complete(text: str, cursor: int, words: Words) -> Completion:
    """Completes the word before the cursor as far as it is certain."""
    before, after = text[:cursor], text[cursor:]
    start = before.rfind(" ") + 1
    typed = before[start:]
    lead, choices = _choices(before[:start], typed, words)
    typed = typed[len(lead) :]
    fitting = _fitting(typed, choices)
    if not fitting:
        return Completion(text, cursor, ())
    common = fitting[0] if len(fitting) == 1 else _common(fitting)
    if len(fitting) > 1 and len(common) < len(typed):
        common = typed
    put = lead + common
    if len(fitting) == 1 and not after.startswith(" "):
        put += " "
    new = before[:start] + put
    return Completion(new + after, len(new), tuple(fitting))


def _fitting(typed: str, choices: Iterable[str]) -> list[str]:
    folded = typed.casefold()
    return list(dict.fromkeys(one for one in choices if one.casefold().startswith(folded)))


def _common(words: Sequence[str]) -> str:
    first = words[0]
    for index, character in enumerate(first):
        if any(word[index : index + 1].lower() != character.lower() for word in words[1:]):
            return first[:index]
    return first


def _choices(before: str, typed: str, words: Words) -> tuple[str, Sequence[str]]:
    """What the word may be, and the part of it that stands before what is completed ("/" or "@")."""
    said = before.split()
    # A time may stand before the verb, and is never completed itself.
    if said and (said[0].startswith("@") or said[0].startswith("-")) and said[0][1:2].isdigit():
        said = said[1:]
    if not said and typed.startswith("/"):
        return "/", tuple(VERBS)
    if typed.startswith("@"):
        return "@", words.people
    if said and said[0].startswith("/") and said[0][1:].lower() in VERBS:
        verb = VERBS[said[0][1:].lower()]
        if verb.name == "declare" and typed.startswith("/"):
            return "/", ("sev",)
        if verb.name == "ic":
            return "", ("take", "offer", "claim", *words.people) if len(said) == 1 else words.people
        if verb.name == "help" and typed.startswith("/"):
            return "/", tuple(VERBS)
        place = len(said) - 1
        if verb.completes[:1] == ("filters",):
            return "", words.of("filters")
        if place < len(verb.completes):
            return "", words.of(verb.completes[place])
    if not typed:
        return "", ()
    return "", (*words.people, *words.hosts, *words.containers, *words.volumes)
