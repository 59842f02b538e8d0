"""The thread that has a screen's own entries signed: at most each half minute, and when the screen is left.

Saving never waits for it. While it fails, `problem` says why and since when, and what was saved meanwhile is signed
when the agent is back, or by `incident-tui sign`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from incident_tui.incident.entry import Entry
from incident_tui.journal.errors import JournalError
from incident_tui.journal.sign import Signs, sign
from incident_tui.journal.sign_agent import NotSigned
from incident_tui.journal.store import Store

EVERY: Final = 30.0
"""Seconds that entries wait for others, so that one signature covers them."""


class Signing:
    """`note` what was saved; `close` at the end. `signs` is asked each time, as what it says can be mended."""

    def __init__(
        self,
        open_store: Callable[[], Store],
        signs: Callable[[], Signs | None],
        *,
        clock: Callable[[], datetime],
        source: str = "tui",
        every: float = EVERY,
    ) -> None:
        self._open_store = open_store
        self._signs = signs
        self._clock = clock
        self._source = source
        self._every = every
        self._waiting: dict[int, Entry] = {}
        self._changed = threading.Condition()
        self._closing = False
        self._problem = ""
        self._since: datetime | None = None
        self._thread: threading.Thread | None = None

    @property
    def problem(self) -> str:
        """One sentence while entries are not signed that should be; else empty."""
        with self._changed:
            since = f" since {self._since:%H:%M}Z" if self._since is not None else ""
            return f"not signed{since}: {self._problem}" if self._problem else ""

    def note(self, entries: Sequence[Entry]) -> None:
        """Entries that this process has just saved. Returns at once; any thread may call it."""
        with self._changed:
            self._waiting.update((entry.seq, entry) for entry in entries)
            if self._thread is None and self._waiting and not self._closing:
                self._thread = threading.Thread(target=self._run, name="signing", daemon=True)
                self._thread.start()

    def close(self) -> str:
        """Sign what waits and end. Returns the problem when some of it could not be signed."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()  # the agent has its limit, and an append waits only so long for the lock
        return self.problem

    def _run(self) -> None:
        while True:
            end = time.monotonic() + self._every
            with self._changed:
                while not self._closing and (left := end - time.monotonic()) > 0:
                    self._changed.wait(left)
                closing, waiting = self._closing, dict(self._waiting)
            if waiting:
                self._try(waiting)
            if closing:
                return

    def _try(self, waiting: dict[int, Entry]) -> None:
        try:
            by = self._signs()
            mine = [seq for seq, entry in waiting.items() if by is not None and by.mine(entry)]
            if by is not None and mine:
                with self._open_store() as store:
                    sign(store, by, mine, self._source)
            problem = ""
        except (NotSigned, JournalError) as error:
            problem = error.sentence
        with self._changed:
            if not problem:
                for seq in waiting:
                    self._waiting.pop(seq, None)
            if problem and not self._problem:
                self._since = self._clock()
            self._problem = problem
            self._since = self._since if problem else None
