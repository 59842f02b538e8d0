"""Which message is whose to send, so that none goes out twice unnoticed. Pure.

Together, only the holder of the duty sends. Each sink has a `Ledger` in the cluster, without an age, and it is written
by compare-and-set before the first byte leaves and again when it is known what became of it. So a holder that was
stopped cannot begin another message after somebody else has taken over, and whoever takes over knows which messages may
be on their way: they are `maybe`, or go again under the same key where the platform knows a second attempt.

Alone, a bastion sends for entries of its own journal, and says so in that journal: an entry when it begins (with the
first number that the cluster has not acknowledged, which is its own from then on) and one when it is over (with the
first number that it has not sent, for each sink). The journal is in order, so whoever has the duty reads these words
before or with what they are about. Only what reached the others without an answer, in the moment of the cut, may have
gone out twice: that is marked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from incident_tui.incident.entry import Entry, Kind, Ref

ALONE: Final = "alone"
TOGETHER: Final = "together"
SAYS: Final = "apart"
"""The field of a LEASE entry's data that says which of the two."""


class Ledger(msgspec.Struct, frozen=True):
    """What is known of one sink. `done`: for each journal the last number that needs no more; `under_way`: what may
    have left, by `journal`, in this order as one message; `told`: for each journal its last word of being alone that
    was reckoned with."""

    journal: str = ""
    term: int = 0
    done: dict[str, int] = {}
    under_way: tuple[Ref, ...] = ()
    told: dict[str, int] = {}

    def claim(self, refs: Iterable[Ref]) -> Ledger:
        """Before they leave."""
        return msgspec.structs.replace(self, under_way=tuple(refs))

    def settle(self, refs: Iterable[Ref], *, done: bool) -> Ledger:
        """They have not left any more: they are done, or have to go once more."""
        past = dict(self.done)
        for ref in refs if done else ():
            past[ref.journal] = max(past.get(ref.journal, 0), ref.seq)
        return msgspec.structs.replace(self, under_way=(), done=past)


class Span(msgspec.Struct):
    """A time in which a bastion sent for itself: its entries `first` to before the first it did not send."""

    first: int
    said: int
    """The number of the entry that says so."""
    until: int | None = None
    """The number of the entry that says that it is over."""
    unsent: dict[str, int] = {}
    """For each sink, the first number not sent; what is missing here was all sent."""

    def end(self, sink: str) -> int:
        """The first number after it that is not its bastion's own to send."""
        assert self.until is not None
        return min(self.unsent.get(sink, self.until), self.until)


class Apart:
    """The spans of all journals, from their entries in the order of each journal."""

    def __init__(self) -> None:
        self._spans: dict[str, list[Span]] = {}

    def take(self, entry: Entry) -> None:
        """Anything but a word of being apart is ignored, and so is a word that makes no sense."""
        if entry.kind is not Kind.LEASE or entry.purged:
            return
        said, spans = entry.data.get(SAYS), self._spans.setdefault(entry.id.journal, [])
        running = spans[-1] if spans and spans[-1].until is None else None
        if said == ALONE and running is None:
            first = entry.data.get("first")
            spans.append(
                Span(first if isinstance(first, int) and 0 < first <= entry.id.seq else entry.id.seq, entry.id.seq)
            )
        elif said == TOGETHER and running is not None:
            running.until = entry.id.seq
            unsent = entry.data.get("unsent")
            if isinstance(unsent, dict):
                running.unsent = {
                    str(sink): max(seq, running.first) for sink, seq in unsent.items() if isinstance(seq, int)
                }

    def of(self, journal: str) -> Sequence[Span]:
        return self._spans.get(journal, ())

    def running(self, journal: str) -> Span | None:
        """The one that has not ended."""
        spans = self._spans.get(journal)
        return spans[-1] if spans and spans[-1].until is None else None


def alone_data(first: int) -> dict[str, Any]:
    """`data` of the entry that says: alone from here on. `first`: see `Span`."""
    return {SAYS: ALONE, "first": first}


def together_data(unsent: Mapping[str, int]) -> dict[str, Any]:
    """`data` of the entry that says: over. `unsent`: the first number not sent, for sinks that have any."""
    return {SAYS: TOGETHER, "unsent": dict(unsent)}


class Share(msgspec.Struct, frozen=True):
    """What the holder of the duty has to do for one sink."""

    queue: tuple[Ref, ...] = ()
    """To send, in the order of each journal."""
    twice: tuple[Ref, ...] = ()
    """Sent by somebody before it was known that its own bastion was sending, too."""
    theirs: tuple[Ref, ...] = ()
    """Its own bastion's to send: if it waits, it must not."""
    passed: dict[str, int] = {}
    """For each journal, up to where it was looked at."""
    told: dict[str, int] = {}


def share(
    sink: str,
    ledger: Ledger,
    wanted: Mapping[str, Sequence[int]],
    upto: Mapping[str, int],
    apart: Apart,
) -> Share:
    """`wanted`: for each journal the numbers that this sink gets, in order; `upto`: the last number that is here."""
    queue: list[Ref] = []
    twice: list[Ref] = []
    theirs: list[Ref] = []
    left = Ledger().settle(ledger.under_way, done=True).done
    passed: dict[str, int] = {}
    told: dict[str, int] = {}
    for journal, last in sorted(upto.items()):
        at = ledger.done.get(journal, 0)
        done = max(at, left.get(journal, 0))
        numbers = wanted.get(journal, ())
        for span in apart.of(journal):
            queue += [Ref(journal, one) for one in numbers if at < one < span.first]
            at = max(at, span.first - 1)
            if span.until is None:
                last = min(last, at)
                theirs += [Ref(journal, one) for one in numbers if one >= span.first and one > done]
                break
            end = span.end(sink)
            own = [one for one in numbers if span.first <= one < end]
            if span.said > ledger.told.get(journal, 0):
                twice += [Ref(journal, one) for one in own if one <= done]
            theirs += [Ref(journal, one) for one in own if one > done]
            at = max(at, end - 1)
            told[journal] = span.said
        queue += [Ref(journal, one) for one in numbers if at < one <= last]
        passed[journal] = max(at, last)
    return Share(tuple(queue), tuple(twice), tuple(theirs), passed, told)
