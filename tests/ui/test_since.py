"""What came while somebody was away: counted by when it was learned, told once, and true after any end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from incident_tui.journal.last_seen import LastSeen
from incident_tui.ui import app as app_module
from incident_tui.ui.entry_detail import entry_detail
from incident_tui.ui.lines import plain
from incident_tui.ui.since import since_rows


def test_what_was_learned_late_is_new_and_what_was_known_is_not(kit: Any) -> None:
    rows = kit.view({}, kit.story(kit.now)).rows
    left = kit.now + timedelta(hours=1)
    late = msgspec.structs.replace(rows[0].entry, recorded_at=left + timedelta(minutes=5))
    planned = msgspec.structs.replace(rows[1].entry, at=left + timedelta(minutes=5))
    rows = [
        msgspec.structs.replace(rows[0], entry=late),
        msgspec.structs.replace(rows[1], entry=planned, at=planned.at),
        *rows[2:],
    ]
    assert since_rows(rows, left) == rows[:1]


async def test_a_living_screen_says_now_and_then_that_its_person_is_here(world: Any, screen: Any) -> None:
    """After kill -9 that is all the next screen has to go by."""
    world.full()
    seen = LastSeen(world.directory, "ana")
    async with screen() as driver:
        world.clock.turn(300)
        for _ in range(app_module.BEAT_EVERY):
            driver.app.tick()
        assert seen.read() == world.clock.now


async def test_nobody_counts_as_here_before_what_had_come_was_told(world: Any, screen: Any, monkeypatch: Any) -> None:
    """A screen that is killed while a long journal is read must not swallow the news."""
    world.full()
    left = world.clock.now - timedelta(minutes=37)
    LastSeen(world.directory, "ana").mark(left)
    monkeypatch.setattr(app_module.IncidentApp, "_since_left", lambda self: None)
    async with screen() as driver:
        for _ in range(app_module.BEAT_EVERY):
            driver.app.tick()
    assert LastSeen(world.directory, "ana").read() == left


def test_what_came_late_from_another_bastion_is_new_although_it_is_old(kit: Any) -> None:
    view = kit.view(kit.healthy(), kit.story())
    left = kit.now + timedelta(minutes=1)
    row = view.rows[1]
    assert not since_rows(view.rows, left)
    came = {row.ref: left + timedelta(minutes=5)}
    assert since_rows(view.rows, left, came) == [row]
    page = plain(entry_detail(row, msgspec.structs.replace(view, came=came), 79))
    assert f"{came[row.ref]:%H:%M:%S}Z, from another bastion" in page and "came here" in page
