"""What `check` tries of the outside: each polled source of alerts, the listener's port and certificate, each room."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Callable
from datetime import datetime

from incident_tui.config import Settings
from incident_tui.secret import SecretError, read_secret
from incident_tui.text import sanitise
from incident_tui.watch.alerts.poll import PollError, fetch
from incident_tui.watch.alerts.settings import AlertSource, Hook, Listener
from incident_tui.watch.listen.listener import TlsError, tls
from incident_tui.watch.rooms.all import checked

Tried = tuple[str, str, bool | None, str]
"""Subject, what, whether it works (None: not tried), and a sentence."""


async def tried(settings: Settings, clock: Callable[[], datetime]) -> list[Tried]:
    """All that is configured of it, in the file's order."""
    polled = await asyncio.gather(*(_poll(source, clock) for source in settings.alerts if source.url))
    posted = [_credentials(source, "alerts", settings.listener) for source in settings.alerts if not source.url]
    hooks = [_credentials(hook, "hook", settings.listener) for hook in settings.hooks]
    listener = [_listener(settings.listener)] if settings.listener.bind else []
    read = await asyncio.gather(*(checked(room, clock) for room in settings.rooms))
    rooms = [(room.name, "room", ok, said) for room, (ok, said) in zip(settings.rooms, read, strict=True)]
    return [*polled, *posted, *listener, *hooks, *rooms]


async def _poll(source: AlertSource, clock: Callable[[], datetime]) -> Tried:
    try:
        alerts = await fetch(source, clock())
    except PollError as error:
        return source.name, "alerts", False, f"{error} (GET {source.url.rstrip('/')}/api/v2/alerts)"
    firing = sum(not alert.silenced for alert in alerts)
    return source.name, "alerts", True, f"answers; {firing} firing, {len(alerts) - firing} silenced"


def _credentials(table: AlertSource | Hook, what: str, listener: Listener) -> Tried:
    """Of what is posted to us, whether it could be told from a stranger's."""
    place = f"/{'alerts' if what == 'alerts' else 'chat'}/{table.name}"
    try:
        own = [read_secret(table.token_env, table.token_file), read_secret(table.secret_env, table.secret_file)]
        shared = read_secret(listener.token_env, listener.token_file) if not any(own) else ""
    except SecretError as error:
        return table.name, what, False, f"{error}: nothing that is posted to {place} is taken"
    if not any(own) and not shared:
        return table.name, what, None, f"{place} takes what anybody on this machine posts; a token would tell who it is"
    return table.name, what, True, f"token or secret for {place} is there; try it from the other side"


def _listener(settings: Listener) -> Tried:
    """Whether the port can be had, or is had: by the watch, as far as can be seen from here."""
    try:
        tls(settings)
    except TlsError as error:
        return "listener", "port", False, str(error)
    host, port = settings.address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return "listener", "port", True, f"{settings.bind} is taken: by the watch, when one runs"
            why = sanitise(os.strerror(error.errno or 0), limit=60)
            return "listener", "port", False, f"{settings.bind} cannot be had ({why}); choose another in [listener]"
    return "listener", "port", True, f"{settings.bind} is free; the watch listens there"
