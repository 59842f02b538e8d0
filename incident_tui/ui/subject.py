"""Which host or container a person means: by the row that is chosen or open, or by name. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from incident_tui.hosts.readings import Container
from incident_tui.ui.view import View


class Subject(msgspec.Struct, frozen=True):
    """A host, or a container on it."""

    host: str
    container: Container | None = None

    @property
    def name(self) -> str:
        """For people: "web2", or "drupal-a on web2"."""
        return f"{shown_name(self.container)} on {self.host}" if self.container is not None else self.host


def shown_name(container: Container) -> str:
    return container.name or container.id[:12]


def of_row(key: str, view: View) -> Subject | None:
    """Of a row of the left pane; None when it is about something else."""
    sort, _, name = key.partition("/")
    host, _, ident = name.partition("/")
    if sort == "container":
        return next((one for one in _containers(view, host) if one.container and one.container.id == ident), None)
    return Subject(host) if sort in ("host", "docker", "gluster") and host in view.host_names else None


def named(argument: str, view: View) -> Subject | str:
    """By "HOST", "HOST CONTAINER" or a container's name alone; the sentence when it is none, or more than one."""
    first, _, rest = argument.partition(" ")
    if not rest and first in view.host_names:
        return Subject(first)
    hosts = [first] if rest else view.host_names
    wanted = rest.strip() or first
    if rest and first not in view.host_names:
        return f"There is no host {first}."
    found = [
        one
        for host in hosts
        for one in _containers(view, host)
        if one.container is not None and wanted in (one.container.name, one.container.id, one.container.id[:12])
    ]
    if len(found) == 1:
        return found[0]
    if found:
        return f"{wanted} runs on {' and '.join(one.host for one in found[:4])}: write the host before it."
    what = f"no container {wanted} on {first}" if rest else f"no host and no container {wanted}"
    return f"There is {what}; Tab completes names."


def _containers(view: View, host: str) -> Iterator[Subject]:
    reading = view.hosts.get(host)
    if reading is not None and reading.docker is not None:
        for container in reading.docker.containers:
            yield Subject(host, container)
