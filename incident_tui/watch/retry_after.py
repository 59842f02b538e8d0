"""How long a server asks to be left alone, in every form that servers use. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

LONGEST_WAIT: Final = timedelta(minutes=10)
"""Nobody may ask for more."""


def retry_after(header: str | None, body: Mapping[str, Any], now: datetime) -> timedelta | None:
    """At most LONGEST_WAIT; None when it does not say.

    Seconds (whole or not) or an HTTP date in Retry-After; `retry_after_ms`, `retry_after` or `retry-after` in JSON. The
    longer one counts: Discord's and Synapse's headers are rounded.
    """
    waits = [wait for wait in (_header_wait(header, now), _body_wait(body)) if wait is not None]
    return min(max(*waits, timedelta(0)), LONGEST_WAIT) if waits else None


def seconds(value: Any, most: float = 86_400) -> timedelta | None:
    """A number of seconds, as a number or in words; None for anything else, and for what is negative."""
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    try:
        return timedelta(seconds=min(number, most)) if 0 <= number < float("inf") else None
    except OverflowError:
        return None


def _header_wait(header: str | None, now: datetime) -> timedelta | None:
    if not header:
        return None
    told = seconds(header.strip())
    if told is not None:
        return told
    from email.utils import parsedate_to_datetime  # every command reads the configuration, and none of them needs this

    try:
        until = parsedate_to_datetime(header)
    except (ValueError, TypeError, OverflowError):
        return None
    return (until if until.tzinfo else until.replace(tzinfo=UTC)) - now


def _body_wait(found: Mapping[str, Any]) -> timedelta | None:
    exact = seconds(found.get("retry_after_ms"), most=86_400_000)
    if exact is not None:
        return exact / 1000
    return seconds(found.get("retry_after") or found.get("retry-after"))
