"""Filter, search, going somewhere, zoom and yank on the whole screen."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from incident_tui.incident.entry import Author
from incident_tui.journal.last_seen import LastSeen
from incident_tui.journal.store import Store


async def filtered(driver: Any, text: str) -> None:
    await driver.press("ctrl+f")
    await driver.type(text)


async def test_a_filter_shows_while_it_is_typed_and_is_named_until_it_ends(world: Any, screen: Any) -> None:
    world.full()
    async with screen() as driver:
        await filtered(driver, "by:bob")
        await driver.until("FILTERED 3/12, Esc ends")
        assert driver.line(22).endswith("> /filter by:bob")
        await driver.press("enter")
        assert "3 of 12 entries fit" in driver.line(23)
        await driver.type("! mine", "enter")
        assert "1 new hidden  FILTERED 3/13, Esc ends" in driver.text
        assert "a13 saved. The filter hides it." in driver.line(23)
        await driver.press("escape")
        assert "FILTERED" not in driver.text and "a13" in driver.text


async def test_esc_brings_back_the_filter_and_the_draft_from_before(world: Any, screen: Any) -> None:
    world.full()
    async with screen() as driver:
        await driver.type("/filter kind:decision", "enter")
        await driver.type("half a line")
        await filtered(driver, "xyz")
        await driver.until("FILTERED 0/12")
        assert "Nothing fits the filter." in driver.text
        assert driver.app.talk.unsent()[0] == "half a line"
        await driver.press("escape")
        assert "FILTERED 1/12" in driver.text
        assert driver.app.prompt.editor.text == "half a line"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("kind:acton", "There is no kind acton; did you mean action?"),
        ("by:zoe", "Nobody here is called zoe. Tab after by: lists them."),
        ("host:", "What host after host: ? Tab lists them."),
    ],
)
async def test_what_is_not_known_is_refused_and_changes_nothing(
    world: Any, screen: Any, line: str, sentence: str
) -> None:
    world.full()
    async with screen() as driver:
        await driver.type(f"/filter {line}", "enter")
        assert sentence in driver.line(23) and "FILTERED" not in driver.text
        assert driver.app.prompt.editor.text == f"/filter {line}"


async def test_search_back_and_on_and_to_the_entry(world: Any, screen: Any) -> None:
    world.full()
    async with screen() as driver:
        await driver.type("draft")
        await driver.press("ctrl+r")
        await driver.type("gv0")
        await driver.until("4 of 4.")
        await driver.press("ctrl+r", "ctrl+n", "enter")
        assert "4 of 4." in driver.line(23)
        assert driver.app.prompt.editor.text == "draft" and driver.app.pane == "timeline"
        await driver.press("ctrl+r")
        assert "3 of 4." in driver.line(23)
        assert driver.app.window.chosen().ref.seq == 4
        await driver.press("ctrl+n", "ctrl+n")
        assert "No newer entry has gv0; 4 in all." in driver.line(23)
        await driver.press("enter")
        assert "a6  STATUS" in driver.text
        await driver.press("escape", "escape")
        assert driver.app.pane == "prompt" and driver.app.window.chosen() is None


async def test_search_finds_what_was_saved_since_the_last_paint(world: Any, screen: Any) -> None:
    world.full()
    async with screen() as driver:
        await driver.type("/find hosting")
        late = msgspec.structs.replace(world.story(world.clock.now)[1], text="the hosting company called")
        world.write(late)
        driver.app.act("enter")  # before anybody rang
        await driver.settle()
        assert "1 of 1." in driver.line(23) and "the hosting" in driver.text


@pytest.mark.parametrize(
    ("place", "seq", "said"),
    [
        ("a3", 3, ""),
        ("14:05", 5, "The first entry from 2026-11-23 14:05Z on."),
        ("@14:05", 5, "The first entry from 2026-11-23 14:05Z on."),
        ("23:59", 1, "The first entry from 2026-11-22 23:59Z on."),
        ("-10m", 11, "Nothing"),
        ("012345:7", 7, ""),
        ("first", 1, ""),
    ],
)
async def test_go(world: Any, screen: Any, place: str, seq: int, said: str) -> None:
    world.full()
    async with screen() as driver:
        if ":7" in place:
            place = f"{driver.app.session.store.journal[:6]}:7"
        await driver.type(f"/go {place}", "enter")
        if place == "-10m":
            assert driver.app.window.chosen().ref.seq in (11, 12)
            return
        assert driver.app.window.chosen().ref.seq == seq
        assert said in driver.line(23)


async def test_going_to_what_the_filter_hides_lifts_it_and_says_so(world: Any, screen: Any) -> None:
    world.full()
    async with screen() as driver:
        await driver.type("/filter by:bob", "enter")
        await driver.type("/go a2", "enter")
        assert "a2 does not fit the filter, which is off now; /filter by:bob sets it again." in driver.text
        assert driver.app.window.chosen().ref.seq == 2
        await driver.type("/go a99", "enter")
        assert "There is no entry a99." in driver.line(23)


async def test_zoom_and_back(world: Any, screen: Any, picture: Callable[[str, str], None]) -> None:
    world.full()
    async with screen((60, 15)) as driver:
        before = driver.text
        await driver.press("f4")
        assert "HOSTS" not in driver.text and "F4 zooms back" in driver.text
        picture("timeline-zoomed-60x15", driver.text)
        await driver.press("tab")
        assert "CONTAINERS" in driver.text and "ACTION" not in driver.text
        await driver.press("enter")
        assert "Esc closes" in driver.line(3)
        await driver.press("escape")
        assert driver.app.pane == "status"
        await driver.press("escape", "ctrl+o")
        assert driver.text == before
        await driver.type("/zoom hosts", "enter")
        assert driver.app.painter.zoom == "left"


async def test_what_is_yanked_is_on_the_clipboard_and_in_a_private_file(
    world: Any, screen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.full()
    monkeypatch.delenv("TMUX", raising=False)
    async with screen() as driver:
        sent: list[str] = []
        monkeypatch.setattr(driver.app, "send", sent.append)
        await driver.press("ctrl+y")
        assert "Nothing is chosen" in driver.line(23) and not sent
        await driver.type("/yank a2", "enter")
        assert "Sent to the terminal's clipboard, and in" in driver.text
        (file,) = (world.directory / "yank").iterdir()
        assert file.read_text() == "a2 14:02:24Z ana ACTION restarted glusterd web3\n"
        assert os.stat(file).st_mode & 0o777 == 0o600
        assert sent[0].startswith("\x1b]52;c;")
        await driver.press("tab", "ctrl+y")
        assert "reliefweb" in file.read_text()


async def test_since_you_left(world: Any, screen: Any) -> None:
    world.full()
    left = world.clock.now - timedelta(minutes=37)
    LastSeen(world.directory, "ana").mark(left)
    async with screen() as driver:
        assert "Since you left at 14:06Z: 6 entries, 2 by bob" in driver.text
        assert "── since you left 14:06Z (6 new) ──" in driver.text
        await driver.press("ctrl+g")
        assert driver.app.window.chosen().ref.seq == 7
    assert LastSeen(world.directory, "ana").read() == world.clock.now
    async with screen() as driver:
        assert "since you left" not in driver.text.lower()


async def test_what_somebody_else_enters_above_is_told_until_it_was_in_view(world: Any, screen: Any) -> None:
    world.full()
    note = msgspec.structs.replace(world.story()[1], author=world.bob, text="saw the disk alarm", source="cli")
    earlier = world.clock.now - timedelta(minutes=39.5)

    def enter(drafts: list[Any]) -> None:
        with Store.open(world.directory, clock=world.clock) as store:
            store.append(drafts, key=f"{drafts[0].at} {drafts[0].text}")

    async with screen((60, 15)) as driver:
        enter([msgspec.structs.replace(note, at=world.clock.now)])
        driver.app.tick()
        assert "a13" in driver.text and "/go a" not in driver.text, "what comes at the end is seen"
        enter([msgspec.structs.replace(note, at=earlier)])
        driver.app.tick()
        await driver.settle()
        assert "a14 bob 39m earlier: /go a14" in driver.text
        enter([msgspec.structs.replace(note, at=earlier, text="and another")])
        driver.app.tick()
        assert "2 earlier above: /go a14" in driver.text
        await driver.type("/go a14", "enter")
        assert "the disk alarm" in driver.text and "above" not in driver.text
        await driver.press("ctrl+end")
        enter([msgspec.structs.replace(note, at=earlier, author=Author("ana", uid=1000), text="mine")])
        driver.app.tick()
        assert "/go" not in driver.text
        enter([msgspec.structs.replace(note, at=earlier, text="nobody goes there")])
        driver.app.tick()
        assert "/go a17" in driver.text
        world.clock.turn(61)
        driver.app.tick()
        assert "/go" not in driver.text


async def test_a_run_opens_on_enter_and_folds_again_at_the_end(
    world: Any, screen: Any, picture: Callable[[str, str], None]
) -> None:
    world.full()
    world.write(*machine_rows(world, 14))
    world.clock.turn(400)
    async with screen() as driver:
        assert "10 more from web2: 5 warn, 5 ok" in driver.text
        picture("timeline-folded-80x24", driver.text)
        await driver.press("tab", "tab", *["up"] * 4)
        assert driver.app.window.chosen().hosts == ["web2"]
        await driver.press("enter")
        assert "10 more from web2" not in driver.text and "reading 5" in driver.text
        await driver.press("escape", "ctrl+end")
        assert "10 more from web2" in driver.text
        await driver.type("/find reading 5", "enter")
        assert "reading 5" in driver.text


SIZES = ((60, 15), (80, 24), (200, 50))


def machine_rows(world: Any, count: int) -> list[Any]:
    """What one host keeps saying, after the story."""
    made = []
    for number in range(count):
        data = {"finding": f"rule{number % 5}", "level": ("warn", "ok")[number % 2], "subject": "web2", "host": "web2"}
        at = world.clock.now + timedelta(seconds=20 * number)
        made.append(msgspec.structs.replace(world.story()[2], at=at, text=f"reading {number}", data=data))
    return made


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("state", ["filtered", "unread", "behind", "corrected", "hostile"])
async def test_the_timeline_in_each_state_and_size(
    world: Any, screen: Any, picture: Callable[[str, str], None], state: str, width: int, height: int
) -> None:
    world.full()
    LastSeen(world.directory, "ana").mark(world.clock.now - timedelta(minutes=37 if state == "unread" else 0))
    now = world.clock.now
    note = msgspec.structs.replace(world.story()[1], at=now)
    if state == "hostile":
        text = "[bold]x[/] \x1b]0;pwn\x07 \u202egnp.exe \u0438\u0301\u4f60\u597d " + "\u00e9" * 300
        world.write(msgspec.structs.replace(note, text=text))
    async with screen((width, height)) as driver:
        if state == "filtered":
            await driver.type("/filter by:ana", "enter")
            world.write(msgspec.structs.replace(note, author=world.bob))
            driver.app.tick()
        elif state == "behind":
            await driver.press("pageup", "pageup")
            world.write(note, *machine_rows(world, 6))
            driver.app.tick()
        elif state == "corrected":
            for line in ("/amend a2 restarted glusterd on web2", "/strike a4", "/pin a8", "-25m saw the disk alarm"):
                await driver.type(line, "enter")
                await driver.type("yes" if line.startswith("-25m") and driver.app.talk.ask else "", "enter")
            await driver.type("/go a2", "enter")
        await driver.settle()
        text = driver.text
    assert "\x1b" not in text and "\u202e" not in text
    picture(f"timeline-{state}-{width}x{height}", text)


async def test_a_pane_that_is_not_there_is_refused_and_the_line_stays(world: Any, screen: Any) -> None:
    async with screen() as driver:
        await driver.type("/zoom web2", "enter")
        assert "hosts or timeline" in driver.line(23) and driver.app.prompt.editor.text == "/zoom web2"
