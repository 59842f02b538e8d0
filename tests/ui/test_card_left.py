"""The break-glass card beside the journal follows what is said on a screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from incident_tui.report.standing import Standing
from incident_tui.ui.since import since_rows


async def test_the_card_tells_the_last_known_state(world: Any, screen: Any) -> None:
    world.full()
    async with screen() as driver:
        await driver.type("/sev 3 only one site now", "enter")
        await driver.settle()
        driver.app.session.aside._pool.submit(lambda: None).result()
    (card,) = (Path(world.directory) / "cards").glob("*.txt")
    assert "SEV3" in card.read_text()


def test_the_brief_and_the_mark_in_the_timeline_begin_at_the_same_entry(kit: Any) -> None:
    view = kit.view(kit.outage(), kit.story())
    for left in (row.entry.recorded_at for row in view.rows):
        standing = Standing(incident=view.incident, now=view.now, handle=view.handle, since=left)
        new = {row.ref for row in since_rows(view.rows, left)}
        assert {row.ref for row in standing.news} == new & {row.ref for row in standing.key_events}
