"""What was read becomes entries: each once, marked with where it came from, and taken back as a whole.

`Entry.source` is "import ID, NAME"; nothing else marks an import. What is here already is told by time, kind, author
and text of the entries themselves, or by a chat's own id of a message, and never kept apart: a purge leaves no trace.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from incident_tui.desk.desk import Saved
from incident_tui.desk.importing.found import ImportProblem, Timed, Transcript
from incident_tui.incident import meanings as m
from incident_tui.incident.entry import Author, Draft, Entry, Kind, Ref
from incident_tui.incident.grammar import parse
from incident_tui.incident.settings import Person
from incident_tui.journal.errors import JournalError
from incident_tui.journal.place import precreate
from incident_tui.journal.store import Store
from incident_tui.text import sanitise

BATCH: Final = 2_000
"""Entries of one transaction."""
SOURCE: Final = "import "
_VARYING: Final = frozenset({"was", "due", "thread", "attach_minutes"})
"""Fields that the same line may come to otherwise on another day."""
_UNDONE: Final = " undone"
_FUTURE: Final = timedelta(minutes=2)
"""By so much a clock elsewhere may be ahead of ours."""


class Piece(msgspec.Struct, frozen=True):
    """One thing of a file, as it would be saved. `draft` None: it is a verb, which the desk carries out (`line`), or it
    cannot be imported (`problem`)."""

    number: int
    line: str
    draft: Draft | None = None
    problem: str = ""
    doubt: str = ""


class Plan(msgspec.Struct, frozen=True):
    """What an import would do. `here` of its pieces are in the journal already."""

    pieces: tuple[Piece, ...]
    here: int
    problems: tuple[Piece, ...]


def _said(entry: Entry) -> tuple[datetime, str, int]:
    """The order of writing, over journals."""
    return (entry.recorded_at, entry.journal, entry.seq)


def source_of(ident: str, name: str) -> str:
    return f"{SOURCE}{ident}, {sanitise(name, limit=120)}"


def pieces(
    found: Transcript, timed: Sequence[Timed], now: datetime, author: Author, people: Sequence[Person]
) -> Iterator[Piece]:
    """The transcript's pieces in order, of no incident yet and without the mark of an import."""
    for one in timed:
        said, at = one.said, one.at or now
        line = f"@{at:%Y-%m-%dT%H:%M:%SZ} {said.text}" if one.at else said.text
        if at > now + _FUTURE:
            yield Piece(said.line, line, problem=f"{at:%Y-%m-%d %H:%MZ} is still to come")
        elif found.chat:
            yield Piece(said.line, line, _chat(found, one, min(at, now), people), doubt=one.doubt)
        else:
            parsed = parse(line, now=now, people=people)
            if isinstance(parsed, m.Refused) and said.at is None:
                line = said.text  # a verb that takes no time, and none was written before it
                parsed = parse(line, now=now, people=people)
            if isinstance(parsed, m.Write):
                draft = Draft(parsed.kind, parsed.text, parsed.at, author, data=dict(parsed.data))
                yield Piece(said.line, line, draft, doubt=one.doubt)
            elif isinstance(parsed, m.Purge):
                yield Piece(said.line, line, problem="an import purges nothing; log it by hand")
            elif isinstance(parsed, m.Refused):
                yield Piece(said.line, line, problem=parsed.sentence)
            elif not isinstance(parsed, m.Nothing):
                yield Piece(said.line, line, doubt=one.doubt)


def _chat(found: Transcript, one: Timed, at: datetime, people: Sequence[Person]) -> Draft:
    said = one.said
    known = next((person.name for person in people if person.name.casefold() == said.by.casefold()), said.by)
    data: dict[str, Any] = {"from": found.form, "room": found.room, "remote": said.remote, "thread": said.thread}
    data["by"] = sanitise(said.account, limit=255)
    writer = Author(name=known or "somebody", account=sanitise(f"{found.form}:{said.account}", limit=120))
    return Draft(Kind.CHAT, said.text, at, writer, data={name: value for name, value in data.items() if value})


class Known:
    """What the journal has of earlier imports and of chats."""

    def __init__(self, entries: Iterator[Entry] | Sequence[Entry], now: datetime) -> None:
        self._now = now
        self._here: Counter[Any] = Counter()
        self._remote: set[str] = set()
        self._purged: Counter[tuple[datetime, str]] = Counter()
        kept: dict[Ref, Entry] = {}
        undone: set[Ref] = set()
        for entry in sorted(entries, key=_said):
            if entry.kind is Kind.CHAT and (entry.purged or entry.data.get("remote")):
                kept[entry.id] = entry
            elif entry.kind is Kind.STRIKE and entry.ref is not None and entry.source.endswith(_UNDONE):
                undone.add(entry.ref)
            elif entry.kind is Kind.STRIKE and entry.ref is not None and entry.data.get("step") == "restore":
                undone.discard(entry.ref)
            elif entry.source.startswith(SOURCE):
                kept[entry.id] = entry
        for ref, entry in kept.items():
            if ref in undone:
                continue
            if entry.purged:
                self._purged[entry.at, entry.author.name] += 1
                continue
            if entry.data.get("remote"):
                self._remote.add(str(entry.data["remote"]))
            self._here[_mark(entry)] += 1
            if abs(entry.recorded_at - entry.at) < _FUTURE:
                self._here[_mark(entry)[1:]] += 1  # it may have had no time, and got that of the import

    def has(self, draft: Draft) -> str:
        """ "" when it is new; else why it is not to be saved. Each entry of the journal answers for one draft."""
        if draft.data.get("remote") in self._remote:
            return "here"
        mark = _mark(draft) if draft.at != self._now else _mark(draft)[1:]
        if self._here[mark] > 0:
            self._here[mark] -= 1
            return "here"
        where = (draft.at, draft.author.name)
        if self._purged[where] > 0:
            self._purged[where] -= 1
            return "an entry of that time was purged, and this may be its text; log it by hand if it is not"
        return ""


def _mark(one: Draft | Entry) -> tuple[Any, ...]:
    data = sorted((name, str(value)) for name, value in one.data.items() if name not in _VARYING)
    return (one.at, one.kind, one.author.name, one.text, tuple(data))


def plan(made: Iterator[Piece], known: Known) -> Plan:
    """What is new of these pieces, in order. Verbs stay: only the desk knows what they come to."""
    new: list[Piece] = []
    problems: list[Piece] = []
    here = 0
    for piece in made:
        why = known.has(piece.draft) if piece.draft is not None else piece.problem
        if why == "here":
            here += 1
        elif why:
            problems.append(msgspec.structs.replace(piece, draft=None, problem=why))
        else:
            new.append(piece)
    return Plan(tuple(new), here, tuple(problems))


class Once:
    """The appender of a desk that carries out imported verbs: what is here already is not stored again."""

    def __init__(self, store: Store, known: Known) -> None:
        self._store, self._known = store, known
        self.here = 0

    def submit(self, drafts: Sequence[Draft], key: str) -> Saved:
        new = [draft for draft in drafts if not self._known.has(draft)]
        self.here += len(drafts) - len(new)
        try:
            return Saved(self._store.append(new, key=key))
        except JournalError as error:
            return Saved([], error)


def save(store: Store, drafts: Sequence[Draft], incident: str, ident: str, name: str, number: int) -> list[Entry]:
    """Save in durable batches; `number` is that of the first piece. Raises JournalError: what is saved stays saved."""
    source = source_of(ident, name)
    saved: list[Entry] = []
    for begin in range(0, len(drafts), BATCH):
        cut = drafts[begin : begin + BATCH]
        part = [msgspec.structs.replace(draft, source=source, incident=incident) for draft in cut]
        saved += store.append(part, key=f"import:{ident}:{number + begin}")
    return saved


def undo(store: Store, ident: str, author: Author, now: datetime, new_key: Callable[[], str]) -> int:
    """Strike what the import `ident` saved, visibly; how many were struck. Raises ImportProblem, JournalError."""
    mine: dict[Ref, Entry] = {}
    struck: dict[Ref, bool] = {}
    for entry in sorted(store.read_all()[0], key=_said):
        if entry.source.startswith(f"{SOURCE}{ident}, "):
            mine[entry.id] = entry
        if entry.kind is Kind.STRIKE and entry.ref is not None:
            struck[entry.ref] = entry.data.get("step") != "restore"
    if not mine:
        raise ImportProblem(f"there is no import {sanitise(ident, limit=40)} in this journal.")
    drafts = []
    for ref, entry in mine.items():
        step, about = "strike", ref
        if entry.kind is Kind.STRIKE and entry.ref is not None:
            step, about = ("strike" if entry.data.get("step") == "restore" else "restore"), entry.ref
        if struck.get(about, False) == (step == "strike"):
            continue
        source = f"{SOURCE}{ident}{_UNDONE}"
        drafts.append(Draft(Kind.STRIKE, "", now, author, entry.incident, source, {"step": step}, about))
    for begin in range(0, len(drafts), BATCH):
        store.append(drafts[begin : begin + BATCH], key=new_key())
    return len(drafts)


@contextlib.contextmanager
def alone(directory: str) -> Iterator[None]:
    """While this lasts no other import runs on this journal: two would not see what the other adds."""
    path = f"{directory}/import.lock"
    precreate(path)
    handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
