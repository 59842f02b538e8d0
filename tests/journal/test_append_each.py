"""Many drafts in one transaction, each under a key of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from incident_tui.incident.entry import Draft
from incident_tui.journal.errors import JournalError, StaleEpoch
from incident_tui.journal.store import Store
from incident_tui.journal.writer import Writer

MakeDraft = Callable[..., Draft]


def test_each_draft_has_its_own_key_and_is_stored_once(store: Store, draft: MakeDraft) -> None:
    first = store.append_each([(draft("one"), "k1"), (draft("two"), "k2")])
    second = store.append_each([(draft("again"), "k2"), (draft("three"), "k3"), (draft("twice"), "k3")])
    assert [(entry.seq, entry.text) for entry in first] == [(1, "one"), (2, "two")]
    assert [(entry.seq, entry.text) for entry in second] == [(2, "two"), (3, "three"), (3, "three")]
    assert store.read() == [*first, second[1]]
    assert store.append_each([]) == [] and store.verify().ok


def test_of_many_with_keys_all_are_stored_or_none(store: Store, draft: MakeDraft) -> None:
    with pytest.raises(JournalError):
        store.append_each([(draft("one"), "k1"), (draft("two"), "")])
    with pytest.raises(TypeError):
        store.append_each([(draft("one"), "k1"), (draft("two", data={"x": object()}), "k2")])
    with pytest.raises(StaleEpoch):
        store.append_each([(draft("one"), "k1")], epoch=9)
    assert store.read() == []


def test_the_writer_saves_each_under_its_key(place: Path, draft: MakeDraft) -> None:
    writer = Writer(lambda: Store.open(place))
    try:
        first = writer.submit_each([(draft("one"), "k1"), (draft("two"), "k2")]).result(10)
        second = writer.submit_each([(draft("two"), "k2")]).result(10)
    finally:
        assert writer.close() == []
    assert [entry.text for entry in first] == ["one", "two"] and second == first[1:]
