"""What a long journal's next screen shows at once: only what is true of this chain, and nothing that was purged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from incident_tui.incident.entry import Author, Kind
from incident_tui.incident.state import Fold
from incident_tui.journal import snapshot
from incident_tui.journal.everything import Cursor
from incident_tui.journal.snapshot import ROWS, load, save
from incident_tui.journal.store import Store
from incident_tui.ui.yank import keep_text


@pytest.fixture
def long(store: Store, draft: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Fold:
    monkeypatch.setattr(snapshot, "LONG", 10)
    store.append([draft("gv0", kind=Kind.DECLARE, incident="I1", data={"title": "gv0", "severity": 1})], key="d")
    store.append([draft(f"line {number}", incident="I1") for number in range(ROWS + 50)], key="n")
    fold = Fold()
    for entry in store.read():
        fold.apply(entry)
    return fold


def test_the_end_of_the_timeline_and_the_state_come_back(store: Store, long: Fold) -> None:
    incident = long.incident("I1")
    assert save(store, Cursor(store.head().seq), incident, incident.rows)
    found = load(store)
    assert found is not None and found.incident is not None
    assert (found.incident.title, found.incident.severity, found.count) == ("gv0", 1, ROWS + 51)
    assert found.rows == tuple(incident.rows[-ROWS:])


def test_a_short_journal_keeps_none(store: Store, draft: Callable[..., Any]) -> None:
    store.append([draft("one")], key="1")
    assert not save(store, Cursor(1), None, ())
    assert load(store) is None


def test_another_chain_or_version_is_not_believed(
    store: Store, long: Fold, tmp_path: Path, draft: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert save(store, Cursor(store.head().seq), long.incident("I1"), ())
    with Store.open(tmp_path / "other") as other:
        other.append([draft("x")], key="x")
        Path(other.place.snapshot).write_bytes(Path(store.place.snapshot).read_bytes())
        assert load(other) is None
    monkeypatch.setattr(snapshot, "__version__", "0.0")
    assert load(store) is None


def test_a_damaged_one_is_not_believed(store: Store, long: Fold) -> None:
    assert save(store, Cursor(store.head().seq), long.incident("I1"), ())
    Path(store.place.snapshot).write_bytes(b"\x81")
    assert load(store) is None


def test_a_purge_removes_it(store: Store, long: Fold) -> None:
    rows = long.incident("I1").rows
    assert save(store, Cursor(store.head().seq), long.incident("I1"), rows)
    assert b"line 99" in Path(store.place.snapshot).read_bytes()
    store.purge(rows[100].ref, author=Author("ana"), reason="a password")
    assert not Path(store.place.snapshot).exists()


def test_what_was_read_before_a_purge_is_not_kept_after_it(store: Store, long: Fold) -> None:
    seq, rows = store.head().seq, long.incident("I1").rows
    store.purge(rows[100].ref, author=Author("ana"), reason="a password")
    assert not save(store, Cursor(seq), long.incident("I1"), rows)
    assert not Path(store.place.snapshot).exists()


def test_one_that_comes_back_after_a_purge_is_not_believed(store: Store, long: Fold) -> None:
    """From a backup, or from an older version that was writing it meanwhile."""
    rows = long.incident("I1").rows
    assert save(store, Cursor(store.head().seq), long.incident("I1"), rows)
    kept = Path(store.place.snapshot).read_bytes()
    store.purge(rows[100].ref, author=Author("ana"), reason="a password")
    Path(store.place.snapshot).write_bytes(kept)
    assert load(store) is None


def test_a_purge_removes_what_this_account_copied_last(store: Store, long: Fold) -> None:
    rows = long.incident("I1").rows
    copied = Path(keep_text(store.place.directory, rows[100].text))
    assert "line 99" in copied.read_text()
    store.purge(rows[100].ref, author=Author("ana"), reason="a password")
    assert not copied.exists()
