"""Copies of other bastions' journals: any order, any number of times, and nothing that does not close its chain."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incident_tui.incident.entry import Author, Draft, Kind, Ref
from incident_tui.journal import record as wire
from incident_tui.journal.errors import JournalError
from incident_tui.journal.everything import START
from incident_tui.journal.others import Copy, Others
from incident_tui.journal.place import open_place
from incident_tui.journal.record import Record, own_records
from incident_tui.journal.store import Store

MakeDraft = Callable[..., Draft]
NOW = datetime(2026, 11, 23, tzinfo=UTC)
OWN = "0" * 16


@pytest.fixture
def there(tmp_path: Path, draft: MakeDraft) -> Store:
    """The journal of another bastion, of seven entries."""
    store = Store.open(tmp_path / "there", letter="b")
    for number in range(7):
        store.append([draft(f"line {number + 1}")], key=f"k{number}")
    return store


@pytest.fixture
def others(tmp_path: Path) -> Others:
    return Others(open_place(tmp_path / "here"), OWN)


def records(store: Store) -> list[Record]:
    return own_records(store, 1, 1 << 40)


def texts(others: Others) -> list[str]:
    return [one.text for one in others.read()[0]]


def the(others: Others) -> Copy:
    (copy,) = others.copies()
    return copy


def test_a_journal_comes_in_whole_and_a_second_time_changes_nothing(there: Store, others: Others) -> None:
    assert [one.seq for one in others.take(records(there), NOW).entries] == list(range(1, 8))
    assert not others.take(records(there), NOW).entries
    assert texts(others) == [one.text for one in there.read()]
    assert the(others).head == there.head() and the(others).letter == "b" and the(others).behind == 0


def test_what_comes_early_waits_and_is_told_as_missing(there: Store, others: Others) -> None:
    all_of_it = records(there)
    assert not others.take(all_of_it[4:6], NOW).entries
    assert others.missing(there.journal) == [(1, 4)] and the(others).waiting == 2 and the(others).behind == 6
    others.tell(there.journal, "b", 9, NOW)
    assert others.missing(there.journal) == [(1, 4), (7, 9)]
    assert [one.seq for one in others.take(all_of_it[:4], NOW).entries] == [1, 2, 3, 4, 5, 6]
    assert others.missing(there.journal) == [(7, 9)] and the(others).waiting == 0


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1 << 30))
def test_any_order_in_any_pieces_with_repeats_ends_the_same(
    there: Store, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    dice = random.Random(seed)
    pieces = records(there) * 2
    dice.shuffle(pieces)
    others = Others(open_place(tmp_path_factory.mktemp("any")), OWN)
    seen, after = [], 0
    while pieces:
        count = dice.randint(1, 4)
        others.take(pieces[:count], NOW)
        del pieces[:count]
        entries, after = others.read(after)
        seen += entries
    assert seen == there.read()
    others.close()


def altered(record: Record, **changes: object) -> Record:
    return msgspec.structs.replace(record, **changes)


@pytest.mark.parametrize(
    ("number", "changes"),
    [
        (3, {"body": b'{"journal":"x"}'}),
        (3, {"link": bytes(32)}),
        (3, {"commitment": bytes(32)}),
        (3, {"salt": b"", "body": b"", "length": 9, "kept": b"{}"}),
        (3, {"length": 5}),
    ],
)
def test_what_was_altered_is_refused_and_named_and_the_true_one_still_comes(
    there: Store, others: Others, number: int, changes: dict[str, object]
) -> None:
    good = records(there)
    bad = [*good]
    bad[number - 1] = altered(bad[number - 1], **changes)
    taken = others.take(bad, NOW)
    assert [one.seq for one in taken.entries] == [1, 2]
    assert len(taken.refused) == 1 and "b3" in taken.refused[0] and the(others).problem == taken.refused[0]
    assert others.missing(there.journal) == [(3, 3)]
    assert [one.seq for one in others.take(good[2:3], NOW).entries] == [3, 4, 5, 6, 7]
    assert not the(others).problem


@pytest.mark.parametrize("seq", [0, -1])
def test_a_number_before_the_first_is_refused(there: Store, others: Others, seq: int) -> None:
    good = records(there)
    others.take(good[:3], NOW)
    assert others.take([altered(good[1], seq=seq)], NOW).refused and len(texts(others)) == 3


def test_an_early_one_that_was_altered_is_asked_for_again(there: Store, others: Others) -> None:
    good = records(there)
    others.take([altered(good[2], salt=bytes(16))], NOW)
    assert [one.seq for one in others.take(good[:2], NOW).entries] == [1, 2]
    assert others.missing(there.journal) == [(3, 3)]
    assert len(others.take(good[2:], NOW).entries) == 5


def test_a_journal_written_to_in_two_places_is_refused_and_named(
    there: Store, others: Others, tmp_path: Path, draft: MakeDraft
) -> None:
    import shutil

    there.close()
    shutil.copytree(tmp_path / "there", tmp_path / "twin")
    one, two = Store.open(tmp_path / "there"), Store.open(tmp_path / "twin")
    one.append([draft("here")], key="x")
    two.append([draft("there")], key="y")
    others.take(records(one), NOW)
    taken = others.take(records(two), NOW)
    assert "forked at b8" in taken.refused[0] and the(others).forked_at == 8
    one.append([draft("after")], key="z")
    assert "forked at b8" in others.take(records(one), NOW).refused[0]
    assert len(texts(others)) == 8 and texts(others)[-1] == "here"
    assert others.forget(one.journal) == 8
    assert len(others.take(records(two), NOW).entries) == 8 and not the(others).forked_at


def test_altered_on_its_way_a_second_time_is_no_fork(there: Store, others: Others) -> None:
    good = records(there)
    others.take(good, NOW)
    taken = others.take([altered(good[4], link=bytes(32))], NOW)
    assert "b5" in taken.refused[0] and not the(others).forked_at


@pytest.mark.parametrize("late", ["order last", "order first", "purged before it came"])
def test_a_purge_travels(there: Store, others: Others, late: str) -> None:
    before = records(there)
    there.purge(Ref(there.journal, 3), author=Author("ana"), reason="a password")
    after = records(there)
    if late == "order last":
        others.take(before, NOW)
    elif late == "order first":
        others.take([*before[2:], after[7]], NOW)
        others.take(before[:2], NOW)
    taken = others.take(after, NOW)
    assert (taken.purged == (Ref(there.journal, 3),)) == (late == "order last")
    assert others.get(Ref(there.journal, 3)) == there.get(Ref(there.journal, 3))
    assert others.records(there.journal, 1, 8) == after
    others.take(before, NOW)  # nobody brings it back
    assert "line 3" not in texts(others)
    assert b"line 3" not in Path(others.path).read_bytes() + Path(others.path + "-wal").read_bytes()


def test_an_order_of_another_journal_destroys_the_copy_and_reaches_the_own(
    there: Store, others: Others, tmp_path: Path, draft: MakeDraft
) -> None:
    third = Store.open(tmp_path / "third", letter="c")
    for ref in (Ref(there.journal, 2), Ref(OWN, 5)):
        order = msgspec.structs.replace(draft("a password"), kind=Kind.PURGE, ref=ref)
        third.append([order], key=f"purge-{ref.journal}")
    taken = others.take([*records(third), *records(there)], NOW)
    assert [one.ref for one in taken.orders] == [Ref(OWN, 5)] and others.orders_of_own() == list(taken.orders)
    assert taken.purged == (Ref(there.journal, 2),) and "line 2" not in texts(others)
    assert others.forget(there.journal) == 7
    others.take(records(there), NOW)
    assert "line 2" not in texts(others)


def test_the_own_journal_is_never_taken_in(there: Store, tmp_path: Path) -> None:
    others = Others(open_place(tmp_path / "here"), there.journal)
    assert others.take(records(there), NOW).entries == () and others.copies() == []


@pytest.mark.parametrize(("journal", "letter"), [("../../etc/passwd", "b"), ("0123456789abcdef", "bb"), ("", "b")])
def test_what_calls_itself_a_journal_and_is_none(there: Store, others: Others, journal: str, letter: str) -> None:
    taken = others.take([altered(records(there)[0], journal=journal, letter=letter)], NOW)
    assert "no journal" in taken.refused[0] and others.copies() == []


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 4000), at=st.integers(0, 4000), byte=st.integers(0, 255))
def test_bytes_that_were_damaged_are_an_error_or_refused(
    there: Store, others: Others, cut: int, at: int, byte: int
) -> None:
    good = wire.encode(records(there)[0])
    bad = bytearray(good[: max(1, len(good) - cut % 3)])
    bad[at % len(bad)] = byte
    try:
        taken = others.take([wire.decode(bytes(bad))], NOW)
    except JournalError:
        return
    for entry in taken.entries:
        assert entry == there.read()[0] or entry.journal != there.journal


def test_a_reader_gets_own_and_others_entries_once_each(there: Store, tmp_path: Path, draft: MakeDraft) -> None:
    here = Store.open(tmp_path / "here", letter="a")
    here.append([draft("own 1")], key="1")
    entries, cursor = here.read_all(START)
    assert [one.text for one in entries] == ["own 1"]
    version = here.data_version()
    with Store.open(tmp_path / "here") as watch:
        watch.make_others().take(records(there), NOW)
    assert here.data_version() != version
    here.append([draft("own 2")], key="2")
    seen: list[str] = []
    while True:
        entries, cursor = here.read_all(cursor, 3)
        if not entries:
            break
        seen += [one.text for one in entries]
    assert seen == ["own 2", *(f"line {number}" for number in range(1, 8))]


def test_handles_are_by_letter_and_by_digits_where_letters_collide(
    there: Store, tmp_path: Path, draft: MakeDraft
) -> None:
    here = Store.open(tmp_path / "here", letter="a")
    twin = Store.open(tmp_path / "twin", letter="a")
    for store in (here, twin):
        store.append([draft("x")], key="1")
    here.make_others().take([*records(there), *records(twin)], NOW)
    assert here.handle(Ref(there.journal, 3)) == "b3"
    assert here.handle(Ref(twin.journal, 1)) == f"{twin.journal[:6]}:1"
    for handle in ("b3", "#B3", f"{twin.journal[:6]}:1", "a1"):
        found = here.find(handle)
        assert found is not None and here.handle(found) == handle.lstrip("#").lower()
    for nothing in ("c1", "b", "b99", "ffffff:1", ":1", "b-1", ""):
        assert here.find(nothing) is None
