"""A playbook on the screen: docked, played to its end, shared with another screen, and there again after a crash."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from incident_tui.journal.record import own_records
from incident_tui.journal.take_in import take_in
from incident_tui.shipped import shipped
from incident_tui.ui.alarm import causes
from incident_tui.ui.lines import plain
from incident_tui.ui.present import notices
from tests.desk.test_playing import Person

BOOK = """+++
title = "GlusterFS: a brick is down"
owner = "operations"
when = ["gluster.brick-down"]
[variables]
volume = "the volume, e.g. gv0"
+++
One copy is missing.

- [ ] What runs and what does not?

  ```sh target=any risk=read limit=2m
  gluster volume status {{volume}}
  ```

- [ ] Start what is missing.

  ```sh target=any risk=change limit=2m expect=" 0 down" only="systemd"
  gluster volume start {{volume}} force
  ```

- [ ] Log the result.
"""


@pytest.fixture
def book(world: Any) -> None:
    world.playbooks.mkdir(parents=True)
    (world.playbooks / "brick.md").write_text(BOOK)


@pytest.mark.usefixtures("book")
async def test_a_playbook_is_played_at_80_by_24_with_the_prompt_still_there(
    world: Any, screen: Any, picture: Any
) -> None:
    world.full()
    async with screen() as driver:
        await driver.type("/play brick", "enter")
        await driver.until("Set first: /set volume VALUE (the volume, e.g. gv0).")  # its bricks and gv1's are unknown
        await driver.type("/set volume gv 0;x", "enter")
        await driver.until("gluster volume status 'gv 0;x'")
        await driver.type("/begin", "enter")
        await driver.until("You have step 1: What runs and what does not?")
        assert "[>] 1. What runs and what does not?" in driver.text
        picture("playbook-begun-80x24", driver.text)
        await driver.type("/tick", "enter")
        await driver.until("[x] 1. What runs")
        assert "Step 1 done: What runs and what does not? Next: 2. Start what is" in driver.text
        await driver.type("/fail 2 it is not mounted", "enter")
        await driver.until("[!] 2. Start what is missing.")
        await driver.until("Read its stop condition")
        await driver.type("/skip 2 its disk is dead", "enter")
        await driver.type("/tick", "enter")
        await driver.until("brick is finished")
        await driver.press("escape")
        await driver.until("brick: step 3 done")


@pytest.mark.usefixtures("book")
async def test_the_prompt_of_a_host_offers_the_command_of_the_step_one_has(world: Any, screen: Any) -> None:
    async with screen() as driver:
        await driver.type("/declare gv0", "enter")
        for line in ("/play brick", "/set volume gv 0", "/begin 2"):
            await driver.type(line, "enter")
        await driver.type("/run web3", "enter")
        assert driver.app.prompt.editor.text == "gluster volume start 'gv 0' force"
        await driver.press("enter")
        await driver.until("there: gluster volume start 'gv 0' force")
        await driver.press("escape", "escape")
        await driver.type("/run web3 uptime", "enter")
        assert driver.app.prompt.editor.text == "uptime"


@pytest.mark.usefixtures("book")
async def test_where_there_is_room_it_stands_beside_the_timeline(world: Any, screen: Any) -> None:
    world.full()
    async with screen((200, 50)) as driver:
        await driver.type("/play brick", "enter")
        await driver.until("[ ] 2. Start what is missing.")
        assert "RESULT" in driver.text, "the timeline is still there"
        titles = next(line for line in driver.text.split("\n") if "Esc closes" in line)
        assert "UTC" in titles
        await driver.press("tab", "tab")
        assert driver.app.pane == "timeline"
        await driver.press("tab")
        assert driver.app.pane == "sheet"
        await driver.press("escape", "escape")
        assert "[ ] 2. Start" not in driver.text


@pytest.mark.usefixtures("book")
async def test_a_step_that_somebody_else_has_is_said_and_shown(world: Any, screen: Any) -> None:
    async with screen() as driver:
        await driver.type("/declare gv0", "enter")
        await driver.type("/play brick", "enter")
        other = world.session(world.bob)
        while other.read_journal():
            pass
        for line in ("/begin 2", "/begin 1"):
            other.enter(line).saving.result()
        await driver.type("/begin 2", "enter")
        await driver.until("bob has step 2 since")
        await driver.press(*["backspace"] * 10)
        await driver.type("/drop 2", "enter")
        await driver.until("Open it again?")
        await driver.type("no", "enter")
        assert "[>] 2. Start what is missing.  (begun" in driver.text
        await driver.press(*["backspace"] * 10)
        await driver.type("/begin", "enter")
        await driver.until("You have step 3: Log the result.")
        other.close("")


@pytest.mark.usefixtures("book")
async def test_of_two_screens_that_take_a_step_at_once_one_is_told(world: Any, screen: Any) -> None:
    async with screen() as driver:
        await driver.type("/declare gv0", "enter")
        await driver.type("/play brick", "enter")
        other = world.session(world.bob)
        while other.read_journal():
            pass
        driver.app.session.read_journal = lambda: False  # this screen has not heard of it yet
        other.enter("/begin 1").saving.result()
        await driver.type("/begin 1", "enter")
        await driver.until("NOT SAVED: bob has step 1 since")
        del driver.app.session.read_journal
        other.close("")


@pytest.mark.usefixtures("book")
async def test_a_new_screen_goes_on_where_the_last_one_died(world: Any, screen: Any) -> None:
    async with screen() as driver:
        await driver.type("/declare gv0", "enter")
        await driver.type("/play brick", "enter")
        await driver.type("/set volume gv0", "enter")
        await driver.type("/begin 2", "enter")
        await driver.until("you have step 2 of brick")
    async with screen() as driver:
        await driver.until("you have step 2 of brick")
        await driver.type("/play brick", "enter")
        await driver.until("brick goes on where it was. You have step 2: Start what is missing.")
        assert "volume = gv0" in driver.text and "[>] 2." in driver.text


async def test_findings_suggest_their_playbooks_worst_first(world: Any, screen: Any) -> None:
    world.full()
    world.playbooks = shipped("playbooks")
    async with screen((200, 24)) as driver:
        text = driver.text
        first = text.index("suggested: /play gluster-split-brain")
        assert text.index("or /play ") > first
        await driver.type("/play gluster-split", "enter")
        await driver.until("GlusterFS: files in split-brain")
        assert "suggested: /play gluster-split-brain" not in driver.text
        assert "suggested: /play " in driver.text


@pytest.mark.usefixtures("book")
async def test_a_step_taken_on_another_bastion_meanwhile_is_told_to_both_when_they_meet(
    world: Any, screen: Any, tmp_path: Path
) -> None:
    async with screen((200, 45)) as driver:
        await driver.type("/declare gv0", "enter")
        await driver.type("/play brick", "enter")
        here = driver.app.session
        bob = Person("bob", tmp_path / "there", world.clock, "b")
        take_in(bob.store, own_records(here.store, 1, 1 << 40), world.clock())
        bob.desk.playbooks = lambda: here.playbooks
        bob.read()
        driver.app.tick()
        world.clock.now += timedelta(minutes=1)
        bob.saved("/begin 1")  # on the other side of the split
        world.clock.now += timedelta(minutes=1)
        await driver.type("/begin 1", "enter")
        await driver.until("You have step 1")
        take_in(here.store, own_records(bob.store, 1, 1 << 40), world.clock())
        take_in(bob.store, own_records(here.store, 1, 1 << 40), world.clock())
        driver.app.tick()
        text = await driver.until("step 1 of brick: bob was first (begun")
        assert "bob was first: b1" in text, "the mark under the entry"
        assert [sort for sort, _ in causes(here.view())] == ["conflict"], "a bell where bells are on"
        his = world.session(world.bob, directory=tmp_path / "there", letter="b")
        while his.read_journal():
            pass
        assert "step 1 of brick: bob was first" in plain([notices(his.view(), 120)]), "and on Bob's screen"
        await driver.type("/tick 1", "enter")
        await driver.until("bob has step 1")
        bob.store.close()


def without_brick(rows: Any) -> Any:
    """The board when web3's brick of gv0 is down, as all peers say."""
    for host in ("web1", "web2", "web3"):
        one = rows[f"host/{host}"]
        status = one.volume_status["gv0"]
        bricks = tuple(
            replace(brick, online=brick.host != "web3", pid=77 if brick.host != "web3" else 0)
            for brick in status.bricks
        )
        local = tuple(replace(brick, alive=host != "web3" or brick.volume != "gv0") for brick in one.gluster.bricks)
        statuses = {**one.volume_status, "gv0": replace(status, bricks=bricks)}
        rows[f"host/{host}"] = replace(one, volume_status=statuses, gluster=replace(one.gluster, bricks=local))
    return rows


async def test_the_shipped_playbook_of_a_brick_that_is_down_knows_which(world: Any, screen: Any) -> None:
    world.playbooks = shipped("playbooks")
    world.full(without_brick(world.healthy()))
    async with screen() as driver:
        await driver.until("suggested: /play gluster-brick-down")
        await driver.type("/play gluster-brick-down", "enter")
        await driver.until("volume = gv0, brick = /b/gv0 from the board; /set changes it.")
        await driver.type("/begin 2", "enter")
        await driver.until("You have step 2")
        await driver.type("/run", "enter")
        await driver.until("is for web3, where it was seen; web1, web2 if you")
        assert driver.app.prompt.editor.text == "/run web3", "where the brick is, not the first of all"


async def test_a_playbook_is_opened_and_ticked(world: Any, screen: Any, kit: Any) -> None:
    world.playbooks.mkdir(parents=True)
    (world.playbooks / "oom.md").write_text(
        '+++\ntitle = "Out of memory"\nowner = "ana"\nwhen = ["docker.container-oom"]\n+++\nLook first.\n\n'
        "- [ ] Find who eats it.\n\n  ```\n  free -m\n  ```\n\n- [ ] Restart it.\n"
    )
    world.full()
    async with screen() as driver:
        assert "suggested: /play oom" in driver.line(21)
        await driver.type("/play oo", "tab", "enter")
        assert "[ ] 1. Find who eats it." in driver.text and "free -m" in driver.text
        await driver.type("/tick", "enter")
        assert "[x] 1. Find who eats it." in driver.text


async def test_a_playbook_scrolls_to_its_next_step(world: Any, screen: Any, kit: Any) -> None:
    world.playbooks.mkdir(parents=True)
    steps = "".join(f"- [ ] Step number {number}\n\n  **Look** first.\n\n" for number in range(1, 21))
    (world.playbooks / "oom.md").write_text(f'+++\ntitle = "Memory"\nowner = "ana"\n+++\nFirst of all.\n\n{steps}')
    async with screen() as driver:
        await driver.type("/declare web2", "enter")
        await driver.type("/play oom", "enter")
        await driver.until("First of all.")
        assert "**" not in driver.text
        for number in range(1, 13):
            await driver.type("/tick", "enter")
            await driver.until(f"[ ] {number + 1}. Step")
        assert "[x] 1." not in driver.text
