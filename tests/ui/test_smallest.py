"""Sizes that nobody can work in: a window being dragged, a phone turned. Nothing ends, and the prompt is there."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize("height", [3, 4, 5])
async def test_the_prompt_is_there_on_the_smallest_screen(world: Any, screen: Any, height: int) -> None:
    async with screen((40, height)) as driver:
        await driver.type("a note")
        assert "a note" in driver.text


@pytest.mark.parametrize("keys", [[], ["f1"], ["tab"], ["tab", "enter"], ["tab", "tab", "enter"], ["ctrl+o"]])
async def test_no_size_ends_the_screen(world: Any, screen: Any, keys: list[str]) -> None:
    world.full()
    async with screen() as driver:
        await driver.press(*keys)
        for width in (1, 9, 10, 13, 24, 60):
            for height in (1, 2, 3, 5, 6, 8, 15):
                await driver.pilot.resize_terminal(width, height)
                driver.app.paint()
        await driver.pilot.resize_terminal(80, 24)
        await driver.press("escape", "escape", "escape")
        await driver.type("still here", "enter")
        assert "still here" in driver.text
