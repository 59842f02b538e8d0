"""What the board says of each way to other bastions, "replica/NAME" -> ReplicaRow, and what is wrong by it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from incident_tui.incident.finding import Finding, Level
from incident_tui.replica.settings import NATS, Replica
from incident_tui.replica.sync_settings import Sync

REPLICA_RULES: Final = {
    "replica.apart": "entries do not go to another bastion, nor come from there",
    "replica.unsent": "own entries have not left this bastion for a while",
    "replica.refused": "what came from another bastion was refused: altered on its way, or a journal that forked",
}
"""Rule ids of this module, with what they mean; playbooks name them in `when`."""
_UNSENT: Final = timedelta(minutes=1)


class ReplicaRow(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one way: a bastion over SSH, or a cluster of servers."""

    name: str
    way: str
    """ssh or jetstream."""
    at: datetime
    problem: str = ""
    """Why entries do not go both ways, in one sentence without any secret; empty when they do."""
    since: datetime | None = None
    """Since when that is so, or entries go both ways."""
    reached: bool = False
    """Whether it answers; a problem is then about what goes to and fro."""
    reached_at: datetime | None = None
    """When it last answered; renewed now and then."""
    detail: str = ""
    """Of whom it is: the letter of the bastion's journal, or the server that is connected."""
    waiting: int = 0
    """Own entries that the other side is not known to have."""
    waiting_since: datetime | None = None
    pending: int | None = None
    """Entries that are there and not here yet; None when that is not known."""
    refused: str = ""
    """The last thing that came and was not taken, and why."""


def ways(sync: Sequence[Sync], replica: Replica) -> list[str]:
    """The names of all that are configured."""
    return [*(peer.name for peer in sync), *([NATS] if replica.servers else [])]


def unsaid(name: str, now: datetime) -> ReplicaRow:
    """Of a way that the watch never said anything of."""
    return ReplicaRow(name=name, way="jetstream" if name == NATS else "ssh", at=now, problem="not reached yet")


def replica_findings(names: Sequence[str], rows: Mapping[str, ReplicaRow], now: datetime) -> list[Finding]:
    """Ways that entries do not go now: what is written on the other side is not known here."""
    found = []
    for name in names:
        row = rows.get(name)
        if row is None:
            found.append(Finding("replica.apart", Level.UNKNOWN, name, f"{name}: not reached yet", now))
        elif row.problem:
            at = row.since if row.reached else row.reached_at or row.since
            since = f" since {at:%H:%MZ}" if at is not None else ""
            state = "not all entries go to and fro" if row.reached else "not reached"
            problem = row.problem.removeprefix(f"{name}: ")
            sentence = f"{name}: {state}{since}: {problem}"
            found.append(Finding("replica.apart", Level.UNKNOWN, name, sentence, row.at))
        elif row.waiting_since is not None and now - row.waiting_since > _UNSENT:
            sentence = f"{name}: {row.waiting} entries have not left this bastion since {row.waiting_since:%H:%MZ}"
            found.append(Finding("replica.unsent", Level.WARN, name, sentence, row.at))
        if row is not None and row.refused:
            found.append(Finding("replica.refused", Level.WARN, name, f"{name}: {row.refused}", row.at))
    return found
