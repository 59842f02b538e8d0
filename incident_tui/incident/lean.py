"""Entries kept for as long as the program runs: equal parts are one object, so that 100,000 of them fit. Pure."""

from __future__ import annotations

from typing import Any, Final, TypeVar

from incident_tui.incident.entry import Author, Entry

T = TypeVar("T", str, Author)

_NOTHING: Final[dict[str, Any]] = {}
"""Data of an entry that has none. Nobody changes the data of an entry."""
_PLAIN: Final = (str, int)
_LONGEST: Final = 80
"""Characters of a value that is worth looking up: longer ones hardly repeat."""
_MANY: Final = 20_000
"""Different parts remembered; what comes after them is kept as it is."""


class Lean:
    """Makes lean copies. One for each fold."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._authors: dict[Author, Author] = {}
        self._dicts: dict[tuple[tuple[str, Any], ...], dict[str, Any]] = {}

    def entry(self, entry: Entry) -> Entry:
        """The same entry, sharing with those before it what is equal."""
        return Entry(
            journal=self._text(entry.journal),
            seq=entry.seq,
            kind=entry.kind,
            at=entry.at,
            recorded_at=entry.at if entry.recorded_at == entry.at else entry.recorded_at,
            author=self._share(self._authors, entry.author),
            text=entry.text,
            incident=self._text(entry.incident),
            source=self._text(entry.source),
            data=self._data(entry.data) if entry.data else _NOTHING,
            ref=entry.ref,
            seen=entry.seen,
            purged=entry.purged,
        )

    def _data(self, data: dict[str, Any]) -> dict[str, Any]:
        lean = {self._text(key): self._value(value) for key, value in data.items()}
        if not all(type(value) in _PLAIN for value in lean.values()):
            return lean
        parts = tuple(lean.items())
        known = self._dicts.get(parts)
        if known is None:
            known = lean
            if len(self._dicts) < _MANY:
                self._dicts[parts] = lean
        return known

    def _value(self, value: Any) -> Any:
        return self._text(value) if type(value) is str and len(value) <= _LONGEST else value

    def _text(self, text: str) -> str:
        return self._share(self._texts, text)

    @staticmethod
    def _share(known: dict[T, T], part: T) -> T:
        found = known.get(part)
        if found is None:
            found = part
            if len(known) < _MANY:
                known[part] = part
        return found
