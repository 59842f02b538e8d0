"""Matrix: GET /sync with its token, which survives a restart of either side; what it leaves out is read back from
/messages. Source: the Matrix specification, client-server API; tried with Synapse.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

import msgspec

from incident_tui.watch.inbound.said import Answer, Said
from incident_tui.watch.rooms import matrix_events as events
from incident_tui.watch.rooms.answering import plain
from incident_tui.watch.rooms.cursors import Place
from incident_tui.watch.rooms.http import Http, Reply, words
from incident_tui.watch.rooms.matrix_events import ENCRYPTED, edit_of
from incident_tui.watch.rooms.platform import Way
from incident_tui.watch.rooms.problem import RoomError
from incident_tui.watch.rooms.settings import Room

_API: Final = "/_matrix/client/v3"
_POLL: Final = 30.0
_PAGE: Final = 200
_PAGES: Final = 1_000
_LIMIT: Final = 100
"""Events of one /sync; Synapse gives no more."""
_SENDERS: Final = 5_000


class Matrix:
    """One account's rooms."""

    def __init__(self, room: Room, secret: Callable[[], tuple[str, str]], clock: Callable[[], datetime]) -> None:
        self.own: frozenset[str] = frozenset()
        self._room = room
        self._secret = secret
        self._clock = clock
        self._rooms: tuple[str, ...] = ()
        self._names: dict[str, str] = {}
        self._senders: OrderedDict[str, str] = OrderedDict()
        """Event -> who sent it, of the latest messages."""

    def _http(self) -> Http:
        return Http(self._room.url, {"Authorization": f"Bearer {self._secret()[0]}"}, self._clock)

    # ------------------------------------------------------------------ who, and where

    async def hello(self) -> str:
        async with self._http() as http:
            await self._enter(http, join=False)
        return f"{', '.join(self.own)} reads {', '.join(self._room.channels)}"

    async def _enter(self, http: Http, *, join: bool) -> None:
        me = (await self._ask(http, "GET", "/account/whoami")).object.get("user_id")
        if not isinstance(me, str):
            raise RoomError("is no Matrix server: it does not say who we are", lasting=True)
        self.own = frozenset({me})
        rooms = []
        for channel in self._room.channels:
            room = await self._resolved(http, channel)
            reply = await self._encryption(http, room)
            if reply.status == 403 and join:
                await http.call("POST", f"{_API}/join/{quote(room, safe='')}", json={})
                reply = await self._encryption(http, room)
            if reply.status == 403:
                raise RoomError(f"{channel}: the bot is not in the room; invite it", lasting=True)
            if reply.status == 200 and reply.object.get("algorithm"):
                raise RoomError(f"{channel}: {ENCRYPTED}", lasting=True)
            if reply.status not in (200, 404):
                raise _refused(reply)
            rooms.append(room)
        self._rooms = tuple(rooms)

    async def _encryption(self, http: Http, room: str) -> Reply:
        return await http.call("GET", f"{_API}/rooms/{quote(room, safe='')}/state/m.room.encryption/")

    async def _resolved(self, http: Http, channel: str) -> str:
        if channel.startswith("!"):
            return channel
        reply = await http.call("GET", f"{_API}/directory/room/{quote(channel, safe='')}")
        if reply.status == 404:
            raise RoomError(f"{channel}: there is no such room", lasting=True)
        found = _checked(reply).object.get("room_id")
        if not isinstance(found, str):
            raise RoomError(f"{channel}: there is no such room", lasting=True)
        return found

    async def _ask(self, http: Http, method: str, path: str, query: Mapping[str, str] | None = None) -> Reply:
        return _checked(await http.call(method, _API + path, query=query))

    # ------------------------------------------------------------------ reading

    async def read(self, way: Way) -> None:
        async with self._http() as http:
            await self._enter(http, join=True)
            place = way.place
            if place is None or not place.token:
                place = await self._begin(http, way, None)
            poll = 0.0
            while True:
                reply = await self._sync(http, place.token, poll)
                if reply.status == 400:  # another server under the old name, or its history is gone
                    place = await self._begin(http, way, place)
                    continue
                way.heard()
                place = await self._took(http, way, _checked(reply).object, place)
                poll = _POLL

    async def _sync(self, http: Http, since: str, poll: float, limit: int = _LIMIT) -> Reply:
        query = {"timeout": str(int(poll * 1000)), "filter": events.sync_filter(self._rooms, limit)}
        if since:
            query["since"] = since
        return await http.call("GET", f"{_API}/sync", query=query, seconds=poll + 30)

    async def _begin(self, http: Http, way: Way, missed: Place | None) -> Place:
        """A first token. With `missed`, what was said since then is read back by its time."""
        answer = _checked(await self._sync(http, "", 0.0, 1)).object
        way.heard()
        place = Place(at=self._clock(), token=_next(answer))
        for one in events.timelines(answer, self._rooms, self._names):
            if missed is not None:
                # Of the last event, too: it may be from meanwhile.
                said = await self._said(http, one.room, one.events)
                await way.put([each for each in said if each.at > missed.at])
                await self._back(http, way, one.room, one.before, "", missed.at)
        await way.put([], place)
        return place

    async def _took(self, http: Http, way: Way, answer: Mapping[str, Any], place: Place) -> Place:
        found: list[Said] = []
        for one in events.timelines(answer, self._rooms, self._names):
            if one.limited and one.before:
                await self._back(http, way, one.room, one.before, place.token, place.at)
            found += await self._said(http, one.room, one.events)
        reached = Place(at=self._clock(), token=_next(answer))
        if found or reached.token != place.token:
            await way.put(found, reached)
        return reached

    async def _back(self, http: Http, way: Way, room: str, begin: str, end: str, since: datetime) -> None:
        """What was said between `since`, where the token `end` is, and `begin`, newest first."""
        at, until = begin, self._clock()
        path = f"/rooms/{quote(room, safe='')}/messages"
        for _ in range(_PAGES):
            query = {"dir": "b", "from": at, "limit": str(_PAGE), "filter": events.message_filter()}
            reply = await http.call("GET", _API + path, query=query | ({"to": end} if end else {}))
            if 400 <= reply.status < 500 and reply.status != 401:
                await way.lost(since, until, f"answered {_words(reply)}")
                return
            way.heard()
            found = events.events_of(_checked(reply).object.get("chunk"))
            said = await self._said(http, room, found)
            oldest = min((one.at for one in said), default=until)
            # By the token all of these are new; by the time only some are.
            await way.put(said if end else [one for one in said if one.at > since])
            next_at = reply.object.get("end")
            if not isinstance(next_at, str) or next_at == at or (not end and oldest <= since):
                return
            if oldest < way.horizon:
                await way.lost(since, oldest, "it is longer ago than back_fill_hours")
                return
            at, until = next_at, min(until, oldest)
        await way.lost(since, until, "it was too much to read back")

    async def _said(self, http: Http, room: str, found: Sequence[Mapping[str, Any]]) -> list[Said]:
        for event in found:
            ident, sender = event.get("event_id"), event.get("sender")
            if isinstance(ident, str) and isinstance(sender, str) and not edit_of(event):
                self._senders[ident] = sender
                if len(self._senders) > _SENDERS:
                    self._senders.popitem(last=False)
        said: list[Said] = []
        for event in found:
            target = edit_of(event)
            if target and await self._sender(http, room, target) != event.get("sender"):
                continue  # a forgery: nobody edits what another wrote
            one = events.said_of(event, room, self._room.name, self._names)
            if one is not None:
                said.append(one)
        return said

    async def _sender(self, http: Http, room: str, ident: str) -> str:
        if ident not in self._senders:
            event = await self._event(http, room, ident)
            self._senders[ident] = str(event.get("sender", "")) if event else ""
        return self._senders[ident]

    async def _event(self, http: Http, room: str, ident: str) -> Mapping[str, Any] | None:
        reply = await http.call("GET", f"{_API}/rooms/{quote(room, safe='')}/event/{quote(ident, safe='')}")
        return None if reply.status in (403, 404) else _checked(reply).object

    # ------------------------------------------------------------------ single messages

    async def fetch(self, said: Said) -> Said | None:
        if said.room not in self._rooms:
            return None
        async with self._http() as http:
            event = await self._event(http, said.room, said.id)
        whole = None if event is None else events.said_of(event, said.room, said.source, self._names)
        if whole is None or whole.id != said.id or whole.text is None:
            return None
        return msgspec.structs.replace(whole, reactions=said.reactions)

    async def reply(self, answer: Answer) -> None:
        said = answer.said
        relates: dict[str, Any] = {"m.in_reply_to": {"event_id": said.id}}
        if said.thread:
            relates |= {"rel_type": "m.thread", "event_id": said.thread, "is_falling_back": False}
        content = {"msgtype": "m.notice", "body": plain(answer.text), "m.mentions": {}, "m.relates_to": relates}
        # Made from the message: what is answered again after a restart is one answer.
        once = hashlib.sha256(f"{said.room}\0{said.id}".encode()).hexdigest()[:32]
        path = f"{_API}/rooms/{quote(said.room, safe='')}/send/m.room.message/itui-{once}"
        async with self._http() as http:
            _checked(await http.call("PUT", path, json=content))


def _next(answer: Mapping[str, Any]) -> str:
    found = answer.get("next_batch")
    if not isinstance(found, str) or not found:
        raise RoomError("is no Matrix server: /sync has no next_batch", lasting=True)
    return found


def _words(reply: Reply) -> str:
    said = f"{words(reply.object.get('errcode'))} {words(reply.object.get('error'))}".strip()
    return f"{reply.status} {said}".strip()


def _checked(reply: Reply) -> Reply:
    """The answer, when it is a success. Raises RoomError."""
    if reply.status != 200 or reply.body is None:
        raise _refused(reply)
    return reply


def _refused(reply: Reply) -> RoomError:
    if reply.status == 401:
        return RoomError(f"the token is not accepted ({_words(reply)})", lasting=True)
    return RoomError(f"answered {_words(reply)}", wait=reply.wait, lasting=reply.status in (403, 404))
