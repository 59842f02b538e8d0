"""A line as slow as the one at 03:10."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest


class SlowLine:
    """A relay on loopback in front of `port`: what passes comes `delay` seconds later, and no faster than `rate` bytes
    a second, each way."""

    def __init__(self, port: int, delay: float, rate: float) -> None:
        self._to = port
        self._delay = delay
        self._rate = rate
        self.port = 0
        self.back = 0
        """Bytes that came back from the server so far."""
        self._ends: list[asyncio.StreamWriter] = []
        self._serving: list[asyncio.Task[None]] = []
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serving.append(self._loop.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        self._ends += [writer, far_writer]
        await asyncio.gather(self._pass(reader, far_writer, False), self._pass(far_reader, writer, True))

    def cut(self) -> None:
        """The line is gone, for both ends."""

        def cut() -> None:
            for end in self._ends:
                end.transport.abort()

        self._loop.call_soon_threadsafe(cut)

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, back: bool) -> None:
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def out() -> None:
            free = 0.0
            while True:
                at, data = await queue.get()
                free = max(free, at) + len(data) / self._rate
                await asyncio.sleep(free - loop.time())
                target.write(data)
                if not data:
                    target.close()
                    return

        task = asyncio.create_task(out())
        while data := await source.read(512):
            if back:
                self.back += len(data)
            queue.put_nowait((loop.time() + self._delay, data))
        queue.put_nowait((loop.time() + self._delay, b""))
        await task

    def close(self) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)


@pytest.fixture
def slow_line() -> Iterator[Callable[..., SlowLine]]:
    """`slow_line(port)`: 300 ms there and back, 64 kbit/s."""
    made: list[SlowLine] = []

    def start(port: int, delay: float = 0.15, rate: float = 8000.0) -> SlowLine:
        made.append(SlowLine(port, delay, rate))
        return made[-1]

    yield start
    for one in made:
        one.close()
