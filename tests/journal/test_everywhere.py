"""What is shown of a set of entries is the same on each bastion, however they were divided and in whatever order they
came: the fold, its caches, the search, the handles."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incident_tui.incident.entry import Author, Draft, Entry, Kind, Ref
from incident_tui.incident.filter import Filter
from incident_tui.incident.state import Fold
from incident_tui.journal import snapshot
from incident_tui.journal.chain import Head
from incident_tui.journal.errors import JournalError
from incident_tui.journal.everything import START, Mark, came_late, cursor, end, mark
from incident_tui.journal.in_force import in_force, remember
from incident_tui.journal.search import Search, search
from incident_tui.journal.store import Store
from incident_tui.journal.take_in import take_in
from incident_tui.journal.verify import verify_copies
from tests.journal.several import Bastions, fold_of, spoken


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Bastions]:
    made = Bastions(tmp_path)
    yield made
    made.close()


def declare(bastions: Bastions, letter: str) -> Entry:
    return bastions.write(letter, Kind.DECLARE, "gv0", title="gv0", severity=2)


def write_anything(bastions: Bastions, dice: random.Random, known: list[Entry]) -> None:
    """An entry that may refer to any earlier one that its writer could have read, or not have read yet."""
    letter, by = dice.choice(list(bastions.stores)), dice.choice(("ana", "ben", "cyn"))
    about = dice.choice(known)
    kinds: list[tuple[Kind, dict[str, Any], Entry | None]] = [
        (Kind.NOTE, {}, None),
        (Kind.AMEND, {"text": f"amended {len(known)}"}, about),
        (Kind.AMEND, {"at": (about.at - timedelta(minutes=dice.randint(1, 9))).isoformat()}, about),
        (Kind.STRIKE, {"step": dice.choice(("strike", "restore"))}, about),
        (Kind.PIN, {"step": "pin"}, about),
        (Kind.SEVERITY, {"level": dice.randint(1, 4), "was": 2}, None),
        (Kind.STATUS, {"status": dice.choice(("mitigating", "monitoring", "resolved"))}, None),
        (Kind.ROLE, {"role": "commander", "step": "claim", "who": by, "was": dice.choice(("ana", "ben"))}, None),
        (Kind.TASK, {"step": "assigned", "who": by, "minutes": 10}, None),
        (Kind.TASK, {"step": dice.choice(("acked", "done")), "who": by}, about),
        (Kind.TASK, {"step": "passed", "who": by, "was": dice.choice(("ana", "ben")), "minutes": 5}, about),
        (Kind.PLAYBOOK, {"name": "p", "run": "r", "step": dice.choice(("begun", "done")), "number": 1}, None),
        (Kind.HOLD, {"target": "web1", "step": dice.choice(("hold", "release")), "minutes": 5}, None),
        (Kind.MILESTONE, {"name": dice.choice(("mitigated", "closed"))}, None),
        (Kind.UPDATE, {"step": "posted", "audience": "public"}, None),
    ]
    kind, data, ref = dice.choice(kinds)
    known.append(bastions.write(letter, kind, f"line {len(known)}", by, ref, **data))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1 << 30))
def test_the_same_is_shown_on_each_bastion(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    dice = random.Random(seed)
    bastions = Bastions(tmp_path_factory.mktemp("same"), "abc"[: dice.randint(2, 3)])
    known = [declare(bastions, dice.choice(list(bastions.stores)))]
    for _ in range(dice.randint(5, 25)):
        write_anything(bastions, dice, known)
        if dice.random() < 0.1:
            bastions.join()
        if dice.random() < 0.05:
            letter = dice.choice(list(bastions.stores))
            bastions.now += timedelta(seconds=1)
            if bastions[letter].get(about := dice.choice(known).id) is not None:
                bastions[letter].purge(about, author=Author("ana"), reason="a password")
    for letter in bastions.stores:
        bastions.shuffle(letter, dice)
    bastions.join()
    shown = {letter: spoken(fold_of(store)) for letter, store in bastions.stores.items()}
    first, *others = shown.values()
    assert all(one == first for one in others)
    names = [{store.handle(entry) for entry in store.read_all()[0]} for store in bastions.stores.values()]
    assert all(one == names[0] for one in names)
    assert all(store.verify().ok for store in bastions.stores.values())
    bastions.close()


def counted(store: Store, folds: list[int]) -> Fold:
    folds.append(1)
    fold = fold_of(store)
    remember(store, end(store)[0], fold)
    return fold


def test_the_incident_in_force_may_be_another_bastions(two: Bastions) -> None:
    folds: list[int] = []

    def asked() -> str:
        return in_force(two["a"], lambda: counted(two["a"], folds))

    two.write("a", Kind.NOTE, "x")
    assert asked() == "" and asked() == "" and len(folds) == 1
    declare(two, "b")
    two.send("b", "a")
    assert asked() == "I1"
    two.write("b", Kind.NOTE, "y")
    two.send("b", "a")
    two.write("a", Kind.NOTE, "z")
    before = len(folds)
    assert asked() == "I1" and asked() == "I1" and len(folds) == before
    two.write("b", Kind.MILESTONE, name="closed")
    two.send("b", "a")
    assert asked() == ""


def test_a_mark_is_not_believed_of_other_copies(two: Bastions) -> None:
    two.write("a", Kind.NOTE, "x")
    declare(two, "b")
    two.send("b", "a")
    store = two["a"]
    kept = mark(store, end(store)[0])
    assert isinstance(kept, Mark) and cursor(store, kept) == end(store)[0]
    two.write("b", Kind.NOTE, "y")
    two.send("b", "a")
    assert cursor(store, kept) is not None
    assert store.others is not None
    store.others.forget(two["b"].journal)
    two.send("b", "a")
    assert cursor(store, kept) is None


def test_the_snapshot_notices_a_purge_elsewhere(two: Bastions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "LONG", 2)
    two.write("a", Kind.NOTE, "x")
    declare(two, "b")
    told = two.write("b", Kind.NOTE, "a secret")
    two.send("b", "a")
    fold = fold_of(two["a"])
    assert snapshot.save(two["a"], end(two["a"])[0], fold.incident("I1"), fold.incident("I1").rows)
    kept = Path(two["a"].place.snapshot).read_bytes()
    assert b"a secret" in kept and snapshot.load(two["a"]) is not None
    two["b"].purge(told.id, author=Author("ana"), reason="x")
    two.send("b", "a")
    Path(two["a"].place.snapshot).write_bytes(kept)
    assert snapshot.load(two["a"]) is None


def found(store: Store, *words: str) -> list[str]:
    return [row.said for row in search(store, Search(wanted=Filter(words=words))).rows]


def test_the_search_finds_all_in_the_order_of_writing(two: Bastions) -> None:
    two.write("a", Kind.NOTE, "brick one")
    two.write("b", Kind.NOTE, "brick two")
    two.write("a", Kind.NOTE, "brick three")
    assert found(two["a"], "brick") == ["brick three", "brick one"]
    two.send("b", "a")
    assert found(two["a"], "brick") == ["brick three", "brick two", "brick one"]
    two.send("a", "b")
    assert found(two["b"], "brick") == ["brick three", "brick two", "brick one"]


@pytest.mark.parametrize("order", ["amendment first", "entry first", "searched between"])
def test_an_amendment_that_came_before_what_it_amends(two: Bastions, order: str) -> None:
    two.send("b", "a")  # from now on the index is the same one
    told = two.write("b", Kind.NOTE, "brick two")
    amended = two.write("a", Kind.AMEND, "", "ana", told, text="heal two")
    assert amended.ref == told.id
    if order != "entry first":
        assert found(two["a"], "heal") == [] or order == "amendment first"
    if order == "searched between":
        two.write("b", Kind.NOTE, "unrelated")
    two.send("b", "a")
    assert found(two["a"], "heal") == ["heal two"] and found(two["a"], "two") == ["heal two"]
    assert not found(two["a"], "brick")
    two["a"].purge(told.id, author=Author("ana"), reason="x")
    assert not found(two["a"], "heal")


def test_an_amendment_of_another_bastion_counts(two: Bastions) -> None:
    told = two.write("a", Kind.NOTE, "brick one")
    two.send("a", "b")
    two.write("b", Kind.AMEND, "", "ana", told, text="heal one")
    assert found(two["a"], "brick") == ["brick one"]
    two.send("b", "a")
    assert found(two["a"], "one") == ["heal one"] and not found(two["a"], "brick")


def test_copies_that_cannot_be_read_leave_the_journal_usable(two: Bastions, tmp_path: Path) -> None:
    declare(two, "a")
    two.send("b", "a")
    two.close()
    Path(two["a"].place.others).write_bytes(b"no database" * 1000)
    with Store.open(tmp_path / "a") as store:
        entries, here = store.read_all()
        assert [one.text for one in entries] == ["gv0"] and here.others == 0
        assert "others.db" in store.others_problem
        assert in_force(store, lambda: fold_of(store)) == "I1"
        with pytest.raises(JournalError):
            store.make_others()


def test_copies_that_were_deleted_under_a_running_program_are_taken_anew(two: Bastions) -> None:
    two.write("b", Kind.NOTE, "there")
    two.send("b", "a")
    old = two["a"].make_others()
    for path in Path(two["a"].place.directory).glob("others.db*"):
        path.unlink()
    with pytest.raises(JournalError):
        old.take(two.records("b"), two.now)
    assert two["a"].others is None and not two["a"].read_all()[0]
    two.send("b", "a")
    assert [one.text for one in two["a"].read_all()[0]] == ["there"]


def test_a_directory_that_cannot_be_written_is_read_with_its_copies(
    two: Bastions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = two.write("b", Kind.NOTE, "there")
    two.write("a", Kind.NOTE, "here")
    two.send("b", "a")
    two.close()

    def denied(path: str) -> None:
        from incident_tui.journal.errors import from_os

        raise from_os(OSError(30, "Read-only file system"), path)

    for module in ("store", "others"):
        monkeypatch.setattr(f"incident_tui.journal.{module}.precreate", denied)
    with Store.open(tmp_path / "a", create=False) as store:
        assert [one.text for one in store.read_all()[0]] == ["here", "there"]
        assert store.others is not None and store.others.read_only is not None
        assert store.get(told.id) is not None
        with pytest.raises(JournalError, match="cannot be written"):
            store.others.take([], two.now)


def test_reading_goes_on_where_it_was_left(two: Bastions) -> None:
    two.write("a", Kind.NOTE, "one")
    two.write("b", Kind.NOTE, "two")
    two.send("b", "a")
    entries, here = two["a"].read_all(START, 1)
    assert [one.text for one in entries] == ["one"] and here.others == 0
    entries, here = two["a"].read_all(here, 1)
    assert [one.text for one in entries] == ["two"] and end(two["a"]) == (here, 2)


def test_what_was_written_elsewhere_before_may_be_referred_to(two: Bastions) -> None:
    told = two.write("b", Kind.NOTE, "there")
    two.send("b", "a")
    assert two["a"].find("b1") == told and two["a"].handle(told) == "b1"
    assert two["a"].letters() == {two["a"].journal: "a", two["b"].journal: "b"}
    assert two["a"].handle(Ref("f" * 16, 3)) == "ffffff:3"


def test_verify_names_what_is_wrong_with_a_copy(two: Bastions) -> None:
    for number in (1, 2, 3):
        two.write("b", Kind.NOTE, f"line {number}")
    two.send("b", "a")
    ((copy, verdict),) = verify_copies(two["a"], [two["b"].head()])
    assert (copy.letter, verdict.ok, verdict.entries, verdict.heads_checked) == ("b", True, 3, 1)
    rewritten = Head(two["b"].journal, 2, "ab" * 32)
    ((_, verdict),) = verify_copies(two["a"], [rewritten])
    assert "rewritten" in verdict.problems[0].sentence
    assert two["a"].others is not None
    two["a"].others.connection.execute("UPDATE rows SET body = ? WHERE seq = 2", (b'{"x":1}',))
    ((_, verdict),) = verify_copies(two["a"], [])
    assert [one.seq for one in verdict.problems] == [2] and two["a"].verify().ok


def test_verify_of_a_copy_waits_for_an_order_that_has_not_come(two: Bastions) -> None:
    told = two.write("b", Kind.NOTE, "a secret")
    two.write("b", Kind.NOTE, "more")
    two["b"].purge(told.id, author=Author("ana"), reason="x")
    take_in(two["a"], two.records("b")[:2], two.now)
    ((_, verdict),) = verify_copies(two["a"], [])
    assert verdict.ok and verdict.purged == (1,)


def test_verify_knows_the_order_of_this_journal_about_a_copy(two: Bastions) -> None:
    told = two.write("b", Kind.NOTE, "a secret")
    two.send("b", "a")
    two["a"].purge(told.id, author=Author("ana"), reason="x")
    ((_, verdict),) = verify_copies(two["a"], [])
    assert verdict.ok and verdict.purged == (1,)


@pytest.mark.parametrize("by", ["own", "other"])
def test_verify_asks_for_the_order_of_each_purge_of_a_copy(two: Bastions, by: str) -> None:
    told = two.write("b", Kind.NOTE, "a secret")
    two.send("b", "a")
    two["b" if by == "own" else "a"].purge(told.id, author=Author("ana"), reason="x")
    two.join()
    ((_, verdict),) = verify_copies(two["a"], [])
    assert verdict.ok and verdict.purged == (1,)
    assert two["a"].others is not None
    db = two["a"].others.connection
    db.execute("UPDATE tombstones SET kept = CAST(replace(CAST(kept AS TEXT), 'ana', 'ben') AS BLOB)")
    ((_, verdict),) = verify_copies(two["a"], [])
    assert "order to do so" in verdict.problems[0].sentence


def test_what_took_long_to_arrive_is_known_with_its_time(two: Bastions) -> None:
    soon = two.write("b", Kind.NOTE, "soon")
    two.send("b", "a")
    late = two.write("b", Kind.NOTE, "late")
    own = two.write("a", Kind.NOTE, "own")
    entries, here = two["a"].read_all()
    two.now += timedelta(minutes=9)
    two.send("b", "a")
    more, there = two["a"].read_all(here)
    assert came_late(two["a"], entries, START, here) == {}
    assert came_late(two["a"], more, here, there) == {late.id: two.now}
    assert {soon.id, own.id} == {one.id for one in entries}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1 << 30))
def test_the_kept_answer_is_the_folds_whatever_comes_when(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    dice = random.Random(seed)
    two = Bastions(tmp_path_factory.mktemp("kept"))
    known: list[Entry] = []
    for number in range(dice.randint(4, 18)):
        letter, incident = dice.choice("ab"), dice.choice(("I1", "I2"))
        about = dice.choice(known).id if known else None
        kind, data, ref = dice.choice(
            [
                (Kind.DECLARE, {"title": incident}, None),
                (Kind.MILESTONE, {"name": "closed"}, None),
                (Kind.ACTION, {}, None),
                (Kind.STATUS, {"status": dice.choice(("investigating", "stood down"))}, None),
                (Kind.STRIKE, {"step": dice.choice(("strike", "restore"))}, about),
                (Kind.AMEND, {"at": (two.now - timedelta(minutes=dice.randint(1, 9))).isoformat()}, about),
                (Kind.NOTE, {}, None),
            ]
        )
        two.now += timedelta(seconds=1)
        draft = Draft(kind, "x", two.now, Author("ana"), incident, "", data, ref)
        known += two[letter].append([draft], key=f"{number}")
        if dice.random() < 0.5:
            pieces = two.records(dice.choice("ab"))
            take_in(two["a"], dice.sample(pieces, dice.randint(0, len(pieces))), two.now)
        newest = fold_of(two["a"]).newest_open()
        folds: list[int] = []
        kept = in_force(two["a"], lambda folds=folds: counted(two["a"], folds))  # type: ignore[misc]
        assert kept == ("" if newest is None else newest.id)
    two.close()
