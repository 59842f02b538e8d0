"""What is wrong between here and the cluster, in one sentence without any secret."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator
from typing import Final, Protocol

from incident_tui.journal.errors import JournalError
from incident_tui.text import redact, sanitise

_ROOM: Final = (10023, 10047, 10077)
"""The servers' numbers for: no resources, no storage, the stream is full."""
_NO_LEADER: Final = (10008, 10009, 10005)
_NOT_THERE: Final = 10059
NO_LEADER: Final = "the cluster has no leader for the stream: most of its servers are down or cut off"
FULL: Final = "the cluster has no room for more: enlarge its disk, or max_file_store in its configuration"
OTHER_JOURNAL: Final = (
    "the servers take these credentials for another journal than the one here: give them what "
    "`incident-tui replica server-config` prints"
)
SILENT: Final = "the stream does not answer"


class ReplicaError(Exception):
    """`lasting`: it does not mend itself, as refused credentials do not, so that it is tried rarely."""

    def __init__(self, sentence: str, *, lasting: bool = False) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.lasting = lasting


class Part(Protocol):
    problem: str


@contextlib.contextmanager
def telling(part: Part) -> Iterator[None]:
    """What ends this is the part's problem, and a ReplicaError."""
    try:
        yield
    except (ReplicaError, JournalError) as error:
        part.problem = error.sentence
        if isinstance(error, ReplicaError):
            raise
        raise ReplicaError(error.sentence) from None


@contextlib.contextmanager
def asking(where: str) -> Iterator[None]:
    """Errors of the client library become a ReplicaError; `where` is the server, NAME:PORT."""
    from nats.errors import Error

    try:
        yield
    except TimeoutError:
        raise ReplicaError(SILENT) from None
    except (Error, OSError) as error:
        raise said(error, where) from None


def said(error: BaseException, where: str) -> ReplicaError:
    """The sentence for an error of the client library, of TLS or of the network; `where` is the server, NAME:PORT."""
    from nats import errors
    from nats.js.errors import APIError, NoStreamResponseError

    if isinstance(error, ReplicaError):
        return error
    if isinstance(error, APIError):
        return _api(error.err_code or 0, error.description or "")
    if isinstance(error, NoStreamResponseError | errors.NoRespondersError):
        return ReplicaError(NO_LEADER)
    if isinstance(error, ssl.SSLCertVerificationError):
        why = sanitise(error.verify_message, limit=80)
        return ReplicaError(f"{where} has a certificate that is not trusted here ({why}): see ca_file", lasting=True)
    if isinstance(error, ssl.SSLError):
        return ReplicaError(f"{where} refuses TLS ({sanitise(error.reason or 'no reason', limit=80)})", lasting=True)
    text = sanitise(redact(str(error))[0], limit=160)
    if isinstance(error, errors.AuthorizationError) or "authorization" in text.lower():
        return ReplicaError(f"{where} refuses the credentials of this bastion", lasting=True)
    if "empty response" in text or "connection closed" in text or "unexpected eof" in text.lower():
        return ReplicaError(f"{where} is not reached (the connection is closed at once)")
    if isinstance(error, TimeoutError):
        return ReplicaError(f"{where} does not answer")
    if isinstance(error, OSError):
        return ReplicaError(f"{where} is not reached ({sanitise(error.strerror or text, limit=80)})")
    return ReplicaError(f"{where}: {text.removeprefix('nats: ') or type(error).__name__}")


def _api(number: int, text: str) -> ReplicaError:
    if number in _ROOM:
        return ReplicaError(FULL)
    if number in _NO_LEADER:
        return ReplicaError(NO_LEADER)
    if number == _NOT_THERE:
        return ReplicaError("the stream is not there")
    return ReplicaError(f"the cluster says: {sanitise(text, limit=120)}")
