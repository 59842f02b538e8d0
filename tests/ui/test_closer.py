"""Looking closer from the screen: a container's log, performance as evidence, what changed in the last day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from incident_tui.hosts.changes import Change, Changes
from incident_tui.hosts.raw import RawSection
from incident_tui.incident.entry import Kind
from incident_tui.ui.asked_lines import Asked, change_lines
from incident_tui.ui.linear.asked import AskedInLines
from incident_tui.ui.lines import plain
from incident_tui.watch.answers import Answer

DRUPAL = f"{'drupal-a':0<64}"
LOG = """\
2026-11-23T14:39:58.123456789Z run.sh: ready
2026-11-23T14:40:02.5Z 10.0.0.7 GET /node/4711 200
no stamp on this line
2026-11-23T14:40:11Z PHP Fatal error:  Allowed memory size of 134217728 bytes exhausted (tried to allocate 20480)"""
PERFORMANCE = (
    ("top", "top - 14:43:10 up 10 days\nTasks: 101 total"),
    ("free", "Mem: 4194304 3900000 294304"),
    ("stats", "CONTAINER CPU %\ndrupal-a 95.0%\nsolr 1.0%"),
)


def sections(world: Any, *found: tuple[str, str]) -> tuple[RawSection, ...]:
    return tuple(RawSection(name=name, at=world.clock.now, text=text) for name, text in found)


def answers(world: Any, host: str, word: str, **fields: Any) -> None:
    """The watch puts an answer on the board a second later."""
    world.clock.turn(1)
    one = Answer(host=host, word=word, at=world.clock.now, **fields)
    world.put({}, details={one.key: one})


async def choose(driver: Any, name: str) -> None:
    """The row of the left pane with this name."""
    await driver.press("escape", "tab")
    for _ in range(40):
        row = driver.app.status.row()
        if row is not None and row.name == name:
            return
        await driver.press("down")
    raise AssertionError(f"no row {name}:\n{driver.text}")


async def test_the_log_of_a_container_is_one_key_away(
    world: Any, screen: Any, picture: Callable[[str, str], None]
) -> None:
    world.full()
    async with screen() as driver:
        await choose(driver, "web2 drupal-a")
        await driver.press("f6")
        assert driver.asked == [f"web2 log:{DRUPAL}"]
        assert "log of drupal-a on web2" in driver.text and "reading … asked <10s ago" in driver.text
        answers(world, "web2", f"log:{DRUPAL}", sections=sections(world, (f"log:{DRUPAL}", LOG)))
        await driver.until("PHP Fatal error")
        picture("closer-log-80x24", driver.text)
        await driver.press("f6")
        assert driver.asked == [f"web2 log:{DRUPAL}"] * 2 and "PHP Fatal error" in driver.text
        await driver.press("escape")
        assert driver.app.pane == "status" and driver.app.status.row().name == "web2 drupal-a"


async def test_a_long_log_begins_at_its_end_and_scrolls(world: Any, screen: Any) -> None:
    world.full()
    lines = "\n".join(f"2026-11-23T14:40:{n % 60:02d}Z line {n}" for n in range(200))
    async with screen((60, 15)) as driver:
        await driver.type("/logs web2 drupal-a", "enter")
        answers(world, "web2", f"log:{DRUPAL}", sections=sections(world, (f"log:{DRUPAL}", lines)))
        await driver.until("line 199")
        await driver.press("pageup")
        assert "line 199" not in driver.text and "line 188" in driver.text
        await driver.press("ctrl+home")
        assert "line 0" in driver.text


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("/logs", "F6 shows the log of a container: choose it with Tab, or /logs web2 drupal-a."),
        ("/logs web2", "web2 is a host: F6 shows the log of a container"),
        ("/logs web9 drupal-a", "There is no host web9."),
        ("/logs web2 nginx", "There is no container nginx on web2"),
        ("/logs solr", "solr runs on web1 and web2 and web3: write the host before it."),
        ("/performance nothing", "There is no host and no container nothing"),
        ("/changes web9", "There is no host web9; /changes alone asks all of them."),
    ],
)
async def test_what_cannot_be_meant_is_said_and_nothing_is_asked(
    world: Any, screen: Any, line: str, sentence: str
) -> None:
    world.full()
    async with screen((120, 40)) as driver:
        await driver.type(line, "enter")
        assert sentence in driver.text
        assert driver.asked == [] and not driver.app.sheet.display


async def test_why_there_is_no_log(world: Any, screen: Any) -> None:
    world.full()
    async with screen((120, 40)) as driver:
        await driver.type("/logs web2 drupal-a", "enter")
        problem = "web2: the container's logging driver lets nobody read its log: syslog"
        answers(world, "web2", f"log:{DRUPAL}", sections=sections(world, (f"log:{DRUPAL}", "x")), problem=problem)
        assert f"? {problem}" in await driver.until("lets nobody read")
        await driver.press("f6")
        assert "reading …" in driver.text
        world.clock.turn(100)
        driver.app.tick()
        assert "No watch has answered within 90 s; F6 asks again." in await driver.until("No watch has answered")


async def test_performance_becomes_one_evidence_entry_and_is_named_on_the_row(
    world: Any, screen: Any, picture: Callable[[str, str], None]
) -> None:
    world.full()
    async with screen() as driver:
        await choose(driver, "web2 drupal-a")
        await driver.press("enter", "f7")
        assert driver.asked == ["web2 performance"] and "reading …" in driver.text
        answers(world, "web2", "performance", sections=sections(world, *PERFORMANCE))
        await driver.until("saved as a13")
        await driver.settle()
        picture("closer-performance-80x24", driver.text)
        answers(world, "web2", "performance", sections=sections(world, *PERFORMANCE))  # somebody else had asked
        driver.app.tick()
        await driver.settle()
        (row,) = [row for row in driver.app.session.incident.rows if row.entry.kind is Kind.EVIDENCE]
        assert row.entry.author.name == "ana"
        assert row.text.startswith("performance of drupal-a on web2 at 2026-11-23 14:43:13Z\n== container\n")
        assert "drupal-a 95.0%" in row.text and "solr" not in row.text
        await driver.press("f7")
        world.put({})
        driver.app.tick()
        await driver.settle()
        kept = [row for row in driver.app.session.incident.rows if row.entry.kind is Kind.EVIDENCE]
        assert (
            len(kept) == 1 and driver.asked == ["web2 performance"] * 2
        )  # the answer that is there is not the new one
        await driver.press("escape")
        assert driver.app.sheet.title == "web2 drupal-a"
        await driver.press("ctrl+end", "pageup")
        assert "performance of drupal-a on web2" in driver.text.replace("\n", " ") or "a13" in driver.text


async def test_performance_that_could_not_be_read_saves_nothing(world: Any, screen: Any) -> None:
    world.full()
    async with screen((120, 40)) as driver:
        await driver.type("/performance web3", "enter")
        answers(world, "web3", "performance", problem="web3: not connected")
        assert "Performance was not saved: web3: not connected" in await driver.until("was not saved")
        assert not [row for row in driver.app.session.incident.rows if row.entry.kind is Kind.EVIDENCE]


def changed(world: Any) -> dict[str, Changes]:
    def row(host: str, minutes: float, what: str, exact: bool = True) -> Change:
        return Change(at=world.clock.now - timedelta(minutes=minutes), host=host, what=what, exact=exact)

    return {
        "web1": Changes(host="web1", rows=(row("web1", 70, "package openssl upgrade: 1.0.1e to 1.0.1u"),)),
        "web2": Changes(
            host="web2",
            rows=(row("web2", 90, "image team/drupal:7.38 made", False), row("web2", 900, "rebooted, kernel 2.6.32")),
            unread=("logins",),
        ),
    }


async def test_what_changed_on_all_hosts_and_a_row_becomes_a_change_entry_once(
    world: Any, screen: Any, picture: Callable[[str, str], None]
) -> None:
    world.full()
    async with screen() as driver:
        await driver.press("f8")
        assert driver.asked == ["changes"]
        assert "reading web1, web2, web3 …" in driver.text
        for host, found in changed(world).items():
            answers(world, host, "changes", changes=found)
        answers(world, "web3", "changes", problem="web3: not connected")
        await driver.until("not read: web3")
        picture("closer-changes-80x24", driver.text)
        lines = driver.text.split("\n")
        marked = [line for line in lines if line.startswith(" * ") and "since" not in line]
        assert [("openssl" in line, "drupal" in line) for line in marked] == [(True, False), (False, True)]
        assert next(line for line in lines if "rebooted" in line).startswith("   ")
        await driver.press("enter")
        assert "a13 saved. web1: package openssl upgrade" in driver.text
        assert "= a13" in driver.text
        await driver.press("enter")
        assert "a13 says that already." in driver.text
        row = driver.app.session.incident.changes[-1]
        entry = driver.app.session.store.find("a13")
        assert row.text == "web1: package openssl upgrade: 1.0.1e to 1.0.1u"
        assert (entry.kind, entry.author.name, entry.source) == (Kind.CHANGE, "ana", "tui, read on web1")
        assert entry.at == changed(world)["web1"].rows[0].at - timedelta(seconds=3)
        await driver.press("down", "enter")
        assert driver.app.session.store.find("a14").data == {
            "host": "web2",
            "what": "image team/drupal:7.38 made",
            "about": True,
        }
        await driver.press("escape")
        assert not driver.app.sheet.display and driver.app.pane == "prompt"


async def test_what_changed_on_the_host_of_the_chosen_row(world: Any, screen: Any) -> None:
    world.full()
    async with screen() as driver:
        await choose(driver, "web2 drupal-a")
        await driver.press("f8")
        assert driver.asked == ["web2 changes"] and "changed in 24 h on web2" in driver.text
        await driver.press("escape")
        await driver.type("/changes web1", "enter")
        assert driver.asked[1:] == ["web1 changes"] and driver.app.prompt.editor.text == ""


async def test_a_draft_stays_while_rows_are_taken(world: Any, screen: Any) -> None:
    world.full()
    async with screen() as driver:
        await driver.type("half a line")
        await driver.press("f8")
        answers(world, "web1", "changes", changes=changed(world)["web1"])
        await driver.until("openssl")
        await driver.press("enter")
        assert driver.app.prompt.editor.text == "half a line"
        assert driver.app.session.incident.rows[-1].entry.kind is Kind.CHANGE or driver.app.session.incident.changes


def test_in_lines_what_was_asked_is_told_when_it_comes(world: Any) -> None:
    world.full()
    session = world.session()
    session.load()
    asked: list[str] = []
    lines = AskedInLines(session, lambda host, word: asked.append(f"{host} {word}"))

    def come(host: str, word: str, **fields: Any) -> str:
        answers(world, host, word, **fields)
        session.read_board()
        return "\n".join(lines.came(session.view(), 79))

    session.read_board()
    view = session.view()
    assert lines.begin("logs", "web2", view).startswith("web2 is a host: write the container")
    assert lines.begin("changes", "web9", view).startswith("There is no host web9")
    assert asked == []
    assert lines.begin("logs", "web2 drupal-a", view) == "Reading the log of drupal-a on web2 …"
    said = come("web2", f"log:{DRUPAL}", sections=sections(world, (f"log:{DRUPAL}", LOG)))
    assert said.startswith("Log of drupal-a on web2:\n") and "14:39:58 run.sh: ready" in said
    lines.begin("changes", "", view)
    assert asked[1:] == [" changes"]
    assert "package openssl upgrade" in come("web1", "changes", changes=changed(world)["web1"])
    assert "not read: web3: not connected" in come("web3", "changes", problem="web3: not connected")
    lines.begin("performance", "web2", view)
    assert come("web2", "performance", sections=sections(world, *PERFORMANCE)).startswith("performance of web2 at ")
    assert session.sent[0].saving.result()[0].text.startswith("performance of web2 at ")


def test_only_answers_that_came_since_are_read_again(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world.full()
    session = world.session()
    read: list[str] = []
    detail = session.board.detail

    def counted(key: str, kind: Any) -> Any:
        read.append(key)
        return detail(key, kind)

    monkeypatch.setattr(session.board, "detail", counted)
    for host, found in changed(world).items():
        answers(world, host, "changes", changes=found)
    session.read_board()
    assert set(session.answers("changes")) == {"web1", "web2"} and len(read) == 2
    answers(world, "web3", "changes", problem="web3: not connected")
    session.read_board()
    assert session.answers("changes")["web3"].problem and read[2:] == ["asked/changes/web3"]
    world.put({}, drop=["asked/changes/web1"])
    session.read_board()
    assert set(session.answers("changes")) == {"web2", "web3"} and len(read) == 3


def test_of_very_many_changes_the_newest_are_shown_and_the_rest_counted(kit: Any) -> None:
    rows = tuple(
        Change(at=kit.now - timedelta(seconds=n), host="web1", what=f"package lib{n} installed") for n in range(1_200)
    )
    answer = Answer(host="web1", word="changes", at=kit.now, changes=Changes(host="web1", rows=rows))
    lines, places = change_lines({"web1": Asked(answer)}, kit.view(kit.healthy()), 80)
    text = plain(lines)
    assert len(places) == 1_000 and "lib999 " in text and "lib1000 " not in text
    assert "and 200 older ones: /changes HOST shows those of one host" in text
