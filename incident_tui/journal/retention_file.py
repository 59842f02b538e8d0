"""An archive file: the rows of closed incidents as the journal stored them, one JSON document. The format is published.

Each row has its salt and its body, so that it is checked against the commitment that stays in the journal; what is in
the file can therefore be altered no more than what is in the journal, and the file needs no seal of its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import msgspec

from incident_tui.incident.entry import Entry
from incident_tui.journal import chain
from incident_tui.journal.connection import Guard
from incident_tui.journal.errors import JournalError, from_os
from incident_tui.journal.place import StrPath, sync_directory

FORMAT: Final = "incident-tui incidents 1"
START: Final = f'{{"format":"{FORMAT}"'.encode()
"""How each such document begins."""

FIELDS: Final = {
    "format": f'always "{FORMAT}"',
    "generated_at": "when this was made",
    "journal": "id of the journal that it is of",
    "letter": "of its handles",
    "incidents": "`id`, `title`, `declared_at`, `closed_at`",
    "entries": "by number: `seq`, `commitment`, `link`, `salt` (hex), `body` (the text that was stored), or `kept` "
    "without salt and body: what was left of one that was purged",
}
"""The top-level fields, in order."""

_PRIVATE: Final = 0o600
_decoder = msgspec.json.Decoder(Entry)


class Row(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One entry. Of one that was purged there is `kept`, and neither salt nor body."""

    seq: int
    commitment: str
    link: str
    salt: str = ""
    body: str = ""
    kept: str = ""


class Put(msgspec.Struct, frozen=True):
    """An incident in the file."""

    id: str
    title: str
    declared_at: datetime | None
    closed_at: datetime | None


class File(msgspec.Struct, frozen=True):
    """The document, read and checked."""

    format: str
    generated_at: datetime
    journal: str
    letter: str
    incidents: list[Put]
    entries: list[Row]

    def decoded(self) -> list[Entry]:
        """Its entries, as a fold takes them."""
        return [_decoder.decode(row.body or row.kept) for row in self.entries]


def encoded(file: File) -> bytes:
    """As it is written: a line an entry."""
    head = msgspec.structs.replace(file, entries=[])
    text = msgspec.json.encode(head)
    assert text.endswith(b"[]}")
    return text[:-2] + b"\n" + b",\n".join(map(msgspec.json.encode, file.entries)) + b"\n]}\n"


def decoded(raw: bytes, name: str) -> File:
    """The document, every row checked against its commitment and neighbours against each other. Raises JournalError."""
    try:
        file = msgspec.json.decode(raw, type=File)
        if file.format != FORMAT:
            raise JournalError(f"{name} is of the format {file.format[:60]!r}; this program reads {FORMAT!r}.")
        before: Row | None = None
        for row in file.entries:
            _check(row, before, file.journal)
            before = row
    except (msgspec.DecodeError, UnicodeError) as error:
        raise JournalError(f"{name} is no archive of incidents ({error}): it was cut or altered.") from None
    except ValueError as error:
        raise JournalError(f"{name} was altered or damaged: {error}.") from None
    return file


def _check(row: Row, before: Row | None, journal: str) -> None:
    """Raises ValueError."""
    committed, link = bytes.fromhex(row.commitment), bytes.fromhex(row.link)
    if before is not None and row.seq <= before.seq:
        raise ValueError(f"entry {row.seq} is not in order")
    previous = bytes.fromhex(before.link) if before is not None and before.seq == row.seq - 1 else None
    if previous is not None and chain.link(previous, journal, row.seq, committed) != link:
        raise ValueError(f"entry {row.seq} does not fit to the one before")
    if bool(row.body) == bool(row.kept):
        raise ValueError(f"entry {row.seq} has no text")
    if row.body and chain.commitment(bytes.fromhex(row.salt), row.body.encode()) != committed:
        raise ValueError(f"entry {row.seq} is not what the journal stored")
    entry = _decoder.decode(row.body or row.kept)
    if entry.seq != row.seq or entry.journal != journal:
        raise ValueError(f"entry {row.seq} says it is number {entry.seq} of journal {entry.journal[:40]}")


def read(path: StrPath) -> File:
    """The file at `path`. Raises JournalError."""
    return decoded(content(path), os.fspath(path))


def content(path: StrPath) -> bytes:
    """Raises JournalError."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise JournalError(f"{os.fspath(path)} cannot be read ({error.strerror}).") from None


def write(path: str, raw: bytes) -> None:
    """Make the file, for its owner alone, or replace it; it has its name only once all of it is on the disk. Raises
    JournalError; then nothing was replaced."""
    fresh = f"{path}.{os.getpid()}-{os.urandom(4).hex()}.new"
    directory = os.path.dirname(path)
    if not os.path.isdir(directory):
        raise JournalError(f"there is no directory {directory}.")
    try:
        try:
            fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _PRIVATE)
            with os.fdopen(fd, "wb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise from_os(error, directory) from None
        with Guard(path):
            os.replace(fresh, path)
        sync_directory(directory)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(fresh)


def same_rows(file: File, journal: str, rows: Sequence[Row], incidents: Iterable[str]) -> bool:
    """Whether an archive that is there already is the one that would be made now: an earlier try was ended."""
    return file.journal == journal and {one.id for one in file.incidents} == set(incidents) and file.entries == rows


def digest(raw: bytes) -> str:
    """Hex SHA-256 of the file."""
    return hashlib.sha256(raw).hexdigest()
