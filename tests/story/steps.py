"""The minutes of one incident, as two people at two terminals and one in a shell live them."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tests.terminals import Pane, Terminals


class Place(Protocol):
    """Where the story plays: the words that name configuration and journal, and what happens to the machines."""

    words: tuple[str, ...]
    trouble: str
    """On the screen once the machines are in trouble."""
    rule: str
    """The rule behind the worst row of the left pane."""
    well: str
    """On the screen once they are well again."""

    def repair(self) -> None: ...


def size_up(ana: Pane, place: Place) -> None:
    """What is wrong, and how do we know: the first row of the left pane, opened."""
    ana.keys("Tab", "Enter")
    ana.see("Esc closes", place.rule)
    ana.keys("Escape")
    ana.gone("Esc closes")


def declare(ana: Pane) -> str:
    """The incident's id."""
    ana.enter("/declare -2m /sev 1 site down, web2 in trouble")
    return re.sub(r"\s", "", ana.see("SEV1", "IC ana"))


def assign(ana: Pane, bob: Pane) -> None:
    ana.enter("/assign bob 5m bring the site back")
    bob.see("task bob")
    bob.enter("/ack")
    ana.see("bob acked")


def stabilise(ana: Pane, bob: Pane, place: Place) -> None:
    ana.enter("? web2 has too little memory for all of its containers")
    bob.see("HYPOTHESIS")
    bob.enter("! started the container again")
    place.repair()
    bob.enter("/done it runs")
    ana.see("[done]")


def tell_the_public(ana: Pane) -> None:
    ana.enter("/update public +20m One site is down. We are repairing it.", answer="public")
    ana.see("UPDATE public", "update due in")


def look_back(ana: Pane) -> None:
    """What somebody added further up."""
    ana.enter("/find hosting company")
    ana.see("(+12m) dan")
    ana.keys("Escape", "C-End")


def verify(ana: Pane, place: Place) -> None:
    ana.see(place.well, seconds=90)
    ana.enter("= the site answers")
    ana.enter("/status monitoring for ten minutes")
    ana.see("monitoring")
    ana.enter("/ms mitigated -1m")


def die_and_come_back(terminals: Terminals, ana: Pane, place: Place) -> Pane:
    """Her session is lost in the middle of a sentence."""
    ana.type("half of a sente")
    os.kill(ana.pid, signal.SIGKILL)
    again = terminals.open("incident-tui", *place.words, "--as", "ana")
    again.see("> half of a sente")
    again.type("nce")
    again.see("> half of a sentence")
    again.keys("Enter")
    again.gone("> half of a sentence")
    again.see("half of a sentence", "saved")
    return again


def hand_over(ana: Pane, bob: Pane) -> None:
    ana.enter("/ic offer bob")
    bob.see("offers you command")
    bob.enter("/ic take")
    ana.see("IC bob")


def stand_down(bob: Pane) -> None:
    bob.enter("todo: more memory for web2 @dan p1")
    bob.see("TODO")
    bob.enter("/standdown the site is stable")
    bob.see("stood down")


def review(bob: Pane, report: Path) -> str:
    bob.enter(f"/export {report.name}")
    bob.see("The report is in")
    return report.read_text()


def leave(pane: Pane) -> None:
    pane.keys("C-c")
    pane.see("again leaves")
    pane.keys("C-c")
    pane.until(lambda: not pane.alive, what="the end of the program")
    assert pane.status == 0, pane.text


def live(terminals: Terminals, place: Place, shell: Callable[..., object], report: Path) -> str:
    """All of it; the report's text."""
    ana = terminals.open("incident-tui", *place.words, "--as", "ana")
    ana.see("no incident", place.trouble, seconds=60)
    declare(ana)
    size_up(ana, place)
    bob = terminals.open("incident-tui", *place.words, "--as", "bob", size=(60, 15), directory=report.parent)
    bob.see("SEV1")
    assign(ana, bob)
    stabilise(ana, bob, place)
    tell_the_public(ana)
    shell("log", "-12m saw the alarm at the hosting company", *place.words, "--as", "dan")
    look_back(ana)
    verify(ana, place)
    ana = die_and_come_back(terminals, ana, place)
    hand_over(ana, bob)
    stand_down(bob)
    text = review(bob, report)
    leave(bob)
    leave(ana)
    return text
