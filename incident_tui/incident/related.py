"""Which incidents name the same host or volume: they may have to do with each other, or be one. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from incident_tui.incident.entry import Entry, Kind
from incident_tui.incident.views import Incident, TimelineRow

RECENT: Final = timedelta(days=3)
"""So long after its close an incident may still be where another came from."""
_LOOKED_AT: Final = 5_000
"""Rows of each incident that are looked at, the newest."""
_NAME: Final = re.compile(r"\w[\w.-]*(?<![.-])")


class Related(msgspec.Struct, frozen=True):
    incident: Incident
    shared: tuple[str, ...]
    """Hosts, volumes and sites that both name, sorted."""


def subjects(rows: Iterable[TimelineRow]) -> set[str]:
    """Hosts, volumes and sites that are named in a field of their own: by what is wrong, holds, commands, changes."""
    found: set[str] = set()
    for row in rows:
        if not row.struck:
            found |= _fields(row.entry)
    return found


def _fields(entry: Entry) -> set[str]:
    data = entry.data
    if entry.kind is Kind.LEASE or (entry.kind is Kind.OBSERVATION and data.get("level") == "ok"):
        return set()  # a lease names the bastion that watches
    names = [str(data.get("host", "")), str(data.get("target", ""))]
    if entry.kind is Kind.OBSERVATION:  # "gv0 web3:/b/gv0", "web2 drupal-a", "peer web3", "reliefweb"
        names.append(str(data.get("subject", "")).removeprefix("peer ").partition(" ")[0].partition("/")[0])
    return {name for name in names if name}


def named(texts: Iterable[str], known: Collection[str]) -> set[str]:
    """Those of the known names that stand in the texts as a word, whatever the case."""
    whole = {name.casefold(): name for name in known}
    return {whole[word] for text in texts for word in _NAME.findall(text.casefold()) if word in whole}


def related(
    texts: Sequence[str], rows: Sequence[TimelineRow], others: Iterable[Incident], now: datetime
) -> list[Related]:
    """Of the others, those open or lately closed that name a host, volume or site which these texts or rows name; most
    shared names first. `others` does not hold the incident itself, and duplicates stand in what they became part of."""
    candidates = [one for one in others if one.declared_at is not None and _recent(one, now)]
    theirs = [subjects(one.rows[-_LOOKED_AT:]) for one in candidates]
    mine = subjects(rows[-_LOOKED_AT:])
    known = mine.union(*theirs)
    mine |= named([*texts, *(row.said for row in rows[-_LOOKED_AT:] if not row.struck)], known)
    found = []
    for one, fields in zip(candidates, theirs, strict=True):
        texts_ = [one.title, *(row.said for row in one.rows[-_LOOKED_AT:] if not row.struck)]
        shared = mine & (fields | named(texts_, mine))
        if shared:
            found.append(Related(one, tuple(sorted(shared))))
    return sorted(found, key=lambda one: -len(one.shared))


def _recent(one: Incident, now: datetime) -> bool:
    duplicate = any(link.how == "duplicate" for link in one.links)
    return not duplicate and (one.closed_at is None or now - one.closed_at < RECENT)
