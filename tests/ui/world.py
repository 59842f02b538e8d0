"""The made-up team at work: a journal and a board in a directory, or a view of them without any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from incident_tui.incident.entry import Author, Draft, Entry
from incident_tui.incident.state import Fold
from incident_tui.journal.board import Board, Row
from incident_tui.journal.presence import Present
from incident_tui.journal.store import Store
from incident_tui.journal.writer import WriterStatus
from incident_tui.ui.session import Session
from incident_tui.ui.view import Decoder, View, assemble, machines
from tests.ui.made_up import ANA, BOB, NOW, Hand, Here, Team, container, heals, healthy, outage, reading, story


class World:
    """A journal and a board in a directory, and sessions on them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.playbooks = directory / "playbooks"
        self.clock = Hand()
        self.team = Team()
        self.here = Here()
        self.sessions: list[Session] = []
        self._keys = 0

    def write(self, *drafts: Draft) -> list[Any]:
        """Append as another process would, each as it happens."""
        with Store.open(self.directory, clock=self.clock) as store:
            made = []
            for draft in drafts:
                self._keys += 1
                store.clock = Hand(draft.at)
                made += store.append([draft], key=f"key-{self._keys}")
            return made

    def full(self, rows: Mapping[str, msgspec.Struct] | None = None) -> None:
        """The story in the journal, and a board (the outage) beside it."""
        self.write(*story(self.clock.now))
        self.put(outage(self.clock.now) if rows is None else rows)

    def put(
        self,
        rows: Mapping[str, msgspec.Struct],
        drop: Sequence[str] = (),
        details: Mapping[str, msgspec.Struct] = {},
    ) -> None:
        """Put rows and details on the board as the watch would, and ring."""
        board = Board.open(self.directory, clock=self.clock, boot_clock=self.clock.boot)
        board.put(rows, epoch=1, drop=drop, details=details)
        board.close()

    healthy = staticmethod(healthy)
    outage = staticmethod(outage)
    story = staticmethod(story)
    bob = BOB

    def session(self, author: Author = ANA, **fields: Any) -> Session:
        ids = iter(f"id{number:08d}{author.name}" for number in range(10_000))
        values: dict[str, Any] = {
            "settings": self.team,
            "directory": self.directory,
            "author": author,
            "presence": self.here,
            "demo": False,
            "playbooks": [self.playbooks] if self.playbooks.is_dir() else [],
            "clock": self.clock,
            "boot": self.clock.boot,
            "new_id": lambda: f"{len(self.sessions)}{next(ids)}",
        }
        made = Session(**{**values, **fields})
        self.sessions.append(made)
        return made


JOURNAL = "0123456789abcdef"


class Kit:
    """What tests that need no directory use."""

    now = NOW
    ana = ANA
    bob = BOB
    journal = JOURNAL
    healthy = staticmethod(healthy)
    outage = staticmethod(outage)
    story = staticmethod(story)
    reading = staticmethod(reading)
    container = staticmethod(container)
    heals = staticmethod(heals)
    team = staticmethod(Team)
    here = staticmethod(Here)

    def entries(self, drafts: Sequence[Draft]) -> list[Entry]:
        """Entries as a journal would number them, recorded as they happened."""
        return [
            Entry(
                journal=JOURNAL,
                seq=number,
                kind=draft.kind,
                at=draft.at,
                recorded_at=draft.at,
                author=draft.author,
                text=draft.text,
                incident=draft.incident,
                source=draft.source,
                data=draft.data,
                ref=draft.ref,
            )
            for number, draft in enumerate(drafts, start=1)
        ]

    def view(
        self,
        rows: Mapping[str, msgspec.Struct],
        drafts: Sequence[Draft] = (),
        *,
        team: Team = Team(),  # noqa: B008
        now: datetime = NOW,
        when: Mapping[str, Sequence[str]] = {},
        **fields: Any,
    ) -> View:
        """The view of `now`, from a board that was put at NOW and the entries of `drafts`."""
        fold = Fold()
        for entry in self.entries(drafts):
            fold.apply(entry)
        incident = fold.newest_open()
        board = {key: Row(msgspec.json.encode(row), NOW, 1_000_000.0) for key, row in rows.items()}
        made = machines(Decoder().read(board), team, now, when)
        values: dict[str, Any] = {
            "now": now,
            "boot_now": 1_000_000 + (now - NOW).total_seconds(),
            "me": ANA,
            "incident": incident,
            "rows": incident.rows if incident is not None else (),
            "letters": {JOURNAL: "a"},
            "people": (Present("ana", True, 720.0), Present("bob", True, 300.0), Present("dan", False, 240.0)),
            "writer": WriterStatus(saved_at=now - timedelta(seconds=3)),
        }
        return assemble(made, team, **{**values, **fields})
