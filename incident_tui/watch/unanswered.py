"""Why a request by HTTP had no answer, in words. The texts of aiohttp's exceptions may carry addresses and headers,
which hold secrets: they end here."""

from __future__ import annotations

import os

import aiohttp
import msgspec

from incident_tui.text import sanitise

FAILURES = (aiohttp.ClientError, TimeoutError, ValueError, OSError)
"""What aiohttp raises when it has no answer; ValueError for an address or a header that cannot be sent."""


class Unanswered(msgspec.Struct, frozen=True):
    """Half a sentence, and whether the request may have arrived all the same."""

    words: str
    arrived: bool = False
    lasting: bool = False
    """It will be so until somebody mends the configuration."""


def unanswered(error: BaseException) -> Unanswered:
    """What one of FAILURES means."""
    match error:
        case aiohttp.ConnectionTimeoutError():
            return Unanswered("no connection in time")
        case aiohttp.ClientConnectorCertificateError():
            return Unanswered(f"its TLS certificate is not valid ({_certificate_words(error)})")
        case aiohttp.ClientConnectorSSLError():
            return Unanswered("TLS could not be agreed")
        case aiohttp.ClientConnectorDNSError():
            return Unanswered("its name is not found")
        case aiohttp.ClientConnectorError():
            return Unanswered(f"cannot connect ({sanitise(os.strerror(error.errno or 0), limit=60)})")
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
            return Unanswered("its URL is not one", lasting=True)
        case TimeoutError():
            return Unanswered("no answer in time", arrived=True)
        case aiohttp.ServerDisconnectedError():
            return Unanswered("the connection was closed without an answer", arrived=True)
        case _:
            return Unanswered(f"the connection broke before an answer came ({type(error).__name__})", arrived=True)


def _certificate_words(error: aiohttp.ClientConnectorCertificateError) -> str:
    inner = error.certificate_error
    words = getattr(inner, "verify_message", "") or type(inner).__name__
    return sanitise(str(words), limit=80)


async def whole(response: aiohttp.ClientResponse, most: int) -> bytes | None:
    """The body; None when it is longer than `most` bytes: a part would be half a truth."""
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_chunked(65_536):
        size += len(part)
        if size > most:
            return None
        parts.append(part)
    return b"".join(parts)
