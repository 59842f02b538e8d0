"""Where bytes leave for the terminal without ever waiting for it."""

from __future__ import annotations

import asyncio
import logging
import os
import select
import threading
import time
from collections.abc import Callable
from typing import Final, Protocol

log: Final = logging.getLogger("incident_tui.ui")
_BLOCK: Final = 16384


class Outlet(Protocol):
    """All of it is called in the event loop. A terminal that is gone takes everything in silence."""

    @property
    def behind(self) -> bool:
        """Whether bytes are left from before; `drained` is called in the loop when they are gone."""

    @property
    def left(self) -> int:
        """How many bytes wait, besides a block that is being written."""

    def send(self, data: bytes) -> None:
        """Send now what the terminal takes, and keep the rest."""

    def finish(self, seconds: float) -> bool:
        """Wait until all is sent, no longer than so many seconds. Whether it was; the rest is dropped."""

    def close(self) -> None:
        """Give back what was opened."""


def open_outlet(fileno: int, loop: asyncio.AbstractEventLoop, drained: Callable[[], None]) -> Outlet:
    """For the terminal at a file descriptor. It is opened anew where we may: our O_NONBLOCK is then no other's."""
    try:
        mine = os.open(os.ttyname(fileno), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return ThreadOutlet(fileno, loop, drained)  # no terminal, or that of another account (su)
    return PolledOutlet(mine, loop, drained)


class PolledOutlet:
    """On a descriptor of its own that does not block."""

    def __init__(self, fileno: int, loop: asyncio.AbstractEventLoop, drained: Callable[[], None]) -> None:
        self._fileno = fileno
        self._loop = loop
        self._drained = drained
        self._left = b""
        self._polled = False
        self._dead = False

    @property
    def behind(self) -> bool:
        return bool(self._left)

    @property
    def left(self) -> int:
        return len(self._left)

    def send(self, data: bytes) -> None:
        self._left += data
        if not self._polled:
            self._push()

    def finish(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        poller = select.poll()
        poller.register(self._fileno, select.POLLOUT)
        while self._left and not self._dead and (left := end - time.monotonic()) > 0:
            poller.poll(left * 1000)
            self._push()
        done = not self._left
        self._left = b""
        self._unpoll()
        return done

    def close(self) -> None:
        self._left = b""
        if not self._dead:
            self._dead = True
            self._unpoll()
            os.close(self._fileno)

    def _push(self) -> None:
        if self._dead:
            self._left = b""
            return
        try:
            while self._left:
                self._left = self._left[os.write(self._fileno, self._left[:_BLOCK]) :]
        except BlockingIOError:
            if not self._polled:
                self._polled = True
                self._loop.add_writer(self._fileno, self._writable)
        except OSError as error:
            log.warning("the terminal takes nothing any more: %s", error)
            self.close()

    def _writable(self) -> None:
        self._push()
        if not self._left:
            self._unpoll()
            self._drained()

    def _unpoll(self) -> None:
        if self._polled:
            self._polled = False
            self._loop.remove_writer(self._fileno)


class ThreadOutlet:
    """On a descriptor that may block, and is shared: a thread writes, and waits for the terminal in our stead."""

    def __init__(self, fileno: int, loop: asyncio.AbstractEventLoop, drained: Callable[[], None]) -> None:
        self._fileno = fileno
        self._loop = loop
        self._drained = drained
        self._left = b""
        self._writing = False
        self._closed = False
        self._changed = threading.Condition()
        threading.Thread(target=self._run, name="terminal-output", daemon=True).start()

    @property
    def behind(self) -> bool:
        return bool(self._left) or self._writing

    @property
    def left(self) -> int:
        return len(self._left)

    def send(self, data: bytes) -> None:
        with self._changed:
            if not self._closed:
                self._left += data
                self._changed.notify_all()

    def finish(self, seconds: float) -> bool:
        with self._changed:
            done = self._changed.wait_for(lambda: not self.behind, seconds)
            self._left = b""
        return done

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._left = b""
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._left or self._closed)
                if self._closed:
                    return
                block, self._left = self._left, b""
                self._writing = True
            try:
                self._write(block)
            except OSError as error:
                log.warning("the terminal takes nothing any more: %s", error)
                self.close()
            with self._changed:
                self._writing = False
                self._changed.notify_all()
                if self._left or self._closed:
                    continue
            try:
                self._loop.call_soon_threadsafe(self._drained)
            except RuntimeError:
                return  # the loop has ended

    def _write(self, block: bytes) -> None:
        while block:
            try:
                block = block[os.write(self._fileno, block[:_BLOCK]) :]
            except BlockingIOError:  # whoever shares it made it so
                select.select([], [self._fileno], [])
