"""Which bastion reads which host: rendezvous hashing. Pure.

Each bastion and each group of hosts give a number together; the bastion with the highest has the group. So every
bastion that knows the same names comes to the same answer without asking, and when one goes, nothing moves but what it
had. Source: D. G. Thaler, C. V. Ravishankar, "Using name-based mappings to increase hit rates", 1998.

What is divided are groups, not hosts: the peers of one trusted pool stay with one bastion, because its joined view, its
elected peer (the cluster's lock is taken by one only) and the observations about its volumes are made of all of them.

A bastion may reach the others and not a host. It says so (`Unreached`), and the next by rank that has not said so reads
that host alone, for the bastion that has its group. A group of which a bastion reaches nothing goes to the next whole.
What nobody reaches stays where it was.
"""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Final

import msgspec

_MASK: Final = 0xFFFFFFFFFFFFFFFF
_FIRST: Final = 0xBF58476D1CE4E5B9
_SECOND: Final = 0x94D049BB133111EB
"""The multipliers of splitmix64 (G. L. Steele, D. Lea, C. H. Flood, 2014)."""


def number(name: str) -> int:
    """64 bits of a name, the same under every version of Python."""
    return int.from_bytes(blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def _score(key: int, bastion: int) -> int:
    mixed = ((key ^ bastion) * _FIRST) & _MASK
    mixed = ((mixed ^ (mixed >> 29)) * _SECOND) & _MASK
    return mixed ^ (mixed >> 32)


class Shards:
    """Groups divided among bastions. Kept up to date in steps: a bastion that comes costs one score a group, one that
    goes costs only what it had."""

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._numbers: dict[str, int] = {}
        self._best: dict[str, tuple[int, str]] = {}
        self._had: dict[str, set[str]] = {}
        self._bastions: dict[str, int] = {}
        self.keep(keys)

    @property
    def bastions(self) -> tuple[str, ...]:
        return tuple(sorted(self._bastions))

    def keep(self, keys: Iterable[str]) -> None:
        """These groups, and no others."""
        wanted = set(keys)
        for gone in self._numbers.keys() - wanted:
            del self._numbers[gone]
            best = self._best.pop(gone, None)
            if best is not None:
                self._had[best[1]].discard(gone)
        fresh = wanted - self._numbers.keys()
        for key in fresh:
            self._numbers[key] = number(key)
        self._choose(fresh)

    def divide(self, bastions: Iterable[str]) -> None:
        """Among these, and no others. Without any, nobody has anything."""
        wanted = set(bastions)
        orphans: set[str] = set()
        for gone in self._bastions.keys() - wanted:
            del self._bastions[gone]
            orphans |= self._had.pop(gone, set())
        for come in sorted(wanted - self._bastions.keys()):
            self._bastions[come] = number(come)
            self._had[come] = set()
            self._offer(come, orphans)
        for key in orphans:
            self._best.pop(key, None)
        self._choose(orphans if self._best else self._numbers)

    def owner(self, key: str) -> str:
        """Who has the group; empty when there is no bastion or no such group."""
        best = self._best.get(key)
        return "" if best is None else best[1]

    def of(self, bastion: str) -> frozenset[str]:
        """The groups that it has."""
        return frozenset(self._had.get(bastion, ()))

    def ranked(self, key: str) -> list[str]:
        """All bastions, in the order in which they would have the group if those before were not there."""
        mine = self._numbers[key]
        return [name for _, name in sorted([(_score(mine, its), name) for name, its in self._bastions.items()])][::-1]

    def _offer(self, bastion: str, but: set[str]) -> None:
        """A new bastion takes what it has the highest number for."""
        its, mine, best = self._bastions[bastion], self._had[bastion], self._best
        for key, known in list(best.items()):
            if key in but:
                continue
            offer = (_score(self._numbers[key], its), bastion)
            if offer > known:
                self._had[known[1]].discard(key)
                best[key] = offer
                mine.add(key)

    def _choose(self, keys: Iterable[str]) -> None:
        if not self._bastions:
            return
        bastions = list(self._bastions.items())
        for key in keys:
            mine = self._numbers[key]
            best = max([(_score(mine, its), name) for name, its in bastions])
            self._best[key] = best
            self._had[best[1]].add(key)


def grouped(names: Iterable[str], pools: Iterable[Iterable[str]]) -> dict[str, str]:
    """The group of each name: those that a pool names together, also by way of a third, are one, which has the name of
    its first. A name in no pool is a group of its own. The order of either makes no difference."""
    above: dict[str, str] = {name: name for name in names}

    def root(name: str) -> str:
        while above[name] != name:
            above[name] = name = above[above[name]]
        return name

    for pool in pools:
        here = [name for name in pool if name in above]
        for one in here[1:]:
            first, second = sorted((root(here[0]), root(one)))
            above[second] = first
    return {name: root(name) for name in above}


def digest(fleet: Mapping[str, str]) -> str:
    """A short name of what is to be read: names, and what they stand for. Bastions divide a fleet among those only that
    name it alike; one with another list reads its own, so that no host is left to somebody who does not know it."""
    said = "\n".join(f"{name}\t{what}" for name, what in sorted(fleet.items()))
    return blake2b(said.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


class Division(msgspec.Struct, frozen=True):
    """The part of one bastion. `reads`: what it asks itself; `has`: the names of its groups, of which it joins and
    judges what is read, also by others."""

    reads: frozenset[str] = frozenset()
    has: frozenset[str] = frozenset()


def division(
    shards: Shards, me: str, groups: Mapping[str, str], unreached: Mapping[str, Collection[str]] | None = None
) -> Division:
    """What `me` has to do when `groups` (name -> group, as `grouped`) are divided as `shards` says. `unreached`: by
    bastion, the names that it has said it cannot reach."""
    blind = {bastion: names for bastion, names in (unreached or {}).items() if names and bastion in shards.bastions}
    touched = {groups[name] for names in blind.values() for name in names if name in groups}
    members: dict[str, list[str]] = {group: [] for group in touched}
    for name, group in groups.items() if touched else ():
        if group in touched:
            members[group].append(name)
    mine = set(shards.of(me)) - touched
    reads: set[str] = set()
    has: set[str] = set()
    for group, names in members.items():
        home, readers = _readers(shards.ranked(group), names, blind)
        if home == me:
            has.update(names)
        reads.update(name for name in names if readers[name] == me)
    own = {name for name, group in groups.items() if group in mine}
    return Division(frozenset(own | reads), frozenset(own | has))


def _readers(
    ranked: Sequence[str], names: Sequence[str], blind: Mapping[str, Collection[str]]
) -> tuple[str, dict[str, str]]:
    """Who has a group, and who reads each of it."""

    def sees(bastion: str, name: str) -> bool:
        return name not in blind.get(bastion, ())

    home = next((one for one in ranked if any(sees(one, name) for name in names)), ranked[0])
    order = [home, *ranked]
    return home, {name: next((one for one in order if sees(one, name)), home) for name in names}


def packed(names: Collection[str], fleet: Sequence[str]) -> str:
    """Some names of a fleet, as they travel: a bit each in the order of `fleet`, compressed. Bastions that divide hosts
    have the same fleet (`digest`). 20,000 names take at most 3.4 kB."""
    if not names:
        return ""
    bits = bytearray((len(fleet) + 7) // 8)
    for at, name in enumerate(fleet):
        if name in names:
            bits[at >> 3] |= 1 << (at & 7)
    return b64encode(zlib.compress(bytes(bits), 9)).decode()


def unpacked(text: str, fleet: Sequence[str]) -> frozenset[str]:
    """The names; none when it cannot be read, as what another version writes."""
    if not text:
        return frozenset()
    try:
        unpacking = zlib.decompressobj()
        bits = unpacking.decompress(b64decode(text, validate=True), (len(fleet) + 7) // 8 or 1)
    except (ValueError, zlib.error):
        return frozenset()
    return frozenset(name for at, name in enumerate(fleet[: 8 * len(bits)]) if bits[at >> 3] >> (at & 7) & 1)
