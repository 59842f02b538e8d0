"""Closed incidents out of the journal into an archive file, and back. At no moment is a text in neither of them.

The file is written, synced, read back and compared with the journal; only then, in one transaction, the order to do so
(an ARCHIVE entry), what stays (tombstones, as of a purge) and the end of the texts. The order carries a digest of what
stays, so that the chain covers it. The commitments stay, so that the chain still closes, and so that what comes back
must be what left, to the bit. Ended in between, it is begun again with the same words: an archive that is there and has
the same rows is taken as it is.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from incident_tui.incident.entry import Author, Draft, Entry, Kind, Ref, utc
from incident_tui.incident.numbers import MOST_ARCHIVED, packed
from incident_tui.incident.retention import counted, leaves
from incident_tui.journal import chain, notify
from incident_tui.journal.errors import JournalError
from incident_tui.journal.purge import clean_caches, tombstone
from incident_tui.journal.retention_file import FORMAT, File, Put, Row, content, decoded, digest, encoded, write

if TYPE_CHECKING:
    from incident_tui.journal.store import Store

_TAKE: Final = "UPDATE entries SET salt = zeroblob(16), body = zeroblob(1) WHERE seq = ?"
_BATCH: Final = 500
_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(Entry)


class Done(msgspec.Struct, frozen=True):
    """What was put away or brought back: the orders, one for each incident (or 5,000 entries of it); how many entries;
    sizes of the journal in bytes, before and after; why no room was given back, or empty."""

    orders: tuple[Entry, ...] = ()
    entries: int = 0
    before: int = 0
    after: int = 0
    problem: str = ""


def put_away(store: Store, incidents: Mapping[Put, Sequence[int]], path: str, author: Author, *, shrink: bool) -> Done:
    """Move what can leave of these incidents into the file. `incidents` has the numbers of all entries that the file
    should have of each; taken out are those among them that name the incident.

    `shrink`: give the room back to the disk, during which nobody can save for as long as copying the journal takes.
    Raises JournalError; then nothing was taken out.
    """
    store.check_writable()
    before = _size(store)
    head = store.head().seq
    rows = _rows(store, sorted({seq for seqs in incidents.values() for seq in seqs}))
    out = {one.id: _leaving(rows, one.id) for one in incidents}
    name = os.path.basename(path)
    if any(out.values()):
        raw = _written(store, path, incidents, list(rows.values()))
        orders = _take_out(store, rows, out, name, digest(raw), author, head)
    else:
        orders = []
    notify.ring(store.place.directory)
    clean_caches(store)
    problem = give_back(store) if shrink else "an incident is open, and giving the room back would hold up its lines."
    return Done(tuple(orders), sum(map(len, out.values())), before, _size(store), problem)


def _rows(store: Store, seqs: Sequence[int]) -> dict[int, Row]:
    """As the file has them, by number."""
    found: dict[int, Row] = {}
    with store.guard:
        for at in range(0, len(seqs), _BATCH):
            part = seqs[at : at + _BATCH]
            query = (
                "SELECT e.seq, commitment, link, salt, body, kept FROM entries e LEFT JOIN tombstones t USING (seq)"
                f" WHERE e.seq IN ({','.join('?' * len(part))}) ORDER BY e.seq"
            )
            for seq, committed, link, salt, body, kept in store.connection.execute(query, part):
                if kept is None:
                    found[seq] = Row(seq, committed.hex(), link.hex(), salt.hex(), body.decode())
                else:
                    found[seq] = Row(seq, committed.hex(), link.hex(), kept=kept.decode())
    return found


def _leaving(rows: Mapping[int, Row], incident: str) -> list[Entry]:
    """Its entries that are taken out. An amendment goes where what it amends goes."""
    found: dict[int, Entry] = {}
    for row in rows.values():
        entry = _decoder.decode(row.body) if row.body else None
        if entry is None or entry.incident != incident or not leaves(entry):
            continue
        if entry.kind is Kind.AMEND and (entry.ref is None or entry.ref.seq not in found):
            continue
        found[entry.seq] = entry
    return list(found.values())


def _written(store: Store, path: str, incidents: Mapping[Put, Sequence[int]], rows: list[Row]) -> bytes:
    """The bytes of the file, which is on the disk, was read back, and has just these rows."""
    if os.path.lexists(path):
        raw = content(path)
        file = decoded(raw, path) if raw.startswith(b'{"format":"' + FORMAT.encode()) else None
        if file is None or file.journal != store.journal or file.entries != rows:
            raise JournalError(f"{path} is there and is no archive of just these incidents. Name another file.")
        return raw
    file = File(FORMAT, utc(store.clock()), store.journal, store.letter, list(incidents), rows)
    write(path, encoded(file))
    raw = content(path)
    if decoded(raw, path).entries != rows:
        raise JournalError(f"{path} does not hold what was written to it. Nothing was taken out of the journal.")
    return raw


def _take_out(
    store: Store,
    rows: Mapping[int, Row],
    out: Mapping[str, Sequence[Entry]],
    name: str,
    sha256: str,
    author: Author,
    head: int,
) -> list[Entry]:
    db, orders = store.connection, []
    with store.guard:
        db.execute("BEGIN IMMEDIATE")
        try:
            _unchanged(store, rows, out, head)
            for incident, entries in out.items():
                for at in range(0, len(entries), MOST_ARCHIVED):
                    orders.append(_order(store, incident, entries[at : at + MOST_ARCHIVED], name, sha256, author))
            db.execute("COMMIT")
        except BaseException:
            store.rollback()
            raise
    return orders


def _unchanged(store: Store, rows: Mapping[int, Row], out: Mapping[str, Sequence[Entry]], head: int) -> None:
    """Raise JournalError when something of these incidents was written or purged since they were read."""
    seqs = [entry.seq for entries in out.values() for entry in entries]
    stale = any(entry.incident in out for entry in store.read(head)) or any(
        row.body != rows[seq].body for seq, row in _rows(store, seqs).items()
    )
    if stale:
        raise JournalError("one of these incidents was written to just now. Nothing was taken out; archive again.")


def _order(store: Store, incident: str, entries: Sequence[Entry], name: str, sha256: str, author: Author) -> Entry:
    """Inside the transaction: the order, the tombstones, and the end of the texts."""
    kept = [_encoder.encode(_stays(entry, name)) for entry in entries]
    data = {
        "step": "out",
        "entries": packed([entry.seq for entry in entries]),
        "file": name,
        "sha256": sha256,
        "tombstones": chain.fingerprint("".join(map(chain.fingerprint, kept)).encode()),
    }
    draft = Draft(Kind.ARCHIVE, "", utc(store.clock()), author, incident=incident, source="cli", data=data)
    (order,) = store.insert([draft], f"archive-{os.urandom(8).hex()}")
    db = store.connection
    db.executemany(
        "INSERT INTO tombstones(seq, by_seq, kept) VALUES (?, ?, ?)",
        [(entry.seq, order.seq, one) for entry, one in zip(entries, kept, strict=True)],
    )
    db.executemany(_TAKE, [(entry.seq,) for entry in entries])
    return order


def _stays(entry: Entry, name: str) -> Entry:
    return msgspec.structs.replace(tombstone(entry), data=counted(entry) | {"archive": name})


def bring_back(store: Store, file: File, name: str, author: Author) -> Done:
    """Put back what is in the file and not in the journal. What was purged since stays purged. Doing it again changes
    nothing. Raises JournalError when the file is of another journal or lacks something; then nothing was changed."""
    store.check_writable()
    if file.journal != store.journal:
        raise JournalError(f"it is of journal {file.journal}, and this is {store.journal}. Name that with --journal.")
    db = store.connection
    with store.guard:
        db.execute("BEGIN IMMEDIATE")
        try:
            missing = _missing(store, file)
            orders = [_back(store, by, rows, name, author) for by, rows in missing.items()]
            db.execute("COMMIT")
        except BaseException:
            store.rollback()
            raise
    if orders:
        notify.ring(store.place.directory)
        clean_caches(store)
    return Done(tuple(orders), sum(map(len, missing.values())))


def _missing(store: Store, file: File) -> dict[int, list[Row]]:
    """Of each order that put entries away: the rows of the file that bring them back."""
    db = store.connection
    found: dict[int, list[Row]] = {}
    wanted = {row.seq for row in file.entries}
    away = {seq: by for seq, by in db.execute("SELECT seq, by_seq FROM tombstones").fetchall() if seq in wanted}
    orders = {by: store.get(Ref(store.journal, by)) for by in set(away.values())}
    for row in file.entries:
        here = db.execute("SELECT commitment, link FROM entries WHERE seq = ?", (row.seq,)).fetchone()
        if here is None or (here[0].hex(), here[1].hex()) != (row.commitment, row.link):
            raise JournalError(f"entry {store.letter}{row.seq} of the file is another one here. Nothing was changed.")
        order = orders.get(away.get(row.seq, 0))
        if order is None or order.kind is not Kind.ARCHIVE:
            continue
        if not row.body:
            raise JournalError(f"the file has no text of entry {store.letter}{row.seq}. Nothing was changed.")
        found.setdefault(order.seq, []).append(row)
    for by, rows in found.items():
        (count,) = db.execute("SELECT count(*) FROM tombstones WHERE by_seq = ?", (by,)).fetchone()
        if count != len(rows):
            raise JournalError(
                f"the file has {len(rows)} of the {count} entries that {store.letter}{by} put away. Nothing was "
                "changed; use the file that it names."
            )
    return found


def _back(store: Store, by: int, rows: Sequence[Row], name: str, author: Author) -> Entry:
    """Inside the transaction."""
    db = store.connection
    db.executemany(
        "UPDATE entries SET salt = ?, body = ? WHERE seq = ?",
        [(bytes.fromhex(row.salt), row.body.encode(), row.seq) for row in rows],
    )
    db.execute("DELETE FROM tombstones WHERE by_seq = ?", (by,))
    data = {"step": "back", "entries": packed([row.seq for row in rows]), "file": name}
    order = store.get(Ref(store.journal, by))
    incident = order.incident if order is not None else ""
    draft = Draft(
        *(Kind.ARCHIVE, "", utc(store.clock()), author),
        incident=incident,
        source="cli",
        data=data,
        ref=Ref(store.journal, by),
    )
    return store.insert([draft], f"archive-{os.urandom(8).hex()}")[0]


def purge_file(path: str, file: File, seq: int) -> None:
    """Make the file anew without the text and the salt of an entry. Raises JournalError; then it is as it was."""
    rows: list[Row] = []
    for row in file.entries:
        if row.seq == seq and row.body:
            kept = _encoder.encode(tombstone(_decoder.decode(row.body))).decode()
            row = Row(row.seq, row.commitment, row.link, kept=kept)
        rows.append(row)
    write(path, encoded(msgspec.structs.replace(file, entries=rows)))


def files(store: Store) -> dict[str, int]:
    """The names of the archive files that have texts of this journal's entries, with how many. Raises JournalError."""
    with store.guard:
        rows = store.connection.execute("SELECT by_seq, count(*) FROM tombstones GROUP BY by_seq").fetchall()
    found: dict[str, int] = {}
    for by, count in rows:
        order = store.get(Ref(store.journal, by))
        if order is not None and order.kind is Kind.ARCHIVE:
            name = str(order.data.get("file", "?"))
            found[name] = found.get(name, 0) + int(count)
    return found


def give_back(store: Store) -> str:
    """Give free pages back to the disk. Empty, or why that could not be; it is only room, and nothing is lost."""
    try:
        with store.guard:
            store.connection.execute("VACUUM")
            store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except (JournalError, sqlite3.Error) as error:
        return getattr(error, "sentence", "") or str(error)
    return ""


def _size(store: Store) -> int:
    """Bytes of the journal's file and of its log."""
    total = 0
    for name in (store.path, f"{store.path}-wal"):
        try:
            total += os.stat(name).st_size
        except OSError:
            continue
    return total
