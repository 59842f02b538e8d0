"""The walk through what is open: a sheet whose lines begin what settles them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


async def test_enter_on_a_line_begins_what_settles_it(
    world: Any, screen: Any, picture: Callable[[str, str], None]
) -> None:
    world.full()
    async with screen((80, 24)) as driver:
        await driver.type("/sweep", "enter")
        await driver.settle()
        picture("sweep", driver.text)
        await driver.press("down")
        await driver.press("enter")
        assert driver.app.pane == "prompt"
        assert driver.app.prompt.editor.text == "/release web2"


async def test_a_line_that_is_being_written_is_not_replaced(world: Any, screen: Any) -> None:
    world.full()
    async with screen((80, 24)) as driver:
        await driver.type("/sweep", "enter")
        driver.app.prompt.editor.set("half a line")
        driver.app.pane = "sheet"
        await driver.press("enter")
        assert driver.app.prompt.editor.text == "half a line" and "finish it first" in driver.text
