"""TCP relays on loopback that a test can cut, stall, slow down, heal, or end after some bytes. All of them are in one
event loop in a thread of its own, since a cluster has many."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any


@functools.cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="relays", daemon=True).start()
    return loop


class Relay:
    """Listens on `port` of 127.0.0.1 and passes everything to `target` there, both ways, while it may. Its methods are
    called from the test's thread."""

    def __init__(self, target: int) -> None:
        self._target = target
        self.port = 0
        self.seconds = 0.0
        """Each piece is held back so long, in each direction; set it at any time."""
        self._left: int | None = None
        """Bytes that still go through, of both ways; None: all."""
        self._goes = asyncio.Event()
        self._cut = False
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._do(self._start())

    def _do(self, doing: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(doing, _loop()).result(20)

    def __enter__(self) -> Relay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._do(self._end())

    def cut(self) -> None:
        """Connections end, new ones are closed at once."""
        self._cut = True
        self._do(self._drop())

    def stall(self) -> None:
        """Nothing goes through any more and nothing says so, as when a firewall drops packets."""
        self._do(self._set(goes=False))

    def heal(self) -> None:
        """Everything goes through again: also what waited while it was stalled, in connections that are still there."""
        self._cut, self._left = False, None
        self._do(self._set(goes=True))

    def limit(self, count: int) -> None:
        """Cut after so many bytes more."""
        self._left = count

    async def _start(self) -> None:
        self._goes.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def _end(self) -> None:
        if self._server is not None:
            self._server.close()
        await self._drop()

    async def _set(self, *, goes: bool) -> None:
        if goes:
            self._goes.set()
        else:
            self._goes.clear()

    async def _drop(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._goes.wait()
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

        async def take() -> None:
            piece = b"-"
            while piece:
                with contextlib.suppress(ConnectionError):
                    piece = b""
                    piece = await reader.read(65536)
                await queue.put((_loop().time() + self.seconds, piece))

        taking = asyncio.create_task(take())
        try:
            while not self._cut:
                due, piece = await queue.get()
                await asyncio.sleep(max(0.0, due - _loop().time()))
                await self._goes.wait()
                if self._left is not None:
                    self._left -= len(piece)
                    self._cut = self._cut or self._left < 0
                if self._cut or not piece:
                    return
                writer.write(piece)
                await writer.drain()
        finally:
            taking.cancel()
            await asyncio.gather(taking, return_exceptions=True)
