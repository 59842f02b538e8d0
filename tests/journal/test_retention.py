"""Closed incidents out of the journal into a file and back: nothing is lost at any moment, the chain always closes."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from incident_tui.incident.entry import Author, Draft, Entry, Kind, Ref
from incident_tui.incident.state import Fold
from incident_tui.journal import archive, retention, retention_file
from incident_tui.journal.backup import back_up, restore
from incident_tui.journal.chain import Verdict
from incident_tui.journal.errors import JournalError
from incident_tui.journal.record import own_records
from incident_tui.journal.retention_file import Put
from incident_tui.journal.store import Store
from incident_tui.journal.verify import verify_copies

AT = datetime(2025, 3, 1, 3, 10, tzinfo=UTC)
ANA = Author("ana", uid=1000, account="ana")
INC = "2025-03-01-gv0"
PUT = Put(INC, "gv0 split-brain", AT, AT)


def write(store: Store, kind: Kind, text: str = "", minutes: int = 0, /, ref: Ref | None = None, **data: Any) -> Entry:
    incident = data.pop("incident", INC)
    at = AT + timedelta(minutes=minutes)
    draft = Draft(kind, text, at, ANA, incident=incident, source="cli", data=data, ref=ref)
    return store.append([draft], key=f"k{store.head().seq}")[0]


def play(store: Store) -> None:
    """An incident with something of most kinds, and a line of another one."""
    write(store, Kind.DECLARE, "gv0 split-brain", title="gv0 split-brain", severity=2)
    write(store, Kind.NOTE, "a note " * 200, 1)
    said = write(store, Kind.ACTION, "restarted glusterd", 2)
    write(store, Kind.AMEND, "", 3, ref=said.id, text="restarted glusterd on web2")
    write(
        store, Kind.OBSERVATION, "gv0: brick down", 4, finding="gluster.brick-down", level="crit", host="web3", flaps=7
    )
    write(store, Kind.NOTE, "another incident's", 5, incident="2025-03-01-other")
    write(store, Kind.TASK, "look at web3", 6, step="assigned", who="bob", minutes=5)
    write(store, Kind.FOLLOWUP, "put web3 on feed A", 7, owner="dan", priority="p1")
    write(store, Kind.LESSON, "the alert came first", 8, sort="well")
    struck = write(store, Kind.NOTE, "wrong", 9)
    write(store, Kind.STRIKE, "", 10, ref=struck.id, step="strike")
    write(store, Kind.STATUS, "", 11, status="stood down")
    write(store, Kind.MILESTONE, "", 12, name="closed")


def away(store: Store, path: Path, shrink: bool = True, incident: Put = PUT) -> retention.Done:
    seqs = [entry.seq for entry in store.read() if entry.incident == incident.id]
    return retention.put_away(store, {incident: seqs}, str(path), ANA, shrink=shrink)


def stored(store: Store) -> list[tuple[Any, ...]]:
    return store.connection.execute("SELECT seq, commitment, link, salt, body FROM entries ORDER BY seq").fetchall()


def fold(store: Store) -> Fold:
    made = Fold()
    for entry in store.read():
        made.apply(entry)
    return made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "2025.json"


def test_it_leaves_stays_known_and_comes_back_to_the_bit(store: Store, file: Path) -> None:
    play(store)
    rows, before = stored(store), fold(store).incident(INC)
    done = away(store, file)
    assert (len(done.orders), done.entries, done.problem) == (1, 5, "") and oct(file.stat().st_mode)[-3:] == "600"
    verdict = store.verify()
    assert verdict.ok and verdict.purged == () and verdict.archived == (2, 3, 4, 5, 10)
    assert not any(b"restarted" in body for *_, body in stored(store))
    after = fold(store).incident(INC)
    for name in (
        "title",
        "severity",
        "status",
        "closed_at",
        "reopened",
        "follow_ups",
        "lessons",
        "tasks",
        "milestones",
    ):
        assert getattr(after, name) == getattr(before, name), name
    assert [row.text for row in after.rows if row.entry.seq == 3] == ["[in archive 2025.json]"]
    assert [row.ref for row in after.rows] == [row.ref for row in before.rows]
    order = fold(store).row(done.orders[0].id)
    assert order is not None and order.text == "5 entries are in archive 2025.json"
    assert retention.files(store) == {"2025.json": 5}
    again = away(store, file)
    assert (again.orders, again.entries) == ((), 0)
    back = retention.bring_back(store, retention_file.read(file), "2025.json", ANA)
    assert back.entries == 5 and stored(store)[: len(rows)] == rows
    assert store.verify().ok and store.verify().archived == () and retention.files(store) == {}
    assert [row.text for row in fold(store).incident(INC).rows][: len(before.rows)] == [row.text for row in before.rows]
    assert retention.bring_back(store, retention_file.read(file), "2025.json", ANA).orders == ()


def test_out_back_and_out_again(store: Store, file: Path, tmp_path: Path) -> None:
    play(store)
    away(store, file)
    retention.bring_back(store, retention_file.read(file), file.name, ANA)
    other = tmp_path / "again.json"
    assert away(store, other).entries == 5 and store.verify().ok
    assert retention.bring_back(store, retention_file.read(file), file.name, ANA).entries == 5
    assert store.verify().ok


def test_room_is_given_back(store: Store, file: Path) -> None:
    play(store)
    for number in range(300):
        write(store, Kind.EVIDENCE, f"{number} " + os.urandom(2_000).hex(), number)
    done = away(store, file)
    assert done.after < done.before / 3 and done.problem == ""
    assert store.verify().ok


def test_while_an_incident_is_open_nobody_is_held_up_for_room(store: Store, file: Path) -> None:
    play(store)
    for number in range(50):
        write(store, Kind.EVIDENCE, os.urandom(2_000).hex(), number)
    done = away(store, file, shrink=False)
    assert "an incident is open" in done.problem and done.entries == 55
    assert away(store, file).after < done.after


def test_a_purge_of_what_was_put_away_is_an_order_and_stays(store: Store, file: Path) -> None:
    play(store)
    away(store, file)
    order = store.purge(Ref(store.journal, 3), author=ANA, reason="a password")
    assert order.kind is Kind.PURGE and store.verify().ok
    assert store.purge(Ref(store.journal, 3), author=ANA, reason="again") == order
    assert store.verify().purged == (3,) and store.verify().archived == (2, 4, 5, 10)
    row = fold(store).row(Ref(store.journal, 3))
    assert row is not None and row.text == "[purged]"
    back = retention.bring_back(store, retention_file.read(file), file.name, ANA)
    assert back.entries == 4 and store.verify().ok and store.verify().purged == (3,)
    assert not any(b"restarted glusterd" in body for seq, *_, body in stored(store) if seq == 3)


def test_a_purged_text_leaves_the_file_too(store: Store, file: Path) -> None:
    play(store)
    away(store, file)
    store.purge(Ref(store.journal, 2), author=ANA, reason="a password")
    retention.purge_file(str(file), retention_file.read(file), 2)
    assert "a note" not in file.read_text()
    assert [entry.seq for entry in retention_file.read(file).decoded() if entry.purged] == [2]
    assert retention.bring_back(store, retention_file.read(file), file.name, ANA).entries == 4
    assert store.verify().ok and store.verify().purged == (2,)


def test_what_was_purged_before_stays_purged_in_the_file(store: Store, file: Path) -> None:
    play(store)
    store.purge(Ref(store.journal, 2), author=ANA, reason="a password")
    assert away(store, file).entries == 4 and store.verify().ok
    assert "a note" not in file.read_text() and store.verify().purged == (2,)
    assert retention.bring_back(store, retention_file.read(file), file.name, ANA).entries == 4
    assert store.verify().ok and store.verify().purged == (2,)


def edit(file: Path, change: Callable[[Any], None]) -> None:
    document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document))


def swap(one: Any) -> None:
    one["body"] = one["body"].replace("note", "lie!")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: swap(d["entries"][1]), "entry 2 is not what the journal stored"),
        (lambda d: d["entries"][1].update(commitment="00" * 32), "does not fit to the one before"),
        (lambda d: d["entries"].pop(2), "has 4 of the 5 entries"),
        (lambda d: d["entries"][1].pop("body"), "entry 2 has no text"),
        (lambda d: d.update(journal="0" * 16), "altered or damaged"),
        (lambda d: d.update(format="incident-tui incidents 9"), "this program reads"),
        (lambda d: d["entries"].reverse(), "not in order"),
        (lambda d: d.pop("letter"), "is no archive of incidents"),
        (lambda d: d["entries"][1].update(salt="xyz"), "altered or damaged"),
    ],
)
def test_an_altered_file_brings_nothing_back(
    change: Callable[[Any], None], said: str, store: Store, file: Path
) -> None:
    play(store)
    away(store, file)
    before = stored(store)
    edit(file, change)
    with pytest.raises(JournalError, match=said):
        retention.bring_back(store, retention_file.read(file), file.name, ANA)
    assert stored(store) == before and store.verify().ok


def test_a_file_that_is_cut_or_of_another_journal(store: Store, file: Path, tmp_path: Path) -> None:
    play(store)
    away(store, file)
    with Store.open(tmp_path / "other") as other:
        play(other)
        with pytest.raises(JournalError, match="it is of journal"):
            retention.bring_back(other, retention_file.read(file), file.name, ANA)
    raw = file.read_bytes()
    for end in (0, 1, 40, len(raw) // 2, len(raw) - 3):
        with pytest.raises(JournalError, match="is no archive"):
            retention_file.decoded(raw[:end], "it")
    with pytest.raises(JournalError, match="cannot be read"):
        retention_file.read(tmp_path / "none")


def test_nothing_is_overwritten(store: Store, file: Path, tmp_path: Path) -> None:
    play(store)
    file.write_text("something of somebody")
    before = stored(store)
    with pytest.raises(JournalError, match="Name another file"):
        away(store, file)
    with pytest.raises(JournalError, match="there is no directory"):
        away(store, tmp_path / "none" / "file")
    assert stored(store) == before and file.read_text() == "something of somebody"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["2025.json", "journal"]


def test_a_disk_that_kept_something_else_takes_nothing_out(
    store: Store, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(store)
    real = retention_file.write
    monkeypatch.setattr(retention, "write", lambda path, raw: real(path, raw.replace(b"a note", b"a lie!")))
    before = stored(store)
    with pytest.raises(JournalError, match="altered or damaged"):
        away(store, file)
    assert stored(store) == before and store.verify().archived == ()


def test_a_line_that_comes_meanwhile_stops_it(store: Store, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    play(store)
    real = retention_file.write

    def slow(path: str, raw: bytes) -> None:
        real(path, raw)
        write(store, Kind.NOTE, "one more word", 13)

    monkeypatch.setattr(retention, "write", slow)
    before = len(stored(store))
    with pytest.raises(JournalError, match="written to just now"):
        away(store, file)
    assert len(stored(store)) == before + 1 and store.verify().archived == ()


@pytest.mark.parametrize("what", ["kept", "text", "order", "whole"])
def test_verify_sees_what_is_done_to_what_was_left(what: str, place: Path, file: Path) -> None:
    with Store.open(place) as store:
        play(store)
        away(store, file)
    db = sqlite3.connect(place / "journal.db")
    if what == "kept":
        db.execute("UPDATE tombstones SET kept = CAST(replace(kept, 'web3', 'web1') AS BLOB) WHERE seq = 5")
    elif what == "text":
        db.execute("UPDATE tombstones SET kept = replace(kept, 'web3', 'web1') WHERE seq = 5")
    elif what == "order":
        db.execute("UPDATE tombstones SET by_seq = 13 WHERE seq = 5")
    else:
        db.execute("DELETE FROM tombstones WHERE seq = 5")
    db.commit()
    db.close()
    with Store.open(place) as store:
        assert not store.verify().ok


def test_a_backup_and_another_bastion_have_it_as_it_is_here(store: Store, file: Path, tmp_path: Path) -> None:
    play(store)
    old = back_up(store, tmp_path / "old")
    away(store, file)
    new = back_up(store, tmp_path / "new")
    assert new.verdict.ok and new.verdict.archived == (2, 3, 4, 5, 10)
    restore(old.path, tmp_path / "there")
    restore(new.path, tmp_path / "there")  # what left here leaves there
    with Store.open(tmp_path / "there") as there:
        assert there.verify().ok and there.verify().archived == (2, 3, 4, 5, 10)
        store.purge(Ref(store.journal, 3), author=ANA, reason="a password")
        last = back_up(store, tmp_path / "last")
    restore(last.path, tmp_path / "there")
    with Store.open(tmp_path / "there") as there, Store.open(tmp_path / "far") as far:
        assert there.verify().ok and there.verify().purged == (3,)
        taken = far.make_others().take(own_records(there, 1, 99), AT)
        assert not taken.refused and len(taken.entries) == len(there.read())
        assert [one.archive for one in taken.entries if one.seq == 4] == ["2025.json"]


def test_one_order_has_at_most_five_thousand(store: Store, file: Path) -> None:
    play(store)
    drafts = [Draft(Kind.NOTE, "x", AT, ANA, incident=INC, source="cli") for _ in range(5_100)]
    store.append(drafts, key="many")
    done = away(store, file)
    assert [order.data["entries"].count(",") for order in done.orders] == [2, 0] and len(done.orders) == 2
    assert store.verify().ok and len(store.verify().archived) == 5_105
    assert retention.bring_back(store, retention_file.read(file), file.name, ANA).entries == 5_105
    assert store.verify().ok


def test_a_copy_elsewhere_passes_verify_whenever_its_entries_came(store: Store, file: Path, tmp_path: Path) -> None:
    play(store)
    with Store.open(tmp_path / "far") as far:

        def take(first: int, last: int = 99) -> None:
            taken = far.make_others().take(own_records(store, first, last), AT)
            assert not taken.refused

        def verdict() -> Verdict:
            ((_, found),) = verify_copies(far, [])
            assert found.ok, found.problems
            return found

        take(1, 3)
        away(store, file)
        take(4, 10)  # without the order
        verdict()
        take(11)
        assert verdict().archived == (4, 5, 10)
        text = far.get(Ref(store.journal, 2))
        assert text is not None and text.text.startswith("a note")
        store.purge(Ref(store.journal, 5), author=ANA, reason="a password")
        store.purge(Ref(store.journal, 2), author=ANA, reason="a password")
        take(14)
        assert verdict().purged == (2, 5) and verdict().archived == (4, 10)
        gone = far.get(Ref(store.journal, 2))
        assert gone is not None and gone.purged and gone.text == ""


def test_a_whole_journal_as_a_document_keeps_what_was_put_away_put_away(
    store: Store, file: Path, tmp_path: Path
) -> None:
    play(store)
    away(store, file)
    document = archive.read("".join(archive.write(store, AT)))
    with Store.open(tmp_path / "there") as there:
        archive.restore(there, document)
    with Store.open(tmp_path / "there") as there:
        assert there.verify().ok and there.verify().archived == (2, 3, 4, 5, 10) and there.head() == store.head()
        assert retention.bring_back(there, retention_file.read(file), file.name, ANA).entries == 5
        assert there.verify().ok and there.verify().archived == ()
