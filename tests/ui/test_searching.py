"""/search on the whole screen: a sheet of entries of all incidents, and the way to one of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from incident_tui.incident.entry import Author, Draft, Kind


def another(world: Any) -> None:
    """A closed incident of the day before, in which glusterd was restarted, too."""
    at = world.clock.now - timedelta(days=1)
    bob = Author("bob", proven=True)

    def draft(kind: Kind, minutes: int, text: str, **data: Any) -> Draft:
        return Draft(kind, text, at + timedelta(minutes=minutes), bob, incident="INC-20261122-old1", data=data)

    world.write(
        draft(Kind.DECLARE, 0, "disk of web1", title="disk of web1", severity=3),
        draft(Kind.ACTION, 1, "restarted glusterd after the disk was changed"),
        draft(Kind.MILESTONE, 2, "", name="closed"),
    )


async def test_results_of_all_incidents_and_the_way_to_them(
    world: Any, screen: Any, picture: Callable[[str, str], None]
) -> None:
    another(world)
    world.full()
    async with screen() as driver:
        await driver.type("/search gluster kind:action", "enter")
        await driver.until("found.")
        picture("search", driver.text)
        await driver.press("down", "enter")
        await driver.until("Working in INC-20261122-old1. /incident lists them all.")
        assert driver.app.session.incident.id == "INC-20261122-old1"
        assert driver.app.window.chosen().said == "restarted glusterd after the disk was changed"


async def test_the_way_to_an_entry_of_the_incident_that_is_shown(world: Any, screen: Any) -> None:
    another(world)
    world.full()
    async with screen() as driver:
        here = driver.app.session.incident.id
        await driver.type("/search gluster kind:action", "enter")
        await driver.until("found.")
        await driver.press("enter")
        assert driver.app.session.incident.id == here
        assert driver.app.window.chosen().said.startswith("restarted glusterd")
        assert driver.app.pane == "timeline" and not driver.app.sheet.display


async def test_what_is_not_there_and_what_cannot_be_looked_for(world: Any, screen: Any) -> None:
    world.full()
    async with screen() as driver:
        await driver.type("/search xyzzy", "enter")
        await driver.until("Nothing was found, in no incident.")
        await driver.type("/search kind:acton", "enter")
        assert "did you mean action?" in driver.text
        assert driver.app.prompt.editor.text == "/search kind:acton"
        await driver.press("ctrl+u")
        await driver.type("/search", "enter")
        assert "What is to be looked for?" in driver.text
