"""Slack's Socket Mode envelopes and the messages of its Web API -> `Said`. Pure.

Source: docs.slack.dev, Socket Mode, conversations.history. Events are read by `inbound.slack_events`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from incident_tui.watch.inbound.said import Said
from incident_tui.watch.inbound.slack_events import plain, said_of


def enveloped(envelope: Mapping[str, Any], channels: Collection[str], source: str, now: datetime) -> Said | None:
    """What an envelope tells of one message of these channels; None when of none."""
    payload = _dict(envelope.get("payload"))
    if envelope.get("type") == "slash_commands":
        return _command(payload, channels, source, now)
    if envelope.get("type") != "events_api":
        return None
    said = said_of(_dict(payload.get("event")), source, now)
    return said if said is not None and said.room in channels else None


def _command(payload: Mapping[str, Any], channels: Collection[str], source: str, now: datetime) -> Said | None:
    """A slash command, whatever the app calls it, is an /inc line."""
    room, ident = _text(payload, "channel_id"), _text(payload, "trigger_id")
    if room not in channels or not ident:
        return None
    return Said(
        source=source,
        room=room,
        id=f"{COMMAND}{ident}",
        at=now,
        author_id=_text(payload, "user_id"),
        author_name=_text(payload, "user_name"),
        text=f"/inc {plain(_text(payload, 'text'))}",
    )


COMMAND = "command/"
"""How the ids of slash commands begin here; they are no messages, and are answered to their writer alone."""


def whole(message: Mapping[str, Any], channel: str, source: str, now: datetime) -> list[Said]:
    """What a message read by the Web API tells: its text, that it was edited, its reactions."""
    first = said_of({**message, "type": "message", "channel": channel}, source, now)
    if first is None:
        return []
    reactions = message.get("reactions")
    names = [_text(_dict(one), "name") for one in reactions[:50]] if isinstance(reactions, list) else []
    found = [msgspec.structs.replace(first, reactions=tuple(names))]
    at = edited_at(message)
    return [*found, msgspec.structs.replace(first, edited=at)] if at is not None else found


def edited_at(message: Mapping[str, Any]) -> datetime | None:
    return time_of(_dict(message.get("edited")).get("ts"))


def time_of(value: object) -> datetime | None:
    """A Slack timestamp, "1531420618.000200"."""
    try:
        return datetime.fromtimestamp(float(str(value)), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def stamp(at: datetime) -> str:
    return f"{at.timestamp():.6f}"


def _dict(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Mapping[str, Any], name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""
