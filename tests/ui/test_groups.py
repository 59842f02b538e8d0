"""A fleet on the screen: groups of what is well, opened and left by keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from incident_tui.ui.groups import stem
from tests.ui.test_status import fleet


@pytest.mark.parametrize(
    ("host", "name"),
    [("web240", "web"), ("web-7.dc1", "web"), ("db_01", "db"), ("alpha.example", "alpha"), ("10.0.0.7", ""), ("", "")],
)
def test_what_a_name_begins_with(host: str, name: str) -> None:
    assert stem(host) == name


async def test_enter_on_a_group_lists_its_members_and_enter_opens_one(
    world: Any, kit: Any, screen: Any, picture: Callable[[str, str], None]
) -> None:
    world.team, rows = fleet(kit)
    world.full(rows)
    async with screen() as driver:
        await driver.press("tab", "down", "down")
        assert driver.app.status.row().name == "web"
        await driver.press("enter")
        assert driver.app.sheet.title == "web 239 ok"
        picture("groups-members-80x24", driver.text)
        await driver.press("down", "down", "enter")
        assert driver.app.sheet.title == "web2" and "nothing wrong is known" in driver.text
        await driver.press("f8")
        assert driver.asked == ["web2 changes"]
        await driver.press("escape")
        assert driver.app.sheet.title == "web2"
        await driver.press("escape")
        assert driver.app.sheet.title == "web 239 ok"
        await driver.press("pagedown", "pagedown")
        assert driver.app.sheet.choice().key == "host/web33"
        assert "+ web33 " in driver.text and "+ web1 " not in driver.text
        await driver.press("ctrl+end")
        assert "+ web240 " in driver.text
        await driver.press("escape")
        assert driver.app.pane == "status" and driver.app.status.row().name == "web"
        assert not driver.app.sheet.display
