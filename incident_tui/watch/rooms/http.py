"""Requests and websockets to a chat server, with aiohttp. No exception of aiohttp leaves here: their texts may carry
addresses and headers, which hold secrets.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from typing import Any, Final

import aiohttp
import msgspec
from yarl import URL

from incident_tui import __version__
from incident_tui.text import redact, sanitise
from incident_tui.watch.retry_after import retry_after
from incident_tui.watch.rooms.problem import RoomError
from incident_tui.watch.unanswered import FAILURES, unanswered, whole

TIMEOUT: Final = 20.0
MOST: Final = 16 * 1024 * 1024
"""Bytes of an answer; a longer one is a problem, not half a truth."""
FRAME: Final = 4 * 1024 * 1024
HEARTBEAT: Final = 30.0
"""Seconds between two pings; a server that does not answer half as long after one is gone."""


class Reply(msgspec.Struct, frozen=True):
    """An answer. `body` is None when it was no JSON."""

    status: int
    body: Any
    wait: float | None
    """Seconds by Retry-After."""

    @property
    def object(self) -> Mapping[str, Any]:
        return self.body if isinstance(self.body, dict) else {}


@contextlib.contextmanager
def spoken() -> Any:
    """What aiohttp raises, as one sentence."""
    try:
        yield
    except aiohttp.WSServerHandshakeError as error:
        said = "the token is not accepted" if error.status in (401, 403) else "no websocket there"
        raise RoomError(f"answered {error.status}: {said}", lasting=error.status in (401, 403, 404)) from None
    except FAILURES as error:
        why = unanswered(error)
        raise RoomError(why.words, lasting=why.lasting) from None


class Http:
    """Requests to one server. Use as a context; `call` and `socket` within."""

    def __init__(self, server: str, headers: Mapping[str, str], clock: Callable[[], datetime]) -> None:
        self._server = server.rstrip("/")
        self._headers = {"User-Agent": f"incident-tui/{__version__}", "Accept": "application/json", **headers}
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Http:
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        json: object = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = TIMEOUT,
    ) -> Reply:
        """One request; `path` is already quoted. Redirects are not followed: the token would go along. Raises
        RoomError when no answer was had, and for a status of 429."""
        assert self._session is not None
        url = URL(self._server + path, encoded=True)
        data = msgspec.json.encode(json) if json is not None else dict(form) if form is not None else None
        sent = {**self._headers, **(headers or {})}
        if json is not None:
            sent["Content-Type"] = "application/json"
        with spoken():
            async with self._session.request(
                method,
                url.extend_query(dict(query)) if query else url,
                data=data,
                headers=sent,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=seconds, connect=TIMEOUT / 2),
            ) as response:
                raw = await whole(response, MOST)
                status, after = response.status, response.headers.get("Retry-After")
        if raw is None:
            raise RoomError(f"its answer is longer than {MOST >> 20} MiB")
        try:
            body = msgspec.json.decode(raw) if raw else None
        except (msgspec.DecodeError, RecursionError):
            body = None
        wait = retry_after(after, body if isinstance(body, dict) else {}, self._clock())
        reply = Reply(status, body, wait.total_seconds() if wait is not None else None)
        if status == 429:
            raise RoomError("answered 429: too many requests", wait=reply.wait)
        return reply

    @contextlib.asynccontextmanager
    async def socket(self, url: str, *, headers: Mapping[str, str] | None = None) -> AsyncIterator[Socket]:
        """A websocket, with pings. Raises RoomError."""
        assert self._session is not None
        sent = {"User-Agent": self._headers["User-Agent"], **(headers or {})}
        with spoken():
            opened = await self._session.ws_connect(
                URL(url, encoded=True),
                headers=sent,
                heartbeat=HEARTBEAT,
                max_msg_size=FRAME,
                timeout=aiohttp.ClientWSTimeout(ws_close=2.0),
            )
        try:
            yield Socket(opened)
        finally:
            with contextlib.suppress(RoomError), spoken():
                await opened.close()


class Socket:
    """An open websocket of JSON objects."""

    def __init__(self, opened: aiohttp.ClientWebSocketResponse) -> None:
        self._opened = opened

    async def receive(self, seconds: float | None = None) -> Mapping[str, Any] | None:
        """The next object; an empty one for what is none, and when nothing came in time. None when the server has
        closed. Raises RoomError when the connection broke."""
        try:
            async with asyncio.timeout(seconds):
                with spoken():
                    message = await self._opened.receive()
        except TimeoutError:
            return {}
        if message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED):
            if self._opened.close_code in (None, 1006):
                raise RoomError("the connection broke")
            return None
        if message.type is aiohttp.WSMsgType.ERROR:
            raise RoomError("the connection broke")
        try:
            found = msgspec.json.decode(message.data)
        except (msgspec.DecodeError, RecursionError, TypeError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    async def send(self, body: Mapping[str, Any]) -> None:
        with spoken():
            await self._opened.send_str(msgspec.json.encode(body).decode())


def words(value: object) -> str:
    """A platform's words in one short line, without what looks like a secret."""
    return redact(sanitise(str(value), limit=120))[0].strip() if isinstance(value, str | int) else ""
