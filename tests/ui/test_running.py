"""The prompt of a host on the screen: what it asks before something runs, what is seen of it, and how it is left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

import msgspec

from incident_tui.desk.host_command import Wish
from incident_tui.fleet.remote import Finished
from incident_tui.incident.entry import Author, Draft, Kind, Ref
from incident_tui.incident.policy import Verdict
from incident_tui.incident.views import Incident
from incident_tui.incident.work import Remote
from incident_tui.ui.host_prompt import Go, HostPrompt
from incident_tui.ui.running import left_over
from tests.ui.made_up import NOW
from tests.ui.piloted import Driver

Screen = Callable[..., AbstractAsyncContextManager[Driver]]
DONE = Finished(started=True, exit=0, seconds=2.0, bytes=4, sha256="ab", text="done")


class Machine:
    """Stands in for `fleet.remote.run`: prints a line, and ends when it is let go or stopped."""

    def __init__(self) -> None:
        self.ran: list[tuple[str, str]] = []
        self.over = asyncio.Event()
        self.text = DONE.text

    async def __call__(self, host: Any, fleet: Any, command: str, *, stop: asyncio.Event, **more: Any) -> Finished:
        self.ran.append((host.name, command))
        more.get("output", lambda data, is_error: None)(b"\x1b[31mhello\x1b[0m from %s\n" % host.name.encode(), False)
        over, stopped = asyncio.ensure_future(self.over.wait()), asyncio.ensure_future(stop.wait())
        await asyncio.wait({over, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        over.cancel()
        if stop.is_set():
            return Finished(started=True, signal="TERM", stopped=True, problem="stopped from here", seconds=1.0)
        return msgspec.structs.replace(DONE, text=self.text)


def on(driver: Driver) -> Machine:
    machine = Machine()
    driver.app.actions.running.commands._run = machine
    return machine


def commands(driver: Driver) -> list[dict[str, Any]]:
    return [entry.data for entry in driver.app.session.store.read() if entry.kind is Kind.COMMAND]


async def test_a_command_that_reads_runs_at_once(screen: Screen, picture: Callable[[str, str], None]) -> None:
    async with screen() as driver:
        machine = on(driver)
        await driver.type("/run web3", "enter")
        picture("run_prompt", driver.text)
        await driver.type("uptime", "enter")
        await driver.until("hello from web3")
        assert machine.ran == [("web3", "uptime")] and [one["step"] for one in commands(driver)] == ["intent"]
        machine.over.set()
        await driver.until("web3 exit 0 after 2s.")
        assert [one["step"] for one in commands(driver)] == ["intent", "outcome"]
        picture("run_over", driver.text)
        await driver.press("escape")
        assert driver.line(22) == " >" and not driver.app.sheet.display


async def test_what_may_change_something_wants_a_word_and_the_name(
    screen: Screen, picture: Callable[[str, str], None]
) -> None:
    async with screen() as driver:
        machine = on(driver)
        machine.over.set()
        await driver.type("/run web3", "enter")
        await driver.type("systemctl restart docker", "enter")
        picture("run_expect", driver.text)
        await driver.press("enter")
        assert "say what you expect" in driver.text
        await driver.type("docker answers", "enter")
        picture("run_name", driver.text)
        await driver.type("web2", "enter")
        assert "Not run: that is not web3." in driver.text and not machine.ran
        assert driver.app.prompt.editor.text == "systemctl restart docker"
        await driver.press("enter")
        await driver.type("docker answers", "enter")
        await driver.type("web3", "enter")
        await driver.until("web3 exit 0")
        assert machine.ran == [("web3", "systemctl restart docker")]
        assert commands(driver)[0]["expected"] == "docker answers"


async def test_a_commander_is_reminded_before_a_change_and_after_a_look(screen: Screen) -> None:
    word = "You command: others are here"
    async with screen() as driver:
        machine = on(driver)
        machine.over.set()
        driver.app.actions.running.commands._present = lambda: ["ana", "bob"]
        await driver.type("/declare gv0", "enter")
        await driver.type("/run web3", "enter")
        await driver.type("uptime", "enter")
        await driver.until("web3 exit 0 after 2s.")
        assert word in driver.text
        await driver.type("reboot", "enter")
        assert word not in driver.text
        await driver.type("it comes back", "enter")
        assert word in driver.text and not machine.ran[1:]
        await driver.type("web3", "enter")
        await driver.until("web3 exit 0 after 2s.")
        assert word not in driver.text


async def test_ctrl_c_stops_it_and_does_not_leave(screen: Screen) -> None:
    async with screen() as driver:
        machine = on(driver)
        await driver.type("/run web3", "enter")
        await driver.type("uptime", "enter")
        await driver.until("hello")
        await driver.press("ctrl+c", "ctrl+c")
        await driver.until("TERM, stopped from here after 1s")
        assert driver.app.is_running and machine.ran


async def test_notes_go_on_while_it_runs(screen: Screen) -> None:
    async with screen() as driver:
        machine = on(driver)
        await driver.type("/run web3", "enter")
        await driver.type("uptime", "enter")
        await driver.until("hello")
        await driver.press("escape")
        assert "goes on; Ctrl+C stops it" in driver.text
        await driver.type("! looked at web3", "enter")
        await driver.type("/run web3", "enter")
        await driver.type("df", "enter")
        assert "A command still runs" in driver.text and machine.ran == [("web3", "uptime")]
        machine.over.set()
        await driver.until("web3 exit 0")


async def test_a_command_is_no_note_and_a_note_no_command(screen: Screen) -> None:
    async with screen() as driver:
        on(driver)
        await driver.type("rm the old log", "enter")
        await driver.type("/run web3", "enter")
        await driver.press("up")
        assert driver.app.prompt.editor.text == ""  # the notes are not here
        await driver.type("reboot")
        assert driver.app.talk.unsent()[0] == ""  # nothing that the next screen would offer as a note
        driver.app.talk.pasted("reboot\nreboot\n")
        assert driver.app.prompt.editor.text == "reboot" and "one command at a time" in driver.app.talk.said[0]
        await driver.press("ctrl+f")
        assert driver.app.prompt.editor.text == "reboot" and "Esc leaves it" in driver.text
        await driver.press("escape", "up", "up")
        assert driver.app.prompt.editor.text == "rm the old log"


async def test_an_unknown_host_and_a_prefilled_command(screen: Screen) -> None:
    async with screen() as driver:
        machine = on(driver)
        await driver.type("/run web9", "enter")
        assert "There is no host web9" in driver.text
        await driver.press("ctrl+u")
        await driver.type("/run WEB3 uptime", "enter")
        assert driver.app.prompt.editor.text == "uptime" and "web3# uptime" in driver.text and not machine.ran


async def test_a_confined_login_runs_nothing(screen: Screen) -> None:
    async with screen() as driver:
        driver.app.session.confined = True
        await driver.type("/run web3", "enter")
        assert "No commands on hosts" in driver.text and driver.app.talk.host is None


async def test_a_hold_of_somebody_else_is_said_and_wants_the_name(screen: Screen) -> None:
    async with screen() as driver:
        machine = on(driver)
        await driver.type("/declare sites down", "enter")
        session = driver.app.session
        data = {"step": "hold", "target": "web3", "minutes": 10}
        working = session.desk.working
        draft = Draft(Kind.HOLD, "disk swap", session.clock(), Author("bob"), incident=working, data=data)
        session.store.append([draft], key="bob holds")
        while session.read_journal():
            pass
        await driver.type("/run web3", "enter")
        await driver.type("uptime", "enter")
        assert "web3 is held by bob until" in driver.text and not machine.ran
        machine.over.set()
        await driver.type("web3", "enter")
        await driver.until("web3 exit 0")


def test_warnings_that_came_meanwhile_are_asked_about() -> None:
    down = Verdict(warnings=("web2 is down",))
    found = [Verdict(), Verdict(), down, down]
    prompt = HostPrompt("web3", lambda wish: found.pop(0))
    assert prompt.enter("reboot") is None and "What do you expect" in prompt.question
    assert prompt.enter("it comes back") is None and "Type web3" in prompt.question
    assert prompt.enter("web3") is None and "web2 is down" in prompt.question
    go = prompt.enter("Web3")
    assert isinstance(go, Go) and go.wish == Wish.of("web3", "reboot", "it comes back")


def test_a_count_that_changes_is_not_asked_about_again() -> None:
    found = [Verdict(warnings=(f"gv0: {count} entries are to be healed",)) for count in (16, 16, 18)]
    prompt = HostPrompt("web3", lambda wish: found.pop(0))
    prompt.enter("reboot")
    prompt.enter("it comes back")
    assert isinstance(prompt.enter("web3"), Go)


def test_a_refusal_keeps_the_command() -> None:
    prompt = HostPrompt("web3", lambda wish: Verdict(refusal="off"))
    assert prompt.enter("uptime") is None
    assert (prompt.said, prompt.line, prompt.step) == ("off", "uptime", "command")
    assert not prompt.back()


def test_what_earlier_screens_left_is_said_once_and_of_oneself() -> None:
    at = NOW - timedelta(minutes=30)
    runs = Remote(ref=Ref("j", 1), host="web3", command="reboot", at=at, by=Author("Ana"))
    ended = Remote(
        ref=Ref("j", 2), host="web2", command="reboot", at=at, by=Author("ana"), expected="it is back",
        verify="uptime", verify_minutes=2, ended_at=at, exit=0,
    )  # fmt: skip
    theirs = Remote(ref=Ref("j", 3), host="web1", command="reboot", at=at, by=Author("bob"))
    incident = Incident(id="i", remotes=(runs, ended, theirs))
    said = left_over(incident, "ana", NOW, lambda ref: f"a{ref.seq}")
    assert said == ("a1 on web3 runs, or nobody knows how it ended: reboot. a2 on web2 was never verified: it is back.")
    assert left_over(None, "ana", NOW, lambda ref: "") == ""


BOOK = """+++
title = "A brick is down"
owner = "operations"
+++
- [ ] What runs?

  ```sh target=any risk=read
  gluster volume status
  dmesg | tail -n 5
  ```

- [ ] Start what is missing.

  ```sh target=any risk=change expect="0 down"
  gluster volume start gv0 force
  ```

  ```sh verify expect="0 down"
  gluster volume status gv0
  ```
"""


async def test_a_step_of_a_playbook_is_run_checked_and_settled(
    world: Any, screen: Screen, picture: Callable[[str, str], None]
) -> None:
    world.playbooks.mkdir(parents=True)
    (world.playbooks / "brick.md").write_text(BOOK)
    async with screen() as driver:
        machine = on(driver)
        machine.over.set()
        for line in ("/declare gv0", "/play brick", "/begin"):
            await driver.type(line, "enter")
        await driver.until("You have step 1")
        await driver.type("/run", "enter")
        assert driver.app.prompt.editor.text == "/run web1"
        assert "Step 1 (What runs?) is for any one of web1" in driver.text
        await driver.press("enter")
        picture("run_step", driver.text)
        assert driver.app.prompt.editor.text == "step 1"
        await driver.press("enter")
        await driver.until("web1 exit 0")
        assert machine.ran == [("web1", "gluster volume status\ndmesg | tail -n 5")]
        assert commands(driver)[0]["command"] == machine.ran[0][1] and commands(driver)[0]["number"] == 1
        await driver.press("escape")
        assert driver.app.prompt.editor.text == "/tick 1 "
        await driver.press("enter")
        await driver.type("/begin", "enter")
        await driver.until("You have step 2")
        await driver.type("/run web2", "enter")
        assert "CHANGES something" in driver.text and "this shows '0 down'" in driver.text
        await driver.press("enter")
        assert "Type web2 and Enter to run there: gluster volume start gv0 force" in " ".join(driver.text.split())
        machine.text = "3 up, 0 down"
        await driver.type("web2", "enter")
        await driver.until("web2 held: shows '0 down'")
        await driver.press("escape")
        assert driver.app.prompt.editor.text == "/tick 2 web2 shows '0 down'"
        await driver.press("enter")
        await driver.until("brick is finished")


async def test_a_command_of_a_step_that_was_changed_is_asked_about_as_any_other(world: Any, screen: Screen) -> None:
    world.playbooks.mkdir(parents=True)
    (world.playbooks / "brick.md").write_text(BOOK)
    async with screen() as driver:
        machine = on(driver)
        for line in ("/declare gv0", "/play brick", "/begin 2", "/run web1"):
            await driver.type(line, "enter")
        await driver.type(" ; reboot", "enter")
        assert "What do you expect" in driver.text and not machine.ran
