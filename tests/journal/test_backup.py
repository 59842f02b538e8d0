"""A journal copied while others write, and brought back: checked by the chain, and no entry is ever lost by it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from incident_tui.incident.entry import Author, Ref
from incident_tui.journal.backup import back_up, open_copy, restore
from incident_tui.journal.errors import JournalError
from incident_tui.journal.store import Store

MakeDraft = Callable[..., Any]
Spawn = Callable[..., Any]

WRITES = """
import sys
from datetime import UTC, datetime
from incident_tui.incident.entry import Author, Draft, Kind
from incident_tui.journal.store import Store
with Store.open(sys.argv[1]) as store:
    for number in range(100000):
        draft = Draft(kind=Kind.NOTE, text=f"line {number}", at=datetime.now(UTC), author=Author("bob"))
        print(store.append([draft], key=f"bob {number}")[0].seq)
"""


def add(store: Store, draft: MakeDraft, *texts: str) -> None:
    for text in texts:
        store.append([draft(text)], key=f"append {store.head().seq}")


def texts(place: Path) -> list[str]:
    with Store.open(place, create=False) as store:
        assert store.verify().ok
        return [entry.text for entry in store.read()]


def test_a_backup_of_a_journal_that_is_written_meanwhile_is_whole(
    store: Store, place: Path, tmp_path: Path, spawn: Spawn, draft: MakeDraft
) -> None:
    add(store, draft, "first")
    writer = spawn(WRITES, place)
    for number in range(5):
        acknowledged = int(writer.stdout.readline())
        made = back_up(store, tmp_path / f"copy{number}")
        assert made.verdict.ok and made.verdict.head.seq >= acknowledged
        assert int(writer.stdout.readline()) > acknowledged, "the writer goes on"
    writer.kill()
    restore(tmp_path / "copy4", tmp_path / "elsewhere")
    assert texts(tmp_path / "elsewhere") == [entry.text for entry in store.read(limit=made.verdict.head.seq)]
    assert sorted(os.listdir(tmp_path)) == ["copy0", "copy1", "copy2", "copy3", "copy4", "elsewhere", "journal"]


def test_a_backup_is_private_and_replaces_only_an_earlier_one(store: Store, tmp_path: Path, draft: MakeDraft) -> None:
    add(store, draft, "one")
    target = tmp_path / "copy"
    back_up(store, target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    add(store, draft, "two")
    assert back_up(store, target).verdict.entries == 2
    with Store.open(tmp_path / "other") as other:
        add(other, draft, "another")
        with pytest.raises(JournalError, match="is no earlier backup of this journal"):
            back_up(other, target)
    letter = tmp_path / "letter"
    letter.write_text("dear all")
    with pytest.raises(JournalError, match="is no earlier backup of this journal"):
        back_up(store, letter)
    assert letter.read_text() == "dear all"
    made = back_up(store, tmp_path)
    assert store.journal in made.path and os.path.dirname(made.path) == str(tmp_path)


def test_a_full_disk_leaves_the_earlier_backup(store: Store, small_disk: Path, draft: MakeDraft) -> None:
    add(store, draft, "one")
    made = back_up(store, small_disk / "copy")
    store.append([draft(f"{number} {'x' * 1000}") for number in range(2500)], key="much")
    with pytest.raises(JournalError, match="no room left on the disk"):
        back_up(store, small_disk / "copy")
    assert os.listdir(small_disk) == ["copy"]
    with open_copy(made.path) as earlier:
        assert earlier.verify().ok and earlier.head() == made.verdict.head


def test_a_damaged_journal_is_copied_beside_the_good_backup_and_not_over_it(
    store: Store, place: Path, tmp_path: Path, draft: MakeDraft
) -> None:
    add(store, draft, "one", "two")
    back_up(store, tmp_path / "copy")
    with sqlite3.connect(place / "journal.db") as db:
        db.execute("UPDATE entries SET body = replace(body, 'one', 'eno') WHERE seq = 1")
    made = back_up(store, tmp_path / "copy")
    assert not made.verdict.ok and made.path == str(tmp_path / "copy.damaged")
    with open_copy(tmp_path / "copy") as good:
        assert good.verify().ok
    with pytest.raises(JournalError, match="does not pass its check, so nothing was restored: entry 1 was altered"):
        restore(made.path, tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere").exists()


def test_a_journal_that_was_left_behind_gets_what_it_lacks_while_it_is_open(
    store: Store, place: Path, tmp_path: Path, draft: MakeDraft
) -> None:
    add(store, draft, "one", "a secret")
    shutil.copytree(place, tmp_path / "behind", ignore=shutil.ignore_patterns("*-wal", "*-shm", "notify"))
    back_up(store, tmp_path / "early")
    shutil.rmtree(tmp_path / "behind")
    restore(tmp_path / "early", tmp_path / "behind")
    add(store, draft, "three")
    store.purge(Ref(store.journal, 2), author=Author("ana"), reason="a password")
    store.bump_epoch(lambda _: draft("lease"))
    back_up(store, tmp_path / "copy")
    with Store.open(tmp_path / "behind") as behind:
        assert restore(tmp_path / "copy", tmp_path / "behind").added == 3
        assert behind.head() == store.head() and behind.verify().ok and behind.epoch() == store.epoch()
        add(behind, draft, "goes on")
        files = [tmp_path / "behind" / name for name in os.listdir(tmp_path / "behind")]
        assert not [one for one in files if one.is_file() and b"a secret" in one.read_bytes()]
    assert texts(tmp_path / "behind") == ["one", "", "three", "a password", "lease", "goes on"]
    assert restore(tmp_path / "early", tmp_path / "new").added == 2


def test_restoring_twice_changes_nothing(store: Store, place: Path, tmp_path: Path, draft: MakeDraft) -> None:
    add(store, draft, "one", "two")
    back_up(store, tmp_path / "copy")
    assert restore(tmp_path / "copy", place).added == 0
    assert texts(place) == ["one", "two"]


def test_what_only_the_journal_has_is_never_overwritten(
    store: Store, place: Path, tmp_path: Path, draft: MakeDraft
) -> None:
    add(store, draft, "one", "two")
    back_up(store, tmp_path / "copy")
    add(store, draft, "three", "four")
    with pytest.raises(JournalError, match=r"has what the backup lacks: entries a3 to a4, recorded until 20\d\d-"):
        restore(tmp_path / "copy", place)
    restore(tmp_path / "copy", tmp_path / "fork")
    with Store.open(tmp_path / "fork") as fork:
        add(fork, draft, "another three", "another four", "another five")
        back_up(fork, tmp_path / "forked")
    with pytest.raises(JournalError, match="has what the backup lacks: entries a3 to a4"):
        restore(tmp_path / "forked", place)
    with Store.open(tmp_path / "other") as other:
        add(other, draft, "another")
        back_up(other, tmp_path / "others")
    with pytest.raises(JournalError, match=f"has another journal, {store.journal} with 4 entries"):
        restore(tmp_path / "others", place)
    assert texts(place) == ["one", "two", "three", "four"]


def test_what_is_no_backup_is_refused_in_a_sentence(
    store: Store, place: Path, tmp_path: Path, draft: MakeDraft
) -> None:
    add(store, draft, "one")
    with pytest.raises(JournalError, match="there is no file"):
        restore(tmp_path / "missing", tmp_path / "new")
    with pytest.raises(JournalError, match="is a journal in use, not a backup"):
        restore(place / "journal.db", tmp_path / "new")
    (tmp_path / "text").write_text("no database" * 1000)
    with pytest.raises(JournalError, match="is not a journal"):
        restore(tmp_path / "text", tmp_path / "new")
    back_up(store, tmp_path / "copy")
    with open(tmp_path / "copy", "r+b") as file:
        file.truncate(file.seek(0, os.SEEK_END) // 2)
    with pytest.raises(JournalError):
        restore(tmp_path / "copy", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_log_that_was_left_without_its_journal_is_kept(store: Store, tmp_path: Path, draft: MakeDraft) -> None:
    add(store, draft, "one")
    back_up(store, tmp_path / "copy")
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "journal.db-wal").write_bytes(b"entries")
    with pytest.raises(JournalError, match="its wal is there and may hold entries"):
        restore(tmp_path / "copy", tmp_path / "new")
    assert os.listdir(tmp_path / "new") == ["journal.db-wal"]
