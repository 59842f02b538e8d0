"""What comes in from other bastions: purge orders are carried out wherever the text is, and readers are woken."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from incident_tui.incident.entry import Author, Draft, Kind, Ref
from incident_tui.journal.errors import JournalError
from incident_tui.journal.notify import Listener
from incident_tui.journal.others import Others
from incident_tui.journal.record import own_records
from incident_tui.journal.store import Store
from incident_tui.journal.take_in import settle, take_in

MakeDraft = Callable[..., Draft]
NOW = datetime(2026, 11, 23, tzinfo=UTC)
ANA = Author("ana")


class Bastions:
    """Two journals that exchange all they have."""

    def __init__(self, directory: Path, draft: MakeDraft) -> None:
        self.a = Store.open(directory / "a", letter="a")
        self.b = Store.open(directory / "b", letter="b")
        for store in (self.a, self.b):
            for number in (1, 2, 3):
                store.append([draft(f"secret-{store.letter}{number}")], key=f"k{number}")
        self.exchange()

    def exchange(self) -> None:
        for _ in range(2):  # an order that is carried out goes back, too
            take_in(self.a, own_records(self.b, 1, 1 << 40), NOW)
            take_in(self.b, own_records(self.a, 1, 1 << 40), NOW)

    def holds(self, store: Store, secret: str) -> bool:
        """Whether any file in its directory has it."""
        files = [one for one in Path(store.place.directory).rglob("*") if one.is_file()]
        return any(secret.encode() in one.read_bytes() for one in files)


@pytest.fixture
def two(tmp_path: Path, draft: MakeDraft) -> Iterator[Bastions]:
    made = Bastions(tmp_path, draft)
    yield made
    made.a.close()
    made.b.close()


def orders(store: Store) -> list[str]:
    return [f"{store.handle(one)} {one.author.name}: {one.text}" for one in store.read() if one.kind is Kind.PURGE]


def test_an_order_of_another_bastion_destroys_the_own_text_under_an_own_order(two: Bastions) -> None:
    order = two.b.purge(Ref(two.a.journal, 2), author=ANA, reason="a password")
    assert not two.holds(two.b, "secret-a2") and two.holds(two.a, "secret-a2")
    two.exchange()
    assert orders(two.a) == ["a4 ana: a password"] and orders(two.b) == ["b4 ana: a password"]
    followed = two.a.get(Ref(two.a.journal, 4))
    assert (
        followed is not None and two.a.find(followed.data["order"]) == order and followed.ref == Ref(two.a.journal, 2)
    )
    assert not two.holds(two.a, "secret-a2") and two.holds(two.a, "secret-a1")
    assert two.a.verify().ok and two.b.verify().ok and two.a.verify().purged == (2,)
    assert two.a.others is not None and not two.a.others.orders_of_own()
    two.exchange()
    assert len(two.a.read()) == len(two.b.read()) == 4


def test_purging_an_own_text_destroys_the_copies(two: Bastions) -> None:
    two.a.purge(Ref(two.a.journal, 1), author=ANA, reason="a password")
    two.exchange()
    assert not two.holds(two.b, "secret-a1")
    assert two.b.get(Ref(two.a.journal, 1)) == two.a.get(Ref(two.a.journal, 1))


def test_both_sides_of_a_split_order_the_same(two: Bastions) -> None:
    one = two.a.purge(Ref(two.a.journal, 1), author=ANA, reason="a password")
    other = two.b.purge(Ref(two.a.journal, 1), author=Author("ben"), reason="a token")
    two.exchange()
    assert len(two.a.read()) == len(two.b.read()) == 4 and two.a.verify().ok
    assert two.b.purge(Ref(two.a.journal, 1), author=ANA, reason="again") in (one, other)
    assert len(two.b.read()) == 4


def test_purging_what_was_purged_elsewhere_gives_the_order_of_there(two: Bastions) -> None:
    order = two.a.purge(Ref(two.a.journal, 1), author=ANA, reason="a password")
    two.exchange()
    assert two.b.purge(Ref(two.a.journal, 1), author=ANA, reason="again") == order
    assert len(two.b.read()) == 3


def test_purging_a_copy_again_repeats_the_cleaning(two: Bastions) -> None:
    ref = Ref(two.a.journal, 2)
    first = two.b.purge(ref, author=ANA, reason="a password")
    Path(two.b.place.snapshot).write_text("secret-a2")
    assert two.b.purge(ref, author=ANA, reason="x") == first
    assert not two.holds(two.b, "secret-a2") and len(two.b.read()) == 4


def test_an_order_that_a_crash_left_is_carried_out_by_the_next_call(
    two: Bastions, draft: MakeDraft, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Others, "order", crash)
        with pytest.raises(KeyboardInterrupt):
            two.b.purge(Ref(two.a.journal, 2), author=ANA, reason="a password")
    assert two.holds(two.b, "secret-a2")
    assert settle(two.b) == [] and not two.holds(two.b, "secret-a2")
    with monkeypatch.context() as patch:
        patch.setattr("incident_tui.journal.take_in.purge", crash)
        with pytest.raises(KeyboardInterrupt):
            take_in(two.a, own_records(two.b, 1, 9), NOW)
    assert two.holds(two.a, "secret-a2")
    assert not take_in(two.a, [], NOW).problems and not two.holds(two.a, "secret-a2")
    assert len(orders(two.a)) == 1


def test_a_purge_that_a_reader_is_in_the_way_of_is_told_and_done_later(two: Bastions) -> None:
    two.b.purge(Ref(two.a.journal, 2), author=ANA, reason="a password")
    reader = sqlite3.connect(two.a.path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM entries").fetchone()
    two.a.connection.execute("PRAGMA busy_timeout=1")
    taken = take_in(two.a, own_records(two.b, 1, 9), NOW)
    assert len(taken.entries) == 1 and "another process is reading" in taken.problems[0]
    reader.close()
    assert not take_in(two.a, [], NOW).problems and not two.holds(two.a, "secret-a2")


def test_an_order_about_what_is_not_here_waits(two: Bastions, draft: MakeDraft) -> None:
    take_in(two.a, [], NOW)
    order = draft("too early", kind=Kind.PURGE, ref=Ref(two.a.journal, 4))
    two.b.append([order], key="early")
    two.exchange()
    assert not orders(two.a)
    two.a.append([draft("secret-a4")], key="k4")
    two.exchange()
    assert len(orders(two.a)) == 1 and not two.holds(two.a, "secret-a4") and not two.holds(two.b, "secret-a4")


def test_caches_that_may_hold_a_purged_text_are_removed(two: Bastions) -> None:
    Path(two.b.place.search).write_text("secret-a2")
    two.a.purge(Ref(two.a.journal, 2), author=ANA, reason="a password")
    two.exchange()
    assert not two.holds(two.b, "secret-a2")


def test_a_purge_of_nothing_is_refused(two: Bastions) -> None:
    for ref in (Ref(two.a.journal, 9), Ref("c" * 16, 1)):
        with pytest.raises(JournalError, match="no entry"):
            two.b.purge(ref, author=ANA, reason="x")


def test_the_bell_rings_for_what_is_new_and_for_nothing_else(two: Bastions, draft: MakeDraft) -> None:
    listener = Listener(two.b.place.directory)
    try:
        take_in(two.b, own_records(two.a, 1, 9), NOW)
        assert not listener.drain()
        two.a.append([draft("new")], key="new")
        take_in(two.b, own_records(two.a, 1, 9), NOW)
        assert listener.drain() == 1
    finally:
        listener.close()


def test_copies_that_were_damaged_are_a_sentence_and_not_the_end_of_a_watch(two: Bastions) -> None:
    two.b.purge(Ref(two.a.journal, 2), author=ANA, reason="a password")
    others = two.a.make_others()
    others.take(own_records(two.b, 1, 9), NOW)
    others.connection.execute("UPDATE rows SET body = x'00' WHERE seq = 4")
    assert "damaged" in settle(two.a)[0]
