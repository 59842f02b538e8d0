"""Two real watches, a real cluster, and a host that one of them cannot reach: the other reads it."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from incident_tui.incident.entry import Kind
from incident_tui.journal.store import Store
from tests.nats import Cluster
from tests.relay import Relay
from tests.watch.test_together import SECONDS, Bastion, Both

Until = Callable[..., Any]
HOST = "web1"


class Apart(Both):
    """Each bastion has a way of its own to `HOST`, which can be cut: by its ~/.ssh/config."""

    def __init__(self, directory: Path, text: str, cluster: Cluster, stream: str) -> None:
        table = next(one for one in re.split(r"(?m)^(?=\[\[)", text) if f'name = "{HOST}"' in one)
        port = int(re.search(r"(?m)^port = (\d+)$", table)[1])  # type: ignore[index]
        known = Path(re.search(r'(?m)^known_hosts = "(.*)"$', table)[1])  # type: ignore[index]
        fresh = re.sub(r"(?m)^port = .*$", "port = 0", re.sub(r"(?m)^address = .*$", 'address = "far"', table))
        text = re.sub(r"(?m)^hold_seconds = .*$", "hold_seconds = 15.0", text.replace(table, fresh))
        super().__init__(directory, text, cluster, stream)
        self.roads: dict[str, Relay] = {}
        for one in (self.a, self.b):
            road = self.roads[one.letter] = cluster.relay(port)
            home = directory / f"home-{one.letter}"
            (home / ".ssh").mkdir(parents=True)
            (home / ".ssh" / "config").write_text(f"Host far\n  HostName 127.0.0.1\n  Port {road.port}\n")
            one.environment["HOME"] = str(home)
            line = next(line for line in known.read_text().splitlines() if f":{port} " in line)
            with known.open("a") as more:
                more.write(line.replace(f":{port} ", f":{road.port} ") + "\n")

    def read_by(self, reader: Bastion) -> bool:
        """Both boards have the host, connected, as this one reads it, and both are together."""
        rows = {one.letter: one.hosts().get(HOST) for one in (self.a, self.b)}
        via = {letter: row.via if row is not None else None for letter, row in rows.items()}
        wanted = {letter: "" if letter == reader.letter else reader.letter for letter in via}
        return via == wanted and sum(self.reads()) == 4

    def blind(self) -> list[dict[str, tuple[str, ...]]]:
        """What both boards say of who does not reach what."""
        return [row.unreached for one in (self.a, self.b) if (row := one.told()) is not None]


@pytest.fixture
def apart(staged: Callable[..., Any], nats_cluster: Cluster, tmp_path: Path, request: Any) -> Iterator[Apart]:
    text = staged("healthy").stage.config.read_text()
    made = Apart(tmp_path, text, nats_cluster, re.sub(r"\W", "_", request.node.name)[-30:])
    yield made
    for one in (made.a, made.b):
        one.end(signal.SIGKILL)


def observed(one: Bastion) -> list[str]:
    with Store.open(one.journal, create=False) as store:
        return [entry.text for entry in store.read() if entry.kind is Kind.OBSERVATION and HOST in entry.text]


def test_a_host_that_one_cannot_reach_is_read_by_the_other(apart: Apart, until: Until, program: Any) -> None:
    a, b = apart.a, apart.b

    def why() -> object:
        return apart.reads(), apart.blind(), [(one.hosts(), one.output.read_text()[-500:]) for one in (a, b)]

    a.start()
    b.start()
    until(lambda: apart.read_by(a) or apart.read_by(b), SECONDS, why)
    # The peers of one pool are one bastion's from when both know that they are peers.
    until(lambda: (row := a.told()) and row.reads in (0, 1, 3, 4) and sum(apart.reads()) == 4, SECONDS, why)
    first, second = (a, b) if apart.read_by(a) else (b, a)

    apart.roads[first.letter].cut()
    until(lambda: apart.read_by(second), SECONDS, why)
    until(lambda: apart.blind() == [{HOST: (first.letter,)}] * 2, SECONDS, why)
    until(lambda: (row := first.told()) and HOST in row.why, SECONDS, why)
    said = f"{first.letter} cannot reach {HOST}"
    until(lambda: said in program("replica", *second.words).stdout, SECONDS)

    # A connection that holds takes it back, once.
    apart.roads[first.letter].heal()
    until(lambda: apart.read_by(first) and apart.blind() == [{}, {}], SECONDS, why)

    # What nobody reaches stays where it was, and is shown so.
    for road in apart.roads.values():
        road.cut()
    until(lambda: apart.blind() == [{HOST: ("a", "b")}] * 2, SECONDS, why)
    until(lambda: HOST not in a.hosts() and HOST not in b.hosts(), SECONDS, why)
    until(lambda: any(observed(one) for one in (a, b)), SECONDS, why)
    assert [len(observed(one)) for one in (first, second)] == [1, 0], "nothing was said of what the other read"
    # The second gets back first: it reads the host for the first, which has no more to say against it.
    apart.roads[second.letter].heal()
    until(lambda: apart.read_by(second), SECONDS, why)
