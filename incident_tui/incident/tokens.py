"""Pieces of what follows a verb: words, lengths of time, handles; `Wrong` says what is missing. Pure."""

from __future__ import annotations

import re
from typing import Final

from incident_tui.incident import when
from incident_tui.incident.typed import Wrong

_HANDLE: Final = r"[A-Za-z][0-9]{1,9}"


def text(arguments: str) -> str:
    if not arguments:
        raise Wrong("the text is missing.")
    return arguments


def none(arguments: str) -> None:
    if arguments:
        raise Wrong(f"{short(arguments)} is too much.")


def short(value: str) -> str:
    return repr(value if len(value) <= 30 else value[:29] + "…")


def word(arguments: str, what: str) -> tuple[str, str]:
    first, _, tail = arguments.partition(" ")
    if not first:
        raise Wrong(f"{what} is missing.")
    return first, tail.strip()


def minutes(token: str) -> int:
    minutes = when.duration(token)
    if not minutes:
        raise Wrong(f"{short(token)} is not a length of time such as 20m or 1h.")
    if minutes > 7 * 24 * 60:
        raise Wrong(f"{short(token)} is more than a week.")
    return minutes


def level(token: str) -> int:
    match = re.fullmatch(r"(?:sev(?:erity)?[=-]?)?([1-9])", token, re.I)
    if match is None:
        raise Wrong(f"{short(token)} is not a severity; 1 is worst.")
    return int(match[1])


def handle(arguments: str) -> tuple[str, str]:
    """A leading handle and the rest; no handle gives "" and everything."""
    first, _, tail = arguments.partition(" ")
    return (first.lower(), tail.strip()) if re.fullmatch(_HANDLE, first) else ("", arguments)


def needed_handle(arguments: str) -> tuple[str, str]:
    found, rest = handle(arguments)
    if not found:
        raise Wrong("a handle such as a17 is missing.")
    return found, rest


def maybe_minutes(arguments: str) -> tuple[int, str]:
    """A leading length of time in minutes and the rest; 0 and everything without one."""
    first, _, tail = arguments.partition(" ")
    return (minutes(first), tail.strip()) if when.duration(first) else (0, arguments)
