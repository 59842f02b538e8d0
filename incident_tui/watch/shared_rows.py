"""Rows of the board as they travel between bastions: packed, bounded, checked, and in the receiver's time. Pure.

A frame is zlib over JSON: when it was made, by its sender's clock, and rows with their keys. The clocks of two bastions
may differ: of the frames of one sender the one that took the shortest way tells by how much, and times in its rows are
shifted by that where it is more than a reading may be off anyway.
"""

from __future__ import annotations

import re
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from incident_tui.hosts.readings import HostReading
from incident_tui.text import sanitise
from incident_tui.watch.alerts.rows import AlertsRow
from incident_tui.watch.rooms.rows import RoomRow
from incident_tui.watch.rows import ChatRow, Resend, SiteRow

KINDS: Final[Mapping[str, type[msgspec.Struct]]] = {
    "host": HostReading,
    "site": SiteRow,
    "chat": ChatRow,
    "room": RoomRow,
    "alerts": AlertsRow,
    "resend": Resend,
}
"""What is shared, by the first part of the key; the last is no row of a board, but a word to one bastion."""
FRAME_BYTES: Final = 400_000
"""Of rows, unpacked, that go into one frame; a single larger row goes alone, up to LIMIT."""
LIMIT: Final = 4 << 20
"""Unpacked; a frame that is larger is not read, and a row that is larger is not shared."""
SECOND_BYTES: Final = 4 << 20
"""Unpacked, that a bastion sends in a second."""
AGAIN: Final = 10.0
"""Seconds after which a row is sent again although it is the same."""
LEAST: Final = 2.0
"""Seconds between two sendings of one row."""
SKEW: Final = timedelta(seconds=2)
"""Clocks that differ by less are taken for equal."""
_KEPT: Final = 30
_ESCAPED: Final = r"(?<!\\)(?:\\\\)*\\u"
"""A character that is written by its number; a backslash before a u is written as two."""


class Frame(msgspec.Struct, frozen=True):
    now: datetime
    rows: dict[str, msgspec.Raw]


class Pace:
    """What to send now. `now` is seconds of any clock that does not jump."""

    def __init__(self) -> None:
        self._rows: dict[str, bytes] = {}
        self._sent: dict[str, tuple[float, bytes]] = {}

    def keep(self, rows: Mapping[str, bytes]) -> None:
        """These are shared, as they are now; what is not among them is not any more."""
        self._rows = dict(rows)
        for gone in self._sent.keys() - self._rows.keys():
            del self._sent[gone]

    def due(self, now: float, limit: int = SECOND_BYTES) -> list[dict[str, bytes]]:
        """Rows for one frame each; those that waited longest come first, and what is over the limit waits on."""
        waiting = []
        for key, body in self._rows.items():
            at, before = self._sent.get(key, (float("-inf"), b""))
            if now - at >= (LEAST if before != body else AGAIN):
                waiting.append((at, key))
        frames: list[dict[str, bytes]] = []
        size, total = FRAME_BYTES, 0
        for _, key in sorted(waiting):
            body = self._rows[key]
            if len(body) > LIMIT // 2:
                continue
            if total and total + len(body) > limit:
                break
            if size + len(body) > FRAME_BYTES:
                frames.append({})
                size = 0
            frames[-1][key] = body
            self._sent[key] = now, body
            size += len(body)
            total += len(body)
        return frames


def pack(rows: Mapping[str, bytes], now: datetime) -> bytes:
    """`rows` are JSON."""
    return zlib.compress(msgspec.json.encode(Frame(now, {key: msgspec.Raw(body) for key, body in rows.items()})), 1)


class Taken(msgspec.Struct, frozen=True):
    """Rows by key, in our time. `skew`: how far the sender's clock is behind ours."""

    rows: dict[str, msgspec.Struct]
    skew: timedelta
    refused: str = ""
    """Why something was not taken, in a few words; the last of them."""


class Frames:
    """What comes from one other bastion. `letter` is its own: a row that says it was read by another is refused."""

    def __init__(self, letter: str, wanted: Callable[[str], bool]) -> None:
        """`wanted`: whether a row of this key has a place here."""
        self.letter = letter
        self._wanted = wanted
        self._offsets: deque[timedelta] = deque(maxlen=_KEPT)

    def take(self, payload: bytes, now: datetime) -> Taken:
        """Never raises: what cannot be read is refused."""
        try:
            unpacking = zlib.decompressobj()
            plain = unpacking.decompress(payload, LIMIT)
            if unpacking.unconsumed_tail or not unpacking.eof:
                return Taken({}, timedelta(0), "a frame is too large or cut")
            frame = msgspec.json.decode(plain, type=Frame)
            self._offsets.append(now - frame.now)
        except (zlib.error, msgspec.DecodeError, UnicodeDecodeError, TypeError, OverflowError):
            return Taken({}, timedelta(0), "a frame cannot be read")
        skew = min(self._offsets)
        rows: dict[str, msgspec.Struct] = {}
        refused = ""
        for key, raw in frame.rows.items():
            kind = KINDS.get(key.partition("/")[0])
            if kind is None or not self._wanted(key):
                continue
            row = _row(bytes(raw), kind)
            if row is None or not _says(row, key, self.letter):
                refused = f"the row {sanitise(key, limit=60)} is damaged or of another version"
                continue
            try:
                rows[key] = shifted(row, skew) if abs(skew) > SKEW else row
            except OverflowError:
                refused = "a row has a time that cannot be"
        return Taken(rows, skew, refused)


def _row(body: bytes, kind: type[msgspec.Struct]) -> msgspec.Struct | None:
    try:
        text = body.decode()
        # Everything in a row was sanitised where it was read. JSON writes what is not, of the lower range, as \u.
        if re.search(_ESCAPED, text) or (
            not text.isascii() and sanitise(text, lines=True, limit=len(text) + 1) != text
        ):
            return None
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _says(row: msgspec.Struct, key: str, letter: str) -> bool:
    """Whether the row is about what its key names, and says who read it."""
    name = key.partition("/")[2]
    if isinstance(row, HostReading):
        return row.host == name and row.via == letter
    if isinstance(row, SiteRow):
        return row.name == name and row.via == letter
    return not isinstance(row, ChatRow | RoomRow) or row.name == name


def shifted(value: Any, by: timedelta) -> Any:
    """The same with every time in it moved. Raises OverflowError."""
    if isinstance(value, datetime):
        return value + by
    if isinstance(value, msgspec.Struct):
        fields = {name: getattr(value, name) for name in value.__struct_fields__}
        moved = {name: shifted(each, by) for name, each in fields.items()}
        changed = {name: each for name, each in moved.items() if each is not fields[name]}
        return msgspec.structs.replace(value, **changed) if changed else value
    if isinstance(value, tuple):
        many = tuple(shifted(each, by) for each in value)
        return many if any(one is not other for one, other in zip(many, value, strict=True)) else value
    if isinstance(value, dict):
        made = {key: shifted(each, by) for key, each in value.items()}
        return made if any(made[key] is not value[key] for key in value) else value
    return value


def encoded(rows: Iterable[tuple[str, msgspec.Struct]], letter: str) -> dict[str, bytes]:
    """For `Pace.keep`."""
    found = {}
    for key, row in rows:
        named = msgspec.structs.replace(row, via=letter) if isinstance(row, HostReading | SiteRow) else row
        found[key] = msgspec.json.encode(named)
    return found
