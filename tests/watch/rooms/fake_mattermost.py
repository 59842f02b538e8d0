"""Mattermost's API as its reference and server say: posts, and a websocket that can be resumed.

Source: api.mattermost.com; web_conn.go of the server: a connection's events are numbered from 0 (hello), the last 128
are kept, and a client that comes back with connection_id and the number it wants next gets the rest, without a hello.
"""

from __future__ import annotations

import json
import time
from typing import Any

import aiohttp
from aiohttp import web

from tests.watch.rooms.served import Served

CHANNEL = "abcdefghijklmnopqrstuvwxyz"
OTHER = "zyxwvutsrqponmlkjihgfedcba"
BOT = "botbotbotbotbotbotbotbotbo"
_KEPT = 128


class Connection:
    def __init__(self, ident: str) -> None:
        self.id = ident
        self.next = 0
        self.kept: list[dict[str, Any]] = []


class FakeMattermost(Served):
    """`say`, `edit` and the others are what people do; each is told on the websocket."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self.token = token
        self.posts: dict[str, dict[str, Any]] = {}
        self.connections: dict[str, Connection] = {}
        self.live: Connection | None = None
        self.member = True
        self.twice = False
        """Every event is sent twice, with numbers of their own."""
        self._count = 0
        self._last = 0

    def routes(self) -> list[web.RouteDef]:
        api = "/api/v4"
        return [
            web.get(f"{api}/users/me", self._me),
            web.post(f"{api}/users/ids", self._users),
            web.get(f"{api}/channels/{{id}}/members/me", self._membership),
            web.get(f"{api}/channels/{{id}}/posts", self._list),
            web.get(f"{api}/posts/{{id}}", self._post),
            web.post(f"{api}/posts", self._create),
            web.get(f"{api}/websocket", self._websocket),
        ]

    # ------------------------------------------------------------------ what people do

    def _now(self) -> int:
        self._last = max(self._last + 1, int(time.time() * 1000))
        return self._last

    async def say(self, user: str, text: str, *, root: str = "", channel: str = CHANNEL, tell: bool = True) -> str:
        self._count += 1
        now = self._now()
        post = {
            "id": f"p{self._count:025}",
            "create_at": now,
            "update_at": now,
            "edit_at": 0,
            "delete_at": 0,
            "user_id": user,
            "channel_id": channel,
            "root_id": root,
            "message": text,
            "type": "",
            "props": {},
            "metadata": {},
        }
        self.posts[str(post["id"])] = post
        if tell:
            await self.event("posted", post)
        return str(post["id"])

    async def edit(self, ident: str, text: str) -> None:
        now = self._now()
        self.posts[ident] |= {"message": text, "edit_at": now, "update_at": now}
        await self.event("post_edited", self.posts[ident])

    async def delete(self, ident: str) -> None:
        now = self._now()
        self.posts[ident] |= {"delete_at": now, "update_at": now}
        await self.event("post_deleted", self.posts[ident])

    async def react(self, user: str, ident: str, name: str) -> None:
        now, post = self._now(), self.posts[ident]
        reaction = {"user_id": user, "post_id": ident, "emoji_name": name, "create_at": now}
        post["metadata"] = {"reactions": [*post["metadata"].get("reactions", []), reaction]}
        post["update_at"] = now
        data = {"reaction": json.dumps(reaction)}
        await self._send({"event": "reaction_added", "data": data, "broadcast": {"channel_id": post["channel_id"]}})

    async def event(self, kind: str, post: dict[str, Any]) -> None:
        data = {"post": json.dumps(post), "sender_name": f"@{post['user_id'][:3]}"}
        frame = {"event": kind, "data": data, "broadcast": {"channel_id": post["channel_id"]}}
        for _ in range(2 if self.twice else 1):
            await self._send(frame)

    async def _send(self, frame: dict[str, Any]) -> None:
        connection = self.live
        if connection is None:
            return
        numbered = {**frame, "seq": connection.next}
        connection.next += 1
        connection.kept = [*connection.kept, numbered][-_KEPT:]
        await self.tell(numbered)

    def forget(self) -> None:
        """As a server that was restarted: no connection can be resumed."""
        self.connections.clear()
        self.live = None

    # ------------------------------------------------------------------ the API

    def _denied(self, request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization") == f"Bearer {self.token}":
            return None
        return web.json_response({"id": "api.context.session_expired", "message": "Invalid session"}, status=401)

    async def _me(self, request: web.Request) -> web.Response:
        return self._denied(request) or web.json_response({"id": BOT, "username": "incidentbot"})

    async def _users(self, request: web.Request) -> web.Response:
        ids = await request.json()
        return self._denied(request) or web.json_response([{"id": one, "username": one[:3]} for one in ids])

    async def _membership(self, request: web.Request) -> web.Response:
        if not self.member:
            return web.json_response({"message": "You do not have the appropriate permissions."}, status=403)
        return self._denied(request) or web.json_response({"channel_id": request.match_info["id"], "user_id": BOT})

    async def _list(self, request: web.Request) -> web.Response:
        channel = request.match_info["id"]
        posts = [post for post in self.posts.values() if post["channel_id"] == channel]
        if "since" in request.query:
            posts = [post for post in posts if post["update_at"] > int(request.query["since"])][:1000]
        else:
            size, page = int(request.query["per_page"]), int(request.query["page"])
            alive = [post for post in posts if not post["delete_at"]]
            posts = alive[::-1][page * size : (page + 1) * size]
        found = {"order": [post["id"] for post in posts], "posts": {post["id"]: post for post in posts}}
        return self._denied(request) or web.json_response(found)

    async def _post(self, request: web.Request) -> web.Response:
        post = self.posts.get(request.match_info["id"])
        missing = web.json_response({"message": "Unable to get the post."}, status=404)
        return self._denied(request) or (web.json_response(post) if post else missing)

    async def _create(self, request: web.Request) -> web.Response:
        denied = self._denied(request)
        if denied is None:
            body = await request.json()
            ident = await self.say(BOT, body["message"], root=body["root_id"], channel=body["channel_id"])
            return web.json_response(self.posts[ident], status=201)
        return denied

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        denied = self._denied(request)
        if denied is not None:
            return denied
        known = self.connections.get(request.query.get("connection_id", ""))
        wanted = int(request.query.get("sequence_number", "0"))
        ws = await self.opened(request)
        if known is not None and (wanted == known.next or any(one["seq"] == wanted for one in known.kept)):
            self.live = known
            for frame in [one for one in known.kept if one["seq"] >= wanted]:
                await ws.send_json(frame)
        else:
            self.live = Connection(f"c{len(self.connections)}-{time.time_ns()}")
            self.connections[self.live.id] = self.live
            await self._send({"event": "hello", "data": {"connection_id": self.live.id}, "broadcast": {}})
        async for message in ws:
            if message.type is aiohttp.WSMsgType.ERROR:
                break
        return ws
