"""Slack's Web API and Socket Mode as docs.slack.dev says.

An event goes to one open socket; what is not acknowledged is sent again, with retry_attempt, on the next connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import Any

from aiohttp import web

from tests.watch.rooms.served import Served

CHANNEL = "C0INCIDENT"
TICKET = "planted-secret-ticket"


class FakeSlack(Served):
    """`say`, `edit` and the others are what people do."""

    def __init__(self, bot: str, app: str) -> None:
        super().__init__()
        self.bot, self.app = bot, app
        self.messages: list[dict[str, Any]] = []
        self.waiting: list[dict[str, Any]] = []
        """Envelopes without an acknowledgement."""
        self.sent: list[dict[str, str]] = []
        """What was posted by the API."""
        self.acked: list[str] = []
        self.error = ""
        """What every method of conversations answers."""
        self.twice = False
        self.answering = asyncio.Event()
        """Cleared: what was missed is not told yet."""
        self.answering.set()
        self.connected = 0
        self._count = 0
        self._last = 0

    def routes(self) -> list[web.RouteDef]:
        api = "/api/{method}"
        return [web.post(api, self._method), web.get(api, self._method), web.get("/link", self._link)]

    # ------------------------------------------------------------------ what people do

    def _ts(self) -> str:
        self._last = max(self._last + 1, time.time_ns() // 1000)
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06}"

    async def say(self, user: str, text: str, *, thread: str = "", tell: bool = True) -> str:
        ts = self._ts()
        message = {"type": "message", "user": user, "text": text, "ts": ts, "reactions": []}
        if thread:
            message["thread_ts"] = thread
            root = self._find(thread)
            root |= {"thread_ts": thread, "reply_count": root.get("reply_count", 0) + 1, "latest_reply": ts}
        self.messages.append(message)
        if tell:
            await self.event({key: value for key, value in message.items() if key != "reactions"})
        return ts

    def _find(self, ts: str) -> dict[str, Any]:
        return next(one for one in self.messages if one["ts"] == ts)

    async def edit(self, ts: str, text: str, *, tell: bool = True) -> None:
        now, message = self._ts(), self._find(ts)
        message |= {"text": text, "edited": {"user": message["user"], "ts": now}}
        if tell:
            await self.event({"type": "message", "subtype": "message_changed", "message": message, "ts": now})

    async def delete(self, ts: str) -> None:
        self.messages.remove(self._find(ts))
        await self.event({"type": "message", "subtype": "message_deleted", "deleted_ts": ts, "ts": self._ts()})

    async def react(self, user: str, ts: str, name: str, *, tell: bool = True) -> None:
        self._find(ts)["reactions"].append({"name": name, "users": [user], "count": 1})
        if tell:
            item = {"type": "message", "channel": CHANNEL, "ts": ts}
            event = {"type": "reaction_added", "user": user, "reaction": name, "item": item}
            await self.event({**event, "event_ts": self._ts()}, channel=False)

    async def command(self, user: str, text: str) -> None:
        payload = {"command": "/inc", "text": text, "user_id": user, "user_name": "ana", "channel_id": CHANNEL}
        await self._envelope("slash_commands", {**payload, "trigger_id": f"t{self._ts()}"}, accepts=True)

    async def event(self, event: dict[str, Any], *, channel: bool = True) -> None:
        event = {**event, "channel": CHANNEL} if channel else event
        payload = {"type": "event_callback", "event_id": f"Ev{self._ts()}", "event": event}
        for _ in range(2 if self.twice else 1):
            await self._envelope("events_api", payload, accepts=False)

    async def _envelope(self, kind: str, payload: dict[str, Any], *, accepts: bool) -> None:
        self._count += 1
        envelope = {"envelope_id": f"e{self._count}", "type": kind, "payload": payload, "retry_attempt": 0}
        self.waiting.append({**envelope, "accepts_response_payload": accepts, "retry_reason": ""})
        for ws, _ in self.sockets[-1:]:
            if not ws.closed:
                await ws.send_json(self.waiting[-1])

    async def refresh(self) -> None:
        """Slack wants a new connection, as it does every few hours."""
        await self.tell({"type": "disconnect", "reason": "refresh_requested", "debug_info": {}})

    # ------------------------------------------------------------------ the API

    async def _method(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        form = dict(request.query) | {key: str(value) for key, value in (await request.post()).items()}
        token = request.headers.get("Authorization", "")
        wanted = self.app if method == "apps.connections.open" else self.bot
        if token != f"Bearer {wanted}":
            return web.json_response({"ok": False, "error": "invalid_auth"})
        if self.error and method.startswith("conversations."):
            return web.json_response({"ok": False, "error": self.error})
        if "oldest" in form:
            await self.answering.wait()
        answer = getattr(self, "_" + method.replace(".", "_"))(form)
        return web.json_response({"ok": True, **answer})

    def _auth_test(self, form: dict[str, str]) -> dict[str, Any]:
        return {"user_id": "UBOT", "bot_id": "BBOT", "user": "incidentbot"}

    def _apps_connections_open(self, form: dict[str, str]) -> dict[str, Any]:
        return {"url": f"ws://127.0.0.1:{self.port}/link?ticket={TICKET}"}

    def _users_info(self, form: dict[str, str]) -> dict[str, Any]:
        return {"user": {"profile": {"display_name": form["user"].removeprefix("U").lower()}}}

    def _conversations_history(self, form: dict[str, str]) -> dict[str, Any]:
        oldest = float(form.get("oldest", "0"))
        found = [
            one for one in self.messages if float(one["ts"]) > oldest and one.get("thread_ts", one["ts"]) == one["ts"]
        ]
        return self._page(found[::-1], form)

    def _conversations_replies(self, form: dict[str, str]) -> dict[str, Any]:
        oldest = float(form.get("oldest", "0"))
        found = [one for one in self.messages if form["ts"] in (one.get("thread_ts"), one["ts"])]
        return self._page([one for one in found if one["ts"] == form["ts"] or float(one["ts"]) > oldest], form)

    def _page(self, found: list[dict[str, Any]], form: dict[str, str]) -> dict[str, Any]:
        begin, size = int(form.get("cursor") or "0"), int(form["limit"])
        more = str(begin + size) if begin + size < len(found) else ""
        return {"messages": found[begin : begin + size], "response_metadata": {"next_cursor": more}}

    def _reactions_get(self, form: dict[str, str]) -> dict[str, Any]:
        return {"type": "message", "message": self._find(form["timestamp"])}

    def _chat_postMessage(self, form: dict[str, str]) -> dict[str, Any]:
        self.sent.append(form)
        return {"ts": self._ts()}

    _chat_postEphemeral = _chat_postMessage

    async def _link(self, request: web.Request) -> web.StreamResponse:
        assert request.query["ticket"] == TICKET
        ws = await self.opened(request)
        self.connected += 1
        await ws.send_json({"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A1"}})
        for envelope in list(self.waiting):
            envelope["retry_attempt"] += 1
            await ws.send_json(envelope)
        with contextlib.suppress(ConnectionError):
            async for message in ws:
                ident = json.loads(message.data)["envelope_id"]
                self.acked.append(ident)
                self.waiting = [one for one in self.waiting if one["envelope_id"] != ident]
        return ws
