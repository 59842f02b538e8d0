"""All rooms of a watch: read while it holds the lease."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

import msgspec

from incident_tui.secret import SecretError, read_secret
from incident_tui.watch.rooms.feed import Journal
from incident_tui.watch.rooms.matrix import Matrix
from incident_tui.watch.rooms.mattermost import Mattermost
from incident_tui.watch.rooms.platform import Platform
from incident_tui.watch.rooms.problem import RoomError
from incident_tui.watch.rooms.reader import Reader
from incident_tui.watch.rooms.settings import Room
from incident_tui.watch.rooms.slack import Slack
from incident_tui.watch.rooms.zulip import Zulip

Secret = Callable[[], tuple[str, str]]
PLATFORMS: Final[dict[str, Callable[[Room, Secret, Callable[[], datetime]], Platform]]] = {
    "matrix": Matrix,
    "mattermost": Mattermost,
    "slack": Slack,
    "zulip": Zulip,
}


def platform(room: Room, clock: Callable[[], datetime]) -> Platform:
    """The platform of a room. Its credentials are read anew for each connection."""

    def secret() -> tuple[str, str]:
        try:
            return read_secret(room.token_env, room.token_file), read_secret(room.app_token_env, room.app_token_file)
        except SecretError as error:
            raise RoomError(str(error), lasting=True) from None

    return PLATFORMS[room.kind](room, secret, clock)


async def checked(room: Room, clock: Callable[[], datetime]) -> tuple[bool, str]:
    """Whether a room could be read now, and by whom, or why not."""
    try:
        return True, await platform(room, clock).hello()
    except RoomError as error:
        return False, error.sentence


class Rooms:
    """One holding of the lease."""

    def __init__(self, rooms: Sequence[Room], journal: Journal, jitter: Callable[[], float] = random.random) -> None:
        self._journal = journal
        self.readers = [Reader(room, platform(room, journal.clock), journal, jitter) for room in rooms]

    def rows(self) -> dict[str, msgspec.Struct]:
        """For the board."""
        return {f"room/{reader.room.name}": reader.row for reader in self.readers}

    def close(self) -> None:
        self._journal.cursors.close()
