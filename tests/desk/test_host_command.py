"""A command on a host at the desk: what stands in the journal before and after it, and when it does not run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from incident_tui.desk import host_command
from incident_tui.desk.desk import Desk
from incident_tui.desk.host_command import HostCommands, Ran, Wish
from incident_tui.desk.open import desk_on_store
from incident_tui.fleet.remote import Finished
from incident_tui.fleet.settings import Fleet, Host
from incident_tui.incident.entry import Author, Draft, Entry, Kind
from incident_tui.incident.settings import Commands
from incident_tui.incident.state import Fold
from incident_tui.incident.words import sentence
from incident_tui.journal.errors import JournalError
from incident_tui.journal.store import Store
from tests.desk.conftest import Clock, Settings

DEFAULT = Commands()
DONE = Finished(started=True, exit=0, seconds=1.25, bytes=9, sha256="ab", text="password=[redacted]")


class Machine:
    """Stands in for `fleet.remote.run`; `during` is called while a command runs."""

    def __init__(self, finished: Finished = DONE) -> None:
        self.finished = finished
        self.ran: list[tuple[str, str, str]] = []
        self.during: Callable[[], None] = lambda: None

    async def __call__(self, host: Host, fleet: Fleet, command: str, **_: Any) -> Finished:
        self.ran.append((host.name, command, host.identity_file))
        self.during()
        return self.finished


class Person:
    """One desk on a store of its own, as a screen is."""

    def __init__(self, directory: Path, name: str, clock: Clock, machine: Machine, settings: Commands) -> None:
        self.store = Store.open(directory, clock=clock)
        self.fold = Fold()
        self.after = 0
        self.desk: Desk = desk_on_store(self.store, Settings(), Author(name), clock, lambda: self.fold, source="tui")
        self.catch_up()
        hosts = [Host(name=one, identity_file="/watch/key") for one in ("web1", "web2", "web3")]
        self.commands = HostCommands(
            self.desk, settings, hosts, Fleet(), catch_up=self.catch_up, at_risk=self.at_risk, run=machine
        )

    def at_risk(self, host: str) -> Sequence[str]:
        return ("gv0: web2:/b/gv0 is down",) if host == "web3" else ()

    def catch_up(self) -> None:
        for entry in self.store.read(self.after):
            self.fold.apply(entry)
            self.after = entry.seq

    def say(self, line: str) -> list[Entry]:
        outcome = self.desk.carry_out(line, confirmed=True)
        assert outcome.saving is not None, outcome
        entries = outcome.saving.result()
        self.catch_up()
        return entries

    async def run(self, host: str, command: str, said: str = "") -> Ran:
        wish = Wish.of(host, command, said)
        return await self.commands.run(wish, self.commands.judge(wish), stop=asyncio.Event())

    def steps(self) -> list[dict[str, Any]]:
        self.catch_up()
        return [entry.data for entry in self.store.read() if entry.kind is Kind.COMMAND]


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def person(tmp_path: Path, machine: Machine) -> Callable[..., Person]:
    clock = Clock()

    def make(name: str, settings: Commands = DEFAULT) -> Person:
        return Person(tmp_path / "journal", name, clock, machine, settings)

    return make


async def test_intent_before_and_outcome_after(person: Callable[..., Person], machine: Machine) -> None:
    ana = person("ana")
    ana.say("/declare sites down")
    machine.during = lambda: during.append([step["step"] for step in ana.steps()])
    during: list[list[str]] = []
    ran = await ana.run("web1", "systemctl restart docker", "docker answers; verify after 2m: docker ps")
    assert during == [["intent"]]
    intent, outcome = ana.steps()
    assert intent == {
        "step": "intent",
        "host": "web1",
        "command": "systemctl restart docker",
        "risk": "change",
        "expected": "docker answers",
        "verify": "docker ps",
        "minutes": 2,
    }
    assert outcome == {"step": "outcome", "host": "web1", "exit": 0, "seconds": 1.2, "bytes": 9, "sha256": "ab"}
    assert ran.sentence == "a2 web1 exit 0 after 1.2s."
    (remote,) = ana.desk.incident.remotes if ana.desk.incident else ()
    assert remote.exit == 0 and remote.verify == "docker ps"


async def test_the_own_keys_are_used_unless_configured(person: Callable[..., Person], machine: Machine) -> None:
    await person("ana").run("web1", "uptime")
    await person("ana", Commands(keys="hosts")).run("web1", "uptime")
    assert [key for _, _, key in machine.ran] == ["", "/watch/key"]


async def test_secrets_are_not_stored_but_run(person: Callable[..., Person], machine: Machine) -> None:
    ana = person("ana")
    await ana.run("web1", "mysql --password=hunter2", "token=abcdef works")
    assert "hunter2" in machine.ran[0][1]
    assert "hunter2" not in str(ana.steps()) and "abcdef" not in str(ana.steps())


async def test_what_is_refused_never_runs(person: Callable[..., Person], machine: Machine) -> None:
    off = person("ana", Commands(mode="off"))
    assert "switched off" in (await off.run("web1", "uptime")).sentence
    assert "no host web9" in (await off.run("web9", "uptime")).sentence
    ana = person("ana")
    assert "may only read" in (await ana.run("web1", "reboot", "up; verify after 1m: reboot")).sentence
    assert not machine.ran and not ana.steps()


async def test_an_intent_that_cannot_be_saved_does_not_run(
    person: Callable[..., Person], machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = person("ana")

    def full(*_: object, **__: object) -> list[Entry]:
        raise JournalError("the disk is full.")

    monkeypatch.setattr(ana.store, "append", full)
    ran = await ana.run("web1", "uptime")
    assert ran.sentence == "NOT SAVED, so it was not run: the disk is full."
    assert not machine.ran and ran.intent is None


async def test_an_intent_that_is_saved_too_late_does_not_run_and_says_so(
    person: Callable[..., Person], machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = person("ana")
    monkeypatch.setattr(host_command, "SAVE_SECONDS", 0.01)
    waiting: list[tuple[Future[list[Entry]], Sequence[Draft], str]] = []

    class Slow:
        def submit(self, drafts: Sequence[Draft], key: str) -> Future[list[Entry]]:
            waiting.append((Future(), drafts, key))
            return waiting[-1][0]

    ana.desk.append = Slow()
    ran = await ana.run("web1", "uptime")
    assert "so it was not run" in ran.sentence and not machine.ran
    future, drafts, key = waiting[0]
    future.set_result(ana.store.append(drafts, key=key))
    for _ in range(100):
        await asyncio.sleep(0)
    assert waiting[1][1][0].data["problem"] == "not run: it was saved too late"


async def test_hold_first_then_run_at_the_same_moment(person: Callable[..., Person], machine: Machine) -> None:
    """Bob's screen has not seen ana's hold when he confirms; the journal has it before his intent."""
    ana, bob = person("ana"), person("bob")
    ana.say("/declare sites down")
    bob.catch_up()
    wish = Wish.of("web1", "reboot", "it comes back")
    verdict = bob.commands.judge(wish)
    assert not verdict.warnings
    ana.say("/hold web1 10m disk swap")
    ran = await bob.commands.run(wish, verdict, stop=asyncio.Event())
    assert not machine.ran
    assert "not run: web1 is held by ana until 14:10Z: disk swap, and that was first" in ran.sentence
    assert ana.steps()[-1]["problem"].startswith("not run: web1 is held by ana")


async def test_run_first_then_hold_at_the_same_moment(person: Callable[..., Person], machine: Machine) -> None:
    """Ana's screen has not seen bob's command when she holds; the journal has it before her hold."""
    ana, bob = person("ana"), person("bob")
    ana.say("/declare sites down")
    bob.catch_up()
    said: list[str] = []

    def hold() -> None:
        said.append(ana.desk.crossed(ana.say("/hold web1 10m disk swap")))

    machine.during = hold
    ran = await bob.run("web1", "reboot", "it comes back")
    assert machine.ran and ran.finished is not None
    assert said == ["bob's command on web1 was first and still runs: reboot"]
    assert ana.desk.crossed(ana.say("/hold web2 10m")) == ""


async def test_a_hold_that_was_known_and_confirmed_does_not_stop_it(
    person: Callable[..., Person], machine: Machine
) -> None:
    ana, bob = person("ana"), person("bob")
    ana.say("/declare sites down")
    ana.say("/hold web1 10m disk swap")
    bob.catch_up()
    assert bob.commands.judge(Wish.of("web1", "uptime")).confirm
    await bob.run("web1", "uptime")
    assert machine.ran


async def test_the_second_peer_is_warned_of(person: Callable[..., Person]) -> None:
    ana = person("ana")
    assert ana.commands.judge(Wish.of("web3", "reboot")).warnings == ("gv0: web2:/b/gv0 is down",)
    assert not ana.commands.judge(Wish.of("web3", "uptime")).warnings


@pytest.mark.parametrize(
    ("finished", "held", "word"),
    [
        (Finished(started=True, exit=0), True, "held"),
        (Finished(started=True, exit=1, text="no"), False, "DID NOT HOLD"),
        (Finished(started=False, problem="web1: no answer"), None, "could not be verified (web1: no answer)"),
    ],
)
async def test_verify(
    person: Callable[..., Person],
    machine: Machine,
    finished: Finished,
    held: bool | None,
    word: str,
) -> None:
    slept: list[float] = []

    async def at_once(seconds: float) -> None:
        slept.append(seconds)

    ana = person("ana")
    ana.say("/declare sites down")
    wish = Wish.of("web1", "reboot", "it answers; verify after 3m: uptime")
    ran = await ana.run("web1", "reboot", "it answers; verify after 3m: uptime")
    remote = ana.desk.incident.remotes[0] if ana.desk.incident else None
    assert remote is not None and remote.ended_at is not None
    clock = ana.desk.clock
    assert isinstance(clock, Clock)
    assert not remote.unverified(clock())
    clock.forward(minutes=5)
    assert remote.unverified(clock())  # what a screen says that starts after this one has died
    machine.finished = finished
    ana.commands._sleep = at_once
    assert await ana.commands.verify(wish, ran) == f"web1 {word}: it answers"
    assert slept == [180] and machine.ran[-1][1] == "uptime"
    check = ana.steps()[-1]
    assert check["step"] == "check" and check.get("held") is held
    entry = list(ana.store.read())[-1]
    assert sentence(entry, entry.text, "") == f"web1 {word}: it answers"
    assert ana.desk.incident is not None and not ana.desk.incident.remotes[0].unverified(clock())


async def test_a_screen_that_is_left_midway_says_so(person: Callable[..., Person]) -> None:
    ana = person("ana")
    begun = asyncio.Event()

    async def forever(*_: Any, **__: Any) -> Finished:
        begun.set()
        await asyncio.Event().wait()
        return DONE

    ana.commands._run = forever
    running = asyncio.create_task(ana.run("web1", "uptime"))
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert ana.steps()[-1]["problem"].startswith("its author left")
