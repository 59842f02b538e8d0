"""A follow-up as it is typed: `put web3 on feed A @dan p1 due:+7d #prevent` -> its words and its fields. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from incident_tui.incident import people as people_
from incident_tui.incident.settings import Person

SORTS: Final = ("#prevent", "#detect", "#mitigate", "#process", "#repair")
"""As they are typed; `work.FOLLOWUP_SORTS` without the mark."""


def follow_up(said: str, people: Sequence[Person], now: datetime) -> tuple[str, dict[str, Any]]:
    """The words, and owner, priority, due date (ISO) and sort where they are said. The first of each leaves the text;
    a second one, and what only looks like one, stays in it."""
    data: dict[str, Any] = {}
    words = []
    for word in _joined(said.split(), now):
        name, value = _field(word, people, now)
        if name and name not in data:
            data[name] = value
        else:
            words.append(word)
    return " ".join(words), data


def _joined(words: list[str], now: datetime) -> list[str]:
    """ "due 2026-12-01" and "by +7d" as one word, when a date follows."""
    joined: list[str] = []
    for word in words:
        if joined and joined[-1].lower() in ("due", "by", "due:", "by:") and due(word, now) is not None:
            joined[-1] = f"{joined[-1].rstrip(':')} {word}"
        else:
            joined.append(word)
    return joined


def _field(word: str, people: Sequence[Person], now: datetime) -> tuple[str, str]:
    if len(word) > 1 and word[0] == "@":
        found = people_.resolve(word, people)
        return "owner", found if isinstance(found, str) else word[1:]
    if re.fullmatch(r"#?[pP][0-9]", word):
        return "priority", word[-2:].lower()
    if word.lower() in SORTS:
        return "sort", word[1:].lower()
    date_of = re.fullmatch(r"(?i)(?:due|by)[: ](.+)", word)
    if date_of and (day := due(date_of[1], now)) is not None:
        return "due", day.isoformat()
    return "", ""


def due(token: str, now: datetime) -> date | None:
    """ "2026-12-01", or "+7d", "+2w" from today in UTC. None for anything else."""
    ahead = re.fullmatch(r"(?i)\+([0-9]{1,3})([dw])", token)
    try:
        if ahead:
            days = int(ahead[1]) * (7 if ahead[2] in "wW" else 1)
            return now.date() + timedelta(days=days)
        return date.fromisoformat(token)
    except (ValueError, OverflowError):
        return None
