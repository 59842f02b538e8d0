"""The real watch as a process, and another bastion behind a real sshd."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from incident_tui.journal.everything import START
from incident_tui.journal.store import Store
from tests.conftest import Program
from tests.relay import Relay
from tests.replica.conftest import Bastion, write
from tests.replica.over_sshd import config, peer, restricted
from tests.sshd import Sshd

Until = Callable[..., Any]
Watch = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def watch() -> Iterator[Watch]:
    running: list[subprocess.Popen[bytes]] = []

    def start(*words: str) -> subprocess.Popen[bytes]:
        line = [sys.executable, "-m", "incident_tui", "watch", "--service", *words]
        running.append(subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd="/"))
        return running[-1]

    yield start
    for process in running:
        if process.poll() is None:
            process.terminate()
        process.wait(20)


@pytest.fixture
def relay(sshd: Sshd) -> Iterator[Relay]:
    with Relay(sshd.port) as one:
        yield one


def texts(store: Store) -> set[str]:
    return {one.text for one in store.read_all(START)[0]}


def test_entries_go_both_ways_while_it_watches_and_status_says_when_they_do_not(
    bastion: Bastion, sshd: Sshd, program: Program, until: Until, watch: Watch, relay: Relay, tmp_path: Path
) -> None:
    a, b = bastion("a", 1), bastion("b", 2)
    restricted(sshd, Path(b.place.directory))
    file = tmp_path / "config.toml"
    known = sshd.known_hosts.read_text()
    sshd.known_hosts.write_text(known + known.replace(str(sshd.port), str(relay.port)))
    file.write_text(config(peer(sshd, "", port=relay.port, seconds=1.0)))
    words = ("--config", str(file), "--journal", a.place.directory)

    def status() -> dict[str, Any]:
        fields: dict[str, Any] = json.loads(program("status", "--json", *words, check=None).stdout)
        return fields

    process = watch(*words)
    until(lambda: {"b says 1", "b says 2"} <= texts(a) and "a says 1" in texts(b))
    program("log", "typed here", *words)
    until(lambda: "typed here" in texts(b))
    write(b, "typed there")
    until(lambda: "typed there" in texts(a))
    until(lambda: (one := status()["replicas"][0])["problem"] is None and one["reached_age"] < 20)
    assert not [one for one in status()["findings"] if one["rule"] == "replica.apart"]
    relay.cut()
    apart = until(lambda: [one for one in status()["findings"] if one["rule"] == "replica.apart"], 60)
    assert apart[0]["level"] == "unknown" and "bastion-2: not reached since" in apart[0]["sentence"]
    process.terminate()
    assert process.wait(20) == 0
