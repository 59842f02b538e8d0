"""The journal's schema over versions, and the file systems that it is refused on."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from incident_tui.incident.entry import Author, Draft
from incident_tui.journal import schema
from incident_tui.journal.errors import (
    FromTheFuture,
    JournalError,
    NetworkFilesystem,
)
from incident_tui.journal.place import open_place, refuse_network
from incident_tui.journal.store import Store

MakeDraft = Callable[..., Draft]
Spawn = Callable[..., "subprocess.Popen[str]"]


def test_a_newer_schema_is_refused_and_untouched(place: Path, draft: MakeDraft) -> None:
    with Store.open(place) as store:
        store.append([draft("x")], key="k")
        store.connection.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
        with pytest.raises(FromTheFuture):
            store.append([draft("y")], key="k2")
    before = (place / "journal.db").read_bytes()
    with pytest.raises(FromTheFuture, match="schema 99"):
        Store.open(place)
    assert (place / "journal.db").read_bytes() == before


def test_an_older_schema_is_migrated_after_a_backup_which_purge_reaches(
    place: Path, draft: MakeDraft, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(place) as store:
        entry = store.append([draft("hunter2hunter2"), draft("keep")], key="k")[0]
        head = store.head()

    def add_a_table(db: sqlite3.Connection) -> None:
        db.execute("CREATE TABLE later(x)")

    monkeypatch.setattr(schema, "SCHEMA", schema.SCHEMA + 1)
    monkeypatch.setattr("incident_tui.journal.store.SCHEMA", schema.SCHEMA)
    monkeypatch.setitem(schema.MIGRATIONS, 1, add_a_table)
    with Store.open(place) as store:
        backups = list(place.glob("*.backup"))
        assert len(backups) == 1 and stat.S_IMODE(backups[0].stat().st_mode) == 0o660
        assert b"hunter2" in backups[0].read_bytes()
        assert store.connection.execute("SELECT count(*) FROM later").fetchone() == (0,)
        assert store.verify([head]).ok
        store.purge(entry.id, author=Author("ana"), reason="password")
        assert b"hunter2" not in backups[0].read_bytes()
        assert b"keep" in backups[0].read_bytes()
    with Store.open(place):
        assert list(place.glob("*.backup")) == backups


def test_a_migration_that_fails_changes_nothing(place: Path, draft: MakeDraft, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store.open(place) as store:
        store.append([draft("x")], key="k")

    def fail(db: sqlite3.Connection) -> None:
        db.execute("DELETE FROM entries")
        db.execute("SELECT nonsense FROM nowhere")

    monkeypatch.setattr(schema, "SCHEMA", 2)
    monkeypatch.setitem(schema.MIGRATIONS, 1, fail)
    with pytest.raises(JournalError):
        Store.open(place)
    monkeypatch.undo()
    with Store.open(place) as store:
        assert [entry.text for entry in store.read()] == ["x"]


@pytest.mark.parametrize("magic", [0x6969, 0xFF534D42, -0x00ACB2BE, 0x517B, 0x01021997, 0x65735546])
def test_network_file_systems_are_refused_with_a_local_path(place: Path, magic: int) -> None:
    def statfs(path: str) -> int:
        return magic if path.startswith(str(place.parent)) else 0xEF53

    with pytest.raises(NetworkFilesystem, match=r"--journal /") as caught:
        open_place(place, statfs=statfs)
    assert not place.exists()
    assert str(place) in caught.value.sentence


def test_the_kernel_tells_the_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from incident_tui.journal import place as module

    assert module._statfs(str(tmp_path)) > 0
    refuse_network(str(tmp_path), module._statfs)
    assert module._statfs("/proc") == 0x9FA0
    assert module.f_type(str(tmp_path)) in (0, module._statfs(str(tmp_path)))
