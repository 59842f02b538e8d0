"""What Enter opens on an entry that somebody destroyed, and on one of the watch."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from incident_tui.incident.entry import Author, Draft, Kind
from incident_tui.journal.store import Store
from incident_tui.ui.entry_detail import entry_detail
from incident_tui.ui.lines import plain


def detail_of(world: Any, seq: int) -> str:
    session = world.session()
    while session.read_journal():
        pass
    view = session.view()
    return plain(entry_detail(next(row for row in view.rows if row.ref.seq == seq), view, 70))


def test_a_purged_entry_says_who_destroyed_it_when_and_why(world: Any) -> None:
    world.full()
    with Store.open(world.directory, clock=world.clock) as store:
        store.purge(store.read()[1].id, author=Author("dan"), reason="a password was pasted")
    text = detail_of(world, 2)
    assert f"purged      {world.clock.now:%H:%M:%S}Z by dan: a password was pasted" in text
    assert "/amend" not in text and "/strike" not in text, "there is nothing left to correct"


def test_only_what_is_known_has_a_line(world: Any) -> None:
    world.full()
    data = {"finding": "gluster.heal-unknown", "level": "unknown", "subject": "gv0", "host": ""}
    at = world.clock.now - timedelta(minutes=1)
    saw = Draft(kind=Kind.OBSERVATION, at=at, author=Author("watch"), text="gv0: heals not known", data=data)
    (entry,) = world.write(saw)
    text = detail_of(world, entry.seq)
    assert "subject     gv0" in text and "host" not in text and "/strike" in text


def test_a_struck_entry_says_who_struck_it_until_it_is_restored(world: Any) -> None:
    world.full()
    at = world.clock.now
    (first,) = world.write(Draft(kind=Kind.NOTE, at=at, author=Author("ana"), text="web1 is down"))
    strike = Draft(kind=Kind.STRIKE, at=at, author=Author("dan"), text="", ref=first.id, data={"step": "strike"})
    world.write(strike)
    assert f"struck      {at:%H:%M:%S}Z by dan" in detail_of(world, first.seq)
    world.write(msgspec.structs.replace(strike, data={"step": "restore"}))
    assert "struck" not in detail_of(world, first.seq)
