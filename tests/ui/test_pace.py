"""How often the screen shows what machines say."""

from __future__ import annotations

from incident_tui.ui.pace import LATEST, REST, SOONEST, Pace


class Clocks:
    def __init__(self) -> None:
        self.now = 100.0
        self.spent = 0.0


def paced() -> tuple[Pace, Clocks]:
    clocks = Clocks()
    return Pace(lambda: clocks.now, lambda: clocks.spent), clocks


def picture(pace: Pace, clocks: Clocks, cost: float) -> None:
    """One that takes so much work, in two steps."""
    with pace.work(first=True):
        clocks.spent += cost / 2
    clocks.spent += 1.0  # keys, between the steps
    with pace.work():
        clocks.spent += cost / 2
    pace.shown()


def test_after_a_quiet_while_it_is_shown_at_once() -> None:
    pace, clocks = paced()
    assert pace.wait() == 0
    picture(pace, clocks, 0.001)
    assert pace.wait() == SOONEST
    clocks.now += SOONEST
    assert pace.wait() == 0


def test_much_work_waits_longer_but_never_more_than_a_second() -> None:
    pace, clocks = paced()
    picture(pace, clocks, 0.02)
    assert abs(pace.wait() - REST * 0.02) < 1e-9
    picture(pace, clocks, 3.0)
    assert pace.wait() == LATEST
    picture(pace, clocks, 0.001)  # only the last one counts
    assert pace.wait() == SOONEST
