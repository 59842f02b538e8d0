"""A server on a port of 127.0.0.1 that can be stopped and started again: what every fake platform is."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from typing import Any, Self

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Served:
    """Subclasses add routes in `routes`. `refuse`: so many requests are answered 429, to wait a moment."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.refuse = 0
        self.asked: list[str] = []
        """The paths of all requests."""
        self.sockets: list[tuple[web.WebSocketResponse, web.Request]] = []
        self._runner: web.AppRunner | None = None

    def routes(self) -> list[web.RouteDef]:
        raise NotImplementedError

    async def start(self) -> None:
        app = web.Application(middlewares=[self._middleware])
        app.add_routes(self.routes())
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()

    async def stop(self) -> None:
        """As a server that dies: connections break."""
        runner, self._runner = self._runner, None
        for _, request in self.sockets:
            if request.transport is not None:
                request.transport.abort()
        self.sockets.clear()
        if runner is not None:
            await runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop()

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.asked.append(request.path)
        if self.refuse > 0:
            self.refuse -= 1
            body = {"retry-after": 0.01, "retry_after": 0.01, "ok": False, "error": "ratelimited", "result": "error"}
            return web.json_response(body, status=429, headers={"Retry-After": "0.01"})
        return await handler(request)

    async def opened(self, request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        self.sockets.append((ws, request))
        return ws

    async def tell(self, frame: dict[str, Any]) -> None:
        """One frame to every open socket."""
        for ws, _ in list(self.sockets):
            if not ws.closed:
                await ws.send_json(frame)

    def cut(self) -> None:
        """Breaks every connection in the middle of a frame: a text of 1,000 bytes is announced, a few come."""
        for _, request in self.sockets:
            if request.transport is not None:
                request.transport.write(b'\x81\x7e\x03\xe8{"event":"posted","type":"events_api"')
                request.transport.close()
        self.sockets.clear()
