"""Lengths of time for a narrow screen, in steps that do not redraw it every second. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def short(length: timedelta | float) -> str:
    """ "<10s", "40s", "4m", "1h05", "2d3h": 10 s steps under two minutes, then minutes."""
    seconds = length.total_seconds() if isinstance(length, timedelta) else length
    seconds = max(0, int(seconds))
    if seconds < 10:
        return "<10s"
    if seconds < 120:
        return f"{seconds // 10 * 10}s"
    minutes = seconds // 60
    if minutes < 60:
        return f"{minutes}m"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours}h{minutes:02}"
    days, hours = divmod(hours, 24)
    return f"{days}d{hours}h" if hours else f"{days}d"


def countdown(length: timedelta) -> str:
    """ "04:12" up to an hour, "1h05" above; of what is past as well (the caller says "over")."""
    seconds = abs(int(length.total_seconds()))
    if seconds < 3600:
        return f"{seconds // 60:02}:{seconds % 60:02}"
    return short(seconds)


def stepped(length: timedelta) -> str:
    """As `countdown`, in steps of ten seconds: for lines that must not change each second."""
    seconds = int(length.total_seconds())
    return countdown(timedelta(seconds=abs(seconds) // 10 * 10))


def clock(at: datetime) -> str:
    return f"{at.astimezone(UTC):%H:%M:%S}"
