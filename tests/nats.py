"""A real cluster of NATS servers on loopback with JetStream: Debian's nats-server. Its routes go through relays, so
that the nodes can be parted from each other; so do clients that ask for it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import nats
import pytest

from incident_tui.replica.settings import Replica
from tests.clocks import Clock
from tests.relay import Relay

READY_SECONDS: Final = 60.0


_given: set[int] = set()


def quiet_port() -> int:
    """A free port of 127.0.0.1 below those that the kernel gives to whoever does not care: while
    a node is down nobody else shall get its port, not even somebody who connects to it. Never one for the second time:
    nobody listens yet on what was given."""
    while True:
        port = random.randrange(20_000, 32_000)
        if port in _given:
            continue
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            _given.add(port)
            return port


class Node:
    """One server. `kill` is SIGKILL, `pause` and `go_on` are SIGSTOP and SIGCONT; `start` keeps its data."""

    def __init__(self, program: str, name: str, directory: Path, ports: tuple[int, int, int]) -> None:
        self.name = name
        self.port, self.http, self.route = ports
        self.store = directory / "js"
        self.log = directory / "nats.out"
        self.conf = directory / "nats.conf"
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self.clock: Clock | None = None
        """Its own, where it has one."""
        directory.mkdir(parents=True, exist_ok=True)

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    @property
    def started(self) -> bool:
        """It should run; it does not where it ended by itself."""
        return self._process is not None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        with self.log.open("ab") as out:
            command = [*(self.clock.command if self.clock else ()), self._program, "-c", str(self.conf)]
            environment = self.clock.environment if self.clock else None
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment)

    def send(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def kill(self) -> None:
        self.send(signal.SIGKILL)
        self._end()

    def stop(self) -> None:
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        self._end()

    def pause(self) -> None:
        self.send(signal.SIGSTOP)

    def go_on(self) -> None:
        self.send(signal.SIGCONT)

    def _end(self) -> None:
        if self._process is not None:
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(20)
            self._process = None

    def told(self, path: str) -> Any:
        """Of its monitoring port; {} when it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/{path}", timeout=5) as answer:
                return json.load(answer)
        except OSError:
            return {}


class Cluster:
    """`more` is configuration that every node has besides; `store` (MB) how much it may keep. With `own_clock` the
    first node has a clock of its own, which can be set."""

    def __init__(
        self,
        program: str,
        directory: Path,
        *,
        size: int = 3,
        more: str = "",
        store: str = "1GB",
        own_clock: bool = False,
    ) -> None:
        self._relays: list[Relay] = []
        self.directory = directory
        ports = [(quiet_port(), quiet_port(), quiet_port()) for _ in range(size)]
        self.nodes = [
            Node(program, f"n{number}", directory / f"n{number}", mine) for number, mine in enumerate(ports, start=1)
        ]
        if own_clock:
            self.nodes[0].clock = Clock(directory / "clock")
        self._routes = {
            (one, other): self.relay(self.nodes[other].route)
            for one in range(size)
            for other in range(size)
            if one != other
        }
        for number, node in enumerate(self.nodes):
            routes = ", ".join(
                f"'nats-route://127.0.0.1:{relay.port}'" for (one, _), relay in self._routes.items() if one == number
            )
            node.conf.write_text(
                f"server_name: {node.name}\nlisten: 127.0.0.1:{node.port}\nhttp: 127.0.0.1:{node.http}\n"
                f"jetstream {{ store_dir: '{node.store}', max_file_store: {store}, max_memory_store: 64MB }}\n"
                # Nobody finds a way around the relays: what is told to others as an address leads nowhere.
                f"cluster {{ name: t, listen: 127.0.0.1:{node.route}, advertise: '127.0.0.1:1', no_advertise: true,"
                f" routes: [{routes}] }}\n{more}"
            )
            node.start()
        self.ready()

    @property
    def urls(self) -> list[str]:
        return [node.url for node in self.nodes]

    def ready(self, *, streams: bool = True) -> None:
        """Until the nodes that were started have a leader among them and have caught up; their streams, too, or not."""
        self.until(lambda: self._is_ready(streams), "the cluster does not become ready")

    def _is_ready(self, streams: bool = True) -> bool:
        started = [node for node in self.nodes if node.started]
        asked = "healthz" if streams else "healthz?js-server-only=true"
        healthy = [node.running and node.told(asked).get("status") == "ok" for node in started]
        met = [node.told("jsz").get("meta_cluster", {}) for node in started]
        return all(healthy) and all(one.get("leader") for one in met) and len({one.get("leader") for one in met}) == 1

    def until(self, done: Callable[[], object], otherwise: str, seconds: float = READY_SECONDS) -> None:
        end = time.monotonic() + seconds
        while not done():
            if time.monotonic() > end:
                pytest.fail(f"{otherwise}\n" + "\n".join(node.log.read_text()[-1500:] for node in self.nodes))
            time.sleep(0.05)

    def leader(self, stream: str) -> Node | None:
        """Who leads a stream as most of those that run say; None when nobody does."""
        said: list[str] = []
        for node in self.nodes:
            if not node.running:
                continue
            for account in node.told("jsz?streams=true&accounts=true&config=true").get("account_details", []):
                for one in account.get("stream_detail", []):
                    if one["name"] == stream:
                        said.append(one.get("cluster", {}).get("leader", ""))
        for node in self.nodes:
            if node.running and said.count(node.name) * 2 > len(said):
                return node
        return None

    def a_leader(self, stream: str) -> Node:
        """The same, and waits until there is one."""
        found: list[Node | None] = [None]

        def look() -> bool:
            found[0] = self.leader(stream)
            return found[0] is not None

        self.until(look, f"nobody leads {stream}")
        assert found[0] is not None
        return found[0]

    def part(self, one: int, other: int) -> None:
        """These two nodes do not hear each other any more."""
        for pair in ((one, other), (other, one)):
            self._routes[pair].cut()

    def join(self, one: int, other: int) -> None:
        for pair in ((one, other), (other, one)):
            self._routes[pair].heal()

    def slow(self, seconds: float) -> None:
        """Between all nodes."""
        for relay in self._routes.values():
            relay.seconds = seconds

    def way(self, node: int = 0) -> Relay:
        """A relay for a client of this node."""
        return self.relay(self.nodes[node].port)

    def relay(self, port: int) -> Relay:
        """To any port of this machine; it ends with the cluster."""
        self._relays.append(Relay(port))
        return self._relays[-1]

    def mend(self, *, streams: bool = True) -> None:
        """Everything runs and hears everything; `streams` as in `ready`."""
        for relay in self._routes.values():
            relay.seconds = 0.0
            relay.heal()
        for node in self.nodes:
            node.go_on()
            if not node.running:
                node.start()
        self.ready(streams=streams)

    async def forget(self) -> None:
        """All streams are gone. A server of 2.9 may leave its copy of one behind the others for ever, and is never well
        then."""
        client = await nats.connect(self.urls)
        try:
            js = client.jetstream(timeout=5)
            for stream in await js.streams_info():
                await js.delete_stream(str(stream.config.name))
        finally:
            await client.close()

    def close(self) -> None:
        for node in self.nodes:
            node.kill()
        for relay in self._relays:
            relay.close()


def nats_server() -> str:
    """The program. Skips the test where there is none, which CI may not."""
    program = shutil.which("nats-server")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI installs nats-server (.ci/run), and it is not here")
        pytest.skip("needs nats-server (Debian: apt install nats-server)")
    return program


@pytest.fixture(scope="session")
def _one_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(nats_server(), tmp_path_factory.mktemp("nats"))
    yield cluster
    cluster.close()


@pytest.fixture
def nats_cluster(_one_cluster: Cluster) -> Iterator[Cluster]:
    """Three nodes that all tests of a session share; whatever a test did to them is mended after it."""
    yield _one_cluster
    _one_cluster.mend(streams=False)
    with contextlib.suppress(Exception):  # who comes next looks at streams of its own
        asyncio.run(_one_cluster.forget())


@pytest.fixture
def on_cluster(nats_cluster: Cluster, request: pytest.FixtureRequest) -> Replica:
    """Settings of a bastion that knows every node; the stream is this test's own."""
    stream = re.sub(r"\W", "_", request.node.name).removeprefix("test_")[:32]
    return Replica(servers=tuple(nats_cluster.urls), stream=stream)


@pytest.fixture
def own_cluster(tmp_path: Path) -> Iterator[Callable[..., Cluster]]:
    """`own_cluster(more="…", store="8MB", size=3)` starts one for this test alone."""
    started: list[Cluster] = []

    def start(**settings: Any) -> Cluster:
        started.append(Cluster(nats_server(), tmp_path / f"nats{len(started)}", **settings))
        return started[-1]

    yield start
    for cluster in started:
        cluster.close()
