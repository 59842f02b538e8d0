"""What an answer by HTTP means, where the platforms agree. Pure."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from incident_tui.text import redact, sanitise
from incident_tui.watch.chat.platform import HALT, Answer, Outcome
from incident_tui.watch.retry_after import LONGEST_WAIT, retry_after, seconds

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
        return Outcome("again", f"answered {problem}", wait_of(answer))
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


def wait_of(answer: Answer) -> timedelta | None:
    """How long the platform asks to be left alone."""
    return retry_after(answer.headers.get("retry-after"), inside(answer), answer.now)


def pause(answer: Answer) -> timedelta | None:
    """After a success: nothing is left of the platform's allowance until then (Discord, and Zulip's own form)."""
    headers = answer.headers
    if headers.get("x-ratelimit-remaining") != "0":
        return None
    wait = seconds(headers.get("x-ratelimit-reset-after"))
    if wait is None and (end := seconds(headers.get("x-ratelimit-reset"), most=4e9)) is not None:
        wait = datetime.fromtimestamp(end.total_seconds(), UTC) - answer.now
    return None if wait is None else min(max(wait, timedelta(0)), LONGEST_WAIT)
