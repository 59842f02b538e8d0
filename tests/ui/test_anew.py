"""What left the journals while a screen runs is not on it any more: texts in an archive, a copy that was forgotten."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from incident_tui.incident.entry import Author, Draft, Kind
from incident_tui.journal import retention
from incident_tui.journal.record import own_records
from incident_tui.journal.retention_file import Put, read
from incident_tui.journal.store import Store
from incident_tui.journal.take_in import take_in
from incident_tui.ui.past import Past
from tests.ui.made_up import ANA

SECRET = "the words of an old incident"


def closed(world: Any) -> list[int]:
    """An old incident in the journal; the numbers of its entries."""

    def draft(kind: Kind, text: str, days: int, **data: Any) -> Draft:
        at = world.clock.now - timedelta(days=days)
        return Draft(kind=kind, text=text, at=at, author=ANA, incident="INC-OLD", data=data, source="tui")

    made = world.write(
        draft(Kind.DECLARE, "old", 9, title="old", severity=3),
        draft(Kind.NOTE, SECRET, 8),
        draft(Kind.MILESTONE, "", 7, name="closed"),
    )
    return [entry.seq for entry in made]


def put_away(world: Any, seqs: list[int], path: Path) -> None:
    with Store.open(world.directory, clock=world.clock) as store:
        when = world.clock.now
        retention.put_away(store, {Put("INC-OLD", "old", when, when): seqs}, str(path), ANA, shrink=False)


def texts(session: Any) -> list[str]:
    return [row.said for row in session.fold.incident("INC-OLD").rows]


async def test_texts_that_went_into_an_archive_are_not_kept_by_a_screen_and_come_back_with_it(
    world: Any, screen: Any, tmp_path: Path
) -> None:
    seqs, path = closed(world), tmp_path / "old.archive"
    world.full()
    async with screen((100, 30)) as driver:
        app = driver.app

        async def until(done: Callable[[], bool]) -> None:
            for _ in range(500):
                app.tick()
                await driver.pilot.pause(0.01)
                if done():
                    return
            pytest.fail(f"never: {texts(app.session)}")

        before = app.session.view().incident
        assert SECRET in texts(app.session)
        put_away(world, seqs, path)
        await until(lambda: SECRET not in texts(app.session))
        after = app.session.view().incident
        assert after is not None and before is not None and after.id == before.id
        await driver.type("a line after it", "enter")
        assert "a line after it" in driver.text and app.session.desk.fold is app.session.fold
        with Store.open(world.directory, clock=world.clock) as store:
            retention.bring_back(store, read(str(path)), path.name, ANA)
        await until(lambda: SECRET in texts(app.session))


def test_a_copy_that_was_forgotten_leaves_the_fold(world: Any, tmp_path: Path) -> None:
    world.full()
    with Store.open(world.directory, clock=world.clock) as here, Store.open(tmp_path / "b", letter="b") as there:
        there.append([Draft(Kind.NOTE, "said on b", world.clock.now, Author("ben"))], key="1")
        take_in(here, own_records(there, 1, 9), world.clock.now)
        past = Past()
        past.read_all(here)
        assert past.fold.row(there.read()[0].id) is not None and not past.outdated
        here.make_others().forget(there.journal)
        past.read(here)
        assert past.outdated
        fresh = Past()
        fresh.read_all(here)
        assert fresh.fold.row(there.read()[0].id) is None and not fresh.outdated


def test_a_first_copy_and_what_was_archived_before_is_no_reason_to_read_anew(world: Any, tmp_path: Path) -> None:
    seqs = closed(world)
    put_away(world, seqs, tmp_path / "old.archive")
    with Store.open(world.directory, clock=world.clock) as here, Store.open(tmp_path / "b", letter="b") as there:
        past = Past()
        past.read_all(here)
        there.append([Draft(Kind.NOTE, "said on b", world.clock.now, Author("ben"))], key="1")
        take_in(here, own_records(there, 1, 9), world.clock.now)
        past.read(here)
        assert not past.outdated and past.fold.row(there.read()[0].id) is not None
