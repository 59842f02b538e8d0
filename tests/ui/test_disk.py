"""A real full disk and a real read-only mount under the screen: said in words, nothing lost, saved when it ends."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest


def fill(disk: Path) -> Path:
    """Leave not a byte of room."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (65536, 512, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return filler


def remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)


@pytest.fixture
def on_disk(world: Any, small_disk: Path) -> Any:
    """The world's journal on the small disk."""
    world.directory = small_disk / "journal"
    world.full()
    return world


async def enter(driver: Any, text: str) -> None:
    await driver.pilot.press(*text, "enter")


async def test_a_full_disk_is_said_and_the_line_is_saved_when_there_is_room(
    on_disk: Any, small_disk: Path, screen: Any
) -> None:
    async with screen() as driver:
        filler = fill(small_disk)
        line = "x" * 60
        for _ in range(40):  # what SQLite had set aside may still take a line or two
            await enter(driver, line)
            await driver.pilot.pause(0.02)
            if "NOT SAVED" in driver.text:
                break
        await driver.until("NOT SAVED")
        on_disk.clock.turn(2)
        driver.app.paint()
        await driver.until("no room left")
        waiting = driver.app.session.writer.status.waiting
        assert waiting >= 1
        filler.unlink()
        driver.app.session.writer.retry_now()
        await driver.settle()
        await driver.until("saved ")
        assert "NOT SAVED" not in driver.text and driver.app.session.writer.status.waiting == 0


async def test_a_read_only_disk_is_said_and_the_line_is_saved_when_it_ends(
    on_disk: Any, small_disk: Path, screen: Any
) -> None:
    remount(small_disk, "ro")
    try:
        async with screen() as driver:
            assert "declared" in driver.text or "gv0" in driver.text, "what was recorded is still shown"
            await enter(driver, "kept")
            await driver.until("NOT SAVED")
            on_disk.clock.turn(2)
            driver.app.paint()
            await driver.until("read-only:")
            remount(small_disk, "rw")
            driver.app.session.writer.retry_now()
            await driver.settle()
            assert "kept" in driver.text and "NOT SAVED" not in driver.text
    finally:
        remount(small_disk, "rw")
