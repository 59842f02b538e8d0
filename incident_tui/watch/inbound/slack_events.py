"""Slack's events about messages -> `Said`, as they come over HTTP or over Socket Mode. Pure.

Source: docs.slack.dev, Events API: message, message_changed, message_deleted, reaction_added.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from incident_tui.watch.inbound.said import Said

_QUIET: Final = frozenset(
    {"channel_join", "channel_leave", "channel_topic", "channel_purpose", "channel_name", "pinned_item", "bot_add"}
)
"""Subtypes that are nothing anybody said."""


def said_of(event: Mapping[str, Any], source: str, now: datetime) -> Said | None:
    """What an event tells of one message; None when it is about none. A time that is none is `now`."""
    found = _read(event, source, now)
    return found if found is not None and found.id and found.room else None


def _read(event: Mapping[str, Any], source: str, now: datetime) -> Said | None:
    kind = _text(event, "type")
    if kind == "reaction_added":
        item = event.get("item")
        if not isinstance(item, Mapping) or item.get("type") != "message":
            return None
        return Said(
            source=source,
            room=_text(item, "channel"),
            id=_text(item, "ts"),
            at=_time(event.get("event_ts"), now),
            author_id=_text(event, "user"),
            reactions=(_text(event, "reaction"),),
        )
    if kind not in ("message", "app_mention"):
        return None
    subtype, room = _text(event, "subtype"), _text(event, "channel")
    if subtype == "message_deleted":
        return Said(
            source=source,
            room=room,
            id=_text(event, "deleted_ts"),
            at=_time(event.get("event_ts") or event.get("ts"), now),
            deleted=True,
        )
    if subtype == "message_changed":
        message = event.get("message")
        edited = message.get("edited") if isinstance(message, Mapping) else None
        if not isinstance(message, Mapping) or not isinstance(edited, Mapping):
            return None  # a link was unfolded: nobody changed the text
        return _message(message, room, source, now, _time(edited.get("ts"), now))
    return None if subtype in _QUIET else _message(event, room, source, now, None)


def _message(message: Mapping[str, Any], room: str, source: str, now: datetime, edited: datetime | None) -> Said:
    ident = _text(message, "ts")
    profile = message.get("user_profile")
    name = _text(profile, "display_name") or _text(profile, "real_name") if isinstance(profile, Mapping) else ""
    thread = _text(message, "thread_ts")
    return Said(
        source=source,
        room=room,
        id=ident,
        at=_time(ident, now),
        author_id=_text(message, "user") or _text(message, "bot_id"),
        author_name=name or _text(message, "username"),
        text=plain(_text(message, "text")),
        thread=thread if thread != ident else "",
        edited=edited,
    )


def plain(text: str) -> str:
    """Slack's escapes as they were typed. Mentions and links stay as they are."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _text(value: Mapping[str, Any], name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""


def _time(value: object, now: datetime) -> datetime:
    """A Slack timestamp, "1531420618.000200"."""
    try:
        return datetime.fromtimestamp(float(str(value)), UTC)
    except (ValueError, OverflowError, OSError):
        return now
