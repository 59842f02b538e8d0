"""The output stage: what Textual writes goes in, what the terminal is sent comes out. Pure: no I/O, no clock.

Frames change the picture; when the terminal is free, the difference to what it shows is sent. While it is not (it is
behind, or another program has it), frames only change the picture, and other sequences wait, in order and bounded.
"""

from __future__ import annotations

from typing import Final

from incident_tui.ui.difference import Shown
from incident_tui.ui.terminal import Other, Picture

LARGE: Final = 512
"""Characters of a difference from which on it is shown at once (DEC 2026), where the terminal can."""
WAITING_MOST: Final = 65536
"""Characters of bells, clipboard and the like that wait for the terminal; the oldest go first."""


class Stage:
    """`feed` and `due` return what to send now. `synchronised`: the terminal said that it knows DEC 2026."""

    def __init__(self, width: int, height: int) -> None:
        self.picture = Picture(width, height)
        self.shown = Shown(width, height)
        self.synchronised = False
        self._waiting: list[Other] = []
        self._next_row = 0

    def feed(self, data: str, *, free: bool) -> str:
        """Take what Textual wrote. With `free` all that is due is returned, in order; else "" and it waits."""
        out: list[str] = []
        for other in self.picture.apply(data):
            if free:
                out.append(self._difference())
                out.append(self._passed(other))
            else:
                self._wait(other)
        if free:
            out.append(self._difference())
        return "".join(out)

    def due(self) -> str:
        """All that waited for the terminal: the picture of now, then what is no picture."""
        out = [self._difference(), *(self._passed(other) for other in self._waiting)]
        self._waiting.clear()
        out.append(self._difference())
        return "".join(out)

    def waiting(self) -> str:
        """What waits and is no picture; it waits no longer."""
        text = "".join(self._passed(other) for other in self._waiting)
        self._waiting.clear()
        return text

    def resize(self, width: int, height: int) -> None:
        """The terminal has another size; what it shows of the old one is nobody's guess."""
        if (width, height) != (self.picture.width, self.picture.height):
            self.picture.resize(width, height)
        self.shown.forget(width, height)

    def resync(self, *, clear: bool) -> None:
        """Something painted over the screen, perhaps: all of it is sent again with the next difference."""
        self.shown.forget(self.picture.width, self.picture.height, clear=clear)

    def next_row(self) -> str:
        """One row again, in rotation: heals what `wall` or the kernel painted over us."""
        self._next_row = (self._next_row + 1) % self.picture.height
        self.shown.forget_row(self._next_row)
        return self._difference()

    def _passed(self, other: Other) -> str:
        if not other.harmless:
            self.resync(clear=True)
        return other.text

    def _difference(self) -> str:
        text = self.shown.difference(self.picture)
        if self.synchronised and len(text) > LARGE:
            return f"\x1b[?2026h{text}\x1b[?2026l"
        return text

    def _wait(self, other: Other) -> None:
        if other.text == "\x07" and other in self._waiting:
            return
        self._waiting.append(other)
        size = sum(len(one.text) for one in self._waiting)
        for one in [one for one in self._waiting[:-1] if _is_news(one.text)]:
            if size <= WAITING_MOST:
                break
            self._waiting.remove(one)
            size -= len(one.text)


def _is_news(text: str) -> bool:
    """A bell or a string, which may be lost; a mode may not."""
    return text[:2] in ("\x07", "\x1b]", "\x1bP")
