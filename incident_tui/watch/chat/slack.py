"""The slack shape: `{"text": …}`, taken by Slack, Mattermost, Rocket.Chat, Google Chat and Zulip's Slack endpoint.

The text must be harmless in each of those dialects: `& < >` become entities, which disarms `<!channel>`, `<users/all>`
and links with another name; every `@` gets an invisible space behind it, which disarms `@channel`, `@all` and `@ana`
in those that read plain text.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

from incident_tui.text import redact, sanitise

LIMIT: Final = 3_900
"""Characters; every platform of this shape shows that many (Slack advises 4,000, Rocket.Chat refuses above 5,000)."""
_ZERO_WIDTH_SPACE: Final = "\u200b"
MAX_WAIT: Final = timedelta(minutes=10)


def defuse(text: str) -> str:
    """Text that pings nobody and is no mark-up of this shape's platforms."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("@", "@" + _ZERO_WIDTH_SPACE)


def body(text: str) -> bytes:
    """The request's body. What is too long is cut with a mark; the entry in the journal is whole."""
    safe = defuse(sanitise(text, lines=True))
    if len(safe) > LIMIT:
        cut = safe[:LIMIT]
        safe = cut[: cut.rfind("&")] if cut.rfind("&") > LIMIT - 6 else cut
        safe += " … (cut; the whole text is in the journal)"
    return json.dumps({"text": safe}).encode()


def refused(status: int, answer: str) -> str:
    """The platform's words for a refusal, in one line; empty when `status` and `answer` mean success.

    Some platforms answer 200 with the error inside.
    """
    words = redact(sanitise(answer, limit=120))[0].strip()
    if not 200 <= status < 300:
        return f"{status} {words}".strip()
    try:
        inside = json.loads(answer)
    except ValueError:
        return ""
    if isinstance(inside, dict) and (
        inside.get("ok") is False or inside.get("success") is False or inside.get("result") == "error"
    ):
        said = inside.get("error") or inside.get("msg") or words
        return redact(sanitise(str(said), limit=120))[0]
    return ""


def retry_after(header: str | None, answer: str, now: datetime) -> timedelta | None:
    """How long to wait by the platform's own word, at most ten minutes; None when it does not say.

    Seconds (whole or not) or an HTTP date in the header; `retry_after` (seconds) or `retry_after_ms` in the JSON.
    """
    wait = _header_wait(header, now)
    if wait is None:
        wait = _body_wait(answer)
    return None if wait is None else min(max(wait, timedelta(0)), MAX_WAIT)


def _header_wait(header: str | None, now: datetime) -> timedelta | None:
    if not header:
        return None
    seconds = _seconds(header.strip())
    if seconds is not None:
        return seconds
    try:
        until = parsedate_to_datetime(header)
    except ValueError:
        return None
    return (until if until.tzinfo else until.replace(tzinfo=UTC)) - now


def _body_wait(answer: str) -> timedelta | None:
    try:
        inside = json.loads(answer)
    except ValueError:
        return None
    if not isinstance(inside, dict):
        return None
    exact = _seconds(inside.get("retry_after_ms"))
    if exact is not None:
        return exact / 1000
    return _seconds(inside.get("retry_after") or inside.get("retry-after"))


def _seconds(value: Any) -> timedelta | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return timedelta(seconds=min(number, 86_400)) if 0 <= number < float("inf") else None
