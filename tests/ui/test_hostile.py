"""Hostile text at every place that shows foreign text: no crash, no markup, no control reaches the terminal."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from incident_tui.fleet.settings import Host
from incident_tui.hosts.readings import Docker, Link, LinkState
from incident_tui.incident.entry import Author, Kind
from incident_tui.journal.presence import Present
from incident_tui.ui.detail import status_detail
from incident_tui.ui.entry_detail import entry_detail
from incident_tui.ui.lines import plain, width_of
from incident_tui.ui.marks import marks
from incident_tui.ui.present import header, notices
from incident_tui.ui.status import status_rows
from incident_tui.ui.timeline import Context
from incident_tui.ui.window import Window
from incident_tui.watch.rows import ChatRow, Delivery, SiteRow

HOSTILE = [
    "[bold red]x[/]",
    "[/",
    "[@click=app.quit]x[/]",
    "[link=https://evil]x",
    "[[]]",
    "\\[x]",
    "[#ff0000]",
    "$text",
    "\x1b[2J\x1b[H",
    "\x1b]0;title\x07",
    "\x1b]52;c;ZXZpbA==\x07",
    "\x1bP+q544e\x1b\\",
    "\x9b31mx",
    "\x9d0;t\x9c",
    "\x1b",
    "a\x00b",
    "a\rb\r\nc",
    "\x08\x08\x08x",
    "\x7f",
    "\u202egnp.exe",
    "\u2066x\u2069",
    "zero\u200bwidth\ufeff",
    "e" + "\u0301" * 40,
    "漢字" * 40,
    "👩\u200d👩\u200d👧 ❤\ufe0f",
    "\ud800",
    "\ufffe\U000e0041",
    "tab\there",
    "| a | b |\n|---|---|",
    "<script>alert(1)</script>",
    "x" * 1_000_000,
    "\u2028\u2029\x85",
]
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def damage(kit: Any, text: str) -> tuple[Any, Any]:
    """A board and entries with the text at every place, as if nothing had been sanitised before."""
    rows = kit.outage()
    safe = text.encode("utf-8", "replace").decode()
    rows["host/web1"] = kit.reading(
        "web1",
        docker=Docker(
            at=kit.now,
            version=safe,
            containers=(kit.container(safe, state="exited", exit_code=1, image=safe, error=safe),),
        ),
    )
    rows["host/web3"] = kit.reading(
        "web3", link=Link(state=LinkState.LOST, sentence=safe, since=kit.now, at=kit.now), load=None
    )
    rows["site/response.example"] = SiteRow(name="response.example", at=kit.now, problem=safe)
    rows["chat/chat"] = ChatRow(
        name="chat",
        at=kit.now,
        problem=safe,
        deliveries=tuple(
            Delivery(ref=entry.id, state="dead", at=kit.now, problem=safe) for entry in kit.entries(kit.story())
        ),
    )
    drafts = [
        msgspec.structs.replace(
            draft,
            text=text,
            author=Author(text or "x"),
            data=draft.data | dict.fromkeys(("title", "who", "target"), text),
        )
        for draft in kit.story()
    ]
    return rows, drafts


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_control_leaves_any_part(kit: Any, text: str) -> None:
    rows, drafts = damage(kit, text)
    team = kit.team(hosts=tuple(Host(name=name) for name in ("web1", "web2", "web3")))
    view = kit.view(
        rows, drafts, team=team, people=(Present(text, True, 1.0), Present(text, False, 9.0)), problems=(text,)
    )
    window = Window()
    window.feed(view.rows, marks(view), Context(48, letters={kit.journal: "a"}))
    status = status_rows(view, 31)
    parts = [header(view, 80), [notices(view, 80)], [row.line for row in status], window.lines(60)]
    parts += [status_detail(row, view, 48) for row in status]
    parts += [entry_detail(row, view, 48) for row in view.rows]
    for lines in parts:
        for line in lines:
            assert not FORBIDDEN.search("".join(piece for piece, _ in line))
    for width, lines in ((80, parts[0]), (80, parts[1]), (48, parts[3])):
        assert all(width_of(line) == width for line in lines), plain(lines)


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_the_whole_screen_survives_all_of_them(world: Any, screen: Any, kit: Any, size: tuple[int, int]) -> None:
    """Each text in the journal and on the board of a running screen; typed and pasted as well."""
    world.write(world.story()[0])
    async with screen(size) as driver:
        for number, text in enumerate(HOSTILE):
            safe = text.encode("utf-8", "replace").decode()[:100_000]
            rows, drafts = damage(kit, safe)
            world.put(rows)
            at = kit.now + timedelta(seconds=number)
            author = Author(safe or "x")
            world.write(msgspec.structs.replace(drafts[1], kind=Kind.NOTE, at=at, author=author, data={}))
            driver.app.tick()
            driver.app.prompt.editor.insert(text)
            for pane in ("status", "timeline", "prompt"):
                driver.app.pane = pane
                driver.app.paint()
            strips = driver.strips
            assert len(strips) == size[1]
            for strip in strips:
                assert not FORBIDDEN.search(strip.text), (number, strip.text)
                assert strip.cell_length == size[0]
            driver.app.prompt.editor.set("")
        await driver.pilot.pause()
