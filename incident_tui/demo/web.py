"""The demo's public sites and its chat receiver, on loopback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from incident_tui.text import sanitise


class Web:
    """`status(site)` says what a site answers; `arrived(text)` gets each chat message."""

    def __init__(self, status: Callable[[str], int], arrived: Callable[[str], None]) -> None:
        self._status = status
        self._arrived = arrived
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def start(self) -> None:
        app = web.Application(client_max_size=1 << 20)
        app.router.add_get("/site/{name}", self._site)
        app.router.add_post("/chat/demo", self._chat)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        server: Any = site._server
        self.port = server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _site(self, request: web.Request) -> web.Response:
        status = self._status(request.match_info["name"])
        return web.Response(status=status, text="ok\n" if status == 200 else "502 Bad Gateway\n")

    async def _chat(self, request: web.Request) -> web.Response:
        try:
            said = (await request.json())["text"]
        except (ValueError, KeyError, TypeError):
            return web.Response(status=400, text="invalid_payload")
        self._arrived(sanitise(str(said), lines=True))
        return web.Response(text="ok")
