"""The screen's driver: Textual's own for Linux, with the output stage between it and the terminal."""

from __future__ import annotations

import logging
import os
import re
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

from textual import events, messages
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from incident_tui.ui.keyboard import Keyboard
from incident_tui.ui.outlet import Outlet, open_outlet
from incident_tui.ui.stage import Stage

log: Final = logging.getLogger("incident_tui.ui")

QUIET: Final = 3.0
"""Seconds without a key before a row in rotation may be sent, and between two of them at least."""
ROTATION_RATE: Final = 12.0
"""Characters a second that rows in rotation may cost, averaged: 720 a minute."""
SMALL: Final = 48
"""A frame of more characters than this is work, and no moment for a row in rotation."""
SETTLE: Final = 0.1
"""Seconds that the app has to draw itself in a new size before the old picture is sent."""
PLAIN_MOST: Final = 65536
"""Bytes of Textual's own output that may wait for the terminal; the rest is left out until it has taken them."""
LEAVE_WITHIN: Final = 1.0
"""Seconds for what was under way when the screen is left, and as many again for restoring the terminal."""
_KITTY: Final = re.compile(r"\x1b\[(?:>[0-9]+|<)u")
"""Switches a keyboard protocol on and off that we leave off, as not every Textual can; old consoles print the "u"."""
_BACK: Final = "\x18\x1b[?2026l"
"""Ends a sequence that was cut, and a frame shown at once."""
_EMPTY: Final = "\x1b[m\x1b[H\x1b[2J"
"""Before leaving: where there is no alternate screen to leave (Linux console), nothing of ours stays."""


class ScreenDriver(LinuxDriver):
    """Sends changed cells only and never waits for the terminal. With `changed_cells` off it writes what Textual does,
    and does not wait either.

    Whatever goes wrong inside, the terminal gets Textual's own output from then on, beginning with a whole screen.
    Between `suspend_application_mode` and `resume_application_mode` nothing is written and nothing waits.
    """

    changed_cells = True

    def __init__(self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: Any = None) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._stage: Stage | None = Stage(*self._get_terminal_size()) if self.changed_cells else None
        self._keyboard = Keyboard(self.fileno, debug=debug)
        self._outlet: Outlet | None = None
        self._collected: list[str] | None = None
        self._thread = threading.get_ident()
        self._missed = self._drawn = False
        self._blurred = False
        self._typed_at = self._row_at = time.monotonic()

    def write(self, data: str) -> None:
        """Frames and other sequences (bell, clipboard, title), in order. From any thread; never blocks or raises."""
        if threading.get_ident() != self._thread:
            self._loop.call_soon_threadsafe(self.write, data)
        elif self._collected is not None:
            self._collected.append(data)
        elif self._stage is not None:
            self._guarded(lambda: self._staged(data), data)
        elif self._outlet is not None and self._outlet.left < PLAIN_MOST:
            self._raw(data)
        else:
            self._missed = True

    def resync(self, *, clear: bool = False) -> None:
        """Send the whole screen again: something else may have painted over it."""

        def again() -> None:
            if self._stage is not None:
                self._stage.resync(clear=clear)
                self._send_due()

        self._guarded(again)

    def start_application_mode(self) -> None:
        """Take the terminal, the first time or again."""
        if self._outlet is not None:  # SIGCONT after a SIGSTOP: whoever had the terminal may have changed all of it
            self.suspend_application_mode()
        self._outlet = open_outlet(
            2 if self._file is None else self._file.fileno(), self._loop, lambda: self._guarded(self._send_due)
        )
        self._collected = []
        try:
            super().start_application_mode()  # type: ignore[no-untyped-call]
        finally:
            modes = _KITTY.sub("", "".join(self._collected))
            self._collected = None
        self._raw(modes)
        self._watch_size()
        if self._stage is not None:
            self._stage.resync(clear=True)
            if self._drawn:
                self._loop.call_later(SETTLE, lambda: self._guarded(self._send_due))
        else:
            self._make_good()

    def stop_application_mode(self) -> None:
        """Give the terminal back as it was, within twice LEAVE_WITHIN even when it stands still."""
        outlet = self._outlet
        if outlet is None:
            return
        self._collected = [_EMPTY]
        try:
            super().stop_application_mode()
        finally:
            restore = _KITTY.sub("", "".join(self._collected))
            self._collected = None
        before = _BACK
        if outlet.finish(LEAVE_WITHIN):
            before = "" if self._stage is None else self._stage.waiting()
        self._raw(before + restore)
        outlet.finish(LEAVE_WITHIN)

    def close(self) -> None:
        """Nothing reaches the terminal after this."""
        super().close()
        if self._outlet is not None:
            self._outlet.close()
            self._outlet = None

    def process_message(self, message: Message) -> None:
        """Called in the thread that reads keys."""
        if isinstance(message, events.AppBlur):
            self._blurred = True
        elif isinstance(message, events.AppFocus) and self._blurred:
            self._blurred = False
            self._loop.call_soon_threadsafe(self.resync)
        elif isinstance(message, messages.TerminalSupportsSynchronizedOutput) and self._stage is not None:
            self._stage.synchronised = True
        elif isinstance(message, events.Key | events.Paste):
            self._typed_at = time.monotonic()
        super().process_message(message)

    # ---------------------------------------------------------------- keys and mouse

    def run_input_thread(self) -> None:
        """A thread of Textual's runs this while the terminal is ours."""
        try:
            self._keyboard.read(self.exit_event, self.process_message)
        except OSError as error:
            log.warning("nothing more can be read from the terminal: %s", error)
            os.kill(os.getpid(), signal.SIGHUP)

    def disable_input(self) -> None:
        """As Textual's, but what was typed and not read yet stays there, for us or the program that comes next."""
        if self.exit_event.is_set():
            return
        signal.signal(signal.SIGWINCH, signal.SIG_DFL)
        self._disable_mouse_support()
        self.exit_event.set()
        if self._key_thread is not None:
            self._key_thread.join()
        self.exit_event.clear()

    def _enable_mouse_support(self) -> None:
        """Buttons and wheel only. Textual asks for each movement, too, which floods a slow line."""
        if self._mouse:
            self.write("\x1b[?1000h\x1b[?1006h")

    def _disable_mouse_support(self) -> None:
        if self._mouse:
            self.write("\x1b[?1006l\x1b[?1000l")

    def _query_in_band_window_resize(self) -> None:
        """Never asked: with its answer Textual takes positions of the mouse for pixels; SIGWINCH tells the size."""

    # ---------------------------------------------------------------- frames

    def _staged(self, data: str) -> None:
        stage = self._stage
        assert stage is not None
        self._drawn = True
        self._check_size(stage)
        free = self._outlet is not None and not self._outlet.behind
        text = stage.feed(data, free=free)
        if free:
            if text and len(text) <= SMALL:
                text += self._row_in_rotation(stage)
            self._raw(text)

    def _row_in_rotation(self, stage: Stage) -> str:
        """A row again, while nothing else happens; it goes with a frame, so that it costs no packet of its own."""
        now = time.monotonic()
        if now < self._row_at or now - self._typed_at < QUIET:
            return ""
        text = stage.next_row()
        self._row_at = now + max(QUIET, len(text) / ROTATION_RATE)
        return text

    def _send_due(self) -> None:
        """The terminal is free, or the picture is to be sent for another reason than a frame."""
        if self._outlet is None or self._outlet.behind:
            return
        if self._stage is None:
            self._make_good()
        else:
            self._check_size(self._stage)
            self._raw(self._stage.due())

    def _make_good(self) -> None:
        """Of Textual's own output something was left out: all of it again."""
        if self._missed:
            self._missed = False
            self._app.refresh(repaint=True, layout=True)

    def _check_size(self, stage: Stage) -> None:
        width, height = self._get_terminal_size()
        if (width, height) != (stage.picture.width, stage.picture.height):
            stage.resize(width, height)

    def _raw(self, text: str) -> None:
        if self._outlet is not None and text:
            self._outlet.send(text.encode("utf-8", "replace"))

    def _guarded(self, act: Callable[[], None], data: str = "") -> None:
        """Carry out a part of the stage; if that fails, write as Textual does from now on."""
        try:
            act()
        except Exception:
            log.exception("the output stage failed; the screen is written without it")
            outlet, self._stage = self._outlet, None
            if outlet is None:
                self._missed = True
                return
            cut = not outlet.finish(LEAVE_WITHIN)
            self._raw((_BACK if cut else "") + _EMPTY + data)
            self._app.refresh(repaint=True, layout=True)

    # ---------------------------------------------------------------- size

    def _watch_size(self) -> None:
        """Each SIGWINCH means a terminal that may have rearranged what it shows, even when it ends in the same size."""
        before = signal.getsignal(signal.SIGWINCH)

        def changed(number: int, frame: FrameType | None) -> None:
            self._loop.call_soon_threadsafe(self._resized)
            if callable(before):
                before(number, frame)

        if callable(before):
            signal.signal(signal.SIGWINCH, changed)

    def _resized(self) -> None:
        def again() -> None:
            if self._stage is not None:
                self._stage.resize(*self._get_terminal_size())
                self._loop.call_later(SETTLE, lambda: self._guarded(self._send_due))

        self._guarded(again)


def driver_of(app: App[Any]) -> ScreenDriver | None:
    """The driver of a running app on a terminal; None without one, as in tests."""
    driver = getattr(app, "_driver", None)
    return driver if isinstance(driver, ScreenDriver) else None


def driver_class(changed_cells: bool) -> type[ScreenDriver]:
    """For `App(driver_class=…)`. `changed_cells` false: Textual's own output, frame by frame."""
    return ScreenDriver if changed_cells else PlainDriver


class PlainDriver(ScreenDriver):
    """Writes what Textual writes."""

    changed_cells = False
