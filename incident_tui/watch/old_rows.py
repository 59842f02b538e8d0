"""What an earlier watch left on the board and this one has no place for."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from incident_tui.journal.board import Board
from incident_tui.watch.answers import Answer
from incident_tui.watch.outside import KEY as ALERTS
from incident_tui.watch.plan import Plan


def old_rows(plan: Plan, board: Board, histories: Iterable[str], more: Collection[str]) -> list[str]:
    """Keys of rows and details of what is no longer configured, and of answers to an earlier watch. `more`: rows that
    have a place besides those of hosts, sites, chat and rooms."""
    keep = {
        *(f"host/{host.name}" for host in plan.hosts),
        *(f"site/{site.name}" for site in plan.sites),
        *(f"chat/{sink.name}" for sink in plan.chat),
        *(f"room/{room.name}" for room in plan.outside.rooms),
        *more,
        ALERTS,
    }
    old = [key for key in board.read() if key != "watch" and key not in keep]
    kept = {f"raw/{host.name}" for host in plan.hosts} | {f"history/{key}" for key in keep}
    details = [*board.details("raw/", msgspec.Raw), *histories]
    here = ("history/volume/", *(f"history/container/{host.name}/" for host in plan.hosts))
    old += [key for key in details if key not in kept and not key.startswith(here)]
    return [*old, *board.details("asked/", Answer)]
