from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from incident_tui.incident.entry import Author, Draft, Kind, Ref, Seen
from incident_tui.journal.errors import (
    Corrupt,
    JournalError,
    Locked,
    NotThere,
    StaleEpoch,
)
from incident_tui.journal.store import Store

MakeDraft = Callable[..., Draft]
Spawn = Callable[..., "subprocess.Popen[str]"]


def test_entries_are_numbered_without_a_hole_and_read_back(store: Store, draft: MakeDraft) -> None:
    seen = Seen("X gv0 bricks 2/3", 4)
    first = store.append([draft("one"), draft("two", Kind.ACTION, incident="i1", data={"b": 1, "a": [2]})], key="k1")
    second = store.append([draft("three", ref=first[0].id, seen=seen)], key="k2")
    assert [entry.seq for entry in first + second] == [1, 2, 3]
    assert store.read() == first + second
    assert store.read(after=1, limit=1) == [first[1]]
    assert store.read(limit=0) == []
    assert store.get(Ref(store.journal, 3)) == second[0]
    assert store.get(Ref("0" * 16, 3)) is None
    assert store.head().seq == 3


def test_a_key_stored_before_returns_what_it_stored(store: Store, place: Path, draft: MakeDraft) -> None:
    first = store.append([draft("one"), draft("two")], key="k")
    with Store.open(place) as again:
        assert again.append([draft("one"), draft("two")], key="k") == first
    assert len(store.read()) == 2


def test_an_append_without_key_is_refused(store: Store, draft: MakeDraft) -> None:
    with pytest.raises(JournalError):
        store.append([draft("x")], key="")
    assert store.append([], key="k") == []


def test_what_cannot_be_stored_leaves_the_journal_usable(store: Store, draft: MakeDraft) -> None:
    naive = Draft(kind=Kind.NOTE, text="x", at=datetime(2026, 1, 1), author=Author("ana"))  # noqa: DTZ001
    with pytest.raises(ValueError, match="without a zone"):
        store.append([draft("lost?"), naive], key="k")
    assert store.read() == []
    assert [entry.seq for entry in store.append([draft("fine")], key="k")] == [1]


def test_handles(store: Store, draft: MakeDraft) -> None:
    entry = store.append([draft("x")], key="k")[0]
    assert store.handle(entry) == store.handle(entry.id) == "a1"
    assert store.handle(Ref("0123456789abcdef", 4)) == "012345:4"
    for handle in ("a1", "A1", "#a1", " a1 "):
        assert store.find(handle) == entry
    for handle in ("", "a", "a0", "b1", "a2", "a-1", "a1x", "a" + "9" * 40, "a\u0661"):
        assert store.find(handle) is None


def test_the_letter_is_that_of_the_journal(place: Path, draft: MakeDraft) -> None:
    Store.open(place, letter="w").close()
    with Store.open(place, letter="b") as again:
        assert again.letter == "w"
        assert again.handle(again.append([draft("x")], key="k")[0]) == "w1"
    with pytest.raises(JournalError, match="a to z"):
        Store.open(place, letter="é")


def test_files_are_0660_and_the_directory_2770_whatever_the_umask(place: Path, draft: MakeDraft) -> None:
    before = os.umask(0o077)
    try:
        with Store.open(place) as store:
            store.append([draft("x")], key="k")
            modes = {name: stat.S_IMODE((place / name).stat().st_mode) for name in os.listdir(place)}
    finally:
        os.umask(before)
    assert modes == {"journal.db": 0o660, "journal.db-wal": 0o660, "journal.db-shm": 0o660}
    assert stat.S_IMODE(place.stat().st_mode) == 0o2770


def test_it_is_durable_by_settings(store: Store) -> None:
    assert store.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert store.connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert store.connection.execute("PRAGMA secure_delete").fetchone() == (1,)


def test_another_connection_changes_the_data_version(store: Store, place: Path, draft: MakeDraft) -> None:
    before = store.data_version()
    with Store.open(place) as other:
        other.append([draft("x")], key="k")
    assert store.data_version() != before


def test_threads_that_append_at_once_leave_no_hole(place: Path, draft: MakeDraft) -> None:
    Store.open(place).close()
    failures: list[JournalError] = []

    def work(name: int) -> None:
        with Store.open(place) as store:
            for number in range(25):
                while True:
                    try:
                        store.append([draft(f"{name} {number}")], key=f"{name}-{number}")
                        break
                    except Locked:
                        continue
                    except JournalError as error:
                        failures.append(error)
                        return

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with Store.open(place) as store:
        assert [entry.seq for entry in store.read()] == list(range(1, 101))
        assert store.verify().ok


def test_processes_that_open_a_new_journal_at_once_all_can(place: Path, spawn: Spawn) -> None:
    script = (
        "import sys; from incident_tui.journal.store import Store; print('up'); sys.stdin.readline();"
        "print(Store.open(sys.argv[1]).journal)"
    )
    openers = [spawn(script, place) for _ in range(6)]
    for opener in openers:
        assert opener.stdout is not None and opener.stdout.readline() == "up\n"
    for opener in openers:
        assert opener.stdin is not None
        opener.stdin.write("go\n")
        opener.stdin.flush()
    ids = {opener.stdout.readline() for opener in openers if opener.stdout is not None}
    assert len(ids) == 1 and len(ids.pop()) == 17


def test_reads_and_appends_use_the_primary_key_alone(store: Store) -> None:
    """100,000 entries stay usable because nothing scans: asserted on the plan, not on the clock."""
    from incident_tui.journal import store as module

    for sql in (
        module._READ + "e.seq > 5 ORDER BY e.seq LIMIT 10",
        module._READ + "e.seq BETWEEN 1 AND 2 ORDER BY e.seq",
        "SELECT seq, link FROM entries ORDER BY seq DESC LIMIT 1",
        "SELECT seq, count FROM keys WHERE key = 'x'",
    ):
        plan = " / ".join(row[3] for row in store.connection.execute("EXPLAIN QUERY PLAN " + sql).fetchall())
        assert "TEMP B-TREE" not in plan
        assert "SCAN" not in plan or "ORDER BY seq DESC LIMIT 1" in sql, plan


def test_100_000_entries_stay_usable(store: Store, draft: MakeDraft) -> None:
    note = draft("web3 does not answer ping from the bastion; the hosting company has been called")
    for block in range(20):
        store.append([note] * 5_000, key=f"block {block}")
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    store.connection.set_progress_handler(count, 100)  # called every 100 instructions of SQLite's machine
    entry = store.append([note], key="one more")[0]
    assert store.read(after=100_000) == [entry] == [store.find("a100001")]
    assert steps < 20
    store.connection.set_progress_handler(None, 0)
    assert store.verify().entries == 100_001


def test_no_read_holds_a_transaction(store: Store, place: Path, draft: MakeDraft) -> None:
    store.append([draft("x")] * 50, key="k")
    store.read(limit=3)
    store.find("a2")
    assert not store.connection.in_transaction
    busy, _, _ = store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert busy == 0


def test_a_stale_epoch_is_refused_but_a_retry_of_what_was_stored_is_not(store: Store, draft: MakeDraft) -> None:
    assert store.epoch() == 0
    assert store.bump_epoch(lambda epoch: draft("lease", Kind.LEASE, data={"epoch": epoch + 1})) == 1
    stored = store.append([draft("x")], key="k", epoch=1)
    assert store.bump_epoch(lambda _: draft("lease", Kind.LEASE)) == 2
    assert store.bump_epoch(lambda _: None) is None
    with pytest.raises(StaleEpoch, match="epoch 1 ended"):
        store.append([draft("y")], key="k2", epoch=1)
    assert store.append([draft("x")], key="k", epoch=1) == stored
    store.append([draft("y")], key="k2", epoch=2)
    assert store.epoch() == 2


HOLD = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN IMMEDIATE")
print("locked")
sys.stdin.read()
"""


def test_a_lock_names_its_holder(store: Store, draft: MakeDraft, spawn: Spawn) -> None:
    holder = spawn(HOLD, store.path)
    assert holder.stdout is not None and holder.stdout.readline() == "locked\n"
    with pytest.raises(Locked) as caught:
        store.append([draft("x")], key="k")
    assert caught.value.pid == holder.pid
    assert f"journal locked by pid {holder.pid} (python" in caught.value.sentence
    holder.communicate("")
    assert store.append([draft("x")], key="k")[0].seq == 1


def test_a_missing_journal_is_said_and_not_made(place: Path) -> None:
    with pytest.raises(NotThere, match="no journal at"):
        Store.open(place, create=False)
    assert not place.exists()
    place.mkdir()
    with pytest.raises(NotThere, match="no journal at"):
        Store.open(place, create=False)


def test_a_deleted_directory_is_noticed_before_an_entry_is_lost(store: Store, place: Path, draft: MakeDraft) -> None:
    store.append([draft("x")], key="k")
    place.rename(place.with_name("elsewhere"))
    with pytest.raises(NotThere, match="missing or was replaced"):
        store.append([draft("y")], key="k2")
    Store.open(place).close()
    with pytest.raises(NotThere, match="missing or was replaced"):
        store.append([draft("y")], key="k2")


def test_a_file_in_place_of_the_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(JournalError, match="not a directory"):
            Store.open(path)


@pytest.mark.parametrize(
    "content", [b"hello, this is not a database at all" * 100, os.urandom(8192), b"SQLite format 3\0" + bytes(900)]
)
def test_a_file_that_is_no_database(place: Path, content: bytes) -> None:
    place.mkdir()
    (place / "journal.db").write_bytes(content)
    with pytest.raises(Corrupt) as caught:
        Store.open(place)
    assert str(place) in caught.value.sentence and "\n" not in caught.value.sentence


def test_a_database_of_something_else(place: Path) -> None:
    place.mkdir()
    other = sqlite3.connect(place / "journal.db")
    other.execute("CREATE TABLE cookies(x)")
    other.commit()
    other.close()
    with pytest.raises(Corrupt, match="not a journal of incident-tui"):
        Store.open(place)


def test_damaged_pages_are_one_sentence(place: Path, draft: MakeDraft) -> None:
    with Store.open(place) as store:
        store.append([draft("x" * 200)] * 500, key="k")
    raw = bytearray((place / "journal.db").read_bytes())
    for page in range(5, len(raw) // 4096):
        raw[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    (place / "journal.db").write_bytes(raw)
    with Store.open(place) as store:
        with pytest.raises(Corrupt, match=r"is damaged"):
            store.read()
        verdict = store.verify()
    assert not verdict.ok
    assert any("damaged" in problem.sentence for problem in verdict.problems)


def test_one_damaged_entry_is_named(store: Store, draft: MakeDraft) -> None:
    store.append([draft("one"), draft("two")], key="k")
    store.connection.execute("UPDATE entries SET body = x'7b' WHERE seq = 2")
    with pytest.raises(Corrupt, match="entry a2 of"):
        store.read()


def test_a_closed_store_says_so(place: Path, draft: MakeDraft) -> None:
    store = Store.open(place)
    store.close()
    store.close()
    with pytest.raises(JournalError, match="was closed"):
        store.read()


def test_the_journal_starts_without_asyncio(tmp_path: Path) -> None:
    script = (
        "import sys; from incident_tui.journal.store import Store; Store.open(sys.argv[1]).close();"
        "print([m for m in ('asyncio', 'ctypes', 'concurrent.futures', 'subprocess', 'socket') if m in sys.modules])"
    )
    root = str(Path(__file__).resolve().parents[2])
    done: Any = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "j")],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": root},
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_times_are_utc(store: Store, draft: MakeDraft) -> None:
    entry = store.append([draft("x")], key="k")[0]
    assert entry.at.tzinfo is UTC and entry.recorded_at.tzinfo is UTC
    assert store.read()[0].at == entry.at
