"""This watch's part of what all bastions read, worked out beside the pulse where it takes long.

20,000 hosts among 50 bastions are a million scores: about a second of a slow core. The watch goes on meanwhile, with
the part that it had.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Final

import msgspec

from incident_tui.replica.duty import State
from incident_tui.replica.shard import Division, Shards, division, grouped, unpacked

AT_ONCE: Final = 20_000
"""Names times bastions that are divided within a pulse; more take a thread."""

Pools = tuple[tuple[str, ...], ...]


class Wanted(msgspec.Struct, frozen=True):
    """What a division is made of. `unreached`: by journal what it said, as `shard.packed`."""

    state: State
    fellows: tuple[str, ...]
    pools: Pools
    unreached: tuple[tuple[str, str], ...] = ()


class Dividing:
    """For one event loop. `hosts` in the order in which bits stand for them; `sites` as site/NAME."""

    def __init__(self, me: str, hosts: Sequence[str], sites: Sequence[str]) -> None:
        self._me = me
        self._hosts = hosts
        self.names: Final = frozenset([*hosts, *sites])
        """All that is divided."""
        self.part = Division()
        self._groups = grouped(self.names, ())
        self._shards = Shards(set(self._groups.values()))
        self._last: Wanted | None = None
        self._running: tuple[Wanted, asyncio.Future[Division]] | None = None

    def step(self, wanted: Wanted) -> bool:
        """Whether it was divided anew; `part` may be what it was."""
        if wanted == self._last:
            return False
        part = self._worked_out(wanted)
        if part is None:
            return False
        self._last, self.part = wanted, part
        return True

    def _worked_out(self, wanted: Wanted) -> Division | None:
        """None while a thread is at it."""
        if wanted.state is State.ALONE:
            return Division(self.names, self.names)
        if wanted.state is State.JOINING:
            return Division()
        if self._running is not None:
            of, future = self._running
            if not future.done():
                return None
            self._running = None
            if of == wanted:
                return future.result()
        divide = partial(self._divide, wanted)
        if len(self.names) * len(wanted.fellows) <= AT_ONCE:
            return divide()
        self._running = wanted, asyncio.get_running_loop().run_in_executor(None, divide)
        return None

    def _divide(self, wanted: Wanted) -> Division:
        """Never two at a time."""
        groups = grouped(self.names, wanted.pools)
        if groups != self._groups:
            self._groups = groups
            self._shards.keep(set(groups.values()))
        self._shards.divide(wanted.fellows)
        unreached = {journal: unpacked(told, self._hosts) for journal, told in wanted.unreached}
        return division(self._shards, self._me, groups, unreached)
