"""Settings of replication over NATS JetStream. Read by config.py; frozen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

NATS: Final = "nats"
"""The name of the way over JetStream, of which there is one at most, among those over SSH."""
_URL = re.compile(r"(nats|tls)://[^/\s@?#]+")
_WORD = re.compile(r"[A-Za-z0-9_-]{1,32}")


class Replica(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[replica]`: one NATS cluster between all bastions. Credentials are by file or environment only."""

    servers: tuple[str, ...] = ()
    """tls://NAME:PORT or nats://NAME:PORT of each server; none: no replication over JetStream."""
    stream: str = "INCIDENT"
    """Name of the stream that holds the entries; the first word of every other name is made of it."""
    replicas: int = 3
    """So many servers hold each entry; only when the stream is made."""
    lease_seconds: float = 15.0
    """After so long a watch that is not heard of is replaced, and one that hears nothing is alone."""
    retry_seconds: float = 300.0
    """A host that this bastion cannot reach, and another reads, is tried again after so long."""
    name: str = ""
    """This bastion as others read it; empty: its host name."""
    ca_file: str = ""
    """Who signed the servers' certificates; empty: as the system has it."""
    cert_file: str = ""
    key_file: str = ""
    """The client's own certificate, where the servers ask for one; the key readable by its owner only."""
    credentials_file: str = ""
    """A user's .creds file (JWT and seed)."""
    nkey_file: str = ""
    """File that holds the seed of this bastion's nkey, SU…."""
    user: str = ""
    password_env: str = ""
    """Name of the environment variable that holds the user's password."""
    password_file: str = ""
    """File that holds it."""


def problems(replica: Replica) -> Iterator[tuple[str, str]]:
    """(key, what is wrong and how to mend it) for each mistake."""
    for number, url in enumerate(replica.servers):
        if not _URL.fullmatch(url):
            yield (
                f"replica.servers[{number}]",
                f"{url!r}: write it as tls://NAME:4222, without a user or password in it",
            )
    if not _WORD.fullmatch(replica.stream):
        yield "replica.stream", f"{replica.stream!r}: letters, digits, - and _, at most 32 of them"
    if not 1 <= replica.replicas <= 5:
        yield "replica.replicas", f"{replica.replicas}: 1 to 5; an odd number, 3 survives the loss of one server"
    if not 3 <= replica.lease_seconds <= 300:
        yield "replica.lease_seconds", f"{replica.lease_seconds:g}: 3 to 300; 15 survives the choice of a new leader"
    if not 1 <= replica.retry_seconds <= 86400:
        yield "replica.retry_seconds", f"{replica.retry_seconds:g}: 1 to 86400"
    if bool(replica.cert_file) != bool(replica.key_file):
        yield "replica", "a client certificate is cert_file and key_file, both"
    if bool(replica.user) != bool(replica.password_env or replica.password_file):
        yield "replica", "name the password of user by password_env or by password_file"
    if bool(replica.password_env) and bool(replica.password_file):
        yield "replica", "name the password by password_env or by password_file, one of the two"
    ways = [name for name in ("credentials_file", "nkey_file", "user") if getattr(replica, name)]
    if len(ways) > 1:
        yield "replica", f"{' and '.join(ways)}: a bastion logs in by one of them"


def absolute(replica: Replica, full: Callable[[str], str]) -> Replica:
    """With every file's whole path."""
    files = ("ca_file", "cert_file", "key_file", "credentials_file", "nkey_file", "password_file")
    return msgspec.structs.replace(replica, **{name: full(getattr(replica, name)) for name in files})


def secrets_named(replica: Replica) -> Iterator[tuple[str, str, str]]:
    """(key, variable, file) of every credential that is named; one of the last two is empty."""
    for name in ("password_env", "password_file", "key_file", "credentials_file", "nkey_file"):
        value = getattr(replica, name)
        if value:
            yield f"replica.{name}", *((value, "") if name.endswith("_env") else ("", value))
