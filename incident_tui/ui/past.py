"""What a screen has read of all journals: the fold, its rows, how far. Made anew when something left a journal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from incident_tui.incident.entry import Kind, Ref
from incident_tui.incident.state import Fold
from incident_tui.journal.everything import START, came_late, copies_of
from incident_tui.journal.others import Copy
from incident_tui.journal.store import Store
from incident_tui.ui.shown_rows import ShownRows

CHUNK: Final = 2_000
"""Entries read at a time while the journal is opened, so that the screen answers meanwhile."""


class Past:
    """Read on one thread at a time."""

    def __init__(self) -> None:
        self.fold = Fold()
        self.rows = ShownRows(self.fold)
        self.here = START
        """How far the fold is."""
        self.copies: Sequence[Copy] = ()
        self.came: dict[Ref, datetime] = {}
        """What came late from another bastion, and when."""
        self.outdated = False
        """Texts went into an archive or came out of one, or a copy was forgotten, since the reading began: a fold only
        grows, so that this one has to be made anew."""
        self._began = self._edition = -1

    def read_all(self, store: Store) -> None:
        """All there is, and the costly first look at it. Raises JournalError."""
        while self.read(store):
            pass
        self.fold.incidents()

    def read(self, store: Store, limit: int = CHUNK) -> int:
        """Take the next entries, of this journal or of others'; how many. Raises JournalError."""
        edition = store.others.edition if store.others is not None else 0
        if self._began < 0:
            self._began, self._edition = store.head().seq, edition
        if edition != self._edition:
            # The file of the copies is made with the first of them: nothing went then.
            self.outdated, self._edition = self.outdated or self._edition != 0, edition
        entries, here = store.read_all(self.here, limit)
        for entry in entries:
            self.fold.apply(entry)
            self.rows.note(entry)
            if entry.kind is Kind.ARCHIVE and entry.journal == store.journal and entry.seq > self._began:
                self.outdated = True
        self.came |= came_late(store, entries, self.here, here)
        self.here, self.copies = here, copies_of(store)
        return len(entries)
