"""The durable outbox: which entry still has to reach which sink. SQLite in the journal's directory.

It holds references, never text: what is sent is composed from the journal at that moment, so that a purge reaches
what was waiting, and a credential typed by mistake lies in one place only. States of a message:

    waiting -> sending -> sent
                       -> waiting (not delivered: it is tried again, in order)
                       -> maybe   (a timeout or a crash left open whether it arrived; never sent again by itself)
                       -> dead    (refused for good by the platform)
    waiting -> dropped            (the entry was purged or struck before it was sent)
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from incident_tui.incident.entry import Ref
from incident_tui.journal.errors import JournalError
from incident_tui.journal.place import precreate
from incident_tui.watch.rows import ChatRow, Delivery

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS cursors(sink TEXT NOT NULL, journal TEXT NOT NULL, seq INTEGER NOT NULL,
    PRIMARY KEY(sink, journal)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS messages(id INTEGER PRIMARY KEY, sink TEXT NOT NULL, journal TEXT NOT NULL,
    seq INTEGER NOT NULL, state TEXT NOT NULL, queued REAL NOT NULL, sent REAL, attempts INTEGER NOT NULL DEFAULT 0,
    next REAL NOT NULL DEFAULT 0, problem TEXT NOT NULL DEFAULT '', UNIQUE(sink, journal, seq));
CREATE INDEX IF NOT EXISTS open_messages ON messages(sink, id) WHERE state IN ('waiting', 'sending');
"""
_PATIENCE: Final = 0.25
"""Seconds to wait for the file's lock: the watch must not stand still for it."""
SHOWN: Final = 30
"""How many deliveries a ChatRow carries."""


class Message(msgspec.Struct, frozen=True):
    """The next thing to send to a sink."""

    id: int
    ref: Ref
    attempts: int
    next_try: datetime
    queued: datetime


class Outbox:
    """One outbox. For one thread; every change is committed and fsynced before the method returns.

    The file is opened when it is first needed. Every method raises sqlite3.Error while it cannot be used (locked, full
    disk), having changed nothing; the caller tries again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: sqlite3.Connection | None = None

    @property
    def _db(self) -> sqlite3.Connection:
        if self._opened is None:
            try:
                # The next holder of the lease may be another account of the group: SQLite alone would make 0644.
                precreate(os.fspath(self._path))
            except JournalError as error:
                raise sqlite3.OperationalError(error.sentence) from error
            db = sqlite3.connect(self._path, timeout=_PATIENCE, isolation_level=None)
            try:
                db.execute("PRAGMA journal_mode=WAL")
                db.execute("PRAGMA synchronous=FULL")
                db.executescript(_SCHEMA)
            except sqlite3.Error:
                db.close()
                raise
            self._opened = db
        return self._opened

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()

    def recover(self) -> int:
        """After a start: what was being sent when the last watch died is `maybe`. Returns how many there were."""
        return self._db.execute(
            "UPDATE messages SET state='maybe', problem='the watch ended while sending' WHERE state='sending'"
        ).rowcount

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

    def keep_only(self, sinks: Iterable[str], now: datetime) -> None:
        """Forgets every other sink: one that comes back later begins anew, and gets nothing that waited meanwhile."""
        names = sorted(sinks)
        others = f"sink NOT IN ({','.join('?' * len(names))})"
        self._db.execute(
            f"UPDATE messages SET state='dropped', sent=?, problem='the sink was taken out of the configuration' "
            f"WHERE state IN ('waiting', 'sending') AND {others}",
            (now.timestamp(), *names),
        )
        self._db.execute(f"DELETE FROM cursors WHERE {others}", names)

    def head(self, sink: str) -> Message | None:
        """The oldest message that still waits: order is kept, so nothing overtakes it."""
        row = self._db.execute(
            "SELECT id, journal, seq, attempts, next, queued FROM messages WHERE sink=? AND state='waiting' "
            "ORDER BY id LIMIT 1",
            (sink,),
        ).fetchone()
        if row is None:
            return None
        return Message(row[0], Ref(row[1], row[2]), row[3], _time(row[4]), _time(row[5]))

    def sending(self, message: Message) -> None:
        """Recorded before the first byte leaves: a crash from here on makes it `maybe`."""
        self._db.execute("UPDATE messages SET state='sending', attempts=attempts+1 WHERE id=?", (message.id,))

    def finish(self, message: Message, state: str, now: datetime, problem: str = "") -> None:
        """`state` is sent, maybe, dead or dropped."""
        self._db.execute(
            "UPDATE messages SET state=?, sent=?, problem=? WHERE id=?", (state, now.timestamp(), problem, message.id)
        )

    def postpone(self, message: Message, until: datetime, problem: str) -> None:
        """Not delivered: it waits until `until` and keeps its place."""
        self._db.execute(
            "UPDATE messages SET state='waiting', next=?, problem=? WHERE id=?",
            (until.timestamp(), problem, message.id),
        )

    def row(self, sink: str, now: datetime, problem: str, since: datetime | None) -> ChatRow:
        """The sink's row for the board."""
        counts = dict(
            self._db.execute("SELECT state, count(*) FROM messages WHERE sink=? GROUP BY state", (sink,)).fetchall()
        )
        oldest, last = self._db.execute(
            "SELECT min(CASE WHEN state='waiting' THEN queued END), max(CASE WHEN state='sent' THEN sent END) "
            "FROM messages WHERE sink=?",
            (sink,),
        ).fetchone()
        recent = self._db.execute(
            "SELECT journal, seq, state, coalesce(sent, queued), problem FROM messages WHERE sink=? "
            "ORDER BY id DESC LIMIT ?",
            (sink, SHOWN),
        ).fetchall()
        return ChatRow(
            name=sink,
            at=now,
            problem=problem,
            since=since,
            waiting=counts.get("waiting", 0) + counts.get("sending", 0),
            oldest=None if oldest is None else _time(oldest),
            maybe=counts.get("maybe", 0),
            dead=counts.get("dead", 0),
            last_sent=None if last is None else _time(last),
            deliveries=tuple(
                Delivery(ref=Ref(journal, seq), state=state, at=_time(at), problem=said)
                for journal, seq, state, at, said in reversed(recent)
            ),
        )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
