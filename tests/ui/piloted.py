"""The screen under Textual's pilot: keys go in, text comes out."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from textual import events
from textual.pilot import Pilot

from incident_tui.ui.app import IncidentApp


class Driver:
    """A running app under Textual's pilot, with the screen as text."""

    def __init__(self, app: IncidentApp, pilot: Pilot[int], asked: list[str], started: list[int]) -> None:
        self.app = app
        self.pilot = pilot
        self.asked = asked
        self.started = started

    async def press(self, *keys: str) -> None:
        """Keys by their names, or single printable characters, which need not be waited for: they are only text."""
        assert self.app._driver is not None
        for key in keys:
            text = " " if key == "space" else key if len(key) == 1 and key.isprintable() else None
            self.app._driver.send_message(events.Key(key, text))
            if text is None:
                await self._answered()
        await self.settle()

    async def _answered(self) -> None:
        """A key goes from the app to the prompt and back, and what it does may post in turn."""
        for _ in range(4):
            await self.pilot._wait_for_screen()

    async def type(self, text: str, *after: str) -> None:
        """Type text as keys, then press others."""
        await self.press(*text, *after)

    async def settle(self) -> None:
        """Until everything entered is saved or refused, and shown."""
        end = time.monotonic() + 20
        await self._answered()
        while self.app.session.sent or not self.app.session.loaded:
            assert time.monotonic() < end, f"it was never saved:\n{self.text}"
            await asyncio.sleep(0.005)
        await self._answered()
        await self.pilot.pause()

    async def until(self, words: str) -> str:
        """Until the words are on the screen."""
        for _ in range(500):
            await self.pilot.pause(0.01)
            if words in self.text:
                return self.text
        raise AssertionError(f"{words!r} never came:\n{self.text}")

    @property
    def strips(self) -> list[Any]:
        return list(self.app.screen._compositor.render_strips(self.app.size))

    @property
    def text(self) -> str:
        return "\n".join(strip.text.rstrip() for strip in self.strips)

    def line(self, number: int) -> str:
        return self.text.split("\n")[number]
