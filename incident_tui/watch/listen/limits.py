"""How many requests one peer may send in a time. Pure; the clock is monotonic.

A bad token uses up no more than a good one: who sends many bad ones through the same reverse proxy must not keep the
good ones out, and no token that is long enough is guessed at this rate.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

RATE: Final = (1_000.0, 200.0)
"""Requests of one address: so many at once, and so many a second. Behind a reverse proxy all come from one."""
_PEERS: Final = 1_000


class Limits:
    """A token bucket for each peer; of too many peers the one that was silent longest is forgotten."""

    def __init__(self, rate: tuple[float, float] = RATE) -> None:
        self._most, self._each = rate
        self._peers: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._peers)

    def allow(self, peer: str, now: float) -> bool:
        """Whether one more request of `peer` is looked at."""
        tokens, at = self._peers.pop(peer, (self._most, now))
        tokens = min(self._most, tokens + max(0.0, now - at) * self._each)
        allowed = tokens >= 1
        self._peers[peer] = (tokens - 1 if allowed else tokens, now)
        if len(self._peers) > _PEERS:
            self._peers.popitem(last=False)
        return allowed
