"""Zulip: an event queue, which the server keeps for ten minutes without us, also over a restart of the watch; a queue
that is gone is made anew, and what was said meanwhile is read back from /messages by the id of the last one.

Source: Zulip's API documentation (register-queue, get-events, get-messages, rate limits).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from incident_tui.watch.inbound.said import Answer, Said
from incident_tui.watch.rooms import zulip_events as events
from incident_tui.watch.rooms.answering import plain
from incident_tui.watch.rooms.cursors import Place
from incident_tui.watch.rooms.http import Http, words
from incident_tui.watch.rooms.platform import Way
from incident_tui.watch.rooms.problem import RoomError
from incident_tui.watch.rooms.settings import Room

_API: Final = "/api/v1"
_POLL: Final = 120.0
"""The server answers within a minute or so, if only with a heartbeat."""
_PAGE: Final = 1_000
_PAGES: Final = 100
_BEFORE: Final = 200
"""So many older messages are looked at for edits and reactions of meanwhile."""
_KINDS: Final = ["message", "update_message", "delete_message", "reaction"]
_GONE: Final = "BAD_EVENT_QUEUE_ID"
_ROOMS: Final = 5_000


class _QueueGone(Exception):
    """The server keeps no such queue any more."""


class Zulip:
    """One bot's channels."""

    def __init__(self, room: Room, secret: Callable[[], tuple[str, str]], clock: Callable[[], datetime]) -> None:
        self.own: frozenset[str] = frozenset()
        self._room = room
        self._secret = secret
        self._clock = clock
        self._channels: dict[int, str] = {}
        self._rooms: dict[str, str] = {}
        """Message -> channel, of the latest messages: a reaction does not say it."""

    def _http(self) -> Http:
        basic = base64.b64encode(f"{self._room.account}:{self._secret()[0]}".encode()).decode()
        return Http(self._room.url, {"Authorization": f"Basic {basic}"}, self._clock)

    async def _ask(
        self, http: Http, method: str, path: str, fields: Mapping[str, Any] | None = None, seconds: float = 20.0
    ) -> Mapping[str, Any]:
        """Raises RoomError; _QueueGone."""
        sent = {key: value if isinstance(value, str) else json.dumps(value) for key, value in (fields or {}).items()}
        read = method == "GET"
        reply = await http.call(
            method, _API + path, query=sent if read else None, form=None if read else sent, seconds=seconds
        )
        found = reply.object
        if reply.status == 200 and found.get("result") == "success":
            return found
        code, said = words(found.get("code")), words(found.get("msg"))
        if code == _GONE:
            raise _QueueGone
        if reply.status == 401:
            raise RoomError(f"the account or its key is not accepted (401 {said})", lasting=True)
        raise RoomError(
            f"answered {reply.status} {said}".strip(),
            wait=reply.wait,
            lasting=reply.status in (301, 302, 403, 404),
        )

    # ------------------------------------------------------------------ who, and where

    async def hello(self) -> str:
        async with self._http() as http:
            await self._enter(http)
        return f"{self._room.account} reads {', '.join(self._room.channels)}"

    async def _enter(self, http: Http) -> None:
        me = await self._ask(http, "GET", "/users/me")
        self.own = frozenset({str(me.get("user_id"))})
        found = (await self._ask(http, "GET", "/users/me/subscriptions")).get("subscriptions")
        known = {
            str(one.get("name", "")).casefold(): one.get("stream_id")
            for one in (found if isinstance(found, list) else [])
            if isinstance(one, dict)
        }
        channels: dict[int, str] = {}
        for channel in self._room.channels:
            ident = known.get(channel.casefold())
            if not isinstance(ident, int):
                raise RoomError(f"{channel}: the bot is not subscribed to this channel; add it", lasting=True)
            channels[ident] = channel
        self._channels = channels

    # ------------------------------------------------------------------ reading

    async def read(self, way: Way) -> None:
        async with self._http() as http:
            await self._enter(http)
            place = way.place
            if place is None or not place.token:
                place = await self._register(http, way, place)
            blocking = False
            while True:
                queue, _, last = place.token.rpartition(":")
                fields = {"queue_id": queue, "last_event_id": last, "dont_block": not blocking}
                try:
                    answer = await self._ask(http, "GET", "/events", fields, _POLL)
                except _QueueGone:
                    place = await self._register(http, way, place)
                    continue
                way.heard()
                place = await self._took(way, answer, place, queue)
                blocking = True

    async def _register(self, http: Http, way: Way, missed: Place | None) -> Place:
        """A queue, first; then what was said before it began."""
        fields = {"event_types": _KINDS, "apply_markdown": False}
        answer = await self._ask(http, "POST", "/register", fields)
        queue, last = answer.get("queue_id"), answer.get("last_event_id")
        newest = answer.get("max_message_id")
        if not isinstance(queue, str) or not isinstance(last, int):
            raise RoomError("is no Zulip server: it gives no event queue", lasting=True)
        way.heard()
        reached = str(newest) if isinstance(newest, int) else ""
        if missed is not None and missed.last:
            reached = await self._back(http, way, missed) or reached
        place = Place(at=self._clock(), token=f"{queue}:{last}", last=reached)
        await way.put([], place)
        return place

    async def _took(self, way: Way, answer: Mapping[str, Any], place: Place, queue: str) -> Place:
        told = answer.get("events")
        found: list[Said] = []
        last, newest = place.token.rpartition(":")[2], place.last
        for event in told if isinstance(told, list) else []:
            if not isinstance(event, dict):
                continue
            if isinstance(event.get("id"), int):
                last = str(event["id"])
            message = event.get("message")
            if event.get("type") == "message" and isinstance(message, dict) and isinstance(message.get("id"), int):
                newest = str(max(message["id"], int(newest or 0)))
            found += events.said_of(event, self._channels, self._room.name, self._clock())
        reached = Place(at=self._clock(), token=f"{queue}:{last}", last=newest)
        await way.put(self._placed(found), reached)
        return reached

    def _placed(self, found: list[Said]) -> list[Said]:
        """Reactions with the channel of what they are about, where it was seen here."""
        placed = []
        for said in found:
            if said.room:
                self._rooms[said.id] = said.room
            elif said.id in self._rooms:
                said = msgspec.structs.replace(said, room=self._rooms[said.id])
            placed.append(said)
        while len(self._rooms) > _ROOMS:
            del self._rooms[next(iter(self._rooms))]
        return placed

    # ------------------------------------------------------------------ what was missed

    async def _back(self, http: Http, way: Way, missed: Place) -> str:
        """Hands in what was said since the last message. Returns the newest one's id, "" when there is none."""
        newest = 0
        for channel in sorted(self._channels):
            anchor = int(missed.last)
            for page in range(_PAGES + 1):
                if page == _PAGES:
                    await way.lost(missed.at, self._clock(), "it was too much to read back")
                    break
                fields = {
                    "anchor": anchor,
                    "include_anchor": False,
                    "num_before": 0 if page else _BEFORE,
                    "num_after": _PAGE,
                    "narrow": [{"operator": "stream", "operand": channel}],
                    "apply_markdown": False,
                }
                answer = await self._ask(http, "GET", "/messages", fields)
                way.heard()
                told = answer.get("messages")
                messages = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
                said = [
                    one
                    for each in messages
                    for one in events.whole(each, self._channels, self._room.name)
                    if int(one.id) > int(missed.last) or events.changed(each, missed.at)
                ]
                fit = [one for one in said if one.at >= way.horizon]
                if len(fit) < len(said):
                    await way.lost(missed.at, way.horizon, "it is longer ago than back_fill_hours")
                await way.put(self._placed(fit))
                ids = [one["id"] for one in messages if isinstance(one.get("id"), int)]
                newest, anchor = max([newest, *ids]), max([anchor, *ids])
                if answer.get("found_newest") is True or not ids:
                    break
        return str(max(newest, int(missed.last)))

    # ------------------------------------------------------------------ single messages

    async def fetch(self, said: Said) -> Said | None:
        async with self._http() as http:
            try:
                answer = await self._ask(http, "GET", f"/messages/{int(said.id)}", {"apply_markdown": False})
            except (RoomError, ValueError):
                return None  # it is no message that the bot can see
        message = answer.get("message")
        whole = events.posted(message, self._channels, said.source) if isinstance(message, dict) else None
        return None if whole is None else msgspec.structs.replace(whole, reactions=said.reactions)

    async def reply(self, answer: Answer) -> None:
        said = answer.said
        form = {"type": "stream", "to": said.room, "topic": said.thread, "content": plain(answer.text)}
        async with self._http() as http:
            await self._ask(http, "POST", "/messages", form)
