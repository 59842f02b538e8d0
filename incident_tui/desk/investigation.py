"""One look at how a host or a container does, as the text of one evidence entry. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from incident_tui.hosts.judge import size
from incident_tui.hosts.raw import RawSection
from incident_tui.hosts.readings import Container
from incident_tui.text import REDACTED, TEXT_LIMIT, sanitise


def head(host: str, name: str, at: datetime) -> str:
    """The first line, by which the entry is found again; `name` is a container's, or empty."""
    return f"performance of {f'{name} on ' if name else ''}{host} at {at:%Y-%m-%d %H:%M:%SZ}"


def investigation(host: str, sections: Sequence[RawSection], at: datetime, container: Container | None = None) -> str:
    """What was printed, within the size of one entry. Each section keeps its beginning; what is left out is said. Of a
    container its own reading comes first, and of `docker stats` its own line."""
    parts = [head(host, container.name or container.id[:12] if container is not None else "", at)]
    if container is not None:
        parts.append("== container\n" + "\n".join(_own(container)))
    room = (TEXT_LIMIT - sum(map(len, parts)) - 20) // max(1, len(sections)) - 80
    hidden = 0
    for section in sections:
        body = _stats_of(section.text, container) if section.name == "stats" and container is not None else section.text
        hidden += body.count(REDACTED)
        if section.timed_out:
            body = f"{body}\nno answer within its limit".strip()
        elif section.rc and not body:
            body = f"not available (status {section.rc})"
        kept = body[:room].rpartition("\n")[0] if len(body) > room else body
        left = body[len(kept) :].count("\n")
        parts.append(f"== {section.name}\n{kept}" + (f"\n… {left} more lines left out" if left else ""))
    if hidden:
        parts.append(f"({hidden} redacted)")
    return sanitise("\n".join(parts), lines=True)


def _own(container: Container) -> Iterator[str]:
    yield f"{container.id[:12]} {container.image} {container.state}".rstrip()
    yield f"restarts {container.restart_count}, {container.restarts_recent} in 10 min"
    if container.cpu_percent is not None:
        yield f"processor {container.cpu_percent:.1f}% of one"
    memory = container.memory
    if memory is not None:
        limit = f"limit {size(memory.limit)}" if memory.limit else "no limit"
        kills = f", {memory.oom_kills} killed for memory" if memory.oom_kills else ""
        yield f"memory working set {size(memory.working_set)}, usage {size(memory.usage)}, {limit}{kills}"


def _stats_of(body: str, container: Container) -> str:
    """Its line and the head of the table; all of it where no line is its own."""
    first, *rows = body.split("\n")
    names = {container.name, container.id, container.id[:12]} - {""}
    mine = [row for row in rows if names & set(row.split())]
    return "\n".join([first, *mine]) if mine else body
