"""How a number moves, where it moves steadily enough to say so. Pure."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

POINTS = 5
"""Readings below which nothing is said."""
STEADY = 0.8
"""Share of the movement that a straight line must explain (r squared)."""


class Trends:
    """Series by name, each over the last `keep`. A point is kept at most every `every`."""

    def __init__(self, keep: timedelta = timedelta(minutes=15), every: timedelta = timedelta(seconds=10)) -> None:
        self._keep = keep
        self._every = every
        self._series: dict[str, deque[tuple[datetime, float]]] = {}

    def add(self, name: str, at: datetime, value: float) -> None:
        """A clock that was set back begins the series anew."""
        series = self._series.setdefault(name, deque())
        if series and at < series[-1][0]:
            series.clear()
        if series and at - series[-1][0] < self._every:
            return
        series.append((at, value))
        while at - series[0][0] > self._keep:
            series.popleft()

    def forget(self, name: str) -> None:
        self._series.pop(name, None)

    def rate(self, name: str, at_least: timedelta, points: int = POINTS) -> float | None:
        """Units a second by the line of least squares; None with fewer points, too short a time, or no steady way."""
        series = self._series.get(name)
        if series is None or len(series) < points or series[-1][0] - series[0][0] < at_least:
            return None
        start = series[0][0]
        xs = [(at - start).total_seconds() for at, _ in series]
        ys = [value for _, value in series]
        mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
        spread_x = sum((x - mean_x) ** 2 for x in xs)
        spread_y = sum((y - mean_y) ** 2 for y in ys)
        shared = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
        if spread_y <= 0 or shared**2 < STEADY * spread_x * spread_y:
            return None
        return shared / spread_x
