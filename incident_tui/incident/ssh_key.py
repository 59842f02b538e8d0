"""Public SSH keys as they stand in a `.pub` file, and their fingerprints. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import Final

_KIND: Final = re.compile(r"(?:ssh|ecdsa|sk)-[a-z0-9@.-]{2,60}")


class NoKey(ValueError):
    """The line is not one public key; the text says why."""


def split(line: str) -> tuple[str, str]:
    """The kind and the base64 of a line as in `id_ed25519.pub`; what else stands there is only a comment. Options in
    front, certificates and several lines are refused. Raises NoKey."""
    words = line.split()
    if len(words) < 2 or "\n" in line.strip() or not _KIND.fullmatch(words[0]):
        raise NoKey("write one line as in id_ed25519.pub: ssh-ed25519 AAAA…")
    kind, encoded = words[:2]
    try:
        blob = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise NoKey("what follows the kind is not base64; copy the line again") from None
    if blob[:4] != len(kind).to_bytes(4, "big") or blob[4 : 4 + len(kind)] != kind.encode() or "-cert-" in kind:
        raise NoKey(f"it is not a key of the kind {kind}; copy the line again")
    return kind, encoded


def fingerprint(line: str) -> str:
    """SHA256:… as `ssh-keygen -l` prints it. Raises NoKey."""
    digest = hashlib.sha256(base64.b64decode(split(line)[1])).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")
