"""Commands on hosts in lines: what a command prints is told as it comes, a few times a second."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from incident_tui.ui.running import ABOUT, Running

if TYPE_CHECKING:
    from incident_tui.fleet.output import Lines
    from incident_tui.ui.linear.screen import LinearScreen

EVERY: Final = 0.25
"""Seconds between two looks at what has come."""
MOST: Final = 40
"""Lines that are told at once; of more, the last ones."""


class RunningInLines:
    """Of one screen."""

    def __init__(self, screen: LinearScreen) -> None:
        self.screen = screen
        self._running = Running(
            screen.session,
            screen.talk,
            open_sheet=lambda opened: None,
            close_sheet=lambda: None,
            changed=self._changed,
        )
        self._of: Lines | None = None
        self._told = 0
        self._said = screen.talk.said
        self._asked = ""
        self._waits = False

    def open(self, argument: str) -> None:
        self._running.open(argument)
        offered = [line for line, _ in self._running.offered_lines()]
        self._tell((*offered, *ABOUT) if self.screen.talk.host is not None else ())

    def takes(self, action: str) -> bool:
        """Whether this was for us; then it is done, and told."""
        took = self._running.takes(action, "prompt")
        if took:
            self._tell()
        return took

    def left_over(self) -> str:
        return self._running.left_over()

    def _changed(self) -> None:
        if not self._waits:
            self._waits = True
            asyncio.get_running_loop().call_later(EVERY, self._later)

    def _later(self) -> None:
        self._waits = False
        if self.screen.is_running and self.screen.away.since is None:
            self._tell()

    def _tell(self, first: Sequence[str] = ()) -> None:
        talk, lines = self.screen.talk, [*first, *self._new()]
        if talk.said is not self._said:
            self._said = talk.said
            lines.append(talk.said[0])
        question = talk.host.question if talk.host is not None else ""
        self.screen.tell([*lines, question if question != self._asked else ""])
        self._asked = question

    def _new(self) -> list[str]:
        """Whole lines that came since the last call; at the end also the rest."""
        output = self._running.output
        if output is None:
            return []
        if output is not self._of:
            self._of, self._told = output, 0
        lines = output.lines if self._running.runs else output.now()
        count = output.dropped + len(lines) - self._told
        self._told += count
        new = lines[len(lines) - min(count, len(lines), MOST) :]
        return [f"{count - len(new)} lines before these are not told.", *new] if count > len(new) else new
