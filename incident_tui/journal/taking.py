"""Records of one journal as they come in: which close its chain, which come early, which are refused and why."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from incident_tui.incident.entry import Entry, utc
from incident_tui.journal import chain, foreign
from incident_tui.journal.record import LONGEST, Record, decode, encode
from incident_tui.text import sanitise

MOST_WAITING: Final = 50_000
"""Records that wait for what is missing before them, of one journal; more are not kept and come again."""

TELL: Final = (
    "INSERT INTO journals VALUES (?, ?, ?, ?, 0, '') ON CONFLICT(journal) DO UPDATE SET"
    " heard_at = CASE WHEN excluded.told > told THEN excluded.heard_at ELSE heard_at END,"
    " told = max(told, excluded.told)"
)


class Taking:
    """Records of one journal, inside a transaction: what closes the chain becomes a row, what is early waits."""

    def __init__(self, db: sqlite3.Connection, journal: str, now: datetime) -> None:
        self._db = db
        self._journal = journal
        self._now, self._came = utc(now).isoformat(), now.timestamp()
        self.refused: list[str] = []

    def run(self, records: Sequence[Record]) -> list[Entry]:
        """The entries that became visible."""
        records = sorted(records, key=lambda one: one.seq)
        letter = records[0].letter
        if not plausible(self._journal, letter) or records[0].seq < 1:
            self.refused.append(
                f"{self._journal[:40]!r} with the letter {letter[:8]!r} is no journal, or has an entry before its "
                "first: not taken."
            )
            return []
        self._db.execute(TELL, (self._journal, letter, 0, self._now))
        forked = self._db.execute("SELECT forked_at FROM journals WHERE journal = ?", (self._journal,)).fetchone()[0]
        if forked:
            self._refuse(_forked(records[0].letter, self._journal, forked))
            return []
        seq, link = last_of(self._db, self._journal)
        entries: list[Entry] = []
        for record in records:
            if record.seq <= seq:
                if not self._same(record):
                    break
            elif record.seq > seq + 1:
                self._wait(record, seq)
            elif (entry := self._checked(record, link)) is not None:
                entries.append(self._store(record, entry))
                seq, link = record.seq, record.link
        while (follows := self._waited(seq + 1)) is not None:
            entry = self._checked(follows, link)
            if entry is None:
                break
            entries.append(self._store(follows, entry))
            seq, link = follows.seq, follows.link
        told = max(seq, max(one.seq for one in records) if not self.refused else seq)
        self._db.execute(TELL, (self._journal, letter, told, self._now))
        if entries and not self.refused:
            self._db.execute("UPDATE journals SET problem = '' WHERE journal = ?", (self._journal,))
        return entries

    def _checked(self, record: Record, previous: bytes) -> Entry | None:
        """The entry, when the record closes the chain after `previous`; else it is refused."""
        problem = problem_of(record, previous)
        if isinstance(problem, Entry):
            return problem
        self._refuse(f"entry {record.letter}{record.seq} of {self._journal} was not taken: {problem}")
        return None

    def _store(self, record: Record, entry: Entry) -> Entry:
        salt, body = (bytes(chain.SALT_BYTES), bytes(record.length)) if record.purged else (record.salt, record.body)
        self._db.execute(
            "INSERT INTO rows(journal, seq, commitment, link, salt, body, came) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (record.journal, record.seq, record.commitment, record.link, salt, body, self._came),
        )
        if record.purged:
            tombstone = (record.journal, record.seq, record.by, record.kept)
            self._db.execute("INSERT INTO tombstones VALUES (?, ?, ?, ?)", tombstone)
        return entry

    def _same(self, record: Record) -> bool:
        """Whether what is here already is this. A fork is one only when the other entry closes the chain as well:
        what was altered on its way does not."""
        key = (self._journal, record.seq)
        (link,) = self._db.execute("SELECT link FROM rows WHERE journal = ? AND seq = ?", key).fetchone()
        if link == record.link:
            return True
        before = self._db.execute(
            "SELECT link FROM rows WHERE journal = ? AND seq = ?", (self._journal, record.seq - 1)
        ).fetchone()
        if isinstance(problem_of(record, before[0] if before else chain.GENESIS), Entry):
            self._db.execute("UPDATE journals SET forked_at = ? WHERE journal = ?", (record.seq, self._journal))
            self._refuse(_forked(record.letter, self._journal, record.seq))
        else:
            self._refuse(
                f"entry {record.letter}{record.seq} of {self._journal} came a second time and differs: it was altered "
                "on its way or follows an earlier fork. What is here was kept."
            )
        return False

    def _wait(self, record: Record, seq: int) -> None:
        if record.seq - seq <= MOST_WAITING:
            self._db.execute(
                "INSERT OR REPLACE INTO waiting VALUES (?, ?, ?)", (self._journal, record.seq, encode(record))
            )

    def _waited(self, seq: int) -> Record | None:
        """Takes it out: if it does not fit now, the true one must be asked for again."""
        row = self._db.execute(
            "SELECT record FROM waiting WHERE journal = ? AND seq = ?", (self._journal, seq)
        ).fetchone()
        self._db.execute("DELETE FROM waiting WHERE journal = ? AND seq <= ?", (self._journal, seq))
        return decode(row[0]) if row else None

    def _refuse(self, sentence: str) -> None:
        self.refused.append(sentence)
        self._db.execute("UPDATE journals SET problem = ? WHERE journal = ?", (sentence, self._journal))


def last_of(db: sqlite3.Connection, journal: str) -> tuple[int, bytes]:
    """Number and link of the last entry of a copy; 0 and zeros when there is none."""
    row = db.execute("SELECT seq, link FROM rows WHERE journal = ? ORDER BY seq DESC LIMIT 1", (journal,)).fetchone()
    return row if row is not None else (0, chain.GENESIS)


def plausible(journal: str, letter: str) -> bool:
    """Whether these can be the id and the letter of a journal."""
    return (
        len(journal) == 16 and not set(journal) - set("0123456789abcdef") and len(letter) == 1 and "a" <= letter <= "z"
    )


def problem_of(record: Record, previous: bytes) -> Entry | str:
    """The entry of a record that closes the chain after `previous`, or what is wrong with it."""
    if (
        len(record.commitment) != 32
        or chain.link(previous, record.journal, record.seq, record.commitment) != record.link
    ):
        return "it does not fit to the one before; one of them was altered."
    if not record.purged and chain.commitment(record.salt, record.body) != record.commitment:
        return "its text is not what its chain says."
    if record.purged and (record.length > LONGEST or record.salt or record.body):
        return "it says it was purged and has a text."
    try:
        entry = foreign.read(record.kept if record.purged else record.body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return f"it cannot be read ({sanitise(str(error), limit=120)})."
    if entry.journal != record.journal or entry.seq != record.seq or entry.purged != record.purged:
        return f"it says it is number {entry.seq} of journal {entry.journal[:40]}."
    return entry


def _forked(letter: str, journal: str, seq: int) -> str:
    return (
        f"journal {letter} ({journal}) forked at {letter}{seq}: there are two different entries of that number, so it "
        f"was written to in two places. Nothing more is taken from it. `incident-tui replica forget {journal}` "
        "drops the copy, to take it anew from the bastion you trust."
    )
