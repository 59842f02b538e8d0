"""Sends one sink's queue, in order, with aiohttp. Only the holder of the lease sends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import aiohttp
import msgspec

from incident_tui.incident.entry import Ref
from incident_tui.text import sanitise
from incident_tui.watch.chat import slack
from incident_tui.watch.chat.outbox import Message, Outbox
from incident_tui.watch.rows import ChatRow
from incident_tui.watch.settings import ChatSink

TIMEOUT: Final = 15.0
BURST: Final = 5
_FIRST_WAIT: Final = 1.0
_LONGEST_WAIT: Final = 120.0


class UrlError(Exception):
    """The sink's URL cannot be had; the sentence never holds it."""


def webhook_url(sink: ChatSink) -> str:
    """The credential, read at each send so that a mended file or variable needs no restart."""
    if sink.url_env:
        url = os.environ.get(sink.url_env, "").strip()
        if not url:
            raise UrlError(f"${sink.url_env} is not set where the watch was started")
    else:
        try:
            url = Path(sink.url_file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UrlError(f"the file {sink.url_file} cannot be read ({type(error).__name__})") from None
    if not url.startswith(("http://", "https://")):
        raise UrlError(f"{sink.url_env or sink.url_file} does not hold a URL that starts with https://")
    return url


def _unusable(error: sqlite3.Error) -> str:
    return f"the outbox cannot be used ({sanitise(str(error), limit=60)}); it is tried again"


class Outcome:
    """What one attempt came to: `state` sent, again, maybe or dead."""

    __slots__ = ("problem", "state", "wait")

    def __init__(self, state: str, problem: str = "", wait: timedelta | None = None) -> None:
        self.state, self.problem, self.wait = state, problem, wait


class Sender:
    """The worker of one sink.

    `compose(ref)` gives the text now, or None when there is nothing to send any more; `may_send()` rechecks the lease
    before each send; `wake` is set when something was queued.
    """

    def __init__(
        self,
        sink: ChatSink,
        outbox: Outbox,
        *,
        compose: Callable[[Ref], str | None],
        may_send: Callable[[], bool],
        clock: Callable[[], datetime],
        jitter: Callable[[], float],
    ) -> None:
        self.sink = sink
        self._outbox = outbox
        self._compose = compose
        self._may_send = may_send
        self._clock = clock
        self._jitter = jitter
        self._tokens = float(BURST)
        self._filled = clock()
        self._problem = ""
        self._since: datetime | None = None
        self._unsettled: tuple[Message, Outcome] | None = None
        """What an attempt came to, until the outbox has taken it."""
        self._row = ChatRow(name=sink.name, at=clock())
        self.wake = asyncio.Event()

    def row(self) -> ChatRow:
        try:
            self._row = self._outbox.row(self.sink.name, self._clock(), self._problem, self._since)
        except sqlite3.Error as error:
            self._note(_unusable(error))
            self._row = msgspec.structs.replace(self._row, at=self._clock(), problem=self._problem, since=self._since)
        return self._row

    async def run(self) -> None:
        """Sends until it is cancelled."""
        timeout = aiohttp.ClientTimeout(total=TIMEOUT, connect=TIMEOUT / 2)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                wait = await self.step(session)
                if wait > 0:
                    self.wake.clear()
                    # Not wait_for: on Python 3.11 it swallows a cancellation that meets a wake-up.
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(wait):
                            await self.wake.wait()

    async def step(self, session: aiohttp.ClientSession) -> float:
        """Sends the head of the queue if it is due. Returns seconds until it is worth calling again; 0 for now."""
        try:
            if self._unsettled is not None:
                self._settle(*self._unsettled)
            return await self._send(session)
        except sqlite3.Error as error:
            self._note(_unusable(error))
            return 1.0

    async def _send(self, session: aiohttp.ClientSession) -> float:
        message = self._outbox.head(self.sink.name)
        if message is None:
            return 60.0
        now = self._clock()
        pause = message.next_try - now
        if pause > slack.MAX_WAIT:  # nobody may ask for so long: our clock was set back
            pause = timedelta(0)
        wait = max(pause.total_seconds(), self._token_wait(now))
        if wait > 0:
            return min(wait, 60.0)
        text = self._compose(message.ref)
        if text is None:
            self._outbox.finish(message, "dropped", now, "the entry was purged or struck before it was sent")
            return 0.0
        try:
            url = webhook_url(self.sink)
        except UrlError as error:
            self._failed(message, str(error), timedelta(seconds=10))
            return 10.0
        if not self._may_send():
            return 1.0
        self._tokens -= 1
        self._outbox.sending(message)
        self._unsettled = message, await self._post(session, url, text)
        self._settle(*self._unsettled)
        return 0.0

    def _token_wait(self, now: datetime) -> float:
        gained = (now - self._filled).total_seconds() / self.sink.seconds_between
        self._tokens = min(float(BURST), self._tokens + max(0.0, gained))
        self._filled = now
        return 0.0 if self._tokens >= 1 else (1 - self._tokens) * self.sink.seconds_between

    async def _post(self, session: aiohttp.ClientSession, url: str, text: str) -> Outcome:
        """One attempt. No exception of aiohttp leaves here: their texts may carry the URL, which is a secret."""
        headers = {"Content-Type": "application/json"}
        try:
            async with session.post(url, data=slack.body(text), headers=headers, allow_redirects=False) as response:
                answer = (await response.content.read(4096)).decode("utf-8", "replace")
                return self._judge(response.status, response.headers.get("Retry-After"), answer)
        except aiohttp.ConnectionTimeoutError:
            return Outcome("again", "no connection in time")
        except aiohttp.ClientConnectorCertificateError:
            return Outcome("again", "its TLS certificate is not valid")
        except aiohttp.ClientConnectorSSLError:
            return Outcome("again", "TLS could not be agreed")
        except aiohttp.ClientConnectorDNSError:
            return Outcome("again", "its name is not found")
        except aiohttp.ClientConnectorError as error:
            return Outcome("again", f"cannot connect ({sanitise(os.strerror(error.errno or 0), limit=60)})")
        except aiohttp.InvalidURL:
            return Outcome("again", "the URL is not one")
        except TimeoutError:
            return Outcome("maybe", "no answer in time")
        except aiohttp.ClientError as error:
            return Outcome("maybe", f"the connection broke before an answer came ({type(error).__name__})")

    def _judge(self, status: int, header: str | None, answer: str) -> Outcome:
        problem = slack.refused(status, answer)
        if not problem:
            return Outcome("sent")
        if status == 429 or status >= 500 or status == 408:
            return Outcome("again", f"answered {problem}", slack.retry_after(header, answer, self._clock()))
        return Outcome("dead", f"refused: {problem}")

    def _settle(self, message: Message, outcome: Outcome) -> None:
        now = self._clock()
        if outcome.state == "sent":
            self._outbox.finish(message, "sent", now)
            self._problem, self._since = "", None
        elif outcome.state == "again":
            backoff = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(message.attempts, 10))
            wait = outcome.wait if outcome.wait is not None else timedelta(seconds=backoff * (0.5 + self._jitter() / 2))
            self._failed(message, outcome.problem, wait)
        else:
            self._outbox.finish(message, outcome.state, now, outcome.problem)
            self._note(outcome.problem)
        self._unsettled = None

    def _failed(self, message: Message, problem: str, wait: timedelta) -> None:
        self._outbox.postpone(message, self._clock() + wait, problem)
        self._note(problem)

    def _note(self, problem: str) -> None:
        self._since = self._since or self._clock()
        self._problem = problem
