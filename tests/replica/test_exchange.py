"""The exchange between two journals: both have all in the end, whatever was cut; foreign bytes are never believed."""

from __future__ import annotations

import contextlib
import random
import shutil
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incident_tui.incident.entry import Author, Ref
from incident_tui.journal.errors import Full
from incident_tui.journal.everything import START
from incident_tui.journal.record import Record
from incident_tui.journal.store import Store
from incident_tui.replica.exchange import ON_THEIR_WAY, PIECE_BYTES, Side, Took
from incident_tui.replica.frames import (
    ASKS,
    FRAME,
    SERVES,
    Ack,
    Bye,
    Done,
    ExchangeError,
    Held,
    Hello,
    Records,
    Unpacker,
    Wish,
    opening,
    pack,
)
from incident_tui.replica.shelf import StoreShelf
from tests.replica.conftest import Bastion, write
from tests.replica.two_sides import Cut, Pair

quick = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def clock() -> datetime:
    return datetime(2026, 11, 23, 4, tzinfo=UTC)


def shelf(store: Store) -> StoreShelf:
    return StoreShelf(store, clock)


def pair(ours: Store, theirs: Store, *, recover: bool = False, stays: bool = False) -> Pair:
    return Pair(shelf(ours), shelf(theirs), recover=recover, stays=stays)


def texts(store: Store) -> list[str]:
    return sorted(one.text for one in store.read_all(START)[0])


def test_each_side_gets_what_it_lacks_in_one_go(bastion: Bastion) -> None:
    a, b = bastion("a", 7), bastion("b", 5)
    both = pair(a, b)
    both.run()
    assert both.ours.settled and both.theirs.settled and texts(a) == texts(b) and len(texts(a)) == 12
    assert both.ours.done.sent == {a.journal: 7} and both.ours.done.got == {b.journal: 5}
    again = pair(a, b)
    again.run()
    assert again.ours.settled and not again.ours.done.sent and not again.ours.done.got and not again.ours.done.problems


def test_a_bastion_that_both_reach_carries_between_two_that_cannot(bastion: Bastion) -> None:
    a, b, c = bastion("a", 3), bastion("b", 4), bastion("c", 5)
    pair(a, b).run()
    both = pair(b, c)
    both.run()
    assert len(texts(c)) == 12 and both.ours.done.sent == {a.journal: 3, b.journal: 4}
    pair(a, b).run()
    assert texts(a) == texts(b) == texts(c)


def test_what_is_written_later_goes_at_once_and_nothing_goes_twice(bastion: Bastion) -> None:
    a, b = bastion("a", 3), bastion("b", 2)
    both = pair(a, b, stays=True)
    both.run()
    write(a, "later")
    write(b, "later, too")
    both.news()
    assert texts(a) == texts(b) and "later" in texts(b) and both.ours.settled and both.theirs.settled
    assert both.ours.done.sent == {a.journal: 4} and both.ours.done.got == {b.journal: 3}


def test_an_order_to_purge_reaches_the_other_side_and_its_own_order_comes_back(bastion: Bastion) -> None:
    a, b = bastion("a", 3), bastion("b", 2)
    both = pair(a, b, stays=True)
    both.run()
    a.purge(Ref(b.journal, 2), author=Author("ana"), reason="a password")
    both.news()
    assert "b says 2" not in texts(b) and "b says 2" not in texts(a) and texts(a) == texts(b)
    assert both.ours.settled and both.theirs.settled


@quick
@given(seed=st.integers(0, 1 << 30))
def test_cut_anywhere_and_begun_again_ends_the_same(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    dice = random.Random(seed)
    place = tmp_path_factory.mktemp("cut")
    with Store.open(place / "a", letter="a") as a, Store.open(place / "b", letter="b") as b:
        for store in (a, b):
            for number in range(dice.randint(0, 6)):
                write(store, *(f"{store.letter}{number}" + "x" * dice.randint(0, 400) for _ in range(9)))
        whole = sum(one.head().seq for one in (a, b))
        had = 0
        for _ in range(6):
            both = pair(a, b)
            with contextlib.suppress(Cut):
                both.run(cut=dice.randint(0, 12_000), step=dice.choice((1, 7, 1000)))
            assert len(texts(a)) + len(texts(b)) >= had  # what was acknowledged stays
            had = len(texts(a)) + len(texts(b))
        pair(a, b).run()
        assert texts(a) == texts(b) and len(texts(a)) == whole
        assert a.verify().ok and b.verify().ok


def test_what_a_login_prints_before_is_skipped(bastion: Bastion) -> None:
    a, b = bastion("a", 2), bastion("b", 2)
    both = Pair(shelf(a), shelf(b), noise=b"\x1b[31mWelcome to bastion-2!\r\nincident-tui sync says hello")
    both.run(step=3)
    assert texts(a) == texts(b) and b"Welcome" in both.ours.noise


def test_many_are_sent_in_pieces_and_few_at_once(bastion: Bastion) -> None:
    a, b = bastion("a"), bastion("b")
    write(a, *("x" * 3000 for _ in range(3000)))
    both = pair(a, b)
    both.to_theirs += both.ours.feed(bytes(both.to_ours))
    both.to_ours.clear()
    assert len(both.to_theirs) < (ON_THEIR_WAY + 1) * (PIECE_BYTES + 8000)  # until the first is acknowledged
    both.run()
    assert both.theirs.done.got == {a.journal: 3000}


# ---------------------------------------------------------------------- traps


def test_the_same_journal_on_both_sides_is_named(bastion: Bastion, tmp_path: Path) -> None:
    a = bastion("a", 3)
    a.close()
    shutil.copytree(tmp_path / "a", tmp_path / "copied")
    one, two = Store.open(tmp_path / "a"), Store.open(tmp_path / "copied")
    with pytest.raises(ExchangeError, match=r"this same journal .* move the directory's journal.db away"):
        pair(one, two).run()
    one.close()
    two.close()


def test_two_of_one_letter_exchange_and_are_told(bastion: Bastion) -> None:
    a, twin = bastion("a", 3), bastion("a", 2, "twin")
    both = pair(a, twin)
    both.run()
    assert texts(a) == texts(twin) and not both.ours.done.problems
    assert "the letter a" in both.ours.done.notices[0]


def restored(bastion: Bastion, tmp_path: Path) -> tuple[Store, Store]:
    """A journal of nine entries of which four were lost by restoring an older copy; the other bastion has all."""
    a, b = bastion("a", 5), bastion("b", 1)
    a.close()
    shutil.copytree(tmp_path / "a", tmp_path / "older")
    with Store.open(tmp_path / "a") as newer:
        write(newer, *"6789")
        newer.purge(Ref(newer.journal, 7), author=Author("ana"), reason="a password")
        pair(newer, b).run()
    return Store.open(tmp_path / "older"), b


def test_a_journal_restored_from_an_older_copy_is_told_and_recovered_on_a_persons_word(
    bastion: Bastion, tmp_path: Path
) -> None:
    older, b = restored(bastion, tmp_path)
    both = pair(older, b)
    both.run()
    assert older.head().seq == 5 and both.ours.done.lacking == 5
    assert "a6 to a10 of this very journal" in both.ours.done.problems[0] and "--recover" in both.ours.done.problems[0]
    assert "b says 1" in texts(older)  # the rest went on
    both = pair(older, b, recover=True, stays=True)
    both.run()
    assert both.ours.done.recovered == 5 and not both.ours.done.problems and both.ours.settled
    assert older.verify().ok and older.purge(Ref(older.journal, 7), author=Author("ana"), reason="x").seq == 10
    assert "7" not in texts(older) and "9" in texts(older)
    write(older, "goes on")
    both.news()
    assert texts(older) == texts(b)
    older.close()


def test_a_restored_journal_that_was_written_to_is_a_fork_and_both_say_so(bastion: Bastion, tmp_path: Path) -> None:
    older, b = restored(bastion, tmp_path)
    write(older, "another 6")
    for recover in (False, True):
        both = pair(older, b, recover=recover)
        both.run()
        said = " ".join([*both.ours.done.problems, *both.theirs.done.problems])
        assert "forked at a6" in said or "written to in two places" in said, said
        assert older.head().seq == 6  # nothing of the other line was taken in
    assert b.others is not None
    older.close()


def test_fork_of_a_longer_journal_is_found_and_marked(bastion: Bastion, tmp_path: Path) -> None:
    older, b = restored(bastion, tmp_path)
    write(older, *(f"other {number}" for number in range(600)))
    both = pair(older, b)
    both.run()
    assert b.others is not None and b.others.copies()[0].forked_at == 6
    assert any("two places" in one for one in both.ours.done.problems)
    assert any("forked at a6" in one for one in both.theirs.done.problems)
    both = pair(older, b)
    both.run()
    assert any("takes nothing more of" in one for one in both.ours.done.problems)
    older.close()


def test_two_bastions_that_hold_two_lines_of_a_third_find_it(bastion: Bastion, tmp_path: Path) -> None:
    older, b = restored(bastion, tmp_path)
    c = bastion("c", 1)
    write(older, "another 6")
    pair(older, c).run()
    both = pair(b, c)
    both.run()
    marks = [one.forked_at for store in (b, c) for one in (store.others.copies() if store.others else ())]
    assert marks.count(6) == 2 and both.ours.done.problems and both.theirs.done.problems
    d = bastion("d")
    pair(d, b).run()
    copies = {one.journal: one.seq for one in d.others.copies()} if d.others else {}
    assert copies[older.journal] == 5  # what is before the fork still travels
    older.close()


class FullShelf(StoreShelf):
    """A disk without room."""

    def take(self, records: object) -> Took:
        raise Full("no room left on the disk of /x.")


def test_a_full_disk_there_is_told_and_the_other_way_goes_on(bastion: Bastion) -> None:
    a, b = bastion("a", 600), bastion("b", 5)
    both = Pair(shelf(a), FullShelf(b, clock))
    both.run()
    assert both.ours.done.got == {b.journal: 5} and both.ours.settled
    assert both.ours.done.problems == ["theirs did not take a1: not saved there: no room left on the disk of /x."]
    assert len(texts(b)) == 5


# ---------------------------------------------------------------------- foreign bytes


def test_another_format_is_refused_with_both_versions(bastion: Bastion) -> None:
    side = Side(shelf(bastion("a")), "bastion-2", "1.4", serves=False)
    side.begin()
    with pytest.raises(ExchangeError, match=r"incident-tui 9\.9 \(sync format 7\), this one is 1\.4 \(format 1\)"):
        side.feed(b"\n" + SERVES + b"7 9.9\n")


def test_an_echo_is_no_answer(bastion: Bastion) -> None:
    side = Side(shelf(bastion("a", 3)), "bastion-2", "1", serves=False)
    sent = side.begin()
    assert side.feed(sent) == b"" and not side.begun
    with pytest.raises(ExchangeError, match="does not answer as incident-tui sync does"):
        side.feed(b"y\n" * 40_000)


def held(journal: str = "0123456789abcdef", **changes: object) -> Held:
    return msgspec.structs.replace(Held(journal, "c", 0, bytes(32), 0), **changes)


RECORD = Record("0123456789abcdef", "c", 1, bytes(32), bytes(32), b"", b"{}")


@pytest.mark.parametrize(
    "frames",
    [
        [pack(Done())],
        [pack(Records((RECORD,)))],
        [pack(Hello(held(), ())), pack(Hello(held(), ()))],
        [pack(Hello(held("../../../etc/pa"), ()))],
        [pack(Hello(held(letter="ab"), ()))],
        [pack(Hello(held(seq=1 << 60), ()))],
        [pack(Hello(held(seq=-1), ()))],
        [pack(Hello(held(link=b"x"), ()))],
        [pack(Hello(held(), tuple(held() for _ in range(1001))))],
        [pack(Hello(held(), ())), pack(Ack("0123456789abcdef", 3))],
        [pack(Hello(held(), ())), pack(Records(()))],
        [pack(Hello(held(), ())), pack(Records((RECORD, msgspec.structs.replace(RECORD, journal="f" * 16))))],
        [pack(Hello(held(), ())), pack(Records((msgspec.structs.replace(RECORD, seq=0),)))],
        [pack(Hello(held(), ())), pack(Records((msgspec.structs.replace(RECORD, seq=1 << 63),)))],
        [(FRAME + 1).to_bytes(4, "big")],
        [b"\0\0\0\0"],
        [b"\0\0\0\1\xc1"],
        [b"\0\0\0\2\x91\x63"],
        [b"HTTP/1.1 400 Bad Request\r\n\r\n"],
    ],
)
def test_foreign_frames_are_one_sentence(bastion: Bastion, frames: list[bytes]) -> None:
    a = bastion("a", 3)
    side = Side(shelf(a), "bastion-2", "1", serves=True)
    side.begin()
    with pytest.raises(ExchangeError):
        side.feed(opening(ASKS, "1") + b"".join(frames))
    assert len(texts(a)) == 3


def test_entries_of_the_own_journal_are_never_taken_unasked(bastion: Bastion) -> None:
    a = bastion("a", 3)
    side = Side(shelf(a), "bastion-2", "1", serves=True)
    side.begin()
    own = msgspec.structs.replace(RECORD, journal=a.journal, seq=4)
    with pytest.raises(ExchangeError, match="nobody asked for"):
        side.feed(opening(ASKS, "1") + pack(Hello(held(), ())) + pack(Records((own,))))


def test_a_wish_gives_nothing_but_what_is_here_of_their_own(bastion: Bastion) -> None:
    side = Side(shelf(bastion("a", 3)), "bastion-2", "1", serves=True)
    side.begin()
    side.feed(opening(ASKS, "1") + pack(Hello(held(), ())) + pack(Wish(0)))
    assert side.done.sent == {}


def test_what_the_other_side_says_is_harmless_and_short(bastion: Bastion) -> None:
    side = Side(shelf(bastion("a")), "bastion-2", "1", serves=False)
    side.begin()
    with pytest.raises(ExchangeError) as error:
        side.feed(opening(SERVES, "1") + pack(Bye("\x1b[2Jdisk \u202efull" + "x" * 10_000)))
    assert "\x1b" not in error.value.sentence and "\u202e" not in error.value.sentence
    assert len(error.value.sentence) < 500


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(at=st.integers(0, 1 << 16), byte=st.integers(0, 255), more=st.binary(max_size=40), cut=st.integers(1, 3000))
def test_altered_bytes_never_do_more_than_end_it(
    tmp_path_factory: pytest.TempPathFactory, at: int, byte: int, more: bytes, cut: int
) -> None:
    stream = bytearray(_stream())
    stream[at % len(stream)] = byte
    stream[at % len(stream) : at % len(stream)] = more[: at % 3]
    with Store.open(tmp_path_factory.mktemp("fuzz") / "b", letter="b") as b:
        side = Side(shelf(b), "a", "1", serves=True)
        side.begin()
        try:
            for start in range(0, len(stream), cut):
                side.feed(bytes(stream[start : start + cut]))
        except ExchangeError as error:
            assert error.sentence.isprintable()
        copies = [] if b.others is None else b.others.copies()
        assert sum(one.seq for one in copies) <= 5


_made: list[bytes] = []


def _stream() -> bytes:
    """What a side with five entries sends to one that has none."""
    if not _made:
        import tempfile

        with tempfile.TemporaryDirectory() as place, Store.open(f"{place}/a", letter="a") as a:
            write(a, *"12345")
            side = Side(shelf(a), "b", "1", serves=False)
            made = side.begin()
            made += side.feed(opening(SERVES, "1") + pack(Hello(held(), ())))
        _made.append(made)
    return _made[0]


def test_a_whole_frame_is_needed_and_a_byte_at_a_time_is_enough() -> None:
    unpacker = Unpacker(ASKS, "b", "1")
    stream = opening(ASKS, "1") + pack(Done()) + pack(Ack("0123456789abcdef", 3))
    found = []
    for byte in stream:
        unpacker.feed(bytes([byte]))
        while (frame := unpacker.next()) is not None:
            found.append(frame)
    assert found == [Done(), Ack("0123456789abcdef", 3)]
