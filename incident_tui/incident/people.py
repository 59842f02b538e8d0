"""People as they are typed and as they are proven. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from incident_tui.incident.entry import Author
from incident_tui.incident.settings import Person


class Ambiguous(msgspec.Struct, frozen=True):
    """A name that several people could have meant."""

    typed: str
    names: tuple[str, ...]

    @property
    def sentence(self) -> str:
        return f"{self.typed!r} could be {' or '.join(self.names)}: write more of the name."


def resolve(typed: str, people: Sequence[Person]) -> str | Ambiguous:
    """The short name meant by `typed` (a leading '@' is dropped).

    A whole name wins over a prefix; case does not matter; one prefix match is enough. Somebody who is not in the
    list keeps the name as typed: half of those who respond are only on a phone bridge.
    """
    wanted = typed.removeprefix("@")
    folded = wanted.casefold()
    for person in people:
        if person.name.casefold() == folded:
            return person.name
    found = tuple(person.name for person in people if folded and person.name.casefold().startswith(folded))
    if len(found) > 1:
        return Ambiguous(wanted, found)
    return found[0] if found else wanted


def find(name: str, people: Sequence[Person]) -> Person | None:
    """The person of exactly this name, whatever the case."""
    folded = name.casefold()
    return next((person for person in people if person.name.casefold() == folded), None)


def author(
    name: str, people: Sequence[Person], *, account: str = "", uid: int = -1, key: str = "", shared: Sequence[str] = ()
) -> Author:
    """Who writes: proven when the configuration ties the Unix account to this name and to nobody else, or when they
    joined with this `key`, whose fingerprint was found among those of this name (`desk.joining`).

    An empty `name` is taken from the account when exactly one person has it, and is the account itself otherwise.
    `shared` are accounts that prove nobody (root, a team's account).
    """
    holders = [person.name for person in people if account and person.account == account]
    if not name:
        name = holders[0] if len(holders) == 1 else account or "unknown"
    known = find(name, people)
    name = known.name if known else name
    proven = bool(key) or (holders == [name] and account not in shared)
    return Author(name=name, uid=uid, account=account, key=key, proven=proven)


def zone_of(name: str, people: Sequence[Person]) -> str:
    """The person's IANA zone, UTC when not known."""
    known = find(name, people)
    return known.time_zone if known else "UTC"
