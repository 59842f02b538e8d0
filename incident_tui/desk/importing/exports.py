"""Exports of Slack and Mattermost.

Sources: slack.com/help "How to read Slack data exports" (a folder a channel, a file a day: an array of messages;
`users.json`), docs.mattermost.com "Bulk loading data" (a JSON object a line; `create_at` in milliseconds), and its
API's `posts` (`{"order": …, "posts": {id: …}}`). Their times are moments, so no zone is asked for.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from incident_tui.desk.importing.found import ImportProblem, Said, Transcript
from incident_tui.text import TEXT_LIMIT, sanitise

_ANGLE: Final = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")
_QUIET: Final = "joins, parts and notices"
_KEPT: Final = frozenset({"", "me_message", "bot_message", "file_share", "thread_broadcast", "file_comment"})
"""Subtypes of Slack's messages that somebody said."""


def slack(messages: Iterable[Any], users: Mapping[str, str], room: str = "") -> Transcript:
    """Messages as an export has them, in any order; `users` gives names by id."""
    said: list[Said] = []
    skipped: Counter[str] = Counter()
    for number, one in enumerate(messages, start=1):
        stamp = _seconds(one.get("ts")) if isinstance(one, dict) else None
        if stamp is None or one.get("type", "message") != "message" or str(one.get("subtype") or "") not in _KEPT:
            skipped[_QUIET] += 1
            continue
        text = _slack_text(str(one.get("text") or ""), users)
        text += "".join(
            f"\n[file: {sanitise(str(file.get('name') or ''), limit=200)}]" for file in _objects(one, "files")
        )
        if not text.strip():
            skipped["messages without text"] += 1
            continue
        ident = str(one.get("user") or one.get("bot_id") or "")
        profile = _object(one, "user_profile")
        told = profile.get("display_name") or profile.get("real_name") or one.get("username")
        name = users.get(ident) or str(told or "") or ident
        thread = str(one.get("thread_ts") or "")
        said.append(
            Said(
                line=number,
                text=sanitise(text, lines=True).strip(),
                at=stamp,
                by=_name(name),
                account=ident,
                remote=str(one["ts"]),
                thread="" if thread == str(one["ts"]) else thread,
            )
        )
    return Transcript(form="slack", said=_ordered(said), room=sanitise(room, limit=120), skipped=dict(skipped))


def slack_users(told: Any) -> dict[str, str]:
    """Names by id, of `users.json`."""
    names: dict[str, str] = {}
    for one in told if isinstance(told, list) else []:
        if isinstance(one, dict) and isinstance(one.get("id"), str):
            profile = _object(one, "profile")
            names[one["id"]] = str(profile.get("display_name") or one.get("name") or one.get("real_name") or one["id"])
    return names


def is_slack(told: Any) -> bool:
    return isinstance(told, list) and any(isinstance(one, dict) and _seconds(one.get("ts")) for one in told[:200])


def mattermost_lines(text: str) -> dict[str, list[dict[str, Any]]]:
    """The posts of a bulk export by room, replies among them. Raises ImportProblem naming the line that is no JSON."""
    rooms: dict[str, list[dict[str, Any]]] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            told = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeEncodeError) as error:
            raise ImportProblem(f"line {number} of it is no JSON ({error}); the export is damaged or cut.") from error
        kind = told.get("type") if isinstance(told, dict) else None
        post = told.get(kind) if kind in ("post", "direct_post") else None
        if not isinstance(post, dict):
            continue
        members = post.get("channel_members")
        room = str(post.get("channel") or "") or "+".join(map(str, members if isinstance(members, list) else ()))
        posts = rooms.setdefault(room, [])
        posts.append(post | {"line": number})
        posts += [reply | {"line": number} for reply in _objects(post, "replies")]
    return rooms


def mattermost_posts(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The posts of the API's answer."""
    posts = told.get("posts")
    values = posts.values() if isinstance(posts, dict) else posts
    return [one for one in values if isinstance(one, dict)] if values is not None else []


def mattermost(posts: Iterable[Mapping[str, Any]], room: str = "") -> Transcript:
    said: list[Said] = []
    skipped: Counter[str] = Counter()
    for number, one in enumerate(posts, start=1):
        stamp = _milliseconds(one.get("create_at"))
        if stamp is None or str(one.get("type") or "").startswith("system_") or one.get("delete_at"):
            skipped[_QUIET] += 1
            continue
        text = sanitise(str(one.get("message") or ""), lines=True).strip()
        if not text:
            skipped["messages without text"] += 1
            continue
        ident = str(one.get("user_id") or one.get("user") or "")
        line = one.get("line")
        said.append(
            Said(
                line=line if isinstance(line, int) else number,
                text=text,
                at=stamp,
                by=_name(str(one.get("user") or one.get("username") or ident)),
                account=ident,
                remote=str(one.get("id") or ""),
                thread=str(one.get("root_id") or ""),
            )
        )
    return Transcript(form="mattermost", said=_ordered(said), room=sanitise(room, limit=120), skipped=dict(skipped))


def _ordered(said: list[Said]) -> tuple[Said, ...]:
    return tuple(
        sorted(said, key=lambda one: one.at if isinstance(one.at, datetime) else datetime.min.replace(tzinfo=UTC))
    )


def _slack_text(text: str, users: Mapping[str, str]) -> str:
    def plain(match: re.Match[str]) -> str:
        mark, what, label = match[1], match[2], match[3]
        if mark == "@":
            return "@" + (users.get(what) or label or what)
        if mark == "#":
            return "#" + (label or what)
        if mark == "!":
            return "@" + (label or what).lstrip("@")
        return f"{label} ({what})" if label and label != what else what

    text = _ANGLE.sub(plain, text)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")[:TEXT_LIMIT]


def _name(said: str) -> str:
    return "-".join(sanitise(said, limit=40).split()) or "somebody"


def _objects(told: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    value = told.get(name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _object(told: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = told.get(name)
    return value if isinstance(value, dict) else {}


def _seconds(told: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(float(told), UTC) if isinstance(told, str) else None
    except (ValueError, OverflowError, OSError):
        return None


def _milliseconds(told: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(told / 1000, UTC) if isinstance(told, int) and told > 0 else None
    except (ValueError, OverflowError, OSError):
        return None
