"""A file takes the messages: one a line, with the time, readable by its owner only."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from datetime import datetime

from incident_tui.watch.chat.delivery import Attempt
from incident_tui.watch.chat.fitting import fit
from incident_tui.watch.chat.platform import Outcome, Outgoing, Pace
from incident_tui.watch.settings import ChatSink

_MODE = 0o600


class FileFacts:
    limit = 60_000
    pace = Pace(0.01, 100)
    idempotent = False
    threads = False

    def size(self, text: str) -> int:
        return len(text)


class File:
    def __init__(self, sink: ChatSink, clock: Callable[[], datetime]) -> None:
        self.facts = FileFacts()
        self._path = sink.path
        self._clock = clock

    def prepare(self, out: Outgoing) -> Attempt:
        # Lines after the first are set in, so that a message cannot pass for another one.
        text = fit(out.text, self.facts.limit, self.facts.size).replace("\n", "\n    ")
        line = f"{self._clock():%Y-%m-%dT%H:%M:%SZ} {text}\n".encode()
        return lambda: asyncio.to_thread(_append, self._path, line)

    async def close(self) -> None:
        return None


def _append(path: str, line: bytes) -> Outcome:
    """All of the line or nothing of it, as far as we are the only writer."""
    try:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        handle = os.open(path, flags, _MODE)
    except OSError as error:
        return Outcome("again", f"{path} cannot be opened ({os.strerror(error.errno or 0)})")
    try:
        before = os.fstat(handle).st_size
        try:
            written = 0
            while written < len(line):
                written += os.write(handle, line[written:])
            os.fsync(handle)
        except OSError as error:
            os.ftruncate(handle, before)
            return Outcome("again", f"the file cannot be written ({os.strerror(error.errno or 0)})")
    except OSError as error:
        return Outcome("maybe", f"the file cannot be written ({os.strerror(error.errno or 0)})")
    finally:
        os.close(handle)
    return Outcome("sent")
