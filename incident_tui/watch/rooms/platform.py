"""What a platform is to the reader of a room."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from incident_tui.watch.inbound.said import Answer, Said
from incident_tui.watch.rooms.cursors import Place


class Way(Protocol):
    """The way of what is read into the journal. `feed.Feed` is one."""

    @property
    def place(self) -> Place | None:
        """Up to where reading has come; None when this room is read for the first time."""

    @property
    def horizon(self) -> datetime:
        """What was said before this is not fetched any more."""

    def heard(self) -> None:
        """The platform speaks: the room is read."""

    async def put(self, said: Sequence[Said], place: Place | None = None) -> None:
        """Hands in what was told, in any order. With `place`: everything up to there has now been handed in. Waits
        while too much waits to be saved."""

    async def lost(self, since: datetime, until: datetime, why: str) -> None:
        """What was said between these cannot be had: that becomes an entry."""


class Platform(Protocol):
    """One room's platform, kept while the lease is held. Every method raises RoomError."""

    own: frozenset[str]
    """Our own user ids, as soon as they are known."""

    async def hello(self) -> str:
        """Asks who we are, and whether every channel can be read. Returns that in a few words."""

    async def read(self, way: Way) -> None:
        """One connection: what was missed, then what is said, until it ends. Returns when it should begin anew."""

    async def fetch(self, said: Said) -> Said | None:
        """The whole message that a reaction was about, with the reaction; None when it is none of these channels."""

    async def reply(self, answer: Answer) -> None:
        """Says to who wrote an `/inc` line what came of it."""
