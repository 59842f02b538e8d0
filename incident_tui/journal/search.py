"""Search in all incidents of a journal: what entries say now, i.e. as amended, neither struck nor purged.

A word fits where a word of the entry begins so (`gluster` finds glusterd); accents and case do not count. Kinds, names
and hosts are those of `incident.filter`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime
from typing import Final

import msgspec

from incident_tui.incident.entry import Entry, Kind, Ref
from incident_tui.incident.filter import Filter, matcher
from incident_tui.incident.state import Fold
from incident_tui.incident.views import TimelineRow
from incident_tui.journal.search_index import index
from incident_tui.journal.store import Store

MOST: Final = 200
"""Entries found at a time."""
_HIDDEN: Final = frozenset({Kind.AMEND, Kind.STRIKE, Kind.PIN})
_ALWAYS: Final = (-1e12, 1e12)


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """`wanted` is what was typed; `since` and `until` are about when it happened. `struck`: those, too."""

    wanted: Filter
    since: datetime | None = None
    until: datetime | None = None
    incident: str = ""
    struck: bool = False


class Found(msgspec.Struct, frozen=True):
    """`rows`, the newest written first; `more`: there are others, further back."""

    rows: tuple[TimelineRow, ...]
    more: bool = False


def search(store: Store, asked: Search, most: int = MOST) -> Found:
    """Raises JournalError when the journal cannot be read."""
    query = _query(asked)
    fits = matcher(msgspec.structs.replace(asked.wanted, words=()))
    rows: list[TimelineRow] = []
    with index(store) as db, store.guard:
        for ref in _candidates(db, query, asked):
            row = _row(db, store, ref)
            if row is None or (row.struck and not asked.struck) or not _within(asked, row.at) or not fits(row):
                continue
            if len(rows) == most:
                return Found(tuple(rows), more=True)
            rows.append(row)
    return Found(tuple(rows))


def words_of(text: str) -> list[str]:
    """The words that are looked for: what has no letter and no digit is none."""
    return [word for word in text.split() if any(one.isalnum() for one in word)]


def _query(asked: Search) -> str:
    """In the language of FTS5. Empty: every entry."""
    wanted = asked.wanted
    parts = [f"text: {_quoted(word)} *" for word in words_of(" ".join(wanted.words))]
    for column, names in (("kind", wanted.kinds), ("by", wanted.by)):
        if names:
            parts.append(f"{column}: ({' OR '.join(map(_quoted, names))})")
    if wanted.hosts:
        parts.append("(" + " OR ".join(f"{{text host}}: {_quoted(name)}" for name in wanted.hosts) + ")")
    if asked.incident:
        parts.append(f"incident: {_quoted(asked.incident)}")
    return " AND ".join(parts)


def _quoted(word: str) -> str:
    return '"' + word.replace('"', '""').replace("\0", "") + '"'


def _candidates(db: sqlite3.Connection, query: str, asked: Search) -> Iterator[Ref]:
    """The entries whose words fit, the newest first; of those whose time was amended, whatever it is now."""
    low = asked.since.timestamp() if asked.since else _ALWAYS[0]
    high = asked.until.timestamp() if asked.until else _ALWAYS[1]
    words = "words CROSS JOIN stamps ON stamps.id = words.rowid" if query else "stamps"
    fits = "words MATCH :query AND" if query else ""
    moved = "SELECT journal, seq FROM about WHERE moves"
    sql = f"SELECT stamps.journal, stamps.seq FROM {words} WHERE {fits} (at BETWEEN :low AND :high"
    sql += f" OR (stamps.journal, stamps.seq) IN ({moved})"
    sql += f" OR stamps.id IN (SELECT id FROM about WHERE (journal, seq) IN ({moved})))"
    found = db.execute(
        f"{sql} ORDER BY {'words.rowid' if query else 'stamps.id'} DESC", {"query": query, "low": low, "high": high}
    )
    return (Ref(journal, seq) for journal, seq in found)


def _row(db: sqlite3.Connection, store: Store, ref: Ref) -> TimelineRow | None:
    """The entry as it stands when what is indexed as `ref` is what it says now: the entry itself, or its last
    amendment. None for what was said before, and for what was purged."""
    entry = store.get(ref)
    if entry is None or entry.purged:
        return None
    target = store.get(entry.ref) if entry.kind in _HIDDEN and entry.ref is not None else entry
    target = target or entry  # what it corrects has not come yet
    if target.purged:
        return None
    fold = Fold()
    for one in _with_corrections(db, store, target):
        fold.apply(one)
    row = fold.row(target.id)
    if row is None:
        return None
    says = next((one.ref for one in reversed(row.amended) if one.text is not None), target.id)
    return row if says == entry.id else None


def _with_corrections(db: sqlite3.Connection, store: Store, entry: Entry) -> list[Entry]:
    """It, what it is about, and what corrects it, or corrects that."""
    found = {entry.id: entry}
    if entry.ref is not None and (about := store.get(entry.ref)) is not None:
        found[about.id] = about
    waiting = list(found)
    sql = "SELECT s.journal, s.seq FROM about a JOIN stamps s ON s.id = a.id WHERE a.journal = ? AND a.seq = ?"
    while waiting:
        target = waiting.pop()
        for journal, seq in db.execute(sql, (target.journal, target.seq)).fetchall():
            one = store.get(Ref(journal, seq))
            if one is not None and one.id not in found:
                found[one.id] = one
                waiting.append(one.id)
    return list(found.values())


def _within(asked: Search, at: datetime) -> bool:
    return (asked.since is None or asked.since <= at) and (asked.until is None or at <= asked.until)
