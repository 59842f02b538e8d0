"""Mattermost: the websocket, resumed where it broke when the server still can; what it cannot give again is read back
by REST. Source: Mattermost's API reference, and the server's web_conn.go: it keeps the last 128 events of a connection;
a connection that cannot be resumed says hello with another id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec

from incident_tui.watch.inbound.said import Answer, Said
from incident_tui.watch.rooms import mattermost_frames as frames
from incident_tui.watch.rooms.answering import plain
from incident_tui.watch.rooms.cursors import Place
from incident_tui.watch.rooms.http import Http, Reply, Socket, words
from incident_tui.watch.rooms.platform import Way
from incident_tui.watch.rooms.problem import RoomError
from incident_tui.watch.rooms.settings import Room

_API: Final = "/api/v4"
_HELLO: Final = 15.0
QUIET: Final = 60.0
"""After so many seconds without an event the place moves on by itself."""
OVERLAP: Final = timedelta(minutes=2)
"""So much is read twice: clocks differ, and events of several channels may overtake each other."""
_SINCE_MOST: Final = 1_000
"""Posts that an answer to `since` has at most."""
_PAGE: Final = 200
_PAGES: Final = 100
_NAMES: Final = 5_000


class Mattermost:
    """One account's channels."""

    def __init__(self, room: Room, secret: Callable[[], tuple[str, str]], clock: Callable[[], datetime]) -> None:
        self.own: frozenset[str] = frozenset()
        self._room = room
        self._secret = secret
        self._clock = clock
        self._channels = frozenset(room.channels)
        self._names: dict[str, str] = {}
        self._connection = ""
        self._next = 0
        """The number that the connection's next event must have."""

    def _http(self) -> Http:
        return Http(self._room.url, self._bearer(), self._clock)

    def _bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._secret()[0]}"}

    # ------------------------------------------------------------------ who, and where

    async def hello(self) -> str:
        async with self._http() as http:
            name = await self._enter(http)
        return f"{name} reads {len(self._channels)} channel{'s' if len(self._channels) > 1 else ''}"

    async def _enter(self, http: Http) -> str:
        me = _checked(await http.call("GET", f"{_API}/users/me")).object
        ident = me.get("id")
        if not isinstance(ident, str):
            raise RoomError("is no Mattermost server: it does not say who we are", lasting=True)
        self.own = frozenset({ident})
        for channel in self._channels:
            reply = await http.call("GET", f"{_API}/channels/{channel}/members/me")
            if reply.status in (403, 404):
                raise RoomError(f"{channel}: the bot is not a member of this channel; add it", lasting=True)
            _checked(reply)
        return f"@{words(me.get('username'))}"

    # ------------------------------------------------------------------ reading

    async def read(self, way: Way) -> None:
        async with self._http() as http:
            await self._enter(http)
            query = {"connection_id": self._connection, "sequence_number": str(self._next)}
            url = f"ws{self._room.url.removeprefix('http')}{_API}/websocket"
            if self._connection:
                url = f"{url}?{urlencode(query)}"
            async with http.socket(url, headers=self._bearer()) as socket:
                if not self._connection:
                    await self._fresh(http, socket, way)
                way.heard()
                await self._listen(http, socket, way)

    async def _fresh(self, http: Http, socket: Socket, way: Way) -> None:
        frame = await socket.receive(_HELLO)
        if not frame or frame.get("event") != "hello":
            raise RoomError("the websocket does not say hello: is the token accepted?")
        self._begin(frame)
        await self._back(http, way)

    def _begin(self, hello: Mapping[str, Any]) -> None:
        """A connection's first event."""
        data = hello.get("data")
        ident = data.get("connection_id") if isinstance(data, dict) else None
        self._connection = ident if isinstance(ident, str) else ""
        self._next = _seq(hello, 0) + 1

    async def _listen(self, http: Http, socket: Socket, way: Way) -> None:
        while True:
            frame = await socket.receive(QUIET)
            if frame is None:
                return
            way.heard()
            if not frame:
                await self._quiet(way)
                continue
            if frame.get("event") == "hello":
                # The server could not give again what this connection missed.
                self._begin(frame)
                await self._back(http, way)
                continue
            if "seq" in frame and "event" in frame:
                missed = _seq(frame, self._next) != self._next
                self._next = _seq(frame, self._next) + 1
                if missed:
                    await self._back(http, way)
            said = frames.said_of(frame, self._channels, self._room.name)
            if said is not None:
                await way.put([said], self._reached(way, said.edited or said.at))

    def _reached(self, way: Way, at: datetime) -> Place:
        before, at = way.place, min(at, self._clock())
        return Place(at=max(at, before.at) if before is not None else at)

    async def _quiet(self, way: Way) -> None:
        await way.put([], self._reached(way, self._clock() - timedelta(seconds=QUIET)))

    # ------------------------------------------------------------------ what was missed

    async def _back(self, http: Http, way: Way) -> None:
        place, now = way.place, self._clock()
        if place is None:
            await way.put([], Place(at=now))
            return
        since = place.at - OVERLAP
        if since < way.horizon:
            await way.lost(place.at, way.horizon, "it is longer ago than back_fill_hours")
            since = way.horizon
        reached = place.at
        for channel in sorted(self._channels):
            reached = max(reached, await self._back_of(http, way, channel, since) or reached)
        await way.put([], self._reached(way, reached))

    async def _back_of(self, http: Http, way: Way, channel: str, since: datetime) -> datetime | None:
        """Hands in what changed in a channel since then. Returns when the newest of it did."""
        path = f"{_API}/channels/{channel}/posts"
        posts = await self._posts(http, path, {"since": str(int(since.timestamp() * 1000))})
        newest = await self._hand_in(http, way, posts)
        if len(posts) < _SINCE_MOST:
            return newest
        for page in range(_PAGES):  # which thousand it gave is not said
            posts = await self._posts(http, path, {"page": str(page), "per_page": str(_PAGE)})
            newest = max((at for at in (newest, await self._hand_in(http, way, posts)) if at is not None), default=None)
            oldest = min((at for post in posts if (at := frames.time_of(post.get("create_at")))), default=since)
            if len(posts) < _PAGE or oldest <= since:
                return newest
        await way.lost(since, oldest, "it was too much to read back")
        return newest

    async def _posts(self, http: Http, path: str, query: Mapping[str, str]) -> list[Mapping[str, Any]]:
        found = _checked(await http.call("GET", path, query=query)).object.get("posts")
        return [post for post in found.values() if isinstance(post, dict)] if isinstance(found, dict) else []

    async def _hand_in(self, http: Http, way: Way, posts: list[Mapping[str, Any]]) -> datetime | None:
        posts = [post for post in posts if str(post.get("channel_id")) in self._channels]
        await self._learn(http, (str(post.get("user_id", "")) for post in posts))
        way.heard()
        said = [
            one
            for post in posts
            for one in frames.whole(post, self._room.name, self._names.get(str(post.get("user_id", "")), ""))
        ]
        await way.put(sorted(said, key=lambda one: one.at))
        return max((at for post in posts if (at := frames.newest(post))), default=None)

    async def _learn(self, http: Http, users: Iterable[str]) -> None:
        """Names of who wrote; who has none here is shown by the id."""
        fresh = sorted({user for user in users if user and user not in self._names})[:_PAGE]
        if not fresh:
            return
        reply = await http.call("POST", f"{_API}/users/ids", json=fresh)
        for user in reply.body if reply.status == 200 and isinstance(reply.body, list) else []:
            if isinstance(user, dict) and isinstance(user.get("id"), str):
                self._names[user["id"]] = str(user.get("username", ""))[:255]
        while len(self._names) > _NAMES:
            del self._names[next(iter(self._names))]

    # ------------------------------------------------------------------ single messages

    async def fetch(self, said: Said) -> Said | None:
        async with self._http() as http:
            reply = await http.call("GET", f"{_API}/posts/{quote(said.id, safe='')}")
            if reply.status in (403, 404):
                return None
            post = _checked(reply).object
            user = str(post.get("user_id", ""))
            await self._learn(http, [user])
        whole = frames.posted(post, said.source, self._names.get(user, ""))
        if whole is None or whole.room not in self._channels or whole.id != said.id:
            return None
        return msgspec.structs.replace(whole, reactions=said.reactions)

    async def reply(self, answer: Answer) -> None:
        said = answer.said
        post = {"channel_id": said.room, "root_id": said.thread or said.id, "message": plain(answer.text)}
        async with self._http() as http:
            _checked(await http.call("POST", f"{_API}/posts", json=post))


def _seq(frame: Mapping[str, Any], default: int) -> int:
    found = frame.get("seq")
    return found if isinstance(found, int) and not isinstance(found, bool) else default


def _checked(reply: Reply) -> Reply:
    """The answer, when it is a success. Raises RoomError."""
    if reply.status in (200, 201) and reply.body is not None:
        return reply
    said = words(reply.object.get("message"))
    if reply.status == 401:
        raise RoomError(f"the token is not accepted (401 {said})".replace(" )", ")"), lasting=True)
    raise RoomError(f"answered {reply.status} {said}".strip(), wait=reply.wait, lasting=reply.status in (403, 404))
