"""The kinds of `[[chat]]`: which platform each is, and what its settings must be. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from incident_tui.watch.chat.discord import Discord
from incident_tui.watch.chat.flowdock import Flowdock
from incident_tui.watch.chat.matrix import Matrix
from incident_tui.watch.chat.platform import Platform
from incident_tui.watch.chat.slack_api import SlackApi
from incident_tui.watch.chat.teams import Teams
from incident_tui.watch.chat.webhooks import GOOGLECHAT, MATTERMOST, ROCKETCHAT, SLACK, ZULIP_SLACK
from incident_tui.watch.chat.zulip import Zulip
from incident_tui.watch.settings import ChatSink

PLATFORMS: Final[Mapping[str, Platform]] = {
    "slack": SLACK,
    "slack-api": SlackApi(),
    "mattermost": MATTERMOST,
    "rocketchat": ROCKETCHAT,
    "googlechat": GOOGLECHAT,
    "zulip-slack": ZULIP_SLACK,
    "zulip": Zulip(),
    "discord": Discord(),
    "teams": Teams(),
    "matrix": Matrix(),
    "flowdock": Flowdock(),
}
"""Those that are reached by HTTP."""
KINDS: Final = (*PLATFORMS, "command", "file")

PLACES: Final = ("tag", "incident", "sink")
"""Names that are filled in where `{NAME}` is a whole argument of a command."""

_LOCAL_NEEDS: Final = {"command": frozenset({"command"}), "file": frozenset({"path"})}
_LOCAL_MAY: Final = {"command": frozenset({"seconds"}), "file": frozenset[str]()}
_SECRETS: Final = ("url", "token")
_SOME: Final = ("server", "room", "account", "stream", "topic", "thread_id", "command", "path", "seconds")
"""Settings that not every kind has. Secrets are two settings each: NAME_env and NAME_file."""
_DEFAULTS: Final = {field.name: field.default for field in msgspec.structs.fields(ChatSink)}


def repeatable(sink: ChatSink) -> bool:
    """Whether a second attempt at a message makes no second message there."""
    return sink.kind in PLATFORMS and PLATFORMS[sink.kind].idempotent


def mistake(sink: ChatSink) -> str:
    """What is wrong with its settings, as the end of a sentence about it; empty when nothing is. The kind is known."""
    if sink.kind in PLATFORMS:
        needs, may = PLATFORMS[sink.kind].needs, PLATFORMS[sink.kind].may
    else:
        needs, may = _LOCAL_NEEDS[sink.kind], _LOCAL_MAY[sink.kind]
    for secret in _SECRETS:
        named = [key for key in (f"{secret}_env", f"{secret}_file") if getattr(sink, key)]
        what = "the webhook's URL" if secret == "url" else "the token"
        if secret in needs and len(named) != 1:
            return f": name {what} by {secret}_env or by {secret}_file, one of the two"
        if named and secret not in needs:
            return f".{named[0]}: kind {sink.kind} has no {secret}; leave it out"
    for key in _SOME:
        is_set = getattr(sink, key) != _DEFAULTS[key]
        if key in needs and not is_set:
            return f".{key} is missing; kind {sink.kind} needs it"
        if is_set and key not in needs and key not in may:
            return f".{key}: kind {sink.kind} does not use it; leave it out"
    return _shapes(sink)


def _shapes(sink: ChatSink) -> str:
    if sink.server and not sink.server.startswith(("https://", "http://")):
        return ".server: write it as https://name"
    if sink.kind == "matrix" and (sink.room[:1] != "!" or len(sink.room) < 2):
        return ".room: write the room's id, which begins with !; its settings show it under Advanced"
    for argument in sink.command:
        inner = argument.partition("{")[2].partition("}")[0]
        if inner in PLACES and argument != f"{{{inner}}}":
            return f".command: {{{inner}}} is filled in only as a whole argument"
    if sink.command and sink.command[0].startswith("{"):
        return ".command: the first word is the program"
    if not 0 <= sink.seconds_between < 3600:
        return ".seconds_between: seconds, 0 (as the platform wants it) to 3599"
    if sink.coalesce < 0 or sink.coalesce == 1:
        return ".coalesce: 0 (never), or from how many on, 2 or more"
    if not 0 < sink.seconds <= 600:
        return ".seconds: above 0, at most 600"
    return ""
