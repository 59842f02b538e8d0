"""An entry as it travels between bastions: what the journal stores of it, enough to check the chain at the other end.

Three transports carry the same records (JetStream, plain SSH, a file); `others.Others.take` is the one border where
they come in. The wire form is MessagePack of the array of fields, in this order, for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from incident_tui.journal.errors import JournalError

if TYPE_CHECKING:
    from incident_tui.journal.store import Store

LONGEST: Final = 1 << 24
"""Bytes of a body that is believed; what is longer was not written by this program."""

_ROWS: Final = (
    "SELECT e.seq, e.commitment, e.link, e.salt, e.body, t.by_seq, t.kept FROM entries e"
    " LEFT JOIN tombstones t ON t.seq = e.seq WHERE e.seq BETWEEN ? AND ? ORDER BY e.seq LIMIT ?"
)


_Number = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]
"""What a file of SQLite's can hold, and more entries than there will be."""


class Record(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One stored row. Of a purged entry `salt` and `body` are empty; `length`, `by` and `kept` say what is left."""

    journal: str
    letter: str
    seq: Annotated[int, msgspec.Meta(ge=1, le=1 << 53)]
    commitment: bytes
    link: bytes
    salt: bytes
    body: bytes
    length: _Number = 0
    by: _Number = 0
    """Number of the entry, of the same journal, that ordered the purge; 0 when the order came from another one."""
    kept: bytes = b""

    @property
    def purged(self) -> bool:
        return self.length > 0


encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Record)
_list_decoder: Final = msgspec.msgpack.Decoder(list[Record])


def encode(record: Record) -> bytes:
    return encoder.encode(record)


def decode(wire: bytes) -> Record:
    """Raises JournalError with a sentence when these bytes are no record."""
    try:
        return _decoder.decode(wire)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise JournalError(f"what came is no record of a journal ({error}): it was cut or altered.") from None


def decode_many(wire: bytes) -> list[Record]:
    """Of an array of records. Raises JournalError."""
    try:
        return _list_decoder.decode(wire)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise JournalError(f"what came are no records of a journal ({error}): they were cut or altered.") from None


def own_records(store: Store, first: int, last: int, limit: int = -1) -> list[Record]:
    """The records of the entries `first` to `last` of this journal, at most `limit` of them. Raises JournalError."""
    with store.guard:
        rows = store.connection.execute(_ROWS, (first, last, limit)).fetchall()
    return [made(store.journal, store.letter, *row) for row in rows]


def made(
    journal: str,
    letter: str,
    seq: int,
    commitment: bytes,
    link: bytes,
    salt: bytes,
    body: bytes,
    by: int | None,
    kept: bytes | None,
) -> Record:
    """The record of a row as stored."""
    if kept is None:
        return Record(journal, letter, seq, commitment, link, salt, body)
    return Record(journal, letter, seq, commitment, link, b"", b"", len(body), by or 0, kept)
