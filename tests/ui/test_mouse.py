"""The mouse, where the settings let us have it."""

from __future__ import annotations

from typing import Any

from textual import events

from tests.ui.made_up import reading


def line_with(driver: Any, words: str) -> int:
    return next(y for y, line in enumerate(driver.text.split("\n")) if words in line)


async def click(driver: Any, x: int, y: int) -> None:
    await driver.pilot.click(offset=(x, y))
    await driver.settle()


async def wheel(driver: Any, x: int, y: int, *, down: bool) -> None:
    kind = events.MouseScrollDown if down else events.MouseScrollUp
    await driver.pilot._post_mouse_events([kind], widget=None, offset=(x, y), button=0)
    await driver.settle()


async def test_a_click_chooses_a_row_and_a_second_one_opens_it(world: Any, screen: Any) -> None:
    world.full()
    async with screen() as driver:
        await driver.type("half a line")
        y = line_with(driver, "web2")
        await click(driver, 5, y)
        assert driver.app.pane == "status" and driver.app.status.row().name == "web2"
        assert not driver.app.sheet.display
        await click(driver, 5, line_with(driver, "web2"))
        assert driver.app.sheet.display and driver.app.sheet.title.startswith("web2")
        assert driver.app.prompt.editor.text == "half a line" and driver.app.prompt.has_focus


async def test_a_click_chooses_an_entry_and_a_second_one_opens_it(world: Any, screen: Any) -> None:
    world.full()
    async with screen() as driver:
        y = line_with(driver, "heal finished")
        await click(driver, 60, y)
        assert driver.app.pane == "timeline" and driver.app.window.chosen().entry.text == "heal finished on gv1"
        await click(driver, 60, line_with(driver, "heal finished"))
        assert driver.app.sheet.display and "heal finished on gv1" in driver.text
        await click(driver, 60, 10)
        assert driver.app.pane == "sheet"


async def test_a_click_on_the_prompt_gives_it_the_keys_back(world: Any, screen: Any) -> None:
    world.full()
    async with screen() as driver:
        await click(driver, 60, 10)
        assert driver.app.pane == "timeline"
        await click(driver, 10, 22)
        assert driver.app.pane == "prompt" and driver.app.window.chosen() is None


async def test_the_wheel_scrolls_what_is_under_the_pointer(world: Any, screen: Any) -> None:
    world.full({**world.healthy(), **{f"host/h{n:02d}": reading(f"h{n:02d}") for n in range(30)}})
    async with screen() as driver:
        follows = driver.text
        await wheel(driver, 60, 10, down=False)
        assert not driver.app.window.follow and driver.app.pane == "prompt"
        await wheel(driver, 60, 10, down=True)
        assert driver.text == follows
        await wheel(driver, 5, 10, down=True)
        assert driver.app.pane == "status"
        chosen = driver.app.status.chosen
        await wheel(driver, 5, 10, down=True)
        assert driver.app.status.chosen != chosen
        await driver.press("f1")
        top = driver.line(4)
        await wheel(driver, 60, 10, down=True)
        assert driver.line(4) != top
        await wheel(driver, 60, 10, down=False)
        assert driver.line(4) == top


async def test_the_pointer_moving_changes_nothing(world: Any, screen: Any) -> None:
    world.full()
    async with screen() as driver:
        before = [list(strip) for strip in driver.strips]
        await driver.pilot.hover(offset=(60, 10))
        await driver.settle()
        assert [list(strip) for strip in driver.strips] == before
