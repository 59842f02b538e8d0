"""This bastion's nkey: a seed in a private file; its public half names the bastion in the servers' configuration."""

from __future__ import annotations

import contextlib
import os

from incident_tui.replica.connection import MISSING
from incident_tui.replica.problem import ReplicaError
from incident_tui.secret import SecretError, read_secret


def made(path: str) -> bool:
    """Makes a seed when there is none; whether it did. Raises ReplicaError."""
    try:
        import nkeys
    except ImportError:
        raise ReplicaError(MISSING, lasting=True) from None
    seed = nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return False
    except OSError as error:
        raise ReplicaError(f"{path} cannot be made ({error.strerror})", lasting=True) from None
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(seed + b"\n")
            opened.flush()
            os.fsync(opened.fileno())
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(path)
        raise ReplicaError(f"{path} cannot be written ({error.strerror})", lasting=True) from None
    return True


def public(path: str) -> str:
    """The public half of the seed in this file. Raises ReplicaError, which never holds the seed."""
    try:
        import nkeys
    except ImportError:
        raise ReplicaError(MISSING, lasting=True) from None
    try:
        return str(nkeys.from_seed(bytearray(read_secret("", path).encode())).public_key.decode())
    except SecretError as error:
        raise ReplicaError(str(error), lasting=True) from None
    except Exception:
        raise ReplicaError(f"{path} holds no seed of an nkey, SU…", lasting=True) from None
