"""Requests and websockets to a chat server, with aiohttp. No exception of aiohttp leaves here: their texts may carry
addresses and headers, which hold secrets.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import aiohttp
import msgspec
from yarl import URL

from incident_tui import __version__
from incident_tui.text import redact, sanitise
from incident_tui.watch.rooms.problem import RoomError

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
    except aiohttp.ConnectionTimeoutError:
        raise RoomError("no connection in time") from None
    except aiohttp.ClientConnectorCertificateError:
        raise RoomError("its TLS certificate is not valid") from None
    except aiohttp.ClientConnectorSSLError:
        raise RoomError("TLS could not be agreed") from None
    except aiohttp.ClientConnectorDNSError:
        raise RoomError("its name is not found") from None
    except aiohttp.ClientConnectorError as error:
        raise RoomError(f"cannot connect ({sanitise(os.strerror(error.errno or 0), limit=60)})") from None
    except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError):
        raise RoomError("its address is not one", lasting=True) from None
    except TimeoutError:
        raise RoomError("no answer in time") from None
    except (aiohttp.ClientError, ValueError, OSError) as error:
        raise RoomError(f"the connection broke ({type(error).__name__})") from None


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
                raw = await _read(response)
                status, after = response.status, response.headers.get("Retry-After")
        try:
            body = msgspec.json.decode(raw) if raw else None
        except (msgspec.DecodeError, RecursionError):
            body = None
        reply = Reply(status, body, _wait(after, body, self._clock()))
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


async def _read(response: aiohttp.ClientResponse) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_chunked(65_536):
        size += len(part)
        if size > MOST:
            raise RoomError(f"its answer is longer than {MOST >> 20} MiB")
        parts.append(part)
    return b"".join(parts)


def _wait(header: str | None, body: Any, now: datetime) -> float | None:
    """Seconds to wait: the longest of Retry-After, a number or a date, and what JSON says."""
    told: list[float] = []
    found = body if isinstance(body, dict) else {}
    said: tuple[tuple[Any, float], ...] = (
        (header, 1.0),
        (found.get("retry_after_ms"), 0.001),
        (found.get("retry_after"), 1.0),
        (found.get("retry-after"), 1.0),
    )
    for value, unit in said:
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            told.append(float(value) * unit)
    if header and not told:
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            until = parsedate_to_datetime(header)
            told.append(((until if until.tzinfo else until.replace(tzinfo=UTC)) - now).total_seconds())
    fit = [one for one in told if 0 <= one < float("inf")]
    return max(fit) if fit else None


def words(value: object) -> str:
    """A platform's words in one short line, without what looks like a secret."""
    return redact(sanitise(str(value), limit=120))[0].strip() if isinstance(value, str | int) else ""
