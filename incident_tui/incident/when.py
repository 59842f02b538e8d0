"""Times as people type them: `@14:05`, `@14:05Z`, `-10m`, `-1h5m`. Pure; `now` is passed in.

A time without a date means the nearest past. A time without `Z` is UTC. What could be meant otherwise (more than an
hour ago, the future, or a clock face that only fits the writer's own zone) carries a question.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

import msgspec

ASK_AFTER: Final = timedelta(minutes=60)
"""A time further back than this asks before it is saved."""

# As text, compiled when first used: most lines that are logged say no time.
_CLOCK: Final = (
    r"(?:(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})[T_])?(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?"
    r"(?P<zone>[Zz]|[+-][0-9]{2}:?[0-9]{2})?"
)
_BACK: Final = r"(?i)-(?:(?P<hours>[0-9]{1,4})h)?(?:(?P<minutes>[0-9]{1,4})m)?"
_DURATION: Final = r"(?i)(?:(?P<hours>[0-9]{1,3})h)?(?:(?P<minutes>[0-9]{1,4})m(?:in)?)?"


class When(msgspec.Struct, frozen=True):
    """A time that was said. `question` is empty, or what to ask before it is believed."""

    at: datetime
    question: str = ""


def clock(at: datetime, now: datetime) -> str:
    """ "14:05Z", with the date in front unless it is today's."""
    at = at.astimezone(UTC)
    same = at.date() == now.astimezone(UTC).date()
    return at.strftime("%H:%MZ" if same else "%Y-%m-%d %H:%MZ")


def span(length: timedelta) -> str:
    """A length in its two largest units down to minutes: "9 min", "1 h 5 min", "2 d 3 h"; "0 min" under a minute."""
    minutes = int(abs(length).total_seconds() // 60)
    days, rest = divmod(minutes, 1440)
    hours, minutes = divmod(rest, 60)
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min"


def ago(at: datetime, now: datetime) -> str:
    """ "9 min ago", "just now" within a minute, "in 5 min" for the future."""
    if abs(now - at) < timedelta(minutes=1):
        return "just now"
    return f"{span(now - at)} ago" if at < now else f"in {span(at - now)}"


def duration(token: str) -> int | None:
    """Minutes of "20m", "1h", "1h30m"; None for anything else, and for nothing at all."""
    match = re.fullmatch(_DURATION, token)
    if match is None or not (match["hours"] or match["minutes"]):
        return None
    return int(match["hours"] or 0) * 60 + int(match["minutes"] or 0)


def read_time(token: str, now: datetime, zone: str = "UTC") -> When | None:
    """The time a token says ("@14:05", "@14:05Z", "@2026-11-23T14:05Z", "-10m", "-1h5m", and "@-10m", which a tired
    hand types), or None if it says none."""
    if token.startswith("@") and not token.startswith("@-"):
        return read_clock(token[1:], now, zone)
    match = re.fullmatch(_BACK, token.removeprefix("@")) if token.startswith(("-", "@-")) else None
    if match is None or not (match["hours"] or match["minutes"]):
        return None
    at = now - timedelta(hours=int(match["hours"] or 0), minutes=int(match["minutes"] or 0))
    return When(at, _doubt(at, now))


def read_clock(token: str, now: datetime, zone: str = "UTC") -> When | None:
    """As `read_time` for a bare clock face ("14:05", "2026-11-23T14:05:30+01:00")."""
    match = re.fullmatch(_CLOCK, token)
    if match is None:
        return None
    said_zone = match["zone"]
    try:
        where: tzinfo = UTC
        if said_zone and said_zone not in "Zz":
            digits = said_zone[1:].replace(":", "")
            offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
            from datetime import timezone

            where = timezone(-offset if said_zone[0] == "-" else offset)
        face = (int(match["hour"]), int(match["minute"]), int(match["second"] or 0))
        if match["date"]:
            at = datetime.fromisoformat(match["date"]).replace(
                hour=face[0], minute=face[1], second=face[2], tzinfo=where
            )
            at = at.astimezone(UTC)
            return When(at, _doubt(at, now))
        at = _nearest_past(face, now, where)
    except (ValueError, OverflowError):
        return None
    question = _doubt(at, now)
    if said_zone is None and zone != "UTC":
        question = _zone_doubt(face, at, now, zone) or question
    elif question:
        today = _today(face, now, where)
        if today > now:
            question = (
                f"{clock(today, now)} today is still to come. Do you mean {clock(at, now)}, {ago(at, now)}? (yes/no)"
            )
    return When(at, question)


def _today(face: tuple[int, int, int], now: datetime, where: tzinfo) -> datetime:
    local = now.astimezone(where)
    hour, minute, second = face
    return local.replace(hour=hour, minute=minute, second=second, microsecond=0).astimezone(UTC)


def _nearest_past(face: tuple[int, int, int], now: datetime, where: tzinfo) -> datetime:
    at = _today(face, now, where)
    return at if at <= now else at - timedelta(days=1)


def _doubt(at: datetime, now: datetime) -> str:
    if at > now:
        return f"{clock(at, now)} is {ago(at, now)}: still to come. Save it with that time? (yes/no)"
    if now - at > ASK_AFTER:
        return f"Is {clock(at, now)}, {ago(at, now)}, right? (yes/no)"
    return ""


def _zone_doubt(face: tuple[int, int, int], at: datetime, now: datetime, zone: str) -> str:
    """A bare clock face is UTC. It is in doubt when it is not recent as UTC, or as recent in the writer's zone."""
    from zoneinfo import ZoneInfo  # costs a few milliseconds; only people outside UTC pay

    try:
        local = _nearest_past(face, now, ZoneInfo(zone))
    except (KeyError, ValueError, OSError):
        return ""
    if local == at or now - local > ASK_AFTER:
        return ""
    return (
        f"{at:%H:%M} is read as UTC: {clock(at, now)}, {ago(at, now)}. In {zone} it would be {clock(local, now)}, "
        f"{ago(local, now)}: for that, write @{clock(local, now)[-6:]}. Keep UTC? (yes/no)"
    )
