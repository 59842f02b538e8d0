"""The SSH agent behind $SSH_AUTH_SOCK, asked for a signature. It has the private key; nothing here ever reads one.

The two requests of the agent protocol (draft-miller-ssh-agent, sections 3.5 and 3.6) over its socket, with one time
limit for all of it: an agent that was forwarded over a line that is dead answers nothing and says nothing.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Final

_FAILURE: Final = 5
_REQUEST_IDENTITIES, _IDENTITIES_ANSWER = 11, 12
_SIGN_REQUEST, _SIGN_RESPONSE = 13, 14
_RSA_SHA2_512: Final = 4
_LONGEST: Final = 256 * 1024
"""As OpenSSH's agent has it."""


class NotSigned(Exception):
    """There is no signature; the sentence says why and how to mend it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Agent:
    """One connection. `seconds` is the limit for everything asked of it. Raises NotSigned."""

    def __init__(self, path: str, seconds: float) -> None:
        if not path:
            raise NotSigned("there is no SSH agent (no SSH_AUTH_SOCK); log in with one, or forward yours: ssh -A")
        self._deadline = time.monotonic() + seconds
        self._seconds = seconds
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._limit()
            self._socket.connect(path)
        except (OSError, ValueError) as error:
            self._socket.close()
            why = getattr(error, "strerror", None) or "no answer"
            raise NotSigned(
                f"the SSH agent of SSH_AUTH_SOCK is gone ({why}); log in again or export the new socket"
            ) from None

    def __enter__(self) -> Agent:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def keys(self) -> list[bytes]:
        """The public keys it has, as blobs (RFC 4253, section 6.6). A locked agent has none."""
        answer = Reader(self._ask(_REQUEST_IDENTITIES, b"", _IDENTITIES_ANSWER))
        found: list[bytes] = []
        try:
            for _ in range(answer.number()):
                found.append(answer.string())
                answer.string()  # the comment
        except ValueError:
            raise NotSigned("the SSH agent answered with something that is no list of keys") from None
        return found

    def sign(self, key: bytes, data: bytes) -> bytes:
        """The signature of `data` by the private key to the blob `key`: its algorithm and its bytes (RFC 4253). By RSA
        with SHA-512."""
        flags = _RSA_SHA2_512 if algorithm(key) == "ssh-rsa" else 0
        answer = self._ask(_SIGN_REQUEST, string(key) + string(data) + flags.to_bytes(4, "big"), _SIGN_RESPONSE)
        try:
            return Reader(answer).string()
        except ValueError:
            raise NotSigned("the SSH agent answered with something that is no signature") from None

    def _ask(self, request: int, body: bytes, wanted: int) -> bytes:
        try:
            self._limit()
            self._socket.sendall(string(bytes([request]) + body))
            length = int.from_bytes(self._receive(4), "big")
            if not 0 < length <= _LONGEST:
                raise NotSigned("the SSH agent answered with something that is no answer")
            answer = self._receive(length)
        except TimeoutError:
            raise NotSigned(
                f"the SSH agent did not answer within {self._seconds:g} s; a key that asks to be touched or confirmed "
                "each time, or an agent that was forwarded over a dead line?"
            ) from None
        except OSError as error:
            raise NotSigned(f"the SSH agent broke off ({error.strerror})") from None
        if answer[0] == _FAILURE:
            raise NotSigned(
                "the SSH agent refused: it is locked, has the key no more (ssh-add -l), or nobody touched it"
            )
        if answer[0] != wanted:
            raise NotSigned("the SSH agent answered with something else")
        return answer[1:]

    def _receive(self, count: int) -> bytes:
        parts: list[bytes] = []
        while count:
            self._limit()
            part = self._socket.recv(min(count, 65536))
            if not part:
                raise NotSigned("the SSH agent broke off")
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def _limit(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)


class Reader:
    """What RFC 4251, section 5, writes. Raises ValueError where there is less than it says."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        part = self._data[self._at : self._at + count]
        if len(part) != count:
            raise ValueError("it ends too early")
        self._at += count
        return part

    def number(self) -> int:
        return int.from_bytes(self.take(4), "big")

    def string(self) -> bytes:
        return self.take(self.number())


def string(data: bytes) -> bytes:
    """As RFC 4251 writes a string: its length, then its bytes."""
    return len(data).to_bytes(4, "big") + data


def algorithm(blob: bytes) -> str:
    """The name at the beginning of a public key or of a signature. Raises ValueError."""
    return Reader(blob).string().decode("ascii")


def chosen(agent: Agent, wanted: Sequence[bytes], whose: str) -> bytes:
    """The first of the public keys `wanted` that the agent has. Raises NotSigned. `whose` is what they are called."""
    there = set(agent.keys())
    found = next((one for one in wanted if one in there), None)
    if found is None:
        has = f"has {len(there)} other keys" if there else "has no key, or is locked"
        raise NotSigned(f"the SSH agent {has}, not {whose}; add it with ssh-add")
    return found


def socket_path() -> str:
    """Where the agent of this process listens, or ""."""
    return os.environ.get("SSH_AUTH_SOCK", "")
