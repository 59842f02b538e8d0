"""What an answer by HTTP means, where the platforms agree. Pure."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from incident_tui.text import redact, sanitise
from incident_tui.watch.chat.platform import HALT, Answer, Outcome

LONGEST_WAIT: Final = timedelta(minutes=10)
"""No platform may ask for more."""
_WORDS: Final = 120
_SINK_REFUSED: Final = frozenset({401, 403, 404, 405, 410})
"""Not this message but all of them: the address or the credential is wrong, or the place is closed."""


def words(text: str) -> str:
    """The platform's words in one line, without what looks like a secret."""
    return redact(sanitise(text, limit=_WORDS))[0].strip()


def inside(answer: Answer) -> dict[str, Any]:
    """The JSON object of the answer; empty when it is none."""
    try:
        found = json.loads(answer.text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def refused(answer: Answer, said: str = "") -> Outcome | None:
    """What a status that is no success means; None for a success. `said` replaces the body in the words."""
    status = answer.status
    if 200 <= status < 300:
        return None
    problem = f"{status} {words(said or answer.text)}".strip()
    if status in (408, 425, 429) or status >= 500:
        return Outcome("again", f"answered {problem}", retry_after(answer))
    if status in _SINK_REFUSED or 300 <= status < 400:
        return halted(problem)
    return Outcome("dead", f"refused: {problem}")


def halted(problem: str) -> Outcome:
    return Outcome("again", f"refused: {problem}; tried again every {HALT.seconds // 60} min", HALT)


def web_page(answer: Answer) -> Outcome | None:
    """A page for people is no platform's success: a portal's login, a proxy's error, a wrong address."""
    if answer.text.lstrip()[:1] == "<":
        return halted(f"{answer.status} with a web page, so this is not the address of a chat")
    return None


def refused_inside(answer: Answer) -> str:
    """The error of an answer whose status says success; empty when there is none."""
    found = inside(answer)
    if found.get("ok") is False or found.get("success") is False or found.get("result") == "error":
        return words(str(found.get("error") or found.get("msg") or answer.text)) or "an error"
    return ""


def retry_after(answer: Answer) -> timedelta | None:
    """How long to wait by the platform's own word, at most LONGEST_WAIT; None when it does not say.

    Seconds (whole or not) or an HTTP date in Retry-After; `retry_after_ms`, `retry_after` or `retry-after` in JSON. The
    longer one counts: Discord's and Synapse's headers are rounded.
    """
    said = (_header_wait(answer.headers.get("retry-after"), answer.now), _body_wait(inside(answer)))
    waits = [wait for wait in said if wait is not None]
    return min(max(*waits, timedelta(0)), LONGEST_WAIT) if waits else None


def pause(answer: Answer) -> timedelta | None:
    """After a success: nothing is left of the platform's allowance until then (Discord, and Zulip's own form)."""
    headers = answer.headers
    if headers.get("x-ratelimit-remaining") != "0":
        return None
    wait = _seconds(headers.get("x-ratelimit-reset-after"))
    if wait is None and (end := _seconds(headers.get("x-ratelimit-reset"), most=4e9)) is not None:
        wait = datetime.fromtimestamp(end.total_seconds(), UTC) - answer.now
    return None if wait is None else min(max(wait, timedelta(0)), LONGEST_WAIT)


def _header_wait(header: str | None, now: datetime) -> timedelta | None:
    if not header:
        return None
    seconds = _seconds(header.strip())
    if seconds is not None:
        return seconds
    from email.utils import parsedate_to_datetime  # every command reads the configuration, and none of them needs this

    try:
        until = parsedate_to_datetime(header)
    except ValueError:
        return None
    return (until if until.tzinfo else until.replace(tzinfo=UTC)) - now


def _body_wait(found: dict[str, Any]) -> timedelta | None:
    exact = _seconds(found.get("retry_after_ms"), most=86_400_000)
    if exact is not None:
        return exact / 1000
    return _seconds(found.get("retry_after") or found.get("retry-after"))


def _seconds(value: Any, most: float = 86_400) -> timedelta | None:
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    try:
        return timedelta(seconds=min(number, most)) if 0 <= number < float("inf") else None
    except OverflowError:
        return None
