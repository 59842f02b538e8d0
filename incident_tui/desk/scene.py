"""What the desk knows when a line is entered, and what it decides to do about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from incident_tui.desk import outcome as o
from incident_tui.incident.entry import Author, Draft, Entry, Kind, Ref, Seen

if TYPE_CHECKING:
    from incident_tui.incident.playbook import Playbook
    from incident_tui.incident.state import Fold
    from incident_tui.incident.views import Incident


class No(Exception):
    """The line cannot be carried out; `sentence` says why and what would do."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Order(msgspec.Struct, frozen=True):
    """What a line comes to. `choose` is the incident to work in from now on, None for no change."""

    drafts: tuple[Draft, ...] = ()
    effect: o.Effect | None = None
    notice: str = ""
    question: str = ""
    choose: str | None = None
    key: str = ""
    """What it is saved under, where only one may say it; empty: the line's own."""
    told: Callable[[Entry], str] | None = None
    """With `key`: the sentence for whoever comes second, from what was stored first."""


class Scene(msgspec.Struct, frozen=True):
    """What the desk knew when the line was entered.

    `working` is the id of the incident in force, empty when there is none; a plain line needs no more of the past.
    `past` gives the fold, which may have to be made first. `mine`: the author's entries of this session, oldest first.
    """

    working: str
    past: Callable[[], Fold]
    author: Author
    now: datetime
    source: str
    seen: Seen | None
    mine: tuple[Ref, ...]
    unsaved: bool
    handles: o.Handles
    settings: o.DeskSettings
    new_id: Callable[[], str]
    playbooks: Callable[[], Mapping[str, Playbook]]
    proposed: Callable[[Playbook], Mapping[str, str]] = lambda book: {}
    """What the board knows of a playbook's variables, and as "host" where what suggests it is."""
    playing: str = ""
    """The playbook that was opened last at this desk."""

    @property
    def me(self) -> str:
        return self.author.name

    @property
    def fold(self) -> Fold:
        return self.past()

    @property
    def incident(self) -> Incident | None:
        return self.fold.incident(self.working) if self.working else None

    def needed(self) -> Incident:
        incident = self.incident
        if incident is None:
            raise No("No incident is open: /declare TITLE opens one.")
        return incident

    def which(self, typed: str) -> str:
        """The id of the incident meant by part of it. Raises No."""
        ids = [one.id for one in self.fold.incidents()]
        folded = typed.casefold()
        found = [one for one in ids if one.casefold() == folded] or [one for one in ids if folded in one.casefold()]
        if len(found) == 1:
            return found[0]
        if found:
            raise No(f"{typed!r} could be {' or '.join(found[:4])}.")
        raise No(f"There is no incident {typed!r}. /incident lists them.")

    def find(self, handle: str) -> Entry:
        found = self.handles.find(handle)
        if found is None:
            raise No(f"There is no entry {handle}.")
        return self.fold.get(found.id) or found

    def handle(self, ref: Ref) -> str:
        return self.handles.handle(ref)

    def draft(
        self,
        kind: Kind,
        text: str,
        at: datetime,
        data: dict[str, Any] | None = None,
        *,
        ref: Ref | None = None,
        incident: str | None = None,
    ) -> Draft:
        if incident is None:
            incident = self.working
        return Draft(
            kind=kind,
            text=text,
            at=at,
            author=self.author,
            incident=incident,
            source=self.source,
            data=data or {},
            ref=ref,
            seen=self.seen,
        )
