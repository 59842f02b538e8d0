"""What people are working on, in frozen structures: `progress` makes them, `views.Incident` has them. Pure.

As in `views`: `by` is who wrote the entry, `ref` the entry itself, `at` its effective time, aware UTC.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final, Literal

import msgspec

from incident_tui.incident.entry import Author, Ref
from incident_tui.incident.said import same

FOLLOWUP_SORTS: Final = ("prevent", "detect", "mitigate", "process", "repair")
"""Kinds of follow-ups (Google SRE's and Flutter's postmortem templates)."""
STEP_STATES: Final = ("begun", "released", "done", "skipped", "failed")
"""What a playbook's step may be said to be. Who has begun a step has it, until it is settled or released."""


class Task(msgspec.Struct, frozen=True):
    """Work given to a person, with a time box of `minutes`."""

    ref: Ref
    who: str
    minutes: int
    text: str
    at: datetime
    by: Author
    given_at: datetime | None = None
    """When it was handed over to `who`; the time box runs anew from then."""
    before: tuple[str, ...] = ()
    """Who had it before, in order."""
    acked_at: datetime | None = None
    acked_voice: bool = False
    acked_by: str = ""
    done_at: datetime | None = None
    done_text: str = ""
    overdue_said: datetime | None = None
    """When the watch wrote that it was overdue."""

    @property
    def due(self) -> datetime:
        return (self.given_at or self.at) + timedelta(minutes=self.minutes)

    def state(self, now: datetime) -> Literal["done", "overdue", "acked", "assigned"]:
        if self.done_at is not None:
            return "done"
        if now > self.due:
            return "overdue"
        return "acked" if self.acked_at is not None else "assigned"


class FollowUp(msgspec.Struct, frozen=True):
    """Work for after the incident."""

    ref: Ref
    text: str
    at: datetime
    by: Author
    owner: str = ""
    priority: str = ""
    due: date | None = None
    sort: str = ""
    """One of `FOLLOWUP_SORTS`, or empty."""
    done_at: datetime | None = None
    done_text: str = ""


class Hypothesis(msgspec.Struct, frozen=True):
    """A guess. `state`: raised, confirmed or eliminated; then `why`, by whom and when."""

    ref: Ref
    text: str
    at: datetime
    by: Author
    state: str = "raised"
    judged_at: datetime | None = None
    judged_by: str = ""
    why: str = ""


class Statement(msgspec.Struct, frozen=True):
    """A decision, lesson or change. `sort` is well, badly or luck for a lesson, else empty."""

    ref: Ref
    text: str
    at: datetime
    by: Author
    sort: str = ""


class Contested(msgspec.Struct, frozen=True):
    """What only one can do and two did, such as on two sides of a network that was split. The first counts, by the
    order of writing (recorded_at, journal, number; of holds by when they began), which is the same on every bastion
    whatever arrived when; the other's entry stays and changes nothing, but for a hold, which counts once the first one
    has ended."""

    what: str
    """As "command", "step 2 of heal"."""
    first: Ref
    first_by: str
    first_did: str
    first_at: datetime
    second: Ref
    second_by: str
    second_did: str
    second_at: datetime

    @property
    def sentence(self) -> str:
        return (
            f"{self.what}: {self.first_by} was first ({self.first_did} {self.first_at:%H:%MZ}), then {self.second_by} "
            f"({self.second_did} {self.second_at:%H:%MZ})"
        )

    def about(self, name: str) -> bool:
        """Whether this person is one of the two."""
        return same(self.first_by, name) or same(self.second_by, name)


class Hold(msgspec.Struct, frozen=True):
    """A host or container that somebody has for themselves for a while."""

    ref: Ref
    target: str
    at: datetime
    until: datetime
    by: Author
    why: str = ""
    released_at: datetime | None = None
    behind: datetime | None = None
    """Another's hold was first and ends then: this one counts from then on."""

    def active(self, now: datetime) -> bool:
        begin = self.at if self.behind is None else max(self.at, self.behind)
        return self.released_at is None and begin <= now < self.until


class RunStep(msgspec.Struct, frozen=True):
    """What was said of a step of a playbook."""

    number: int
    step: str
    """One of `STEP_STATES`; the one recorded last counts, whatever time it speaks of."""
    at: datetime
    by: Author
    text: str
    ref: Ref


class Run(msgspec.Struct, frozen=True):
    """One run of a playbook."""

    run: str
    name: str
    at: datetime
    by: Author
    ref: Ref
    variables: dict[str, str] = {}
    """What was filled in for this run."""
    steps: tuple[RunStep, ...] = ()
    """The state of each step that was said, by number."""
    finished_at: datetime | None = None
    count: int = 0
    """How many steps the playbook had when it was started; 0: not said."""
    host: str = ""
    """Where what suggested it was seen; empty: not told, or on several."""

    def step(self, number: int) -> RunStep | None:
        return next((one for one in self.steps if one.number == number), None)

    @property
    def settled(self) -> bool:
        """Whether every step is done or skipped."""
        over = sum(one.step in ("done", "skipped") and one.number <= self.count for one in self.steps)
        return 0 < self.count == over

    def saying(self, number: int, step: str, by: Author, at: datetime) -> Run:
        """The run as it is when this is saved."""
        said = RunStep(number, step, at, by, "", self.ref)
        return msgspec.structs.replace(self, steps=(*(one for one in self.steps if one.number != number), said))

    def next_step(self, me: str, *, free: bool = False) -> int:
        """The first step that is neither settled nor begun by another; `free`: nor by `me`. 0: there is none, or how
        many there are is not known."""
        states = {one.number: one for one in self.steps}
        mine = [n for n, one in sorted(states.items()) if one.step == "begun" and same(one.by.name, me)]
        if mine and not free:
            return mine[0]
        free_ = (n for n in range(1, self.count + 1) if n not in states or states[n].step in ("released", "failed"))
        return next(free_, 0)


class Remote(msgspec.Struct, frozen=True, kw_only=True):
    """A command that somebody ran on a host, in one line. Without `ended_at` it runs, or nobody knows how it ended."""

    ref: Ref
    host: str
    command: str
    at: datetime
    by: Author
    changes: bool = False
    """It was said to change something; others only read."""
    expected: str = ""
    verify: str = ""
    verify_minutes: int = 0
    """So long after its end `verify` should tell whether what was expected is so."""
    ended_at: datetime | None = None
    exit: int | None = None
    """None with `ended_at`: no exit status was had, and `problem` says why."""
    seconds: float | None = None
    problem: str = ""
    checked_at: datetime | None = None
    held: bool | None = None
    """Whether a later check found what was expected; None with `checked_at`: it could not be asked."""
    check: str = ""
    run: str = ""
    """With `number`: the run of a playbook and the step it was run for."""
    number: int = 0

    def unverified(self, now: datetime) -> bool:
        """It should have been verified by now, and was not."""
        if not self.verify or self.checked_at is not None or self.ended_at is None or self.exit is None:
            return False
        return now > self.ended_at + timedelta(minutes=self.verify_minutes + 1)


class Can(msgspec.Struct, frozen=True):
    """A report of one person: conditions, actions, needs. The last one of each person counts."""

    ref: Ref
    who: str
    at: datetime
    by: Author
    conditions: str = ""
    actions: str = ""
    needs: str = ""


class Criterion(msgspec.Struct, frozen=True):
    """What must be true before this is called resolved."""

    ref: Ref
    text: str
    at: datetime
    by: Author
    met_at: datetime | None = None
    met_by: str = ""
    how: str = ""
    """What showed that it is met."""


class Engagement(msgspec.Struct, frozen=True):
    """An outside company that was called in. `due`: by when it promised to answer, or to be back."""

    ref: Ref
    vendor: str
    at: datetime
    by: Author
    text: str = ""
    ticket: str = ""
    due: datetime | None = None
    answered_at: datetime | None = None
    answers: int = 0
    last: str = ""
    """Their last answer."""
    ended_at: datetime | None = None
    overdue_said: datetime | None = None
    """When the watch wrote that the promised time had passed."""

    def state(self, now: datetime) -> Literal["ended", "overdue", "waiting", "answered"]:
        if self.ended_at is not None:
            return "ended"
        if self.due is not None and now > self.due:
            return "overdue"
        return "waiting" if self.due is not None else "answered"


class Handoff(msgspec.Struct, frozen=True):
    """Command handed over with a briefing; `to` accepts it by name."""

    ref: Ref
    to: str
    at: datetime
    by: Author
    accepted_at: datetime | None = None
    accepted_by: str = ""


class Link(msgspec.Struct, frozen=True):
    """Another incident that has to do with this one. `how`: related, or duplicate (this one goes on in the other)."""

    ref: Ref
    other: str
    how: str
    at: datetime
    by: Author
    why: str = ""
