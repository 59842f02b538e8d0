"""Who is there, who has the duty, and whether this bastion is alone: leases over a store that compares and sets. Pure.

The store is a bucket of keys with revisions (a JetStream key-value bucket; in the simulation, a dictionary). It holds

    bastion.JOURNAL   a `Beat`, written again every third of the lease's age by the watch of that journal
    watch             a `Term`: who has the duty (chat, rooms, alert polls, reminders): one for all bastions

No clock is compared with another. A lease is over for others when they have seen it unchanged for its whole age by
their own clock, in seconds that count a suspended machine; its holder believes in it for a twentieth less, counted from
before the write left. So clocks may be off by hours, on the servers too, and may drift by two in a hundred; a holder
that was stopped and wakes up finds its belief over. What the bucket drops by its maximum age is no sign of anything.

A bastion has contact while its own beats come back to it by the way on which it hears of others. Without contact for
the lease's age it is alone, and reads all hosts: nobody can tell it what they say. One that was stopped does not judge
by what it missed: it has a whole age to find out.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, TypeVar

import msgspec

AGE: Final = 15.0
"""Seconds after which a lease that nobody renews is over."""
BELIEF: Final = 0.95
"""Of the age: how long a holder believes in what it wrote."""
WATCH: Final = "watch"
_BASTION: Final = "bastion."
_AGAIN: Final = 1.0
"""Seconds until what got no answer is tried again."""
_LONGEST: Final = 300.0
"""Of an age that somebody else names."""
_KEPT: Final = 16
"""Own beats whose way back is awaited."""
_T = TypeVar("_T")


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """One bastion's word that it is there."""

    journal: str
    letter: str
    node: str = ""
    fleet: str = ""
    """`shard.digest` of what it would read; hosts are divided among those that say the same."""
    count: int = 0
    """Hosts that it reads."""
    load: float = 0.0
    """Of its machine, one minute."""
    number: int = 0
    """Of this beat: two are never the same."""
    age: float = 0.0
    """Its lease's, where bastions are configured differently: the longer one counts."""
    unreached: str = ""
    """Hosts that it cannot reach, as `shard.packed`."""

    @property
    def key(self) -> str:
        return _BASTION + self.journal


class Term(msgspec.Struct, frozen=True):
    """One holding of the duty. `beat` makes each renewal another value; `age` as of a `Beat`."""

    journal: str
    term: int
    beat: int = 0
    age: float = 0.0


class Put(msgspec.Struct, frozen=True):
    """To be written. `last` is the revision that must be there; 0: none. An empty value deletes: the writer goes, and
    nobody has to wait for its age."""

    key: str
    value: bytes
    last: int


class State(StrEnum):
    """How this bastion stands to the others."""

    JOINING = "joining"
    """It has just begun and reads nothing yet."""
    TOGETHER = "together"
    ALONE = "alone"


class _Seen(msgspec.Struct):
    value: bytes
    revision: int
    at: float
    """When it changed last, as this bastion saw it."""


class Duty:
    """The part of one bastion. `now` is always seconds of its own boot clock. The caller carries out what `tick` says,
    tells what became of it, and passes on each change of the bucket; it must call `tick` a few times each third of the
    age."""

    def __init__(self, me: Beat, now: float, age: float = AGE) -> None:
        self.me = me
        self.age = age
        self.state = State.JOINING
        self.since = now
        """Since when the state is what it is; of ALONE, when contact was lost."""
        self.others: tuple[Beat, ...] = ()
        """The bastions that are there, without this one, by journal; empty when it is alone."""
        self.term = 0
        """Of the last holding of the duty that was seen."""
        self._seen: dict[str, _Seen] = {}
        self._under_way: dict[str, float] = {}
        self._beats = 0
        self._next_beat = self._next_renewal = now
        self._issued: dict[int, float] = {}
        self._echoed = self._own = 0
        self._contact: float | None = None
        self._synced_at: float | None = None
        self._began = self._ticked = self._woke = now
        self._held_until = now
        self._leaving = False

    # ------------------------------------------------------------------ what is so

    def holds(self, now: float) -> bool:
        """Whether the duty is this bastion's, as far as it can believe. To be asked before each act."""
        return now < self._held_until

    def has_contact(self, now: float) -> bool:
        """Whether a beat of its own came back lately."""
        return self._contact is not None and now - self._contact <= self.age * BELIEF

    @property
    def holder(self) -> str:
        """The journal of who has, or had last, the duty; empty when nobody ever had."""
        term = _read(self._seen.get(WATCH), Term)
        return "" if term is None else term.journal

    @property
    def fellows(self) -> tuple[str, ...]:
        """The journals of those among whom the hosts are divided, this one with them."""
        same = [one.journal for one in self.others if one.fleet == self.me.fleet]
        return tuple(sorted([*same, self.me.journal]))

    def wants_sync(self, now: float) -> bool:
        """Whether the bucket should be read anew from the beginning: it was not yet, or nothing comes any more."""
        if self._synced_at is None:
            return True
        return now - max(self._synced_at, self._contact or 0.0, self._woke) > self.age / 2

    def tell(self, unreached: str, now: float) -> None:
        """The hosts that this bastion cannot reach are others: it says so with its next beat, and that is soon."""
        if unreached != self.me.unreached:
            self.me = msgspec.structs.replace(self.me, unreached=unreached)
            self._next_beat = min(self._next_beat, now + _AGAIN)

    # ------------------------------------------------------------------ time passes

    def tick(self, now: float) -> list[Put]:
        """What is to be written now."""
        if now - self._ticked > self.age / 3:
            self._wake(now)
        self._ticked = now
        self._judge(now)
        if self._leaving:
            return []
        puts: list[Put] = []
        if now >= self._next_beat and self._free(self.me.key, now):
            self._beats += 1
            self._next_beat = now + self.age / 3
            beat = msgspec.structs.replace(self.me, number=self._beats, age=self.age)
            # On top of the last one only: one that was on its way for long comes too late to say that anybody lives.
            puts.append(self._put(Put(self.me.key, msgspec.json.encode(beat), self._own), now))
        term = self._term(now)
        if term is not None:
            puts.append(self._put(term, now))
        return puts

    def leave(self, now: float) -> list[Put]:
        """The last words of one that ends: nobody has to wait for it."""
        self._leaving = True
        puts = [Put(self.me.key, b"", self._own)]
        if self.holds(now):
            puts.append(Put(WATCH, b"", self._seen[WATCH].revision))
        self._held_until = now
        return puts

    def _wake(self, now: float) -> None:
        """It was stopped: what it has not heard meanwhile says nothing about the others."""
        self._woke = now
        for one in self._seen.values():
            one.at = now
        self._under_way.clear()

    def _judge(self, now: float) -> None:
        if self.has_contact(now) and self._synced_at is not None:
            self._become(State.TOGETHER, now)
            # While it hears nothing it judges nobody.
            if self._contact is not None and now - self._contact <= self.age / 2:
                there = [
                    beat
                    for key, one in self._seen.items()
                    if key.startswith(_BASTION) and key != self.me.key
                    if (beat := _read(one, Beat)) is not None and beat.key == key
                    if now - one.at <= self._longest(beat)
                ]
                self.others = tuple(sorted(there, key=lambda beat: beat.journal))
            return
        heard = max(self._contact if self._contact is not None else self.since, self._woke)
        patience = self.age / 3 if self.state is State.JOINING else self.age
        if self.state is not State.ALONE and now - heard > patience:
            self._become(State.ALONE, now)
            self.since = heard
            self.others = ()
            self._synced_at = None

    def _become(self, state: State, now: float) -> None:
        if self.state is not state:
            self.state, self.since = state, now

    def _free(self, key: str, now: float) -> bool:
        """Nothing that was written to it is under way, or it has been for too long to wait."""
        return now - self._under_way.get(key, float("-inf")) > self.age / 3

    def _term(self, now: float) -> Put | None:
        """The renewal of the duty, or an attempt to take it."""
        if self.state is not State.TOGETHER or not self._free(WATCH, now):
            return None
        seen = self._seen.get(WATCH)
        term = _read(seen, Term)
        if term is not None and term.journal == self.me.journal:
            # Nobody can have had it in between: the store would refuse what is written on top of the own revision.
            if self.holds(now) and now < self._next_renewal:
                return None
        elif now - (seen.at if seen is not None else self._began) <= self._longest(term):
            return None  # its holder may still believe in it; also one of whom there is no trace any more
        self._next_renewal = now + self.age / 3
        self._beats += 1
        number = self.term if self.holds(now) else self.term + 1
        value = msgspec.json.encode(Term(self.me.journal, number, self._beats, self.age))
        return Put(WATCH, value, seen.revision if seen is not None else 0)

    def _longest(self, told: Beat | Term | None) -> float:
        return max(self.age, min(told.age, _LONGEST)) if told is not None else self.age

    def _put(self, put: Put, now: float) -> Put:
        self._under_way[put.key] = now
        return put

    # ------------------------------------------------------------------ what becomes of it

    def written(self, put: Put, issued: float, revision: int, now: float) -> None:
        """The store has it. `issued`: before it left."""
        self._under_way.pop(put.key, None)
        if put.key == self.me.key:
            self._own = max(self._own, revision)
            self._issued[revision] = issued
            self._echo()
        elif put.key == WATCH and not self._leaving:
            self._note(WATCH, put.value, revision, now)
            if self._seen[WATCH].revision == revision:
                self._held_until = max(self._held_until, issued + self.age * BELIEF)

    def refused(self, put: Put, value: bytes, revision: int, now: float) -> None:
        """Another revision is there: `value`, empty and 0 when there is none."""
        self._under_way.pop(put.key, None)
        if put.key == self.me.key:
            self._own, self._next_beat = revision, now
            return
        seen = self._seen.get(put.key)
        if not value and seen is not None:
            # Gone by age or by a word that is still to come. It may be taken, but not before its holder's time is over.
            seen.revision = revision
            self._next_renewal = now
            return
        self._note(put.key, value, revision, now)

    def failed(self, put: Put) -> None:
        """There was no answer; whether the store has it is not known."""
        self._under_way.pop(put.key, None)
        if put.key == self.me.key:
            self._next_beat = min(self._next_beat, self._ticked + _AGAIN)
        else:
            self._next_renewal = min(self._next_renewal, self._ticked + _AGAIN)

    def saw(self, key: str, value: bytes, revision: int, now: float) -> None:
        """A change in the bucket, or what is there when it is read anew. Empty: deleted by its writer."""
        if key == self.me.key:
            self._echoed = max(self._echoed, revision)
            self._own = max(self._own, revision)
            self._echo()
        else:
            self._note(key, value, revision, now)

    def synced(self, now: float) -> None:
        """All that is in the bucket has been passed to `saw`."""
        self._synced_at = now

    def _note(self, key: str, value: bytes, revision: int, now: float) -> None:
        seen = self._seen.get(key)
        if seen is not None and revision <= seen.revision:
            return
        self._seen[key] = _Seen(value, revision, now if value else float("-inf"))
        term = _read(self._seen[key], Term) if key == WATCH else None
        if term is not None:
            self.term = max(self.term, term.term)
            if term.journal != self.me.journal:
                self._held_until = float("-inf")

    def _echo(self) -> None:
        for revision in [one for one in self._issued if one <= self._echoed]:
            issued = self._issued.pop(revision)
            self._contact = issued if self._contact is None else max(self._contact, issued)
        for revision in sorted(self._issued)[:-_KEPT]:
            del self._issued[revision]


def _read(seen: _Seen | None, kind: type[_T]) -> _T | None:
    """What others wrote: None when it is nothing of ours."""
    if seen is None or not seen.value:
        return None
    try:
        return msgspec.json.decode(seen.value, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
