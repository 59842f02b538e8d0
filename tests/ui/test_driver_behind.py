"""The driver on a terminal that nobody reads: it holds up nothing, and one difference brings it up to date."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from incident_tui.incident.entry import Author, Draft, Entry, Kind
from incident_tui.journal.notify import ring
from incident_tui.journal.store import Store
from tests.ui.small_app import Start

SCREEN = r"""
import sys
from pathlib import Path
from incident_tui.config import Settings
from incident_tui.incident.entry import Author
from incident_tui.journal.presence import Presence
from incident_tui.ui import driver
from incident_tui.ui.run import run
_, place, *_ = sys.argv[1:]
place = Path(place)
write = driver.ScreenDriver.write
def recorded(self, data):
    with open(place / "stock", "a", newline="") as file:
        file.write(data)
    write(self, data)
    if self._outlet is not None and self._outlet.behind:
        (place / "behind").touch()
driver.ScreenDriver.write = recorded
journal = place / "journal"
sys.exit(run(settings=Settings(), directory=journal, author=Author("ana"), start_watch=lambda: None,
             ask=lambda host, word: None, presence=Presence(journal), demo=False, playbooks=[]))
"""
LITTLE = 4096
"""Bytes that may wait for the terminal when the small program is told "little"."""
HELD = 24_000
"""A pseudo-terminal that nobody reads holds less than this."""
UNREAD_SECONDS = float(os.environ.get("UNREAD_SECONDS", "1"))
"""How long nobody reads the real screen; 60 was tried by hand."""


@pytest.mark.parametrize("word", ["own", "shared"])
def test_a_terminal_that_nobody_reads_holds_up_nothing(start: Start, word: str) -> None:
    terminal = start("ours", word)
    terminal.until(lambda: terminal.beats() > 5)
    terminal.read(0.1)
    terminal.fill()
    beats = terminal.beats()
    terminal.until(lambda: terminal.beats() > beats + 100, 30, reading=False)
    (terminal.place / "stop").write_text("")
    time.sleep(0.1)
    caught_up = terminal.read(0.5)
    terminal.until(lambda: terminal.shows("the end"))
    assert len(caught_up) < HELD + 8000  # two differences of a full screen: one was under way
    assert list(terminal.screen.display) == terminal.stock()
    assert not (terminal.place / "log").read_text()


def test_switched_off_it_does_not_wait_either_and_makes_good_what_it_left_out(start: Start) -> None:
    terminal = start("plain", "little")
    stock = terminal.place / "stock"
    terminal.until(lambda: terminal.beats() > 5)
    terminal.until(lambda: stock.stat().st_size > HELD + 4 * LITTLE, 30, reading=False)
    terminal.read(1)
    terminal.end()
    assert len(terminal.raw) < stock.stat().st_size - LITTLE
    assert list(terminal.screen.display) == terminal.stock()


def entries(place: Path) -> list[Entry]:
    with Store.open(place / "journal") as store:
        return list(store.read())


def test_the_screen_goes_on_while_nobody_reads_it_and_one_difference_brings_it_up_to_date(start: Start) -> None:
    terminal = start("ours", program=SCREEN)
    terminal.until(lambda: terminal.shows("no incident"))
    while not terminal.behind():  # fill what the pseudo-terminal holds
        terminal.type("\x0c")
        time.sleep(0.05)
    began = time.monotonic()
    now = datetime.now(UTC)
    who = Author("bob", uid=1001)
    declared = Draft(
        kind=Kind.DECLARE,
        text="gv0 split-brain",
        at=now,
        author=who,
        incident="INC-1",
        data={"title": "gv0 split-brain"},
    )
    notes = [
        Draft(kind=Kind.NOTE, text=f"bob's {number}", at=now, author=who, incident="INC-1") for number in range(40)
    ]
    with Store.open(terminal.place / "journal") as store:
        store.append([declared, *notes], key="bob")
    ring(terminal.place / "journal")
    time.sleep(UNREAD_SECONDS)
    terminal.type("typed blind\r")
    terminal.until(lambda: entries(terminal.place)[-1].text == "typed blind", reading=False)
    assert entries(terminal.place)[-1].incident == "INC-1"  # what bob wrote is known to the screen
    assert time.monotonic() - began >= UNREAD_SECONDS
    caught_up = terminal.read(0.7)
    terminal.until(lambda: terminal.shows("typed blind"))
    assert len(caught_up) < HELD + 6000  # two differences: one was under way
    terminal.until(lambda: list(terminal.screen.display) == terminal.stock())


def test_sequences_wait_in_order_while_the_terminal_stands_still(start: Start) -> None:
    terminal = start()
    terminal.until(lambda: terminal.beats() > 5)
    terminal.fill()
    terminal.type("bby")
    time.sleep(0.3)
    assert b"\x1b]52" not in terminal.raw
    terminal.end()
    assert terminal.raw.count(b"\x1b]52;c;aGVsbG8=\x07") == 1
    assert list(terminal.screen.display) == terminal.stock()
