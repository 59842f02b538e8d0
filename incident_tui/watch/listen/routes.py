"""What becomes of a request: is it allowed, whom is it from, what does it say; saved, and answered quickly.

An alert's answer is 200 when what it says is saved, and 503 when that takes longer than `ACK_SECONDS`: it is saved all
the same, and told again it changes nothing. Whoever is not known gets 401, whatever they asked for.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from aiohttp import web

from incident_tui.journal.errors import JournalError
from incident_tui.secret import SecretError, read_secret
from incident_tui.watch.alerts import forms, forms_events
from incident_tui.watch.alerts.alert import Alert, FormError
from incident_tui.watch.alerts.settings import AlertSource, Hook, Parts
from incident_tui.watch.alerts.sources import Sources
from incident_tui.watch.inbound.said import Rules, Said, Taken
from incident_tui.watch.listen import hooks, signatures
from incident_tui.watch.listen.limits import Limits

log = logging.getLogger("incident_tui.watch")

BODY: Final = 1024 * 1024
BODY_SECONDS: Final = 5.0
"""In which the whole body must come."""
ACK_SECONDS: Final = 0.08
COMMAND_SECONDS: Final = 2.0
"""How long a slash command's answer may wait for the disk: its platform gives three seconds."""
_PENDING: Final = 16 * BODY
"""Bytes of requests that are being saved; more are told to come again."""

TakeAlerts = Callable[[Sequence[Alert]], Awaitable[None]]
TakeChat = Callable[[Rules, Sequence[Said]], Awaitable[Taken]]


class Refused(Exception):
    """Answered with `status`; the words are for whoever has shown who they are."""

    def __init__(self, status: int, words: str = "", retry: int = 0) -> None:
        super().__init__(words)
        self.status, self.words, self.retry = status, words, retry


class Routes:
    """Answers requests. `take_alerts` and `take_chat` return when what they were given is saved."""

    def __init__(
        self,
        parts: Parts,
        sources: Sources,
        take_alerts: TakeAlerts,
        take_chat: TakeChat,
        *,
        clock: Callable[[], datetime],
        limits: Limits | None = None,
        ack_seconds: float = ACK_SECONDS,
    ) -> None:
        self._sources = {source.name: source for source in parts.alerts}
        self._hooks = {hook.name: hook for hook in parts.hooks}
        self._listener = parts.listener
        self._told = sources
        self._take_alerts = take_alerts
        self._take_chat = take_chat
        self._clock = clock
        self._limits = Limits() if limits is None else limits
        self._ack = ack_seconds
        self._replays = signatures.Replays()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._pending = 0

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """One request. Never raises but CancelledError."""
        try:
            peer = request.remote or ""
            if not self._limits.allow(peer, time.monotonic()):
                raise Refused(429, retry=2)
            return _json(200, await self._answer(request))
        except Refused as refused:
            response = _json(refused.status, {"error": refused.words} if refused.words else {})
            if refused.retry:
                response.headers["Retry-After"] = str(refused.retry)
            if refused.status in (401, 408, 413, 429):
                response.force_close()
            return response
        except Exception:
            # What was sent may be in the exception's text or its frames' values: only that it happened is logged.
            log.error("a request to the listener could not be answered: this is a defect of incident-tui")
            return _json(500, {})

    async def _answer(self, request: web.BaseRequest) -> dict[str, Any]:
        kind, _, name = request.path.strip("/").partition("/")
        headers = {key.lower(): value for key, value in request.headers.items()}
        source = self._sources.get(name) if kind == "alerts" else None
        hook = self._hooks.get(name) if kind == "chat" else None
        # A browser tells where its page is from; no source of alerts and no platform does.
        if request.method != "POST" or "origin" in headers or (source is None and hook is None):
            raise Refused(401)
        if source is not None:
            secret = self._header_is_good(source, headers)
            body = await self._body(request, headers)
            self._signature_is_good(source, headers, body, secret)
            return await self._alerts(source, headers, body)
        assert hook is not None
        return await self._chat(hook, headers, await self._body(request, headers))

    async def _body(self, request: web.BaseRequest, headers: signatures.Headers) -> bytes:
        if headers.get("content-encoding", "identity") != "identity":
            raise Refused(401)  # nobody whom we know packs; what is packed may be endless
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length[:12]) > BODY:
            raise Refused(413)
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(BODY_SECONDS):
                async for part in request.content.iter_any():
                    size += len(part)
                    if size > BODY:
                        raise Refused(413)
                    parts.append(part)
        except TimeoutError:
            raise Refused(408) from None
        except (web.RequestPayloadError, ConnectionError, ValueError):
            raise Refused(400) from None
        return b"".join(parts)

    # ------------------------------------------------------------------ who it is from

    def _secret(self, name: str, env: str, file: str) -> str:
        """Raises Refused: what cannot be checked is not taken."""
        try:
            return read_secret(env, file)
        except SecretError as error:
            self._told.failed(name, str(error))
            raise Refused(401) from None

    def _header_is_good(self, source: AlertSource, headers: signatures.Headers) -> str:
        """The secret with which the body must be signed, or "". Raises Refused before a byte of the body is read."""
        token = self._secret(source.name, source.token_env, source.token_file)
        secret = self._secret(source.name, source.secret_env, source.secret_file)
        if not token and not secret:
            token = self._secret(source.name, self._listener.token_env, self._listener.token_file)
            if not token and not self._listener.loopback:
                raise Refused(401)
        if token and not signatures.bearer(headers, token, source.auth):
            raise Refused(401)
        return secret

    def _signature_is_good(self, source: AlertSource, headers: signatures.Headers, body: bytes, secret: str) -> None:
        if not secret:
            return
        if source.kind == "pagerduty":
            good = signatures.pagerduty(headers, body, secret)
        elif source.kind == "grafana":
            good = signatures.grafana(headers, body, secret, self._clock())
        else:
            good = signatures.signed(headers, body, secret)
        if not good:
            raise Refused(401)

    def _hook_is_good(self, hook: Hook, headers: signatures.Headers, body: bytes, token: str) -> None:
        """What is configured must all hold, and something must be."""
        wanted = self._secret(hook.name, hook.token_env, hook.token_file)
        secret = self._secret(hook.name, hook.secret_env, hook.secret_file)
        if not wanted and not secret:
            raise Refused(401)
        if secret and not signatures.slack(headers, body, secret, self._clock(), self._replays):
            raise Refused(401)
        if wanted and not signatures.same(token, wanted):
            raise Refused(401)
        scheme, _, given = headers.get("authorization", "").partition(" ")
        # Mattermost sends the token of a slash command twice.
        if wanted and scheme.casefold() == "token" and not signatures.same(given.strip(), wanted):
            raise Refused(401)

    # ------------------------------------------------------------------ what it says

    async def _alerts(self, source: AlertSource, headers: signatures.Headers, body: bytes) -> dict[str, Any]:
        try:
            alerts = _read(source, headers, body, self._clock())
        except FormError as error:
            self._told.failed(source.name, f"what it posts is not understood: {error.sentence}")
            raise Refused(400, error.sentence) from None
        await self._within(self._take_alerts(alerts), len(body), self._ack)
        self._told.heard(source.name)
        return {"taken": len(alerts)}

    async def _chat(self, hook: Hook, headers: signatures.Headers, body: bytes) -> dict[str, Any]:
        try:
            posted = hooks.read(hook, headers.get("content-type", ""), body, self._clock())
        except FormError as error:
            self._hook_is_good(hook, headers, body, "")  # of a form that cannot be read only a signature is good
            raise Refused(400, error.sentence) from None
        self._hook_is_good(hook, headers, body, posted.token)
        if posted.said is None:
            return posted.answer
        seconds = COMMAND_SECONDS if posted.command else self._ack
        try:
            taken = await self._within(self._take_chat(hook.rules, [posted.said]), len(body), seconds)
        except Refused as refused:
            # No platform sends such a thing again; it is kept, and saved when the disk takes it.
            if not refused.words:
                raise
            return hooks.answered(hook, posted, "Not saved yet: the journal does not take it for now. It is kept.")
        return hooks.answered(hook, posted, " ".join(answer.text for answer in taken.answers))

    async def _within(self, saving: Awaitable[Any], size: int, seconds: float) -> Any:
        """What `saving` returns; it goes on when that takes longer, and the answer is 503."""
        if self._pending + size > _PENDING:
            _close(saving)
            raise Refused(503, retry=5)
        task = asyncio.ensure_future(saving)
        self._pending += size
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._settled(done, size))
        done, _ = await asyncio.wait({task}, timeout=seconds)
        if not done:
            raise Refused(503, "not saved yet", retry=5)
        try:
            return task.result()
        except JournalError:
            raise Refused(503, retry=5) from None

    def _settled(self, task: asyncio.Task[Any], size: int) -> None:
        self._tasks.discard(task)
        self._pending -= size
        if not task.cancelled() and task.exception() is not None:
            log.warning("what came to the listener was not saved (%s)", type(task.exception()).__name__)


def _read(source: AlertSource, headers: signatures.Headers, body: bytes, now: datetime) -> list[Alert]:
    if source.kind == "cloudevents":
        return forms_events.cloudevents(headers, body, source.name, now)
    told = forms.decode(body)
    if source.kind == "pagerduty":
        return forms_events.pagerduty(told, source.name, now)
    if source.kind in ("alertmanager", "grafana"):
        return forms.alertmanager(told, source.name, now)
    return forms.generic(told, source.name, now)


def _json(status: int, fields: dict[str, Any]) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(fields), content_type="application/json")


def _close(saving: Awaitable[Any]) -> None:
    close = getattr(saving, "close", None)
    if close is not None:
        close()
