"""Whether a request is from whom it says: tokens and signatures, compared in constant time. Pure.

Sources: docs.slack.dev (v0, five minutes), developer.pagerduty.com (v1, several), grafana.com (HMAC of the body, or of
"time:body"), developers.mattermost.com (Authorization: Token and the body's token).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from typing import Final

WINDOW: Final = 300
"""Seconds that a signed time may lie in the past or the future."""
_REMEMBERED: Final = 20_000

Headers = Mapping[str, str]
"""Names in lower case."""


def same(one: str, other: str) -> bool:
    """Equal and not empty, in a time that tells nothing of the first difference."""
    return bool(other) and hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def bearer(headers: Headers, token: str, auth: str = "bearer") -> bool:
    """Authorization: Bearer TOKEN, or Basic with user:password as the token."""
    scheme, _, given = headers.get("authorization", "").strip().partition(" ")
    if auth == "basic":
        try:
            given = base64.b64decode(given.strip(), validate=True).decode("utf-8")
        except ValueError:
            given = ""
    return scheme.casefold() == auth and same(given.strip(), token)


def _hex(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def signed(headers: Headers, body: bytes, secret: str) -> bool:
    """X-Signature: sha256=HEX over the body."""
    return same(headers.get("x-signature", "").strip().casefold().removeprefix("sha256="), _hex(secret, body))


def pagerduty(headers: Headers, body: bytes, secret: str) -> bool:
    """X-PagerDuty-Signature: v1=HEX[,v1=HEX]: one for each secret that is in force while one is replaced."""
    given = [one.strip() for one in headers.get("x-pagerduty-signature", "").split(",")[:10]]
    expected = f"v1={_hex(secret, body)}"
    return any([same(one, expected) for one in given])  # a list: the time tells nothing


def grafana(headers: Headers, body: bytes, secret: str, now: datetime) -> bool:
    """X-Grafana-Alerting-Signature: HEX over the body; over "TIME:body" when a time is sent."""
    given = headers.get("x-grafana-alerting-signature", "").strip().casefold()
    time = headers.get("x-grafana-alerting-timestamp", headers.get("x-grafana-alerting-signature-timestamp", ""))
    if time:
        return _in_window(time, now) and same(given, _hex(secret, time.strip().encode() + b":" + body))
    return same(given, _hex(secret, body))


def _in_window(time: str, now: datetime) -> bool:
    return time.strip().isascii() and time.strip().isdigit() and abs(now.timestamp() - int(time.strip()[:15])) <= WINDOW


class Replays:
    """Signatures that were good once: the same request again is refused while its time would still be good."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, float] = OrderedDict()

    def first(self, signature: str, now: datetime) -> bool:
        """Whether it comes for the first time; remembers it."""
        stamp = now.timestamp()
        while self._seen and (len(self._seen) > _REMEMBERED or next(iter(self._seen.values())) < stamp - 2 * WINDOW):
            self._seen.popitem(last=False)
        if signature in self._seen:
            return False
        self._seen[signature] = stamp
        return True


def slack(headers: Headers, body: bytes, secret: str, now: datetime, replays: Replays | None = None) -> bool:
    """X-Slack-Signature: v0=HEX over "v0:TIME:body", not older than five minutes, and not seen before."""
    time = headers.get("x-slack-request-timestamp", "").strip()
    given = headers.get("x-slack-signature", "").strip()
    if not _in_window(time, now):
        return False
    expected = f"v0={_hex(secret, b'v0:' + time.encode() + b':' + body)}"
    return same(given, expected) and (replays is None or replays.first(expected, now))
