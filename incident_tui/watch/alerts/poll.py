"""Polls an Alertmanager: GET /api/v2/alerts. No port needs to be open on this side. What is absent long enough is over.

It fetches silenced and inhibited alerts as well: one that is silenced is not resolved.
"""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import aiohttp

from incident_tui import __version__
from incident_tui.journal.errors import JournalError
from incident_tui.secret import SecretError, read_secret
from incident_tui.watch.alerts.alert import Alert, FormError
from incident_tui.watch.alerts.forms import decode, polled
from incident_tui.watch.alerts.intake import Intake
from incident_tui.watch.alerts.rows import Firing
from incident_tui.watch.alerts.settings import AlertSource
from incident_tui.watch.alerts.sources import Sources
from incident_tui.watch.unanswered import FAILURES, unanswered, whole

log = logging.getLogger("incident_tui.watch")

_MOST: Final = 16 * 1024 * 1024
"""Bytes of an answer; a longer one is a problem, not half a truth."""
_TIMEOUT: Final = 10.0
_SAVED_WITHIN: Final = 5.0
"""Seconds that a poll waits for the disk."""


class PollError(Exception):
    """No list of alerts was had; the sentence holds no secret."""


async def fetch(source: AlertSource, now: datetime) -> list[Alert]:
    """What fires there now. Raises PollError."""
    headers = {"User-Agent": f"incident-tui/{__version__}", "Accept": "application/json"}
    try:
        token = read_secret(source.token_env, source.token_file)
    except SecretError as error:
        raise PollError(str(error)) from None
    if token:
        headers["Authorization"] = authorization(source.auth, token)
    query = [("active", "true"), ("silenced", "true"), ("inhibited", "true")]
    query += [("filter", matcher) for matcher in source.matchers]
    url = f"{source.url.rstrip('/')}/api/v2/alerts"
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(url, params=query, headers=headers, allow_redirects=False) as response,
        ):
            body = await whole(response, _MOST)
            if response.status != 200:
                raise PollError(f"answers {response.status}{_why(response.status)}")
    except FAILURES as error:
        raise PollError(unanswered(error).words) from None
    if body is None:
        raise PollError(f"its answer is longer than {_MOST >> 20} MiB; narrow it with matchers")
    try:
        return polled(decode(body), source.name, now)
    except FormError as error:
        raise PollError(error.sentence) from None


def _why(status: int) -> str:
    if status in (401, 403):
        return ": the token is not accepted"
    return ": is this the address of an Alertmanager?" if status == 404 else ""


def authorization(auth: str, token: str) -> str:
    """The header for a token; of basic, user:password."""
    if auth == "basic":
        return f"Basic {base64.b64encode(token.encode()).decode()}"
    return f"Bearer {token}"


class Poller:
    """One polled source."""

    def __init__(
        self,
        source: AlertSource,
        intake: Intake,
        sources: Sources,
        clock: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
    ) -> None:
        self.source = source
        self._intake = intake
        self._sources = sources
        self._clock = clock
        self._sleep = sleep
        self._absent: dict[str, datetime] = {}
        self._saving: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Polls until it is cancelled."""
        while True:
            try:
                await self.once()
            except Exception:  # the watch goes on, whatever is sent to it
                log.exception("a defect of incident-tui: alerts of %s", self.source.name)
                self._sources.failed(
                    self.source.name, "its alerts cannot be read: a defect of incident-tui, see the log"
                )
            await self._sleep(self.source.seconds)

    async def once(self) -> None:
        """One poll, and what it means."""
        try:
            alerts = await fetch(self.source, self._clock())
        except PollError as error:
            self._sources.failed(self.source.name, str(error))
            return
        told = await self._intake.see([*alerts, *self.over(alerts)])
        if self._saving is not None and not self._saving.done():
            # The disk hangs. What fires is known all the same, and all of it is told again by the next poll.
            self._sources.failed(self.source.name, "not saved yet: the journal does not take it for now")
            return
        self._saving = asyncio.ensure_future(self._intake.save(told))
        done, _ = await asyncio.wait({self._saving}, timeout=_SAVED_WITHIN)
        if not done:
            return
        try:
            self._saving.result()
        except JournalError as error:
            self._sources.failed(self.source.name, f"not saved: {error.sentence}")
            return
        self._sources.heard(self.source.name)

    def over(self, alerts: Sequence[Alert]) -> list[Alert]:
        """Resolved ones of those that fire no more by this answer; each once it has been absent long enough."""
        now = self._clock()
        here = {alert.key for alert in alerts}
        patience = timedelta(seconds=self.source.resolve_seconds)
        absent: dict[str, datetime] = {}
        found: list[Alert] = []
        for known in self._intake.firing.of(self.source.name):
            if known.key in here:
                continue
            since = min(self._absent.get(known.key, now), now)
            absent[known.key] = since
            if now - since >= patience:
                found.append(_resolved(known, since, now))
        self._absent = absent
        return found


def _resolved(known: Firing, since: datetime, now: datetime) -> Alert:
    return Alert(
        source=known.source,
        key=known.key,
        episode=known.episode,
        status="resolved",
        title=known.title,
        at=since,
        seen_at=now,
        severity=known.severity,
        labels={"host": known.host} if known.host else {},
        group=known.group,
        silenced=known.silenced,
    )
