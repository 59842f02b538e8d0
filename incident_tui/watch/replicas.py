"""All ways to other bastions of one watch, while it holds the lease."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

import msgspec

from incident_tui.fleet.settings import Fleet
from incident_tui.incident.entry import Author
from incident_tui.incident.state import Fold
from incident_tui.journal.board import Row
from incident_tui.journal.store import Store
from incident_tui.replica.peers import Peers, Surroundings
from incident_tui.replica.rows import ReplicaRow
from incident_tui.replica.sync_settings import Sync
from incident_tui.watch.saving import Fenced

PREFIX: Final = "replica/"
"""Of their keys on the board."""


class Plan(Protocol):
    """What is read of the watch's plan."""

    @property
    def directory(self) -> Path: ...
    @property
    def fleet(self) -> Fleet: ...
    @property
    def sync(self) -> Sequence[Sync]: ...


class Replicas:
    """One holding of the lease."""

    def __init__(
        self,
        plan: Plan,
        saving: Fenced,
        fold: Fold,
        author: Author,
        board: Mapping[str, Row],
        clock: Callable[[], datetime],
    ) -> None:
        """`board` is what an earlier watch left. Raises JournalError."""
        self._peers: Peers | None = None
        if plan.sync:
            store = Store.open(plan.directory, clock=clock, create=False)
            around = Surroundings(store, plan.fleet, saving, author, lambda: _newest(fold), clock)
            self._peers = Peers(plan.sync, around, _rows(board))

    def tasks(self, group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        """Starts all there is to do; each runs until it is cancelled."""
        return [] if self._peers is None else self._peers.tasks(group)

    def rung(self) -> None:
        """Something may be new in the journal. Costs nothing worth counting."""
        if self._peers is not None:
            self._peers.rung()

    def rows(self) -> dict[str, ReplicaRow]:
        """For the board, by key."""
        return {} if self._peers is None else {PREFIX + name: row for name, row in self._peers.rows().items()}

    def close(self) -> None:
        if self._peers is not None:
            self._peers.close()


def keys(plan: Plan) -> set[str]:
    """On the board, of what is configured."""
    return {PREFIX + peer.name for peer in plan.sync}


def _newest(fold: Fold) -> str:
    newest = fold.newest_open()
    return newest.id if newest is not None else ""


def _rows(board: Mapping[str, Row]) -> dict[str, ReplicaRow]:
    """What can be read of them; another version may have written them."""
    found = {}
    for key, row in board.items():
        if key.startswith(PREFIX):
            try:
                found[key[len(PREFIX) :]] = msgspec.json.decode(row.body, type=ReplicaRow)
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue
    return found
