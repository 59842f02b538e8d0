"""How often the screen shows what machines say, so that a key seldom finds it at work. Pure; clocks are passed in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

SOONEST: Final = 0.25
"""Seconds between two pictures that machines cause."""
LATEST: Final = 1.0
"""And so many at most, however much work one is."""
REST: Final = 20.0
"""So many times as long as the work for one picture takes, the next one waits: of many hosts some always change."""


class Pace:
    """`clock` is monotonic, `spent` the CPU time of the thread that shows; both in seconds."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, spent: Callable[[], float] = time.thread_time
    ) -> None:
        self._clock = clock
        self._spent = spent
        self._cost = 0.0
        self._last = -LATEST

    @contextmanager
    def work(self, *, first: bool = False) -> Iterator[None]:
        """A step of the work for a picture; `first` of a new one."""
        began = self._spent()
        try:
            yield
        finally:
            self._cost = (0.0 if first else self._cost) + self._spent() - began

    def shown(self) -> None:
        """A picture was made."""
        self._last = self._clock()

    def wait(self) -> float:
        """Seconds until the next picture may be begun; 0 after a quiet while."""
        return max(0.0, min(LATEST, max(SOONEST, REST * self._cost)) - (self._clock() - self._last))
