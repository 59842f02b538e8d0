"""Mattermost's websocket events and posts -> `Said`. Pure.

Source: Mattermost's API reference (posts, reactions, WebSocket events). In an event `post` and `reaction` are JSON
within a string; in an answer of REST a post is an object. Times are milliseconds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from incident_tui.watch.inbound.said import Said


def said_of(frame: Mapping[str, Any], channels: Collection[str], source: str) -> Said | None:
    """What an event tells of one message of these channels; None when of none."""
    kind, data = frame.get("event"), _dict(frame.get("data"))
    if kind == "reaction_added":
        reaction = _object(data.get("reaction"))
        at = time_of(reaction.get("create_at"))
        room = _text(_dict(frame.get("broadcast")), "channel_id") or _text(reaction, "channel_id")
        if room not in channels or at is None or not _text(reaction, "post_id"):
            return None
        return Said(
            source=source,
            room=room,
            id=_text(reaction, "post_id"),
            at=at,
            author_id=_text(reaction, "user_id"),
            reactions=(_text(reaction, "emoji_name"),),
        )
    post = _object(data.get("post"))
    if kind not in ("posted", "post_edited", "post_deleted") or _text(post, "channel_id") not in channels:
        return None
    name = _text(data, "sender_name").removeprefix("@")
    if kind == "post_deleted":
        return _deleted(post, source)
    return edited(post, source, name) if kind == "post_edited" else posted(post, source, name)


def whole(post: Mapping[str, Any], source: str, name: str) -> list[Said]:
    """What a post read by REST tells: its text, that it was edited or deleted, its reactions."""
    if time_of(post.get("delete_at")) is not None:
        gone = _deleted(post, source)
        return [gone] if gone is not None else []
    first = posted(post, source, name)
    if first is None:
        return []
    names = [_text(_dict(one), "emoji_name") for one in _list(_dict(post.get("metadata")).get("reactions"))]
    found = [msgspec.structs.replace(first, reactions=tuple(names))]
    again = edited(post, source, name)
    return [*found, again] if again is not None else found


def posted(post: Mapping[str, Any], source: str, name: str) -> Said | None:
    """None for what nobody said: somebody joined, a header was changed."""
    ident, at = _text(post, "id"), time_of(post.get("create_at"))
    if not ident or at is None or _text(post, "type").startswith("system_"):
        return None
    override = _text(_dict(post.get("props")), "override_username")
    return Said(
        source=source,
        room=_text(post, "channel_id"),
        id=ident,
        at=at,
        author_id=_text(post, "user_id"),
        author_name=override or name,
        text=_words(post),
        thread=_text(post, "root_id"),
    )


def edited(post: Mapping[str, Any], source: str, name: str) -> Said | None:
    """The newest text of a post that was edited; None when it never was, as when only a preview was added."""
    at, first = time_of(post.get("edit_at")), posted(post, source, name)
    return None if at is None or first is None else msgspec.structs.replace(first, edited=at)


def _deleted(post: Mapping[str, Any], source: str) -> Said | None:
    ident = _text(post, "id")
    at = time_of(post.get("delete_at")) or time_of(post.get("update_at")) or time_of(post.get("create_at"))
    if not ident or at is None:
        return None
    return Said(source=source, room=_text(post, "channel_id"), id=ident, at=at, deleted=True)


def newest(post: Mapping[str, Any]) -> datetime | None:
    """When a post last changed, by the server's clock."""
    times = [time_of(post.get(key)) for key in ("create_at", "update_at", "edit_at", "delete_at")]
    return max((at for at in times if at is not None), default=None)


def _words(post: Mapping[str, Any]) -> str:
    """The text; of a message without one what it carries instead."""
    text = _text(post, "message")
    if text.strip():
        return text
    attachments = _list(_dict(post.get("props")).get("attachments"))
    told = [_text(_dict(one), "text") or _text(_dict(one), "fallback") for one in attachments]
    told += [f"[file] {_text(_dict(one), 'name')}" for one in _list(_dict(post.get("metadata")).get("files"))]
    return "\n".join(one for one in told if one)


def time_of(value: object) -> datetime | None:
    """Milliseconds; 0 is none."""
    if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
        return None
    try:
        return datetime.fromtimestamp(value / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _object(value: object) -> Mapping[str, Any]:
    """JSON within a string."""
    if not isinstance(value, str):
        return {}
    try:
        return _dict(msgspec.json.decode(value))
    except (msgspec.DecodeError, RecursionError, ValueError):
        return {}


def _dict(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value[:50] if isinstance(value, list) else []


def _text(value: Mapping[str, Any], name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""
