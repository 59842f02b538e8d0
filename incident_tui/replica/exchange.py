"""Two journals exchange what one of them lacks. Pure: bytes in, bytes out; what is kept is behind `Shelf`.

Both sides do the same. Each says what it has (`Hello`); then each sends, of its own journal and of its copies, what the
other lacks, so that a bastion which both can reach carries entries between two that cannot. A piece is acknowledged
when it is durable; only a few are on their way at once. Whoever has nothing left to send says `Done`; when both have,
they agree. Entries that come later are sent at once (`news`). A cut in the middle leaves what was acknowledged: the
next exchange goes on from there.

The own journal is never taken from elsewhere, with one exception: when it was restored from an older copy, and a person
said so (`recover`), what others still have of it comes back.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from incident_tui.journal.errors import JournalError
from incident_tui.journal.record import Record
from incident_tui.replica.frames import (
    ASKS,
    SERVES,
    Ack,
    Bye,
    Differs,
    Done,
    ExchangeError,
    Frame,
    Held,
    Hello,
    Ping,
    Pong,
    Records,
    Unpacker,
    Wish,
    opening,
    pack,
)
from incident_tui.text import sanitise

PIECE: Final = 256
"""Records of one piece, at most."""
PIECE_BYTES: Final = 1 << 18
"""A piece ends with the record that passes this."""
ON_THEIR_WAY: Final = 4
"""Pieces that may be sent and not acknowledged: what the other side must hold, whatever its disk does."""
_NOTICES: Final = 50


class Took(msgspec.Struct, frozen=True):
    """How far a journal is durable now, and a sentence for each thing that was refused."""

    seq: int
    refused: tuple[str, ...] = ()


class Shelf(Protocol):
    """A journal and its copies, as an exchange sees them. Everything may raise JournalError."""

    def held(self) -> Sequence[Held]:
        """The own journal first, then each copy."""

    def link_at(self, journal: str, seq: int) -> bytes | None: ...

    def records(self, journal: str, first: int, last: int, limit: int) -> Sequence[Record]: ...

    def take(self, records: Sequence[Record]) -> Took:
        """Of one journal that is not the own one; durable when it returns."""

    def recover(self, records: Sequence[Record]) -> Took:
        """Of the own journal, following its last entry."""

    def tell(self, held: Sequence[Held]) -> None:
        """These numbers are known to exist elsewhere."""


class Exchanged(msgspec.Struct):
    """What an exchange has done so far. Counts are by journal id."""

    sent: Counter[str] = msgspec.field(default_factory=Counter)
    got: Counter[str] = msgspec.field(default_factory=Counter)
    recovered: int = 0
    problems: list[str] = msgspec.field(default_factory=list)
    """A sentence for each thing that is wrong and needs a person; none when all went well."""
    notices: list[str] = msgspec.field(default_factory=list)
    """What is worth a word and does no harm."""
    lacking: int = 0
    """So many of the own journal's entries are there and not here: it was restored from an older copy."""


class Side:
    """One side of an exchange. `name` is what sentences call the other one."""

    def __init__(self, shelf: Shelf, name: str, version: str, *, serves: bool, recover: bool = False) -> None:
        self._shelf = shelf
        self._name = name
        self._version = version
        self._serves = serves
        self._recover = recover
        self._unpacker = Unpacker(ASKS if serves else SERVES, name, version)
        self._mine: dict[str, Held] = {}
        self._own = ""
        self._theirs: dict[str, Held] = {}
        self._their_own = ""
        self._sent: dict[str, int] = {}
        """Up to where each journal is there, or on its way."""
        self._wished_to = 0
        """Up to where they asked for their own journal."""
        self._stopped: set[str] = set()
        """Journals of which nothing more is sent to them."""
        self._waited: deque[tuple[str, int]] = deque()
        """Pieces without an answer yet: journal and last number."""
        self._said_done = False
        self._heard_done = False
        self._asked = 0
        """`Differs` and `Wish` that were sent; a `Done` from before they came says nothing."""
        self._answered = 0
        self.over = False
        """The other side ended it, all being done."""
        self.done = Exchanged()

    @property
    def settled(self) -> bool:
        """Each side has what the other has, as far as it can be had, and has said so."""
        return self._said_done and self._heard_done

    @property
    def waits(self) -> bool:
        """An answer is due: the other side has not said who it is, or has not acknowledged, or may still send."""
        return not self._their_own or bool(self._waited) or not self._heard_done

    @property
    def begun(self) -> bool:
        return self._unpacker.begun

    @property
    def noise(self) -> bytes:
        """What the login there printed before the exchange."""
        return self._unpacker.noise

    @property
    def said(self) -> str:
        """What came in place of an exchange, for a sentence."""
        return self._unpacker.said()

    @property
    def their_letter(self) -> str:
        return self._theirs[self._their_own].letter if self._their_own else ""

    # ------------------------------------------------------------------ what is sent

    def begin(self) -> bytes:
        """What to send first. Raises JournalError."""
        self._look()
        own, *copies = self._mine.values()
        hello = Hello(own, tuple(copies))
        return opening(SERVES if self._serves else ASKS, self._version) + pack(hello)

    def news(self) -> bytes:
        """What to send when something may be new here. Raises JournalError."""
        if not self._their_own:
            return b""
        self._look()
        return self._pump()

    def ping(self) -> bytes:
        return pack(Ping())

    def bye(self, sentence: str = "") -> bytes:
        """The last thing to send; `sentence` says why it is not because all is done."""
        start = b"" if self._mine else opening(SERVES if self._serves else ASKS, self._version)
        return start + pack(Bye(sentence))

    def _look(self) -> None:
        held = self._shelf.held()
        self._own = held[0].journal
        self._mine = {one.journal: one for one in held}

    def _pump(self) -> bytes:
        out = bytearray()
        for journal, held in self._mine.items():
            if journal in self._stopped:
                continue
            last = held.forked_at - 1 if held.forked_at else held.seq
            if journal == self._their_own:
                last = min(last, self._wished_to)
            while len(self._waited) < ON_THEIR_WAY and (piece := self._piece(journal, last)):
                out += pack(Records(tuple(piece)))
                self._sent[journal] = piece[-1].seq
                self._waited.append((journal, piece[-1].seq))
                self._said_done = False
        if not self._waited and not self._said_done:
            self._said_done = True
            out += pack(Done(self._answered))
        return bytes(out)

    def _piece(self, journal: str, last: int) -> list[Record]:
        after = self._sent.get(journal, 0)
        if after >= last:
            return []
        size, piece = 0, []
        for record in self._shelf.records(journal, after + 1, last, PIECE):
            size += len(record.body) + len(record.kept) + 200
            piece.append(record)
            if size > PIECE_BYTES:
                break
        return piece

    # ------------------------------------------------------------------ what comes

    def feed(self, data: bytes) -> bytes:
        """What to answer. Raises ExchangeError when it cannot go on, JournalError when nothing can be read here."""
        self._unpacker.feed(data)
        out = bytearray()
        while not self.over and (frame := self._unpacker.next()) is not None:
            out += self._answer(frame)
        return bytes(out)

    def _answer(self, frame: Frame) -> bytes:
        if isinstance(frame, Bye):
            if frame.sentence:
                raise ExchangeError(f"{self._name} says: {sanitise(frame.sentence, limit=400)}")
            self.over = True
            return b""
        if isinstance(frame, Hello) != (not self._their_own):
            raise ExchangeError(f"{self._name} does not keep to the order of an exchange.")
        if isinstance(frame, Hello):
            return self._greet(frame) + self._pump()
        if isinstance(frame, Records):
            return self._take(frame.records) + self._pump()
        if isinstance(frame, Ack):
            self._acknowledged(frame)
            return self._pump()
        if isinstance(frame, Done):
            self._heard_done = frame.asks >= self._asked
        elif isinstance(frame, Differs | Wish):
            self._answered += 1
            self._said_done = False
            if isinstance(frame, Wish):
                self._wished(frame)
            elif frame.journal in self._mine:
                self._differs(frame.journal, frame.seq)
            return self._pump()
        elif isinstance(frame, Ping):
            return pack(Pong())
        return b""

    def _greet(self, hello: Hello) -> bytes:
        own, theirs = self._mine[self._own], hello.own
        if theirs.journal == self._own:
            raise ExchangeError(
                f"{self._name} has this same journal ({self._own}): its directory was copied, or it is this very one. "
                "Each bastion needs a journal of its own: on the one that was added, move the directory's journal.db "
                "away, then sync again."
            )
        if theirs.letter == own.letter:
            self.done.notices.append(
                f"{self._name} has the letter {own.letter} as this journal has: handles show digits of the journal's "
                "id. Give a new bastion a [journal] letter of its own before its first entry."
            )
        self._their_own = theirs.journal
        self._theirs = {one.journal: one for one in (theirs, *hello.copies)}
        try:
            self._shelf.tell([one for one in self._theirs.values() if one.journal != self._own])
        except JournalError as error:  # what is here can still be sent
            self._problem(f"not saved: {error.sentence}")
        out = b""
        for journal, held in self._theirs.items():
            if journal != self._their_own:
                self._sent[journal] = held.seq
            out += self._compare_heads(self._mine.get(journal), held)
        return out

    def _compare_heads(self, mine: Held | None, theirs: Held) -> bytes:
        """Whoever has more looks whether both are the same up to where the other ends."""
        journal, own = theirs.journal, theirs.journal == self._own
        if theirs.forked_at:
            self._stopped.add(journal)
            self._problem(
                f"{self._name} takes nothing more of {_named(theirs)}: it forked there at {theirs.letter}"
                f"{theirs.forked_at}. There, `incident-tui replica forget {journal}` drops that copy."
            )
            return b""
        if mine is None:
            return b""
        if theirs.seq > mine.seq:
            return self._lacking(mine, theirs) if own else b""
        if theirs.seq and self._shelf.link_at(journal, theirs.seq) != theirs.link:
            self._differs(journal, theirs.seq)
            return self._ask(Differs(journal, theirs.seq))
        return b""

    def _lacking(self, mine: Held, theirs: Held) -> bytes:
        """They have more of the own journal than is here."""
        self.done.lacking = theirs.seq - mine.seq
        if self._recover:
            return self._ask(Wish(mine.seq))
        self._stopped.add(self._own)
        self._problem(
            f"{self._name} has {theirs.letter}{mine.seq + 1} to {theirs.letter}{theirs.seq} of this very journal, "
            "which are not here: it was restored from an older copy. Write nothing here until `incident-tui sync "
            f"{self._name} --recover` has brought them back."
        )
        return b""

    def _ask(self, frame: Differs | Wish) -> bytes:
        self._asked += 1
        return pack(frame)

    def _wished(self, frame: Wish) -> None:
        held = self._mine.get(self._their_own)
        if held is not None:
            self._sent[self._their_own] = frame.seq
            self._wished_to = held.seq

    def _differs(self, journal: str, seq: int) -> None:
        """Both have an entry `seq` of it, and not the same: all of it is sent, so that each finds where it forked."""
        held = self._mine[journal]
        if journal == self._own:
            self._problem(
                f"{self._name} has another {held.letter}{seq} of this very journal: it was written to in two places, "
                f"as after restoring an older copy. Nothing of it is taken there any more. Move the journal's "
                "directory away, begin a new journal, and sync: what is only in the old one can be read there."
            )
        else:
            self._problem(f"{self._name} has another {held.letter}{seq} of {_named(held)} than is here.")
        if journal != self._their_own:
            self._sent[journal] = 0

    def _take(self, records: Sequence[Record]) -> bytes:
        journal = records[0].journal
        if any(one.journal != journal for one in records):
            raise ExchangeError(f"{self._name} mixed journals in one piece, which no incident-tui does.")
        self._heard_done = False
        own = journal == self._own
        if own and not self._recover:
            raise ExchangeError(f"{self._name} sent entries of this very journal, which nobody asked for.")
        had = self._mine[journal].seq if journal in self._mine else 0
        try:
            took = self._shelf.recover(records) if own else self._shelf.take(records)
        except JournalError as error:
            self._problem(f"not saved: {error.sentence}")
            return pack(Ack(journal, had, f"not saved there: {error.sentence}"))
        self._look()
        new = max(0, took.seq - had)
        if own:
            self.done.recovered += new
            self.done.lacking = max(0, self.done.lacking - new)
        elif new:
            self.done.got[journal] += new
        self._sent[journal] = max(self._sent.get(journal, 0), min(took.seq, records[-1].seq))
        for sentence in took.refused:
            self._problem(sentence)
        return pack(Ack(journal, took.seq, "; ".join(took.refused)[:400]))

    def _acknowledged(self, ack: Ack) -> None:
        if not self._waited or self._waited[0][0] != ack.journal:
            raise ExchangeError(f"{self._name} acknowledged what was not sent.")
        journal, last = self._waited.popleft()
        before = self._theirs[journal].seq if journal in self._theirs else 0
        self.done.sent[journal] += max(0, min(ack.seq, last) - before)
        if journal in self._theirs:
            held = self._theirs[journal]
            self._theirs[journal] = msgspec.structs.replace(held, seq=max(held.seq, ack.seq))
        else:
            mine = self._mine[journal]
            self._theirs[journal] = Held(journal, mine.letter, ack.seq, mine.link, ack.seq)
        if ack.seq < last or ack.problem:
            self._stopped.add(journal)
            why = sanitise(ack.problem, limit=400) or "it does not say why"
            self._problem(f"{self._name} did not take {self._mine[journal].letter}{ack.seq + 1}: {why}")

    def _problem(self, sentence: str) -> None:
        if sentence not in self.done.problems and len(self.done.problems) < _NOTICES:
            self.done.problems.append(sentence)


def _named(held: Held) -> str:
    return f"journal {held.letter} ({held.journal})"
