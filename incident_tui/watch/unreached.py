"""Which hosts this bastion cannot reach, so that another reads them. Pure; `now` is seconds of a steady clock.

A host is one of them when so many tries in a row failed, whatever the reason, but for a host key that changed: that is
for a person to see and not to go around. From then on it is tried again each `retry` seconds, beside whoever reads it,
and it is reached again when a connection has held for a while: one that comes and goes moves nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import msgspec

from incident_tui.hosts.readings import Link, LinkState

TRIES: Final = 3
"""Failed in a row: with the pauses of `fleet.host` within seconds of a refusal, half a minute of silence."""
HELD: Final = 15.0
"""Seconds for which a connection must have held."""
AT_ONCE: Final = 20
"""Hosts tried again at the same time."""
_LONGEST: Final = 60.0
"""Seconds of one try; what says nothing for so long is not reached."""
_NOTHING_YET: Final = (LinkState.NEVER, LinkState.CONNECTING)


class _One(msgspec.Struct):
    failed: int = 0
    last: Link | None = None
    said: bool = False
    """That it is not reached."""
    again: float = 0.0
    """When it is tried again."""
    tried: float | None = None
    """Since when it is being tried."""
    up: float | None = None
    """Since when it is connected."""


class Unreached:
    """Of one watch."""

    def __init__(self, retry: float) -> None:
        self._retry = retry
        self._hosts: dict[str, _One] = {}

    def heard(self, host: str, link: Link, now: float) -> None:
        """The connection of this watch, as it is now; what others read is none of its business."""
        one = self._hosts.get(host)
        if link.state is LinkState.UP:
            if one is not None and one.said:
                one.up = now if one.up is None else one.up
            else:
                self._hosts.pop(host, None)
            return
        if link.state in _NOTHING_YET or link.state is LinkState.HOST_KEY_CHANGED:
            return
        one = self._hosts.setdefault(host, _One())
        if one.last == link:
            return  # said once more
        one.last = link
        one.failed += 1
        if one.failed >= TRIES and not one.said:
            one.said, one.again = True, now + self._retry
        self._failed(one, now)

    def _failed(self, one: _One, now: float) -> None:
        one.up = None
        if one.tried is not None:
            one.tried, one.again = None, now + self._retry

    def step(self, reads: Collection[str], now: float) -> frozenset[str]:
        """What is not reached. `reads`: what this watch reads all the time, so that it needs no other try."""
        for host, one in list(self._hosts.items()):
            if one.up is not None and now - one.up >= HELD:
                del self._hosts[host]
            elif one.tried is not None and (host in reads or (one.up is None and now - one.tried > _LONGEST)):
                one.tried, one.again = None, now + self._retry
        trying = sum(one.tried is not None for one in self._hosts.values())
        for host, one in self._hosts.items():
            if trying < AT_ONCE and one.said and one.tried is None and now >= one.again and host not in reads:
                one.tried = now
                trying += 1
        return frozenset(host for host, one in self._hosts.items() if one.said)

    @property
    def why(self) -> dict[str, str]:
        """Of what is not reached, by name: the sentence of the last try."""
        return {host: one.last.sentence for host, one in self._hosts.items() if one.said and one.last is not None}

    @property
    def tries(self) -> frozenset[str]:
        """What is to be tried now, beside whoever reads it."""
        return frozenset(host for host, one in self._hosts.items() if one.tried is not None)
