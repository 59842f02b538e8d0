"""Forecasts: only where a number moves steadily, long enough."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from incident_tui.hosts.trend import Trends

NOW = datetime(2026, 11, 24, 3, 10, tzinfo=UTC)
MINUTES = timedelta(minutes=3)


def fed(values: list[float], step: float = 30.0) -> Trends:
    trends = Trends()
    for n, value in enumerate(values):
        trends.add("x", NOW + timedelta(seconds=n * step), value)
    return trends


def test_a_steady_fall_has_its_rate() -> None:
    assert fed([1000 - 60 * n for n in range(10)]).rate("x", MINUTES) == pytest.approx(-2.0)


@pytest.mark.parametrize(
    "values",
    [
        [100.0] * 10,
        [100, 90, 100, 90, 100, 90, 100, 90, 100, 90],
        [100, 90, 80],
        [],
    ],
)
def test_no_movement_a_saw_or_too_few_say_nothing(values: list[float]) -> None:
    assert fed(values).rate("x", MINUTES) is None


def test_too_short_a_time_says_nothing() -> None:
    assert fed([1000 - 60 * n for n in range(10)], step=11.0).rate("x", MINUTES) is None


def test_a_clock_set_back_begins_anew() -> None:
    trends = fed([1000 - 60 * n for n in range(10)])
    trends.add("x", NOW - timedelta(hours=1), 5.0)
    assert trends.rate("x", timedelta(0), points=1) is None
