"""What is read only when a person asks: the file that asks, the watch that carries it out, the answer on the board."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from incident_tui.fleet.ssh import LinkFailure
from incident_tui.hosts.readings import Container, Docker, HostReading, Link, LinkState
from incident_tui.hosts.sections import Section
from incident_tui.journal.board import Board
from incident_tui.watch import asks
from incident_tui.watch.answers import KEPT, LOG_KEPT, Answer, answer, key
from incident_tui.watch.demands import AT_ONCE, Demands

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
LOG = "log:" + "a1" * 32


def reading(host: str = "web2", **fields: Any) -> HostReading:
    return HostReading(host=host, at=NOW, link=Link(state=LinkState.UP, sentence="", since=NOW, at=NOW), **fields)


def section(name: str, body: str, rc: int = 0, **fields: Any) -> Section:
    return Section(name=f"asked:{name}", body=body, rc=rc, **fields)


class Machine:
    """Answers when it is let go."""

    def __init__(self, *sections: Section, failure: Exception | None = None) -> None:
        self.reading = reading()
        self.asked: list[list[str]] = []
        self.go = asyncio.Event()
        self._sections, self._failure = sections, failure

    async def demand(self, words: list[str], seconds: float) -> tuple[Section, ...]:
        self.asked.append(words)
        await self.go.wait()
        if self._failure is not None:
            raise self._failure
        return self._sections


async def until_true(done: Callable[[], object]) -> None:
    for _ in range(5_000):
        if done():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it never became true")


async def answers(machines: dict[str, Any], *asked: tuple[str, str]) -> dict[str, Answer]:
    """All answers, from machines that are let go at once."""
    came = asyncio.Event()
    demands = Demands(machines, lambda: NOW, came.set)
    running = asyncio.create_task(demands.run())
    for host, word in asked:
        demands.ask(host, word)
    for one in machines.values():
        one.go.set()
    found: dict[str, Answer] = {}
    while len(found) < len(set(asked)):
        async with asyncio.timeout(10):
            await came.wait()
        came.clear()
        found |= demands.take()
    running.cancel()
    return found


def test_what_is_asked_passes_through_the_directory_once(tmp_path: Path) -> None:
    asks.ask(tmp_path)
    asks.ask(tmp_path, "web1")
    for _ in range(2):
        asks.ask(tmp_path, "web@1", LOG)
    found = asks.take(tmp_path)
    assert sorted(found, key=str) == sorted([asks.Ask(""), asks.Ask("web1"), asks.Ask("web@1", LOG)], key=str)
    assert asks.take(tmp_path) == []


async def test_the_same_question_is_carried_out_once_and_another_beside_it() -> None:
    machine = Machine(section("free", "Mem: 1"))
    demands = Demands({"web2": machine}, lambda: NOW, lambda: None)
    running = asyncio.create_task(demands.run())
    for word in ("performance", "performance", "changes", "rm -rf", "log:; reboot"):
        demands.ask("web2", word)
    await until_true(lambda: len(machine.asked) == 2)
    machine.go.set()
    found: dict[str, Answer] = {}
    await until_true(lambda: found.update(demands.take()) or len(found) == 2)
    assert sorted(words[0] for words in machine.asked) == ["asked:changes", "asked:performance"]
    demands.ask("web2", "performance")  # it is over: it may be asked again
    await until_true(lambda: len(machine.asked) == 3)
    running.cancel()


async def test_many_hosts_are_asked_a_bounded_number_at_a_time() -> None:
    machines = {f"web{number}": Machine() for number in range(3 * AT_ONCE)}
    demands = Demands(machines, lambda: NOW, lambda: None)
    running = asyncio.create_task(demands.run())
    for host in machines:
        demands.ask(host, "changes")
    for _ in range(200):
        await asyncio.sleep(0)
    assert sum(bool(one.asked) for one in machines.values()) == AT_ONCE
    running.cancel()


async def test_what_was_asked_before_the_watch_began_waits_for_the_first_try() -> None:
    machine = Machine(section("free", "Mem: 1"))
    machine.go.set()
    trying = Link(state=LinkState.CONNECTING, sentence="", since=NOW, at=NOW)
    machine.reading = msgspec.structs.replace(machine.reading, link=trying)
    demands = Demands({"web2": machine}, lambda: NOW, lambda: None)
    running = asyncio.create_task(demands.run())
    demands.ask("web2", "performance")
    for _ in range(50):
        await asyncio.sleep(0)
    assert machine.asked == []
    machine.reading = reading()
    await until_true(lambda: machine.asked)
    running.cancel()


async def test_why_there_is_no_answer() -> None:
    lost = Machine(failure=LinkFailure(LinkState.LOST, "web1: not connected"))
    slow = Machine(failure=TimeoutError())
    found = await answers({"web1": lost, "web2": slow}, ("web1", LOG), ("web2", "performance"), ("gone", "changes"))
    assert {one.host: one.problem for one in found.values()} == {
        "web1": "web1: not connected",
        "web2": "web2: no answer within 60 s",
        "gone": "gone: this watch does not read it",
    }


async def test_a_log_comes_clean_bounded_and_with_its_end() -> None:
    lines = [f"2026-11-23T13:{n // 60:02d}:{n % 60:02d}Z \x1b[31mline {n}\x1b[0m" for n in range(3000)]
    lines[-2] += " password=hunter2 \u202eevil"
    found = await answers({"web2": Machine(section(LOG, "\n".join(lines)))}, ("web2", LOG))
    (log,) = found[key("web2", LOG)].sections
    assert log.text.endswith("line 2999") and "line 2998" in log.text and log.name == LOG
    assert not any(bad in log.text for bad in ("hunter2", "\x1b", "\u202e"))
    first, second = log.text.split("\n")[:2]
    assert first.startswith("[only the last ") and second.startswith("2026-11-23T")
    assert len(log.text) <= LOG_KEPT + 100


@pytest.mark.parametrize(
    ("sections", "sentence"),
    [
        ([], "no Docker and no podman"),
        (
            [section(LOG, '"logs" command is supported only for "json-file" logging driver', 1)],
            "logging driver lets nobody",
        ),
        (
            [section(LOG, "Error response from daemon: configured logging driver does not support reading", 1)],
            "lets nobody",
        ),
        ([section(LOG, f"Error: No such container: {LOG[4:]}", 1)], "not there any more"),
        ([section(LOG, "", 137, seconds=10.0, limit=10.0)], "within its limit"),
        ([section(LOG, "cannot connect", 1)], "status 1"),
        ([section(LOG, "a line\n")], ""),
    ],
)
def test_a_driver_that_cannot_is_said(sections: list[Section], sentence: str) -> None:
    problem = answer("web2", LOG, sections, reading(), NOW).problem
    assert (sentence in problem and problem.startswith("web2: ")) if sentence else not problem


def test_changes_are_read_with_the_hosts_own_containers() -> None:
    container = Container(id="c1", name="solr", state="running", image="solr:9", created_at=NOW - timedelta(hours=2))
    docker = Docker(at=NOW, version="28", containers=(container,))
    found = answer("web2", "changes", [section("touched", "")], reading(docker=docker), NOW)
    assert found.changes is not None and [row.what for row in found.changes.rows] == ["container solr created, solr:9"]
    assert found.sections == ()


async def test_old_answers_leave_the_board() -> None:
    demands = Demands({}, lambda: NOW, lambda: None)
    running = asyncio.create_task(demands.run())
    demands.ask("web2", "changes")
    await until_true(demands.take)
    running.cancel()
    assert demands.over(NOW + KEPT / 2) == []
    assert demands.over(NOW + KEPT) == [key("web2", "changes")]
    assert demands.over(NOW + KEPT) == []


def test_the_watch_answers_on_the_board(staged: Any, until: Callable[..., Any], status_of: Any) -> None:
    one = staged("outage")
    board = Board.open(one.stage.journal)
    board.close()
    one.watch()
    until(lambda: any(each["state"] == "connected" for each in status_of(one)["hosts"] if each["name"] == "web2"))
    (drupal,) = until(
        lambda: [each for each in status_of(one)["containers"] if (each["host"], each["name"]) == ("web2", "drupal-a")]
    )
    words = ["performance", "changes", f"log:{drupal['id']}"]
    for word in words:
        asks.ask(one.stage.journal, "web2", word)

    def found() -> dict[str, Answer]:
        board = Board.open(one.stage.journal)
        try:
            return board.details("asked/", Answer)
        finally:
            board.close()

    got = until(lambda: len(all_of := found()) == len(words) and all_of)
    assert [got[key("web2", word)].problem for word in words] == ["", "", ""]
    assert {"top", "memory", "free"} <= {each.name for each in got[key("web2", "performance")].sections}
    (log,) = got[key("web2", words[2])].sections
    asks.ask(one.stage.journal, "", "changes")
    everywhere = {"web1", "web2", "web3", "build1"}
    until(lambda: {each.host for each in found().values() if each.word == "changes"} == everywhere)
    assert log.text.split("\n")[-1].startswith("20") and "run.sh: ready" in log.text
