"""The side that was connected to: an exchange on two descriptors, until the other side has gone. What sshd starts.

It waits for bytes and for the bell, so that what is written here reaches the other side at once while it stays.
"""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

from incident_tui.journal.errors import JournalError
from incident_tui.journal.notify import BURST, Listener
from incident_tui.journal.store import Store
from incident_tui.replica.exchange import Side
from incident_tui.replica.frames import ExchangeError
from incident_tui.replica.shelf import StoreShelf

QUIET_SECONDS: Final = 120.0
"""A side that stays says something more often than that; when it does not, it was cut off without a word."""
_LOOK_SECONDS: Final = 1.0
_CHUNK: Final = 65536
_PIPE: Final = 4096
"""Bytes that a pipe which can be written takes without waiting."""


class Gone(Exception):
    """The other side does not read any more."""


def serve(store: Store, version: str, clock: Callable[[], datetime], source: int, target: int) -> str:
    """Exchange until the other side ends it, or goes. Returns why it could not be done, in a sentence that was told to
    the other side; empty when nothing was wrong with it."""
    side = Side(StoreShelf(store, clock), "the other side", version, serves=True)
    try:
        with contextlib.closing(_Bell(store.place.directory)) as bell:
            _send(target, side.begin())
            _exchange(store, side, bell, source, target)
    except Gone:
        return ""
    except (ExchangeError, JournalError) as error:
        refuse(side, target, error.sentence)
        return error.sentence
    return ""


def refuse(side: Side, target: int, sentence: str) -> None:
    """Tell the other side why nothing is exchanged."""
    with contextlib.suppress(Gone):
        _send(target, side.bye(sentence))


def _exchange(store: Store, side: Side, bell: _Bell, source: int, target: int) -> None:
    version = store.data_version()
    heard = time.monotonic()
    while not side.over:
        ready = select.select([source, *bell.files], [], [], _LOOK_SECONDS)[0]
        if source in ready:
            data = os.read(source, _CHUNK)
            if not data:
                return
            heard = time.monotonic()
            _send(target, side.feed(data))
        elif time.monotonic() - heard > QUIET_SECONDS:
            return
        if ready and source not in ready:
            time.sleep(BURST)
        bell.drain()
        if store.data_version() != version:
            version = store.data_version()
            _send(target, side.news())


def _send(target: int, data: bytes) -> None:
    """All of it. Raises Gone when nobody takes it."""
    view = memoryview(data)
    while view:
        if not select.select([], [target], [], QUIET_SECONDS)[1]:
            raise Gone
        try:
            view = view[os.write(target, view[:_PIPE]) :]
        except OSError:
            raise Gone from None


class _Bell:
    """The journal's bell, or none where a socket cannot be made: the journal is looked at each second anyway."""

    def __init__(self, directory: str) -> None:
        self._listener: Listener | None = None
        with contextlib.suppress(JournalError):
            self._listener = Listener(directory)
        self.files = [] if self._listener is None else [self._listener.fileno()]

    def drain(self) -> None:
        if self._listener is not None:
            self._listener.drain()

    def close(self) -> None:
        if self._listener is not None:
            self._listener.close()
