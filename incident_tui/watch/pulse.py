"""How often the watch looks at all it knows. Pure."""

from __future__ import annotations


def rest_after(spent: float) -> float:
    """Seconds of rest after a round that took so many of CPU: a twentieth of a core for rounds, however many hosts, but
    at most half a second, so that a death is on the board within one."""
    return min(0.5, 19 * spent)
