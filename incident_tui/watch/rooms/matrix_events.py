"""Matrix events -> `Said`. Pure.

Source: the Matrix specification, client-server API: /sync, m.room.message, event replacements (m.replace), threads
(m.thread), annotations (m.annotation), redactions. An edit counts only when it is by the sender of what it edits, which
a server does not check for us: `edit_of` names what has to be compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from incident_tui.watch.inbound.said import Said
from incident_tui.watch.rooms.problem import RoomError

TYPES: Final = ["m.room.message", "m.reaction", "m.room.redaction", "m.room.encrypted", "m.room.encryption"]
ENCRYPTED: Final = "the room is encrypted, which this program cannot read: name a room that is not"
_FILES: Final = {"m.image": "image", "m.file": "file", "m.audio": "audio", "m.video": "video"}
_NAMES: Final = 5_000


class Timeline(msgspec.Struct, frozen=True):
    """What one answer of /sync has of one room."""

    room: str
    events: tuple[Mapping[str, Any], ...]
    limited: bool
    """There is more between the last answer and these."""
    before: str
    """The place before the first of them."""


def sync_filter(rooms: Iterable[str], limit: int) -> str:
    nothing: dict[str, list[str]] = {"types": []}
    return json.dumps(
        {
            "presence": nothing,
            "account_data": nothing,
            "room": {
                "rooms": list(rooms),
                "account_data": nothing,
                "ephemeral": nothing,
                "state": {"types": ["m.room.member", "m.room.encryption"], "lazy_load_members": True},
                "timeline": {"types": TYPES, "limit": limit, "lazy_load_members": True},
            },
        },
        separators=(",", ":"),
    )


def message_filter() -> str:
    return json.dumps({"types": TYPES}, separators=(",", ":"))


def timelines(answer: Mapping[str, Any], rooms: Iterable[str], names: MutableMapping[str, str]) -> Iterator[Timeline]:
    """What /sync has of these rooms; `names` learns display names. Raises RoomError when a room cannot be read."""
    parts = _dict(answer.get("rooms"))
    joined, left = _dict(parts.get("join")), _dict(parts.get("leave"))
    for room in rooms:
        if room in left:
            raise RoomError(f"{room}: the bot is not in the room any more; invite it again", lasting=True)
        told = _dict(joined.get(room))
        timeline = _dict(told.get("timeline"))
        learn(events_of(_dict(told.get("state")).get("events")), names)
        yield Timeline(
            room,
            events_of(timeline.get("events")),
            timeline.get("limited") is True,
            _text(timeline, "prev_batch"),
        )


def events_of(value: object) -> tuple[Mapping[str, Any], ...]:
    return tuple(one for one in value if isinstance(one, dict)) if isinstance(value, list) else ()


def learn(events: Iterable[Mapping[str, Any]], names: MutableMapping[str, str]) -> None:
    """Display names of members. Raises RoomError for the event that encrypts a room."""
    for event in events:
        if event.get("type") == "m.room.encryption":
            raise RoomError(ENCRYPTED, lasting=True)
        if event.get("type") == "m.room.member":
            user, name = _text(event, "state_key"), _text(_dict(event.get("content")), "displayname")
            if user and name:
                names.pop(user, None)
                names[user] = name[:255]
                while len(names) > _NAMES:
                    del names[next(iter(names))]


def edit_of(event: Mapping[str, Any]) -> str:
    """Id of the message that this one edits; "" when it edits none."""
    relates = _dict(_dict(event.get("content")).get("m.relates_to"))
    return _text(relates, "event_id") if relates.get("rel_type") == "m.replace" else ""


def said_of(event: Mapping[str, Any], room: str, source: str, names: Mapping[str, str]) -> Said | None:
    """What an event tells of one message; None when of none. Raises RoomError for an encrypted one."""
    kind, ident, sender = _text(event, "type"), _text(event, "event_id"), _text(event, "sender")
    at = _time(event.get("origin_server_ts"))
    if kind in ("m.room.encrypted", "m.room.encryption"):
        raise RoomError(ENCRYPTED, lasting=True)
    if not ident or at is None:
        return None
    content = _dict(event.get("content"))
    relates = _dict(content.get("m.relates_to"))
    name = names.get(sender) or sender.removeprefix("@").partition(":")[0]
    base = Said(source=source, room=room, id=ident, at=at, author_id=sender, author_name=name)
    if kind == "m.room.redaction":
        # Since room version 11 within the content.
        target = _text(event, "redacts") or _text(content, "redacts")
        return msgspec.structs.replace(base, id=target, deleted=True) if target else None
    if kind == "m.reaction":
        target, key = _text(relates, "event_id"), _text(relates, "key")
        wanted = relates.get("rel_type") == "m.annotation" and target and key
        return msgspec.structs.replace(base, id=target, reactions=(key,)) if wanted else None
    if kind != "m.room.message":
        return None
    if not content and "redacted_because" in _dict(event.get("unsigned")):
        return msgspec.structs.replace(base, deleted=True)
    if target := edit_of(event):
        text = body(_dict(content.get("m.new_content")), sender=name)
        return msgspec.structs.replace(base, id=target, text=text, edited=at)
    thread = _text(relates, "event_id") if relates.get("rel_type") == "m.thread" else ""
    quoting = "m.in_reply_to" in relates and not thread
    return msgspec.structs.replace(base, text=body(content, sender=name, quoting=quoting), thread=thread)


def body(content: Mapping[str, Any], *, sender: str, quoting: bool = False) -> str:
    """The words of a message. `quoting`: without the lines that older clients put before an answer."""
    text, kind = _text(content, "body"), _text(content, "msgtype")
    if quoting and text.startswith("> "):
        lines = text.split("\n")
        first = next((number for number, line in enumerate(lines) if not line.startswith(">")), len(lines))
        text = "\n".join(lines[first:]).lstrip("\n")
    if kind == "m.emote":
        return f"* {sender} {text}"
    return f"[{_FILES[kind]}] {text}" if kind in _FILES else text


def _dict(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Mapping[str, Any], name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""


def _time(value: object) -> datetime | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        return datetime.fromtimestamp(value / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
