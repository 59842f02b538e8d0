"""How a message leaves: by HTTP, into a program, into a file. What the sender sees is the same."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

from incident_tui.watch.chat.kinds import PLATFORMS
from incident_tui.watch.chat.platform import Facts, Outcome, Outgoing
from incident_tui.watch.settings import ChatSink

Attempt = Callable[[], Awaitable[Outcome]]
"""One attempt. It raises nothing but a cancellation."""


class Delivery(Protocol):
    @property
    def facts(self) -> Facts: ...

    def prepare(self, out: Outgoing) -> Attempt:
        """What can fail before anything has left; it touches nothing. Raises `platform.Misfit` with one sentence."""

    async def close(self) -> None: ...


def delivery(sink: ChatSink, clock: Callable[[], datetime]) -> Delivery:
    """What carries the messages of this sink."""
    if sink.kind in PLATFORMS:
        from incident_tui.watch.chat.http import Http

        return Http(sink, PLATFORMS[sink.kind], clock)
    if sink.kind == "command":
        from incident_tui.watch.chat.command import Command

        return Command(sink)
    from incident_tui.watch.chat.file import File

    return File(sink, clock)
