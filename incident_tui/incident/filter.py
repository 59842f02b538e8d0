"""What fits a filter or a search: `kind:action by:bob host:web2 split brain`. Pure.

Words of one sort are alternatives (`kind:action kind:result`), the sorts and every word of text must all fit. A kind is
a kind of entry, a word of the timeline (OOM, TODO), a level (crit), or people or machine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from difflib import get_close_matches
from typing import Final

import msgspec

from incident_tui.incident.entry import MACHINE_KINDS, Kind
from incident_tui.incident.views import TimelineRow

LEVELS: Final = ("crit", "warn", "ok", "unknown")
SIDES: Final = ("people", "machine")
_SORTS: Final = ("kind", "by", "host")
_SHOWN: Final = ("down", "oom", "split", "silent", "declared", "command", "todo", "ran", "confirmed", "eliminated")
"""Words of the timeline that are no kinds (`incident.words.word`)."""
_NEVER: Final = frozenset({Kind.AMEND, Kind.STRIKE, Kind.PIN, Kind.LEASE, Kind.SIGNATURE, Kind.ARCHIVE})
"""Kinds that have no rows of their own."""
KINDS: Final = (*SIDES, *(kind.value for kind in Kind if kind not in _NEVER), *LEVELS, *_SHOWN)
"""What may stand after `kind:`, the likeliest first."""


Fits = Callable[[TimelineRow], bool]


class Filter(msgspec.Struct, frozen=True):
    """All lower case (case-folded). Without anything it fits every row."""

    kinds: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.kinds or self.by or self.hosts or self.words)

    def __str__(self) -> str:
        """As it can be typed."""
        sorts = (("kind", self.kinds), ("by", self.by), ("host", self.hosts))
        return " ".join([f"{sort}:{value}" for sort, values in sorts for value in values] + list(self.words))


def read_filter(text: str, people: Callable[[], Collection[str]] | None = None) -> Filter | str:
    """What was typed, or the sentence why it cannot be. `people` are the names that may stand after `by:`; any name
    without it."""
    found: dict[str, list[str]] = {sort: [] for sort in (*_SORTS, "")}
    for token in text.casefold().split():
        sort, colon, value = token.partition(":")
        if not colon or sort not in _SORTS:
            found[""].append(token)
            continue
        if not value:
            return f"What {'person' if sort == 'by' else sort} after {sort}: ? Tab lists them."
        if sort == "kind" and value not in KINDS:
            return _unknown(f"There is no kind {value}", value, KINDS, "Tab after kind: lists them.")
        if sort == "by" and people is not None:
            names = {name.casefold() for name in people()}
            if value not in names:
                return _unknown(f"Nobody here is called {value}", value, names, "Tab after by: lists them.")
        found[sort].append(value)
    kinds, by, hosts, words = (tuple(dict.fromkeys(found[sort])) for sort in (*_SORTS, ""))
    return Filter(kinds, by, hosts, words)


def _unknown(sentence: str, value: str, known: Collection[str], otherwise: str) -> str:
    near = get_close_matches(value, known, 1)
    return f"{sentence}; did you mean {near[0]}?" if near else f"{sentence}. {otherwise}"


def matcher(wanted: Filter) -> Fits:
    """Whether a row fits. The cheap questions come first: it is asked of 100,000 rows while somebody types."""
    tests: list[Fits] = []
    if wanted.kinds:
        tests.append(_of_kind(wanted.kinds))
    if wanted.by:
        names = frozenset(wanted.by)
        author = _Known(lambda name: name.casefold() in names)
        tests.append(lambda row: author[row.entry.author.name])
    tests += [_having(word) for word in wanted.words]
    if wanted.hosts:
        tests.append(_naming(wanted.hosts))
    return _all(tests)


def _all(tests: list[Fits]) -> Fits:
    if not tests:
        return lambda row: True
    first, *others = tests
    if not others:
        return first
    rest = _all(others)
    return lambda row: first(row) and rest(row)


class _Known(dict[str, bool]):
    """The answer to a question about a text, asked once for each."""

    def __init__(self, ask: Callable[[str], bool]) -> None:
        super().__init__()
        self._ask = ask

    def __missing__(self, text: str) -> bool:
        found = self[text] = self._ask(text)
        return found


def _of_kind(names: tuple[str, ...]) -> Fits:
    kinds = {kind for kind in Kind if kind.value in names}
    if "machine" in names:
        kinds |= MACHINE_KINDS
    if "people" in names:
        kinds |= set(Kind) - MACHINE_KINDS
    values = frozenset(str(kind) for kind in kinds)
    words = frozenset(name.upper() for name in names if name in _SHOWN)
    levels = frozenset(name for name in names if name in LEVELS)

    def fits(row: TimelineRow) -> bool:
        entry = row.entry
        if entry.kind._value_ in values or row.word in words:
            return True
        return bool(levels) and entry.kind is Kind.OBSERVATION and entry.data.get("level") in levels

    return fits


def _having(word: str) -> Fits:
    return lambda row: word in row.text.casefold() or word in row.word.casefold()


def _naming(hosts: tuple[str, ...]) -> Fits:
    """Read on one of the hosts, about it, or naming it as a whole word."""
    whole = re.compile("|".join(rf"(?<![\w.-]){re.escape(host)}(?![\w-])" for host in hosts))
    names = _Known(lambda text: whole.search(text.casefold()) is not None)

    def fits(row: TimelineRow) -> bool:
        data = row.entry.data
        if data and (names[str(data.get("host", ""))] or names[str(data.get("subject") or data.get("target") or "")]):
            return True
        said = row.text.casefold()
        return any(host in said for host in hosts) and whole.search(said) is not None

    return fits
