"""What a signature of entries says, and how OpenSSH writes it down. Pure. The format is published.

The text that is signed names each entry with its commitment (`journal.chain`), and the head of the journal at that
moment. So it claims two things: that these entries, as they were stored, are by this author; and that everything up to
the head was as it is. It is made anew from the journal whenever it is checked; nothing of it is stored but numbers.

    incident-tui entries 1
    author: ana
    head: 0123456789abcdef:21:9f86d0…
    12 60303ae2…                          the number and the commitment (hex) of each entry, in order

It is signed as `ssh-keygen -Y sign -n incident-tui` does (OpenSSH's PROTOCOL.sshsig), by SHA-512.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from typing import Final

from incident_tui.journal.chain import Head
from incident_tui.journal.sign_agent import string

NAMESPACE: Final = "incident-tui"
_MAGIC: Final = b"SSHSIG"
_HASH: Final = "sha512"


def claim(author: str, head: Head, entries: Iterable[tuple[int, bytes]]) -> bytes:
    """The text. `entries` are numbers with commitments."""
    lines = ["incident-tui entries 1", f"author: {author}", f"head: {head}"]
    return "\n".join([*lines, *(f"{seq} {committed.hex()}" for seq, committed in entries), ""]).encode()


def to_sign(message: bytes, namespace: str = NAMESPACE) -> bytes:
    """The bytes that the key signs for `message`."""
    digest = hashlib.sha512(message).digest()
    return _MAGIC + b"".join(map(string, (namespace.encode(), b"", _HASH.encode(), digest)))


def armoured(key: bytes, signature: bytes) -> str:
    """The file that `ssh-keygen -Y verify -s` takes. `key` is a public key, `signature` what the agent answered."""
    blob = _MAGIC + (1).to_bytes(4, "big")
    blob += b"".join(map(string, (key, NAMESPACE.encode(), b"", _HASH.encode(), signature)))
    text = base64.b64encode(blob).decode()
    lines = [text[at : at + 70] for at in range(0, len(text), 70)]
    return "\n".join(["-----BEGIN SSH SIGNATURE-----", *lines, "-----END SSH SIGNATURE-----", ""])


def key_line(key: bytes) -> str:
    """As it stands in a `.pub` file, without a comment."""
    kind = key[4 : 4 + int.from_bytes(key[:4], "big")].decode("ascii", "replace")
    return f"{kind} {base64.b64encode(key).decode()}"
