"""What chat platforms post: slash commands, outgoing webhooks, Slack's events -> `Said`. Pure.

Sources: docs.slack.dev, developers.mattermost.com, docs.rocket.chat and zulip.com/api (outgoing webhooks). Each answers
in its own way; an answer that the platform would post into the room is empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from incident_tui.incident.words import time_of
from incident_tui.watch.alerts.alert import FormError, digest, fields, words
from incident_tui.watch.alerts.forms import decode
from incident_tui.watch.alerts.settings import Hook
from incident_tui.watch.inbound.said import Said
from incident_tui.watch.inbound.slack_events import plain, said_of

_FIELDS: Final = 60


class Posted(msgspec.Struct, frozen=True, kw_only=True):
    """One request of a platform, read. `said` None: there is nothing to take, `answer` is all."""

    said: Said | None
    token: str = ""
    """What the body gives as the token; not checked yet."""
    command: bool = False
    """A slash command: whoever wrote it waits for an answer that only they see."""
    answer: dict[str, Any] = {}


def read(hook: Hook, content_type: str, body: bytes, now: datetime) -> Posted:
    """What was posted to a hook. Raises FormError."""
    if content_type.partition(";")[0].strip().casefold() == "application/json":
        told = fields(decode(body), "the body")
    else:
        told = form(body)
    token = words(told.get("token"), 500)
    if hook.kind == "slack" and told.get("type") in ("url_verification", "event_callback"):
        return _slack_event(hook, told, token, now)
    if hook.kind == "zulip" and isinstance(told.get("message"), Mapping):
        return _zulip(hook, told, token, now)
    return _slack_style(hook, told, token, now)


def form(body: bytes) -> dict[str, str]:
    """application/x-www-form-urlencoded. Raises FormError."""
    try:
        text = body.decode("utf-8")
        return dict(parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), max_num_fields=_FIELDS))
    except ValueError:
        raise FormError("the body is no form") from None


def _slack_event(hook: Hook, told: Mapping[str, Any], token: str, now: datetime) -> Posted:
    if told["type"] == "url_verification":
        return Posted(said=None, token=token, answer={"challenge": words(told.get("challenge"), 500)})
    event = fields(told.get("event"), "event")
    return Posted(said=said_of(event, hook.name, now), token=token)


def _slack_style(hook: Hook, told: Mapping[str, Any], token: str, now: datetime) -> Posted:
    """What Slack began and Mattermost, Rocket.Chat and Zulip's "Slack format" took over."""

    def text(name: str, limit: int = 255) -> str:
        value = told.get(name)
        return str(value)[:limit] if isinstance(value, str | int) else ""

    command, said, user = text("command"), text("text", 64_000), text("user_id")
    room = text("channel_id") or text("channel_name")
    if not room or "text" not in told:
        raise FormError("channel_id or text is missing: is this a slash command or an outgoing webhook?")
    if hook.kind == "slack":
        said = plain(said)
    # Zulip calls its outgoing webhooks by a command, too, but has no slash commands.
    if command and hook.kind != "zulip":
        ident = text("trigger_id") or digest(room, user, said, now.isoformat())
        line = said if said.lower().startswith(("/inc", "!inc")) else f"/inc {said}"
        return Posted(said=_said(hook, room, ident, now, user, text("user_name"), line), token=token, command=True)
    ident = text("post_id") or text("message_id") or text("timestamp")
    if not ident:
        raise FormError("post_id, message_id or timestamp is missing: nothing would tell it from a repetition")
    at = _time(told.get("timestamp"), now)
    trigger = text("trigger_word")
    if trigger and said.startswith(trigger) and not trigger.startswith(("/inc", "!inc", hook.prefix)):
        said = said[len(trigger) :].lstrip(" :,")
    # Of an edit Rocket.Chat says that it is one, but not when it was.
    edited = now if told.get("isEdited") in (True, "true") else None
    thread = text("tmid") or text("thread_ts") or text("root_id")
    found = _said(hook, room, ident, at, user, text("user_name"), said)
    quiet: dict[str, Any] = {"response_not_required": True} if hook.kind == "zulip" else {}
    return Posted(said=msgspec.structs.replace(found, thread=thread, edited=edited), token=token, answer=quiet)


def _zulip(hook: Hook, told: Mapping[str, Any], token: str, now: datetime) -> Posted:
    """Zulip's own form: the bot was mentioned in a topic, or written to."""
    message = fields(told["message"], "message")
    text = words(told.get("data"), 10_000) or words(message.get("content"), 10_000)
    if text.startswith("@**") and "**" in text[3:]:
        text = text[3:].partition("**")[2].lstrip(" :,")
    stream = message.get("stream_id")
    topic = words(message.get("subject") or message.get("topic"), 120)
    room = words(stream, 60) or words(message.get("recipient_id"), 60) or "direct"
    ident = words(message.get("id"), 60)
    if not ident:
        raise FormError("message.id is missing: is this Zulip's outgoing webhook?")
    user, name = words(message.get("sender_id"), 60), words(message.get("sender_full_name"), 100)
    found = _said(hook, room, ident, _time(message.get("timestamp"), now), user, name, text)
    quiet: dict[str, Any] = {"response_not_required": True}
    return Posted(said=msgspec.structs.replace(found, thread=topic), token=token, answer=quiet)


def _said(hook: Hook, room: str, ident: str, at: datetime, user: str, name: str, text: str) -> Said:
    return Said(source=hook.name, room=room, id=ident, at=at, author_id=user, author_name=name, text=text)


def _time(value: object, now: datetime) -> datetime:
    """Seconds, with a fraction as Slack writes them, milliseconds as Mattermost does, or an ISO time."""
    found = time_of(value)
    if found is not None:
        return found
    try:
        seconds = float(str(value))
        return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return now


def answered(hook: Hook, posted: Posted, text: str) -> dict[str, Any]:
    """The body of the answer: of a slash command for its writer alone; of an /inc line in Zulip in the topic."""
    if not text:
        return posted.answer
    if posted.command:
        return {"response_type": "ephemeral", "text": text}
    return {"content": text} if hook.kind == "zulip" else posted.answer
