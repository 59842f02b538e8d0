"""Which incidents name the same host or volume."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from incident_tui.incident.entry import Entry, Kind
from incident_tui.incident.related import RECENT, related
from incident_tui.incident.state import Fold


def shared(entries: list[Entry], now: datetime, of: str = "I") -> dict[str, tuple[str, ...]]:
    fold = Fold()
    for entry in entries:
        fold.apply(entry)
    here = fold.incident(of)
    others = [one for one in fold.incidents() if one.id != of]
    return {one.incident.id: one.shared for one in related([here.title], here.rows, others, now)}


def test_what_is_wrong_and_what_was_typed_name_the_same_machine(make: Any, start: datetime) -> None:
    entries = [
        make(Kind.DECLARE, 0, "sites slow", incident="I", title="sites slow", attach_minutes=0),
        make(Kind.NOTE, 1, "Web3 answers slowly, so does gv0. Web4?", incident="I"),
        make(Kind.DECLARE, 0, "disk", incident="O", title="disk", attach_minutes=0),
        make(Kind.OBSERVATION, 1, "down", incident="O", level="crit", host="web3", subject="gv0 web3:/b/gv0"),
        make(Kind.OBSERVATION, 1, "cut off", incident="O", level="warn", host="web3", subject="peer web4"),
        make(Kind.DECLARE, 0, "mail", incident="M", title="mail", attach_minutes=0),
        make(Kind.OBSERVATION, 1, "well", incident="M", level="ok", host="web3", subject="web3"),
        make(Kind.NOTE, 2, "web30 is another machine", incident="M"),
        make(Kind.LEASE, 1, "watch taken", incident="", epoch=1, host="bastion", pid=1),
    ]
    fold = Fold()
    for entry in entries:
        fold.apply(entry)
    assert all(any(row.entry.kind is Kind.LEASE for row in one.rows) for one in fold.incidents()), "of all it is a row"
    assert shared(entries, start) == {"O": ("gv0", "web3", "web4")}
    assert shared(entries, start, of="O") == {"I": ("gv0", "web3", "web4")}


def test_long_closed_ones_and_duplicates_are_not_named(make: Any, start: datetime) -> None:
    entries = [
        make(Kind.DECLARE, 0, "slow web3", incident="I"),
        make(Kind.DECLARE, 0, "O", incident="O", title="O"),
        make(Kind.HOLD, 1, incident="O", target="web3", step="hold", minutes=5),
    ]
    closed = make(Kind.MILESTONE, 2, incident="O", name="closed")
    assert shared([*entries, closed], closed.at) == {"O": ("web3",)}
    assert shared([*entries, closed], closed.at + RECENT + timedelta(minutes=1)) == {}
    assert shared([*entries, make(Kind.LINK, 2, incident="O", other="I", how="duplicate")], start) == {}


def test_a_struck_entry_names_nothing(make: Any, start: datetime) -> None:
    hold = make(Kind.HOLD, 1, incident="O", target="web3", step="hold", minutes=5)
    entries = [make(Kind.DECLARE, 0, incident=name, title=f"{name} web3") for name in "IO"]
    assert shared([entries[0], make(Kind.DECLARE, 0, incident="O", title="O"), hold], start) == {"O": ("web3",)}
    struck = make(Kind.STRIKE, 2, incident="O", ref=hold, step="strike")
    assert shared([entries[0], make(Kind.DECLARE, 0, incident="O", title="O"), hold, struck], start) == {}
