"""The fold: entries in any order -> incidents as they stand. Everything shown or exported comes from here. Pure.

The order of entries is (at, recorded_at, journal, seq) with `at` as amended; of two corrections of one entry, the one
recorded last wins. Applying is cheap; the work is done when an incident is read, and again only for what changed: rows
are placed one by one, the state is derived anew from the entries that can change it.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Final

import msgspec

from incident_tui.incident.chronicle import STATEFUL, closings, derive
from incident_tui.incident.entry import MACHINE_KINDS, Entry, Kind, Ref
from incident_tui.incident.growing import Growing
from incident_tui.incident.lean import Lean
from incident_tui.incident.merged import Merges
from incident_tui.incident.numbers import covered
from incident_tui.incident.said import Line
from incident_tui.incident.twins import Twins
from incident_tui.incident.views import LATE_AFTER, Correction, Incident, TimelineRow
from incident_tui.incident.words import sentence, time_of, word

_CORRECTING: Final = frozenset({Kind.AMEND, Kind.STRIKE, Kind.PIN, Kind.PURGE})
_HIDDEN: Final = frozenset({Kind.AMEND, Kind.STRIKE, Kind.PIN})
"""Corrections show as marks on what they correct, and as rows only while that is not here."""
_SKEW: Final = timedelta(seconds=2)
_MANY: Final = 200
"""From so many new rows out of order on, sorting all is cheaper than inserting each."""

_NEVER: Final = datetime.min.replace(tzinfo=UTC)

_Order = tuple[datetime, datetime, str, int]


_BOOKKEEPING: Final = frozenset({Kind.SIGNATURE, Kind.ARCHIVE})
"""Kinds that happen to the journal, often long after the incident, and are no part of its timeline."""


def _said(entry: Entry) -> tuple[datetime, str, int]:
    return (entry.recorded_at, entry.journal, entry.seq)


_order = attrgetter("order")


def _line(row: TimelineRow) -> Line:
    return Line(row.entry, row.at, row.said)


class Fold:
    """Entries applied so far. Not for several threads at once."""

    def __init__(self) -> None:
        self._entries: dict[Ref, Entry] = {}
        self._referring: dict[Ref, list[Ref]] = {}
        self._logs: dict[str, list[Ref]] = {"": []}
        self._files: dict[str, _File] = {}
        self._lean = Lean()
        self._merges = Merges(self._alone)
        self._signed: set[Ref] = set()
        self._twins = Twins(self._entries.get)

    def __len__(self) -> int:
        return len(self._entries)

    def apply(self, entry: Entry) -> bool:
        """Take one entry, in any order; the same one again changes nothing, its purged form replaces it. Returns
        whether anything changed."""
        entry = self._lean.entry(entry)
        ref = entry.id
        known = self._entries.get(ref)
        if known is not None and (known.purged or not entry.purged):
            return False
        if known is None and self._is_purged(ref):
            entry = _emptied(entry)
        self._entries[ref] = entry
        self._touch(ref)
        if known is None and entry.ref is not None:
            self._referring.setdefault(entry.ref, []).append(ref)
        self._correct(entry)
        if entry.kind is Kind.ALERT:
            for other in self._twins.note(known or entry):
                self._touch(other)
        if entry.kind is Kind.LINK:
            self._merges.note(entry.incident)
        if entry.kind is Kind.SIGNATURE:
            self._signed.update(Ref(entry.journal, seq) for seq in covered(entry))
        for other in self._referring.get(ref, ()):
            self._touch(other)
        return True

    def _correct(self, entry: Entry) -> None:
        target = entry.ref
        if entry.kind not in _CORRECTING or target is None:
            return
        known = self._entries.get(target)
        if known is None:
            return
        if entry.kind is Kind.PURGE and (not known.purged or known.archive):
            if known.kind is Kind.ALERT:
                for other in self._twins.note(known):
                    self._touch(other)
            self._entries[target] = known = _emptied(known)
        self._touch(target)
        for other in self._referring.get(target, ()):
            self._touch(other)
        if known.kind in _HIDDEN and known.ref is not None:  # a correction was struck or purged
            for other in (known.ref, *self._referring.get(known.ref, ())):
                self._touch(other)

    def _is_purged(self, ref: Ref) -> bool:
        return any(entry.kind is Kind.PURGE for entry in self._about(ref))

    def about(self, ref: Ref) -> list[Entry]:
        """The entries that refer to `ref` (corrections, answers), as said: of two corrections the last one wins."""
        return self._about(ref)

    def _about(self, ref: Ref) -> list[Entry]:
        """The entries that refer to `ref`, as said: the last one wins."""
        refs = self._referring.get(ref)
        if not refs:
            return []
        return sorted((self._entries[one] for one in refs), key=_said)

    def _touch(self, ref: Ref) -> None:
        entry = self._entries.get(ref)
        if entry is not None:
            self._logs.setdefault(entry.incident, []).append(ref)
            if entry.incident and entry.incident not in self._files:
                self._files[entry.incident] = _File(self, entry.incident)

    def get(self, ref: Ref) -> Entry | None:
        """The entry as stored, emptied when purged."""
        return self._entries.get(ref)

    def incident(self, incident: str) -> Incident:
        """The incident as it stands, with what was merged into it. One that no entry names is empty, with only its
        id."""
        return self._merges.read(incident)

    def _alone(self, incident: str) -> Incident:
        file = self._files.get(incident)
        return file.read() if file is not None else Incident(id=incident)

    def incidents(self) -> list[Incident]:
        """All of them, the newest declared first; those without a declare entry come last."""
        found = [self.incident(name) for name in self._files]
        found.sort(key=lambda one: one.id)
        found.sort(key=lambda one: one.declared_at or _NEVER, reverse=True)
        return found

    def newest_open(self) -> Incident | None:
        """The newest declared incident that is not closed."""
        return next((one for one in self.incidents() if one.open and one.declared_at is not None), None)

    def row(self, ref: Ref) -> TimelineRow | None:
        """The entry as the timeline shows it, in whatever incident; None when it is not here."""
        entry = self._entries.get(ref)
        return None if entry is None else self._row(entry)

    def signed(self, ref: Ref) -> bool:
        """Whether a signature claims to cover the entry. Whether it fits is known to `incident-tui verify` alone."""
        return ref in self._signed

    def loose(self, since: datetime) -> list[TimelineRow]:
        """Rows of entries outside any incident that were recorded from then on."""
        entries = [self._entries[ref] for ref in dict.fromkeys(self._logs[""])]
        return [self._row(one) for one in entries if one.recorded_at >= since and not self._hidden(one)]

    def _in_force(self, ref: Ref) -> bool:
        """A correction counts unless it was itself struck."""
        strikes = [one for one in self._about(ref) if one.kind is Kind.STRIKE and not one.purged]
        return not strikes or strikes[-1].data.get("step") == "restore"

    def _row(self, entry: Entry) -> TimelineRow:
        text, at = entry.text, entry.at
        strike: Correction | None = None
        pinned = False
        amended: list[Correction] = []
        for one in self._about(entry.id):
            if one.purged or one.kind not in _HIDDEN:
                continue
            if one.kind is Kind.STRIKE:
                restored = one.data.get("step") == "restore"
                strike = None if restored else Correction(one.id, one.recorded_at, one.author, None, None)
            elif not self._in_force(one.id):
                continue
            elif one.kind is Kind.PIN:
                pinned = one.data.get("step") != "unpin"
            elif not entry.purged:
                said, moved = one.data.get("text"), time_of(one.data.get("at"))
                said = said if isinstance(said, str) else None
                text = text if said is None else said
                at = moved or at
                amended.append(Correction(one.id, one.recorded_at, one.author, said, moved))
        target: str | None = None
        unmatched = False
        if entry.ref is not None:
            known = self._entries.get(entry.ref)
            unmatched = known is None
            if known is not None:
                target = sentence(known, "") if known.purged else self._text(known)
        late = entry.recorded_at - at
        return TimelineRow(
            entry=entry,
            at=at,
            text=sentence(entry, text, target),
            word=word(entry),
            said=text,
            late=late if late > LATE_AFTER else None,
            skew=-late if -late > _SKEW else None,
            amended=tuple(amended),
            struck=strike is not None,
            strike=strike,
            pinned=pinned,
            claimed=entry.kind not in MACHINE_KINDS and not entry.author.proven,
            unmatched=unmatched,
        )

    def _text(self, entry: Entry) -> str:
        """The effective text, without a row."""
        text = entry.text or str(entry.data.get("title", ""))
        for one in self._about(entry.id):
            if one.kind is Kind.AMEND and isinstance(one.data.get("text"), str) and self._in_force(one.id):
                text = one.data["text"]
        return text

    def _hidden(self, entry: Entry) -> bool:
        if entry.kind is Kind.ALERT:
            return self._twins.hides(entry)
        return (entry.kind in _HIDDEN and entry.ref in self._entries) or entry.kind in _BOOKKEEPING


def _emptied(entry: Entry) -> Entry:
    return msgspec.structs.replace(entry, text="", data={}, seen=None, purged=True)


class _File:
    """One incident's rows in order, and its state, brought up to date when read."""

    def __init__(self, fold: Fold, incident: str) -> None:
        self.fold = fold
        self.id = incident
        self.placed: list[TimelineRow] = []
        self.moved: dict[Ref, _Order] = {}
        """Where rows stand whose time was amended; all others stand where their entry says."""
        self.own_seen = 0
        self.loose_seen = 0
        self.marks: dict[Ref, int] = {}
        self.stretches: list[tuple[datetime, datetime | None]] = []
        self.state = Incident(id=incident)
        self.lent = False
        """Somebody has `placed` as it is; see `_own`."""
        self.current: Incident | None = None

    def read(self) -> Incident:
        own, loose = self.fold._logs[self.id], self.fold._logs[""]
        if self.current is not None and self.own_seen == len(own) and self.loose_seen == len(loose):
            return self.current
        stateful, windows = self._place(own[self.own_seen :])
        self.own_seen = len(own)
        if windows and self._windows_moved():
            for ref in [row.ref for row in self.placed if not row.entry.incident]:
                self._remove(self._entry(ref))
            self.loose_seen = 0
            stateful = True
        more, _ = self._place(loose[self.loose_seen :])
        self.loose_seen = len(loose)
        if stateful or more or self.current is None:
            lines = [_line(row) for row in self.placed if not row.struck and row.entry.kind in STATEFUL]
            told = [line for line in lines if not line.entry.archive]
            self.state = derive(self.id, told, [line for line in lines if line.entry.incident])
        rows = Growing(self.placed)
        self.lent = True
        self.current = msgspec.structs.replace(self.state, rows=rows, corrections=sum(self.marks.values()))
        return self.current

    def _entry(self, ref: Ref) -> Entry:
        return self.fold._entries[ref]

    def _place(self, refs: list[Ref]) -> tuple[bool, bool]:
        """Put the rows of `refs` where they belong now. Returns whether the state may have changed, and whether the
        stretches may have."""
        stateful = windows = False
        fresh: list[TimelineRow] = []
        before = bool(self.placed)
        for ref in dict.fromkeys(refs):
            entry = self._entry(ref)
            if not entry.incident and not self.stretches:
                continue
            changes = entry.kind in STATEFUL
            had = self._remove(entry) if before else False
            if not entry.incident and ref not in self.fold._referring and not self._holds(entry, entry.at):
                stateful = stateful or (had and changes)
                continue
            if self.fold._hidden(entry):
                stateful = stateful or (had and changes)
                continue
            row = self.fold._row(entry)
            if not entry.incident and not self._holds(entry, row.at):
                stateful = stateful or (had and changes)
                continue
            fresh.append(row)
            if row.at != entry.at:
                self.moved[ref] = row.order
            marks = len(row.amended) + row.struck + row.pinned
            if marks:
                self.marks[ref] = marks
            stateful = stateful or changes
            windows = windows or bool(entry.incident and changes)
        late: list[TimelineRow] = []
        for row in fresh:
            if not self.placed or self.placed[-1].order < row.order:
                self.placed.append(row)
            else:
                late.append(row)
        if late:
            self._own()
        if len(late) > _MANY:
            self.placed.extend(late)
            self.placed.sort(key=_order)
        else:
            for row in late:
                insort(self.placed, row, key=_order)
        return stateful, windows

    def _remove(self, entry: Entry) -> bool:
        """Take its row out. False when it had none here."""
        ref = entry.id
        order = self.moved.pop(ref, None) or entry.order
        self.marks.pop(ref, None)
        index = bisect_left(self.placed, order, key=_order)
        found = index < len(self.placed) and self.placed[index].order == order
        if found:
            self._own()
            del self.placed[index]
        return found

    def _own(self) -> None:
        """Before anything but appending: whoever holds the rows as they were keeps them."""
        if self.lent:
            self.placed = list(self.placed)
            self.lent = False

    def _holds(self, entry: Entry, at: datetime) -> bool:
        """Whether a loose entry belongs here: it happened, or was written, in a stretch. What somebody typed shortly
        before declaring counts, however far back it was dated."""
        return any(
            start <= one and (end is None or one <= end)
            for start, end in self.stretches
            for one in (at, entry.recorded_at)
        )

    def _windows_moved(self) -> bool:
        own = [
            _line(row) for row in self.placed if not row.struck and row.entry.incident and row.entry.kind in STATEFUL
        ]
        _, _, stretches = closings(own)
        if stretches == self.stretches:
            return False
        self.stretches = stretches
        return True
