"""Zulip's events and messages -> `Said`. Pure.

Source: Zulip's API documentation (get-events, get-messages). A topic is the thread; the channel's number is the room.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from incident_tui.watch.inbound.said import Said


def said_of(event: Mapping[str, Any], channels: Container[int], source: str, now: datetime) -> list[Said]:
    """What an event tells of messages in these channels. A reaction does not say where: its room is empty."""
    kind = event.get("type")
    if kind == "message":
        said = posted(_dict(event.get("message")), channels, source)
        return [said] if said is not None else []
    if kind == "reaction" and event.get("op") == "add" and isinstance(event.get("message_id"), int):
        name, who = _text(event, "emoji_name"), str(event.get("user_id", ""))
        return [Said(source=source, room="", id=str(event["message_id"]), at=now, author_id=who, reactions=(name,))]
    if not _within(event, channels):
        return []
    room, at = str(event["stream_id"]), time_of(event.get("edit_timestamp")) or now
    if kind == "update_message" and isinstance(event.get("content"), str) and event.get("rendering_only") is not True:
        user = event.get("user_id")
        said = Said(
            source=source,
            room=room,
            id=str(event.get("message_id", "")),
            at=at,
            author_id=str(user) if isinstance(user, int) else "",
            text=_text(event, "content"),
            edited=at,
        )
        return [said]
    if kind == "delete_message":
        many = event.get("message_ids")
        ids: Sequence[Any] = many if isinstance(many, list) else [event.get("message_id")]
        return [
            Said(source=source, room=room, id=str(one), at=now, deleted=True) for one in ids if isinstance(one, int)
        ]
    return []


def posted(message: Mapping[str, Any], channels: Container[int], source: str) -> Said | None:
    """A message as it was first said, or as a later reading shows it; None when it is none of these channels."""
    ident, at = message.get("id"), time_of(message.get("timestamp"))
    if message.get("type") != "stream" or not _within(message, channels):
        return None
    if not isinstance(ident, int) or at is None:
        return None
    return Said(
        source=source,
        room=str(message["stream_id"]),
        id=str(ident),
        at=at,
        author_id=str(message.get("sender_id", "")),
        author_name=_text(message, "sender_full_name"),
        text=_text(message, "content"),
        thread=_text(message, "subject"),
    )


def whole(message: Mapping[str, Any], channels: Container[int], source: str) -> list[Said]:
    """What a message that was read back tells: its text, that it was edited, its reactions."""
    first = posted(message, channels, source)
    if first is None:
        return []
    reactions = message.get("reactions")
    names = [_text(_dict(one), "emoji_name") for one in reactions[:50]] if isinstance(reactions, list) else []
    found = [msgspec.structs.replace(first, reactions=tuple(names))]
    edited = time_of(message.get("last_edit_timestamp"))
    return [*found, msgspec.structs.replace(first, edited=edited)] if edited is not None else found


def _within(told: Mapping[str, Any], channels: Container[int]) -> bool:
    found = told.get("stream_id")
    return isinstance(found, int) and found in channels


def changed(message: Mapping[str, Any], since: datetime) -> bool:
    """Whether an older message was edited since then, or has a reaction, of which nothing says when."""
    edited = time_of(message.get("last_edit_timestamp"))
    return bool(message.get("reactions")) or (edited is not None and edited >= since)


def time_of(value: object) -> datetime | None:
    """Whole seconds."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _dict(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Mapping[str, Any], name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""
