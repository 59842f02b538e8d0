"""A finding: one sentence about one subject, with its level, its evidence and the time of that evidence."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class Level(StrEnum):
    """How bad. `UNKNOWN` is never shown as well: it means that we could not ask, or that the answer is too old."""

    OK = "ok"
    UNKNOWN = "unknown"
    WARN = "warn"
    CRIT = "crit"

    @property
    def rank(self) -> int:
        """0 ok, 1 unknown, 2 warn, 3 crit: trouble sorts first by descending rank."""
        return _RANK[self]


_RANK = {Level.OK: 0, Level.UNKNOWN: 1, Level.WARN: 2, Level.CRIT: 3}


def worst(levels: list[Level]) -> Level:
    """The worst of them; of none, UNKNOWN, because nothing was read."""
    return max(levels, key=lambda level: level.rank, default=Level.UNKNOWN)


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a rule concluded.

    `rule` is stable and public (playbooks name it in `when`), e.g. "gluster.brick-down". `(rule, subject)` is its
    identity over time. `sentence` is complete and sanitised. `at` is when the evidence was read, not when the rule
    ran. `host` is where it was read, empty for the fleet as a whole. Rules emit findings for what is wrong or not
    known; the absence of a finding means OK only while the reading behind it is fresh.
    """

    rule: str
    level: Level
    subject: str
    sentence: str
    at: datetime
    host: str = ""
    evidence: str = ""
    """The reading behind it, e.g. "volume status gv0: brick web3:/b/gv0 status 0"."""

    @property
    def key(self) -> tuple[str, str]:
        return (self.rule, self.subject)
