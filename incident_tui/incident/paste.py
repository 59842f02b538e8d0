"""Several lines at once: a paste. Never commands. One evidence entry unless the writer chooses a backfill. Pure."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

import msgspec

from incident_tui.incident import when
from incident_tui.incident.entry import Kind
from incident_tui.incident.meanings import Write
from incident_tui.text import TEXT_LIMIT, sanitise

_STAMP: Final = re.compile(r"@?((?:[0-9]{4}-[0-9]{2}-[0-9]{2}[T ])?[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?Z?) +(\S.*)", re.I)


class Evidence(msgspec.Struct, frozen=True):
    """Pasted text as one entry. `entries` has more than one when the text is longer than one entry holds."""

    entries: tuple[Write, ...]
    lines: int


class Backfill(msgspec.Struct, frozen=True):
    """Every entry starts with a time, so it may become notes at those times, if the writer says so. `evidence` is the
    same paste as the default. `question` is empty or names the lines whose time is in doubt."""

    entries: tuple[Write, ...]
    evidence: Evidence
    question: str = ""


def paste(text: str, now: datetime, zone: str = "UTC") -> Evidence | Backfill:
    """What a paste may become. It may be a backfill when its first line starts with a time; lines without one continue
    the line above."""
    clean = _NEWLINES.sub("\n", text)
    evidence = Evidence(
        tuple(Write(kind=Kind.EVIDENCE, text=part, at=now) for part in _parts(clean)), len(clean.strip().split("\n"))
    )
    entries: list[Write] = []
    for line in (sanitise(line, limit=TEXT_LIMIT).strip() for line in clean.split("\n")):
        if not line:
            continue
        match = _STAMP.fullmatch(line)
        stamp = when.read_clock(match[1].replace(" ", "T"), now, zone) if match else None
        if match and stamp:
            entries.append(
                Write(kind=Kind.NOTE, text=match[2].strip(), at=stamp.at, said=True, question=stamp.question)
            )
        elif entries:
            last = entries[-1]
            entries[-1] = msgspec.structs.replace(last, text=f"{last.text}\n{line}")
        else:
            return evidence
    if not entries:
        return evidence
    doubtful = [entry for entry in entries if entry.question]
    question = ""
    if doubtful:
        first = doubtful[0]
        question = (
            f"{len(doubtful)} of {len(entries)} lines have a doubtful time, the first {when.clock(first.at, now)} "
            f"({when.ago(first.at, now)}). Save them so? (yes/no)"
        )
    return Backfill(tuple(entries), evidence, question)


_NEWLINES: Final = re.compile("\r\n|[\r\v\f\u0085\u2028\u2029]")


def _parts(text: str) -> list[str]:
    """The text in pieces that each fit an entry, cut at line ends where possible."""
    parts: list[str] = []
    while len(text) > TEXT_LIMIT:
        cut = text.rfind("\n", 1, TEXT_LIMIT) + 1 or TEXT_LIMIT
        parts.append(text[:cut])
        text = text[cut:]
    parts.append(text)
    clean = (sanitise(part, lines=True).strip("\n") for part in parts)
    return [part for part in clean if part.strip()]
