"""Carries requests to a platform, with aiohttp."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

import aiohttp
import msgspec
from yarl import URL

from incident_tui.watch.chat.credentials import secrets_of
from incident_tui.watch.chat.delivery import Attempt
from incident_tui.watch.chat.matrix import Matrix
from incident_tui.watch.chat.platform import HALT, Answer, Askable, Misfit, Outcome, Outgoing, Platform, Request
from incident_tui.watch.settings import ChatSink
from incident_tui.watch.unanswered import FAILURES, unanswered

TIMEOUT: Final = 15.0
_READ: Final = 16_384
"""Bytes of an answer that are looked at."""


class Http:
    """One sink's way to its platform, with a new connection for each message."""

    def __init__(
        self, sink: ChatSink, platform: Platform, clock: Callable[[], datetime], *, timeout: float = TIMEOUT
    ) -> None:
        self.facts = platform
        self._sink = sink
        self._platform = platform
        self._clock = clock
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None
        self._asked = not isinstance(platform, Matrix)
        """A Matrix room is asked before the first message whether it is encrypted."""

    def prepare(self, out: Outgoing) -> Attempt:
        secrets = secrets_of(self._sink)
        try:
            request = self._platform.request(out, self._sink, secrets)
            if not URL(request.url, encoded=True).host:
                raise ValueError
        except ValueError:
            raise Misfit("its URL is not one") from None

        async def attempt() -> Outcome:
            if not self._asked and isinstance(self._platform, Matrix):
                asked = await self._carry(self._platform.question(self._sink, secrets))
                if isinstance(asked, Answer):
                    if asked.status == 200 and (objection := self._platform.objection(asked)):
                        return Outcome("again", objection, HALT)
                    self._asked = asked.status == 404  # what else it said comes again with the message
            answer = await self._carry(request)
            if isinstance(answer, Outcome):
                return answer
            said = secrets.scrub(answer.text, request.headers.get("Authorization", ""))
            return self._platform.judge(msgspec.structs.replace(answer, text=said))

        return attempt

    async def ask(self, platform: Askable) -> str:
        """Why the platform would take no messages; empty when it would. Raises Misfit."""
        secrets = secrets_of(self._sink)
        request = platform.question(self._sink, secrets)
        answer = await self._carry(request)
        if isinstance(answer, Outcome):
            return answer.problem
        said = secrets.scrub(answer.text, request.headers.get("Authorization", ""))
        return platform.objection(msgspec.structs.replace(answer, text=said))

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _carry(self, request: Request) -> Answer | Outcome:
        """One request. No exception of aiohttp leaves here: their texts may carry the URL, which is a secret."""
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=self._timeout, connect=self._timeout / 2)
            # A connection that was kept may be dead, and then nobody could tell whether the message arrived.
            connector = aiohttp.TCPConnector(force_close=True)
            self._session = aiohttp.ClientSession(
                timeout=timeout, connector=connector, cookie_jar=aiohttp.DummyCookieJar()
            )
        try:
            async with self._session.request(
                request.method,
                URL(request.url, encoded=True),
                data=request.body or None,
                headers=request.headers,
                allow_redirects=False,
            ) as response:
                text = (await response.content.read(_READ)).decode("utf-8", "replace")
                headers = {name.lower(): value for name, value in response.headers.items()}
                return Answer(response.status, headers, text, self._clock())
        except FAILURES as error:
            why = unanswered(error)
            return Outcome("maybe" if why.arrived else "again", why.words)
