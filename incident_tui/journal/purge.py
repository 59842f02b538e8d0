"""Destroying what should never have been written: text, data and salt of one entry, everywhere reachable.

Out of reach, and said so in the README: exports and chat messages already sent, copies made by others, and blocks of
the disk that the file system no longer shows. The length of the destroyed text can still be seen in the file.
"""

from __future__ import annotations

import glob
import os
import sqlite3
from typing import TYPE_CHECKING, Any, Final

import msgspec

from incident_tui.incident.entry import Author, Draft, Entry, Kind, Ref, utc
from incident_tui.journal import chain, notify
from incident_tui.journal.errors import JournalError, from_sqlite

if TYPE_CHECKING:
    from incident_tui.journal.store import Store

ERASE: Final = "UPDATE entries SET salt = zeroblob(length(salt)), body = zeroblob(length(body)) WHERE seq = ?"
KEY: Final = "purge-"
"""How the keys of purge orders begin; then the number, or the journal and the number where it is another's entry."""
_CHECKPOINT_TRIES: Final = 3
_encoder = msgspec.json.Encoder(order="deterministic")


def purge(store: Store, ref: Ref, author: Author, reason: str, told_by: Ref | None = None) -> Entry:
    """See `Store.purge`. `told_by` is the order in another journal that this one follows."""
    target = store.get(ref)
    if target is None:
        raise JournalError(f"there is no entry {store.handle(ref)} in this journal, so nothing was purged.")
    store.check_writable()
    if ref.journal != store.journal:
        return _purge_copy(store, target, author, reason)
    db = store.connection
    with store.guard:
        db.execute("BEGIN IMMEDIATE")
        try:
            row = db.execute("SELECT by_seq, kept FROM tombstones WHERE seq = ?", (ref.seq,)).fetchone()
            if row is None or _put_away(store, row[0]):
                # What was kept of it in an archive stays as it is: the order that put it away covers that, too.
                kept = _encoder.encode(tombstone(target)) if row is None else row[1]
                order = _order(store, target, kept, author, reason, told_by)
                by = store.insert([order], f"{KEY}{ref.seq}")[0].seq
                db.execute("INSERT OR REPLACE INTO tombstones(seq, by_seq, kept) VALUES (?, ?, ?)", (ref.seq, by, kept))
            else:
                by = int(row[0])
            db.execute(ERASE, (ref.seq,))
            db.execute("COMMIT")
        except BaseException:
            store.rollback()
            raise
    notify.ring(store.place.directory)
    clean(store, ref.seq)
    ordered = store.get(Ref(store.journal, by))
    if ordered is None:
        raise JournalError(f"the order to purge {store.handle(ref)} is missing. Run `incident-tui verify`.")
    return ordered


def _put_away(store: Store, by: int) -> bool:
    """Whether that entry put others into an archive file; it did not destroy them."""
    order = store.get(Ref(store.journal, by))
    return order is not None and order.kind is Kind.ARCHIVE


def _order(store: Store, target: Entry, kept: bytes, author: Author, reason: str, told_by: Ref | None = None) -> Draft:
    data = {"kind": str(target.kind), "tombstone": chain.fingerprint(kept)}
    plain = _encoder.encode(tombstone(target))
    if plain != kept:  # it was put into an archive here; a copy that still had the text keeps no more than this
        data["plain"] = chain.fingerprint(plain)
    if told_by is not None:
        data["order"] = f"{told_by.journal}:{told_by.seq}"
    return Draft(
        kind=Kind.PURGE,
        text=reason,
        at=utc(store.clock()),
        author=author,
        incident=target.incident,
        data=data,
        ref=target.id,
    )


def _purge_copy(store: Store, target: Entry, author: Author, reason: str) -> Entry:
    """The order is saved first: should this end before the copy is erased, `take_in.settle` goes on from it. It reaches
    the journal that the entry is of, and all other copies, as any entry does."""
    others = store.make_others()
    ordered = others.order_of(target.id) if target.purged else None
    if ordered is None:
        order = _order(store, target, _encoder.encode(tombstone(target)), author, reason)
        (ordered,) = store.append([order], key=f"{KEY}{target.journal}-{target.seq}")
        others.order(target.id, ordered.id)
    clean_caches(store)
    others.clean()
    return ordered


def clean(store: Store, seq: int) -> None:
    """Destroy what else holds the text of an entry that was erased: backups, caches, the log. Raises JournalError."""
    _clean_backups(store.path, seq)
    clean_caches(store)
    _empty_log(store)


def clean_caches(store: Store) -> None:
    """Remove what is made of entries' texts and can be made anew. Raises JournalError."""
    _remove_copies(store.place.snapshot)
    _remove_copies(store.place.search)
    _remove_copies(f"{store.place.yank}/{os.getuid()}.txt")  # what this account copied last


def tombstone(entry: Entry) -> Entry:
    """What is kept of an entry. Of an order to purge or to put away also its proof, or the chain would no longer cover
    what it ordered."""
    data: dict[str, Any] = entry.data if entry.kind is Kind.ARCHIVE else {}
    if entry.kind is Kind.PURGE:
        data = {name: entry.data[name] for name in ("kind", "tombstone", "plain", "order") if name in entry.data}
    return Entry(
        journal=entry.journal,
        seq=entry.seq,
        kind=entry.kind,
        at=entry.at,
        recorded_at=entry.recorded_at,
        author=entry.author,
        incident=entry.incident,
        source=entry.source,
        data=data,
        ref=entry.ref,
        purged=True,
    )


def _empty_log(store: Store) -> None:
    """Move the write-ahead log into the file and cut it to nothing: it still holds the pages as they were."""
    with store.guard:
        for _ in range(_CHECKPOINT_TRIES):  # each waits for readers as long as an append waits for the lock
            if store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0:
                return
    raise JournalError(
        f"the text is purged from the journal, but {store.path}-wal still holds it because another process is reading. "
        "Purge the same entry again in a moment.",
        transient=True,
    )


def _clean_backups(path: str, seq: int) -> None:
    for name in glob.glob(glob.escape(path) + ".schema*.backup"):
        try:
            copy = sqlite3.connect(name, isolation_level=None, timeout=1.0)
            try:
                copy.execute("PRAGMA secure_delete=ON")
                copy.execute(ERASE, (seq,))
            finally:
                copy.close()
        except sqlite3.Error as error:
            reason = from_sqlite(error, os.path.abspath(name)).sentence
            raise JournalError(
                f"the text is purged from the journal, not from its backup: {reason} Delete {name}, or purge again.",
                transient=True,
            ) from None


def _remove_copies(path: str) -> None:
    for name in glob.glob(glob.escape(path) + "*"):
        try:
            os.unlink(name)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise JournalError(
                f"the text is purged from the journal, but {name} may still hold it: {error.strerror}. Delete that "
                "file, or purge again.",
                transient=True,
            ) from None
