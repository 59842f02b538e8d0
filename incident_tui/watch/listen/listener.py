"""Keeps the port open while the lease is held, and says why it is not."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from collections.abc import Callable
from typing import Final

from incident_tui.text import sanitise
from incident_tui.watch.alerts.settings import Listener as ListenerSettings
from incident_tui.watch.listen.port import Port
from incident_tui.watch.listen.routes import Routes

log = logging.getLogger("incident_tui.watch")

_AGAIN: Final = 5.0
"""Seconds until a port that could not be had is tried again: another watch may just be ending."""


class TlsError(Exception):
    """Certificate or key cannot be used; the sentence holds nothing of them."""


def tls(settings: ListenerSettings) -> ssl.SSLContext | None:
    """None without a certificate. Raises TlsError."""
    if not settings.cert:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.cert, settings.key, password="")  # or it would ask on a terminal
    except (OSError, ssl.SSLError, ValueError) as error:
        raise TlsError(f"its certificate {settings.cert} or key cannot be used ({type(error).__name__})") from None
    return context


async def listen(
    settings: ListenerSettings, routes: Routes, told: Callable[[str], None], port: Port | None = None
) -> None:
    """Listens until it is cancelled; `told` gets why it does not, or "" when it does."""
    port = Port(routes.handle) if port is None else port
    try:
        while True:
            try:
                host, number = settings.address
                await port.start(host, number, tls(settings))
                break
            except TlsError as error:
                told(str(error))
            except OSError as error:
                told(f"{settings.bind} cannot be had ({sanitise(os.strerror(error.errno or 0), limit=60)})")
            await asyncio.sleep(_AGAIN)
        told("")
        log.info("listening on %s", settings.bind)
        await asyncio.get_running_loop().create_future()
    finally:
        await port.stop()
