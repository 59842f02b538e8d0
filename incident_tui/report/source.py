"""What a report is made from, and what it says about itself. Frozen structures only; `facts.gather` fills `Facts`.

A report is a function of the entries: nothing in it depends on when it is made but `Facts.generated_at`. What still
runs is counted until the last entry (`Facts.until`), and called "so far".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import msgspec

from incident_tui import text
from incident_tui.incident.entry import Author, Ref
from incident_tui.incident.metrics import Metric
from incident_tui.incident.state import Fold
from incident_tui.incident.views import Incident, TimelineRow
from incident_tui.incident.work import Contested, Statement
from incident_tui.journal.chain import Head
from incident_tui.journal.everything import Part
from incident_tui.report.escape import Safe


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """The input. `handle` names an entry as the screen does (`Store.handle`)."""

    fold: Fold
    incident: str
    head: Head
    handle: Callable[[Ref], str]
    journals: tuple[Part, ...] = ()
    """All journals that `fold` is made of, when there are several bastions (`everything.parts`)."""
    unread: str = ""
    """Why the journals of other bastions are missing from it, as a sentence."""
    now: datetime
    demo: bool = False
    version: str = ""
    deliveries: Mapping[Ref, str] = {}
    """What became of an entry's messages, e.g. "sent to ops 14:06:01Z"; may be empty."""
    chosen: Callable[[TimelineRow], bool] | None = None
    """Which rows the timeline shows; None: all. Nothing but the timeline is cut by it."""


class Style(msgspec.Struct, frozen=True, kw_only=True):
    """How a report is made. `template`: a name, or a file ("dir/x.md.j2"); empty: the page, or `full` when asked for.
    `directory` has the team's own templates. `redact`: as `text.redact`, which it contains."""

    template: str = ""
    directory: str = ""
    redact: Callable[[str], tuple[str, int]] = text.redact


PLAIN = Style()


class KeyTime(msgspec.Struct, frozen=True, kw_only=True):
    """A milestone. `at` None: `why` says whether it was not said or is known to be unknowable."""

    name: str
    at: datetime | None
    why: str = ""
    ref: Ref | None = None
    by: Author | None = None
    implied: bool = False
    changes: int = 0


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """Who held a role from when to when; `until` None: still, at the last entry."""

    role: str
    who: str
    since: datetime
    until: datetime | None
    how: str
    ref: Ref


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """One amendment: who changed the entry when, and what it said before. None: that part was not changed."""

    ref: Ref
    at: datetime
    by: Author
    text: str | None
    moved_from: datetime | None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the timeline. `gap` is the time with no entry before it, when that is long."""

    row: TimelineRow
    ref: Ref
    at: datetime
    who: str
    claimed: bool
    word: str
    text: str
    """One line; of a text of several, the first."""
    more: int = 0
    """How many lines follow it; `Facts.exhibits` has them."""
    late: timedelta | None = None
    recorded_at: datetime
    written: datetime | None = None
    """When it was recorded, where that was a minute or more after it happened and not so long that it is late."""
    skew: timedelta | None = None
    amended: tuple[Before, ...] = ()
    struck: bool = False
    struck_by: Author | None = None
    struck_at: datetime | None = None
    struck_ref: Ref | None = None
    struck_why: str = ""
    pinned: bool = False
    purged: bool = False
    unmatched: bool = False
    second: Contested | None = None
    """Somebody else had done before what this says, and it changed nothing."""
    origin: str = ""
    delivery: str = ""
    gap: timedelta | None = None

    @property
    def marked(self) -> bool:
        """Whether there is anything to say about it but its text."""
        return bool(
            self.struck
            or self.amended
            or self.late
            or self.written
            or self.skew
            or self.more
            or self.pinned
            or self.unmatched
            or self.second
            or self.origin
            or self.delivery
            or not self.text.strip()
        )


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """The lines of one date (UTC)."""

    date: datetime
    lines: tuple[Line, ...]


class OpenItem(msgspec.Struct, frozen=True, kw_only=True):
    """Something somebody still has to do."""

    what: str
    text: str
    who: str
    due: datetime | None
    ref: Ref
    note: str = ""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A finding that stood at some moment, as the watch recorded it."""

    subject: str
    level: str
    text: str
    since: datetime
    ref: Ref


class Spell(msgspec.Struct, frozen=True, kw_only=True):
    """A finding from when it began until it was well again; `until` None: still, at the last entry."""

    finding: str
    subject: str
    host: str
    worst: str
    text: str
    since: datetime
    until: datetime | None
    ref: Ref
    until_ref: Ref | None = None

    @property
    def length(self) -> timedelta | None:
        return None if self.until is None else self.until - self.since


class SeenAt(msgspec.Struct, frozen=True, kw_only=True):
    """What the screen of a responder showed when entry `ref` was made; `age` is that of the oldest reading."""

    digest: str
    age: timedelta
    at: datetime
    who: str
    ref: Ref


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """What the board said at the declare, at its worst and at the last entry."""

    name: str
    at: datetime
    seen: SeenAt | None
    standing: tuple[Standing, ...]


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """A decision with what the board said then."""

    said: Statement
    seen: SeenAt | None


class Promised(msgspec.Struct, frozen=True, kw_only=True):
    """An update promised to an audience, and whether it was kept, as far as the entries say."""

    audience: str
    due: datetime
    ref: Ref
    state: str
    """kept, late, moved, missed, or "no update so far"."""
    at: datetime | None
    """When it was kept or moved."""


class Exhibit(msgspec.Struct, frozen=True, kw_only=True):
    """The full text of an entry that has several lines."""

    ref: Ref
    at: datetime
    who: str
    text: str


class SiteTime(msgspec.Struct, frozen=True, kw_only=True):
    """How long a public site failed, was slow or was not seen, as far as the observations tell. `every`: how often it
    was checked; `hold`: how long a change had to last to be recorded; None: the entries do not say."""

    name: str
    failing: timedelta
    failing_now: bool
    """It still failed at the last entry."""
    spells: int
    """How often it failed."""
    slow: timedelta
    unknown: timedelta
    every: timedelta | None = None
    hold: timedelta | None = None


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of one thing as a line of block characters; `scale` says what the lowest and the highest are."""

    label: str
    line: str
    scale: str
    step: timedelta
    since: datetime
    ref: Ref


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """A command on a host; `ended` None: its outcome was not recorded."""

    ref: Ref
    host: str
    command: str
    who: str
    at: datetime
    ended: datetime | None
    exit: str
    expected: str = ""
    held: str = ""
    """Whether a check found what was expected: it was so, it was not so, could not be asked."""
    problem: str = ""
    """Why there is no exit status, or why it was stopped."""


class Integrity(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader needs to check the report against the journal."""

    entries: int
    first: Ref | None
    last: Ref | None
    struck: int
    amended: int
    purged: int
    archived: int
    """How many have their text in an archive file, and so not here."""
    signed: int
    """How many a signature covers; whether it fits, `incident-tui verify` says."""
    claimed: int
    late: int
    skewed: int
    redacted: int
    """Entries in which something that looks like a secret was replaced."""
    head: Head
    journals: tuple[Part, ...] = ()
    """When several bastions wrote: each one's journal, and how much of it had not arrived here."""
    spans: tuple[tuple[Ref, Ref], ...] = ()
    """The first and the last entry of each journal that has any of them."""
    apart: tuple[Line, ...] = ()
    """Who could not reach whom, and when, as each bastion wrote it."""
    unread: str = ""
    promise: str


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a template may print. Foreign text in it is escaped when printed."""

    incident: Incident
    demo: bool
    version: str
    generated_at: datetime
    until: datetime | None
    """When the last entry was recorded; what still runs is counted until then."""
    impact: tuple[datetime | None, datetime | None]
    key_times: tuple[KeyTime, ...]
    metrics: tuple[Metric, ...]
    roles: tuple[Held, ...]
    days: tuple[Day, ...]
    left_out: dict[str, int]
    """Kinds that the timeline leaves out, with how many of each."""
    open_items: tuple[OpenItem, ...]
    moments: tuple[Moment, ...]
    spells: tuple[Spell, ...]
    decisions: tuple[Decided, ...]
    promises: tuple[Promised, ...]
    work: tuple[Line, ...]
    """Actions and results."""
    first_sign: Line | None
    """The earliest alert, or observation of something wrong."""
    exhibits: tuple[Exhibit, ...]
    commands: tuple[Ran, ...]
    sites: tuple[SiteTime, ...]
    charts: tuple[Chart, ...]
    charts_text: str
    """The charts as plain lines, for `|fence`."""
    gantt: Safe
    """A Mermaid chart without its fence; empty when there is nothing to draw, and in the one page."""
    integrity: Integrity

    @property
    def site_spells(self) -> tuple[Spell, ...]:
        """Of public sites."""
        return tuple(spell for spell in self.spells if spell.finding in ("site.down", "site.slow"))

    @property
    def impact_over(self) -> bool:
        """Whether somebody said that it ended, or that it cannot be known when."""
        return "recovered" in self.incident.milestones or "resolved" in self.incident.milestones
