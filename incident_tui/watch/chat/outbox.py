"""The durable outbox: which entry still has to reach which sink. SQLite in the journal's directory.

It holds references, never text: what is sent is composed from the journal at that moment, so that a purge reaches
what was waiting, and a credential typed by mistake lies in one place only. States of a message:

    waiting -> sending -> sent
                       -> accepted (the platform will see to it, and does not say whether it did)
                       -> waiting  (not delivered: it is tried again, in order)
                       -> maybe    (a timeout or a crash left open whether it arrived; sent again by a person's word
                                    only. Where the platform knows a second attempt from a second message, it waits)
                       -> dead     (refused for good by the platform; a person may have it tried again)
    waiting -> dropped             (the entry was purged or struck before it was sent)

Messages that went out as one have the same `batch`, and keep it until it is certain that the platform has none of them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from incident_tui.incident.entry import Ref
from incident_tui.watch.rows import ChatRow, Delivery
from incident_tui.watch.shared_db import open_shared

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS cursors(sink TEXT NOT NULL, journal TEXT NOT NULL, seq INTEGER NOT NULL,
    PRIMARY KEY(sink, journal)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS messages(id INTEGER PRIMARY KEY, sink TEXT NOT NULL, journal TEXT NOT NULL,
    seq INTEGER NOT NULL, state TEXT NOT NULL, queued REAL NOT NULL, sent REAL, attempts INTEGER NOT NULL DEFAULT 0,
    next REAL NOT NULL DEFAULT 0, problem TEXT NOT NULL DEFAULT '', UNIQUE(sink, journal, seq));
CREATE INDEX IF NOT EXISTS open_messages ON messages(sink, id) WHERE state IN ('waiting', 'sending');
CREATE TABLE IF NOT EXISTS threads(sink TEXT NOT NULL, incident TEXT NOT NULL, root TEXT NOT NULL,
    PRIMARY KEY(sink, incident)) WITHOUT ROWID;
"""
_LATER_COLUMNS: Final = ("batch INTEGER", "remote TEXT NOT NULL DEFAULT ''", "asked INTEGER NOT NULL DEFAULT 0")
"""Columns that outboxes of earlier versions lack."""
SHOWN: Final = 30
"""How many deliveries a ChatRow carries: the latest, and as many of the oldest that are not well."""
KEPT: Final = timedelta(days=400)
"""What was sent longer ago is forgotten. A report says of each update where it went, also months later."""
TEST: Final = "test"
"""The journal of a test message's reference: no journal has this name."""


def _prepare(db: sqlite3.Connection) -> None:
    db.executescript(_SCHEMA)
    known = {str(column[1]) for column in db.execute("PRAGMA table_info(messages)")}
    for column in _LATER_COLUMNS:
        if column.split()[0] not in known:
            db.execute(f"ALTER TABLE messages ADD COLUMN {column}")


class Message(msgspec.Struct, frozen=True):
    """One that waits for a sink. `batch` is None when it may go out with any others."""

    id: int
    ref: Ref
    attempts: int
    next_try: datetime
    queued: datetime
    batch: int | None = None


class Outbox:
    """One outbox. For one thread; every change is committed and fsynced before the method returns.

    The file is opened when it is first needed. Every method raises sqlite3.Error while it cannot be used (locked, full
    disk), having changed nothing; the caller tries again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: sqlite3.Connection | None = None
        self._rows: dict[str, tuple[int, ChatRow]] = {}

    @property
    def _db(self) -> sqlite3.Connection:
        if self._opened is None:
            self._opened = open_shared(self._path, "FULL", _prepare)
        return self._opened

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()

    def recover(self, idempotent: Iterable[str], now: datetime) -> int:
        """After a start: what was being sent when the last watch died is `maybe`; for the sinks named it waits, to be
        sent again under the same key. What is long over is forgotten. Returns how many were being sent."""
        again = sorted(idempotent)
        db = self._db
        found = db.execute(
            f"UPDATE messages SET state=CASE WHEN sink IN ({_marks(again)}) THEN 'waiting' ELSE 'maybe' END, "
            "problem='the watch ended while sending' WHERE state='sending'",
            again,
        ).rowcount
        db.execute(
            "DELETE FROM messages WHERE state IN ('sent', 'accepted', 'dropped') AND sent<?",
            ((now - KEPT).timestamp(),),
        )
        return found

    def cursor(self, sink: str, journal: str) -> int | None:
        """The last entry of `journal` that was considered for `sink`; None when it never was asked."""
        row = self._db.execute("SELECT seq FROM cursors WHERE sink=? AND journal=?", (sink, journal)).fetchone()
        return None if row is None else int(row[0])

    def enqueue(self, sink: str, journal: str, wanted: Iterable[int], upto: int, now: datetime) -> None:
        """Queues entries `wanted` and moves the cursor to `upto`, in one transaction. Never queues one twice."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany(
                "INSERT OR IGNORE INTO messages(sink, journal, seq, state, queued) VALUES(?,?,?,'waiting',?)",
                [(sink, journal, seq, now.timestamp()) for seq in wanted],
            )
            self._db.execute(
                "INSERT INTO cursors(sink, journal, seq) VALUES(?,?,?) "
                "ON CONFLICT DO UPDATE SET seq=max(seq, excluded.seq)",
                (sink, journal, upto),
            )
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # a full disk has rolled it back already
                self._db.execute("ROLLBACK")
            raise

    def enqueue_test(self, sink: str, number: int, now: datetime) -> None:
        """Queues a test message; `number` names it."""
        self._db.execute(
            "INSERT OR IGNORE INTO messages(sink, journal, seq, state, queued) VALUES(?,?,?,'waiting',?)",
            (sink, TEST, number, now.timestamp()),
        )

    def keep_only(self, sinks: Iterable[str], now: datetime) -> None:
        """Forgets every other sink: one that comes back later begins anew, and gets nothing that waited meanwhile."""
        names = sorted(sinks)
        others = f"sink NOT IN ({_marks(names)})"
        self._db.execute(
            f"UPDATE messages SET state='dropped', sent=?, problem='the sink was taken out of the configuration' "
            f"WHERE state IN ('waiting', 'sending') AND {others}",
            (now.timestamp(), *names),
        )
        self._db.execute(f"DELETE FROM cursors WHERE {others}", names)

    def waiting(self, sink: str, most: int) -> list[Message]:
        """The oldest that wait, at most so many, in order: nothing overtakes the first. A batch that went out before is
        all that is given, and whole."""
        found = self._db.execute(
            "SELECT id, journal, seq, attempts, next, queued, batch FROM messages "
            "WHERE sink=? AND state='waiting' ORDER BY id LIMIT ?",
            (sink, most),
        ).fetchall()
        if found and found[0][6] is not None:
            found = self._db.execute(
                "SELECT id, journal, seq, attempts, next, queued, batch FROM messages "
                "WHERE sink=? AND state='waiting' AND batch=? ORDER BY id",
                (sink, found[0][6]),
            ).fetchall()
        else:
            alone = next((index for index, row in enumerate(found) if row[6] is not None), len(found))
            found = found[:alone]
        return [Message(row[0], Ref(row[1], row[2]), row[3], _time(row[4]), _time(row[5]), row[6]) for row in found]

    def sending(self, batch: Sequence[Message]) -> None:
        """Recorded before the first byte leaves: a crash from here on makes them `maybe`."""
        self._update("state='sending', attempts=attempts+1, batch=?", (batch[0].id,), batch)

    def finish(self, batch: Sequence[Message], state: str, now: datetime, problem: str = "", remote: str = "") -> None:
        """`state` is sent, accepted, maybe, dead or dropped."""
        self._update(
            "state=?, sent=?, problem=?, remote=?, batch=NULL", (state, now.timestamp(), problem, remote), batch
        )

    def postpone(self, batch: Sequence[Message], until: datetime, problem: str, *, together: bool = False) -> None:
        """Not delivered: they wait until `until` and keep their place. `together`: the platform may have them after
        all, so that they must go out again as the same message."""
        values = (until.timestamp(), problem)
        self._update(f"state='waiting', next=?, problem=?{'' if together else ', batch=NULL'}", values, batch)

    def _update(self, assignments: str, values: tuple[Any, ...], batch: Sequence[Message]) -> None:
        ids = [message.id for message in batch]
        self._db.execute(f"UPDATE messages SET {assignments} WHERE id IN ({_marks(ids)})", (*values, *ids))

    def retry(self, sink: str, ref: Ref | None) -> int:
        """A person's word: what is dead is tried again, and what waits is tried now. With a `ref`, that message alone,
        also when it may have arrived, or was accepted and did not. Returns how many are to be sent."""
        which, values, states = "sink=?", [sink], ["dead", "waiting"]
        if ref is not None:
            which, values = "sink=? AND journal=? AND seq=?", [sink, ref.journal, str(ref.seq)]
            states += ["maybe", "accepted"]
        return self._db.execute(
            "UPDATE messages SET state='waiting', sent=NULL, next=0, attempts=0, asked=1, "
            f"batch=CASE WHEN state='waiting' THEN batch END WHERE {which} AND state IN ({_marks(states)})",
            (*values, *states),
        ).rowcount

    # ------------------------------------------------------------------ with other bastions

    def keep_waiting(self, sink: str, refs: Sequence[Ref], now: datetime) -> bool:
        """These wait, in this order behind what does already, and nothing else but what a person asked for: the rest is
        another bastion's to send. What is known of a message stays as it is. Whether any is new."""
        wanted = {(ref.journal, ref.seq) for ref in refs}
        waiting = self._db.execute(
            "SELECT journal, seq, id FROM messages WHERE sink=? AND state='waiting' AND asked=0 AND journal<>?",
            (sink, TEST),
        ).fetchall()
        gone = [(number,) for journal, seq, number in waiting if (journal, seq) not in wanted]
        fresh = wanted - {(journal, seq) for journal, seq, _ in waiting}
        if not gone and not fresh:
            return False
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany("DELETE FROM messages WHERE id=?", gone)
            added = self._db.executemany(
                "INSERT OR IGNORE INTO messages(sink, journal, seq, state, queued) VALUES(?,?,?,'waiting',?)",
                [(sink, *ref, now.timestamp()) for ref in ((one.journal, one.seq) for one in refs) if ref in fresh],
            ).rowcount
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        return added > 0

    def passed(self, sink: str, journal: str, upto: int) -> None:
        """Entries up to this number were considered, here or by another bastion."""
        self._db.execute(
            "INSERT INTO cursors(sink, journal, seq) VALUES(?,?,?) "
            "ON CONFLICT DO UPDATE SET seq=max(seq, excluded.seq)",
            (sink, journal, upto),
        )

    def unsure(self, sink: str, refs: Iterable[Ref], now: datetime, problem: str) -> None:
        """Another bastion may have sent these as well, or instead."""
        self._db.executemany(
            "INSERT INTO messages(sink, journal, seq, state, queued, sent, problem) VALUES(?,?,?,'maybe',?,?,?) "
            "ON CONFLICT(sink, journal, seq) DO UPDATE SET state='maybe', sent=excluded.sent, "
            "problem=excluded.problem, batch=NULL WHERE asked=0",
            [(sink, ref.journal, ref.seq, now.timestamp(), now.timestamp(), problem) for ref in refs],
        )

    def again_together(self, sink: str, refs: Sequence[Ref], now: datetime) -> None:
        """What another bastion may have sent as one message goes first, as the same message."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            first = None
            for ref in refs:
                self._db.execute(
                    "INSERT INTO messages(sink, journal, seq, state, queued) VALUES(?,?,?,'waiting',?) "
                    "ON CONFLICT(sink, journal, seq) DO UPDATE SET state='waiting', next=0",
                    (sink, ref.journal, ref.seq, now.timestamp()),
                )
                found = self._db.execute(
                    "SELECT id FROM messages WHERE sink=? AND journal=? AND seq=?", (sink, ref.journal, ref.seq)
                ).fetchone()
                first = found[0] if first is None else first
                self._db.execute("UPDATE messages SET batch=? WHERE id=?", (first, found[0]))
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def open_since(self, sink: str, journal: str, first: int) -> tuple[int | None, bool]:
        """The first entry of a journal from `first` on that waits, and whether one is being sent."""
        found = self._db.execute(
            "SELECT min(CASE WHEN state='waiting' AND asked=0 THEN seq END), sum(state='sending') FROM messages "
            "WHERE sink=? AND journal=? AND seq>=?",
            (sink, journal, first),
        ).fetchone()
        return found[0], bool(found[1])

    def states(self, sink: str, refs: Iterable[Ref]) -> dict[Ref, str]:
        """Of those that it knows."""
        found = {ref: state_of(self._db, sink, ref) for ref in refs}
        return {ref: told[0] for ref, told in found.items() if told is not None}

    def asked_for(self, sink: str, refs: Iterable[Ref]) -> bool:
        """Whether a person wants all of these sent again, or as a test."""
        return all(
            ref.journal == TEST
            or self._db.execute(
                "SELECT 1 FROM messages WHERE sink=? AND journal=? AND seq=? AND asked", (sink, ref.journal, ref.seq)
            ).fetchone()
            for ref in refs
        )

    def hurry(self, sink: str) -> None:
        """What waits may be tried now."""
        self._db.execute("UPDATE messages SET next=0 WHERE sink=? AND state='waiting' AND next<>0", (sink,))

    def root(self, place: str, incident: str) -> str:
        """What the platform calls the first message of the incident's thread; empty when there is none. A place is a
        sink as it is configured now: in another room there is another thread."""
        row = self._db.execute("SELECT root FROM threads WHERE sink=? AND incident=?", (place, incident)).fetchone()
        return "" if row is None else str(row[0])

    def incident_of(self, root: str) -> str:
        """The incident whose thread began with the message of this name on whatever platform; empty when none did."""
        row = self._db.execute("SELECT incident FROM threads WHERE root=?", (root,)).fetchone()
        return "" if row is None else str(row[0])

    def begin_thread(self, place: str, incident: str, root: str) -> None:
        """The first one that is said counts."""
        self._db.execute("INSERT OR IGNORE INTO threads(sink, incident, root) VALUES(?,?,?)", (place, incident, root))

    def end_thread(self, place: str, incident: str) -> None:
        """Its first message is not there any more."""
        self._db.execute("DELETE FROM threads WHERE sink=? AND incident=?", (place, incident))

    def row(self, sink: str, now: datetime, problem: str, since: datetime | None) -> ChatRow:
        """The sink's row for the board. Read anew only after a change: it is asked for twice a second."""
        changes = self._db.total_changes
        known = self._rows.get(sink)
        if known is None or known[0] != changes:
            known = changes, chat_row(self._db, sink, now)
            self._rows[sink] = known
        return msgspec.structs.replace(known[1], at=now, problem=problem, since=since)


def chat_row(db: sqlite3.Connection, sink: str, now: datetime) -> ChatRow:
    """What the outbox says of one sink."""
    counts = dict(db.execute("SELECT state, count(*) FROM messages WHERE sink=? GROUP BY state", (sink,)).fetchall())
    oldest, last = db.execute(
        "SELECT min(CASE WHEN state='waiting' THEN queued END), "
        "max(CASE WHEN state IN ('sent', 'accepted') THEN sent END) FROM messages WHERE sink=?",
        (sink,),
    ).fetchone()
    return ChatRow(
        name=sink,
        at=now,
        waiting=counts.get("waiting", 0) + counts.get("sending", 0),
        oldest=None if oldest is None else _time(oldest),
        maybe=counts.get("maybe", 0),
        dead=counts.get("dead", 0),
        accepted=counts.get("accepted", 0),
        last_sent=None if last is None else _time(last),
        deliveries=tuple(deliveries(db, sink, SHOWN)),
    )


def state_of(db: sqlite3.Connection, sink: str, ref: Ref) -> tuple[str, str] | None:
    """State and problem of one message; None when it was never queued."""
    found = db.execute(
        "SELECT state, problem FROM messages WHERE sink=? AND journal=? AND seq=?", (sink, ref.journal, ref.seq)
    ).fetchone()
    return None if found is None else (str(found[0]), str(found[1]))


def in_front(db: sqlite3.Connection, sink: str, ref: Ref) -> tuple[int, str]:
    """How many wait in front of a message, and why the first of them does: empty while it was not tried."""
    found = db.execute(
        "SELECT problem FROM messages WHERE sink=? AND state IN ('waiting', 'sending') AND id < "
        "(SELECT id FROM messages WHERE sink=? AND journal=? AND seq=?) ORDER BY id",
        (sink, sink, ref.journal, ref.seq),
    ).fetchall()
    return len(found), str(found[0][0]) if found else ""


def deliveries(db: sqlite3.Connection, sink: str, most: int) -> list[Delivery]:
    """The latest, and the oldest of those that are not well, oldest first."""
    columns = "id, journal, seq, state, coalesce(sent, queued), problem"
    found = {
        row
        for query in (
            f"SELECT {columns} FROM messages WHERE sink=? ORDER BY id DESC LIMIT ?",
            f"SELECT {columns} FROM messages WHERE sink=? AND state IN ('waiting', 'sending', 'maybe', 'dead') "
            "ORDER BY id LIMIT ?",
        )
        for row in db.execute(query, (sink, most))
    }
    return [
        Delivery(ref=Ref(journal, seq), state=state, at=_time(at), problem=said)
        for _, journal, seq, state, at, said in sorted(found)
    ]


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
