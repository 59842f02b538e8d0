"""The one form of what a chat platform says, and the rules by which it becomes entries. Structures only."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

TAKES: Final = ("prefix", "reaction", "thread", "all")
"""Rules: it begins with the prefix; somebody reacted with the reaction; it is in a thread of the incident; any."""
TEXT: Final = 16_000
"""Characters kept of one message."""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a platform told of one message: it was posted, edited or deleted, or somebody reacted.

    Nothing needs to be sanitised or in order, and the same may come again. `source` is the name of the room or hook in
    the configuration; `room` and `id` are the platform's and together name the message.
    """

    source: str
    room: str
    id: str
    at: datetime
    """When the message was posted (aware). Of an edit, a deletion or a reaction alone: when that was."""
    author_id: str = ""
    """The platform's id of who wrote it, or did this to it."""
    author_name: str = ""
    text: str | None = None
    """None: this does not tell the text (a reaction, a deletion)."""
    thread: str = ""
    """Id of the message that began the thread; empty outside one."""
    edited: datetime | None = None
    """`text` is the version of then; None: the first one."""
    deleted: bool = False
    reactions: tuple[str, ...] = ()
    """Names ("pushpin", ":pushpin:") or characters of reactions that were added."""


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of what is said at one source."""

    take: tuple[str, ...] = ("prefix", "reaction", "thread")
    prefix: str = "!log"
    reaction: str = "pushpin"
    people: dict[str, str] = {}
    """Platform's user id -> name of a person. Who is not in it writes under the platform's name, as claimed."""
    allow: tuple[str, ...] = ()
    """User ids whose `/inc` lines are carried out."""
    own: frozenset[str] = frozenset()
    """Ids under which we post there ourselves: what they say is never taken."""


class Answer(msgspec.Struct, frozen=True):
    """What to tell who wrote an `/inc` line, in one line."""

    said: Said
    text: str


class Taken(msgspec.Struct, frozen=True):
    """What came of a batch, beside what was saved."""

    answers: tuple[Answer, ...] = ()
    missing: tuple[Said, ...] = ()
    """Reactions that would take a message whose text is not known here: fetch it and hand it in with `reactions`."""


def reaction_name(value: str) -> str:
    """ "pushpin" for "pushpin", ":pushpin:" and the character itself."""
    plain = value.strip().strip(":").replace("\ufe0f", "").casefold()
    return _NAMES.get(plain, plain)


_NAMES: Final = {
    "📌": "pushpin",
    "📍": "round_pushpin",
    "📝": "memo",
    "👀": "eyes",
    "✅": "white_check_mark",
    "🚨": "rotating_light",
    "📋": "clipboard",
    "⭐": "star",
    "👍": "+1",
    "thumbsup": "+1",
}
