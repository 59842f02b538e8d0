"""Lines typed into a break-glass card or a plain file: `14:05 text`, `2026-11-23 14:05Z ! text`, a date on its own."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from incident_tui.desk.importing.found import Face, Said, Transcript
from incident_tui.report.card import RULE
from incident_tui.text import TEXT_LIMIT, sanitise

_MADE: Final = re.compile(r"(?m)^BREAK-GLASS CARD .*as of (\d{4}-\d\d-\d\d) (\d\d:\d\d)Z$")
_BULLET: Final = r"\s*(?:[-*•]\s+)?"
_TIMED: Final = re.compile(
    _BULLET + r"@?(?:(?P<day>\d{4}-\d\d-\d\d)[T ])?(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d))?"
    r"\s?(?P<zone>[Zz]|UTC|[+-]\d\d:?\d\d)?[\s,;-]+(?P<said>\S.*)"
)
_DAY: Final = re.compile(r"[\s#=*-]*(\d{4}-\d\d-\d\d)[\s:=*-]*")


def read(text: str) -> Transcript:
    """The lines of a card below its rule, or all lines of a file without that rule. A line without a time belongs to
    the time of the line above it."""
    above, rule, below = text.partition(RULE)
    match = _MADE.search(above) if rule else None
    skip = above.count("\n") if rule else 0
    said: list[Said] = []
    day: date | None = None
    for number, line in enumerate((below if rule else text).split("\n"), start=1 + skip):
        clean = sanitise(line, limit=TEXT_LIMIT).strip()
        alone = _DAY.fullmatch(clean)
        if alone is not None and _date(alone[1]) is not None:
            day = _date(alone[1])
            continue
        if not clean:
            continue
        at, words = _timed(clean, day)
        if at is not None:
            day = None  # said once: the next lines follow from it, also over midnight
        said.append(Said(line=number, text=words, at=at))
    made = datetime.fromisoformat(f"{match[1]}T{match[2]}+00:00") if match else None
    return Transcript(form="card" if rule else "lines", said=tuple(said), made=made)


def _timed(line: str, day: date | None) -> tuple[Face | None, str]:
    match = _TIMED.match(line)
    if match is None:
        return None, line
    try:
        clock = time(int(match["hour"]), int(match["minute"]), int(match["second"] or 0))
        own = date.fromisoformat(match["day"]) if match["day"] else day
    except ValueError:
        return None, line
    return Face(clock, own, offset(match["zone"])), match["said"].strip()


def _date(said: str) -> date | None:
    try:
        return date.fromisoformat(said)
    except ValueError:
        return None


def offset(zone: str | None) -> timedelta | None:
    """Of "Z", "UTC", "+01:00" or "-0500"; None when no zone stands there."""
    if not zone:
        return None
    if zone in ("Z", "z", "UTC"):
        return UTC.utcoffset(None)
    digits = zone[1:].replace(":", "")
    length = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -length if zone[0] == "-" else length
