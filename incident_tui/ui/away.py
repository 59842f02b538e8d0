"""The terminal in other hands: an editor's while a line is written, the shell's after Ctrl+Z.

Meanwhile the loop goes on: entries and readings arrive, presence beats, lines are saved. Nothing is painted and no key
is read; what would have rung rings afterwards. The editor shares our process group, as with `git commit`: its Ctrl+Z
stops us both, `fg` wakes us both, and its Ctrl+C is nothing to us.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol

from incident_tui.incident.finding import Level
from incident_tui.ui.session import CONFINED, Session
from incident_tui.ui.times import clock, short

if TYPE_CHECKING:
    from incident_tui.ui.conversation import Conversation

LONG: Final = timedelta(minutes=1)
"""After so long it is said what happened since."""
MOST: Final = 5_000
"""Entries that are looked at for what is new."""
_ECHO: Final = 0.5
"""Seconds after coming back in which SIGCONT is the one that brought us back."""
_STOPPED: Final = 0.05
"""Seconds: a stop that lasted less was none, because nobody could wake us again."""


class Screen(Protocol):
    """Whose terminal it is."""

    session: Session
    seen_at: datetime
    """When it was last painted."""

    @property
    def talk(self) -> Conversation: ...

    @property
    def is_running(self) -> bool: ...

    @property
    def stoppable(self) -> bool:
        """It runs on a terminal."""

    def release_terminal(self) -> None:
        """The terminal as it was before the screen; nothing is written to it from now on."""

    def claim_terminal(self) -> None:
        """The screen again, drawn anew."""

    def back(self, since: datetime) -> None:
        """The terminal is ours again, after others had it since then."""


class Away:
    """Gives the terminal of one screen away and takes it back."""

    def __init__(self, app: Screen) -> None:
        self.app = app
        self.since: datetime | None = None
        """When the terminal was given away; None while it is ours."""
        self._back_at = -_ECHO

    def listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take over the signals of job control from Textual's driver, which acts on them in the middle of anything."""
        loop.add_signal_handler(signal.SIGTSTP, self._stopped_by)
        loop.add_signal_handler(signal.SIGCONT, self._continued)
        loop.add_signal_handler(signal.SIGQUIT, lambda: None)

    def give(self) -> None:
        """The terminal is as it was before the screen, and nothing is written to it any more."""
        if self.since is not None:
            return
        self.since = self.app.session.clock()
        self.app.release_terminal()

    def take_back(self) -> None:
        """The screen again, drawn anew. Says what happened when it was away for long."""
        since, self.since = self.since, None
        if since is None:
            return
        self.app.claim_terminal()
        self._back_at = time.monotonic()
        self.app.back(since)

    def suspend(self) -> None:
        """Ctrl+Z: the whole job stops, as the shell expects it; without a shell that could wake it, nothing stops."""
        if self.app.session.confined:
            self.app.talk.said = (f"There is no shell: {CONFINED}", "warn")
            return
        if not self.app.stoppable:
            self.app.talk.said = ("There is no terminal to go to.", "warn")
            return
        self.give()
        before = time.monotonic()
        _stop(0)
        none = time.monotonic() - before < _STOPPED
        self._take_back_in_front()
        if none:
            self.app.talk.said = ("Nothing could wake this screen again: it was not started from a shell.", "warn")

    def _stopped_by(self) -> None:
        """SIGTSTP from elsewhere, or from the editor's Ctrl+Z."""
        if self.since is not None:
            _stop(os.getpid())
        else:
            self.give()
            _stop(os.getpid())
            self._take_back_in_front()

    def _continued(self) -> None:
        """After SIGSTOP, of which nobody is told: whoever had the terminal meanwhile may have changed all of it."""
        echo = time.monotonic() - self._back_at < _ECHO
        if self.since is None and self.app.is_running and not echo:
            self.give()
            self.since = self.app.seen_at
            self._take_back_in_front()

    def _take_back_in_front(self) -> None:
        """Take the terminal back once it is ours: after `bg` it is not, and writing to it would be an offence."""
        tries = 0
        while not _in_front() and tries < 3:
            before = time.monotonic()
            _stop(os.getpid(), signal.SIGTTOU)
            tries = tries + 1 if time.monotonic() - before < _STOPPED else 0
        self.take_back()


def news(session: Session, since: datetime) -> str:
    """What happened since then, in a sentence."""
    now = session.clock()
    view = session.view()
    new = sum(row.entry.recorded_at > since for row in view.rows[-MOST:])
    count = f"{new} new entr{'y' if new == 1 else 'ies'}" if new else "nothing new in the timeline"
    critical = sum(one.level is Level.CRIT for one in view.findings)
    return f"Away for {short(now - since)}, since {clock(since)}Z: {count}; {critical or 'nothing'} critical now."


def _in_front() -> bool:
    """Whether the terminal is ours; true as well where that cannot be told."""
    try:
        return os.tcgetpgrp(sys.__stdin__.fileno() if sys.__stdin__ else 0) == os.getpgrp()
    except OSError:
        return True


def _stop(process: int, number: signal.Signals = signal.SIGTSTP) -> None:
    """Stop a process, or our whole group (0), as the system does it: not at all where nobody could continue it.
    Returns when we go on."""
    ours = signal.signal(number, signal.SIG_DFL)
    try:
        os.kill(process, number)
    finally:
        signal.signal(number, ours)
        if ours not in (signal.SIG_DFL, signal.SIG_IGN, None):
            signal.siginterrupt(number, False)
