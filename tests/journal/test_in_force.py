"""DIR/in-force.json is a cache: with and without it, or with a wrong one, the same incident is found."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from incident_tui.incident.entry import Draft, Kind
from incident_tui.incident.state import Fold
from incident_tui.journal.everything import Cursor
from incident_tui.journal.in_force import in_force, remember
from incident_tui.journal.store import Store

MakeDraft = Callable[..., Draft]


class Folds:
    """Makes folds over a store, keeps what they found, and counts them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.count = 0

    def __call__(self) -> Fold:
        self.count += 1
        fold, entries = Fold(), self.store.read()
        for entry in entries:
            fold.apply(entry)
        remember(self.store, Cursor(len(entries)), fold)
        return fold


@pytest.fixture
def folds(store: Store, draft: MakeDraft) -> Folds:
    """Over a journal in which the incident I1 was declared."""
    store.append([draft("gv0", Kind.DECLARE, incident="I1", data={"title": "gv0"})], key="declare")
    return Folds(store)


def test_the_second_line_needs_no_fold(store: Store, folds: Folds, draft: MakeDraft) -> None:
    assert in_force(store, folds) == "I1"
    for number in range(250):
        store.append([draft("x", Kind.ACTION, incident="I1")], key=f"k{number}")
        assert in_force(store, folds) == "I1"
    assert folds.count == 1


def test_what_may_change_the_answer_is_folded(store: Store, folds: Folds, draft: MakeDraft) -> None:
    in_force(store, folds)
    store.append([draft("", Kind.MILESTONE, incident="I1", data={"name": "closed"})], key="close")
    assert in_force(store, folds) == ""
    assert in_force(store, folds) == "" and folds.count == 2


def test_it_is_brought_forward_when_much_was_written_since(
    store: Store, folds: Folds, draft: MakeDraft, place: Path
) -> None:
    in_force(store, folds)
    before = (place / "in-force.json").read_bytes()
    store.append([draft("x")] * 99, key="k")
    in_force(store, folds)
    assert (place / "in-force.json").read_bytes() == before
    store.append([draft("x")], key="one more")
    in_force(store, folds)
    assert b",101," in (place / "in-force.json").read_bytes()


def test_the_group_may_write_it_whatever_the_umask(store: Store, folds: Folds, place: Path) -> None:
    before = os.umask(0o077)
    try:
        in_force(store, folds)
    finally:
        os.umask(before)
    assert stat.S_IMODE((place / "in-force.json").stat().st_mode) == 0o660


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"head":["x",1,"00"],"found":{"incident":"I9"}}',
        b'{"head":1,"found":2}',
        b"{" + b" " * 9000,
    ],
)
def test_a_wrong_one_is_not_believed(store: Store, folds: Folds, place: Path, content: bytes) -> None:
    (place / "in-force.json").write_bytes(content)
    assert in_force(store, folds) == "I1"
    assert folds.count == 1


def test_one_of_another_past_is_not_believed(store: Store, folds: Folds, draft: MakeDraft, place: Path) -> None:
    in_force(store, folds)
    good = (place / "in-force.json").read_text()
    assert store.head().hash in good
    (place / "in-force.json").write_text(good.replace("I1", "I9").replace(store.head().hash, "0" * 64))
    assert in_force(store, folds) == "I1"
    (place / "in-force.json").write_text(good.replace(",1,", ",7,"))
    assert in_force(store, folds) == "I1"


def test_it_holds_no_text(store: Store, folds: Folds, place: Path) -> None:
    in_force(store, folds)
    assert "gv0" not in (place / "in-force.json").read_text()


def test_where_it_cannot_be_written_the_fold_is_made(store: Store, folds: Folds, place: Path) -> None:
    (place / "in-force.json").mkdir()
    assert in_force(store, folds) == "I1"
    assert in_force(store, folds) == "I1"
    assert folds.count == 2
    assert not [name for name in os.listdir(place) if name.startswith("in-force.json.")]
