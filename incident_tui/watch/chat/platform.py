"""What a chat platform is to us: facts and two pure functions. One module a dialect; `kinds` has them all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol, runtime_checkable
from urllib.parse import parse_qsl, urlsplit

import msgspec

from incident_tui.watch.settings import ChatSink

State = Literal["sent", "accepted", "again", "maybe", "dead"]

HALT: Final = timedelta(minutes=10)
"""A sink that is refused as such (wrong token, no such webhook) is tried again this much later: nothing is lost, and
the platform is not flooded (Discord bans an address after 10,000 refusals in ten minutes)."""


_GUESSABLE: Final = 6
"""A part of a URL that is shorter is no secret: "hooks", "T0"."""


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """One message. `text` is sanitised, of any length, and not yet defused or cut."""

    text: str
    key: str
    """The same for each attempt at this message, and for no other: letters, digits, "-", "." and "_"."""
    tag: str = ""
    incident: str = ""
    """Its id; empty for a test message."""
    title: str = ""
    root: str = ""
    """What the platform calls the first message of this incident's thread; empty when there is none yet."""


class Secrets:
    """What a sink's credentials are, read for one attempt. They show in no repr."""

    __slots__ = ("token", "url")

    def __init__(self, url: str = "", token: str = "") -> None:
        self.url, self.token = url, token

    def scrub(self, said: str, authorization: str = "") -> str:
        """What a platform said, without what we told it: some quote the address or the headers in their refusals."""
        parts = urlsplit(self.url)
        pieces = {self.url, self.token, parts.path, parts.query, *parts.path.split("/"), *authorization.split()[1:]}
        pieces |= {value for _, value in parse_qsl(parts.query)}
        for piece in sorted(pieces, key=len, reverse=True):
            if len(piece) >= _GUESSABLE:
                said = said.replace(piece, "[secret]")
        return said


class Request:
    """What one attempt sends. The URL and the headers are secrets, and show in no repr."""

    __slots__ = ("body", "headers", "method", "url")

    def __init__(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> None:
        self.method, self.url, self.headers, self.body = method, url, dict(headers), body


class Answer(msgspec.Struct, frozen=True):
    """What came back: `headers` by lower-case name, `text` bounded and not sanitised, `now` aware UTC."""

    status: int
    headers: Mapping[str, str]
    text: str
    now: datetime


class Outcome(msgspec.Struct, frozen=True):
    """What one attempt came to.

    sent: the platform has it. accepted: it has promised to see to it, and will not say whether it did. again: it does
    not have it, and may take it later. maybe: it is not known whether it has it. dead: it will never take this one.
    """

    state: State
    problem: str = ""
    """One line in the platform's words, without secrets; empty when sent."""
    wait: timedelta | None = None
    """Nothing is sent before it is over. None: the sender's own back-off."""
    remote: str = ""
    """What the platform calls the message, where it says so."""
    rootless: bool = False
    """The thread's first message is not there any more: the next attempt begins a new thread."""


class Pace(msgspec.Struct, frozen=True):
    """A token bucket: one message each so many seconds, after so many at once."""

    seconds: float
    burst: int


class Facts(Protocol):
    """What the sender must know of wherever it sends to."""

    @property
    def pace(self) -> Pace: ...

    @property
    def idempotent(self) -> bool:
        """A second request with the same key makes no second message, so that `maybe` may be tried again."""

    @property
    def threads(self) -> bool:
        """Its answers name the message, and later ones may be put under it."""

    def size(self, text: str) -> int:
        """How much of `limit` this text takes once it is defused."""

    @property
    def limit(self) -> int: ...


class Platform(Facts, Protocol):
    """A platform that is reached by HTTP."""

    @property
    def needs(self) -> frozenset[str]:
        """The settings that a sink of this kind must have; url and token are by environment or file."""

    @property
    def may(self) -> frozenset[str]:
        """Those that it may have besides the ones for all kinds."""

    def request(self, out: Outgoing, sink: ChatSink, secrets: Secrets) -> Request:
        """Raises Misfit when the sink's settings or secrets cannot be used."""

    def judge(self, answer: Answer) -> Outcome: ...


@runtime_checkable
class Askable(Protocol):
    """A platform that says whether it would take messages, without getting one."""

    def question(self, sink: ChatSink, secrets: Secrets) -> Request: ...

    def objection(self, answer: Answer) -> str:
        """Why it would not; empty when nothing stands against it."""


class Misfit(Exception):
    """A setting or secret cannot be used; the sentence holds no secret."""
