"""What `explain` is made of: sentences with levels, and the rules that need no more than one output. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from incident_tui.hosts import health
from incident_tui.hosts.readings import HostReading, Link, LinkState
from incident_tui.hosts.settings import Thresholds
from incident_tui.incident.finding import Level

HOST = "this output"


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong, or only worth knowing (ok), in one sentence."""

    level: Level
    sentence: str


Read = tuple[Iterable[Any], list[Said]]
"""The rows of an output, and what is to be said of them."""


def judged(host: HostReading, now: datetime, rules: str) -> list[Said]:
    """What the rules whose ids begin so find in a host that says nothing else."""
    found = health.findings([host], Thresholds(), now)
    return [
        Said(level=one.level, sentence=one.sentence.removeprefix(f"{HOST}: ").removeprefix(f"{HOST} "))
        for one in found
        if one.rule.startswith(rules)
    ]


def reading(now: datetime, **fields: Any) -> HostReading:
    """A host that said nothing but this."""
    link = Link(state=LinkState.UP, sentence="", since=now, at=now)
    return HostReading(host=HOST, at=now, link=link, **fields)


def count(number: int, what: str) -> str:
    """ "1 brick", "2 bricks"."""
    return f"{number} {what}{'s' * (number != 1)}"
