"""The state of the incident on one page: what is on it, in which order, and that it fits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from incident_tui.incident.entry import Draft, Entry, Kind, Ref
from incident_tui.incident.state import Fold
from incident_tui.ui.lines import plain
from incident_tui.ui.state_page import state_lines


def work(kit: Any) -> list[Draft]:
    """What a normal incident has besides the story: criteria, reports, a company, thoughts, a playbook, a command."""
    first = kit.story()[0]
    at = kit.now - timedelta(minutes=20)

    def draft(after: float, kind: Kind, text: str, author: Any = kit.ana, **data: Any) -> Draft:
        moment = at + timedelta(minutes=after)
        return Draft(kind, text, moment, author, first.incident, "tui", data)

    return [
        draft(0, Kind.ROLE, "", role="deputy", step="take", who="eve"),
        draft(1, Kind.CRITERION, "no entry in split-brain on gv0"),
        draft(1, Kind.CRITERION, "both sites answer 200 for 15 min"),
        draft(2, Kind.ENGAGEMENT, "power at rack 4?", vendor="hosting company", ticket="#48213", minutes=15),
        draft(3, Kind.HYPOTHESIS, "the switch of rack 4", state="raised"),
        draft(4, Kind.CAN, "", kit.bob, conditions="gv0 read-only on web2", needs="a second pair of eyes"),
        draft(
            5, Kind.COMMAND, "", kit.bob, step="intent", host="web1", command="gluster volume heal gv0", risk="change"
        ),
        draft(6, Kind.PLAYBOOK, "split-brain", name="gluster-split-brain", run="r1", step="started", steps=6),
        draft(7, Kind.PLAYBOOK, "", kit.bob, name="gluster-split-brain", run="r1", step="begun", number=2),
        draft(8, Kind.LINK, "same rack", other="INC-20261122-old1", how="related"),
    ]


def shown(kit: Any, *drafts: Draft, width: int = 80) -> str:
    view = kit.view(kit.outage(), [*kit.story(), *drafts])
    return plain(state_lines(view, width)).rstrip()


def test_what_is_due_and_missing_stands_out(kit: Any) -> None:
    text = shown(kit, *work(kit))
    for words in (
        "what        SEV1 gv0 split-brain, sites 502, declared 41m ago",
        "status      mitigating for 37m: serving gv0 from web1",
        "IC          ana since 14:02Z; next: eve, the deputy",
        "exit when   [ ] no entry in split-brain on gv0",
        "hosting company #48213, back 03:00 OVER: power at rack 4?",
        "gluster volume heal gv0 on web1, bob, 15m",
        "/play gluster-split-brain: 0 of 6 steps over, step 2 bob",
        "bob 16m ago: needs: a second pair of eyes; conditions: gv0",
        "? a17 the switch of rack 4",
        "related: INC-20261122-old1, same rack",
    ):
        assert words in text, text


def test_what_is_over_is_counted_and_the_newest_decisions_stand_first(kit: Any) -> None:
    first = kit.story()[0]
    decisions = [
        Draft(Kind.DECISION, f"decision {number}", kit.now - timedelta(minutes=9 - number), kit.ana, first.incident)
        for number in range(5)
    ]
    lines = shown(kit, *decisions).split("\n")
    at = next(index for index, line in enumerate(lines) if line.startswith(" decided"))
    assert [line.split("decision ")[1][0] for line in lines[at : at + 3]] == ["4", "3", "2"]
    assert lines[at + 3].strip() == "3 before"


def test_a_commander_nobody_follows_and_no_promise(kit: Any) -> None:
    entries = kit.entries(kit.story()[:1])
    fold = Fold()
    for entry in entries:
        fold.apply(entry)
    view = msgspec.structs.replace(kit.view(kit.healthy(), kit.story()[:1]), incident=fold.newest_open())
    text = plain(state_lines(view, 80))
    assert "next: nobody" in text and "first public" in text and "OVER" in text
    assert "No incident is open" in plain(state_lines(msgspec.structs.replace(view, incident=None), 80))


def test_merged_duplicates_are_named(kit: Any) -> None:
    fold = Fold()
    for entry in kit.entries(kit.story()):
        fold.apply(entry)
    here = kit.story()[0]
    link = Entry(
        kit.journal,
        90,
        Kind.LINK,
        here.at,
        here.at,
        kit.ana,
        "",
        "INC-2",
        data={"other": here.incident, "how": "duplicate"},
    )
    fold.apply(link)
    view = msgspec.structs.replace(kit.view(kit.healthy()), incident=fold.incident(here.incident))
    assert "merged into this: INC-2" in plain(state_lines(view, 80))
    assert Ref(kit.journal, 90) in [row.ref for row in fold.incident(here.incident).rows]


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (200, 50)])
async def test_the_page_is_a_key_away(
    world: Any, screen: Any, kit: Any, picture: Callable[[str, str], None], size: tuple[int, int]
) -> None:
    world.full()
    world.write(*work(kit))
    async with screen(size) as driver:
        await driver.press("f2")
        picture(f"state-{size[0]}x{size[1]}", driver.text)
        if size[0] >= 80:
            assert "related: INC-20261122-old1" in driver.text, "all of it is on the first page"
        await driver.press("f2")
        assert "state of the incident" not in driver.text
        await driver.type("/state", "enter")
        assert "state of the incident" in driver.text


async def test_it_stays_true_while_it_is_open(world: Any, screen: Any) -> None:
    world.full()
    async with screen() as driver:
        await driver.press("f2")
        await driver.type("d: serve gv1 from web2", "enter")
        assert "serve gv1 from web2 (ana" in driver.text
