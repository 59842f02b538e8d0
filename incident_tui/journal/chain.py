"""The chain: what is hashed, in which order, and what that proves. Pure. The format is published; see `link`.

commitment = SHA-256(salt || body)                                    salt: 16 random bytes, one for each entry
link       = SHA-256(previous link || journal || seq || commitment)   seq: 8 bytes, big-endian; first previous: zeros

`body` is the bytes as stored: the JSON of `incident.entry.Entry`. Because a link covers the commitment and not the
body, body and salt can be destroyed and the chain still closes; because the commitment is salted, nobody can find a
short secret by trying.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Final

import msgspec


def _find_sha256() -> Callable[[bytes], Any]:
    """CPython's own SHA-256: hashlib would load OpenSSL, which costs 4 ms of each `incident-tui log`."""
    try:
        found: Callable[[bytes], Any] = __import__("_sha2" if sys.version_info >= (3, 12) else "_sha256").sha256
        return found
    except (ImportError, AttributeError):
        import hashlib

        return hashlib.sha256


sha256 = _find_sha256()

PROMISE: Final = (
    "It detects damage and naive edits; truncation or rewriting only against a head recorded elsewhere, "
    "so each update, handoff and export carries the head."
)
"""What `verify` promises, in these words and no more."""

GENESIS: Final = bytes(32)
SALT_BYTES: Final = 16
HEAD_DIGITS: Final = 16
"""Hex digits of a head that are enough to check it by."""


class Head(msgspec.Struct, frozen=True, array_like=True):
    """The last link of a journal: whoever keeps it elsewhere can prove later that nothing before it was rewritten."""

    journal: str
    seq: int
    hash: str
    """Hex; 64 digits, or at least HEAD_DIGITS of them where a person wrote it down."""

    def __str__(self) -> str:
        return f"{self.journal}:{self.seq}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> Head:
        """The head from "journal:seq:hash". ValueError with a sentence when it is not one."""
        parts = text.strip().lower().split(":")
        if (
            len(parts) != 3
            or not parts[1].isdigit()
            or len(parts[2]) < HEAD_DIGITS
            or set(parts[2]) - set("0123456789abcdef")
        ):
            raise ValueError(f"not a journal head: {text.strip()[:80]!r}; it looks like 0123456789abcdef:17:{'9f' * 8}")
        return cls(parts[0], int(parts[1]), parts[2])


class Problem(msgspec.Struct, frozen=True):
    """One thing `verify` found. `seq` is 0 when it concerns the file as a whole."""

    seq: int
    sentence: str


class Verdict(msgspec.Struct, frozen=True):
    """What `verify` found. `purged` are the numbers whose text was destroyed on request; they are no problem."""

    head: Head
    entries: int
    problems: tuple[Problem, ...] = ()
    purged: tuple[int, ...] = ()
    archived: tuple[int, ...] = ()
    """Numbers whose text is in an archive file, by an order that the chain covers."""
    heads_checked: int = 0
    promise: str = PROMISE

    @property
    def ok(self) -> bool:
        return not self.problems


def commitment(salt: bytes, body: bytes) -> bytes:
    return bytes(sha256(salt + body).digest())


def link(previous: bytes, journal: str, seq: int, committed: bytes) -> bytes:
    """The link of entry `seq`; `journal` is the 16 hex digits of its id, as ASCII."""
    return bytes(sha256(previous + journal.encode("ascii") + seq.to_bytes(8, "big") + committed).digest())


def fingerprint(kept: bytes) -> str:
    """Hex SHA-256 of a tombstone, which the purge entry carries so that the chain covers what was left."""
    return str(sha256(kept).hexdigest())
