"""What a typed line can mean: one frozen structure for each meaning. `grammar.parse` makes them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

from incident_tui.incident.entry import Kind

Handle = str
"""A short handle such as "a17", lower case; empty for "the last one", which the desk resolves."""


class Meaning(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """`question` is empty, or what to ask before the line is carried out; `wants` is the answer that means yes."""

    question: str = ""
    wants: str = "yes"

    @property
    def needs_confirmation(self) -> bool:
        return bool(self.question)


class Timed(Meaning, frozen=True, kw_only=True):
    """A meaning that becomes an entry. `at` is aware UTC: when it happened; `said` tells that a time was typed."""

    at: datetime
    said: bool = False


class Nothing(Meaning, frozen=True):
    """An empty line."""


class Refused(Meaning, frozen=True):
    """A known verb with wrong arguments. `line` is the whole line as typed: the screen keeps it in the prompt."""

    line: str
    sentence: str


class Write(Timed, frozen=True):
    """A line that becomes one entry as it stands. `hint` says what the line looked like but is not."""

    kind: Kind
    text: str
    data: dict[str, Any] = {}
    hint: str = ""


class Declare(Timed, frozen=True):
    """`severity` None: not said, and not invented."""

    title: str
    severity: int | None = None
    drill: bool = False


class SetSeverity(Timed, frozen=True):
    level: int
    why: str


class SetStatus(Timed, frozen=True):
    status: str
    text: str = ""


class Milestone(Timed, frozen=True):
    name: str
    unknown: bool = False


class Role(Timed, frozen=True):
    """`step` "name" is `/ic ana`: the desk decides between offer, take by voice, and claim. `who` empty: the author."""

    step: Literal["take", "offer", "claim", "name", "release"]
    who: str = ""
    role: str = "commander"


class NextUpdate(Timed, frozen=True):
    """`minutes` 0: what is usual for this audience."""

    minutes: int
    audience: str = "internal"


class Update(Timed, frozen=True):
    """The same words to each of the audiences. `next_minutes` 0: no promise."""

    audiences: tuple[str, ...]
    text: str
    next_minutes: int = 0


class DraftUpdate(Meaning, frozen=True):
    """An update without words: a first version for each audience is wanted. `next_minutes` 0: the usual."""

    audiences: tuple[str, ...]
    next_minutes: int = 0


class Sent(Timed, frozen=True):
    audience: str
    where: str
    text: str = ""


class Assign(Timed, frozen=True):
    who: str
    minutes: int
    text: str


class Ack(Timed, frozen=True):
    """`who` empty: the author. `voice`: the author logs it for `who`."""

    handle: Handle = ""
    who: str = ""
    voice: bool = False


class Done(Timed, frozen=True):
    handle: Handle = ""
    text: str = ""


class Pass(Timed, frozen=True):
    """A task handed to somebody else. `minutes` 0: the time box it had, from now."""

    handle: Handle
    who: str
    minutes: int = 0
    text: str = ""


class ChangeFollowUp(Timed, frozen=True):
    """Fields of a follow-up that are new: owner, priority, due, sort."""

    handle: Handle
    data: dict[str, Any]
    text: str = ""


class Can(Timed, frozen=True):
    """Conditions, actions, needs: those that are said. `who` empty: the author's own."""

    who: str
    parts: dict[str, str]


class Criterion(Timed, frozen=True):
    text: str


class Meet(Timed, frozen=True):
    """An exit criterion is met, or, said again, is not met after all."""

    handle: Handle
    text: str = ""


class Engage(Timed, frozen=True):
    """`minutes` 0: they promised no time."""

    vendor: str
    ticket: str = ""
    minutes: int = 0
    text: str = ""


class Answered(Timed, frozen=True):
    """What an outside company said. `minutes`: a new promise; `ended`: it is not needed any more."""

    handle: Handle
    ticket: str = ""
    minutes: int = 0
    text: str = ""
    ended: bool = False


class Handoff(Timed, frozen=True):
    """`accept`: by the one it is for; else it is offered to `who`."""

    who: str = ""
    accept: bool = False


class LinkTo(Timed, frozen=True):
    """`other` as typed: part of an incident's id is enough. Said again, it takes the link back."""

    other: str
    how: str
    why: str = ""


class Judge(Timed, frozen=True):
    """A hypothesis confirmed or eliminated."""

    state: Literal["confirmed", "eliminated"]
    handle: Handle
    text: str = ""


class Amend(Meaning, frozen=True):
    """`text` empty: only the time changes. `at` None: only the text changes."""

    handle: Handle = ""
    text: str = ""
    at: datetime | None = None


class Strike(Meaning, frozen=True):
    handle: Handle = ""


class Pin(Meaning, frozen=True):
    handle: Handle = ""


class Undo(Meaning, frozen=True):
    handle: Handle = ""


class Purge(Meaning, frozen=True):
    handle: Handle
    reason: str


class Hold(Timed, frozen=True):
    target: str
    minutes: int
    why: str = ""


class Release(Timed, frozen=True):
    target: str


class Play(Meaning, frozen=True):
    """`name` empty: list the playbooks."""

    name: str = ""


class Tick(Timed, frozen=True):
    """`number` 0: the next open step."""

    number: int = 0
    text: str = ""


class Begin(Timed, frozen=True):
    """`number` 0: the next step that nobody has."""

    number: int = 0


class Skip(Timed, frozen=True):
    number: int
    why: str


class Fail(Timed, frozen=True):
    number: int
    why: str


class Drop(Timed, frozen=True):
    """A step is given back; `number` 0: the run ends here."""

    number: int = 0
    why: str = ""


class SetVariable(Timed, frozen=True):
    """A variable of the open playbook."""

    name: str
    value: str


class Resend(Meaning, frozen=True):
    """`handle` empty: everything that a chat refused."""

    handle: Handle = ""


class ReadNow(Meaning, frozen=True):
    """`host` empty: all of them."""

    host: str = ""


class StandDown(Timed, frozen=True):
    text: str = ""


class Close(Timed, frozen=True):
    """`anyway`: although the review is not complete; then `text` says why."""

    text: str = ""
    anyway: bool = False


class Sweep(Meaning, frozen=True):
    """Walk what is open."""


class Export(Meaning, frozen=True):
    """`file` empty: the desk names it."""

    file: str = ""


class Switch(Meaning, frozen=True):
    """`incident` empty: list them."""

    incident: str = ""


class ShowHelp(Meaning, frozen=True):
    verb: str = ""


class OnScreen(Meaning, frozen=True):
    """A verb that only changes what one screen shows (`Verb.screen`)."""

    verb: str
    argument: str = ""


class Quit(Meaning, frozen=True):
    """Leave the screen."""


Parsed = (
    Nothing
    | Refused
    | Write
    | Declare
    | SetSeverity
    | SetStatus
    | Milestone
    | Role
    | NextUpdate
    | Update
    | DraftUpdate
    | Sent
    | Assign
    | Ack
    | Done
    | Pass
    | ChangeFollowUp
    | Can
    | Criterion
    | Meet
    | Engage
    | Answered
    | Handoff
    | LinkTo
    | Judge
    | Amend
    | Strike
    | Pin
    | Undo
    | Purge
    | Hold
    | Release
    | Play
    | Begin
    | Tick
    | Skip
    | Fail
    | Drop
    | SetVariable
    | Resend
    | ReadNow
    | StandDown
    | Close
    | Sweep
    | Export
    | Switch
    | ShowHelp
    | OnScreen
    | Quit
)
