"""What the commonest acts cost in keys besides the text itself, and that each verb does something on the screen.

The table is tests/ui/screens/keystrokes.txt: nobody makes an act longer unawares.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from incident_tui.incident.entry import Draft, Kind
from incident_tui.incident.verbs import VERBS

TEXT = "text of it"
"""Stands for whatever is said; it is not counted."""

ACTS: dict[str, tuple[tuple[str, ...], str]] = {
    "a note": ((TEXT, "enter"), "NOTE|text of it"),
    "an action": (("! ", TEXT, "enter"), "ACTION text of it"),
    "a hypothesis": (("? ", TEXT, "enter"), r"HYPOTHESIS text of it|QUESTION text of it|text of it"),
    "a result": (("= ", TEXT, "enter"), "RESULT text of it"),
    "a decision": (("d: ", TEXT, "enter"), "DECISION text of it"),
    "an action ten minutes ago": (("-10m ! ", TEXT, "enter"), "ACTION text of it"),
    "declare": (("/de", "tab", TEXT, "enter"), "text of it"),
    "another severity": (("/sev 2 ", TEXT, "enter"), "SEV2"),
    "a task for bob": (("/as", "tab", "b", "tab", "5m ", TEXT, "enter"), "task bob"),
    "ack my task": (("/ack", "enter"), "acked"),
    "my task is done": (("/done", "enter"), "done"),
    "an update to the public": (("/up", "tab", "pu", "tab", TEXT, "enter", "public", "enter"), "UPDATE public"),
    "promise the next update": (("/ne", "tab", "20m", "enter"), "next by|update due in 2"),
    "hold a host": (("/ho", "tab", "web1 ", "10m", "enter"), "web1 held by ana"),
    "undo": (("/un", "tab", "enter"), "saved"),
    "the worst row in full": (("tab", "enter"), "Esc closes"),
    "a page back": (("pageup",), r"1/18"),
    "only what has a text": (("ctrl+f", TEXT, "enter"), "FILTERED|fit"),
    "stand down": (("/stan", "tab", "enter"), "STAND|stood down|stand"),
    "the report": (("/ex", "tab", "enter"), "report"),
}


def cost(keys: tuple[str, ...]) -> int:
    """Keys pressed besides the text."""
    named = re.compile(r"(ctrl\+.|tab|enter|page(up|down))$")
    return sum(1 if named.match(part) else len(part) for part in keys if part != TEXT)


def test_the_table_of_keys(picture: Callable[[str, str], None]) -> None:
    rows = [f"{cost(keys):>3}  {act}" for act, (keys, _) in ACTS.items()]
    table = "\n".join(["keys besides the text itself", *rows])
    print(table)
    picture("keystrokes", table)
    assert cost(ACTS["a note"][0]) == 1 and cost(ACTS["an action"][0]) == 3


def prepare(world: Any, *, declared: bool = True) -> None:
    """The story, and what verbs refer to: a hypothesis (a13), a task for ana (a14), an offer of command, a follow-up
    (a16), an exit criterion (a17), a company (a18), another incident."""
    if not declared:
        return
    world.full()
    incident = world.story()[0].incident

    def draft(kind: Kind, text: str, author: Any = world.bob, **data: Any) -> Draft:
        return Draft(
            kind=kind, text=text, at=world.clock.now, author=author, incident=incident, source="tui", data=data
        )

    world.write(
        draft(Kind.HYPOTHESIS, "the disk is full", state="raised"),
        draft(Kind.TASK, "look at web1", step="assigned", who="ana", minutes=5),
        draft(Kind.HOLD, "", target="web3", step="hold", minutes=10),
        draft(Kind.FOLLOWUP, "document the repair"),
        draft(Kind.CRITERION, "both sites answer"),
        draft(Kind.ENGAGEMENT, "", vendor="hosting company"),
        msgspec.structs.replace(draft(Kind.NOTE, "elsewhere"), incident="INC-2"),
    )


@pytest.mark.parametrize("act", ACTS)
async def test_these_keys_do_it(
    world: Any, screen: Any, act: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)  # the report goes there
    keys, seen = ACTS[act]
    prepare(world, declared=act != "declare")
    async with screen((80, 24) if act == "a page back" else (120, 40)) as driver:
        if act == "undo":
            await driver.type("! a mistake", "enter")
        for part in keys:
            if re.fullmatch(r"ctrl\+.|tab|enter|page(up|down)", part):
                await driver.press(part)
            else:
                await driver.type("restarted" if part == TEXT and act == "only what has a text" else part)
        end = seen.replace(TEXT, "text of it")
        for _ in range(200):
            if re.search(end, driver.text):
                break
            await driver.pilot.pause(0.01)
        assert re.search(end, driver.text), driver.text
        assert driver.app.talk.ask is None and driver.app.talk.said[1] != "crit"


LINES = {
    "confirm": "/confirm a13 the brick log says ENOSPC",
    "eliminate": "/eliminate a13 the network was fine",
    "done": "/done a14 web1 has the good copy",
    "ack": "/ack",
    "amend": "/amend a2 restarted glusterd on web2",
    "strike": "/strike a2",
    "pin": "/pin a2",
    "purge": "/purge a2 a password was pasted",
    "undo": "/undo",
    "incident": "/incident",
    "play": "/play",
    "go": "/go a2",
    "yank": "/yank a2",
    "ic": "/ic offer bob",
    "export": "/export",
    "release": "/release web3",
    "pass": "/pass a14 dan",
    "close": "/close anyway a drill",
    "todo": "/todo a16 @dan #prevent",
    "met": "/met a17",
    "answered": "/answered a18 on the way",
    "disengage": "/disengage a18",
    "link": "/link INC-2",
    "merge": "/merge INC-2",
}
"""Where the example names what is not in this world. The steps of a playbook need an open one (test_playing)."""


PLAYING = ("begin", "tick", "skip", "fail", "drop", "set")


@pytest.mark.parametrize("verb", [name for name in VERBS if name not in (*PLAYING, "quit")])
async def test_each_verb_does_something_that_is_seen(
    world: Any, screen: Any, verb: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VISUAL", "true")
    monkeypatch.chdir(tmp_path)
    prepare(world, declared=verb != "declare")
    async with screen((120, 40)) as driver:
        if verb == "undo":
            await driver.type("! a mistake", "enter")
        before, entries = driver.text, len(driver.app.session.store.read())
        driver.app.prompt.editor.insert(LINES.get(verb, VERBS[verb].example))
        await driver.press("enter")
        while driver.app.talk.ask is not None:
            await driver.type(driver.app.talk.ask.wants, "enter")
        for _ in range(300):
            if driver.app.writing.task is None or driver.app.writing.task.done():
                break
            await driver.pilot.pause(0.01)
        await driver.settle()
        said, style = driver.app.talk.said
        assert style != "crit", said
        wrote = len(driver.app.session.store.read()) > entries
        assert wrote != (
            VERBS[verb].screen or verb in ("play", "read", "resend", "export", "incident", "help", "sweep")
        ), said
        assert driver.text != before or verb == "redraw" or (verb == "go" and driver.app.pane == "timeline")
        assert driver.app.prompt.editor.text == ""
