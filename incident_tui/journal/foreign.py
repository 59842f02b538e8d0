"""Entries of other journals as they are read: whoever wrote them, a terminal shows them as they are.

What is stored and passed on are the bytes that their chain covers; what a reader gets has passed `text.sanitise`, as
own entries have before they are saved. So an entry of this program is the same on every bastion.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from incident_tui.incident.entry import Entry
from incident_tui.text import sanitise

_decoder: Final = msgspec.json.Decoder(Entry)
_DEEP: Final = 20
"""Levels of `data` that are kept; this program writes two."""


def read(body: bytes) -> Entry:
    """The entry in a body. Raises msgspec.DecodeError or UnicodeDecodeError when there is none."""
    entry = _decoder.decode(body)
    # JSON writes control characters as \\u…; DEL and everything invisible it writes as it is.
    if body.isascii() and b"\\u" not in body and b"\x7f" not in body:
        return entry
    return _clean(entry)


def _clean(entry: Entry) -> Entry:
    author, seen = entry.author, entry.seen
    return msgspec.structs.replace(
        entry,
        author=msgspec.structs.replace(
            author, name=_line(author.name), account=_line(author.account), key=_line(author.key)
        ),
        text=_lines(entry.text),
        incident=_line(entry.incident),
        source=_line(entry.source),
        data={_line(name): _data(value, _DEEP) for name, value in entry.data.items()},
        seen=None if seen is None else msgspec.structs.replace(seen, digest=_line(seen.digest)),
    )


def _data(value: Any, deep: int) -> Any:
    if isinstance(value, str):
        return _lines(value)
    if isinstance(value, dict):
        return {_line(name): _data(item, deep - 1) for name, item in value.items()} if deep else {}
    if isinstance(value, list):
        return [_data(item, deep - 1) for item in value] if deep else []
    return value


def _line(value: str) -> str:
    return sanitise(value, limit=max(1, len(value)))


def _lines(value: str) -> str:
    return sanitise(value, lines=True, limit=max(1, len(value)))
