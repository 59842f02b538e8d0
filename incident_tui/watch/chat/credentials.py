"""A sink's credentials, read anew for each attempt: a mended file or variable needs no restart of anything but what
holds the environment."""

from __future__ import annotations

from incident_tui.secret import SecretError, read_secret
from incident_tui.watch.chat.platform import Misfit, Secrets
from incident_tui.watch.settings import ChatSink


def secrets_of(sink: ChatSink) -> Secrets:
    """Raises Misfit, whose sentence names where a secret should be and never what is there."""
    try:
        url = read_secret(sink.url_env, sink.url_file)
        token = read_secret(sink.token_env, sink.token_file)
    except SecretError as error:
        raise Misfit(str(error)) from None
    if url and (not url.startswith(("http://", "https://")) or not _clean(url)):
        raise Misfit(f"{sink.url_env or sink.url_file} does not hold a URL that starts with https://")
    if token and not _clean(token):
        raise Misfit(f"{sink.token_env or sink.token_file} does not hold a token: it has spaces or special characters")
    return Secrets(url, token)


def _clean(value: str) -> bool:
    """One word of printable ASCII: more could end a header or a line."""
    return value.isascii() and value.isprintable() and " " not in value
