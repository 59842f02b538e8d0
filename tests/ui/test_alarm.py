"""When it rings, what it says, what "auto" means on a terminal, and whether the colours can be read on it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from incident_tui.incident.entry import Draft, Kind
from incident_tui.ui.alarm import FORGET, GAP, Alarm, causes, notification
from incident_tui.ui.settings import Screen, decided
from incident_tui.ui.widgets.rows import COLOURS, NO_COLOURS

SECOND = timedelta(seconds=1)


def test_what_was_so_when_the_screen_opened_never_rings(kit: Any) -> None:
    alarm = Alarm()
    found = causes(kit.view(kit.outage(), kit.story()))
    assert found
    assert alarm.rings(found, kit.now) == "" == alarm.rings(found, kit.now + GAP * 5)


def test_the_first_rings_at_once_and_the_next_together_after_a_minute(kit: Any) -> None:
    alarm = Alarm()
    crit = {("critical", name): f"{name} is down" for name in "abc"}
    alarm.rings({}, kit.now)
    assert alarm.rings(dict(list(crit.items())[:1]), kit.now) == "a is down"
    assert alarm.rings(crit, kit.now + SECOND) == ""
    assert alarm.rings(crit, kit.now + GAP) == "2 critical"
    assert alarm.rings(crit, kit.now + GAP * 2) == ""


def test_what_is_over_before_its_turn_does_not_ring_and_a_flap_rings_once(kit: Any) -> None:
    alarm = Alarm()
    a, b = {("critical", "a"): "a"}, {("critical", "b"): "b"}
    alarm.rings({}, kit.now)
    assert alarm.rings(a, kit.now) == "a"
    alarm.rings(a | b, kit.now + SECOND)
    assert alarm.rings(a, kit.now + GAP) == ""
    for turn in range(5):
        assert alarm.rings(a if turn % 2 else {}, kit.now + GAP * (2 + turn)) == ""
    assert alarm.rings(a, kit.now + GAP * 6 + FORGET) == "a"


def test_updates_tasks_and_command_that_come_to_me(kit: Any) -> None:
    def draft(kind: Kind, author: Any, text: str = "", **data: Any) -> Draft:
        incident = kit.story()[0].incident
        return Draft(kind=kind, text=text, at=kit.now, author=author, incident=incident, source="tui", data=data)

    more = [
        draft(Kind.TASK, kit.bob, "look at web1", step="assigned", who="ana", minutes=5),
        draft(Kind.TASK, kit.ana, "my own idea", step="assigned", who="ana", minutes=5),
        draft(Kind.ROLE, kit.bob, role="ic", step="offered", who="ana"),
    ]
    later = kit.now + timedelta(minutes=10)
    found = causes(kit.view(kit.healthy(later), [*kit.story(), *more], now=later))
    words = [text for (sort, _), text in found.items() if sort != "critical"]
    assert "update overdue (public)" in words and "task for you: look at web1" in words
    assert "my own idea" not in " ".join(words)
    untold = kit.view(kit.healthy(later), kit.story()[:1], now=later)
    assert "update overdue (first public)" in causes(untold).values()


def test_a_notification_is_short_clean_and_in_the_right_envelope() -> None:
    hostile = "gv0\x1b]52;c;aGk=\x07\x9c\n\u202e" + "x" * 500
    plain = notification(hostile, {})
    assert plain.startswith("\x1b]9;incident-tui: gv0") and plain.endswith("\a")
    assert plain[2:-1].isprintable() and len(plain) < 160
    assert notification("a", {"TMUX": "x"}) == "\x1bPtmux;\x1b\x1b]9;incident-tui: a\a\x1b\\"
    assert notification("a", {"STY": "x"}) == "\x1bP\x1b]9;incident-tui: a\a\x1b\\"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"TERM": "xterm-256color", "LANG": "de_DE.UTF-8"}, (False, True, True, False)),
        ({"TERM": "xterm-256color"}, (False, True, True, False)),
        ({"TERM": "xterm", "LANG": "de_DE.UTF-8", "LC_ALL": "C"}, (True, True, True, False)),
        ({"TERM": "xterm", "LANG": "de_DE.ISO-8859-1"}, (True, True, True, False)),
        ({"TERM": "linux", "LANG": "C.utf8"}, (True, True, False, False)),
        ({"TERM": "tmux-256color", "TMUX": "/tmp/x,1,0", "LANG": "C.UTF-8"}, (False, False, False, False)),
        ({"TERM": "screen-256color", "LANG": "C.UTF-8"}, (False, False, False, False)),
        ({"TERM": "xterm", "STY": "1.x", "LANG": "C.UTF-8"}, (False, False, False, False)),
        ({"TERM": "dumb", "LANG": "C.UTF-8"}, (False, True, False, True)),
    ],
)
def test_auto_is_decided_by_terminal_and_locale(environ: dict[str, str], expected: tuple[bool, ...]) -> None:
    made = decided(Screen(), environ)
    assert (made.ascii, made.bell, made.notify, made.linear) == expected
    for value in (True, False):
        said = Screen(ascii=value, bell=value, notify=value, linear=value, mouse=value, changed_cells=value)
        assert decided(said, environ) == said


PALETTES: dict[str, dict[str, tuple[str, ...]]] = {
    "xterm": {"red": ("cd0000", "ff0000"), "magenta": ("cd00cd", "ff00ff")},
    "Linux console": {"red": ("ff5555",), "magenta": ("ff55ff",)},
    "Tango": {"red": ("cc0000", "ef2929"), "magenta": ("75507b", "ad7fa8")},
    "Windows": {"red": ("c50f1f", "e74856"), "magenta": ("881798", "b4009e")},
}
"""Normal and bright, because bold is one or the other."""


def test_the_colours_can_be_read_on_black_and_on_white() -> None:
    for style in COLOURS.values():
        if style.color is None:
            continue
        for name, palette in PALETTES.items():
            papers = ("000000",) if name == "Linux console" else ("000000", "ffffff")
            for paper in papers:
                best = max(contrast(ink, paper) for ink in palette[style.color.name])
                assert best >= 3, (style, name, paper)
    assert set(NO_COLOURS) == set(COLOURS)
    assert all(style.color is None for style in NO_COLOURS.values())
    worst = [NO_COLOURS[name] for name in ("crit", "warn", "unknown")]
    assert len(set(worst)) == 3


def contrast(one: str, other: str) -> float:
    """As WCAG 2 defines it."""

    def light(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


async def test_the_bell_rings_once_for_what_becomes_critical(world: Any, screen: Any, monkeypatch: Any) -> None:
    world.team = type(world.team)(screen=Screen(bell=True))
    world.full(world.healthy(world.clock.now))
    async with screen() as driver:
        rung: list[int] = []
        monkeypatch.setattr(driver.app, "bell", lambda: rung.append(1))
        driver.app.tick()
        world.put(world.outage(world.clock.now))
        driver.app.tick()
        driver.app.tick()
        assert rung == [1]
        assert msgspec.structs.replace(world.team.screen, bell=False).bell is False
