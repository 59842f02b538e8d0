"""Two real watches and a real cluster: each host is read by one of them, and one of them sends to chat."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from incident_tui.hosts.readings import HostReading, LinkState
from incident_tui.journal.board import Board
from incident_tui.watch.rows import BastionsRow, ChatRow
from tests.nats import Cluster
from tests.watch.test_watch import connections, ports

Until = Callable[..., Any]
SECONDS = 60.0
_CHAT = "\n[[chat]]\nname = 'ops'\nkind = 'file'\npath = '{path}'\nsend = ['declare', 'update']\n"
_REPLICA = "\n[replica]\nservers = {servers}\nstream = '{stream}'\nlease_seconds = 4\nretry_seconds = 2\n"


class Bastion:
    """One journal with its own configuration for the same hosts, and its watch."""

    def __init__(self, directory: Path, letter: str, text: str, servers: list[str], stream: str, chat: Path) -> None:
        directory.mkdir()
        self.journal = directory / "journal"
        self.config = directory / "config.toml"
        text = re.sub(r"(?m)^directory = .*$", f"directory = '{self.journal}'", text, count=1)
        text = re.sub(r"(?m)^letter = .*$", f"letter = '{letter}'", text, count=1)
        text = re.sub(r"(?s)\n\[\[chat\]\].*?(?=\n\[|$)", "\n", text)
        text = re.sub(r"(?s)\n\[replica\].*?(?=\n\[|$)", "\n", text)
        self.config.write_text(
            text + _CHAT.format(path=chat) + _REPLICA.format(servers=[str(one) for one in servers], stream=stream)
        )
        self.words = ("--config", str(self.config))
        self.letter = letter
        self.environment = dict(os.environ)
        self.process: subprocess.Popen[str] | None = None
        self.output = directory / "watch.out"

    def start(self) -> None:
        with self.output.open("a") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "incident_tui", "watch", "--service", *self.words],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                text=True,
                start_new_session=True,
                env=self.environment,
            )

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(20)
            self.process = None

    def told(self) -> BastionsRow | None:
        row: BastionsRow | None = self._row("bastions", BastionsRow)
        return row

    def _row(self, key: str, kind: Any) -> Any:
        if not (self.journal / "board.db").exists():
            return None
        board = Board.open(self.journal)
        try:
            return board.get(key, kind)
        finally:
            board.close()

    def is_(self, state: str, reads: int | None = None) -> bool:
        row = self.told()
        return row is not None and row.state == state and (reads is None or row.reads == reads)

    def hosts(self) -> dict[str, HostReading]:
        names = re.findall(r"(?ms)^\[\[hosts\]\].*?^name = ['\"](.*?)['\"]", self.config.read_text())
        found = {name: self._row(f"host/{name}", HostReading) for name in names}
        return {name: row for name, row in found.items() if row is not None and row.link.state is LinkState.UP}

    def chat(self) -> ChatRow | None:
        row: ChatRow | None = self._row("chat/ops", ChatRow)
        return row


class Both:
    """Two bastions; b reaches the cluster through `way`."""

    def __init__(self, directory: Path, text: str, cluster: Cluster, stream: str) -> None:
        self.cluster = cluster
        self.way = cluster.way()
        self.sent = directory / "sent.txt"
        self.a = Bastion(directory / "a", "a", text, cluster.urls, stream, self.sent)
        through = [f"nats://127.0.0.1:{self.way.port}"]
        self.b = Bastion(directory / "b", "b", text, through, stream, self.sent)
        self.c = Bastion(directory / "c", "c", text, cluster.urls, stream, self.sent)
        self.ports = ports(self.a.config)

    def count(self, words: str) -> int:
        """How often it arrived in chat."""
        return self.sent.read_text().count(words) if self.sent.exists() else 0

    def reads(self) -> list[int]:
        rows = [self.a.told(), self.b.told()]
        return [row.reads if row is not None else -1 for row in rows]

    def why(self) -> object:
        """For a test that fails."""
        via = [{name: row.via or "here" for name, row in one.hosts().items()} for one in (self.a, self.b)]
        count = [connections(port) for port in self.ports]
        return (
            count,
            self.a.told(),
            self.b.told(),
            via,
            self.a.output.read_text()[-600:],
            self.b.output.read_text()[-600:],
        )

    def divided(self) -> bool:
        """Both are together, and every host has one connection."""
        mine = self.reads()
        together = self.a.is_("together") and self.b.is_("together") and sum(mine) == len(self.ports)
        return together and [connections(port) for port in self.ports] == [1] * len(self.ports)


@pytest.fixture
def both(staged: Callable[..., Any], nats_cluster: Cluster, tmp_path: Path, request: Any) -> Iterator[Both]:
    text = staged("healthy").stage.config.read_text()
    made = Both(tmp_path, text, nats_cluster, re.sub(r"\W", "_", request.node.name)[-30:])
    yield made
    for one in (made.a, made.b, made.c):
        one.end(signal.SIGKILL)


def test_each_host_is_read_by_one_and_a_death_moves_hosts_and_chat(both: Both, until: Until, program: Any) -> None:
    a, b = both.a, both.b
    a.start()
    until(lambda: (row := a.told()) and row.on_duty and row.reads == len(both.ports), SECONDS, a.output.read_text)
    b.start()
    until(both.divided, SECONDS, lambda: (both.reads(), b.output.read_text()))
    # Each board has the whole fleet, and says who read what.
    until(lambda: len(a.hosts()) == len(b.hosts()) == len(both.ports), SECONDS)
    until(lambda: {one.via for one in b.hosts().values()} <= {"", "a"}, SECONDS)

    def own() -> int:
        return sum(not row.via for one in (a, b) for row in one.hosts().values())

    until(lambda: own() == len(both.ports), SECONDS, both.why)
    pool = until(lambda: len(found := {name for name, one in a.hosts().items() if one.gluster}) == 3 and found, SECONDS)

    def whole() -> bool:
        return both.divided() and len({one.via for name, one in b.hosts().items() if name in pool}) == 1

    until(whole, SECONDS, both.why)

    program("log", "/declare sev2 said on b", *b.words, "--as", "ana")
    until(lambda: both.count("said on b") == 1, SECONDS, lambda: (a.chat(), b.chat()))

    a.end(signal.SIGKILL)
    until(lambda: b.is_("together", len(both.ports)) and b.told().on_duty, SECONDS, b.output.read_text)  # type: ignore[union-attr]
    until(lambda: [connections(port) for port in both.ports] == [1] * len(both.ports), SECONDS)
    program("log", "/update internal after the death", *b.words, "--as", "ana")
    until(lambda: both.count("after the death") == 1, SECONDS, b.chat)
    assert both.count("said on b") == 1


def test_who_is_cut_off_reads_all_and_sends_its_own_and_comes_back(both: Both, until: Until, program: Any) -> None:
    a, b = both.a, both.b
    a.start()
    until(lambda: (row := a.told()) and row.on_duty, SECONDS, a.output.read_text)
    b.start()
    until(both.divided, SECONDS, lambda: (both.reads(), b.output.read_text()))
    program("log", "/declare sev2 before the cut", *a.words, "--as", "ana")
    until(lambda: both.count("before the cut") == 1, SECONDS, a.chat)

    both.way.stall()
    whole = len(both.ports)
    until(lambda: b.is_("alone", whole) and a.is_("together", whole), SECONDS, both.reads)
    until(lambda: [connections(port) for port in both.ports] == [2] * whole, SECONDS)
    program("log", "/declare sev2 said alone on b", *b.words, "--as", "ben")
    program("log", "/declare sev3 said on a meanwhile", *a.words, "--as", "ana")
    until(lambda: both.count("said alone on b") == 1 and both.count("said on a meanwhile") == 1, SECONDS, b.chat)

    both.way.heal()
    until(both.divided, SECONDS, both.reads)
    program("log", "/update internal together again", *b.words, "--as", "ben")
    until(lambda: both.count("together again") == 1, SECONDS, lambda: (a.chat(), b.chat()))
    for words in ("before the cut", "said alone on b", "said on a meanwhile"):
        assert both.count(words) == 1


def test_of_three_the_one_on_duty_is_stopped_and_wakes_up(both: Both, until: Until, program: Any) -> None:
    """As a machine that hangs: it still believes what it knew when it wakes, and must do nothing by it."""
    a, b, c, whole = both.a, both.b, both.c, len(both.ports)
    three = (a, b, c)

    def shared(*those: Bastion) -> bool:
        rows = [one.told() for one in those]
        return (
            all(row is not None and row.state == "together" for row in rows)
            and sum(row.reads for row in rows if row is not None) == whole
            and sum(row.on_duty for row in rows if row is not None) == 1
        )

    a.start()
    until(lambda: (row := a.told()) and row.on_duty, SECONDS, a.output.read_text)
    b.start()
    c.start()
    until(lambda: shared(*three), SECONDS, lambda: [one.told() for one in three])
    assert a.process is not None
    a.process.send_signal(signal.SIGSTOP)
    until(lambda: shared(b, c), SECONDS, lambda: [one.told() for one in three])
    program("log", "/declare sev2 said while a is stopped", *b.words, "--as", "ana")
    until(lambda: both.count("said while a is stopped") == 1, SECONDS, b.chat)
    a.process.send_signal(signal.SIGCONT)
    until(lambda: shared(*three), SECONDS, lambda: [one.told() for one in three])
    until(lambda: [connections(port) for port in both.ports] == [1] * whole, SECONDS, both.why)
    until(lambda: "said while a is stopped" in program("list", *a.words).stdout, SECONDS)
    program("log", "/update internal after it woke up", *a.words, "--as", "ben")
    until(lambda: both.count("after it woke up") == 1, SECONDS, a.chat)
    assert both.count("said while a is stopped") == 1
