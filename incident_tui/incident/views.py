"""What the fold yields: an incident as it stands, in frozen structures. `state.Fold` makes them. Pure.

Nothing here knows the time: whatever depends on it (overdue, missed, active) takes `now`. `by` is who wrote the entry,
`ref` the entry itself, `at` its effective time (after amendments), aware UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from incident_tui.incident.entry import Author, Entry, Ref
from incident_tui.incident.work import (
    Can,
    Contested,
    Criterion,
    Engagement,
    FollowUp,
    Handoff,
    Hold,
    Hypothesis,
    Link,
    Remote,
    Run,
    Statement,
    Task,
)

LATE_AFTER: Final = timedelta(minutes=10)
"""An entry recorded later than this after it happened is marked late."""


class Correction(msgspec.Struct, frozen=True):
    """One amendment that is in force or was overtaken by a later one."""

    ref: Ref
    at: datetime
    """When the amendment was made."""
    by: Author
    text: str | None
    moved_to: datetime | None


class TimelineRow(msgspec.Struct, frozen=True, gc=False):
    """One entry as the timeline shows it. `entry` is as stored (emptied when purged)."""

    entry: Entry
    at: datetime
    text: str
    """A whole sentence for its kind; the words as typed are in `said`."""
    word: str
    """ACTION, DECISION, DOWN, OOM, … as `words.word` gives it."""
    said: str
    late: timedelta | None = None
    """How much later it was recorded than it happened, when more than LATE_AFTER."""
    skew: timedelta | None = None
    """How far its time lies after the journal's clock: somebody's clock is wrong."""
    amended: tuple[Correction, ...] = ()
    struck: bool = False
    strike: Correction | None = None
    """Who struck it, and when; while it is struck."""
    pinned: bool = False
    claimed: bool = False
    """A person wrote it whose name is not proven."""
    unmatched: bool = False
    """It refers to an entry that is not here."""
    origin: str = ""
    """Id of the duplicate that it came from by a merge; empty where it belongs by itself."""

    @property
    def ref(self) -> Ref:
        return self.entry.id

    @property
    def order(self) -> tuple[datetime, datetime, str, int]:
        """As `Entry.order`, with the time as amended."""
        return (self.at, self.entry.recorded_at, self.entry.journal, self.entry.seq)

    @property
    def purged(self) -> bool:
        return self.entry.purged


class SeveritySpan(msgspec.Struct, frozen=True):
    """A severity from when to when; 1 is worst."""

    level: int
    since: datetime
    until: datetime | None
    why: str
    by: Author
    ref: Ref


class StatusSpan(msgspec.Struct, frozen=True):
    """A status from when to when, with what was said then."""

    status: str
    since: datetime
    until: datetime | None
    text: str
    by: Author
    ref: Ref


class CommandSpan(msgspec.Struct, frozen=True):
    """Who commanded from when to when, and how they came to: a claim was not offered."""

    who: str
    since: datetime
    until: datetime | None
    how: Literal["declared", "taken", "claimed"]
    by: Author
    ref: Ref
    offered_by: str = ""

    @property
    def voice(self) -> bool:
        """Somebody else wrote it down."""
        return self.by.name.casefold() != self.who.casefold()


class Offer(msgspec.Struct, frozen=True):
    """Command offered and not yet taken."""

    who: str
    at: datetime
    by: Author
    ref: Ref


class Holder(msgspec.Struct, frozen=True):
    """Who holds, or held until `until`, a role other than commander."""

    role: str
    who: str
    since: datetime
    until: datetime | None
    by: Author
    ref: Ref


class MilestoneState(msgspec.Struct, frozen=True):
    """`at` is None exactly when it is known to be unknowable. `implied`: from the declare, status or close entry."""

    name: str
    at: datetime | None
    by: Author
    ref: Ref
    implied: bool = False
    changes: int = 0
    """How often it had been said before; the last one said wins."""

    @property
    def unknown(self) -> bool:
        return self.at is None


class UpdatePosted(msgspec.Struct, frozen=True):
    """An update to an audience; `next`: by when the next one was promised."""

    audience: str
    at: datetime
    text: str
    by: Author
    ref: Ref
    where: str = ""
    """The place, when it was given elsewhere."""
    next: datetime | None = None


class Promise(msgspec.Struct, frozen=True):
    """The next update promised to an audience. Kept by the first update to it, or moved by another promise."""

    audience: str
    at: datetime
    due: datetime
    by: Author
    ref: Ref
    kept_at: datetime | None = None
    moved_at: datetime | None = None

    def state(self, now: datetime) -> Literal["open", "kept", "late", "moved", "missed"]:
        """`late`: it came after `due`; `missed`: it has not come, or was only promised anew after `due`."""
        if self.kept_at is not None:
            return "kept" if self.kept_at <= self.due else "late"
        if self.moved_at is not None:
            return "moved" if self.moved_at <= self.due else "missed"
        return "open" if now <= self.due else "missed"


class Presence(msgspec.Struct, frozen=True):
    """Somebody who came, or went when `here` is false."""

    name: str
    since: datetime
    here: bool


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """An incident as the entries known so far tell it. Equal for the same set of entries in any order of arrival."""

    id: str
    title: str = ""
    drill: bool = False
    declared_at: datetime | None = None
    """None while its declare entry is not here (another journal has it)."""
    declared_by: Author | None = None
    severity: int | None = None
    peak_severity: int | None = None
    """The worst it was, i.e. the lowest number."""
    severities: tuple[SeveritySpan, ...] = ()
    status: str = ""
    """ "declared" until somebody says a status."""
    statuses: tuple[StatusSpan, ...] = ()
    commander: str = ""
    commander_since: datetime | None = None
    commands: tuple[CommandSpan, ...] = ()
    offered: Offer | None = None
    roles: dict[str, Holder] = {}
    """Other roles held now."""
    role_history: tuple[Holder, ...] = ()
    milestones: dict[str, MilestoneState] = {}
    """Only those that were said or follow from an entry; in the order of MILESTONES."""
    next_update: dict[str, datetime] = {}
    """Audience -> due, of promises neither kept nor moved; may lie in the past."""
    promises: tuple[Promise, ...] = ()
    updates: tuple[UpdatePosted, ...] = ()
    tasks: tuple[Task, ...] = ()
    follow_ups: tuple[FollowUp, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = ()
    decisions: tuple[Statement, ...] = ()
    lessons: tuple[Statement, ...] = ()
    changes: tuple[Statement, ...] = ()
    holds: tuple[Hold, ...] = ()
    runs: tuple[Run, ...] = ()
    remotes: tuple[Remote, ...] = ()
    """Commands run on hosts, in order."""
    cans: dict[str, Can] = {}
    """The last report of each person, by name."""
    criteria: tuple[Criterion, ...] = ()
    engagements: tuple[Engagement, ...] = ()
    handoffs: tuple[Handoff, ...] = ()
    links: tuple[Link, ...] = ()
    contested: tuple[Contested, ...] = ()
    """What only one can do and two did, in the order of when the second did."""
    absorbed: tuple[str, ...] = ()
    """Ids of the duplicates that were merged into it; their rows carry `origin`."""
    presence: tuple[Presence, ...] = ()
    review_owner: str = ""
    """Who sees to it that the review is written."""
    stood_down_at: datetime | None = None
    closed_at: datetime | None = None
    """None while open, also when reopened."""
    reopened: tuple[datetime, ...] = ()
    corrections: int = 0
    """How many amendments, strikes and pins there are."""
    rows: Sequence[TimelineRow] = ()

    @property
    def open(self) -> bool:
        return self.closed_at is None

    @property
    def pins(self) -> tuple[TimelineRow, ...]:
        return tuple(row for row in self.rows if row.pinned)

    @property
    def present(self) -> tuple[str, ...]:
        """Who is here, in the order they came."""
        return tuple(person.name for person in self.presence if person.here)

    @property
    def peak_since(self) -> datetime | None:
        return next((span.since for span in self.severities if span.level == self.peak_severity), None)
