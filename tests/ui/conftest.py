"""Shared by the screen's tests: the made-up world, the screen on it, and pictures of it as text files."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from incident_tui.ui.app import IncidentApp
from tests.ui.piloted import Driver
from tests.ui.small_app import Start, Terminal
from tests.ui.talk import Talk
from tests.ui.world import Kit, World


def check(name: str, text: str) -> None:
    """The text is the one in screens/NAME.txt. With UPDATE_SCREENS set, that file is written instead: look at it."""
    path = Path(__file__).parent / "screens" / f"{name}.txt"
    if os.environ.get("UPDATE_SCREENS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
        return
    assert text + "\n" == path.read_text(encoding="utf-8")


@pytest.fixture
def kit() -> Kit:
    return Kit()


@pytest.fixture
def picture() -> Callable[[str, str], None]:
    return check


@pytest.fixture
def screen(world: World) -> Callable[..., AbstractAsyncContextManager[Driver]]:
    """Opens the screen on `world` in a size: `async with screen((80, 24)) as driver`."""

    @asynccontextmanager
    async def open_screen(size: tuple[int, int] = (80, 24), **fields: Any) -> AsyncIterator[Driver]:
        asked: list[str] = []
        started: list[int] = []
        values: dict[str, Any] = {
            "start_watch": lambda: started.append(1),
            "ask": lambda host, word: asked.append(f"{host} {word}".strip()),
            "paste_gap": 0.0,
            "tick": 3600.0,
        }
        app = IncidentApp(world.session(), **{**values, **fields})
        async with app.run_test(size=size) as pilot:
            driver = Driver(app, pilot, asked, started)
            await driver.settle()
            yield driver
        if app.crash is not None:
            raise app.crash

    return open_screen


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "journal")
    yield made
    for session in made.sessions:
        session.close("")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the small program on a terminal: its driver ("ours", "plain", "stock"), and words for what it does."""
    opened: list[Terminal] = []

    def begin(kind: str = "ours", *words: str, **more: Any) -> Terminal:
        opened.append(Terminal(tmp_path, kind, *words, **more))
        return opened[-1]

    yield begin
    for one in opened:
        one.close()


@pytest.fixture
def talk(world: World) -> Talk:
    return Talk(world.session())
