"""Every size, and from one to the other in mid-sentence; every kind of terminal."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.terminals import Pane, Terminals

SIZES = ((60, 15), (120, 40), (200, 50), (80, 24), (60, 15), (80, 24))


def drawn_anew(pane: Pane) -> None:
    """What is seen is what a whole new picture shows: nothing of an older size is left."""

    def steady() -> bool:
        before = pane.text
        pane.keys("C-l")
        return pane.text == before and pane.text == before

    pane.until(steady, what="a picture equal to the redrawn one")


def test_resized_in_mid_sentence(staged: Callable[..., Any], terminals: Terminals) -> None:
    one = staged("healthy")
    pane = terminals.open("incident-tui", *one.words, "--as", "ana")
    pane.see("no incident", "+ web1", "+ gv0")
    pane.enter("/declare /sev 2 a drill of sizes")
    words = ["the", "line", "goes", "on", "whatever", "the", "size", "of", "the", "window", "is"]
    typed = ""
    for (width, height), word in zip(SIZES, words, strict=False):
        pane.type(f"{word} ")
        typed += f"{word} "
        pane.resize(width, height)
        pane.until(lambda: f"> {typed.rstrip()}" in pane.text, what=typed)  # noqa: B023
        pane.see("SEV2", "IC ana", "Z ", "HOSTS")
        drawn_anew(pane)
        assert len(pane.lines[0]) <= width
    pane.keys("Enter")
    pane.see("the line goes on whatever", "saved")


@pytest.mark.parametrize(
    ("term", "locale", "only_ascii"),
    [
        ("xterm", "C.UTF-8", False),
        ("screen-256color", "C.UTF-8", False),
        ("tmux-256color", "C.UTF-8", False),
        ("linux", "C.UTF-8", True),
        ("xterm-256color", "C", True),
    ],
)
def test_terminals(terminals: Terminals, tmp_path: Path, term: str, locale: str, only_ascii: bool) -> None:
    words = ("--journal", str(tmp_path / "journal"), "--as", "ana")
    pane = terminals.open("incident-tui", *words, environment={"TERM": term, "LC_ALL": locale})
    pane.see("no incident", "F1 help")
    pane.enter("/declare /sev 1 gv0 split-brain, and a title that is much too long for one line of this screen")
    text = pane.see("SEV1", "IC ana")
    pane.keys("Tab")
    drawn_anew(pane)
    assert text.isascii() == only_ascii, text
    pane.keys("C-c")
    pane.see("again leaves")
    pane.keys("C-c")
    pane.until(lambda: not pane.alive, what="the end")
    assert pane.status == 0 and "SEV1" not in pane.text


def test_without_colours_there_are_none(terminals: Terminals, tmp_path: Path) -> None:
    words = ("--journal", str(tmp_path / "journal"), "--as", "ana")
    pane = terminals.open("incident-tui", *words, environment={"NO_COLOR": "1", "TERM": "xterm-256color"})
    pane.see("no incident", "F1 help")
    pane.enter("/declare /sev 1 gv0")
    pane.see("SEV1")
    codes = pane.tmux("capture-pane", "-p", "-e", "-t", pane.name)
    assert not any(f"\x1b[{number}" in codes for number in ("31", "32", "33", "35", "36", "4m;", "38", "48")), codes
    assert "\x1b[1m" in codes, "bold stays"
    assert os.environ.get("NO_COLOR") is None
