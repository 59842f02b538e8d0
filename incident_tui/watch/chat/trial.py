"""Whether a sink could take messages, without sending one: for `incident-tui check`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import ssl
from collections.abc import Callable
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from incident_tui.watch.chat.credentials import secrets_of
from incident_tui.watch.chat.http import Http
from incident_tui.watch.chat.kinds import PLATFORMS
from incident_tui.watch.chat.platform import Askable, Misfit
from incident_tui.watch.settings import ChatSink

_CONNECTS_WITHIN: Final = 8.0


async def trial(sink: ChatSink, clock: Callable[[], datetime]) -> tuple[bool, str]:
    """Whether nothing stands against it, and one sentence without secrets. Where a platform lets itself be asked, its
    token and its room are tried; of a webhook only whether its server answers, because any more would be a message."""
    more = f"incident-tui chat test {sink.name} sends a message"
    if sink.kind == "command":
        there = shutil.which(sink.command[0]) is not None
        return there, f"the program is there; {more}" if there else f"there is no program {sink.command[0]}"
    if sink.kind == "file":
        there = os.access(sink.path, os.F_OK)
        may = os.access(sink.path if there else os.path.dirname(sink.path), os.W_OK)
        return may, f"can be written; {more}" if may else f"{sink.path} cannot be written"
    platform = PLATFORMS[sink.kind]
    try:
        if isinstance(platform, Askable):
            way = Http(sink, platform, clock)
            try:
                problem = await way.ask(platform)
            finally:
                await way.close()
            return not problem, problem or f"token and place are accepted; {more}"
        problem = await _connects(secrets_of(sink).url)
    except Misfit as misfit:
        return False, str(misfit)
    return not problem, problem or f"its server answers; {more}"


async def _connects(url: str) -> str:
    """Why there is no connection; empty when there is one. The host's name is no secret, the rest of the URL is."""
    try:
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        host, port = parts.hostname or "", parts.port or (443 if secure else 80)
    except ValueError:
        return "its URL is not one"
    try:
        async with asyncio.timeout(_CONNECTS_WITHIN):
            _, writer = await asyncio.open_connection(host, port, ssl=ssl.create_default_context() if secure else None)
    except TimeoutError:
        return "no connection in time"
    except ssl.SSLCertVerificationError:
        return "its TLS certificate is not valid"
    except ssl.SSLError:
        return "TLS could not be agreed"
    except OSError as error:
        number = error.errno or 0
        return f"cannot connect ({os.strerror(number) if number > 0 else 'its name is not found'})"
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return ""
