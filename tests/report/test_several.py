"""The report of an incident on which several bastions wrote: the same on each, and it names what of whom is missing."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from incident_tui.incident.entry import Kind
from incident_tui.journal.everything import parts
from incident_tui.journal.store import Store
from incident_tui.report.as_json import to_json
from incident_tui.report.export import compose
from incident_tui.report.source import Source
from tests.journal.several import Bastions, fold_of


def source(store: Store) -> Source:
    return Source(
        fold=fold_of(store),
        incident="I1",
        head=store.head(),
        journals=parts(store),
        unread=store.others_problem,
        handle=store.handle,
        now=datetime(2026, 12, 1, tzinfo=UTC),
    )


def tell(bastions: Bastions, dice: random.Random, count: int) -> None:
    """A story in which each bastion declares, notes, decides and commands."""
    bastions.write("a", Kind.DECLARE, "gv0", title="gv0", severity=2)
    for number in range(count):
        letter = dice.choice(list(bastions.stores))
        kind, data = dice.choice(
            [
                (Kind.NOTE, {}),
                (Kind.DECISION, {}),
                (Kind.STATUS, {"status": "mitigating"}),
                (Kind.ROLE, {"role": "commander", "step": "claim", "who": dice.choice(("ana", "ben"))}),
            ]
        )
        bastions.write(letter, kind, f"line {number}", dice.choice(("ana", "ben")), **data)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("full", [False, True])
def test_every_bastion_makes_the_same_report(tmp_path: Path, seed: int, full: bool) -> None:
    dice = random.Random(seed)
    bastions = Bastions(tmp_path, "abc")
    tell(bastions, dice, 20)
    for letter in bastions.stores:
        bastions.shuffle(letter, dice)
    reports = {compose(source(store), full=full) for store in bastions.stores.values()}
    assert len(reports) == 1
    documents = [msgspec.json.decode(to_json(source(store))) for store in bastions.stores.values()]
    assert all({**one, "head": None} == {**documents[0], "head": None} for one in documents)
    bastions.close()


def test_it_says_of_which_journals_it_is_made_and_what_is_missing(tmp_path: Path) -> None:
    bastions = Bastions(tmp_path)
    tell(bastions, random.Random(1), 12)
    here, there = bastions["a"], bastions["b"]
    bastions.send("b", "a")
    said = compose(source(here), full=True)
    heads = [
        f"- Journal {store.letter}: all {store.head().seq} entries; head `{store.head()}`" for store in (here, there)
    ]
    assert all(line in said for line in heads) and "Journal head:" not in said
    here.make_others().tell(there.journal, "b", there.head().seq + 12, bastions.now)
    said = compose(source(here), full=True)
    assert f"- Journal b: 12 of {there.head().seq + 12} entries had not arrived; head" in said
    assert f"b ({there.journal}, not all of it)" in said
    bastions.close()


def test_it_says_so_when_the_copies_cannot_be_read(tmp_path: Path) -> None:
    bastions = Bastions(tmp_path)
    tell(bastions, random.Random(1), 3)
    bastions.close()
    (tmp_path / "a" / "others.db").write_bytes(b"no database" * 1000)
    with Store.open(tmp_path / "a") as store:
        assert "The journals of other bastions are missing here:" in compose(source(store), full=True)


def test_it_says_who_could_not_see_whom_and_when(tmp_path: Path) -> None:
    bastions = Bastions(tmp_path)
    tell(bastions, random.Random(1), 3)
    since = bastions.now
    said = "b not reached from 2026-11-23 03:00Z to 03:31Z; 3 entries came then"
    data = {"what": "replica", "since": since.isoformat(), "replica": "b", "from": since.isoformat()}
    gap = bastions.write("a", Kind.GAP, said, "watch", **data)
    bastions.send("b", "a")
    for full in (True, False):
        report = compose(source(bastions["a"]), full=full)
        assert f"- Bastions apart: {said} ({bastions['a'].handle(gap)})" in report
    bastions.close()


def test_what_two_did_is_named(tmp_path: Path) -> None:
    bastions = Bastions(tmp_path)
    bastions.write("a", Kind.DECLARE, "gv0", title="gv0", severity=2)
    bastions.join()
    first = bastions.write("a", Kind.ROLE, "", "ben", role="commander", step="claim", who="ben", was="ana")
    second = bastions.write("b", Kind.ROLE, "", "cyn", role="commander", step="claim", who="cyn", was="ana")
    bastions.join()
    report = compose(source(bastions["b"]), full=True)
    names = [bastions["b"].handle(one) for one in (first, second)]
    assert "Done by two, of which the first counts: command: ben was first" in report
    assert f"({names[0]}, {names[1]})" in report and f"_(second: ben was first, {names[0]})_" in report
    bastions.close()


def test_an_alert_that_two_bastions_took_in_is_told_once(tmp_path: Path) -> None:
    bastions = Bastions(tmp_path)
    bastions.write("a", Kind.DECLARE, "gv0", title="gv0", severity=2)
    told = {"from": "am", "key": "f00d", "episode": "2026-11-28T03:09:00Z", "status": "firing", "title": "DiskFull"}
    for letter in "ab":
        bastions.write(letter, Kind.ALERT, "DiskFull on web1", "am", **told)
    bastions.join()
    for store in bastions.stores.values():
        document = msgspec.json.decode(to_json(source(store)))
        assert [one["said"] for one in document["timeline"]].count("DiskFull on web1") == 1
        rows = [line for line in compose(source(store), full=True).splitlines() if line.startswith("| ")]
        assert sum("DiskFull on web1" in row for row in rows) == 1
        assert [entry.kind for entry in store.read_all()[0]].count(Kind.ALERT) == 2, "each journal keeps its own"
    bastions.close()
