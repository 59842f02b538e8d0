"""Checking a journal against its chain. What that proves is `chain.PROMISE`, no more."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import msgspec

from incident_tui.incident.entry import Entry, Kind
from incident_tui.incident.numbers import archived
from incident_tui.journal import chain
from incident_tui.journal.chain import HEAD_DIGITS, Head, Problem, Verdict
from incident_tui.journal.errors import JournalError, from_sqlite

if TYPE_CHECKING:
    from incident_tui.journal.others import Copy, Others
    from incident_tui.journal.store import Store

_BATCH: Final = 2000
_ROWS: Final = (
    "SELECT e.seq, e.commitment, e.link, e.salt, e.body, t.by_seq, t.kept"
    " FROM entries e LEFT JOIN tombstones t ON t.seq = e.seq WHERE e.seq > ? ORDER BY e.seq LIMIT ?"
)
_decoder = msgspec.json.Decoder(Entry)


def verify(store: Store, heads: Iterable[Head]) -> Verdict:
    """Read all entries in batches, with no transaction held between them, and name everything that does not fit."""
    check = _Check(store.journal)
    for head in heads:
        check.expect(head)
    db = store.connection
    try:
        for (line,) in db.execute("PRAGMA quick_check(5)").fetchall():
            if line != "ok":
                check.problem(0, f"the database itself is damaged: {line}.")
        while rows := db.execute(_ROWS, (check.seq, _BATCH)).fetchall():
            for row in rows:
                check.row(*row)
        check.finish(db.execute("SELECT coalesce(max(seq + count - 1), 0) FROM keys").fetchone()[0])
    except sqlite3.Error as error:
        check.problem(check.seq, f"reading stopped after entry {check.seq}: {from_sqlite(error, store.path).sentence}")
    return check.verdict()


def verify_copies(store: Store, heads: Iterable[Head]) -> list[tuple[Copy, Verdict]]:
    """As `verify`, of each copy of another bastion's journal, against its own chain and those of `heads` that are its.
    Raises JournalError when they cannot be read; when they cannot be opened, `Store.others_problem` says so."""
    if store.others is None:
        return []
    known = list(heads)
    return [(copy, _copy(store, store.others, copy.journal, known)) for copy in store.others.copies()]


def _copy(store: Store, others: Others, journal: str, heads: list[Head]) -> Verdict:
    check = _Check(journal, growing=True)
    for head in heads:
        if head.journal == journal:
            check.expect(head)
    for seq, by in others.orders(journal):
        order = store.get(by)
        if by.journal != journal and order is not None:
            check.elsewhere.setdefault(seq, set()).add(str(order.data.get("tombstone", "")))
    try:
        while rows := others.rows(journal, check.seq, _BATCH):
            for row in rows:
                check.row(*row)
        check.finish(check.seq)
    except JournalError as error:
        check.problem(check.seq, f"reading stopped after entry {check.seq}: {error.sentence}")
    return check.verdict()


Row = tuple[int, bytes, bytes, bytes, bytes, int | None, bytes | None]
"""seq, commitment, link, salt, body, and of a purged entry: who ordered it, what was kept."""


def verify_rows(journal: str, rows: Iterable[Row], heads: Iterable[Head], last: int) -> Verdict:
    """As `verify`, of rows that are in no file yet. `last` is the highest number that their keys know."""
    check = _Check(journal)
    for head in heads:
        check.expect(head)
    for row in rows:
        check.row(*row)
    check.finish(last)
    return check.verdict()


class _Check:
    """The state of one walk along the chain."""

    def __init__(self, journal: str, growing: bool = False) -> None:
        self.journal = journal
        self.growing = growing
        """It is a copy: an order of its own journal may not have come yet."""
        self.seq = 0
        self.count = 0
        self.link = chain.GENESIS
        self.problems: list[Problem] = []
        self.heads: dict[int, list[Head]] = {}
        self.heads_checked = 0
        self.archived: set[int] = set()
        self.purged: dict[int, tuple[int, str]] = {}  # seq -> who ordered it, fingerprint of what was kept
        self.orders: dict[int, tuple[int, tuple[str, ...]]] = {}  # seq -> the PURGE entry, the fingerprints it carries
        self.away: dict[int, tuple[list[int], str]] = {}  # ARCHIVE entry -> seqs, the digest it carries
        self.elsewhere: dict[int, set[str]] = {}  # seq -> the fingerprints that orders in other journals carry

    def problem(self, seq: int, sentence: str) -> None:
        self.problems.append(Problem(seq, sentence))

    def expect(self, head: Head) -> None:
        if head.journal != self.journal:
            self.problem(0, f"the head {head} is of another journal; this one is {self.journal}.")
        elif len(head.hash) < HEAD_DIGITS:
            self.problem(head.seq, f"the head {head} has fewer than {HEAD_DIGITS} digits and proves nothing.")
        else:
            self.heads.setdefault(head.seq, []).append(head)
            self.heads_checked += 1
            if head.seq == 0:
                self._heads(0)

    def row(
        self, seq: int, committed: bytes, link: bytes, salt: bytes, body: bytes, by: int | None, kept: bytes | None
    ) -> None:
        if seq != self.seq + 1:
            missing = f"entry {self.seq + 1} is" if seq == self.seq + 2 else f"entries {self.seq + 1} to {seq - 1} are"
            self.problem(self.seq + 1, f"{missing} missing.")
        for value in (committed, link, salt, body, b"" if kept is None else kept):
            if not isinstance(value, bytes):
                self.problem(seq, f"entry {seq} was altered: a field of it is not stored as bytes.")
                self._next(seq, link if isinstance(link, bytes) else bytes(32))
                return
        if chain.link(self.link, self.journal, seq, committed) != link:
            self.problem(seq, f"entry {seq} does not fit to the one before: one of them was altered, moved or removed.")
        if kept is None:
            self._whole(seq, committed, salt, body)
        else:
            self._purged(seq, salt, body, by or 0, kept)
        self._next(seq, link)

    def _next(self, seq: int, link: bytes) -> None:
        self.seq, self.link = seq, link
        self.count += 1
        self._heads(seq)

    def _heads(self, seq: int) -> None:
        for head in self.heads.pop(seq, []):
            if not self.link.hex().startswith(head.hash.lower()):
                self.problem(seq, f"entry {seq} or one before it was rewritten: the recorded head is {head.hash[:16]}…")

    def _whole(self, seq: int, committed: bytes, salt: bytes, body: bytes) -> None:
        if not any(body):
            self.problem(seq, f"entry {seq} was emptied without an order to purge it.")
            return
        if chain.commitment(salt, body) != committed:
            self.problem(seq, f"entry {seq} was altered or damaged after it was stored.")
            return
        entry = self._decode(seq, body)
        if entry is not None and (entry.journal != self.journal or entry.seq != seq):
            self.problem(seq, f"entry {seq} says it is number {entry.seq} of journal {entry.journal}.")

    def _purged(self, seq: int, salt: bytes, body: bytes, by: int, kept: bytes) -> None:
        self.purged[seq] = (by, chain.fingerprint(kept))
        if any(salt) or any(body):
            self.problem(seq, f"entry {seq} is marked as purged, but its text is still there. Purge it again.")
        entry = self._decode(seq, kept)
        if entry is not None and (entry.seq != seq or not entry.purged):
            self.problem(seq, f"what was kept of the purged entry {seq} is of another entry.")

    def _decode(self, seq: int, body: bytes) -> Entry | None:
        try:
            entry = _decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self.problem(seq, f"entry {seq} cannot be read: {error}.")
            return None
        if entry.kind is Kind.PURGE and entry.ref is not None and entry.ref.journal == self.journal:
            prints = tuple(str(entry.data[name]) for name in ("tombstone", "plain") if name in entry.data)
            self.orders.setdefault(entry.ref.seq, (seq, prints))
        if entry.kind is Kind.ARCHIVE and entry.data.get("step") == "out":
            self.away[seq] = (archived(entry), str(entry.data.get("tombstones", "")))
        return entry

    def finish(self, last_acknowledged: int) -> None:
        """After the last row; `last_acknowledged` is the highest number the table of keys knows."""
        if last_acknowledged > self.seq:
            self.problem(
                self.seq + 1, f"entries {self.seq + 1} to {last_acknowledged} were stored once and are missing."
            )
        for seq in sorted(self.heads):
            if seq > self.seq:
                self.problem(
                    seq, f"the journal ends at entry {self.seq}, but a head of entry {seq} was recorded: it was cut."
                )
            else:
                self.problem(seq, f"entry {seq}, whose head was recorded, is missing.")
        self._archives()
        for seq, (by, fingerprint) in self.purged.items():
            order, prints = self.orders.get(seq, (0, ()))
            told = (order == by and fingerprint in prints) or fingerprint in self.elsewhere.get(seq, ())
            if not told and seq not in self.archived and not (self.growing and by > self.seq):
                self.problem(
                    seq, f"entry {seq} was purged, but the order to do so is missing or does not fit what is left."
                )
        for seq in {**self.orders, **self.elsewhere}:
            if seq in self.archived and not self.growing:
                self.problem(seq, f"entry {seq} should have been purged by order, but is in an archive.")
            if seq not in self.purged and seq <= self.seq:
                who = f"entry {self.orders[seq][0]}" if seq in self.orders else "another journal"
                self.problem(seq, f"entry {seq} should have been purged by order of {who}, but is still there.")

    def _archives(self) -> None:
        """Which entries are in archive files, by an order that covers what was kept of them. One that was purged
        besides counts as purged; of what came back nothing is left to check."""
        for order, (seqs, digest) in self.away.items():
            here = [seq for seq in seqs if self.purged.get(seq, (0, ""))[0] == order]
            prints = "".join(self.purged[seq][1] for seq in seqs if seq in self.purged)
            part = self.growing and not all(seq in self.purged for seq in seqs)  # of a copy, what came before it left
            if here and not part and chain.fingerprint(prints.encode()) != digest:
                self.problem(order, f"what is left of the entries that entry {order} put away does not fit to it.")
            else:
                self.archived.update(here)

    def verdict(self) -> Verdict:
        return Verdict(
            Head(self.journal, self.seq, self.link.hex()),
            self.count,
            tuple(sorted(self.problems, key=lambda problem: problem.seq)),
            tuple(seq for seq in self.purged if seq not in self.archived),
            tuple(sorted(self.archived)),
            self.heads_checked,
        )
