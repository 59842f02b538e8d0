"""A loud chat room: 5,000 messages a minute into the journal of a real watch.

    python benchmarks/rooms.py [SECONDS]

A watch reads a server that speaks Mattermost's websocket. First 6,000 messages that no rule takes, as fast as they go,
twice: what is kept of messages is bounded, so the second 6,000 must not make the watch grow by more than 4 MiB. Then
SECONDS (60) of 5,000 messages a minute that all become entries: the time from the server's sending to when another
process (a screen, a command) reads the entry. Goals: 95 of 100 within 1 s, none lost, none twice; the watch grows by at
most 8 KiB an entry, which is what the fold keeps of it. Exit status 1 when one is missed.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from benchmarks.fleet import resident
from benchmarks.people import PROGRAM, ROOT
from incident_tui.incident.entry import Kind
from incident_tui.journal.store import Store

RATE = 5_000 / 60
QUIET = 6_000
CHANNEL = "c" * 26
TOKEN = "benchmark-token"


class Server:
    """What the watch asks of Mattermost, and nothing it keeps."""

    def __init__(self) -> None:
        self.socket: web.WebSocketResponse | None = None
        self.connected = asyncio.Event()
        self._sent = 0

    async def start(self) -> int:
        app = web.Application()
        api = "/api/v4"
        app.add_routes(
            [
                web.get(f"{api}/users/me", lambda request: _json({"id": "b" * 26, "username": "bot"})),
                web.get(f"{api}/channels/{{id}}/members/me", lambda request: _json({"user_id": "b" * 26})),
                web.get(f"{api}/channels/{{id}}/posts", lambda request: _json({"order": [], "posts": {}})),
                web.get(f"{api}/websocket", self._websocket),
            ]
        )
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return int(runner.addresses[0][1])

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"event": "hello", "data": {"connection_id": "k"}, "broadcast": {}, "seq": 0})
        self.socket = socket
        self.connected.set()
        async for _ in socket:
            pass
        return socket

    async def say(self, text: str) -> None:
        assert self.socket is not None
        self._sent += 1
        now = int(time.time() * 1000)
        post = {"id": f"p{self._sent:025}", "create_at": now, "channel_id": CHANNEL, "user_id": "a" * 26}
        data = {"post": json.dumps({**post, "message": text, "type": ""}), "sender_name": "@ana"}
        frame = {"event": "posted", "data": data, "broadcast": {"channel_id": CHANNEL}, "seq": self._sent}
        await self.socket.send_str(json.dumps(frame))


async def _json(body: dict[str, Any]) -> web.Response:
    return web.json_response(body)


class Reader:
    """Reads the journal as a screen does: how long each text that is a number took, and how often it was seen."""

    def __init__(self, journal: Path) -> None:
        self._store = Store.open(journal)
        self._seq = 0
        self.seen: dict[int, list[float]] = {}

    def look(self) -> None:
        now = time.monotonic()
        for entry in self._store.read(self._seq):
            self._seq = entry.seq
            if entry.kind is Kind.CHAT and entry.text.isdecimal():
                self.seen.setdefault(int(entry.text), []).append(now)

    async def watch(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(0.02)


async def loud(server: Server, reader: Reader, seconds: float) -> list[float]:
    """Says numbers at the pace; returns how long each took, in seconds."""
    looking = asyncio.create_task(reader.watch())
    sent: dict[int, float] = {}
    begin = time.monotonic()
    for number in range(int(RATE * seconds)):
        await asyncio.sleep(max(0.0, begin + number / RATE - time.monotonic()))
        sent[number] = time.monotonic()
        await server.say(f"!log {number}")
    for _ in range(300):
        if len(reader.seen) == len(sent):
            break
        await asyncio.sleep(0.1)
    looking.cancel()
    return [reader.seen[number][0] - at if number in reader.seen else float("inf") for number, at in sent.items()]


async def quiet(server: Server, reader: Reader, mark: int) -> None:
    """Messages of which nothing is kept, and one that is, which says that they were read."""
    for number in range(QUIET):
        await server.say(f"nothing to keep of number {number}, though it has some length {'x' * 200}")
    await server.say(f"!log {mark}")
    while mark not in reader.seen:
        reader.look()
        await asyncio.sleep(0.05)


async def measure(server: Server, journal: Path, start: Callable[[int], int], seconds: float) -> int:
    watch = start(await server.start())
    await server.connected.wait()
    reader = Reader(journal)
    await quiet(server, reader, 10_000_001)
    before = resident(watch) / 1024
    await quiet(server, reader, 10_000_002)
    after = resident(watch) / 1024
    reader.seen.clear()
    took = sorted(await loud(server, reader, seconds))
    late, each = took[int(len(took) * 0.95)], (resident(watch) - after * 1024) / len(took)
    lost, twice = took.count(float("inf")), sum(len(times) > 1 for times in reader.seen.values())
    print(f"{2 * QUIET:,} messages that are not kept: {before:.1f} MiB after half, {after:.1f} after all (goal: +4)")
    print(f"{len(took):,} entries at {RATE * 60:,.0f} a minute: {lost} lost, {twice} twice (goals: 0)")
    middle = statistics.median(took)
    print(f"visible after: median {middle:.3f} s, 95th percentile {late:.3f} s (goal: 1), last {took[-1]:.3f}")
    print(f"memory of the watch: {each:.1f} KiB an entry (goal: 8)")
    missed = [after - before > 4, lost > 0, twice > 0, late > 1.0, each > 8]
    print("missed a goal" if any(missed) else "all goals met")
    return 1 if any(missed) else 0


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    with tempfile.TemporaryDirectory(prefix="itui-rooms-") as scratch:
        journal, config = Path(scratch, "journal"), Path(scratch, "config.toml")
        environment = {**os.environ, "PYTHONPATH": ROOT, "HOME": scratch, "BENCH_TOKEN": TOKEN}
        words = [*PROGRAM, "--config", str(config)]
        running: list[subprocess.Popen[bytes]] = []

        def start(port: int) -> int:
            config.write_text(
                f"[journal]\ndirectory = '{journal}'\n[[rooms]]\nname = 'ops'\nkind = 'mattermost'\n"
                f"server = 'http://127.0.0.1:{port}'\nchannels = ['{CHANNEL}']\ntoken_env = 'BENCH_TOKEN'\n"
            )
            quietly: Any = {"env": environment, "cwd": "/", "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            subprocess.run([*words, "declare", "a loud room", "--severity", "2"], check=True, **quietly)
            running.append(subprocess.Popen([*words, "watch", "--service"], **quietly))
            return running[0].pid

        try:
            return asyncio.run(measure(Server(), journal, start, seconds))
        finally:
            for process in running:
                process.send_signal(signal.SIGTERM)
                process.wait(20)


if __name__ == "__main__":
    sys.exit(main())
