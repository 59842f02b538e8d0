"""The pace of the watch's rounds: as quick as they may be, and no more of a core than many hosts merit."""

from __future__ import annotations

import asyncio
import time
from typing import Any, cast

import pytest

from incident_tui.watch.loop import Watch
from incident_tui.watch.pulse import rest_after


def test_a_round_of_few_hosts_has_no_rest_worth_the_name_and_of_many_half_a_second_at_most() -> None:
    assert rest_after(0.0) == 0.0
    assert rest_after(0.001) < 0.02
    assert rest_after(0.02) == pytest.approx(0.38)
    assert rest_after(3.0) == 0.5


class Bell:
    """Rings all the time, as the readings of 500 hosts do."""

    async def wait(self) -> None: ...
    def clear(self) -> None: ...


class Stop(Exception):
    pass


async def test_the_rest_comes_between_two_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A round is work for the CPU; time is counted, not waited for."""
    waits: list[float] = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) > 4:
            raise Stop

    clock = iter(range(100))
    monkeypatch.setattr(time, "thread_time", lambda: next(clock) * 0.01)
    monkeypatch.setattr(asyncio, "sleep", wait)
    watch: Any = cast(Any, Watch.__new__(Watch))
    watch._woken, watch._lease, watch._presence, watch._dirty = (
        Bell(),
        None,
        type("", (), {"screens": lambda _: 1})(),
        {},
    )
    for work in ("_follow", "_answer_asks", "_others", "_record", "_put"):
        monkeypatch.setattr(watch, work, lambda: None, raising=False)
    with pytest.raises(Stop):
        await watch._keep()
    assert waits == pytest.approx([0.0, 0.05, rest_after(0.01), 0.05, rest_after(0.01)])
