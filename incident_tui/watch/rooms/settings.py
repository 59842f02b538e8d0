"""Settings of the rooms that are read. Read by config.py; frozen."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from incident_tui.watch.inbound.said import TAKES, Rules

KINDS: Final = ("matrix", "mattermost", "slack", "zulip")
SLACK: Final = "https://slack.com"
_CHANNELS: Final = {
    "matrix": (r"[!#].+", 'a room, "!id:server" or "#alias:server"'),
    "mattermost": (r"[a-z0-9]{26}", "a channel's id of 26 letters and digits (the channel's menu, View Info)"),
    "slack": (r"[CDG][A-Z0-9]{2,}", "a channel's id, \"C0123456789\" (at the end of the channel's details)"),
    "zulip": (r".*\S.*", "a channel's name"),
}


class Room(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[rooms]]`: chat that is read. Credentials are by environment or file only."""

    name: str
    kind: str
    """matrix, mattermost, slack (Socket Mode) or zulip."""
    channels: tuple[str, ...]
    """What is read: ids of rooms or channels; of zulip the channels' names."""
    server: str = ""
    """https://… of the server; of slack only where it is another than slack.com."""
    account: str = ""
    """The bot's address (zulip)."""
    token_env: str = ""
    """Name of the environment variable that holds the bot's token or API key."""
    token_file: str = ""
    """File that holds it; readable by its owner only."""
    app_token_env: str = ""
    """The same for the app-level token, xapp-… (slack)."""
    app_token_file: str = ""
    take: tuple[str, ...] = ("prefix", "reaction", "thread")
    """What becomes an entry: prefix, reaction, thread (of an incident), all."""
    prefix: str = "!log"
    reaction: str = "pushpin"
    people: dict[str, str] = {}
    """The platform's user id -> a name from [[people]]."""
    allow: tuple[str, ...] = ()
    """User ids whose /inc lines are carried out."""
    own: tuple[str, ...] = ()
    """More user ids under which our own messages appear there; the token's own is known."""
    answer: bool = True
    """Whoever writes an /inc line is answered there."""
    back_fill_hours: float = 24.0
    """What was said longer ago than this while nobody read is not fetched; a gap entry says so."""

    @property
    def url(self) -> str:
        return (self.server or SLACK).rstrip("/")

    @property
    def rules(self) -> Rules:
        return Rules(
            take=self.take,
            prefix=self.prefix,
            reaction=self.reaction,
            people=self.people,
            allow=self.allow,
            own=frozenset(self.own),
        )


def problems(rooms: Sequence[Room], people: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(key, what is wrong and how to mend it) for each mistake, in the file's order."""
    for number, room in enumerate(rooms):
        yield from _problems(f"rooms[{number}]", room, people)


def _problems(key: str, room: Room, people: Sequence[str]) -> Iterator[tuple[str, str]]:
    if room.kind not in KINDS:
        yield f"{key}.kind", f"{room.kind!r} is not known; known here: {', '.join(KINDS)}"
        return
    if not room.channels:
        yield f"{key}.channels", "name at least one"
    form, words = _CHANNELS[room.kind]
    for channel in room.channels:
        if not re.fullmatch(form, channel):
            yield f"{key}.channels", f"{channel!r}: write {words}"
    if not room.server and room.kind != "slack":
        yield f"{key}.server", "write the server's address, https://NAME"
    if room.server and not re.fullmatch(r"https?://[^/\s@?#]+(/[^\s?#]*)?", room.server):
        yield f"{key}.server", f"{room.server!r}: write it as https://NAME, without a password or a query in it"
    if (room.kind == "zulip") != bool(room.account):
        yield f"{key}.account", "the bot's address, which zulip needs" if room.kind == "zulip" else "only zulip has it"
    if bool(room.token_env) == bool(room.token_file):
        yield key, "name the token by token_env or by token_file, one of the two"
    app = bool(room.app_token_env) + bool(room.app_token_file)
    if app != (room.kind == "slack"):
        slack = "name the app-level token, xapp-…, by app_token_env or by app_token_file, one of the two"
        yield key, slack if room.kind == "slack" else "only slack has an app-level token"
    for take in room.take:
        if take not in TAKES:
            yield f"{key}.take", f"{take!r} is not known; known here: {', '.join(TAKES)}"
    for name in room.people.values():
        if name not in people:
            yield f"{key}.people", f"{name!r} is no name from [[people]]"
    if not 0 < room.back_fill_hours <= 24 * 30:
        yield f"{key}.back_fill_hours", "write a number of hours above 0, at most 720"


def secrets_named(rooms: Sequence[Room]) -> Iterator[tuple[str, str, str]]:
    """(key, variable, file) of every credential that is named; one of the last two is empty."""
    for number, room in enumerate(rooms):
        for name in ("token_env", "app_token_env", "token_file", "app_token_file"):
            value = getattr(room, name)
            if value:
                yield f"rooms[{number}].{name}", *((value, "") if name.endswith("_env") else ("", value))
