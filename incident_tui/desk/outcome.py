"""What became of a line, and what the desk needs from outside. Structures and protocols only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec

from incident_tui.incident.entry import Author, Draft, Entry, Ref
from incident_tui.incident.settings import Command, Person, Severity


class Saving(Protocol):
    """Entries on their way to the journal. `concurrent.futures.Future[list[Entry]]` is one."""

    def done(self) -> bool: ...

    def result(self) -> list[Entry]:
        """The entries, once committed. May wait; raises JournalError when they cannot be stored."""

    def add_done_callback(self, call: Callable[[Any], object], /) -> None:
        """Call when it is over, at once if it is."""


class Appender(Protocol):
    def submit(self, drafts: Sequence[Draft], key: str) -> Saving:
        """Store in one transaction; a key already stored gives the stored entries. `journal.writer.Writer` is one."""


class Handles(Protocol):
    """Short names of entries. `journal.store.Store` is one."""

    def handle(self, entry: Entry | Ref) -> str: ...

    def find(self, handle: str) -> Entry | None: ...


class DeskSettings(Protocol):
    """What the desk reads of the configuration."""

    @property
    def people(self) -> Sequence[Person]: ...

    @property
    def severities(self) -> Sequence[Severity]: ...

    @property
    def command(self) -> Command: ...


Purger = Callable[[Ref, Author, str], Entry | Saving]
"""Destroys an entry's text and returns the PURGE entry, or what will have it; raises JournalError."""


class Question(msgspec.Struct, frozen=True):
    """Asked before anything is saved. Answer with `Desk.answer(token, reply)`; `wants` is the reply that means yes."""

    token: str
    sentence: str
    wants: str = "yes"


class ShowHelp(msgspec.Struct, frozen=True):
    verb: str = ""


class ListIncidents(msgspec.Struct, frozen=True):
    """`ids`, newest first."""

    ids: tuple[str, ...]


class Switched(msgspec.Struct, frozen=True):
    incident: str


class WriteReport(msgspec.Struct, frozen=True):
    """Export `incident`; `file` as typed, empty for one the caller names."""

    incident: str
    file: str = ""


class ListPlaybooks(msgspec.Struct, frozen=True):
    names: tuple[str, ...]


class OpenPlaybook(msgspec.Struct, frozen=True):
    """`run` is empty when it is only looked at, outside any incident."""

    name: str
    run: str = ""


class WriteHandoff(msgspec.Struct, frozen=True):
    """Write the briefing for `who`, who takes command of `incident` over."""

    incident: str
    who: str


class ReadFresh(msgspec.Struct, frozen=True):
    """Ask the watch for a reading now; `host` empty: all hosts."""

    host: str = ""


class Resend(msgspec.Struct, frozen=True):
    """Ask the watch to send an entry's messages again; `ref` None: all that were refused."""

    ref: Ref | None = None


class OfferLines(msgspec.Struct, frozen=True):
    """Lines for the prompt, one after the other, to be changed and entered."""

    lines: tuple[str, ...]


class OnScreen(msgspec.Struct, frozen=True):
    """A verb that only changes what one screen shows, with its argument as typed."""

    verb: str
    argument: str = ""


class Sweep(msgspec.Struct, frozen=True):
    """Show what is open of `incident`, each with the line that settles it."""

    incident: str


class Leave(msgspec.Struct, frozen=True):
    """Quit the screen."""


Effect = (
    ShowHelp
    | ListIncidents
    | Switched
    | WriteReport
    | WriteHandoff
    | ListPlaybooks
    | OpenPlaybook
    | ReadFresh
    | OfferLines
    | Resend
    | OnScreen
    | Sweep
    | Leave
)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of `line`. Exactly one of: something is being saved, there is a refusal, a question, an effect, or
    nothing at all (an empty line); an effect may come with something saved. A refusal or question means that nothing
    was saved and `line` belongs back in the prompt."""

    line: str
    saving: Saving | None = None
    drafts: tuple[Draft, ...] = ()
    """What is being saved."""
    refusal: str = ""
    question: Question | None = None
    effect: Effect | None = None
    notice: str = ""
    """What the writer should know besides: what was undone, what is still open, a claim."""
