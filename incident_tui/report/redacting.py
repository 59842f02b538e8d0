"""What is taken out of a report: secrets (`text.redact`), the team's own patterns, on request private addresses.

The team's patterns run in `regex`, which gives up after a time, so that no pattern can hold up an export; a report is
then not made rather than made with what should be taken out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec

from incident_tui import text
from incident_tui.incident.entry import Entry, Ref
from incident_tui.report.escape import Redact
from incident_tui.report.settings import Report
from incident_tui.report.source import Style

SECONDS: Final = 2.0
"""So long one pattern may take for one text of at most `text.TEXT_LIMIT` characters."""


class BadPattern(Exception):
    """A pattern of the team cannot be used; `sentence` says why, `number` which one."""

    def __init__(self, number: int, sentence: str) -> None:
        super().__init__(sentence)
        self.number = number
        self.sentence = sentence


def redactor(patterns: Sequence[str] = (), addresses: bool = False) -> Redact:
    """Raises BadPattern for a text that is no regular expression; so does what it returns, for one that takes too
    long."""
    own = [_compiled(number, pattern) for number, pattern in enumerate(patterns)]
    if not own and not addresses:
        return text.redact

    def redact(value: str) -> tuple[str, int]:
        value, count = text.redact(value)
        for number, pattern in enumerate(own):
            try:
                value, found = pattern.subn(_hidden, value, timeout=SECONDS)
            except TimeoutError as error:
                raise BadPattern(number, f"it takes longer than {SECONDS:g} s on one text; write it simpler") from error
            count += found
        if addresses:
            value, found = text.redact_addresses(value)
            count += found
        return value, count

    return redact


def style_of(report: Report, template: str | None = None, addresses: bool = False) -> Style:
    """How [report] wants a report; `template` and `addresses` are asked for this once. Raises BadPattern."""
    return Style(
        template=report.template if template is None else template,
        directory=report.directory,
        redact=redactor(report.redact, report.private_addresses or addresses),
    )


def _hidden(match: Any) -> str:
    return text.REDACTED


def _compiled(number: int, pattern: str) -> Any:
    import regex  # only a team with patterns of its own pays for it

    try:
        compiled = regex.compile(pattern)
    except (regex.error, OverflowError, RecursionError) as error:
        raise BadPattern(number, f"it is no regular expression ({text.sanitise(str(error), limit=80)})") from error
    if compiled.fullmatch(""):
        raise BadPattern(number, "it also fits where there is nothing; write what must be there")
    return compiled


class Gone(msgspec.Struct, frozen=True):
    """A part of an entry that a report would not have: what stands there, and the line around it, cut."""

    ref: Ref
    field: str
    before: str
    part: str
    after: str


_AROUND: Final = 24


def preview(entries: Iterable[Entry], redact: Redact) -> Iterator[Gone]:
    """What would go from the entries, in their order. It holds the secrets: for whoever makes the report."""
    for entry in entries:
        for field, said in [("text", entry.text), *sorted(_texts(entry.data, ""))]:
            yield from _gone(entry.id, field, text.sanitise(said, lines=True).replace("\n", " "), redact)


def _texts(value: object, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _texts(one, str(key))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one, name)


def _gone(ref: Ref, field: str, said: str, redact: Redact) -> Iterator[Gone]:
    left = redact(said)[0]
    if left == said:
        return
    pieces = re.split("|".join(map(re.escape, (text.REDACTED, text.PRIVATE))), left)
    at = len(pieces[0])
    for number, piece in enumerate(pieces[1:], 2):
        stop = len(said) - len(piece) if number == len(pieces) else said.find(piece, at) if piece else at
        stop = max(at, stop)
        if stop > at and said[at:stop] not in (text.REDACTED, text.PRIVATE):
            yield Gone(ref, field, said[max(0, at - _AROUND) : at], said[at:stop], said[stop : stop + _AROUND])
        at = stop + len(piece)
