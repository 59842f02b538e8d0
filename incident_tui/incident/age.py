"""Ages as they stand in settings and options. Pure."""

from __future__ import annotations

from typing import Final

_UNITS: Final = {"d": 1, "w": 7, "y": 365}


def days_of(text: str) -> int | None:
    """Days in "365d", "52w" or "1y"; None when it is none of these."""
    number, unit = text[:-1], text[-1:]
    if not (number.isascii() and number.isdigit()) or unit not in _UNITS or len(number) > 5 or not int(number):
        return None
    return int(number) * _UNITS[unit]
