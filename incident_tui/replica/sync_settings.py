"""Settings of the exchange over plain SSH. Read by config.py; frozen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from incident_tui.fleet.settings import Host
from incident_tui.replica.settings import NATS
from incident_tui.text import shell


class Sync(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[sync]]`: another bastion whose journal and this one exchange entries over SSH. Where a key is as in [[hosts]],
    it means the same."""

    name: str
    address: str = ""
    port: int = 0
    user: str = ""
    identity_file: str = ""
    known_hosts: str = ""
    jump: str = ""
    legacy_algorithms: bool = False
    command: tuple[str, ...] = ("incident-tui",)
    """The program there, with options if it needs any. A key that can do nothing else runs its own command instead."""
    journal: str = ""
    """The directory of the journal there; empty: as the program there finds it."""
    seconds: float = 10.0
    """At least so often the watch looks whether the other side is there; what is new goes at once."""

    @property
    def host(self) -> Host:
        """How it is reached."""
        return Host(
            name=self.name,
            address=self.address,
            port=self.port,
            user=self.user,
            identity_file=self.identity_file,
            known_hosts=self.known_hosts,
            jump=self.jump,
            legacy_algorithms=self.legacy_algorithms,
        )

    @property
    def line(self) -> str:
        """What is run there, for its shell."""
        where = ("--journal", self.journal) if self.journal else ()
        return " ".join(shell(word) for word in (*self.command, "sync", "--serve", *where))


def problems(peers: Sequence[Sync]) -> Iterator[tuple[str, str]]:
    """(key, what is wrong and how to mend it) for each mistake."""
    for number, peer in enumerate(peers):
        if peer.name == NATS:
            yield f"sync[{number}].name", f"{NATS!r} is what the way over NATS is called: write another name"
        if not 0 <= peer.port <= 65535:
            yield f"sync[{number}].port", f"{peer.port}: a port is 1 to 65535, or 0 for the default"
        if not 1 <= peer.seconds <= 3600:
            yield f"sync[{number}].seconds", f"{peer.seconds}: write 1 to 3600"
        if not peer.command or not all(peer.command):
            yield f"sync[{number}].command", 'name the program there, like ["incident-tui"]'


def absolute(peer: Sync, full: Callable[[str], str]) -> Sync:
    """With the whole path of every file that is here."""
    return msgspec.structs.replace(peer, identity_file=full(peer.identity_file), known_hosts=full(peer.known_hosts))
