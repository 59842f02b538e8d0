"""What the board says of a room, "room/NAME" -> RoomRow, and what is wrong by it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from incident_tui.incident.finding import Finding, Level
from incident_tui.watch.rooms.settings import Room

ROOM_RULES: Final = {"room.unread": "a chat room that should be read is not"}
"""Rule ids of this module, with what they mean; playbooks name them in `when`."""


class RoomRow(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one room."""

    name: str
    kind: str
    at: datetime
    problem: str = ""
    """Why it is not read, in one sentence without any secret; empty when it is."""
    since: datetime | None = None
    """Since when it is not read, or reading began."""
    heard_at: datetime | None = None
    """When the platform last said anything, if only that the connection lives; renewed now and then."""
    waiting: int = 0
    """Messages that wait to be saved."""


def room_findings(rooms: Sequence[Room], rows: Mapping[str, RoomRow], now: datetime) -> list[Finding]:
    """Rooms that are not read: what is said there is not known here."""
    found = []
    for room in rooms:
        row = rows.get(room.name)
        if row is None:
            found.append(Finding("room.unread", Level.UNKNOWN, room.name, f"{room.name}: chat not read yet", now))
        elif row.problem:
            since = f" since {row.since:%H:%MZ}" if row.since is not None else ""
            sentence = f"{room.name}: chat not read{since}: {row.problem}"
            found.append(Finding("room.unread", Level.UNKNOWN, room.name, sentence, row.at))
    return found
