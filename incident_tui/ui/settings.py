"""Settings of the screen, and what "auto" means on a terminal. Read by config.py; frozen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal

import msgspec

Auto = bool | Literal["auto"]
_MULTIPLEXED: Final = ("TMUX", "STY")
_PLAIN_TERMS: Final = ("linux", "dumb", "unknown", "")
"""Terminals that would print an unknown sequence, or have no notifications to show."""


class Screen(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[screen]`. After `decided` no field is "auto"."""

    ascii: Auto = "auto"
    """Only ASCII characters."""
    mouse: bool = False
    """Let the program have the mouse. Off, the terminal's own selection and copy work."""
    bell: Auto = "auto"
    """Ring when something becomes critical, an update is overdue, or a task or command comes to me."""
    notify: Auto = "auto"
    """The same as a notification of the terminal (OSC 9)."""
    linear: Auto = "auto"
    """Lines instead of a screen, for screen readers."""
    changed_cells: bool = True
    """Send only the cells that changed, and never wait for the terminal. Off, Textual's own output is used."""

    @property
    def plain(self) -> bool:
        """Only ASCII."""
        return self.ascii is True


def decided(screen: Screen, environ: Mapping[str, str]) -> Screen:
    """`screen` for the terminal and locale that the environment names: nothing is left to be decided."""
    term = environ.get("TERM", "")
    multiplexed = any(environ.get(name) for name in _MULTIPLEXED) or term.startswith(("screen", "tmux"))
    return Screen(
        ascii=screen.ascii if screen.ascii != "auto" else term == "linux" or not speaks_utf8(environ),
        mouse=screen.mouse,
        bell=screen.bell if screen.bell != "auto" else not multiplexed,
        notify=screen.notify if screen.notify != "auto" else not multiplexed and term not in _PLAIN_TERMS,
        linear=screen.linear if screen.linear != "auto" else term in ("dumb", "unknown"),
        changed_cells=screen.changed_cells,
    )


def speaks_utf8(environ: Mapping[str, str]) -> bool:
    """Whether the locale that the environment names is UTF-8; so is one that nobody has named."""
    name = next((environ[key] for key in ("LC_ALL", "LC_CTYPE", "LANG") if environ.get(key)), "")
    return not name or re.search(r"(?i)utf-?8", name) is not None
