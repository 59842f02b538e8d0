"""The terminal of the linear screen: keys come in, lines go out, and nothing waits for it."""

from __future__ import annotations

import asyncio
import os
import sys
import termios
from collections.abc import Callable, Sequence
from typing import Any, Final

from incident_tui.text import sanitise
from incident_tui.ui.editor import Editor
from incident_tui.ui.linear.keys import Key, Keys
from incident_tui.ui.linear.prompt_line import MARK, PromptLine
from incident_tui.ui.lines import Look, wrap
from incident_tui.ui.outlet import Outlet, open_outlet

_ESC_SECONDS: Final = 0.1
_PASTES: Final = ("\x1b[?2004h", "\x1b[?2004l")
_FALLBACK: Final = 80


class Tty:
    """Standard input and the terminal behind it. `key` is called for each key, `gone` when the terminal has ended."""

    def __init__(self, editor: Editor, look: Look, key: Callable[[Key], None], gone: Callable[[], None]) -> None:
        self.editor = editor
        self.look = look
        self.mark = MARK
        """What stands before the line."""
        self._key = key
        self._gone = gone
        self._line = PromptLine()
        self._keys = Keys()
        self._outlet: Outlet | None = None
        self._before: list[Any] | None = None
        self._fd = sys.__stdin__.fileno() if sys.__stdin__ is not None else 0
        self._marks_pastes = os.environ.get("TERM", "dumb") not in ("dumb", "unknown", "")

    @property
    def behind(self) -> bool:
        """The terminal does not take what was sent: what is to be announced can wait."""
        return self._outlet is None or self._outlet.behind

    @property
    def columns(self) -> int:
        try:
            return os.get_terminal_size(self._fd).columns or _FALLBACK
        except OSError:
            return _FALLBACK

    def claim(self) -> None:
        """Keys come one by one, not shown by the terminal."""
        loop = asyncio.get_running_loop()
        self._outlet = open_outlet(1, loop, lambda: None)
        self._before = termios.tcgetattr(self._fd)
        ours = termios.tcgetattr(self._fd)
        ours[0] &= ~(termios.ICRNL | termios.INLCR | termios.IGNCR | termios.IXON | termios.IXOFF)
        ours[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
        termios.tcsetattr(self._fd, termios.TCSADRAIN, ours)
        loop.add_reader(self._fd, self._readable)
        self._send(_PASTES[0] if self._marks_pastes else "")

    def release(self) -> None:
        """The terminal as it was before; the typed line is taken away."""
        if self._outlet is None or self._before is None:
            return
        asyncio.get_running_loop().remove_reader(self._fd)
        self._send(self._line.erase() + (_PASTES[1] if self._marks_pastes else ""))
        self._outlet.finish(1.0)
        self._outlet.close()
        self._outlet = None
        try:
            termios.tcsetattr(self._fd, termios.TCSANOW, self._before)
        except termios.error:
            return  # the terminal is gone

    def say(self, lines: Sequence[str]) -> None:
        """Whole lines in place of the one being typed, which follows them again. They are sanitised and wrapped here,
        because not every terminal does it well."""
        if lines and self._outlet is not None:
            room = max(20, self.columns - 1)
            clean = [part for line in lines for part in wrap(self.look.text(sanitise(line)), room, room)]
            self._send(self._line.erase() + "".join(f"{line}\r\n" for line in clean))
            self.draw()

    def draw(self) -> None:
        """Show the line as it is now."""
        self._send(self._line.draw(self.editor, self.columns, self.look, self.mark))

    def ring(self) -> None:
        self._send("\a")

    def send(self, sequence: str) -> None:
        """A sequence that shows nothing, such as one for the clipboard; a terminal that is dumb would print it."""
        if self._marks_pastes:
            self._send(sequence)

    def end_line(self) -> None:
        """Enter: the line stays where it was typed."""
        self._send(self._line.end())

    def _send(self, text: str) -> None:
        if self._outlet is not None and text:
            self._outlet.send(text.encode("ascii" if self.look.ascii else "utf-8", "replace"))

    def _readable(self) -> None:
        try:
            raw = os.read(self._fd, 4096)
        except OSError:
            raw = b""
        if not raw:
            asyncio.get_running_loop().remove_reader(self._fd)
            self._gone()
            return
        self._each(self._keys.feed(raw))
        if self._keys.waiting:
            asyncio.get_running_loop().call_later(_ESC_SECONDS, lambda: self._each(self._keys.flush()))

    def _each(self, keys: Sequence[Key]) -> None:
        for key in keys:
            self._key(key)
        self.draw()
