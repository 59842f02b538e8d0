"""DIR/others.db: copies of the journals of other bastions, each checked by its own chain as it comes in.
`others_file` says what is in it.

It is a file of its own so that what comes in never holds the lock that a keystroke waits for. It is precious: of a
bastion that was lost it may be the only copy. `arrival` orders rows as they became visible, so that a reader goes on
from where it was. An object is for one thread at a time.

What is refused: a record that does not close the chain (altered on its way, or at its source: named, not stored, and
the true one may still come), and a journal of which two different entries with one number both close the chain (forked:
written to in two places, such as a copy restored and used beside the original): nothing more is taken from it.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from incident_tui.incident.entry import Entry, Kind, Ref, utc
from incident_tui.journal import chain, foreign
from incident_tui.journal.chain import Head
from incident_tui.journal.connection import Guard, has_content, identity, open_for_reading
from incident_tui.journal.errors import Corrupt, JournalError, Locked, not_there
from incident_tui.journal.others_file import edition, new_edition, opened
from incident_tui.journal.place import Place, precreate
from incident_tui.journal.purge import tombstone
from incident_tui.journal.record import Record, made
from incident_tui.journal.taking import TELL, Taking, last_of, plausible

_ENTRIES: Final = (
    "SELECT r.arrival, r.journal, r.seq, coalesce(t.kept, r.body) FROM rows r"
    " LEFT JOIN tombstones t ON t.journal = r.journal AND t.seq = r.seq WHERE "
)
_RECORDS: Final = (
    "SELECT r.seq, r.commitment, r.link, r.salt, r.body, t.by_seq, t.kept FROM rows r"
    " LEFT JOIN tombstones t ON t.journal = r.journal AND t.seq = r.seq"
    " WHERE r.journal = ? AND r.seq BETWEEN ? AND ? ORDER BY r.seq LIMIT ?"
)
_ERASE: Final = (
    "UPDATE rows SET salt = zeroblob(length(salt)), body = zeroblob(length(body)) WHERE journal = ? AND seq = ?"
)
_FORGET: Final = tuple(f"DELETE FROM {table} WHERE journal = ?" for table in ("waiting", "tombstones", "journals"))
_encoder: Final = msgspec.json.Encoder(order="deterministic")


class Copy(msgspec.Struct, frozen=True):
    """What is here of another bastion's journal. `seq` and `link` are of the last entry that follows without a hole."""

    journal: str
    letter: str
    seq: int
    link: str
    told: int
    """The highest number known to exist there."""
    waiting: int
    """Records that came and wait for what is missing before them."""
    heard_at: datetime
    """When something new of it came last."""
    forked_at: int
    """The number from which it is two journals; 0 when it is one."""
    problem: str
    """The last record that was refused, as a sentence; empty when none was since."""

    @property
    def behind(self) -> int:
        return max(0, self.told - self.seq)

    @property
    def head(self) -> Head:
        return Head(self.journal, self.seq, self.link)


class Taken(msgspec.Struct, frozen=True):
    """What `take` did. `entries` are those that became visible, in order; `orders` are purges of the own journal's
    entries, ordered elsewhere; `refused` has a sentence for each record or journal that was not taken."""

    entries: tuple[Entry, ...] = ()
    orders: tuple[Entry, ...] = ()
    refused: tuple[str, ...] = ()
    purged: tuple[Ref, ...] = ()
    """Entries of copies whose text was destroyed now."""
    problems: tuple[str, ...] = ()
    """A sentence for each purge that has to wait; it is tried again by itself."""


class Others:
    """The copies in one directory, opened. `own` is the id of the journal there, of which no copy is kept."""

    def __init__(self, place: Place, own: str) -> None:
        """Makes the file when it is not there; what cannot be written is opened for reading. Raises JournalError."""
        self.path = place.others
        self.own = own
        self.place = place
        self.guard = Guard(self.path)
        self.read_only: JournalError | None = None
        """Why nothing can be taken; None when it can."""
        self._named: tuple[tuple[int, int], list[tuple[str, str]]] | None = None
        try:
            precreate(self.path)
            self.connection = opened(self.path)
            self._file = identity(self.path)
        except JournalError as error:
            if isinstance(error, Locked) or not error.transient or not has_content(self.path):
                raise
            self.read_only = error
            self.connection = open_for_reading(self.path, error, "journals")
            self._file = identity(self.path)

    # ------------------------------------------------------------------ reading

    @property
    def gone(self) -> bool:
        """The file was deleted or replaced: what is written here is lost."""
        return identity(self.path) != self._file

    def copies(self) -> list[Copy]:
        """One for each journal that was heard of, by letter."""
        with self.guard:
            rows = self.connection.execute(
                "SELECT j.journal, j.letter, coalesce(r.seq, 0), coalesce(r.link, ?), j.told, j.heard_at, j.forked_at,"
                " j.problem, (SELECT count(*) FROM waiting w WHERE w.journal = j.journal) FROM journals j"
                " LEFT JOIN rows r ON r.journal = j.journal AND r.seq ="
                " (SELECT max(seq) FROM rows m WHERE m.journal = j.journal) ORDER BY j.letter, j.journal",
                (chain.GENESIS,),
            ).fetchall()
        return [
            Copy(name, letter, seq, link.hex(), told, waiting, datetime.fromisoformat(heard), forked, problem)
            for name, letter, seq, link, told, heard, forked, problem, waiting in rows
        ]

    def read(self, after: int = 0, limit: int | None = None) -> tuple[list[Entry], int]:
        """Entries that arrived after `after`, as they became visible, and where to go on."""
        with self.guard:
            rows = self.connection.execute(
                _ENTRIES + "r.arrival > ? ORDER BY r.arrival LIMIT ?", (after, -1 if limit is None else limit)
            ).fetchall()
        return [self._entry(journal, seq, body) for _, journal, seq, body in rows], rows[-1][0] if rows else after

    def came(self, after: int, until: int) -> list[tuple[Ref, datetime]]:
        """When those arrived, by this machine's clock, that arrived after `after` up to `until`."""
        with self.guard:
            rows = self.connection.execute(
                "SELECT journal, seq, came FROM rows WHERE arrival > ? AND arrival <= ?", (after, until)
            ).fetchall()
        return [(Ref(journal, seq), datetime.fromtimestamp(came, UTC)) for journal, seq, came in rows]

    def arrivals(self) -> int:
        """The arrival number of the row that became visible last; 0 when there is none."""
        with self.guard:
            return int(self.connection.execute("SELECT coalesce(max(arrival), 0) FROM rows").fetchone()[0])

    def get(self, ref: Ref) -> Entry | None:
        with self.guard:
            row = self.connection.execute(_ENTRIES + "r.journal = ? AND r.seq = ?", (ref.journal, ref.seq)).fetchone()
        return self._entry(row[1], row[2], row[3]) if row else None

    def purged(self) -> int:
        """How many entries of copies are purged."""
        with self.guard:
            return int(self.connection.execute("SELECT count(*) FROM tombstones").fetchone()[0])

    @property
    def edition(self) -> int:
        """Another number when something that was here is not here any more, or this is another file."""
        with self.guard:
            return edition(self.connection)

    def letters(self) -> list[tuple[str, str]]:
        """Id and letter of each journal that was heard of."""
        db = self.connection
        with self.guard:
            version = (self.data_version(), db.total_changes)
            if self._named is None or self._named[0] != version:
                self._named = version, db.execute("SELECT journal, letter FROM journals").fetchall()
        return self._named[1]

    def head_at(self, journal: str, seq: int) -> Head | None:
        """As the head of that journal was when `seq` was its last number; None when that is not here."""
        with self.guard:
            row = self.connection.execute(
                "SELECT link FROM rows WHERE journal = ? AND seq = ?", (journal, seq)
            ).fetchone()
        return Head(journal, seq, row[0].hex()) if row else None

    def records(self, journal: str, first: int, last: int, limit: int = -1) -> list[Record]:
        """Records of a copy, to pass on: a bastion that both can reach carries them between two that cannot."""
        with self.guard:
            letter = self.connection.execute("SELECT letter FROM journals WHERE journal = ?", (journal,)).fetchone()
            rows = self.connection.execute(_RECORDS, (journal, first, last, limit)).fetchall()
        return [made(journal, letter[0], *row) for row in rows]

    def rows(self, journal: str, after: int, limit: int) -> list[tuple[Any, ...]]:
        """Rows of a copy as stored, for `verify`."""
        with self.guard:
            return self.connection.execute(_RECORDS, (journal, after + 1, 1 << 60, limit)).fetchall()

    def orders(self, journal: str) -> list[tuple[int, Ref]]:
        """(number of an entry of that journal, the entry that orders to purge it)."""
        with self.guard:
            rows = self.connection.execute(
                "SELECT of_seq, journal, seq FROM orders WHERE of_journal = ?", (journal,)
            ).fetchall()
        return [(of_seq, Ref(by, seq)) for of_seq, by, seq in rows]

    def missing(self, journal: str) -> list[tuple[int, int]]:
        """The numbers (first, last) known to exist there and not here, nor waiting; in order."""
        with self.guard:
            told = self.connection.execute("SELECT told FROM journals WHERE journal = ?", (journal,)).fetchone()
            have = last_of(self.connection, journal)[0]
            waiting = self.connection.execute(
                "SELECT seq FROM waiting WHERE journal = ? ORDER BY seq", (journal,)
            ).fetchall()
        found, following = [], have + 1
        for (seq,) in waiting:
            if seq > following:
                found.append((following, seq - 1))
            following = max(following, seq + 1)
        if told and told[0] >= following:
            found.append((following, told[0]))
        return found

    def data_version(self) -> int:
        """A number that changes when another connection has committed."""
        with self.guard:
            return int(self.connection.execute("PRAGMA data_version").fetchone()[0])

    # ------------------------------------------------------------------ taking in

    def tell(self, journal: str, letter: str, seq: int, now: datetime) -> None:
        """The journal exists and has entries up to `seq`: what is not here of them is missing from now on."""
        if journal == self.own or not plausible(journal, letter):
            return
        with self._transaction():
            self.connection.execute(TELL, (journal, letter, seq, utc(now).isoformat()))

    def take(self, records: Sequence[Record], now: datetime) -> Taken:
        """Check and store in one durable transaction, in any order, any of it for the second time. Raises JournalError
        when the file cannot be written; what does not fit is in `refused` and in `copies`."""
        named: dict[str, list[Record]] = {}
        for record in records:
            if record.journal != self.own:
                named.setdefault(record.journal, []).append(record)
        entries: list[Entry] = []
        refused: list[str] = []
        purged: list[Ref] = []
        with self._transaction() as db:
            for journal, of_it in named.items():
                taking = Taking(db, journal, now)
                entries += taking.run(of_it)
                refused += taking.refused
            for order in entries:
                if order.kind is Kind.PURGE and order.ref is not None:
                    purged += self._order(order.ref, order.id)
            for entry in entries:
                purged += self._ordered(entry.id)
        if purged:
            self.clean()
            gone = set(purged)
            entries = [(self.get(one.id) or one) if one.id in gone else one for one in entries]
        orders = [one for one in entries if one.kind is Kind.PURGE and one.ref and one.ref.journal == self.own]
        return Taken(tuple(entries), tuple(orders), tuple(refused), tuple(purged))

    def order(self, ref: Ref, by: Ref) -> bool:
        """Destroy text and salt of an entry of a copy, now or when it comes, by an order that the own journal holds.
        False when it is not here or was destroyed before. Raises JournalError."""
        with self._transaction():
            done = self._order(ref, by)
        if done:
            self.clean()
        return bool(done)

    def orders_of_own(self) -> list[Entry]:
        """All orders of other journals to purge an entry of the own one: to be carried out, if that was not done."""
        with self.guard:
            rows = self.connection.execute(
                "SELECT journal, seq FROM orders WHERE of_journal = ? ORDER BY of_seq", (self.own,)
            ).fetchall()
        found = [self.get(Ref(journal, seq)) for journal, seq in rows]
        return [one for one in found if one is not None]

    def carried_out(self, order: Entry) -> None:
        """An order about an entry of the own journal is done, and no more among `orders_of_own`."""
        with self.guard:
            self.connection.execute(
                "DELETE FROM orders WHERE of_journal = ? AND journal = ? AND seq = ?",
                (self.own, order.journal, order.seq),
            )

    def ordered(self, ref: Ref, by: Ref) -> bool:
        """Whether `order` was called with these."""
        with self.guard:
            found = self.connection.execute(
                "SELECT 1 FROM orders WHERE of_journal = ? AND of_seq = ? AND journal = ? AND seq = ?",
                (*_key(ref), *_key(by)),
            ).fetchone()
        return found is not None

    def order_of(self, ref: Ref) -> Entry | None:
        """The first order, in this or another copy, to purge this entry of a copy."""
        with self.guard:
            rows = self.connection.execute(
                "SELECT journal, seq FROM orders WHERE of_journal = ? AND of_seq = ?", _key(ref)
            ).fetchall()
        found = [one for journal, seq in rows if (one := self.get(Ref(journal, seq))) is not None]
        return min(found, key=lambda one: one.order, default=None)

    def clean(self) -> None:
        """Empty the write-ahead log, which still has the pages as they were. A reader may be in the way: the next purge
        or the next close of the last connection does it then."""
        with self.guard:
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def forget(self, journal: str) -> int:
        """Drop the copy of a journal, after a person has decided so; returns how many entries it had. What was ordered
        to be purged stays ordered."""
        with self._transaction() as db:
            count = db.execute("DELETE FROM rows WHERE journal = ?", (journal,)).rowcount
            new_edition(db)
            for statement in _FORGET:
                db.execute(statement, (journal,))
        return int(count)

    def close(self) -> None:
        """Never raises; closing twice is fine."""
        with contextlib.suppress(sqlite3.Error):
            self.connection.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        if self.read_only is not None:
            raise self.read_only
        if self.gone:
            raise not_there(self.path)
        db = self.connection
        with self.guard:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):  # SQLite may have rolled back by itself
                    if db.in_transaction:
                        db.execute("ROLLBACK")
                raise

    def _order(self, ref: Ref, by: Ref) -> list[Ref]:
        self.connection.execute(
            "INSERT OR IGNORE INTO orders VALUES (?, ?, ?, ?)", (ref.journal, ref.seq, by.journal, by.seq)
        )
        return self._erase(ref, by)

    def _ordered(self, ref: Ref) -> list[Ref]:
        """Carry out the orders about this entry that were here before it was."""
        rows = self.connection.execute(
            "SELECT journal, seq FROM orders WHERE of_journal = ? AND of_seq = ?", (ref.journal, ref.seq)
        ).fetchall()
        return [one for journal, seq in rows for one in self._erase(ref, Ref(journal, seq))]

    def _erase(self, ref: Ref, order: Ref) -> list[Ref]:
        """The entry, when it had a text until now."""
        db = self.connection
        row = db.execute(_ENTRIES + "r.journal = ? AND r.seq = ?", (ref.journal, ref.seq)).fetchone()
        if row is None:
            return []
        entry = self._entry(row[1], row[2], row[3])
        by = order.seq if order.journal == ref.journal else 0
        if entry.purged:  # perhaps by another's order, and this is the journal's own
            db.execute("UPDATE tombstones SET by_seq = max(by_seq, ?) WHERE journal = ? AND seq = ?", (by, *_key(ref)))
            return []
        db.execute("INSERT INTO tombstones VALUES (?, ?, ?, ?)", (*_key(ref), by, _encoder.encode(tombstone(entry))))
        db.execute(_ERASE, _key(ref))
        return [ref]

    def _entry(self, journal: str, seq: int, body: bytes) -> Entry:
        try:
            return foreign.read(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Corrupt(f"entry {seq} of the copy of {journal} in {self.path} is damaged ({error}).") from None


def _key(ref: Ref) -> tuple[str, int]:
    return ref.journal, ref.seq
