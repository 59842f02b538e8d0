"""TCP relays on loopback in one event loop, for the many of a cluster: they delay, too, which `relay` does not."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from typing import Any


class Relays:
    """One thread with one loop for all relays of a test; `close` ends it."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="relays", daemon=True)
        self._thread.start()
        self._all: list[Relay] = []

    def to(self, port: int) -> Relay:
        """A relay to this port of 127.0.0.1."""
        relay = Relay(self, port)
        self.wait(relay.start())
        self._all.append(relay)
        return relay

    def wait(self, doing: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(doing, self.loop).result(20)

    def close(self) -> None:
        for relay in self._all:
            self.wait(relay.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(20)
        self.loop.close()


class Relay:
    """Listens on `port`. Its methods are called from the test's thread."""

    def __init__(self, relays: Relays, target: int) -> None:
        self._relays = relays
        self._target = target
        self.port = 0
        self.seconds = 0.0
        """Each piece is held back so long, in each direction; set it at any time."""
        self._open = asyncio.Event()
        self._cut = False
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._open.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        await self._drop()

    def cut(self) -> None:
        """Connections end, new ones are closed at once."""
        self._cut = True
        self._relays.wait(self._drop())

    def stall(self) -> None:
        """Nothing goes through any more and nothing says so, as when a firewall drops packets."""
        self._relays.wait(self._stall())

    def heal(self) -> None:
        self._cut = False
        self._relays.wait(self._heal())

    async def _stall(self) -> None:
        self._open.clear()

    async def _heal(self) -> None:
        self._open.set()

    async def _drop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._open.wait()
            if not self._cut:
                await self._relay(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            pumps = [asyncio.create_task(one) for one in (self._pump(reader, back), self._pump(there, writer))]
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)
        finally:
            back.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Reading and writing are apart, so that a delay delays each piece and not those behind it as well."""
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(1000)

        async def write() -> None:
            while True:
                due, piece = await queue.get()
                await asyncio.sleep(max(0.0, due - self._relays.loop.time()))
                await self._open.wait()
                writer.write(piece)
                await writer.drain()

        writing = asyncio.create_task(write())
        try:
            while piece := await reader.read(65536):
                await queue.put((self._relays.loop.time() + self.seconds, piece))
        finally:
            writing.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await writing
