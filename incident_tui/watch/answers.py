"""What a host answered to something that is read only when a person asks for it. Pure; imports no asyncio.

The watch puts each answer on the board as a detail: "asked/WORD/HOST" -> Answer. Bounded, sanitised, without secrets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

import msgspec

from incident_tui import text
from incident_tui.hosts.changes import Changes, changes
from incident_tui.hosts.raw import RawSection, cleaned
from incident_tui.hosts.readings import HostReading
from incident_tui.hosts.sections import Section

PERFORMANCE: Final = "performance"
CHANGES: Final = "changes"
LOG: Final = "log:"
"""In front of a container's id: the end of its log."""
KEPT: Final = timedelta(minutes=15)
"""An older answer goes from the board."""
SECONDS: Final = 60.0
"""For a host's whole answer; the limits of the commands are shorter together."""
LOG_KEPT: Final = 60_000
"""Characters of a log's end."""
_LOG_READ: Final = 4 * LOG_KEPT
"""Characters of it that are looked through for secrets: one may have begun before what is kept."""

_WORD: Final = re.compile(r"performance|changes|log:[0-9a-f]{1,64}")
_NO_LOGS: Final = re.compile(r"(?i)logging driver|log-driver|command is supported only for|log driver")
_NO_CONTAINER: Final = re.compile(r"(?i)no such (?:container|id)|no container with name or id")


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`at` is when it came. `sections` are named without "asked:"; of CHANGES there are `changes` instead."""

    host: str
    word: str
    at: datetime
    sections: tuple[RawSection, ...] = ()
    changes: Changes | None = None
    problem: str = ""
    """One sentence: why there is no answer, or nothing but what the command said of its failure."""

    @property
    def key(self) -> str:
        return key(self.host, self.word)


def key(host: str, word: str) -> str:
    """The answer's place among the board's details."""
    return f"asked/{word}/{host}"


def known(word: str) -> bool:
    """Whether it can be asked for."""
    return _WORD.fullmatch(word) is not None


def answer(host: str, word: str, sections: Iterable[Section], reading: HostReading, at: datetime) -> Answer:
    """Of what the host printed. `reading` is its latest, for its clock and its containers' own times."""
    printed = [section for section in sections if section.name.startswith("asked:")]
    if word == CHANGES:
        found = changes(host, printed, reading.docker, reading.clock, at)
        return Answer(host=host, word=word, at=at, changes=found)
    kept = tuple(_section(section, at) for section in printed)
    problem = _log_problem(host, kept) if word.startswith(LOG) else ""
    if word == PERFORMANCE and not kept:
        problem = f"{host}: nothing was printed"
    return Answer(host=host, word=word, at=at, sections=kept, problem=problem)


def _section(section: Section, at: datetime) -> RawSection:
    name = section.name.removeprefix("asked:")
    body = _end(section.body) if name.startswith(LOG) else cleaned(section.body, section.cut)
    return RawSection(name=name, at=at, text=body, rc=section.rc, timed_out=section.timed_out)


def _end(body: str) -> str:
    """The last whole lines: of a log the end is what is asked for."""
    clean = text.sanitise(body[-_LOG_READ:], lines=True, limit=_LOG_READ)
    clean = text.redact(clean)[0].strip("\n")
    if len(clean) <= LOG_KEPT and len(body) <= _LOG_READ:
        return clean
    tail = clean[-LOG_KEPT:].partition("\n")[2]
    return f"[only the last {len(tail)} characters are kept]\n{tail}"


def _log_problem(host: str, sections: tuple[RawSection, ...]) -> str:
    if not sections:
        return f"{host}: no Docker and no podman was found there"
    (log, *_) = sections
    if log.timed_out:
        return f"{host}: its log did not come within its limit; the daemon may hang"
    if log.rc == 0:
        return ""
    said = text.sanitise(log.text.split("\n")[0], limit=200)
    if _NO_CONTAINER.search(said):
        return f"{host}: the container is not there any more"
    if _NO_LOGS.search(said):
        return f"{host}: the container's logging driver lets nobody read its log: {said}"
    return f"{host}: no log (status {log.rc}): {said}"
