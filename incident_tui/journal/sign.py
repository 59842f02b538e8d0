"""Entries signed by the SSH key of whoever wrote them, after they were saved. A failure costs the signature alone.

A SIGNATURE entry covers entries of its own author by their numbers; what exactly is signed is in `sign_text`. Without
being asked, a process has signed only what it saved itself: a name in a journal is a claim, and whoever signed all that
stands under their name would sign what others wrote there.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from incident_tui.incident.entry import MACHINE_KINDS, Author, Draft, Entry, Kind
from incident_tui.incident.numbers import MOST, covered, packed
from incident_tui.incident.people import find
from incident_tui.incident.ssh_key import NoKey, split
from incident_tui.journal.sign_agent import Agent, NotSigned, chosen, socket_path
from incident_tui.journal.sign_text import claim, key_line, to_sign

if TYPE_CHECKING:
    from incident_tui.incident.settings import Person
    from incident_tui.journal.settings import JournalSettings
    from incident_tui.journal.store import Store

SECONDS: Final = 3.0
"""The limit for all that is asked of the agent at a time."""


class Signs(msgspec.Struct, frozen=True):
    """Who signs, by which keys. Made by `signs`; asking the agent is the only way it can fail."""

    author: Author
    keys: tuple[bytes, ...]
    """Blobs of public keys, the first that the agent has is taken."""
    whose: str
    """What these keys are called in a sentence."""
    path: Callable[[], str] = socket_path
    seconds: float = SECONDS

    def mine(self, entry: Entry) -> bool:
        """Whether this is an entry that its author signs."""
        return entry.author == self.author and signable(entry)


def signable(entry: Entry) -> bool:
    """Whether it is one that people write from here: what the watch saw or took from a chat is signed by nobody."""
    return entry.kind not in MACHINE_KINDS and entry.source in WRITTEN


WRITTEN: Final = frozenset({"tui", "cli"})
"""Sources of entries that are signed."""


def signs(settings: JournalSettings, author: Author, people: Sequence[Person]) -> Signs | None:
    """As `[journal] sign` and `sign_key` say; None when nothing is signed. Raises NotSigned when there is no key that
    could be meant."""
    if settings.sign != "agent":
        return None
    if settings.sign_key:
        return Signs(author, (_key_in(settings.sign_key),), f"the one of {settings.sign_key}")
    person = find(author.name, people)
    if person is None or not person.keys:
        raise NotSigned(
            f"{author.name} has no keys in [[people]], so nobody could tell whose signature it is; add one, or name a "
            "file: [journal] sign_key"
        )
    try:
        return Signs(author, tuple(_blob(one) for one in person.keys), f"one of {person.name}'s in [[people]]")
    except NoKey as error:
        raise NotSigned(f"a key of {person.name} in [[people]] is none: {error}") from None


def _blob(line: str) -> bytes:
    return base64.b64decode(split(line)[1])


def _key_in(path: str) -> bytes:
    try:
        with open(os.path.expanduser(path), encoding="utf-8") as file:
            return _blob(file.read(16_384).strip())
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise NotSigned(f"[journal] sign_key {path} cannot be read ({why}); name the .pub file of your key") from None
    except NoKey as error:
        raise NotSigned(f"[journal] sign_key {path} is no public key: {error}") from None


def sign(store: Store, by: Signs, seqs: Iterable[int], source: str) -> list[Entry]:
    """Have the agent sign these entries of `by.author` and keep the signatures: one for each 500.

    Raises NotSigned when the agent does not, JournalError when it cannot be saved. What was signed until then stays
    signed; asking again for the same entries is safe.
    """
    wanted = sorted(set(seqs))
    kept: list[Entry] = []
    while wanted:
        part, wanted = wanted[:MOST], wanted[MOST:]
        with Agent(by.path(), by.seconds) as agent:
            key = chosen(agent, by.keys, by.whose)
            head = store.head()
            message = claim(by.author.name, head, _commitments(store, part))
            signature = agent.sign(key, to_sign(message))
        numbers = packed(part)
        draft = Draft(
            kind=Kind.SIGNATURE,
            text="",
            at=store.clock(),
            author=by.author,
            source=source,
            data={
                "entries": numbers,
                "head": head.seq,
                "key": key_line(key),
                "sig": base64.b64encode(signature).decode(),
            },
        )
        # The same entries signed by the same key are one signature, whatever became of the answer to the first append.
        kept += store.append([draft], key=f"sign-{hashlib.sha256(key + numbers.encode()).hexdigest()[:32]}")
    return kept


def _commitments(store: Store, seqs: Sequence[int]) -> list[tuple[int, bytes]]:
    with store.guard:
        rows = store.connection.execute(
            f"SELECT seq, commitment FROM entries WHERE seq IN ({','.join('?' * len(seqs))}) ORDER BY seq", seqs
        ).fetchall()
    return [(int(seq), bytes(committed)) for seq, committed in rows]


def unsigned(store: Store, by: Signs) -> list[Entry]:
    """The entries of exactly this author (name, account, login key) that no signature covers. Raises JournalError."""
    mine: dict[int, Entry] = {}
    signed: set[int] = set()
    for entry in store.read():
        if entry.kind is Kind.SIGNATURE and entry.author.name == by.author.name:
            signed.update(covered(entry))
        elif by.mine(entry) and not entry.purged:
            mine[entry.seq] = entry
    return [entry for seq, entry in mine.items() if seq not in signed]
