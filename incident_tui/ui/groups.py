"""Many hosts on one screen: what is well stands together in one row a group, what is not stands alone. Pure.

A group is the part of the hosts' names before their number (web1 … web240), or, of names that are all different, their
role. Containers are grouped as their hosts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final

from incident_tui.hosts.readings import HostReading
from incident_tui.incident.finding import Level
from incident_tui.ui.status_row import StatusRow

FROM: Final = 30
"""So many rows of a section that are well are grouped; fewer can be looked through."""
LEAST: Final = 3
"""Members of a group that are named by what their names begin with."""
_GROUPED: Final = ("HOSTS", "CONTAINERS")
_OTHERS: Final = "others"


def grouped(rows: Sequence[StatusRow], roles: Mapping[str, str]) -> list[StatusRow]:
    """The rows of the left pane, those that are well in groups. `roles`: by host, its role for people."""
    out = [row for row in rows if row.section not in _GROUPED or row.level is not Level.OK]
    for section in _GROUPED:
        well = [row for row in rows if row.section == section and row.level is Level.OK]
        if len(well) > FROM:
            well = [_row(section, name, members) for name, members in _named(well, roles).items()]
        at = 1 + max((index for index, row in enumerate(out) if row.section == section), default=len(out) - 1)
        out[at:at] = well
    return out


def members(key: str, rows: Sequence[StatusRow], roles: Mapping[str, str]) -> list[StatusRow]:
    """The rows that the group `key` stands for, and those of the same name that are in trouble, which come first."""
    _, section, name = key.split("/", 2)
    mine = [row for row in rows if row.section == section and row.level is not None]
    named = _named([row for row in mine if row.level is Level.OK], roles)
    well = {row.key for row in named.get(name, ())}
    return [row for row in mine if row.key in well or (row.level is not Level.OK and stem(_host(row)) == name)]


def _named(well: Iterable[StatusRow], roles: Mapping[str, str]) -> dict[str, list[StatusRow]]:
    """By name of the group, in the order of their first members; those without a number of their own are last."""
    found: dict[str, list[StatusRow]] = {}
    for row in well:
        found.setdefault(stem(_host(row)), []).append(row)
    out = {name: rows for name, rows in found.items() if name and len(rows) >= LEAST}
    for name, rows in found.items():
        if name not in out or rows is not out[name]:
            for row in rows:
                out.setdefault(roles.get(_host(row)) or _OTHERS, []).append(row)
    return out


def _row(section: str, name: str, of: Sequence[StatusRow]) -> StatusRow:
    first = of[0]
    if len(of) == 1:
        return first
    count = sum(row.count for row in of)
    words = f"{count} ok"
    return StatusRow(
        section, f"group/{section}/{name}", Level.OK, name, words, count=count, width=first.width, look=first.look
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
