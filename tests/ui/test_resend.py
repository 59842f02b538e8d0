"""What a chat did not take: its row says so and since when, its detail says the key, and the key asks the watch."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from incident_tui.incident.entry import Ref
from incident_tui.ui.entry_detail import entry_detail
from incident_tui.ui.lines import plain
from incident_tui.ui.marks import asked_to_resend, marks
from incident_tui.watch import asks
from incident_tui.watch.asks import ChatAsk
from incident_tui.watch.rows import ChatRow, Delivery


def put(world: Any, ref: Ref, state: str, problem: str = "", via: str = "") -> None:
    at = world.clock.now - timedelta(minutes=4)
    delivery = Delivery(ref=ref, state=state, at=at, problem=problem, via=via)
    counts = {"waiting": "waiting", "maybe": "maybe", "dead": "dead", "accepted": "accepted"}
    fields: dict[str, Any] = {counts[state]: 1} if state in counts else {}
    row = ChatRow(name="chat", at=world.clock.now, problem=problem, since=at, deliveries=(delivery,), **fields)
    world.put({"chat/chat": row})


def update_of(world: Any) -> Any:
    """An update of the story, as a row of the timeline, and the view."""
    session = world.session()
    while session.read_journal():
        pass
    session.read_board()
    view = session.view()
    return next(row for row in view.rows if row.entry.kind == "update"), view


@pytest.mark.parametrize("state", ["waiting", "maybe", "accepted", "dead"])
def test_the_detail_of_what_is_not_known_to_be_there_names_the_key(world: Any, state: str) -> None:
    world.full()
    row, _ = update_of(world)
    put(world, row.ref, state, "answered 503")
    row, view = update_of(world)
    assert f"/resend {view.handle(row.ref)}" in plain(entry_detail(row, view, 79))


def test_the_detail_of_what_is_there_does_not(world: Any) -> None:
    world.full()
    row, _ = update_of(world)
    put(world, row.ref, "sent")
    row, view = update_of(world)
    assert "/resend" not in plain(entry_detail(row, view, 79))


def test_what_is_in_the_outbox_of_another_bastion_says_in_whose(world: Any) -> None:
    world.full()
    row, _ = update_of(world)
    put(world, row.ref, "maybe", "a timeout", via="b")
    row, view = update_of(world)
    assert "chat maybe by b" in plain(entry_detail(row, view, 79))
    assert "MAYBE SENT to chat by b" in marks(view)[row.ref][0].text
    handle = view.handle(row.ref)
    assert asked_to_resend(view, row.ref) == (
        f"{handle} is sent again to chat, by b, in whose outbox it is, where it is not known to have arrived."
    )


async def test_the_key_asks_for_the_entry_that_is_open_and_else_for_all(world: Any, screen: Any) -> None:
    world.full()
    row, _ = update_of(world)
    put(world, row.ref, "dead", "refused: no_text")
    async with screen((100, 30)) as driver:
        await driver.type(f"/go {driver.app.session.store.handle(row.ref)}", "enter")
        await driver.press("enter" if driver.app.pane == "timeline" else "tab")
        await driver.settle()
        await driver.press("f9")
        handle = driver.app.session.store.handle(row.ref)
        asked = [one for one in asks.take(world.directory) if isinstance(one, ChatAsk)]
        assert asked == [ChatAsk(verb="retry", journal=row.ref.journal, number=row.ref.seq)], driver.text
        assert f"{handle} is sent again to chat" in driver.app.talk.said[0]
        await driver.press("escape", "escape")
        await driver.press("f9")
        assert asks.take(world.directory) == [ChatAsk(verb="retry")]
        assert "tried again" in driver.app.talk.said[0]
        await driver.type(f"/resend {handle}", "enter")
        assert [one for one in asks.take(world.directory) if isinstance(one, ChatAsk)] == asked


async def test_a_draft_of_an_update_stands_in_the_prompt_one_after_the_other(world: Any, screen: Any) -> None:
    world.full()
    async with screen((100, 30)) as driver:
        before = len(driver.app.session.store.read())
        await driver.type("/update exec,internal", "enter")
        assert driver.app.prompt.editor.text.startswith("/update exec +")
        assert "Enter saves it. 1 more after it." in driver.app.talk.said[0]
        assert len(driver.app.session.store.read()) == before
        await driver.press("enter")
        await driver.settle()
        assert len(driver.app.session.store.read()) == before + 1
        await driver.press("enter")
        assert driver.app.prompt.editor.text.startswith("/update internal +")


def test_what_is_in_the_directory_for_asking_and_is_not_ours_is_no_question(tmp_path: Any) -> None:
    folder = tmp_path / "asks"
    folder.mkdir()
    for name in ("chat-", "chat-retry", "chat-boom@a@b@1", "chat-retry@a@b@-1", "chat-test@a@b@1@2", "chat-test@@@9e9"):
        (folder / name).touch()
    assert asks.take(tmp_path) == []
    asks.ask_chat(tmp_path, ChatAsk(verb="test", sink="ops", number=12))
    asks.resend(tmp_path, Ref("j", 7))
    asks.ask(tmp_path, "web1", "changes")
    assert asks.take(tmp_path) == [
        asks.Ask("web1", "changes"),
        ChatAsk(verb="retry", journal="j", number=7),
        ChatAsk(verb="test", sink="ops", number=12),
    ]
