"""Docker's and podman's sections of one host in, its containers out: restarts counted over ten minutes, since when each
state stands, which pid was which container. Pure, one `Containers` a host.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

import msgspec

from incident_tui.hosts import cgroups, docker
from incident_tui.hosts.errors import Unreadable, garbled
from incident_tui.hosts.readings import Container, ContainerMemory, Docker
from incident_tui.hosts.sections import Section

RESTART_WINDOW = timedelta(minutes=10)
STOP_WINDOW = timedelta(seconds=120)
_REMEMBERED_PIDS = 2000


class Containers:
    """Remembers what rules need over time. `pids`: pid -> container id, also of containers that ended since."""

    def __init__(self) -> None:
        self.pids: dict[int, str] = {}
        self.polled = False
        """The events cannot be followed: `Docker.polled`."""
        self._memories: dict[str, ContainerMemory] = {}
        self._cpu: dict[str, tuple[float, float]] = {}
        self._cpu_percent: dict[str, float] = {}
        self._restarts: dict[str, deque[tuple[datetime, int]]] = {}
        self._states: dict[str, tuple[str, datetime]] = {}
        self._stops: dict[str, datetime] = {}

    def event(self, event: docker.Event, at: datetime) -> None:
        """A stop or kill by the API explains the exit code that follows."""
        if event.action in ("stop", "kill"):
            self._stops[event.id] = at
            self._stops = {key: when for key, when in self._stops.items() if at - when < STOP_WINDOW}

    def heard(self, known: Docker, event: docker.Event) -> Docker:
        """The same containers with what an event says of one, before inspect confirms it. The reading's time stays: an
        event says nothing of the others. An end without its code (1.6) is no end that is well."""
        code = event.exit_code

        def after(container: Container) -> Container:
            match event.action:
                case "die":
                    return msgspec.structs.replace(
                        container,
                        state="exited",
                        health="",
                        pid=0,
                        exit_code=-1 if code is None else code,
                        error="its exit code is not read yet" if code is None else "",
                        stopped_on_purpose=any(event.id.startswith(key) for key in self._stops),
                    )
                case "oom":
                    return msgspec.structs.replace(container, oom_killed=True)
                case "pause":
                    return msgspec.structs.replace(container, state="paused")
            return container  # what is said to be well again waits for inspect

        return msgspec.structs.replace(
            known,
            containers=tuple(
                after(each) if event.id and each.id.startswith(event.id) else each for each in known.containers
            ),
        )

    def take_cgroups(self, body: str, total: int, uptime: float | None, at: datetime) -> None:
        """Section cgroup. `total`: the host's memory; `uptime`: its own clock, by which processor time is counted."""
        self._memories |= cgroups.parse_memory(body, total, at)
        self._cpu_percent = {}
        if uptime is None:
            return
        for identity, spent in cgroups.parse_cpu(body).items():
            before = self._cpu.get(identity)
            self._cpu[identity] = (uptime, spent)
            if before is not None and uptime > before[0] and spent >= before[1]:  # less: it was started anew
                self._cpu_percent[identity] = 100.0 * (spent - before[1]) / (uptime - before[0])

    def with_cgroups(self, known: Docker) -> Docker:
        """The same containers with the cgroups read last."""
        return msgspec.structs.replace(known, containers=tuple(self._measured(each) for each in known.containers))

    def _measured(self, container: Container) -> Container:
        return msgspec.structs.replace(
            container,
            memory=self._memories.get(container.id) if container.pid else None,
            cpu_percent=self._cpu_percent.get(container.id) if container.pid else None,
        )

    def take(self, by: dict[str, Section], version: str, before: Docker | None, at: datetime) -> Docker:
        """Sections docker-ps and docker-inspect. Raises Unreadable."""
        ids = docker.parse_ids(by["docker-ps"])
        if not ids:
            return Docker(at=at, version=version, containers=(), polled=self.polled)
        inspect = by.get("docker-inspect")
        if inspect is None:
            raise garbled("docker inspect")
        try:  # a container that went away between ps and inspect makes rc 1 and leaves the rest whole
            found = docker.parse_inspect(inspect.body)
        except Unreadable:
            raise docker.trouble(inspect) or garbled("docker inspect") from None
        if inspect.timed_out or inspect.cut:
            raise docker.trouble(inspect) or garbled("docker inspect")
        found = docker.with_missing(found, ids, inspect.body)
        for container in found:
            if container.pid:
                self.pids[container.pid] = container.id
        while len(self.pids) > _REMEMBERED_PIDS:
            del self.pids[next(iter(self.pids))]
        live = {container.id for container in found}
        for store in (self._restarts, self._states, self._memories, self._cpu):
            for gone in [key for key in store if key not in live]:
                del store[gone]
        containers = tuple(self._container(each, before, at) for each in found)
        return Docker(at=at, version=version, containers=containers, polled=self.polled)

    def _container(self, container: Container, before: Docker | None, at: datetime) -> Container:
        history = self._restarts.setdefault(container.id, deque(maxlen=200))
        if history and container.restart_count < history[-1][1]:
            history.clear()  # `docker start` sets the count back
        history.append((at, container.restart_count))
        while len(history) > 1 and at - history[0][0] > RESTART_WINDOW:
            history.popleft()
        state, since = self._states.get(container.id, ("", at))
        if state != container.state:
            since = at
        self._states[container.id] = (container.state, since)
        stopped = next((when for key, when in self._stops.items() if container.id.startswith(key)), None)
        previous = _previous(before, container.id)
        return msgspec.structs.replace(
            self._measured(container),
            restarts_recent=container.restart_count - history[0][1],
            state_since=since,
            stopped_on_purpose=container.state == "exited"
            and (stopped is not None or bool(previous and previous.state == "exited" and previous.stopped_on_purpose)),
        )


def _previous(before: Docker | None, identity: str) -> Container | None:
    return next((container for container in (before.containers if before else ()) if container.id == identity), None)
