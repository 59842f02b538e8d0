"""The commands of a playbook's step: offered filled in, judged by what the playbook says, checked until they hold, and
what each end suggests."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from incident_tui.desk.desk import Desk
from incident_tui.desk.host_command import HostCommands, Ran, Wish
from incident_tui.desk.open import desk_on_store
from incident_tui.desk.step_command import StepCommand, hosts_left, in_hand, next_line
from incident_tui.fleet.remote import Finished
from incident_tui.fleet.settings import Fleet, Host
from incident_tui.incident.entry import Author
from incident_tui.incident.playbook import load
from incident_tui.incident.settings import Commands
from incident_tui.incident.state import Fold
from incident_tui.incident.words import sentence
from incident_tui.journal.store import Store
from tests.desk.conftest import Clock, Settings

BOOK = load(
    """+++
title = "Brick"
owner = "ana"
[variables]
volume = "the volume, e.g. gv0"
+++
- [ ] Look at it.

  ```sh target=each risk=read limit=5s
  df -P
  dmesg | tail -n 5
  ```

- [ ] Start what is missing.

  ```sh target=role:gluster risk=change limit=2m expect=" 0 down"
  gluster volume start {{volume}} force
  ```

  ```sh target=any verify limit=30s expect=" 0 down"
  gluster volume status {{volume}} | awk '/ N /'
  ```

  ```sh rollback
  kill 1
  ```

- [ ] Start the daemon.

  ```sh only="CentOS 6"
  service glusterd start
  ```

  ```sh only="systemd"
  systemctl start glusterd
  ```

  ```sh target=any verify limit=5m
  pgrep glusterd
  ```

- [ ] Nothing left?

  ```sh target=any verify expect="left: 0"
  gluster volume heal info
  ```

- [ ] Tell them.

  ```sh target=local
  echo here
  ```
""",
    "brick.md",
)
HOSTS = (
    Host(name="web1", roles=("gluster",)),
    Host(name="web2", roles=("docker", "gluster")),
    Host(name="build1", roles=("docker",)),
)


class Player:
    """One person at a desk; `answers` is what the host says to each command, the last one for ever."""

    def __init__(self, directory: Path, settings: Commands) -> None:
        self.clock = Clock()
        self.store = Store.open(directory, clock=self.clock)
        self.fold = Fold()
        self.after = 0
        self.answers = [Finished(started=True, exit=0)]
        self.ran: list[tuple[str, str, float]] = []
        self.slept: list[float] = []
        self.desk: Desk = desk_on_store(
            self.store, Settings(), Author("ana"), self.clock, lambda: self.fold, playbooks=lambda: {"brick": BOOK}
        )
        self.commands = HostCommands(
            self.desk, settings, HOSTS, Fleet(), catch_up=self.catch_up, run=self._run, sleep=self._sleep
        )

    async def _run(self, host: Host, fleet: Fleet, command: str, *, seconds: float, **_: Any) -> Finished:
        self.ran.append((host.name, command, seconds))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def catch_up(self) -> None:
        for entry in self.store.read(self.after):
            self.fold.apply(entry)
            self.after = entry.seq

    def say(self, *lines: str) -> None:
        for line in lines:
            outcome = self.desk.carry_out(line, confirmed=True)
            assert outcome.saving is not None, outcome
            outcome.saving.result()
            self.catch_up()

    @property
    def offered(self) -> tuple[StepCommand, ...]:
        self.catch_up()
        return in_hand(self.desk.incident, {"brick": BOOK}, "ana")

    @property
    def left(self) -> list[str]:
        assert self.desk.incident is not None
        return hosts_left(self.offered[0], HOSTS, self.desk.incident.remotes)

    @property
    def next(self) -> str:
        self.catch_up()
        assert self.desk.incident is not None
        return next_line(self.offered[0], self.desk.incident.remotes[-1], self.left)

    async def run(self, host: str, *, check: bool = True) -> Ran:
        wish = Wish.of_step(host, self.offered[0])
        ran = await self.commands.run(wish, self.commands.judge(wish), stop=asyncio.Event())
        self.catch_up()
        if check:
            await self.commands.verify(wish, ran)
            self.catch_up()
        return ran


@pytest.fixture
def player(tmp_path: Path) -> Iterator[Player]:
    made = Player(tmp_path / "journal", Commands())
    made.say("/declare gv0", "/play brick", "/set volume gv0 x")
    yield made
    made.store.close()


def test_a_step_in_hand_offers_its_commands_with_all_that_was_said_of_them(player: Player) -> None:
    assert not player.offered
    player.say("/begin 1")
    (look,) = player.offered
    assert (look.text, look.word, look.changes, look.seconds) == ("df -P\ndmesg | tail -n 5", "step 1", False, 5)
    player.say("/tick", "/begin 2")
    (start,) = player.offered
    assert start.word == start.text == "gluster volume start 'gv0 x' force"
    assert start.verify == "gluster volume status 'gv0 x' | awk '/ N /'" and start.shows == " 0 down"
    assert (start.rollback, start.verify_seconds, start.target) == ("kill 1", 30, "role:gluster")
    player.say("/tick", "/begin 3")
    assert [one.only for one in player.offered] == ["CentOS 6", "systemd"]
    player.say("/tick", "/begin 4")
    (check,) = player.offered
    assert (check.text, check.changes, check.shows, check.verify) == ("gluster volume heal info", False, "left: 0", "")
    player.say("/tick", "/begin 5")
    assert not player.offered, "what runs here runs on no host"


def test_nothing_is_offered_while_a_variable_is_missing_or_to_somebody_else(tmp_path: Path) -> None:
    player = Player(tmp_path / "journal", Commands())
    player.say("/declare gv0", "/play brick", "/begin 2")
    assert not player.offered
    player.say("/set volume gv0")
    assert len(player.offered) == 1
    assert in_hand(player.desk.incident, {"brick": BOOK}, "bob") == () == in_hand(None, {"brick": BOOK}, "ana")
    player.store.close()


def test_what_the_playbook_says_decides_what_is_asked_but_a_host_of_another_kind_is_named(player: Player) -> None:
    player.say("/begin 1")
    reads = player.commands.judge(Wish.of_step("build1", player.offered[0]))
    assert not reads.confirm and not reads.refusal, "several lines and a pipe, but it is said to read"
    typed = player.commands.judge(Wish(host="web1", command="df -P\ndmesg"))
    assert "one line" in typed.refusal, "what is typed or pasted is not"
    player.say("/tick", "/begin 2")
    wish = Wish.of_step("web1", player.offered[0])
    assert wish.expected == "shows ' 0 down'" and player.commands.judge(wish).confirm
    assert player.commands.judge(Wish.of_step("build1", player.offered[0])).warnings == (
        "build1 is not of role:gluster, for which the playbook has this",
    )


@pytest.mark.parametrize(
    ("settings", "refused", "changes"),
    [
        (Commands(mode="off"), True, False),
        (Commands(mode="read-only"), True, True),
        (Commands(changes=("df ...",)), False, True),
    ],
)
def test_a_playbook_is_no_way_around_the_policy(
    tmp_path: Path, settings: Commands, refused: bool, changes: bool
) -> None:
    player = Player(tmp_path / "journal", settings)
    player.say("/declare gv0", "/play brick", "/set volume gv0", "/begin 1")
    verdict = player.commands.judge(Wish.of_step("web1", player.offered[0]))
    assert bool(verdict.refusal) is refused
    assert refused or verdict.changes is changes
    player.store.close()


async def test_a_change_is_checked_until_it_holds_and_then_the_next_host_is_suggested(player: Player) -> None:
    player.say("/begin 2")
    not_yet = Finished(started=True, exit=0, text="2 up, 1 down")
    player.answers = [
        Finished(started=True, exit=0),
        not_yet,
        not_yet,
        Finished(started=True, exit=0, text="3 up,  0 down"),
    ]
    await player.run("web1")
    assert [seconds for _, _, seconds in player.ran] == [120, 30, 30, 30] and player.slept == [5, 7.5, 7.5]
    assert player.left == ["web2"] and player.next == "/run web2"
    await player.run("web2")
    assert player.left == [] and player.next == "/tick 2 web2 shows ' 0 down'"
    remotes = player.desk.incident.remotes if player.desk.incident else ()
    assert [(one.run, one.number, one.held) for one in remotes] == [(player.offered[0].run, 2, True)] * 2


async def test_what_never_shows_is_suggested_as_failed_and_the_host_is_left(player: Player) -> None:
    player.say("/begin 2")
    player.answers = [Finished(started=True, exit=0, text="1 down")]
    await player.run("web1", check=False)
    assert player.next == "", "nothing is known before it was checked"
    await player.run("web1")
    assert 60 <= sum(player.slept) <= 125 and player.next == "/fail 2 on web1: did not show ' 0 down'"
    assert player.left == ["web1", "web2"]


async def test_how_a_command_ends_is_what_is_suggested(player: Player) -> None:
    player.say("/begin 2")
    player.answers = [Finished(started=True, exit=1)]
    await player.run("web1")
    assert player.next == "/fail 2 on web1: did not show ' 0 down'"
    player.answers = [Finished(started=True, problem="lost"), Finished(started=True, exit=0, text="3 up,  0 down")]
    await player.run("web1")
    assert player.next == "/run web2", "nobody saw how it ended, but it shows what it must"
    player.answers = [Finished(started=False, problem="web1: no answer")]
    await player.run("web1")
    assert player.next == "", "it could not be asked: nobody knows"
    player.say("/fail 2 x", "/begin 1")
    player.answers = [Finished(started=True, exit=1)]
    await player.run("web1")
    assert player.next == "", "a look that found nothing: who reads it decides"
    player.answers = [Finished(started=True, exit=0)]
    await player.run("web1")
    assert player.left and player.next == f"/run {player.left[0]}", "it is asked of each host"
    for host in player.left:
        await player.run(host)
    assert player.left == [] and player.next == "/tick 1 "


async def test_a_step_that_only_checks_is_judged_by_what_it_shows(player: Player) -> None:
    player.say("/begin 4")
    player.answers = [Finished(started=True, exit=0, text="left: 3")]
    ran = await player.run("web1")
    assert ran.held is False and ran.sentence.endswith("It does NOT show 'left: 0'.")
    last = list(player.store.read())[-1]
    assert sentence(last, "", "") == "web1 exit 0 after 0s, NOT as expected"
    assert player.next == "/fail 4 on web1: did not show 'left: 0'" and not player.slept
    player.answers = [Finished(started=True, exit=0, text="left: 0")]
    await player.run("web1")
    assert player.next == "/tick 4 web1 shows 'left: 0'"


async def test_what_any_host_can_tell_is_asked_of_another_one_and_a_heavy_look_is_not_repeated(player: Player) -> None:
    player.say("/begin 3")
    player.answers = [
        Finished(started=True, exit=0),
        Finished(started=False, problem="web2: no answer"),
        Finished(started=True, exit=1),
    ]
    await player.run("web1")
    assert [(host, command) for host, command, _ in player.ran] == [
        ("web1", "service glusterd start"),
        ("web2", "pgrep glusterd"),
        ("web1", "pgrep glusterd"),
    ]
    assert player.slept == [5], "a look that may take five minutes is no loop"
