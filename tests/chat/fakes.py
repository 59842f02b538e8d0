"""A chat platform that answers as it is told, and what a sender needs to be tried."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from incident_tui.incident.entry import Ref
from incident_tui.watch.chat.compose import Composed
from incident_tui.watch.chat.delivery import Delivery, delivery
from incident_tui.watch.chat.outbox import Outbox
from incident_tui.watch.chat.sender import Sender
from incident_tui.watch.settings import ChatSink

START = datetime(2026, 11, 23, 3, 10, tzinfo=UTC)
SECRET = "verysecret"
HOSTILE = (
    "<!channel> <!here> <@U123> <users/all> @channel @here @everyone @room @all @ana @**all** @_**ana** "
    "& < > * _ ~ | `code` ``` [red](http://evil.example) <http://evil.example|bank> \\* # head"
)
"""What nobody may be named, linked or formatted by."""


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def on(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Got(msgspec.Struct, frozen=True):
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.raw.decode(), keep_blank_values=True))

    @property
    def text(self) -> str:
        """The words, whatever the shape."""
        if "form" in self.headers.get("content-type", ""):
            return self.form["content"]
        found = self.json
        if "attachments" in found:
            return str(found["attachments"][0]["content"]["body"][0]["text"])
        return str(found.get("text") or found.get("content") or found.get("body"))


class Fake:
    """`answers` are given in turn, then `usual`. An exception among them breaks the connection after the request was
    read; `hold` keeps every answer back until it is set."""

    def __init__(self, usual: Callable[[Got], web.StreamResponse] = lambda got: web.Response(text="ok")) -> None:
        self.got: list[Got] = []
        self.answers: list[web.StreamResponse | Exception] = []
        self.usual = usual
        self.reads: Callable[[Got], web.StreamResponse] = lambda got: web.json_response(
            {"errcode": "M_NOT_FOUND"}, status=404
        )
        self.hold: asyncio.Event | None = None
        self.server = ""
        self._runner: web.AppRunner | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """A webhook's URL, which is a secret."""
        return f"{self.server}/services/T0/B0/{SECRET}"

    @property
    def texts(self) -> list[str]:
        return [got.text for got in self.got if got.method != "GET"]

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.got.append(Got(request.method, request.path, dict(request.query), headers, raw))
        if self.hold is not None:
            await self.hold.wait()
        if request.method == "GET":
            return self.reads(self.got[-1])
        answer = self.answers.pop(0) if self.answers else self.usual(self.got[-1])
        if isinstance(answer, Exception):
            assert request.transport is not None
            request.transport.abort()
            raise answer
        return answer

    async def start(self) -> None:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{tail:.*}", self._handle)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True)
        await site.start()
        sockets: Any = site._server
        self._port = sockets.sockets[0].getsockname()[1]
        self.server = f"http://127.0.0.1:{self._port}"

    async def stop(self) -> None:
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await runner.cleanup()


@asynccontextmanager
async def served(usual: Callable[[Got], web.StreamResponse] | None = None) -> AsyncIterator[Fake]:
    fake = Fake() if usual is None else Fake(usual)
    await fake.start()
    try:
        yield fake
    finally:
        await fake.stop()


def composed(ref: Ref, said: str = "") -> Composed:
    """What the tests' journal says of an entry."""
    tag = f"[INC-1 a{ref.seq}]"
    return Composed(tag=tag, said=said or f"text {ref.seq}", incident="INC-1", title="gv0 is down", at=START)


class Worker(msgspec.Struct):
    """A sender with its clock."""

    sender: Sender
    clock: Clock
    delivery: Delivery

    async def steps(self, most: int = 200) -> None:
        """Until nothing is due; time goes on by what the sender wants to wait, up to a minute each."""
        for _ in range(most):
            wait = await self.sender.step()
            if wait >= 60:
                return
            self.clock.on(wait)


@asynccontextmanager
async def worker(
    sink: ChatSink,
    outbox: Outbox,
    *,
    compose: Callable[[Ref], Composed | None] = composed,
    may_send: Callable[[], bool] = lambda: True,
    made: Delivery | None = None,
) -> AsyncIterator[Worker]:
    clock = Clock()
    carried = made or delivery(sink, clock)
    one = Sender(sink, outbox, carried, compose=compose, may_send=may_send, clock=clock, jitter=lambda: 1.0)
    try:
        yield Worker(one, clock, carried)
    finally:
        await carried.close()


def states(outbox: Outbox, sink: str = "ops") -> list[str]:
    return [delivery.state for delivery in outbox.row(sink, START, "", None).deliveries]


SINKS = {
    "slack": ChatSink(name="ops", kind="slack", url_env="ITUI_TEST_URL"),
    "mattermost": ChatSink(name="ops", kind="mattermost", url_env="ITUI_TEST_URL"),
    "rocketchat": ChatSink(name="ops", kind="rocketchat", url_env="ITUI_TEST_URL"),
    "googlechat": ChatSink(name="ops", kind="googlechat", url_env="ITUI_TEST_URL"),
    "zulip-slack": ChatSink(name="ops", kind="zulip-slack", url_env="ITUI_TEST_URL"),
    "discord": ChatSink(name="ops", kind="discord", url_env="ITUI_TEST_URL"),
    "teams": ChatSink(name="ops", kind="teams", url_env="ITUI_TEST_URL"),
    "flowdock": ChatSink(name="ops", kind="flowdock", url_env="ITUI_TEST_URL"),
    "matrix": ChatSink(
        name="ops", kind="matrix", token_env="ITUI_TEST_TOKEN", server="https://m.example", room="!r:m.example"
    ),
    "zulip": ChatSink(
        name="ops",
        kind="zulip",
        token_env="ITUI_TEST_TOKEN",
        server="https://z.example",
        account="bot@z.example",
        stream="incidents",
    ),
    "slack-api": ChatSink(name="ops", kind="slack-api", token_env="ITUI_TEST_TOKEN", room="C1"),
}
"""One of each kind that is reached by HTTP."""
