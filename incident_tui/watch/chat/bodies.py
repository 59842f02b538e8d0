"""What the requests of several dialects are made of. Pure."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from incident_tui.watch.chat.fitting import no_angles, no_links, no_mentions
from incident_tui.watch.chat.platform import Request

JSON: Final = {"Content-Type": "application/json"}
URL: Final = frozenset({"url"})
NOTHING: Final[frozenset[str]] = frozenset()


def with_query(url: str, **more: str) -> str:
    """The URL with these query parameters besides its own, which keep their order."""
    parts = urlsplit(url)
    kept = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if key not in more]
    return urlunsplit(parts._replace(query=urlencode([*kept, *more.items()])))


def json_request(method: str, url: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> Request:
    return Request(method, url, {**JSON, **(headers or {})}, json.dumps(body, ensure_ascii=False).encode())


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def path_part(value: str) -> str:
    """One part of a URL's path, whatever it holds."""
    return quote(value, safe="")


def plain(text: str) -> str:
    """Disarmed for a platform of which neither entities nor backslashes are certain to be read."""
    return no_links(no_mentions(no_angles(text)))
