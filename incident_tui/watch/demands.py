"""Carries out what screens ask of a host: one at a time for each host and word, a bounded number together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, Protocol

from incident_tui.fleet.ssh import LinkFailure
from incident_tui.hosts.readings import HostReading, LinkState
from incident_tui.hosts.sections import Section
from incident_tui.watch.answers import KEPT, SECONDS, Answer, answer, known

AT_ONCE: Final = 16
"""Hosts that are asked together: "what changed" is asked of all of them."""


CONNECTS_WITHIN: Final = 15.0
"""Seconds in which a watch that has just begun tries a host for the first time."""
_LOOK: Final = 0.2


class Asked(Protocol):
    """A host that can be asked. `fleet.host.HostLink` is one."""

    @property
    def reading(self) -> HostReading: ...

    async def demand(self, words: list[str], seconds: float) -> tuple[Section, ...]: ...


class Demands:
    """`run()` until cancelled. `came()` is called on the event loop whenever there is something to `take`."""

    def __init__(self, hosts: Mapping[str, Asked], clock: Callable[[], datetime], came: Callable[[], None]) -> None:
        self._hosts = hosts
        self._clock = clock
        self._came = came
        self._waiting: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self._under_way: set[tuple[str, str]] = set()
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._fresh: dict[str, Answer] = {}
        self._shown: dict[str, datetime] = {}

    def ask(self, host: str, word: str) -> None:
        """Ask it, unless that is under way already: then its answer is for both."""
        if known(word) and (host, word) not in self._under_way:
            self._under_way.add((host, word))
            self._waiting.put_nowait((host, word))

    def take(self) -> dict[str, Answer]:
        """The answers since the last call, by their key on the board."""
        fresh, self._fresh = self._fresh, {}
        self._shown |= {key: one.at for key, one in fresh.items()}
        return fresh

    def over(self, now: datetime) -> list[str]:
        """Keys of answers that are too old to be shown; each is named once."""
        old = [key for key, at in self._shown.items() if not at <= now < at + KEPT]
        for key in old:
            del self._shown[key]
        return old

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                group.create_task(self._one(*await self._waiting.get()))

    async def _one(self, host: str, word: str) -> None:
        try:
            async with self._at_once:
                found = await self._answer(host, word)
        finally:
            self._under_way.discard((host, word))
        self._fresh[found.key] = found
        self._came()

    async def _answer(self, host: str, word: str) -> Answer:
        link = self._hosts.get(host)
        if link is None:
            return self._failed(host, word, f"{host}: this watch does not read it")
        await _tried(link)
        try:
            sections = await link.demand([f"asked:{word}"], SECONDS)
        except LinkFailure as failure:
            return self._failed(host, word, failure.sentence)
        except TimeoutError:
            return self._failed(host, word, f"{host}: no answer within {SECONDS:.0f} s")
        # Long texts are searched for secrets: not on the loop that keeps the lease.
        return await asyncio.to_thread(answer, host, word, sections, link.reading, self._clock())

    def _failed(self, host: str, word: str, sentence: str) -> Answer:
        return Answer(host=host, word=word, at=self._clock(), problem=sentence)


async def _tried(link: Asked) -> None:
    """What was asked before the watch began is asked once the host has been tried."""
    for _ in range(int(CONNECTS_WITHIN / _LOOK)):
        if link.reading.link.state not in (LinkState.NEVER, LinkState.CONNECTING):
            return
        await asyncio.sleep(_LOOK)
