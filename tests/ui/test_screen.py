"""The whole screen under Textual's pilot: what is seen at each size, and what keys do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from textual import events

from incident_tui.incident.entry import Kind
from incident_tui.journal.notify import ring


@pytest.mark.parametrize(("width", "height"), [(80, 24), (60, 15), (200, 50), (120, 40)])
async def test_the_outage_at_each_size(
    world: Any, screen: Any, picture: Callable[[str, str], None], width: int, height: int
) -> None:
    world.full()
    async with screen((width, height)) as driver:
        picture(f"screen-outage-{width}x{height}", driver.text)


@pytest.mark.parametrize("state", ["healthy", "stale", "empty"])
async def test_other_states_at_80x24(world: Any, screen: Any, picture: Callable[[str, str], None], state: str) -> None:
    if state != "empty":
        world.full(world.healthy(world.clock.now))
    if state == "stale":
        world.clock.turn(1800)
    async with screen() as driver:
        picture(f"screen-{state}-80x24", driver.text)


async def test_ascii_and_no_colour(world: Any, screen: Any) -> None:
    from incident_tui.ui.settings import Screen

    world.team = type(world.team)(screen=Screen(ascii=True))
    world.full()
    async with screen(colours=False) as driver:
        assert driver.text.isascii()
        assert "gv0  bricks 3/3 SPLIT 1" in driver.text
        styles = {segment.style for strip in driver.strips for segment in strip if segment.style is not None}
        assert not [style for style in styles if style.color is not None and style.color.name not in ("default",)]


async def test_a_note_from_keys_to_the_journal(world: Any, screen: Any) -> None:
    world.full()
    async with screen() as driver:
        await driver.type("! restarted web3")
        assert driver.line(22).startswith(" ACTION 14:43Z > ! restarted web3")
        await driver.press("enter")
        assert driver.line(22).strip() == ">"
        assert "a13 saved." in driver.line(23)
        assert "saved 14:43:12Z" in driver.line(0)
        assert " a13 14:43:12 ana  ACTION restarted web3" in driver.text
    assert driver.app.session.fold.incidents()[0].rows[-1].entry.kind is Kind.ACTION


async def test_declare_from_an_empty_journal(world: Any, screen: Any) -> None:
    async with screen() as driver:
        assert "no incident: /declare TITLE" in driver.line(0)
        await driver.type("/decl", "tab")
        await driver.type("/sev 1 gv0 split-brain", "enter")
        assert driver.line(0).startswith(" SEV1 gv0 split-brain  <10s  declared  IC ana <10s")
        assert "declared; ana is commander" in driver.line(23)


async def test_printable_keys_are_text_whatever_is_in_view(world: Any, screen: Any) -> None:
    world.full()
    async with screen() as driver:
        for keys in (["tab"], ["tab", "tab"], ["f1"], ["tab", "enter"], ["escape", "escape"]):
            await driver.press("escape", "ctrl+u", *keys)
            await driver.type("q?jk/")
            assert driver.app.prompt.editor.text == "q?jk/"
            assert driver.app.pane == "prompt"


async def test_escape_keeps_the_draft(world: Any, screen: Any) -> None:
    world.full()
    async with screen() as driver:
        await driver.type("half a line")
        await driver.press("shift+tab", "escape", "f1", "escape", "escape")
        assert driver.app.prompt.editor.text == "half a line"


async def test_enter_in_the_left_pane_shows_findings_evidence_and_age(world: Any, screen: Any) -> None:
    world.full()
    async with screen() as driver:
        await driver.press("tab")
        assert "reliefweb.example: answers 502, not 200" in driver.line(21)
        for _ in range(40):
            await driver.press("down")
            row = driver.app.status.row()
            if row is not None and row.name == "gv0":
                break
        await driver.press("enter")
        assert "X gv0: SPLIT-BRAIN, 1 entry, first" in driver.text
        assert "gluster.split-brain" in driver.text and "web3:/b/gv0" in driver.text
        await driver.press("escape")
        assert "SPLIT-BRAIN" not in driver.text


async def test_enter_on_an_entry_shows_all_of_it(world: Any, screen: Any) -> None:
    world.full()
    async with screen() as driver:
        await driver.press("tab", "tab", "up", "up", "enter")
        assert "a10  TASK" in driver.text and "happened    2026-11-23 14:23:42Z" in driver.text


async def test_scrolling_back_and_what_is_new_below(world: Any, screen: Any) -> None:
    world.full()
    async with screen() as driver:
        await driver.press("pageup")
        before = driver.text.split("\n")[3:20]
        world.write(msgspec.structs.replace(world.story()[1], at=world.clock.now))
        ring(world.directory)
        await driver.until("1 new below")
        assert driver.text.split("\n")[3:20] == before
        await driver.press("ctrl+end")
        assert "new below" not in driver.text


async def test_an_entry_and_a_reading_of_another_process_are_seen_by_the_bell(world: Any, screen: Any) -> None:
    world.full(world.healthy(world.clock.now))
    async with screen() as driver:
        assert "SPLIT" not in driver.text
        world.put(world.outage(world.clock.now))
        await driver.until("SPLIT 1")
        world.write(world.story()[7])
        await driver.until("a13")


async def test_tab_begins_at_the_worst_row_and_the_choice_stays(world: Any, screen: Any) -> None:
    world.full(world.healthy(world.clock.now))
    async with screen() as driver:
        await driver.press("tab", "down", "down")
        before = driver.app.status.row().key
        world.put(world.outage(world.clock.now))
        await driver.until("SPLIT 1")
        assert driver.app.status.row().key == before, "what is chosen stays so, whatever comes"
        await driver.press("escape", "tab")
        worst = max(row.level.rank for row in driver.app.status._rows if row.level is not None)
        assert driver.app.status.row().level.rank == worst


async def test_history(world: Any, screen: Any) -> None:
    async with screen() as driver:
        await driver.type("one", "enter")
        await driver.type("two", "enter")
        await driver.type("/filter kind:action", "enter")
        await driver.type("/find one", "enter")
        await driver.type("/go a1", "enter")
        await driver.press("escape", "escape", "up", "up")
        assert driver.app.prompt.editor.text == "one"
        await driver.press("down", "down")
        assert driver.app.prompt.editor.text == ""


async def test_help_of_a_verb_shows_as_it_is_typed(world: Any, screen: Any) -> None:
    async with screen() as driver:
        await driver.type("/assign")
        assert driver.line(23).startswith(" /assign NAME 5m TEXT  give a time-boxed task")
        await driver.press("ctrl+u")
        body = driver.text.split("\n")[:20]
        await driver.type("/update")
        assert driver.line(21).rstrip() == " /update [internal|public|exec,...] [+20m] [TEXT]"
        assert driver.line(23).rstrip() == " post an update; without TEXT draft it; +20m: the next"
        assert driver.text.split("\n")[:20] == body, "what is read does not move"
        await driver.press("ctrl+u")
        await driver.type("/help ic", "enter")
        assert "/ic take | offer NAME | claim | NAME" in driver.text and "/ic offer bob" in driver.text
        await driver.press("escape", "f1")
        assert "it happened earlier" in driver.text
        assert "PREFIXES" in driver.text
        await driver.press("pagedown", "pagedown")
        assert "VERBS" in driver.text or "/declare" in driver.text


async def test_up_and_down_scroll_what_is_open_and_bring_no_old_line(world: Any, screen: Any) -> None:
    async with screen() as driver:
        await driver.type("one", "enter")
        await driver.press("f1", "down", "down")
        assert driver.app.prompt.editor.text == "" and "What may stand in front" not in driver.text
        await driver.press("up", "up")
        assert driver.app.prompt.editor.text == "" and "What may stand in front" in driver.text
        assert driver.line(23).startswith(" Esc closes   PgUp PgDn scroll")
        await driver.press("escape", "up")
        assert driver.app.prompt.editor.text == "one"
        assert driver.line(23).startswith(" Enter saves   Tab words   PgUp back")
        await driver.press("ctrl+u", "tab")
        assert driver.line(23).startswith(
            " Enter opens   Up Down choose   Esc prompt   F6 log   F7 measure   F8 changes"
        )


async def test_a_question_is_asked_in_the_hint_line_and_answered_by_typing(world: Any, screen: Any) -> None:
    world.full()
    async with screen() as driver:
        await driver.type("/update public sites are slow", "enter")
        assert driver.line(22).startswith(" ANSWER >")
        assert "The PUBLIC will read" in driver.line(23)
        await driver.type("public", "enter")
        assert "UPDATE public: sites are slow" in driver.text


async def test_a_bracketed_paste_is_previewed_and_never_a_command(world: Any, screen: Any) -> None:
    world.full()
    async with screen() as driver:
        driver.app.prompt.post_message(events.Paste("/close\r\n[bold]x[/]\n\x1b]0;pwn\x07end"))
        await driver.until("Pasted 3 lines")
        assert "paste, not saved yet" in driver.text and "[bold]x[/]" in driver.text and "\x1b" not in driver.text
        await driver.press("enter")
        assert "EVIDENCE /close" in driver.text
        assert driver.app.session.incident is not None and driver.app.session.incident.open


async def test_several_enters_at_once_are_a_paste(world: Any, screen: Any) -> None:
    async with screen(paste_gap=0.05) as driver:
        await driver.type("one")
        for key, character in (("enter", ""), ("/", "/"), ("q", "q"), ("enter", ""), ("x", "x")):
            driver.app.prompt.post_message(driver.app.prompt.KeyPressed(key, character, driver.app._burst._last))
        await driver.until("Pasted 3 lines")
        assert driver.app.session.store.head().seq == 0


async def test_read_asks_the_watch(world: Any, screen: Any) -> None:
    async with screen() as driver:
        await driver.type("/read web3", "enter")
        await driver.press("f5")
        assert driver.asked == ["web3", ""]


async def test_a_watch_is_started_when_nobody_watches(world: Any, screen: Any) -> None:
    async with screen() as driver:
        assert driver.started == [1]
        assert "? nobody watches" in driver.text
        driver.app.tick()
        assert driver.started == [1]


async def test_a_watch_that_cannot_be_started_is_said_and_all_else_goes_on(world: Any, screen: Any) -> None:
    def refused() -> None:
        raise PermissionError(13, "Permission denied", "/bin/watch")

    async with screen(start_watch=refused) as driver:
        assert "the watch could not be started: Permission denied: /bin/watch" in driver.text
        await driver.type("still here", "enter")
        assert "a1 saved." in driver.text


async def test_leaving_takes_two(world: Any, screen: Any) -> None:
    async with screen() as driver:
        await driver.type("draft")
        await driver.press("ctrl+c")
        assert "Ctrl+C again leaves" in driver.text
        await driver.press("ctrl+c")
        assert driver.app._exit and driver.app.return_value == 0


async def test_a_commander_who_leaves_is_asked_to_hand_over_first(screen: Any) -> None:
    async with screen() as driver:
        await driver.type("/declare gv0", "enter")
        await driver.press("ctrl+c")
        assert "You command: /handoff NAME first? Ctrl+C again leaves" in driver.text


async def test_no_other_key_ends_it_or_is_lost(world: Any, screen: Any) -> None:
    async with screen() as driver:
        await driver.type("draft")
        await driver.press("ctrl+q", "ctrl+p", "ctrl+z", "ctrl+s", "ctrl+backslash", "f10", "ctrl+c")
        assert not driver.app._exit and driver.app.prompt.editor.text == "draft"


async def test_the_bell_rings_once_for_what_becomes_critical_if_asked(
    world: Any, screen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from incident_tui.ui.settings import Screen

    world.team = type(world.team)(screen=Screen(bell=True))
    world.full(world.healthy(world.clock.now))
    async with screen() as driver:
        rung: list[int] = []
        monkeypatch.setattr(driver.app, "bell", lambda: rung.append(1))
        driver.app.tick()
        world.put(world.healthy(world.clock.now))
        driver.app.tick()
        assert rung == []
        world.put(world.outage(world.clock.now))
        driver.app.tick()
        world.put(world.outage(world.clock.now))
        driver.app.tick()
        assert rung == [1]


async def test_quit_leaves(world: Any, screen: Any) -> None:
    async with screen() as driver:
        await driver.type("/quit", "enter")
        assert driver.app._exit


async def test_resizing_in_the_middle_of_a_line(world: Any, screen: Any) -> None:
    world.full()
    async with screen() as driver:
        await driver.type("half a line")
        for size in ((200, 50), (60, 15), (20, 6), (5, 2), (80, 24)):
            await driver.pilot.resize_terminal(*size)
            await driver.pilot.pause()
        assert driver.app.prompt.editor.text == "half a line"
        assert "NOTE 14:43Z > half a line" in driver.line(22)


async def test_the_clock_moves_one_line_only(world: Any, screen: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world.full()
    async with screen() as driver:
        await driver.press("escape")
        dirty: list[tuple[str, tuple[Any, ...]]] = []
        for widget in (
            driver.app.painter.head,
            driver.app.status,
            driver.app.painter.timeline,
            driver.app.prompt,
            driver.app.painter.notices,
            driver.app.painter.hint,
        ):

            def refresh(*regions: Any, name: str = str(widget.id), **_: Any) -> Any:
                dirty.append((name, regions))

            monkeypatch.setattr(widget, "refresh", refresh)
        world.clock.turn(1)
        driver.app.tick()
        assert [name for name, _ in dirty] == ["header"]
        assert {region.y for _, regions in dirty for region in regions} == {1}
        dirty.clear()
        driver.app.paint()
        assert dirty == []


async def test_a_draft_of_an_earlier_screen_is_offered(world: Any, screen: Any) -> None:
    before = world.session()
    before.keep("half a li")
    before._kept.close(keep=True)
    async with screen() as driver:
        assert driver.app.prompt.editor.text == "half a li"
        assert "This line is not saved yet" in driver.text


async def test_what_is_not_saved_is_on_the_screen(world: Any, screen: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from incident_tui.journal.errors import Full
    from incident_tui.journal.store import Store

    world.full()
    async with screen() as driver:
        append = Store.append

        def failing(self: Store, *args: Any, **named: Any) -> Any:
            raise Full("no room left on the disk of /j. Free some space.")

        monkeypatch.setattr(Store, "append", failing)
        await driver.pilot.press("x", "y", "enter")
        await driver.until("NOT SAVED 1")
        world.clock.turn(2)
        driver.app.paint()
        text = await driver.until("NOT SAVED YET xy")
        assert "no room left on the disk of /j." in text
        monkeypatch.setattr(Store, "append", append)
        driver.app.session.writer.retry_now()
        await driver.until("a13")
        await driver.settle()
        assert "NOT SAVED" not in driver.text


async def test_what_is_still_open_is_said_in_full(world: Any, screen: Any) -> None:
    async with screen() as driver:
        await driver.type("/declare gv0", "enter")
        for text in ("the kernel update of web3 did it", "the disk of web2 is full", "bob has pulled a cable"):
            await driver.type(f"? {text}", "enter")
        await driver.type("/standdown", "enter")
        await driver.until("Still open")
        assert "bob has pulled a cable" in " ".join(driver.text.split("Still open")[1].split())
