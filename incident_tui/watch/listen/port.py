"""The port itself: connections, their number and their patience. Who sends slowly, or nothing, is cut off.

aiohttp has no limit on the time that the head of the first request may take, and none on connections: `_Timed` stands
between the transport and aiohttp's protocol and keeps both.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

HEAD_SECONDS: Final = 5.0
"""From the connection to the last byte of the head."""
IDLE_SECONDS: Final = 30.0
"""Between two requests of one connection, with the whole head of the second."""
CONNECTIONS: Final = 200
_TLS_SECONDS: Final = 5.0

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class _Timed(asyncio.Protocol):
    """Passes everything on to `inner`, unless there are too many or the first head does not come."""

    def __init__(self, inner: asyncio.Protocol, port: Port) -> None:
        self._inner = inner
        self._port = port
        self._timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None
        self._refused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if len(self._port.open) >= self._port.connections:
            self._refused = True
            transport.abort()
            return
        self._port.open[transport] = self
        self._timer = asyncio.get_running_loop().call_later(self._port.head_seconds, transport.abort)
        self._inner.connection_made(transport)

    def begun(self) -> None:
        """The head is there."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def data_received(self, data: bytes) -> None:
        if not self._refused:
            self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return None if self._refused else self._inner.eof_received()

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self.begun()
        if self._refused:
            return
        if self._transport is not None:
            self._port.open.pop(self._transport, None)
        self._inner.connection_lost(exc)


class Port:
    """One listening socket. `handler` answers each request; what it raises is its own defect and becomes a 500."""

    def __init__(
        self,
        handler: Handler,
        *,
        head_seconds: float = HEAD_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
        connections: int = CONNECTIONS,
    ) -> None:
        self.head_seconds = head_seconds
        self.connections = connections
        self.open: dict[asyncio.BaseTransport, _Timed] = {}
        self._handler = handler
        self._idle = idle_seconds
        self._web: web.Server | None = None
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None) -> int:
        """Listens; returns the port. Raises OSError."""
        # What a stranger sent does not belong into our log: aiohttp would print it.
        silent = logging.Logger("incident_tui.watch.listen.silent")
        silent.addHandler(logging.NullHandler())
        self._web = web.Server(
            self._handle,
            access_log=None,
            logger=silent,
            keepalive_timeout=self._idle,
            lingering_time=1.0,
            auto_decompress=False,
        )
        made = self._web
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Timed(made(), self),
            host,
            port,
            ssl=tls,
            backlog=128,
            reuse_address=True,
            ssl_handshake_timeout=None if tls is None else _TLS_SECONDS,
        )
        return int(self._server.sockets[0].getsockname()[1])

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        timed = self.open.get(request.transport) if request.transport is not None else None
        if timed is not None:
            timed.begun()
        return await self._handler(request)

    async def stop(self) -> None:
        """Ends it and all connections."""
        if self._server is not None:
            self._server.close()
        if self._web is not None:
            await self._web.shutdown(1.0)
        for transport in list(self.open):
            if isinstance(transport, asyncio.Transport):
                transport.abort()
