"""Many hosts on one screen: what is well stands together in one row a group, and so does what is not known, where that
is much; what is wrong stands alone. Pure.

A group is the part of the hosts' names before their number (web1 … web240), or, of names that are all different, their
role. Containers are grouped as their hosts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final

import msgspec

from incident_tui.hosts.readings import HostReading
from incident_tui.incident.finding import Level
from incident_tui.ui.status_row import StatusRow

FROM: Final = 30
"""More rows of a section and a level than these are grouped; fewer can be looked through."""
LEAST: Final = 3
"""Members of a group that are named by what their names begin with."""
_SECTIONS: Final = ("HOSTS", "CONTAINERS")
_WORDS: Final = {Level.OK: "ok", Level.UNKNOWN: "not known"}
_OTHERS: Final = "others"


def grouped(rows: Sequence[StatusRow], roles: Mapping[str, str]) -> list[StatusRow]:
    """The rows of the left pane, many of one kind in groups. `roles`: by host, its role for people."""
    alike: dict[tuple[str, Level], list[StatusRow]] = {}
    for row in rows:
        if row.section in _SECTIONS and row.level in _WORDS:
            alike.setdefault((row.section, row.level), []).append(row)
    many = {place: found for place, found in alike.items() if len(found) > FROM}
    out: list[StatusRow] = []
    for row in rows:
        if row.level is None or (row.section, row.level) not in alike or len(alike[row.section, row.level]) <= FROM:
            out.append(row)
        elif found := many.pop((row.section, row.level), None):
            out += [_row(name, of) for name, of in _named(found, roles).items()]
    return out


def members(key: str, rows: Sequence[StatusRow], roles: Mapping[str, str]) -> list[StatusRow]:
    """The rows that the group `key` stands for; of one that is well also those of the same name that are in trouble,
    which come first."""
    _, section, word, name = key.split("/", 3)
    level = Level(word)
    mine = [row for row in rows if row.section == section and row.level is not None]
    found = {row.key for row in _named([row for row in mine if row.level is level], roles).get(name, ())}
    return [
        row
        for row in mine
        if row.key in found or (level is Level.OK and row.level is not Level.OK and stem(_host(row)) == name)
    ]


def _named(rows: Iterable[StatusRow], roles: Mapping[str, str]) -> dict[str, list[StatusRow]]:
    """By name of the group, in the order of their first members; those without a number of their own are last."""
    found: dict[str, list[StatusRow]] = {}
    for row in rows:
        found.setdefault(stem(_host(row)), []).append(row)
    out = {name: of for name, of in found.items() if name and len(of) >= LEAST}
    for name, alone in found.items():
        if name not in out or alone is not out[name]:
            for row in alone:
                out.setdefault(roles.get(_host(row)) or _OTHERS, []).append(row)
    return out


def _row(name: str, of: Sequence[StatusRow]) -> StatusRow:
    first = of[0]
    if len(of) == 1 or first.level is None:
        return first
    count = sum(row.count for row in of)
    return msgspec.structs.replace(
        first,
        key=f"group/{first.section}/{first.level.value}/{name}",
        name=name,
        words=f"{count} {_WORDS[first.level]}",
        right=(),
        findings=tuple(one for row in of for one in row.findings),
        count=count,
    )


def _host(row: StatusRow) -> str:
    return row.key.split("/", 2)[1]


@lru_cache(maxsize=4096)
def stem(host: str) -> str:
    """ "web240" and "web-7.dc1" are "web"; the whole first label where it has no number; "" for an address."""
    label = host.partition(".")[0]
    found = re.match(r"[^0-9]*", label)
    return found[0].rstrip("-_") if found is not None else ""


def roles_of(hosts: Mapping[str, HostReading]) -> dict[str, str]:
    """By host, its roles as they were configured."""
    return {name: " ".join(reading.roles) for name, reading in hosts.items()}
