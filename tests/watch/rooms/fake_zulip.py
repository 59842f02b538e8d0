"""Zulip's API as its documentation says: messages, and event queues that hold what nobody has fetched yet."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from typing import Any

from aiohttp import web

from tests.watch.rooms.served import Served

BOT = "bot@z.example"
CHANNEL, OTHER = 5, 6
_NAMES = {CHANNEL: "incidents", OTHER: "lunch"}


class FakeZulip(Served):
    """`say`, `edit` and the others are what people do. `heartbeat`: seconds after which an empty poll is answered."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key
        self.messages: dict[int, dict[str, Any]] = {}
        self.queues: dict[str, list[dict[str, Any]]] = {}
        self.subscribed = True
        self.twice = False
        self.heartbeat = 60.0
        self._woken = asyncio.Event()
        self._events = 0
        self._made = 0

    def routes(self) -> list[web.RouteDef]:
        api = "/api/v1"
        return [
            web.get(f"{api}/server_settings", self._settings),
            web.get(f"{api}/users/me", self._me),
            web.get(f"{api}/users/me/subscriptions", self._subscriptions),
            web.post(f"{api}/register", self._register),
            web.get(f"{api}/events", self._poll),
            web.delete(f"{api}/events", self._done),
            web.get(f"{api}/messages", self._list),
            web.get(f"{api}/messages/{{id}}", self._message),
            web.post(f"{api}/messages", self._create),
        ]

    # ------------------------------------------------------------------ what people do

    def say(self, user: int, text: str, *, topic: str = "gv0", channel: int = CHANNEL) -> int:
        ident = 1_000 + len(self.messages)
        self.messages[ident] = {
            "id": ident,
            "type": "stream",
            "stream_id": channel,
            "display_recipient": _NAMES[channel],
            "subject": topic,
            "sender_id": user,
            "sender_full_name": f"person {user}",
            "content": text,
            "timestamp": int(time.time()),
            "reactions": [],
        }
        self.event({"type": "message", "message": dict(self.messages[ident]), "flags": []})
        return ident

    def edit(self, ident: int, text: str) -> None:
        message = self.messages[ident]
        now = max(int(time.time()), message.get("last_edit_timestamp", message["timestamp"]) + 1)
        before = message["content"]
        message |= {"content": text, "last_edit_timestamp": now}
        event = {"type": "update_message", "message_id": ident, "message_ids": [ident], "edit_timestamp": now}
        event |= {"stream_id": message["stream_id"], "user_id": message["sender_id"], "rendering_only": False}
        self.event({**event, "content": text, "orig_content": before})

    def delete(self, ident: int) -> None:
        message = self.messages.pop(ident)
        event = {"type": "delete_message", "message_type": "stream", "stream_id": message["stream_id"]}
        self.event({**event, "topic": message["subject"], "message_id": ident})

    def react(self, user: int, ident: int, name: str) -> None:
        self.messages[ident]["reactions"].append({"emoji_name": name, "user_id": user})
        self.event({"type": "reaction", "op": "add", "message_id": ident, "emoji_name": name, "user_id": user})

    def event(self, event: dict[str, Any]) -> None:
        for _ in range(2 if self.twice else 1):
            self._events += 1
            for queue in self.queues.values():
                queue.append({**event, "id": self._events})
        self._woken.set()

    def forget(self) -> None:
        """As after ten minutes without a client, or a restart without saving."""
        self.queues.clear()
        self._woken.set()

    # ------------------------------------------------------------------ the API

    def _denied(self, request: web.Request) -> web.Response | None:
        wanted = "Basic " + base64.b64encode(f"{BOT}:{self.key}".encode()).decode()
        if request.headers.get("Authorization") == wanted:
            return None
        return _error("Invalid API key", "INVALID_API_KEY", 401)

    async def _settings(self, request: web.Request) -> web.Response:
        return _good({"zulip_version": "9.0", "zulip_feature_level": 278})

    async def _me(self, request: web.Request) -> web.Response:
        return self._denied(request) or _good({"user_id": 99, "email": BOT, "full_name": "incidentbot"})

    async def _subscriptions(self, request: web.Request) -> web.Response:
        found = [{"name": name, "stream_id": ident} for ident, name in _NAMES.items()] if self.subscribed else []
        return self._denied(request) or _good({"subscriptions": found})

    async def _register(self, request: web.Request) -> web.Response:
        denied = self._denied(request)
        if denied is not None:
            return denied
        form = await request.post()
        if "event_types" in form:
            assert isinstance(json.loads(str(form["event_types"])), list)
        self._made += 1
        queue = f"{int(time.time())}:{self._made}"
        self.queues[queue] = []
        newest = max(self.messages, default=-1)
        return _good({"queue_id": queue, "last_event_id": self._events, "max_message_id": newest})

    async def _poll(self, request: web.Request) -> web.Response:
        denied = self._denied(request)
        if denied is not None:
            return denied
        queue, last = request.query["queue_id"], int(request.query["last_event_id"])
        end = time.monotonic() + (0 if request.query.get("dont_block") == "true" else self.heartbeat)
        while True:
            if queue not in self.queues:
                return _error(f"Bad event queue ID: {queue}", "BAD_EVENT_QUEUE_ID", 400)
            self.queues[queue] = [event for event in self.queues[queue] if event["id"] > last]
            if self.queues[queue]:
                return _good({"events": self.queues[queue], "queue_id": queue})
            left = end - time.monotonic()
            if left <= 0:
                return _good({"events": [{"type": "heartbeat", "id": last}], "queue_id": queue})
            self._woken.clear()
            try:
                async with asyncio.timeout(left):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def _done(self, request: web.Request) -> web.Response:
        return self._denied(request) or _good({})

    async def _list(self, request: web.Request) -> web.Response:
        query = {key: json.loads(value) for key, value in request.query.items()}
        narrow = [one if isinstance(one, dict) else {"operand": one[1]} for one in query["narrow"]]
        ids = [
            ident
            for ident, message in sorted(self.messages.items())
            if all(one["operand"] in (message["display_recipient"], message["stream_id"]) for one in narrow)
        ]
        anchor = int(query["anchor"])
        before = [ident for ident in ids if ident < anchor][-query["num_before"] or len(ids) :]
        after = [ident for ident in ids if ident > anchor]
        found = [*before, *after[: query["num_after"]]]
        complete = len(after) <= query["num_after"]
        return self._denied(request) or _good(
            {"messages": [self.messages[ident] for ident in found], "found_newest": complete}
        )

    async def _message(self, request: web.Request) -> web.Response:
        message = self.messages.get(int(request.match_info["id"]))
        return self._denied(request) or (
            _good({"message": message}) if message else _error("Invalid message(s)", "BAD_REQUEST", 400)
        )

    async def _create(self, request: web.Request) -> web.Response:
        denied = self._denied(request)
        if denied is not None:
            return denied
        form = {key: str(value) for key, value in (await request.post()).items()}
        channel = int(form["to"]) if form["to"].isdecimal() else CHANNEL
        return _good({"id": self.say(99, form["content"], topic=form["topic"], channel=channel)})


def _good(found: dict[str, Any]) -> web.Response:
    return web.json_response({"result": "success", "msg": "", **found})


def _error(said: str, code: str, status: int) -> web.Response:
    return web.json_response({"result": "error", "msg": said, "code": code}, status=status)
