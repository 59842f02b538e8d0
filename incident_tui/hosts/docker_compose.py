"""`docker-compose ps` of version 1, which printed a table of its own. Pure. (Version 2 prints one like `docker ps`.)"""

from __future__ import annotations

import re

from incident_tui import text
from incident_tui.hosts.docker_tables import parse_status
from incident_tui.hosts.errors import garbled
from incident_tui.hosts.readings_docker import Container

HEAD = r"^[ \t]*Name +Command +State\b"


def parse_ps(body: str) -> tuple[Container, ...]:
    """Its headings stand in the middle of their columns, which are three blanks apart. A cell that is too long goes on
    below, where its beginning no longer says anything: a state cut so is "unknown". Raises Unreadable."""
    lines = body.splitlines()
    start = next((n for n, line in enumerate(lines) if re.match(HEAD, line)), None)
    if start is None:
        raise garbled("docker-compose ps")
    out = []
    for line in lines[start + 1 :]:
        if not line.strip() or line.startswith(" ") or re.fullmatch(r"-+", line.strip()):
            continue
        name, _, rest = line.strip().partition("   ")
        row = re.split(r" {3,}", rest.strip())
        if not rest or len(row) < 2:
            raise garbled("docker-compose ps")
        status = parse_status(row[1])
        name, code = text.sanitise(name, limit=200), status.exit_code or 0
        out.append(Container(id=name, name=name, state=status.state, health=status.health, exit_code=code))
    return tuple(out)
