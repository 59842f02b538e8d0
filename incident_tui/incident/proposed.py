"""What the board knows of a playbook's variables: nobody types at 03:10 what stands beside the prompt.

A value is proposed only where all findings that suggest the playbook agree on it: of two bricks that are down nobody
guesses which is meant. It is shown to whoever plays, and `/set` changes it, before any command is run.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from incident_tui.incident.finding import Finding, Level

_SUBJECTS: Final = (
    ("docker.container-", r"(?P<container>\S+)"),
    ("disk.", r"(?P<place>/\S*)"),
    ("gluster.brick-", r"(?P<volume>\S+) \S+?:(?P<brick>/\S*)"),
    ("gluster.peer-", r"peer (?P<peer>\S+)"),
    ("gluster.quota", r"(?P<volume>\S+) /.*"),
    ("gluster.geo-replication", r"(?P<volume>\S+) \S+:/\S*"),
    ("gluster.self-heal-down", r"(?P<volume>\S+) \S+"),
    ("gluster.", r"(?P<volume>\S+)"),
)
"""By the beginning of a rule's id: what its subject names, after a host that it begins with. The first counts."""
_PLAIN: Final = re.compile(r"[A-Za-z0-9/_][\w./:@%+=-]*", re.ASCII)
"""What a value may look like. It comes from a host: whatever else is there is for a person to look at and type."""


def proposed(
    names: Collection[str], rules: Collection[str], findings: Sequence[Finding], sites: Mapping[str, str]
) -> dict[str, str]:
    """Values for those of the variables that the findings of these rules agree on, in the order of `names`; of a site
    or a pool of peers no host. What is wrong counts before what is unknown. `sites`: each one's address by its name."""
    fitting = [one for one in findings if one.rule in rules]
    wrong = [one for one in fitting if one.level is not Level.UNKNOWN] or fitting
    told = [_told(one, sites) for one in wrong]
    values = {name: {one[name] for one in told if name in one} for name in names}
    return {name: one.pop() for name, one in values.items() if len(one) == 1 and _PLAIN.fullmatch(next(iter(one)))}


def _told(finding: Finding, sites: Mapping[str, str]) -> dict[str, str]:
    """What one finding says of variables, by their names in playbooks."""
    if finding.rule.startswith("site."):
        url = sites.get(finding.subject, "")
        return {"url": url, "name": urlsplit(url).hostname or ""}
    host = {"host": finding.host} if finding.host else {}
    pattern = next((pattern for beginning, pattern in _SUBJECTS if finding.rule.startswith(beginning)), "")
    found = re.fullmatch(pattern, finding.subject.removeprefix(f"{finding.host} "))
    return host | (found.groupdict() if found is not None and finding.subject != finding.host else {})
