"""Slack by Socket Mode: no port is open here. Each envelope is acknowledged before anything is done with it; what comes
again is the same message again. What was said while no socket was open is read back from conversations.history.

Source: docs.slack.dev (Socket Mode, Events API, rate limits). The bot's token needs channels:history (groups:history),
reactions:read, chat:write and, for names, users:read; the app-level token connections:write.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from incident_tui.watch.inbound.said import Answer, Said
from incident_tui.watch.rooms import slack_frames as frames
from incident_tui.watch.rooms.answering import slack as disarmed
from incident_tui.watch.rooms.cursors import Place
from incident_tui.watch.rooms.http import Http, Socket, words
from incident_tui.watch.rooms.platform import Way
from incident_tui.watch.rooms.problem import RoomError
from incident_tui.watch.rooms.settings import Room

_HELLO: Final = 15.0
QUIET: Final = 60.0
OVERLAP: Final = timedelta(minutes=10)
"""So much is read twice: Slack delivers an event again for five minutes."""
THREADS: Final = timedelta(hours=24)
"""A message so much older may have got an answer, an edit or a mark meanwhile."""
RETRIED: Final = timedelta(minutes=5)
"""So long Slack keeps an event for a socket that is gone; after that it is read back, or it is lost."""
_PAGE: Final = 200
_PAGES: Final = 50
_NAMES: Final = 5_000
_HEARD: Final = 1_000
"""Acknowledged messages that may wait for a name or for the journal."""
_LASTING: Final = frozenset(
    {"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "missing_scope"}
    | {"not_allowed_token_type", "channel_not_found", "not_in_channel", "no_permission", "is_archived"}
)
_WORDS: Final = {
    "not_in_channel": "the bot is not in this channel; invite it",
    "channel_not_found": "there is no such channel, or the bot is not in it",
    "missing_scope": "the token lacks a scope: channels:history, reactions:read, chat:write, of an app token "
    "connections:write",
    "not_allowed_token_type": "the bot token and the app token are exchanged",
}


class Slack:
    """One app's channels."""

    def __init__(self, room: Room, secret: Callable[[], tuple[str, str]], clock: Callable[[], datetime]) -> None:
        self.own: frozenset[str] = frozenset()
        self._room = room
        self._secret = secret
        self._clock = clock
        self._channels = frozenset(room.channels)
        self._names: dict[str, str] = {}
        self._filled = False
        """What was missed is handed in, so that the place may move with what comes."""

    def _http(self) -> Http:
        return Http(self._room.url, {}, self._clock)

    async def _ask(self, http: Http, method: str, form: Mapping[str, str] | None = None, *, app: bool = False) -> Any:
        """A method of the Web API. An error is within an answer of 200."""
        token = self._secret()[1 if app else 0]
        reply = await http.call("POST", f"/api/{method}", form=form or {}, headers={"Authorization": f"Bearer {token}"})
        found = reply.object
        if reply.status == 200 and found.get("ok") is True:
            return found
        error = words(found.get("error"))
        if not error:
            lasting = reply.status in (301, 302, 403, 404)
            raise RoomError(f"answered {reply.status}, not as Slack does", wait=reply.wait, lasting=lasting)
        where = f"{form['channel']}: " if form and "channel" in form else ""
        said = f"{where}{_WORDS.get(error, f'{method} answered {error}')}"
        if error in ("invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"):
            said = f"the {'app' if app else 'bot'} token is not accepted ({error})"
        raise RoomError(said, wait=reply.wait, lasting=error in _LASTING)

    # ------------------------------------------------------------------ who, and where

    async def hello(self) -> str:
        async with self._http() as http:
            name = await self._enter(http)
            await self._address(http)
        return f"@{name} reads {len(self._channels)} channel{'s' if len(self._channels) > 1 else ''}"

    async def _enter(self, http: Http) -> str:
        me = await self._ask(http, "auth.test")
        self.own = frozenset(one for key in ("user_id", "bot_id") if isinstance(one := me.get(key), str) and one)
        for channel in sorted(self._channels):
            await self._ask(http, "conversations.history", {"channel": channel, "limit": "1"})
        return words(me.get("user"))

    async def _address(self, http: Http) -> str:
        url = (await self._ask(http, "apps.connections.open", app=True)).get("url")
        if not isinstance(url, str) or not url.startswith(("wss://", "ws://")):
            raise RoomError("apps.connections.open gives no address")
        if url.startswith("ws://") and self._room.url.startswith("https://"):
            raise RoomError("apps.connections.open gives an address without TLS")
        return url

    # ------------------------------------------------------------------ reading

    async def read(self, way: Way) -> None:
        async with self._http() as http:
            await self._enter(http)
            async with http.socket(await self._address(http)) as socket:
                first = await socket.receive(_HELLO)
                if not first or first.get("type") != "hello":
                    raise RoomError("the socket does not say hello")
                way.heard()
                self._filled = False
                heard: asyncio.Queue[Said | None] = asyncio.Queue(_HEARD)
                # Beside each other: an acknowledgement must wait for nothing.
                parts = (self._listen(socket, way, heard), self._back(http, way), self._take(http, way, heard))
                tasks = [asyncio.create_task(part) for part in parts]
                try:
                    await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
                    for task in tasks:
                        if task.done():
                            task.result()
                except _Ended:
                    return
                finally:
                    for task in tasks:
                        task.cancel()
                    await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self, socket: Socket, way: Way, heard: asyncio.Queue[Said | None]) -> None:
        """Acknowledges, and queues what was said; None when it is quiet. Raises _Ended when Slack wants a new
        connection: what is queued then, and not acknowledged, comes again, or is read back."""
        while True:
            envelope = await socket.receive(QUIET)
            if envelope is None:
                raise _Ended
            way.heard()
            if not envelope:
                await heard.put(None)
                continue
            if envelope.get("type") == "disconnect":
                if envelope.get("reason") == "link_disabled":
                    raise RoomError("Socket Mode is turned off in the app's settings", lasting=True)
                raise _Ended
            ident = envelope.get("envelope_id")
            if isinstance(ident, str):
                await socket.send({"envelope_id": ident})
            said = frames.enveloped(envelope, self._channels, self._room.name, self._clock())
            if said is not None:
                await heard.put(said)

    async def _take(self, http: Http, way: Way, heard: asyncio.Queue[Said | None]) -> None:
        while True:
            said = await heard.get()
            at = self._clock() - timedelta(seconds=QUIET) if said is None else said.edited or said.at
            batch = [] if said is None else [await self._named(http, said)]
            await way.put(batch, self._reached(way, at) if self._filled else None)

    def _reached(self, way: Way, at: datetime) -> Place:
        before, at = way.place, min(at, self._clock())
        return Place(at=max(at, before.at) if before is not None else at)

    # ------------------------------------------------------------------ what was missed

    async def _back(self, http: Http, way: Way) -> None:
        place, now = way.place, self._clock()
        if place is not None:
            since = place.at - OVERLAP
            if since < way.horizon:
                await way.lost(place.at, way.horizon, "it is longer ago than back_fill_hours")
                since = way.horizon
            for channel in sorted(self._channels):
                await self._back_of(http, way, channel, since)
            if now - place.at > RETRIED:
                begun = f"{since - THREADS:%Y-%m-%d %H:%MZ}"
                await way.lost(
                    place.at, now, f"answers, edits and marks of messages from before {begun} were not asked for"
                )
        await way.put([], Place(at=now))
        self._filled = True

    async def _back_of(self, http: Http, way: Way, channel: str, since: datetime) -> None:
        form = {"channel": channel, "oldest": frames.stamp(since - THREADS), "limit": str(_PAGE)}
        for _ in range(_PAGES):
            answer = await self._ask(http, "conversations.history", form)
            messages = _messages(answer)
            await self._hand_in(http, way, channel, messages, since)
            for message in messages:
                latest = frames.time_of(message.get("latest_reply"))
                if latest is not None and latest > since:
                    await self._thread(http, way, channel, str(message.get("ts", "")), since)
            form = {**form, "cursor": _cursor(answer)}
            if not form["cursor"]:
                return
        oldest = min((at for one in messages if (at := frames.time_of(one.get("ts")))), default=since)
        if oldest > since:
            await way.lost(since, oldest, "it was too much to read back")

    async def _thread(self, http: Http, way: Way, channel: str, root: str, since: datetime) -> None:
        form = {"channel": channel, "ts": root, "oldest": frames.stamp(since), "limit": str(_PAGE)}
        for _ in range(_PAGES):
            answer = await self._ask(http, "conversations.replies", form)
            await self._hand_in(http, way, channel, _messages(answer), since)
            form = {**form, "cursor": _cursor(answer)}
            if not form["cursor"]:
                return
        await way.lost(since, self._clock(), "a thread was too long to read back")

    async def _hand_in(
        self, http: Http, way: Way, channel: str, messages: Sequence[Mapping[str, Any]], since: datetime
    ) -> None:
        """What is newer than `since`, and of what is older what was edited or marked."""
        now, said = self._clock(), list[Said]()
        for message in messages:
            told = frames.whole(message, channel, self._room.name, now)
            edited = frames.edited_at(message)
            if told and (told[0].at > since or told[0].reactions or (edited is not None and edited > since)):
                said += [await self._named(http, one) for one in told]
        await way.put(sorted(said, key=lambda one: one.at))

    async def _named(self, http: Http, said: Said) -> Said:
        """With the name of who wrote it, where Slack gives one."""
        user = said.author_id
        if said.author_name or not user.startswith(("U", "W")):
            return said
        if user not in self._names:
            self._names[user] = ""
            try:
                profile = (await self._ask(http, "users.info", {"user": user})).get("user", {}).get("profile", {})
                self._names[user] = str(profile.get("display_name") or profile.get("real_name") or "")[:255]
            except (RoomError, AttributeError):
                pass  # without the scope users:read the id has to do
            while len(self._names) > _NAMES:
                del self._names[next(iter(self._names))]
        return msgspec.structs.replace(said, author_name=self._names.get(user, ""))

    # ------------------------------------------------------------------ single messages

    async def fetch(self, said: Said) -> Said | None:
        if said.room not in self._channels:
            return None
        async with self._http() as http:
            # Unlike conversations.history it gives answers in threads, too.
            answer = await self._ask(http, "reactions.get", {"channel": said.room, "timestamp": said.id})
            message = answer.get("message")
            told = frames.whole(message, said.room, said.source, self._clock()) if isinstance(message, dict) else []
            if not told or told[0].id != said.id:
                return None
            return msgspec.structs.replace(await self._named(http, told[0]), reactions=said.reactions)

    async def reply(self, answer: Answer) -> None:
        said = answer.said
        form = {"channel": said.room, "text": disarmed(answer.text)}
        async with self._http() as http:
            if said.id.startswith(frames.COMMAND):
                await self._ask(http, "chat.postEphemeral", {**form, "user": said.author_id})
            else:
                await self._ask(http, "chat.postMessage", {**form, "thread_ts": said.thread or said.id})


class _Ended(Exception):
    """The connection is to begin anew."""


def _messages(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = answer.get("messages")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _cursor(answer: Mapping[str, Any]) -> str:
    found = answer.get("response_metadata")
    cursor = found.get("next_cursor") if isinstance(found, dict) else ""
    return cursor if isinstance(cursor, str) else ""
