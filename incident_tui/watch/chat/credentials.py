"""A sink's credentials, read anew for each attempt: a mended file or variable needs no restart of anything but what
holds the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from incident_tui.watch.chat.platform import Misfit, Secrets
from incident_tui.watch.settings import ChatSink

_LIMIT: Final = 8_192


def secrets_of(sink: ChatSink, environ: Mapping[str, str] = os.environ) -> Secrets:
    """Raises Misfit, whose sentence names where a secret should be and never what is there."""
    url = _one(sink.url_env, sink.url_file, environ)
    token = _one(sink.token_env, sink.token_file, environ)
    if url and (not url.startswith(("http://", "https://")) or not _clean(url)):
        raise Misfit(f"{sink.url_env or sink.url_file} does not hold a URL that starts with https://")
    if token and not _clean(token):
        raise Misfit(f"{sink.token_env or sink.token_file} does not hold a token: it has spaces or special characters")
    return Secrets(url, token)


def _clean(value: str) -> bool:
    """One word of printable ASCII: more could end a header or a line."""
    return value.isascii() and value.isprintable() and " " not in value


def _one(variable: str, file: str, environ: Mapping[str, str]) -> str:
    if variable:
        value = environ.get(variable, "").strip()
        if not value:
            raise Misfit(f"${variable} is not set where the watch was started")
        return value
    if not file:
        return ""
    try:
        with Path(file).open(encoding="utf-8") as opened:
            value = opened.read(_LIMIT).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Misfit(f"the file {file} cannot be read ({type(error).__name__})") from None
    if not value:
        raise Misfit(f"the file {file} is empty")
    return value
