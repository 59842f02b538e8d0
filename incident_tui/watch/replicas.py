"""All ways to other bastions of one watch, while it holds the lease."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

import msgspec

from incident_tui.fleet.settings import Fleet, Host
from incident_tui.incident.entry import Author, Draft
from incident_tui.incident.state import Fold
from incident_tui.journal.board import Row
from incident_tui.journal.store import Store
from incident_tui.replica.jetstream import JetStream
from incident_tui.replica.peers import Peers, Surroundings
from incident_tui.replica.rows import ReplicaRow, ways
from incident_tui.replica.settings import NATS, Replica
from incident_tui.replica.sync_settings import Sync
from incident_tui.text import where
from incident_tui.watch.saving import Fenced
from incident_tui.watch.settings import Site
from incident_tui.watch.together import Together

log = logging.getLogger("incident_tui.watch")

PREFIX: Final = "replica/"
"""Of their keys on the board."""
_AGAIN: Final = 30.0


class Plan(Protocol):
    """What is read of the watch's plan."""

    @property
    def directory(self) -> Path: ...
    @property
    def fleet(self) -> Fleet: ...
    @property
    def sync(self) -> Sequence[Sync]: ...
    @property
    def replica(self) -> Replica: ...
    @property
    def letter(self) -> str: ...


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
        self.jetstream: JetStream | None = None
        """Others may join its connection before `tasks`."""
        self._defect = ""
        self._clock = clock
        if plan.replica.servers:

            def save(draft: Draft, key: str) -> None:
                saving.each([(draft, key)])

            with Store.open(plan.directory, letter=plan.letter, clock=clock, create=False) as own:
                self.jetstream = JetStream(plan.replica, own, clock, save, author, lambda: _newest(fold))
        if plan.sync:
            store = Store.open(plan.directory, clock=clock, create=False)
            around = Surroundings(store, plan.fleet, saving, author, lambda: _newest(fold), clock)
            self._peers = Peers(plan.sync, around, _rows(board))

    def together(self, hosts: Sequence[Host], sites: Sequence[Site], store: Store) -> Together | None:
        """With the watches of other bastions, over the cluster; None where none is configured. Before `tasks`."""
        if self.jetstream is None:
            return None
        return Together(self.jetstream.settings, self.jetstream.connection, store, hosts, sites, self._clock)

    def published(self) -> int:
        """The last own entry that the cluster is known to have."""
        return self.jetstream.publisher.done if self.jetstream is not None else 0

    def tasks(self, group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        """Starts all there is to do; each runs until it is cancelled."""
        tasks = [] if self._peers is None else self._peers.tasks(group)
        if self.jetstream is not None:
            tasks.append(group.create_task(self._keep(self.jetstream), name="replica over nats"))
        return tasks

    async def _keep(self, jetstream: JetStream) -> None:
        """A defect of ours there must not end the watch."""
        while True:
            try:
                await jetstream.run()
            except Exception as error:
                log.error("a defect of incident-tui: replica over nats: %s", where(error))
                self._defect = "entries do not go and come: a defect of incident-tui, see the log"
            await asyncio.sleep(_AGAIN)
            self._defect = ""

    def rung(self) -> None:
        """Something may be new in the journal. Costs nothing worth counting."""
        if self._peers is not None:
            self._peers.rung()
        if self.jetstream is not None:
            self.jetstream.rung()

    def rows(self) -> dict[str, ReplicaRow]:
        """For the board, by key."""
        rows = {} if self._peers is None else {PREFIX + name: row for name, row in self._peers.rows().items()}
        if self.jetstream is not None:
            row = self.jetstream.row
            rows[PREFIX + NATS] = msgspec.structs.replace(row, problem=self._defect) if self._defect else row
        return rows

    def close(self) -> None:
        """Waits for what is being written."""
        if self.jetstream is not None:
            self.jetstream.close()
        if self._peers is not None:
            self._peers.close()


def keys(plan: Plan) -> set[str]:
    """On the board, of what is configured."""
    return {PREFIX + name for name in ways(plan.sync, plan.replica)}


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
