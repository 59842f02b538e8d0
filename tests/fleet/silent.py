"""A wire between us and an sshd that can fall silent: connections stay, nothing passes any more."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any


class Silent:
    """As an async context; `port` is where to connect."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._passes = asyncio.Event()
        self._passes.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    async def __aenter__(self) -> Silent:
        self._server = await asyncio.start_server(self._joined, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def fall_silent(self) -> None:
        self._passes.clear()

    def known(self, sshd: Any) -> str:
        """A known_hosts file with the server's key at our port."""
        path = Path(sshd.directory) / "known_silent"
        path.write_text(sshd.known_hosts.read_text().replace(f":{self._target} ", f":{self.port} "))
        return str(path)

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, to = await asyncio.open_connection("127.0.0.1", self._target)
        for source, target in ((reader, to), (there, writer)):
            self._tasks.add(asyncio.create_task(self._pass(source, target)))

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                await self._passes.wait()
                target.write(data)
                await target.drain()
        finally:
            target.close()
